#include "repository/upkeep/repack.h"

#include <algorithm>

#include "base/error.h"

namespace holdfast::repository {
namespace {

constexpr std::size_t kPack = std::size_t{24} << 20;

}  // namespace

Repack::Repack(Engine& engine, const LogWriter& writer, const RunOptions& run) : engine_(engine), writer_(writer), run_(run) {}

bool Repack::take(Index::PackNumber number, const std::function<bool(std::uint32_t)>& is_needed) {
  try {
    return copy_frames(number, engine_.catalog.index().pack(number), is_needed);
  } catch (const Error& error) {
    if (!is_damage(error)) throw;
    return false;   // what was taken over already is only there twice
  }
}

bool Repack::copy_frames(Index::PackNumber number, const Index::Pack& pack, const std::function<bool(std::uint32_t)>& is_needed) {
  const DataContext& context = engine_.context;
  const std::string name = pack.name();
  PackKey key = read_pack_key(context.store, name, pack.size, context.repository, context.keyring);
  PackDirectory directory = decode_directory(
      read_directory(context.store, name, pack.size, context.repository, context.keyring).encoded, key.header_length, pack.size, name);
  if (directory.frames.size() != pack.frames) return false;
  const Epoch& ids = context.keyring.epoch(directory.id_epoch, name);
  FrameCipher cipher(key.key.view(), context.repository, key.salt);
  for (std::uint32_t i = 0; i < directory.frames.size(); ++i) {
    if (!is_needed(i)) continue;
    if (run_.cancel != nullptr) run_.cancel->check();
    const PackDirectory::Frame& frame = directory.frames[i];
    stored_.resize(frame.stored);
    context.store.get_range(name, frame.offset, stored_);
    encoded_.resize(frame.stored - crypto::kAeadTagSize);
    if (!cipher.open(i, stored_, encoded_) || !decodes(directory, frame, encoded_, ids)) return false;
    if (run_.progress != nullptr) run_.progress->add(frame.stored, 0);
    add(number, directory, frame, encoded_);
  }
  return true;
}

bool Repack::decodes(const PackDirectory& directory, const PackDirectory::Frame& frame, ByteView encoded, const Epoch& ids) {
  std::optional<ChunkReader::Chunk> base;
  if (frame.codec == Codec::zstd_with_base) {
    base = engine_.reader.find_base(frame.base, directory.chunks[frame.first_chunk].type);
    if (!base) return false;
  }
  plain_.resize(frame.size);
  if (!decompressor_.decode(frame.codec, encoded, base ? base->bytes : ByteView(), plain_)) return false;
  auto chunks = directory.chunks_of(frame);
  return std::all_of(chunks.begin(), chunks.end(), [&](const PackDirectory::Chunk& chunk) {
    return chunk_id(ids, chunk.type, ByteView(plain_).subspan(chunk.offset, chunk.length)) == chunk.id;
  });
}

void Repack::add(Index::PackNumber from, const PackDirectory& directory, const PackDirectory::Frame& frame, ByteView encoded) {
  auto chunks = directory.chunks_of(frame);
  bool same_pack = pack_ && id_epoch_ == directory.id_epoch && pack_->fits(encoded.size(), chunks.size());
  if (pack_ && !same_pack && !pack_->empty()) store_pack();
  if (!same_pack) begin_pack(directory.id_epoch);
  std::vector<PackWriter::Chunk> lines;
  for (const PackDirectory::Chunk& chunk : chunks)
    lines.emplace_back(chunk.id, chunk.type, ByteView(plain_).subspan(chunk.offset, chunk.length));
  const bool with_base = frame.codec == Codec::zstd_with_base;
  pack_->add({frame.codec, encoded}, frame.size, lines, with_base ? &frame.base : nullptr);
  if (waiting_.empty() || waiting_.back() != from) waiting_.push_back(from);
}

void Repack::begin_pack(std::uint32_t id_epoch) {
  if (pack_ && id_epoch_ == id_epoch) return;   // its buffer is used again
  const DataContext& context = engine_.context;
  pack_.reset();
  pack_ = std::make_unique<PackWriter>(PackWriterKeys{context.repository, writer_.id, writer_.key, context.keyring.current(),
                                                      context.entropy, id_epoch},
                                       kPack);
  id_epoch_ = id_epoch;
}

void Repack::store_pack() {
  const DataContext& context = engine_.context;
  PackWriter::Finished finished = pack_->finish();
  std::string name = object_name(ObjectType::pack, finished.hash);
  PackDirectory directory;
  try {
    directory = checker_.check_fresh(finished, context.repository, context.keyring, name);
  } catch (const Error& error) {
    if (error.code() != Code::damaged) throw;
    throw Error(Code::failed, "cannot rewrite packs: a pack decodes to something else than what was put into it")
        .safe("the pack was not stored, and nothing was deleted")
        .hint("the memory or processor of this machine may be faulty: test them");
  }
  context.store.put(name, finished.object);
  std::uint64_t size = finished.object.size();
  for (Index::PackNumber from : waiting_) places_[from].push_back({ObjectType::pack, finished.hash, size});
  waiting_.clear();
  written_.push_back({finished.hash, size, kPackHeaderSize, std::move(finished.directory)});
  pack_->reset();
}

void Repack::finish() {
  if (pack_ && !pack_->empty()) store_pack();
  pack_.reset();
}

std::vector<NeededObject> Repack::in_place_of(Index::PackNumber pack) const {
  auto it = places_.find(pack);
  return it == places_.end() ? std::vector<NeededObject>() : it->second;
}

}  // namespace holdfast::repository
