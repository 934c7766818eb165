// Chunks by id, and contents put together from them. Sections "Pack", "Index segment", "Chunks", "Content
// references and trees" of docs/repository-format.md.
#pragma once

#include <functional>
#include <list>

#include "keys.h"

namespace compat {

enum ChunkType : std::uint8_t { kData = 1, kTree = 2 };

struct Chunk {
  Bytes id;
  std::uint8_t type;
  std::uint64_t offset, size;  // inside the frame
};

struct Frame {
  std::uint64_t offset, stored;  // inside the pack object
  std::uint8_t codec;
  std::uint64_t size;
  Bytes base;  // codec 2
  std::vector<Chunk> chunks;
};

/// What a pack holds, as its own end and an index segment tell.
struct Directory {
  std::uint32_t id_epoch = 0;
  std::vector<Frame> frames;
};
Directory read_directory(View bytes, std::uint64_t header_length, const std::string& what);

struct Content {
  std::uint64_t size = 0;
  std::uint8_t level = 0;
  struct Part {
    Bytes id;
    std::uint64_t size;
  };
  std::vector<Part> parts;
};
Content read_content_reference(Cursor& in);

class Chunks {
 public:
  /// Reads the index.
  Chunks(const Store& store, const Keys& keys);

  /// Gives the bytes of a content in order, piece by piece, each checked.
  void read(const Content& content, ChunkType type, const std::function<void(View)>& piece);

  /// Decodes all of a pack, whether an index segment lists it or not.
  void verify_pack(const std::string& name);

  /// What was met so far, to tell what a sample holds.
  struct Met {
    std::size_t plain = 0, compressed = 0, deltas = 0;  // frames of verified packs
    int highest_level = 0;                              // of content references that were read
  };
  const Met& met() const { return met_; }

  /// Told of each chunk that is read, bases too: the packs that hold it.
  std::function<void(const std::set<std::string>&)> on_chunk;

 private:
  struct Pack {
    Object object;
    Directory directory;
    Bytes key;
  };
  struct Place {
    std::string pack;
    std::size_t frame, chunk;
    std::uint8_t codec;
  };
  void learn(const std::string& pack, const Directory& directory);
  std::shared_ptr<const Pack> pack(const std::string& name);
  Bytes decode(const Pack& pack, std::size_t number);
  Bytes checked(const Pack& pack, std::size_t frame, std::size_t chunk, View plain) const;
  Bytes chunk(const Bytes& id, std::uint8_t type, bool as_base);
  const Place& place_of(const Bytes& id, bool as_base) const;
  std::vector<Content::Part> leaves(const Content& content);

  const Store& store_;
  const Keys& keys_;
  std::map<std::string, Bytes> indexed_;  // directories of packs as the index has them
  std::map<Bytes, std::vector<Place>> places_;
  Met met_;
  std::list<std::shared_ptr<const Pack>> open_;  // a few packs, the last used first
  std::string decoded_name_;
  Bytes decoded_;  // the last frame
};

}  // namespace compat
