#include "repository/data/chunk_reader.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "platform/aligned_memory.h"

namespace holdfast::repository {
namespace {

constexpr std::uint64_t kFrameCache = std::uint64_t{32} << 20;
constexpr std::chrono::seconds kLookAgainAfter{10};
constexpr std::size_t kRemember = 32U << 10;  // smaller chunks are hashed again faster than looked up
constexpr std::size_t kPackKeys = 1024;       // about 150 bytes each

std::uint64_t frame_key(Index::PackNumber pack, std::uint32_t frame) {
  return std::uint64_t{pack} << 32 | frame;
}

[[noreturn]] void damaged(const Index::Pack& pack, const char* why) {
  throw Error(Code::damaged, "object " + pack.name() + " is damaged: " + why);
}

}  // namespace

struct ChunkReader::Frame {
  RawBytes plain;
  const Epoch* id_epoch = nullptr;
  Codec codec{};
  std::mutex mutex;
  std::set<std::pair<std::uint32_t, ChunkId>> verified;  // chunks whose hash was recomputed
};

ChunkReader::ChunkReader(const DataContext& context, Catalog& catalog)
    : context_(context), catalog_(catalog) {}

// -- packs

std::shared_ptr<const PackKey> ChunkReader::key_of(const Index::Pack& pack, Index::PackNumber number) {
  {
    std::lock_guard lock(keys_mutex_);
    if (auto found = keys_.find(number); found != keys_.end()) return found->second;
  }
  auto key = std::make_shared<const PackKey>(
      read_pack_key(context_.store, pack.name(), pack.size, context_.repository, context_.keyring));
  std::lock_guard lock(keys_mutex_);
  if (keys_.size() >= kPackKeys) keys_.clear();
  keys_[number] = key;
  return key;
}

// -- frames

// From `begin` on. In whole blocks, so that it comes past the page cache (platform/file_system.h, OpenOptions): it is read once.
platform::AlignedMemory ChunkReader::fetch(const Index::Pack& pack, const Index::Frame& frame, std::uint64_t& begin) {
  const std::uint64_t end = std::uint64_t{frame.offset} + frame.stored;
  if (end > pack.size) damaged(pack, "the index tells of frames beyond its end");
  begin = platform::block_floor(frame.offset);
  try {
    platform::AlignedMemory blocks(static_cast<std::size_t>(std::min(platform::block_ceiling(end), pack.size) - begin));
    context_.store.get_range(pack.name(), begin, blocks.writable());
    return blocks;
  } catch (const Error& error) {
    if (!is_damage(error) && error.code() != Code::io) throw;
  }
  begin = frame.offset;   // what is around it may be cut off or unreadable: no fault of this frame
  platform::AlignedMemory alone(frame.stored);
  context_.store.get_range(pack.name(), begin, alone.writable());
  return alone;
}

ChunkReader::FramePtr ChunkReader::decode(Index::PackNumber number, std::uint32_t frame_number,
                                          ChunkType type) {
  Index::Pack pack = catalog_.index().pack(number);
  Index::Frame info = catalog_.index().frame(number, frame_number);
  std::shared_ptr<const PackKey> key = key_of(pack, number);
  if (info.size > kMaxFrame || info.stored < crypto::kAeadTagSize)
    damaged(pack, "a frame has an impossible size");
  std::uint64_t begin = 0;
  const platform::AlignedMemory read = fetch(pack, info, begin);
  const ByteView stored = read.view().subspan(static_cast<std::size_t>(info.offset - begin), info.stored);

  RawBytes encoded(info.stored - crypto::kAeadTagSize);
  FrameCipher cipher(key->key.view(), context_.repository, key->salt);
  if (!cipher.open(frame_number, stored, encoded.writable())) damaged(pack, "a frame is not authentic");
  auto frame = std::make_shared<Frame>();
  frame->id_epoch = &context_.keyring.epoch(pack.id_epoch, pack.name());
  frame->codec = info.codec;
  if (info.codec == Codec::plain) {
    if (encoded.size() != info.size) damaged(pack, "a frame has another size than the directory says");
    frame->plain = std::move(encoded);
    return frame;
  }
  Chunk base;
  if (info.codec == Codec::zstd_with_base) {
    std::optional<Chunk> found = find_base(info.base, type);
    if (!found) damaged(pack, "the chunk that a frame builds on is not there");
    base = *found;
  }
  frame->plain = RawBytes(info.size);
  static thread_local Decompressor decompressor;
  if (!decompressor.decode(info.codec, encoded.view(), base.bytes, frame->plain.writable()))
    damaged(pack, "a frame cannot be decompressed");
  return frame;
}

void ChunkReader::remember(FrameKey key, const FramePtr& frame) {
  frames_[key] = frame;
  recent_.push_front(key);
  place_[key] = recent_.begin();
  held_ += frame->plain.size();
  while (held_ > kFrameCache && recent_.size() > 1) {
    FrameKey oldest = recent_.back();
    recent_.pop_back();
    place_.erase(oldest);
    auto found = frames_.find(oldest);
    held_ -= found->second->plain.size();
    frames_.erase(found);
  }
}

ChunkReader::FramePtr ChunkReader::frame(const Index::Location& at, ChunkType type, bool as_base) {
  // A base is always plain: without this a hostile writer could make frames wait for each other.
  if (as_base && catalog_.index().frame(at.pack, at.frame).codec == Codec::zstd_with_base) {
    damaged(catalog_.index().pack(at.pack), "a base is itself built on another chunk");
  }
  FrameKey key = frame_key(at.pack, at.frame);
  {
    std::unique_lock lock(mutex_);
    while (true) {
      auto found = frames_.find(key);
      if (found == frames_.end()) break;
      if (found->second) {
        recent_.splice(recent_.begin(), recent_, place_[key]);
        return found->second;
      }
      decoded_.wait(lock);
    }
    frames_[key] = nullptr;
  }
  FramePtr frame;
  try {
    frame = decode(at.pack, at.frame, type);
  } catch (...) {
    std::lock_guard lock(mutex_);
    frames_.erase(key);
    decoded_.notify_all();
    throw;
  }
  std::lock_guard lock(mutex_);
  remember(key, frame);
  decoded_.notify_all();
  return frame;
}

// -- chunks

ChunkReader::Chunk ChunkReader::get_at(const Index::Location& at, const ChunkId& id, ChunkType type,
                                       bool as_base) {
  FramePtr owner = frame(at, type, as_base);
  Index::Pack pack = catalog_.index().pack(at.pack);
  if (std::uint64_t{at.offset} + at.length > owner->plain.size())
    damaged(pack, "a chunk reaches beyond its frame");
  ByteView bytes = owner->plain.view().subspan(at.offset, at.length);
  bool keep = bytes.size() >= kRemember;
  if (keep) {
    std::lock_guard lock(owner->mutex);
    if (owner->verified.contains({at.offset, id})) return {owner, bytes};
  }
  if (chunk_id(*owner->id_epoch, type, bytes) != id) damaged(pack, "a chunk is not what was written");
  if (keep) {
    std::lock_guard lock(owner->mutex);
    owner->verified.insert({at.offset, id});
  }
  return {owner, bytes};
}

std::optional<ChunkReader::Chunk> ChunkReader::find_base(const ChunkId& id, ChunkType type) {
  for (const Index::Location& at : catalog_.index().find(id)) {
    try {
      return get_at(at, id, type, true);
    } catch (const Error& error) {
      if (!is_damage(error)) throw;
    }
  }
  return std::nullopt;
}

std::optional<ChunkReader::Chunk> ChunkReader::get_anywhere(const ChunkId& id, ChunkType type,
                                                            std::uint32_t length, std::string& tried) {
  std::exception_ptr other;
  for (const Index::Location& at : catalog_.index().find(id)) {
    try {
      if (at.length != length)
        damaged(catalog_.index().pack(at.pack), "a chunk has another length than the tree says");
      return get_at(at, id, type, false);
    } catch (const Error& error) {
      if (is_damage(error)) {
        catalog_.mark_damaged(at.pack);
        tried += (tried.empty() ? "" : "; ") + error.message();
        if (error.code() == Code::not_found) tried += " (pack " + catalog_.index().pack(at.pack).name() + ")";
      } else if (!other) {
        other = std::current_exception();
      }
    }
  }
  if (other) std::rethrow_exception(other);
  return std::nullopt;
}

// Listing all packs for each of many missing chunks would take for ever.
void ChunkReader::look_further() {
  std::lock_guard lock(look_mutex_);
  if (looked_ && context_.clock.elapsed() - *looked_ < kLookAgainAfter) return;
  catalog_.adopt_unlisted();
  looked_ = context_.clock.elapsed();
}

ChunkReader::Chunk ChunkReader::get(const ChunkId& id, ChunkType type, std::uint32_t length) {
  catalog_.load();
  const std::size_t known = catalog_.index().pack_count();
  std::string tried;
  if (std::optional<Chunk> chunk = get_anywhere(id, type, length, tried)) return *chunk;
  look_further();
  if (catalog_.index().pack_count() > known) {
    tried.clear();
    if (std::optional<Chunk> chunk = get_anywhere(id, type, length, tried)) return *chunk;
  }
  if (tried.empty()) tried = "chunk " + id.hex().substr(0, 16) + " is in no pack";
  throw Error(Code::damaged, "cannot read stored data: " + tried)
      .hint("Another copy of the repository may have it: compare with `holdfast check`.");
}

}  // namespace holdfast::repository
