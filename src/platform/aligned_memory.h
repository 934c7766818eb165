// Memory that a disk can be read into and written from without a copy through the page cache.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

#include "base/bytes.h"

namespace holdfast::platform {

// Bytes. Suits every block device in use: sectors are 512 or 4,096 bytes.
inline constexpr std::size_t kBlock = 4096;

constexpr std::uint64_t block_floor(std::uint64_t bytes) { return bytes / kBlock * kBlock; }
constexpr std::uint64_t block_ceiling(std::uint64_t bytes) { return block_floor(bytes + kBlock - 1); }
inline bool begins_block(const std::uint8_t* memory) { return reinterpret_cast<std::uintptr_t>(memory) % kBlock == 0; }

// Begins at a multiple of kBlock. Not filled with zeros first, which would cost as much as reading into it.
class AlignedMemory {
 public:
  explicit AlignedMemory(std::size_t size)
      : data_(static_cast<std::uint8_t*>(std::aligned_alloc(kBlock, block_ceiling(size)))), size_(size) {
    if (!data_ && size > 0) throw std::bad_alloc();
  }
  std::size_t size() const { return size_; }
  ByteView view() const { return {data_.get(), size_}; }
  MutableBytes writable() { return {data_.get(), size_}; }

 private:
  struct Free {
    void operator()(std::uint8_t* p) const { std::free(p); }
  };
  std::unique_ptr<std::uint8_t, Free> data_;
  std::size_t size_;
};

}  // namespace holdfast::platform
