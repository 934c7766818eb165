#include "platform/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "platform/descriptor_posix.h"

namespace holdfast::platform {
namespace {

[[noreturn]] void throw_errno(const std::filesystem::path& path, int error) {
  throw os_error("cannot use file " + printable(path.string()), error);
}

Descriptor open_file(const std::filesystem::path& path, int flags) {
  Descriptor file(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file.get() < 0) throw_errno(path, errno);
  return file;
}

void take_room(const Descriptor& file, std::size_t size, const std::filesystem::path& path) {
  if (int error = ::posix_fallocate(file.get(), 0, static_cast<off_t>(size)); error != 0) throw_errno(path, error);
}

}  // namespace

MappedFile::MappedFile(int descriptor, std::size_t size, Access access, const std::filesystem::path& path)
    : size_(size) {
  if (size == 0) return;
  void* at = ::mmap(nullptr, size, access == Access::write ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED,
                    descriptor, 0);
  if (at == MAP_FAILED) throw_errno(path, errno);
  data_ = static_cast<std::uint8_t*>(at);
}

MappedFile::MappedFile(const std::filesystem::path& path, Access access) {
  Descriptor file = open_file(path, access == Access::write ? O_RDWR : O_RDONLY);
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) throw_errno(path, errno);
  if (!S_ISREG(info.st_mode)) throw_errno(path, EINVAL);
  MappedFile mapped(file.get(), static_cast<std::size_t>(info.st_size), access, path);
  std::swap(data_, mapped.data_);
  std::swap(size_, mapped.size_);
}

MappedFile MappedFile::temporary(const std::filesystem::path& folder, std::size_t size) {
  Descriptor file = open_file(folder, O_TMPFILE | O_RDWR);
  take_room(file, size, folder);
  return {file.get(), size, Access::write, folder};
}

MappedFile MappedFile::create(const std::filesystem::path& path, std::size_t size) {
  Descriptor file = open_file(path, O_RDWR | O_CREAT | O_EXCL);
  take_room(file, size, path);
  return {file.get(), size, Access::write, path};
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

void MappedFile::expect(Use use) const {
  if (data_) ::madvise(data_, size_, use == Use::random ? MADV_RANDOM : MADV_SEQUENTIAL);
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(data_, size_);
}

}  // namespace holdfast::platform
