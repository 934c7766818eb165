// Where every chunk is: in memory, 48 bytes a chunk and about 6 for its slot, 12 a frame. Filled from
// directories of packs; catalog.h reads those from the store. Thread-safe. The lookups are all that others
// know of it, so that a table in a file can take its place.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "repository/pack.h"

namespace holdfast::repository {

class Index {
 public:
  using PackNumber = std::uint32_t;  // of this Index only
  struct Location {
    PackNumber pack = 0;
    std::uint32_t frame = 0;
    std::uint32_t offset = 0, length = 0;  // in the plain bytes of the frame
  };
  struct Frame {
    std::uint32_t offset = 0, stored = 0, size = 0;  // as in PackDirectory::Frame
    Codec codec{};
    ChunkId base;
  };
  struct Pack {
    crypto::Sha256 hash;
    std::uint64_t size = 0;
    std::uint32_t header_length = 0;
    std::uint32_t id_epoch = 0;  // as in PackDirectory
    bool usable = true;  // false: missing, damaged, or of another size; never deduplicated against
    std::uint32_t frames = 0;
    std::string name() const { return object_name(ObjectType::pack, hash); }
  };

  // A pack that is known already is left as it is.
  PackNumber add(const crypto::Sha256& pack, std::uint64_t size, std::uint32_t header_length,
                 const PackDirectory& directory);

  // Every place of the chunk, usable packs first.
  std::vector<Location> find(const ChunkId& id) const;
  // A place in a usable pack whose base (if any) is in a usable pack too.
  std::optional<Location> find_usable(const ChunkId& id) const;

  // The packs that reading that place takes: its own, and the one of the base.
  std::vector<PackNumber> packs_for(const Location& at) const;

  Frame frame(PackNumber pack, std::uint32_t number) const;
  Pack pack(PackNumber number) const;
  std::optional<PackNumber> number_of(const crypto::Sha256& pack) const;
  std::size_t pack_count() const;
  std::uint64_t chunk_count() const;
  void set_usable(PackNumber pack, bool usable);

 private:
  struct Entry {
    ChunkId id;
    Location at;
  };
  static constexpr std::size_t kBlock = 16384;
  static constexpr std::uint32_t kNone = 0xffffffff;
  struct PackedFrame {
    std::uint32_t offset = 0, stored = 0, size_and_codec = 0;
  };  // size < 2^24, codec above it
  struct PackState {
    Pack info;
    std::uint64_t first_frame = 0;
  };

  const Entry& entry(std::uint32_t number) const { return blocks_[number / kBlock][number % kBlock]; }
  template <class Visit>
  void each(const ChunkId& id, Visit visit) const;  // visit(const Location&)
  Frame frame_locked(PackNumber pack, std::uint32_t number) const;
  void insert(const ChunkId& id, const Location& at);
  void place(std::uint32_t number);
  void grow();

  mutable std::shared_mutex mutex_;
  std::vector<std::unique_ptr<Entry[]>> blocks_;
  std::uint32_t count_ = 0;
  std::vector<std::uint32_t> slots_;  // numbers of entries; size is a power of two, at most 3/4 taken
  std::vector<PackState> packs_;
  std::vector<PackedFrame> frames_;
  std::unordered_map<std::uint64_t, ChunkId> bases_;  // by place in frames_; few
  std::unordered_map<crypto::Sha256, PackNumber, IdHash> numbers_;
};

// -- index segments (docs/repository-format.md "Index segment")

struct SegmentPack {
  crypto::Sha256 hash;
  std::uint64_t size = 0;
  std::uint32_t header_length = 0;
  Bytes directory;  // encoded
};
Bytes encode_segment(const std::vector<crypto::Sha256>& superseded, const std::vector<SegmentPack>& packs);

struct SegmentView {
  std::vector<crypto::Sha256> superseded;
  struct Pack {
    crypto::Sha256 hash;
    std::uint64_t size = 0;
    std::uint32_t header_length = 0;
    ByteView directory;  // into the input
  };
  std::vector<Pack> packs;
};
SegmentView decode_segment(ByteView plain, std::string_view name);

}  // namespace holdfast::repository
