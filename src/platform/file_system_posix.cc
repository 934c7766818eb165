#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <thread>

#include "base/error.h"
#include "base/text.h"
#include "platform/descriptor_posix.h"
#include "platform/direct_write_posix.h"
#include "platform/file_system.h"

namespace holdfast::platform {
namespace {

Error cannot(const char* verb, const Path& path, int error_number) {
  return os_error(std::string("cannot ") + verb + " " + printable(path.native()), error_number);
}

FileInfo to_info(const struct stat& s) {
  FileInfo info;
  info.kind = S_ISREG(s.st_mode)   ? FileInfo::Kind::file
              : S_ISDIR(s.st_mode) ? FileInfo::Kind::directory
                                   : FileInfo::Kind::other;
  info.size = info.kind == FileInfo::Kind::file ? static_cast<std::uint64_t>(s.st_size) : 0;
  info.modified = {s.st_mtim.tv_sec, static_cast<std::uint32_t>(s.st_mtim.tv_nsec)};
  info.device = s.st_dev;
  info.mode = s.st_mode & 07777U;
  return info;
}

class PosixReadFile final : public ReadFile {
 public:
  // `direct` is the same file, open for reading past the page cache, or none.
  PosixReadFile(Descriptor fd, Descriptor direct, Path path, std::uint64_t size)
      : fd_(std::move(fd)), direct_(std::move(direct)), path_(std::move(path)), size_(size) {}

  std::uint64_t size() const override { return size_; }

  std::size_t read_at(std::uint64_t offset, MutableBytes out) const override {
    std::size_t done = 0;
    while (done < out.size()) {
      std::size_t direct = direct_ ? whole_blocks(offset + done, out.subspan(done)) : 0;
      ssize_t n = retry_interrupted([&] {
        return ::pread(direct > 0 ? direct_.get() : fd_.get(), out.data() + done, direct > 0 ? direct : out.size() - done,
                       static_cast<off_t>(offset + done));
      });
      if (n < 0 && errno == EINVAL && direct > 0) {   // the file system took the flag but not the read
        n = retry_interrupted([&] { return ::pread(fd_.get(), out.data() + done, direct, static_cast<off_t>(offset + done)); });
      }
      if (n < 0) throw cannot("read", path_, errno);
      if (n == 0) break;
      done += static_cast<std::size_t>(n);
    }
    return done;
  }

 private:
  // How much of it can be read past the page cache.
  static std::size_t whole_blocks(std::uint64_t offset, MutableBytes out) {
    return offset % kBlock == 0 && begins_block(out.data()) ? block_floor(out.size()) : 0;
  }

  Descriptor fd_, direct_;
  Path path_;
  std::uint64_t size_;
};

class PosixWriteFile final : public WriteFile {
 public:
  PosixWriteFile(Descriptor fd, Path path, bool direct) : fd_(std::move(fd)), path_(std::move(path)) {
    if (direct) direct_.emplace(fd_.get());
  }

  ~PosixWriteFile() override {
    if (!failed_ && direct_) (void)direct_->flush();   // what was not synced may be lost: whoever needs it calls sync()
  }

  void write(ByteView data) override {
    check_usable();
    if (direct_) {
      if (int error = direct_->write(data)) fail("write", error);
      return;
    }
    while (!data.empty()) {
      ssize_t n = retry_interrupted([&] { return ::write(fd_.get(), data.data(), data.size()); });
      if (n < 0) fail("write", errno);
      data = data.subspan(static_cast<std::size_t>(n));
    }
  }

  void flush() override {
    check_usable();
    if (int error = direct_ ? direct_->flush() : 0) fail("write", error);
  }

  void sync() override {
    flush();
    if (retry_interrupted([&] { return ::fsync(fd_.get()); }) != 0) fail("make durable", errno);
  }

 private:
  [[noreturn]] void fail(const char* verb, int error_number) {
    failed_ = true;
    throw cannot(verb, path_, error_number);
  }

  // After a failed write or fsync the kernel may drop the data and report success the next time.
  void check_usable() const {
    if (failed_)
      throw Error(Code::io, "cannot write " + printable(path_.native()) + ": an earlier write to it failed");
  }

  Descriptor fd_;
  Path path_;
  bool failed_ = false;
  std::optional<DirectWriter> direct_;
};

// flock: of the open file, so it works between threads as well, and ends with the process.
struct PosixLock final : FileLock {
  explicit PosixLock(const Path& path)
      : file(retry_interrupted([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600); })) {
    if (!file) throw cannot("lock", path, errno);
  }
  Descriptor file;
};

class PosixFileSystem final : public FileSystem {
 public:
  std::unique_ptr<ReadFile> open(const Path& path, OpenOptions options) override {
    // O_NONBLOCK: a FIFO at this name must not hold us up.
    Descriptor fd(retry_interrupted(
        [&] { return ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK); }));
    if (!fd) throw cannot("open", path, errno);
    struct stat s {};
    if (::fstat(fd.get(), &s) != 0) throw cannot("open", path, errno);
    if (!S_ISREG(s.st_mode))
      throw Error(Code::io, "cannot open " + printable(path.native()) + ": it is not a file");
    Descriptor direct;   // by its descriptor: another file may stand at this name by now
    if (options.bypass_cache)
      direct = Descriptor(::open(("/proc/self/fd/" + std::to_string(fd.get())).c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
    return std::make_unique<PosixReadFile>(std::move(fd), std::move(direct), path, static_cast<std::uint64_t>(s.st_size));
  }

  Bytes read_stream(const Path& path, std::uint64_t limit) override {
    Descriptor fd(retry_interrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }));
    if (!fd) throw cannot("open", path, errno);
    Bytes content;
    while (true) {
      constexpr std::size_t kStep = 4096;
      std::size_t have = content.size();
      content.resize(have + kStep);
      ssize_t n = retry_interrupted([&] { return ::read(fd.get(), content.data() + have, kStep); });
      if (n < 0) throw cannot("read", path, errno);
      content.resize(have + static_cast<std::size_t>(n));
      if (n == 0) return content;
      if (content.size() > limit)
        throw Error(Code::unsupported,
                    "cannot read " + printable(path.native()) + ": it is larger than " + human_bytes(limit));
    }
  }

  std::unique_ptr<WriteFile> create(const Path& path, CreateOptions options) override {
    int flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | (options.truncate ? O_TRUNC : O_EXCL);
    auto attempt = [&](int extra) {
      return Descriptor(retry_interrupted(
          [&] { return ::open(path.c_str(), flags | extra, static_cast<mode_t>(options.mode)); }));
    };
    struct stat like {};
    if (options.like && ::stat(options.like->c_str(), &like) != 0) throw cannot("look at", *options.like, errno);
    if (options.bypass_cache) {
      Descriptor fd = attempt(O_DIRECT);
      if (fd && options.like) make_like(fd, like, path);
      if (fd) return std::make_unique<PosixWriteFile>(std::move(fd), path, true);
      if (errno != EINVAL) throw cannot("create", path, errno);
      // Some kernels make the file before they find that its file system has no direct access.
      if (!options.truncate) ::unlink(path.c_str());
    }
    Descriptor fd = attempt(0);
    if (!fd) throw cannot("create", path, errno);
    if (options.like) make_like(fd, like, path);
    return std::make_unique<PosixWriteFile>(std::move(fd), path, false);
  }

  std::unique_ptr<WriteFile> append(const Path& path) override {
    Descriptor fd(retry_interrupted(
        [&] { return ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600); }));
    if (!fd) throw cannot("open", path, errno);
    return std::make_unique<PosixWriteFile>(std::move(fd), path, false);
  }

  void rename(const Path& from, const Path& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0)
      throw os_error("cannot rename " + printable(from.native()) + " to " + printable(to.native()), errno);
  }

  void remove(const Path& path) override {
    if (::unlink(path.c_str()) == 0) return;
    if (errno == EISDIR && ::rmdir(path.c_str()) == 0) return;
    throw cannot("remove", path, errno);
  }

  void make_directory(const Path& path, std::uint32_t mode) override {
    if (::mkdir(path.c_str(), static_cast<mode_t>(mode)) != 0) throw cannot("make folder", path, errno);
  }

  void sync_directory(const Path& path) override {
    Descriptor fd = open_directory(path);
    if (retry_interrupted([&] { return ::fsync(fd.get()); }) != 0) throw cannot("make durable", path, errno);
  }

  std::optional<FileInfo> info(const Path& path) override {
    struct stat s {};
    if (::stat(path.c_str(), &s) == 0) return to_info(s);
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw cannot("look at", path, errno);
  }

  std::vector<Child> list(const Path& path) override {
    Descriptor fd = open_directory(path);
    std::unique_ptr<DIR, int (*)(DIR*)> directory(::fdopendir(fd.get()), &::closedir);
    if (!directory) throw cannot("list", path, errno);
    fd.release();
    std::vector<Child> children;
    while (true) {
      errno = 0;
      const dirent* d = ::readdir(directory.get());
      if (d == nullptr) {
        if (errno != 0) throw cannot("list", path, errno);
        break;
      }
      std::string name = d->d_name;
      if (name == "." || name == "..") continue;
      struct stat s {};
      if (::fstatat(::dirfd(directory.get()), name.c_str(), &s, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) continue;  // removed since it was listed
        throw cannot("look at", path / name, errno);
      }
      children.push_back({std::move(name), to_info(s)});
    }
    std::sort(children.begin(), children.end(),
              [](const Child& a, const Child& b) { return a.name < b.name; });
    return children;
  }

  bool can_write(const Path& folder) override {
    return ::faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) == 0;
  }

  std::unique_ptr<FileLock> lock(const Path& path, std::chrono::milliseconds patience) override {
    auto held = std::make_unique<PosixLock>(path);
    const auto end = std::chrono::steady_clock::now() + patience;
    while (::flock(held->file.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK && errno != EINTR) throw cannot("lock", path, errno);
      if (std::chrono::steady_clock::now() >= end)
        throw Error(Code::busy, "cannot lock " + printable(path.native()) + ": another process holds it");
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return held;
  }

  std::uint64_t free_bytes(const Path& path) override {
    struct statvfs s {};
    if (retry_interrupted([&] { return ::statvfs(path.c_str(), &s); }) != 0)
      throw cannot("look at", path, errno);
    return static_cast<std::uint64_t>(s.f_bavail) * s.f_frsize;
  }

 private:
  // The owner first: giving a file away takes setuid bits off it.
  static void make_like(const Descriptor& fd, const struct stat& like, const Path& path) {
    struct stat made {};
    if (::fstat(fd.get(), &made) != 0) throw cannot("look at", path, errno);
    const bool other = made.st_uid != like.st_uid || made.st_gid != like.st_gid;
    if ((other && ::fchown(fd.get(), like.st_uid, like.st_gid) != 0) || ::fchmod(fd.get(), like.st_mode & 07777) != 0)
      throw cannot("give owner and permissions to", path, errno);
  }

  static Descriptor open_directory(const Path& path) {
    Descriptor fd(
        retry_interrupted([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    if (!fd) throw cannot("open folder", path, errno);
    return fd;
  }
};

}  // namespace

FileSystem& real_file_system() {
  static PosixFileSystem files;
  return files;
}

}  // namespace holdfast::platform
