// Content references: the list of chunks that a stream is made of, itself stored as chunks when it is long.
// docs/repository-format.md "Content references and trees".
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/wire.h"
#include "repository/data/chunk_reader.h"
#include "repository/data/chunker.h"

namespace holdfast::repository {

inline constexpr std::size_t kMaxPieces = 1024;  // a longer list goes into chunks
inline constexpr int kMaxLevel = 4;

void encode_reference(Writer& out, const ContentRef& content);
ContentRef decode_reference(Reader& in);

// Puts one chunk of type tree, gives its id.
using PutTreeChunk = std::function<ChunkId(ByteView)>;

class TreeStream;

// Collects the pieces of one stream, in order, in bounded memory.
class ReferenceBuilder {
 public:
  ReferenceBuilder();
  ~ReferenceBuilder();
  ReferenceBuilder(ReferenceBuilder&&) noexcept;
  void add(const ContentRef::Piece& piece, const Chunker& chunker, const PutTreeChunk& put);
  ContentRef finish(const Chunker& chunker, const PutTreeChunk& put);

 private:
  std::uint64_t size_ = 0;
  std::vector<ContentRef::Piece> pieces_;
  std::unique_ptr<TreeStream> list_;  // of the level below, once there are too many pieces
};

// A stream of type tree (a directory's listing, a list of pieces), cut into chunks as it comes.
class TreeStream {
 public:
  void append(ByteView bytes) { pending_.insert(pending_.end(), bytes.begin(), bytes.end()); }
  // Bytes that wait to be cut. cut() has something to do when they are at least a chunk's maximum.
  std::size_t pending() const { return pending_.size(); }
  void cut(const Chunker& chunker, const PutTreeChunk& put);
  ContentRef finish(const Chunker& chunker, const PutTreeChunk& put);

 private:
  Bytes pending_;
  bool was_cut_ = false;
  ReferenceBuilder pieces_;
};

// Walks the pieces of a stream without reading them; reads the chunks of its lists only. Throws damaged when
// what it reads cannot be a list, or the pieces do not add up to the size of the content.
class PieceCursor {
 public:
  using SeeList = std::function<void(const ContentRef::Piece&)>;  // a chunk of a list, before it is read
  // `content` must outlive the cursor.
  PieceCursor(ChunkReader& reader, const ContentRef& content, SeeList see_list = {});
  // False at the end.
  bool next(ContentRef::Piece& piece);

 private:
  PieceCursor(ChunkReader& reader, const ContentRef& content, std::uint8_t level, SeeList see_list);
  bool next_unchecked(ContentRef::Piece& piece);
  bool parse(ContentRef::Piece& piece);

  ChunkReader& reader_;
  const ContentRef& content_;
  SeeList see_list_;
  std::size_t position_ = 0;           // level 0: in content_.pieces
  std::unique_ptr<PieceCursor> list_;  // above: the chunks that hold the list
  Bytes rest_;                         // of the list: bytes from parsed_ on wait
  std::size_t parsed_ = 0;
  std::uint64_t total_ = 0;
};

// Calls consume(offset, bytes) for [offset, offset + length) of the stream, in order. Error(defect) beyond
// its end.
void read_content(ChunkReader& reader, const ContentRef& content, ChunkType type, std::uint64_t offset,
                  std::uint64_t length, const std::function<void(std::uint64_t, ByteView)>& consume);

}  // namespace holdfast::repository
