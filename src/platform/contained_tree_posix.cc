#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <list>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"
#include "platform/direct_write_posix.h"
#include "platform/posix_tree.h"

namespace holdfast::platform {
namespace {

using tree::Entry;
using tree::Kind;
constexpr std::string_view kTemporaryPrefix = ".holdfast-";
constexpr std::string_view kTemporarySuffix = ".part";
constexpr std::size_t kTemporaryDigits = 16;
constexpr std::size_t kHeldOpen =
    128;  // directory handles; a restore works on a few neighbouring directories at a time
constexpr std::size_t kAncestorsTried = 8;  // looked up in the cache before going from the root
constexpr std::size_t kLongestPath = 4000;  // given to the kernel at once; PATH_MAX is 4096
constexpr std::size_t kWriteSoon = std::size_t{32} << 10;
constexpr std::uint64_t kPastTheCache = UINT64_C(1) << 20;
constexpr int kRacesTolerated = 64;         // openat2 says EAGAIN when something was renamed while it looked

std::string in_quotes(const std::string& path) { return "'" + printable(path) + "'"; }

Error outside(const std::string& path, const std::string& why) {
  return Error(Code::outside, "refused " + in_quotes(path) + ": " + why)
      .safe("nothing was written outside the target")
      .hint("if the link is yours, remove it or restore to another folder; else treat the backup as hostile");
}
Error in_the_way(const std::string& path, const std::string& what) {
  return Error(Code::already_exists, "cannot write " + in_quotes(path) + ": " + what + " is in the way");
}

void check_names(const std::string& path) {
  if (path.empty()) return;
  for (std::size_t at = 0;;) {
    std::size_t end = path.find('/', at);
    std::string_view name = std::string_view(path).substr(at, end == std::string::npos ? end : end - at);
    if (!tree::is_safe_name(name))
      throw outside(path, "'" + printable(name) + "' is not a name inside the target");
    if (end == std::string::npos) return;
    at = end + 1;
  }
}

// Directory handles beneath the root, opened without ever passing a link; the latest few are kept.
class Directories {
 public:
  Directories(Descriptor root, bool use_openat2)
      : root_(std::make_shared<const Descriptor>(std::move(root))), openat2_(use_openat2) {}

  int root() const { return root_->get(); }

  // Precondition: check_names(path).
  Handle get(const std::string& path) {
    if (path.empty()) return root_;
    std::string from = path;
    Handle start = nearest(from);
    if (from == path) return start;
    Handle opened = open_below(start, path.substr(from.empty() ? 0 : from.size() + 1), path);
    remember(path, opened);
    return opened;
  }
  void forget_all() {
    std::lock_guard lock(mutex_);
    recent_.clear();
    by_path_.clear();
  }

 private:
  struct Held {
    std::string path;
    Handle handle;
  };

  // Shortens `path` to the nearest ancestor whose handle is held (at last "", the root).
  Handle nearest(std::string& path) {
    std::lock_guard lock(mutex_);
    for (std::size_t tries = 0; tries < kAncestorsTried; ++tries) {
      auto it = by_path_.find(path);
      if (it != by_path_.end()) {
        recent_.splice(recent_.begin(), recent_, it->second);
        return it->second->handle;
      }
      std::size_t cut = path.rfind('/');
      if (cut == std::string::npos) break;
      path.resize(cut);
    }
    path.clear();
    return root_;
  }
  void remember(const std::string& path, const Handle& handle) {
    std::lock_guard lock(mutex_);
    if (by_path_.contains(path)) return;
    recent_.push_front({path, handle});
    by_path_[path] = recent_.begin();
    if (recent_.size() <= kHeldOpen) return;
    by_path_.erase(recent_.back().path);
    recent_.pop_back();
  }

  Handle open_below(Handle from, std::string rest, const std::string& path) {
    while (!rest.empty()) {
      std::size_t cut = rest.size() <= kLongestPath ? std::string::npos : rest.rfind('/', kLongestPath);
      std::string piece = rest.substr(0, cut);
      rest.erase(0, cut == std::string::npos ? cut : cut + 1);
      from = std::make_shared<const Descriptor>(open_piece(from->get(), piece, path));
    }
    return from;
  }
  Descriptor open_piece(int from, const std::string& piece, const std::string& path) {
    int access = O_RDONLY;
    for (int races = 0; openat2_ && races < kRacesTolerated;) {
      open_how how{};
      how.flags = static_cast<std::uint64_t>(access | O_DIRECTORY | O_CLOEXEC);
      how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
      long fd = ::syscall(SYS_openat2, from, piece.c_str(), &how, sizeof how);
      if (fd >= 0) return Descriptor(static_cast<int>(fd));
      if (errno == EAGAIN || errno == EINTR)
        ++races;
      else if (errno == EACCES && access == O_RDONLY)
        access = O_PATH;  // enough to reach what is inside
      else if (errno == ENOSYS || errno == EPERM || errno == EINVAL)
        openat2_ = false;  // an older kernel, or a filter
      else
        refuse(from, piece, path, errno);
    }
    return walk(from, piece, path);
  }
  Descriptor walk(int from, const std::string& piece, const std::string& path) {
    Descriptor at;
    for (const std::string& name : split(piece, '/')) {
      int parent = at ? at.get() : from;
      constexpr int kFlags = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
      Descriptor next(::openat(parent, name.c_str(), O_RDONLY | kFlags));
      if (!next && errno == EACCES) next = Descriptor(::openat(parent, name.c_str(), O_PATH | kFlags));
      if (!next) refuse(parent, name, path, errno);
      at = std::move(next);
    }
    return at;
  }
  [[noreturn]] void refuse(int from, const std::string& piece, const std::string& path, int error_number) {
    if (error_number == ELOOP || error_number == EXDEV) throw outside(path, "a folder of its path is a link");
    if (error_number == ENOTDIR) {
      auto last = stat_at(from, piece.substr(0, piece.find('/')), path);
      if (last && S_ISLNK(last->stx_mode)) throw outside(path, "a folder of its path is a link");
      throw in_the_way(path, "something that is not a folder");
    }
    throw os_error("cannot open the folder of " + in_quotes(path), error_number);
  }

  Handle root_;
  std::atomic<bool> openat2_;
  std::mutex mutex_;
  std::list<Held> recent_;
  std::unordered_map<std::string, std::list<Held>::iterator> by_path_;
};

// A file between create() and publish().
struct Pending {
  // All that was written is the file's, in the page cache or on the disk.
  void flush() {
    if (!direct) return;
    int error = direct->flush();
    direct.reset();
    if (error != 0) throw os_error("cannot write " + in_quotes(path), error);
  }

  Handle directory;
  std::string temporary;
  Descriptor fd;
  std::string path;
  std::optional<DirectWriter> direct;
  std::uint64_t direct_end = 0;   // of what `direct` was given
};

class PosixContainedFile final : public ContainedFile {
 public:
  explicit PosixContainedFile(std::shared_ptr<Pending> file) : file_(std::move(file)) {}
  void reserve(std::uint64_t size) override {
    if (::ftruncate(file_->fd.get(), static_cast<off_t>(size)) != 0) fail(errno);
  }
  void write_at(std::uint64_t offset, ByteView data) override {
    if (file_->direct && offset != file_->direct_end) file_->flush();
    if (file_->direct) {
      if (int error = file_->direct->write(data)) fail(error);
      file_->direct_end += data.size();
      return;
    }
    const std::uint64_t begin = offset;
    const std::size_t size = data.size();
    while (!data.empty()) {
      ssize_t n = ::pwrite(file_->fd.get(), data.data(), data.size(), static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) fail(errno);
      data = data.subspan(static_cast<std::size_t>(n));
      offset += static_cast<std::uint64_t>(n);
    }
    // The disk begins at once and not when sync_all() waits for it. A hint: what goes wrong is told by that one.
    if (size >= kWriteSoon)
      (void)::sync_file_range(file_->fd.get(), static_cast<off_t>(begin), static_cast<off_t>(size), SYNC_FILE_RANGE_WRITE);
  }
  void sync() override {
    file_->flush();
    if (::fsync(file_->fd.get()) != 0) throw os_error("cannot make durable " + in_quotes(file_->path), errno);
  }

 private:
  [[noreturn]] void fail(int error_number) {
    file_->direct.reset();
    throw os_error("cannot write " + in_quotes(file_->path), error_number);
  }

  std::shared_ptr<Pending> file_;
};

class PosixContainedTree final : public ContainedTree {
 public:
  PosixContainedTree(Path root, Descriptor fd, bool use_openat2)
      : root_(std::move(root)), directories_(std::move(fd), use_openat2) {
    std::uint64_t seed = 0;
    if (::getrandom(&seed, sizeof seed, 0) != sizeof seed) throw os_error("cannot get random bytes", errno);
    next_temporary_ = seed;
  }
  ~PosixContainedTree() override {
    for (const auto& [path, file] : pending_) ::unlinkat(file->directory->get(), file->temporary.c_str(), 0);
  }

  void make_directory(const std::string& path) override {
    if (check_names(path); path.empty()) return;
    Spot spot = spot_of(path);
    if (::mkdirat(spot.directory->get(), spot.name.c_str(), 0700) == 0) return;
    if (errno != EEXIST) throw os_error("cannot make folder " + in_quotes(path), errno);
    auto there = stat_at(spot.directory->get(), spot.name, path);
    if (there && S_ISLNK(there->stx_mode)) throw outside(path, "a link stands where a folder belongs");
    if (!there || !S_ISDIR(there->stx_mode)) throw in_the_way(path, "something that is not a folder");
    if ((there->stx_mode & 0700U) != 0700U && ::geteuid() != 0)  // root needs no permission
      ::chmod(proc_path(directories_.get(path)->get()).c_str(), (there->stx_mode & 07777U) | 0700U);
  }

  std::unique_ptr<ContainedFile> create(const std::string& path, std::uint64_t size) override {
    Spot spot = spot_of(path);
    auto file = std::make_shared<Pending>();
    file->directory = spot.directory;
    file->path = path;
    do {
      file->temporary = temporary_name();
      file->fd = Descriptor(::openat(spot.directory->get(), file->temporary.c_str(),
                                     O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    } while (!file->fd && errno == EEXIST);
    if (!file->fd) throw os_error("cannot create " + in_quotes(path), errno);
    // A file system that has no direct access refuses the flag.
    if (size >= kPastTheCache && ::fcntl(file->fd.get(), F_SETFL, O_DIRECT) == 0) file->direct.emplace(file->fd.get());
    std::lock_guard lock(mutex_);
    auto [it, added] = pending_.emplace(path, file);
    if (!added) {
      ::unlinkat(spot.directory->get(), file->temporary.c_str(), 0);
      throw Error(Code::defect, "file " + in_quotes(path) + " is written twice at a time");
    }
    return std::make_unique<PosixContainedFile>(file);
  }

  void publish(const std::string& path) override {
    auto file = take_pending(path);
    int directory = file->directory->get();
    try {
      file->flush();
    } catch (const Error&) {
      ::unlinkat(directory, file->temporary.c_str(), 0);
      throw;
    }
    if (::renameat(directory, file->temporary.c_str(), directory, name_of(path).c_str()) == 0) return;
    int error_number = errno;
    ::unlinkat(directory, file->temporary.c_str(), 0);
    if (error_number == EISDIR || error_number == ENOTEMPTY || error_number == EEXIST)
      throw in_the_way(path, "a folder");
    throw os_error("cannot write " + in_quotes(path), error_number);
  }

  void abandon(const std::string& path) override {
    auto file = take_pending(path);
    ::unlinkat(file->directory->get(), file->temporary.c_str(), 0);
  }

  void make_symlink(const std::string& path, const std::string& target) override {
    if (target.empty() || target.find('\0') != std::string::npos)
      throw Error(Code::damaged, "cannot make link " + in_quotes(path) + ": its target is no path");
    put(path, [&](int directory, const std::string& name) {
      return ::symlinkat(target.c_str(), directory, name.c_str());
    });
  }

  void make_hard_link(const std::string& path, const std::string& existing) override {
    Spot from = spot_of(existing);
    Spot to = spot_of(path);
    auto source = stat_at(from.directory->get(), from.name, existing);
    if (!source)
      throw Error(Code::not_found,
                  "cannot link " + in_quotes(path) + ": " + in_quotes(existing) + " is not there");
    if (!S_ISREG(source->stx_mode))
      throw outside(path, "it is to be another name of " + in_quotes(existing) + ", which is not a file");
    auto there = stat_at(to.directory->get(), to.name, path);
    if (there && same_file(*there, *source)) return;
    put(path, [&](int directory, const std::string& name) {
      return ::linkat(from.directory->get(), from.name.c_str(), directory, name.c_str(), 0);
    });
  }

  std::vector<std::string> make_special(const std::string& path, const Entry& entry,
                                        ApplyOptions options) override {
    mode_t type = entry.kind == Kind::fifo ? S_IFIFO : entry.kind == Kind::char_device ? S_IFCHR : S_IFBLK;
    if (entry.kind != Kind::fifo && entry.kind != Kind::char_device && entry.kind != Kind::block_device)
      throw Error(Code::defect,
                  "make_special() of " + in_quotes(path) + ", which is neither FIFO nor device");
    std::string device = std::to_string(entry.device_major) + ":" + std::to_string(entry.device_minor);
    if (type != S_IFIFO && !options.privileged) {
      check_names(path);
      return {"device node " + device + " was not made: it needs --privileged"};
    }
    put(path, [&](int directory, const std::string& name) {
      return ::mknodat(directory, name.c_str(), type | 0600U,
                       makedev(entry.device_major, entry.device_minor));
    });
    return {};
  }

  std::vector<std::string> apply(const std::string& path, const Entry& entry, ApplyOptions options) override {
    if (auto file = find_pending(path)) {
      file->flush();   // a later write would change the times
      return apply_attributes(file->fd.get(), false, entry, options);
    }
    if (path.empty()) return apply_attributes(directories_.root(), false, entry, options);
    Spot spot = spot_of(path);
    Descriptor fd(::openat(spot.directory->get(), spot.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) throw os_error("cannot give " + in_quotes(path) + " its attributes", errno);
    if (entry_of(*stat_at(fd.get(), "", path), spot.name).kind != entry.kind)
      throw outside(path, "something else has taken its place");
    return apply_attributes(fd.get(), true, entry, options);
  }

  std::optional<Entry> status(const std::string& path) override {
    Spot spot = path.empty() ? Spot{directories_.get(""), ""} : spot_of(path);
    auto s = stat_at(spot.directory->get(), spot.name, path);
    if (!s) return std::nullopt;
    Entry entry = entry_of(*s, spot.name);
    if (entry.kind == Kind::symlink) entry.target = read_link(spot.directory->get(), spot.name, path);
    entry.attributes = path.empty() ? attributes_of(directories_.root(), path)
                                    : attributes_of(proc_path(spot.directory->get(), spot.name), path);
    return entry;
  }

  std::unique_ptr<SourceFile> open(const std::string& path, Entry& entry) override {
    Spot spot = spot_of(path);
    entry.name = spot.name;
    return open_regular(spot.directory->get(), spot.name, entry, path);
  }

  void rename(const std::string& from, const std::string& to) override {
    Spot source = spot_of(from);
    Spot target = spot_of(to);
    if (::renameat2(source.directory->get(), source.name.c_str(), target.directory->get(),
                    target.name.c_str(), RENAME_NOREPLACE) != 0)
      throw os_error("cannot rename " + in_quotes(from) + " to " + in_quotes(to), errno);
    directories_.forget_all();
  }

  void remove(const std::string& path) override {
    Spot spot = spot_of(path);
    int result = ::unlinkat(spot.directory->get(), spot.name.c_str(), 0);
    if (result != 0 && errno == EISDIR) {
      directories_.forget_all();
      result = ::unlinkat(spot.directory->get(), spot.name.c_str(), AT_REMOVEDIR);
    }
    if (result != 0) throw os_error("cannot remove " + in_quotes(path), errno);
  }

  void sync_directory(const std::string& path) override {
    check_names(path);
    if (::fsync(directories_.get(path)->get()) != 0)
      throw os_error("cannot make durable folder " + in_quotes(path), errno);
  }
  void sync_all() override {
    if (::syncfs(directories_.root()) != 0)
      throw os_error("cannot make durable " + printable(root_.string()), errno);
  }
  std::vector<std::string> names(const std::string& path) override {
    check_names(path);
    return names_in(directories_.get(path)->get(), path);
  }
  const Path& root() const override { return root_; }

 private:
  struct Spot {
    Handle directory;
    std::string name;
  };  // where the last name of a path stands

  Spot spot_of(const std::string& path) {
    check_names(path);
    if (path.empty()) throw outside(path, "the target folder itself cannot be replaced");
    std::size_t cut = path.rfind('/');
    if (cut == std::string::npos) return {directories_.get(""), path};
    return {directories_.get(path.substr(0, cut)), path.substr(cut + 1)};
  }
  static std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

  std::string temporary_name() {
    // Steps of an odd constant from a random start: never the same twice, and no backup can know it.
    std::uint64_t number = next_temporary_.fetch_add(UINT64_C(0x9e3779b97f4a7c15));
    std::array<std::uint8_t, 8> bytes;
    std::memcpy(bytes.data(), &number, sizeof number);
    return std::string(kTemporaryPrefix) + to_hex(bytes) + std::string(kTemporarySuffix);
  }

  // Makes something that is not a directory; what stands there is replaced in one step. make() is a system
  // call: 0 or errno.
  template <class Make>
  void put(const std::string& path, const Make& make) {
    Spot spot = spot_of(path);
    int directory = spot.directory->get();
    if (make(directory, spot.name) == 0) return;
    if (errno != EEXIST) throw os_error("cannot make " + in_quotes(path), errno);
    std::string temporary = temporary_name();
    if (make(directory, temporary) != 0) throw os_error("cannot make " + in_quotes(path), errno);
    int result = ::renameat(directory, temporary.c_str(), directory, spot.name.c_str());
    int error_number = errno;
    if (result == 0) return;
    ::unlinkat(directory, temporary.c_str(), 0);
    if (error_number == EISDIR) throw in_the_way(path, "a folder");
    throw os_error("cannot replace " + in_quotes(path), error_number);
  }

  std::shared_ptr<Pending> find_pending(const std::string& path) {
    std::lock_guard lock(mutex_);
    auto it = pending_.find(path);
    return it == pending_.end() ? nullptr : it->second;
  }
  std::shared_ptr<Pending> take_pending(const std::string& path) {
    std::lock_guard lock(mutex_);
    auto it = pending_.find(path);
    if (it == pending_.end()) throw Error(Code::defect, "file " + in_quotes(path) + " is not being written");
    auto file = std::move(it->second);
    pending_.erase(it);
    return file;
  }

  Path root_;
  Directories directories_;
  std::atomic<std::uint64_t> next_temporary_{0};
  std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<Pending>> pending_;
};

}  // namespace

bool is_temporary_name(const std::string& name) {
  if (name.size() != kTemporaryPrefix.size() + kTemporaryDigits + kTemporarySuffix.size()) return false;
  if (!name.starts_with(kTemporaryPrefix) || !name.ends_with(kTemporarySuffix)) return false;
  return name.find_first_not_of("0123456789abcdef", kTemporaryPrefix.size()) ==
         kTemporaryPrefix.size() + kTemporaryDigits;
}

std::unique_ptr<ContainedTree> open_contained_tree(const Path& root, bool use_openat2) {
  Descriptor fd(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) throw os_error("cannot open target folder " + printable(root.string()), errno);
  return std::make_unique<PosixContainedTree>(root, std::move(fd), use_openat2);
}

std::unique_ptr<ContainedTree> open_contained_tree(const Path& root) {
  return open_contained_tree(root, true);
}

}  // namespace holdfast::platform
