#include "repository/upkeep/chunk_rescue.h"

#include <algorithm>

#include "base/error.h"

namespace holdfast::repository {
namespace {

constexpr std::size_t kPack = std::size_t{16} << 20;
constexpr std::size_t kReadRoom = std::size_t{256} << 10, kLeastRoom = std::size_t{64} << 10;

}  // namespace

// -- storing

void ChunkRescue::store(const ChunkId& id, ChunkType type, ByteView plain, const Epoch& ids) {
  if (!stored_.insert(id).second) return;
  std::unique_ptr<PackWriter>& pack = packs_[ids.number];
  if (!pack) {
    pack = std::make_unique<PackWriter>(PackWriterKeys{engine_.context.repository, writer_, key_, engine_.context.keyring.current(),
                                                       engine_.entropy, ids.number},
                                        kPack);
  }
  Compressor::Encoded encoded = compressor_.encode(plain);
  if (!pack->fits(encoded.bytes.size(), 1)) store_pack(*pack);
  PackWriter::Chunk chunk(id, type, plain);
  pack->add(encoded, chunk.length, std::span(&chunk, 1));
}

void ChunkRescue::finish() {
  for (auto& [epoch, pack] : packs_) {
    if (!pack->empty()) store_pack(*pack);
  }
}

// Like a backup's: decoded again from the very bytes that the store will get.
void ChunkRescue::store_pack(PackWriter& pack) {
  PackWriter::Finished finished = pack.finish();
  std::string name = object_name(ObjectType::pack, finished.hash);
  PackDirectory directory =
      checker_.check_fresh(finished, engine_.context.repository, engine_.context.keyring, name);
  engine_.context.store.put(name, finished.object);
  engine_.catalog.written({finished.hash, finished.object.size(), kPackHeaderSize, std::move(finished.directory)}, directory);
  pack.reset();
}

// -- cutting

ChunkSieve::ChunkSieve(const Chunker& chunker, const std::set<std::string>& wanted, Chunk chunk)
    : chunker_(chunker), wanted_(wanted), chunk_(std::move(chunk)) {
  const Parameters& p = chunker.parameters();
  buffer_.resize(std::max({p.chunk_maximum, p.fixed_chunk, p.group_limit}) + kReadRoom);
}

void ChunkSieve::open_directory(const tree::Entry& entry) {
  std::string path = inside_.empty() || inside_.back().empty() ? entry.name : inside_.back() + "/" + entry.name;
  inside_.push_back(std::move(path));
}

void ChunkSieve::close_directory() { inside_.pop_back(); }

bool ChunkSieve::reuse_file(const tree::Entry& now) {
  return !wanted_.contains(inside_.empty() || inside_.back().empty() ? now.name : inside_.back() + "/" + now.name);
}

tree::FileWriter& ChunkSieve::begin_file(tree::Chunking chunking) {
  chunking_ = chunking;
  start_ = used_ = 0;
  file_bytes_ = 0;
  scan_ = {};
  return *this;
}

void ChunkSieve::end_file(const tree::Entry&) {
  if (used_ > start_) take(used_ - start_);
  start_ = used_ = 0;
}

MutableBytes ChunkSieve::space() {
  if (buffer_.size() - used_ < kLeastRoom) {
    std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(start_), buffer_.begin() + static_cast<std::ptrdiff_t>(used_), buffer_.begin());
    used_ -= start_;
    start_ = 0;
  }
  return MutableBytes(buffer_).subspan(used_);
}

void ChunkSieve::commit(std::size_t bytes) {
  used_ += bytes;
  file_bytes_ += bytes;
  const Parameters& p = chunker_.parameters();
  if (chunking_ == tree::Chunking::fixed) {
    while (used_ - start_ >= p.fixed_chunk) take(p.fixed_chunk);
    return;
  }
  if (file_bytes_ <= p.group_limit) return;   // as far as we know one chunk
  while (used_ > start_) {
    std::optional<std::size_t> end = chunker_.end_of_chunk(scan_, ByteView(buffer_).subspan(start_, used_ - start_));
    if (!end) return;
    take(*end);
  }
}

void ChunkSieve::take(std::size_t length) {
  chunk_(ByteView(buffer_).subspan(start_, length));
  start_ += length;
  scan_ = {};
}

}  // namespace holdfast::repository
