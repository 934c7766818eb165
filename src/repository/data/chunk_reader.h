// Chunks out of packs, verified. Thread-safe. Holds decoded frames (32 MiB, the least recently used go
// first) and keys of packs; a frame is read and decoded by one thread at a time, the others wait for it.
// Nothing is read ahead: what follows in a pack is seldom what a file goes on with, as packs are filled
// several at a time; several threads keep the disk busy.
#pragma once

#include <chrono>
#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "platform/aligned_memory.h"
#include "repository/index/catalog.h"

namespace holdfast::repository {

// Memory that is not filled with zeros first, unlike Bytes: that would cost as much as decrypting into it.
class RawBytes {
 public:
  RawBytes() = default;
  explicit RawBytes(std::size_t size) : data_(std::make_unique_for_overwrite<std::uint8_t[]>(size)), size_(size) {}
  std::size_t size() const { return size_; }
  ByteView view() const { return {data_.get(), size_}; }
  MutableBytes writable() { return {data_.get(), size_}; }

 private:
  std::unique_ptr<std::uint8_t[]> data_;
  std::size_t size_ = 0;
};

class ChunkReader {
 public:
  ChunkReader(const DataContext& context, Catalog& catalog);

  struct Chunk {
    std::shared_ptr<const void> owner;  // keeps `bytes` valid
    ByteView bytes;
  };
  // The chunk of that id; its hash was recomputed. A copy in another pack is used when a pack is damaged or
  // missing. damaged: no pack has it whole (names the packs); whatever else the store throws when that was in
  // the way.
  Chunk get(const ChunkId& id, ChunkType type, std::uint32_t length);
  // A chunk that another one builds on: must itself be stored plainly. nullopt: no pack has it whole.
  std::optional<Chunk> find_base(const ChunkId& id, ChunkType type);

 private:
  struct Frame;
  using FramePtr = std::shared_ptr<Frame>;
  using FrameKey = std::uint64_t;  // pack number, frame number

  std::optional<Chunk> get_anywhere(const ChunkId& id, ChunkType type, std::uint32_t length,
                                    std::string& tried);
  Chunk get_at(const Index::Location& at, const ChunkId& id, ChunkType type, bool as_base);
  FramePtr frame(const Index::Location& at, ChunkType type, bool as_base);
  FramePtr decode(Index::PackNumber pack, std::uint32_t number, ChunkType type);
  platform::AlignedMemory fetch(const Index::Pack& pack, const Index::Frame& frame, std::uint64_t& begin);
  std::shared_ptr<const PackKey> key_of(const Index::Pack& pack, Index::PackNumber number);
  void look_further();  // for packs that no segment lists, not too often
  void remember(FrameKey key, const FramePtr& frame);

  const DataContext& context_;
  Catalog& catalog_;

  std::mutex mutex_;
  std::condition_variable decoded_;
  std::unordered_map<FrameKey, FramePtr> frames_;  // nullptr: being decoded
  std::list<FrameKey> recent_;                     // front: most recently used
  std::unordered_map<FrameKey, std::list<FrameKey>::iterator> place_;
  std::uint64_t held_ = 0;  // bytes of frames_

  std::mutex look_mutex_;
  std::optional<std::chrono::nanoseconds> looked_;  // by the clock's elapsed()

  std::mutex keys_mutex_;
  std::unordered_map<Index::PackNumber, std::shared_ptr<const PackKey>> keys_;
};

}  // namespace holdfast::repository
