// A file seen as memory: for derived data that may be large and may be lost (an index, a table of similar chunks).
// Always of the real file system: what is mapped is the machine's page cache, not memory of the process.
#pragma once

#include <cstddef>
#include <filesystem>

#include "base/bytes.h"

namespace holdfast::platform {

class MappedFile {
 public:
  enum class Access : bool { read, write };

  // All of an existing regular file; never follows a symlink in the last component. code_of_errno.
  MappedFile(const std::filesystem::path& path, Access access);
  // A file of `size` zero bytes without a name, in `folder`: it is gone when this object is. Its room is taken from
  // the disk at once, so that writing cannot fail. no_space; otherwise code_of_errno.
  static MappedFile temporary(const std::filesystem::path& folder, std::size_t size);
  // The same, with a name (mode 0600), which must not exist: already_exists.
  static MappedFile create(const std::filesystem::path& path, std::size_t size);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&&) = delete;
  ~MappedFile();

  ByteView bytes() const { return {data_, size_}; }
  MutableBytes writable() { return {data_, size_}; }  // Access::write, temporary() and create() only

  enum class Use { random, sequential };
  // How it will be read from now on; only changes what the system reads ahead.
  void expect(Use use) const;

 private:
  MappedFile(int descriptor, std::size_t size, Access access, const std::filesystem::path& path);

  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace holdfast::platform
