// Writing a file from its beginning past the page cache: what is written once and not read soon should neither cost a copy
// nor push out what others use. Posix implementation files only; not part of the contract of this room.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/bytes.h"
#include "platform/aligned_memory.h"

namespace holdfast::platform {

template <class Call>
auto retry_interrupted(Call call) {
  while (true) {
    auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

// Writes whole blocks in aligned memory as they are, and collects everything else in an aligned buffer; the last, unaligned bytes go
// through the page cache. One thread.
// The file is open with O_DIRECT, its position is its end, and the caller keeps it open.
class DirectWriter {
 public:
  explicit DirectWriter(int fd) : fd_(fd) {}

  // 0, or errno: nothing may be written to the file any more.
  int write(ByteView data) {
    while (!data.empty()) {
      if (!direct_) return write_out(data.data(), data.size());
      if (filled_ == 0 && begins_block(data.data()) && data.size() >= kBlock) {
        const std::size_t blocks = block_floor(data.size());
        if (int error = write_out(data.data(), blocks)) return error;
        data = data.subspan(blocks);
        continue;
      }
      std::size_t n = std::min(data.size(), kBuffer - filled_);
      std::copy_n(data.data(), n, start() + filled_);
      filled_ += n;
      data = data.subspan(n);
      if (filled_ < kBuffer) continue;
      if (int error = write_out(start(), filled_)) return error;
      filled_ = 0;
    }
    return 0;
  }
  // What is still collected. Afterwards everything goes through the page cache.
  int flush() {
    std::size_t aligned = direct_ ? block_floor(filled_) : 0, rest = filled_ - aligned;
    filled_ = 0;
    int error = write_out(start(), aligned);
    if (error == 0) error = leave_direct();
    return error != 0 ? error : write_out(start() + aligned, rest);
  }

 private:
  static constexpr std::size_t kBuffer = std::size_t{1} << 20;

  std::uint8_t* start() { return buffer_.writable().data(); }
  int leave_direct() {
    if (!direct_) return 0;
    int flags = ::fcntl(fd_, F_GETFL);
    if (flags < 0 || ::fcntl(fd_, F_SETFL, flags & ~O_DIRECT) < 0) return errno;
    direct_ = false;
    return 0;
  }
  int write_out(const std::uint8_t* data, std::size_t size) {
    for (std::size_t done = 0; done < size;) {
      ssize_t n = retry_interrupted([&] { return ::write(fd_, data + done, size - done); });
      if (n < 0 && errno == EINVAL && direct_) {
        // The file system took the flag but not the write, or a short write left us unaligned.
        if (int error = leave_direct()) return error;
        continue;
      }
      if (n < 0) return errno;
      done += static_cast<std::size_t>(n);
    }
    return 0;
  }

  const int fd_;
  bool direct_ = true;
  AlignedMemory buffer_{kBuffer};
  std::size_t filled_ = 0;
};

}  // namespace holdfast::platform
