#include "repository/data/content.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace holdfast::repository {
namespace {

constexpr std::size_t kMostPieceBytes = ChunkId::kSize + 10;  // id, varint
constexpr std::size_t kLeastPieceBytes = ChunkId::kSize + 1;

void write_piece(Writer& out, const ContentRef::Piece& piece) {
  out.raw(piece.id.view()).varint(piece.length);
}

ContentRef::Piece read_piece(Reader& in) {
  ContentRef::Piece piece;
  piece.id = in.id<ChunkId>();
  std::uint64_t length = in.varint();
  if (length == 0 || length > kMaxChunk) in.damaged("a chunk has an impossible length");
  piece.length = static_cast<std::uint32_t>(length);
  return piece;
}

}  // namespace

void encode_reference(Writer& out, const ContentRef& content) {
  out.varint(content.size).u8(content.level).varint(content.pieces.size());
  for (const ContentRef::Piece& piece : content.pieces) write_piece(out, piece);
}

ContentRef decode_reference(Reader& in) {
  ContentRef content;
  content.size = in.varint();
  content.level = in.u8();
  if (content.level > kMaxLevel) in.damaged("a content has more levels than the format allows");
  std::uint64_t count = in.varint();
  in.expect_count(count, kLeastPieceBytes);
  content.pieces.reserve(static_cast<std::size_t>(count));
  std::uint64_t total = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    content.pieces.push_back(read_piece(in));
    total += content.pieces.back().length;
  }
  if (content.level == 0 && total != content.size)
    in.damaged("the chunks of a content do not add up to its size");
  return content;
}

// -- building

ReferenceBuilder::ReferenceBuilder() = default;
ReferenceBuilder::~ReferenceBuilder() = default;
ReferenceBuilder::ReferenceBuilder(ReferenceBuilder&&) noexcept = default;

void ReferenceBuilder::add(const ContentRef::Piece& piece, const Chunker& chunker, const PutTreeChunk& put) {
  size_ += piece.length;
  if (!list_ && pieces_.size() < kMaxPieces) {
    pieces_.push_back(piece);
    return;
  }
  Writer w;
  if (!list_) {
    list_ = std::make_unique<TreeStream>();
    for (const ContentRef::Piece& earlier : pieces_) write_piece(w, earlier);
    pieces_ = {};
  }
  write_piece(w, piece);
  list_->append(w.bytes());
  if (list_->pending() >= chunker.parameters().chunk_maximum) list_->cut(chunker, put);
}

ContentRef ReferenceBuilder::finish(const Chunker& chunker, const PutTreeChunk& put) {
  if (!list_) return {size_, 0, std::move(pieces_)};
  ContentRef content = list_->finish(chunker, put);
  content.size = size_;
  if (++content.level > kMaxLevel)
    throw Error(Code::unsupported, "cannot store a file: its list of chunks is too long");
  return content;
}

void TreeStream::cut(const Chunker& chunker, const PutTreeChunk& put) {
  ByteView rest = pending_;
  while (rest.size() >= chunker.parameters().chunk_maximum) {
    std::size_t length = chunker.first_chunk(rest);
    pieces_.add({put(rest.first(length)), static_cast<std::uint32_t>(length)}, chunker, put);
    rest = rest.subspan(length);
    was_cut_ = true;
  }
  pending_.erase(pending_.begin(), pending_.end() - static_cast<std::ptrdiff_t>(rest.size()));
}

ContentRef TreeStream::finish(const Chunker& chunker, const PutTreeChunk& put) {
  cut(chunker, put);
  ByteView rest = pending_;
  bool one_chunk = !was_cut_ && rest.size() <= chunker.parameters().group_limit;
  while (!rest.empty()) {
    std::size_t length = one_chunk ? rest.size() : chunker.first_chunk(rest);
    pieces_.add({put(rest.first(length)), static_cast<std::uint32_t>(length)}, chunker, put);
    rest = rest.subspan(length);
  }
  pending_ = {};
  return pieces_.finish(chunker, put);
}

// -- walking

PieceCursor::PieceCursor(ChunkReader& reader, const ContentRef& content, SeeList see_list)
    : PieceCursor(reader, content, content.level, std::move(see_list)) {}

PieceCursor::PieceCursor(ChunkReader& reader, const ContentRef& content, std::uint8_t level, SeeList see_list)
    : reader_(reader), content_(content), see_list_(std::move(see_list)) {
  if (level > 0)
    list_.reset(new PieceCursor(reader, content, static_cast<std::uint8_t>(level - 1), see_list_));
}

bool PieceCursor::next(ContentRef::Piece& piece) {
  if (next_unchecked(piece)) {
    total_ += piece.length;
    if (total_ <= content_.size) return true;
  } else if (total_ == content_.size) {
    return false;
  }
  throw Error(Code::damaged, "a stored tree is damaged: the chunks of a content do not add up to its size");
}

bool PieceCursor::next_unchecked(ContentRef::Piece& piece) {
  if (list_) return parse(piece);
  if (position_ == content_.pieces.size()) return false;
  piece = content_.pieces[position_++];
  return true;
}

bool PieceCursor::parse(ContentRef::Piece& piece) {
  ContentRef::Piece chunk;
  while (rest_.size() - parsed_ < kMostPieceBytes && list_->next_unchecked(chunk)) {
    if (see_list_) see_list_(chunk);
    ChunkReader::Chunk bytes = reader_.get(chunk.id, ChunkType::tree, chunk.length);
    rest_.erase(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(parsed_));
    rest_.insert(rest_.end(), bytes.bytes.begin(), bytes.bytes.end());
    parsed_ = 0;
  }
  if (parsed_ == rest_.size()) return false;
  Reader in(ByteView(rest_).subspan(parsed_), "list of chunks");
  piece = read_piece(in);
  parsed_ += in.position();
  return true;
}

void read_content(ChunkReader& reader, const ContentRef& content, ChunkType type, std::uint64_t offset,
                  std::uint64_t length, const std::function<void(std::uint64_t, ByteView)>& consume) {
  if (offset > content.size || length > content.size - offset) {
    throw Error(Code::defect, "cannot read stored content: asked for bytes beyond its end");
  }
  PieceCursor pieces(reader, content);
  ContentRef::Piece piece;
  std::uint64_t start = 0;
  const std::uint64_t end = offset + length;
  while (start < end && pieces.next(piece)) {
    std::uint64_t piece_end = start + piece.length;
    if (piece_end > offset) {
      ChunkReader::Chunk chunk = reader.get(piece.id, type, piece.length);
      std::uint64_t from = std::max(start, offset), to = std::min(piece_end, end);
      consume(from, chunk.bytes.subspan(static_cast<std::size_t>(from - start),
                                        static_cast<std::size_t>(to - from)));
    }
    start = piece_end;
  }
}

}  // namespace holdfast::repository
