#include "platform/posix_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/error.h"
#include "base/text.h"

namespace holdfast::platform {
namespace {

using tree::Attribute;
using tree::AttributeType;
using tree::Entry;
using tree::Extent;
using tree::Kind;

constexpr std::string_view kAccessAcl = "system.posix_acl_access";
constexpr std::string_view kDefaultAcl = "system.posix_acl_default";
constexpr std::string_view kNfs4Acl = "system.nfs4_acl";
constexpr std::size_t kLargestXattr = 65536;  // XATTR_SIZE_MAX and XATTR_LIST_MAX of Linux
constexpr std::uint64_t kStatBlock = 512;     // unit of stx_blocks
constexpr std::size_t kMostExtents = std::size_t{1} << 20;  // 16 MiB; as an entry about 10 MiB

std::string cannot(std::string_view what, const Shown& shown) {
  return "cannot " + std::string(what) + " " + printable(shown.text());
}

Kind kind_of(unsigned mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return Kind::directory;
    case S_IFREG:
      return Kind::file;
    case S_IFLNK:
      return Kind::symlink;
    case S_IFIFO:
      return Kind::fifo;
    case S_IFCHR:
      return Kind::char_device;
    case S_IFBLK:
      return Kind::block_device;
    default:
      return Kind::socket;
  }
}

Timestamp time_of(const struct statx_timestamp& t) { return {t.tv_sec, t.tv_nsec}; }

// The calls that read attributes, of a path (not following links) or of an open file.
struct XattrSource {
  const char* path;  // nullptr: use fd
  int fd;
  ssize_t list(char* buffer, std::size_t size) const {
    return path ? ::llistxattr(path, buffer, size) : ::flistxattr(fd, buffer, size);
  }
  ssize_t get(const char* name, void* buffer, std::size_t size) const {
    return path ? ::lgetxattr(path, name, buffer, size) : ::fgetxattr(fd, name, buffer, size);
  }
};

Attribute named(std::string_view name, Bytes value) {
  if (name == kAccessAcl) return {AttributeType::posix_acl_access, "", std::move(value)};
  if (name == kDefaultAcl) return {AttributeType::posix_acl_default, "", std::move(value)};
  if (name == kNfs4Acl) return {AttributeType::nfs4_acl, "", std::move(value)};
  return {AttributeType::xattr, std::string(name), std::move(value)};
}

std::vector<Attribute> read_xattrs(const XattrSource& source, const Shown& shown) {
  std::array<char, 1024> few;  // enough for nearly every file
  std::vector<char> many;
  const char* names = few.data();
  ssize_t size = source.list(few.data(), few.size());
  if (size < 0 && errno == ERANGE) {
    many.resize(kLargestXattr);
    names = many.data();
    size = source.list(many.data(), many.size());
  }
  if (size < 0 && (errno == ENOTSUP || errno == ENOENT))
    size = 0;  // no attributes here; or it vanished, which open() says
  if (size < 0) throw os_error(cannot("list the attributes of", shown), errno);
  std::vector<Attribute> all;
  if (size == 0) return all;
  Bytes value(kLargestXattr);
  for (const char* name = names; name < names + size; name += std::char_traits<char>::length(name) + 1) {
    ssize_t n = source.get(name, value.data(), value.size());
    if (n < 0 && (errno == ENODATA || errno == ENOENT)) continue;  // taken away since it was listed
    if (n < 0) throw os_error(cannot("read attribute " + printable(name) + " of", shown), errno);
    all.push_back(named(name, Bytes(value.begin(), value.begin() + n)));
  }
  std::sort(all.begin(), all.end(), [](const Attribute& a, const Attribute& b) {
    return std::tie(a.type, a.name) < std::tie(b.type, b.name);
  });
  return all;
}

// The ranges that hold data. nullopt: the file system cannot tell, or there are no holes.
std::optional<std::vector<Extent>> data_extents(int fd, std::uint64_t size) {
  std::vector<Extent> extents;
  off_t at = 0;
  const off_t end = static_cast<off_t>(size);
  while (at < end) {
    off_t data = ::lseek(fd, at, SEEK_DATA);
    if (data < 0 && errno == ENXIO) break;  // a hole up to the end
    if (data < 0) return std::nullopt;
    if (data >= end) break;
    off_t hole = ::lseek(fd, data, SEEK_HOLE);
    if (hole < 0) return std::nullopt;
    hole = std::min(hole, end);
    at = hole;
    if (hole <= data) continue;  // data was taken away between the two calls
    extents.push_back({static_cast<std::uint64_t>(data), static_cast<std::uint64_t>(hole - data)});
    if (extents.size() == kMostExtents) fill_small_holes(extents);
  }
  if (extents.size() == 1 && extents[0] == Extent{0, size}) return std::nullopt;
  return extents;
}

class PosixSourceFile final : public SourceFile {
 public:
  PosixSourceFile(Descriptor fd, const Entry& entry, std::string shown)
      : fd_(std::move(fd)), name_(entry.name), shown_(std::move(shown)), extents_(entry.extents) {
    if (!entry.sparse) extents_ = {{0, entry.size}};
  }

  std::size_t read(MutableBytes out) override {
    while (current_ < extents_.size() && done_ == extents_[current_].length) {
      ++current_;
      done_ = 0;
    }
    if (current_ == extents_.size() || out.empty()) return 0;
    const Extent& extent = extents_[current_];
    std::size_t want = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), extent.length - done_));
    ssize_t n;
    do n = ::pread(fd_.get(), out.data(), want, static_cast<off_t>(extent.offset + done_));
    while (n < 0 && errno == EINTR);
    if (n < 0) throw os_error(cannot("read", shown_), errno);
    if (n == 0)
      current_ = extents_.size();  // cut short while we read: this is its end now
    else
      done_ += static_cast<std::uint64_t>(n);
    return static_cast<std::size_t>(n);
  }

  Entry status() override { return entry_of(*stat_at(fd_.get(), "", shown_), name_); }

 private:
  Descriptor fd_;
  std::string name_, shown_;
  std::vector<Extent> extents_;
  std::size_t current_ = 0;
  std::uint64_t done_ = 0;  // of the current extent
};

}  // namespace

void fill_small_holes(std::vector<Extent>& extents) {
  if (extents.size() < 2) return;
  auto hole_before = [&](std::size_t i) {
    return extents[i].offset - (extents[i - 1].offset + extents[i - 1].length);
  };
  std::vector<std::uint64_t> holes;
  for (std::size_t i = 1; i < extents.size(); ++i) holes.push_back(hole_before(i));
  auto middle = holes.begin() + static_cast<std::ptrdiff_t>(holes.size() / 2);
  std::nth_element(holes.begin(), middle, holes.end());
  std::size_t to_fill = holes.size() / 2 + 1;
  std::vector<Extent> fewer{extents.front()};
  for (std::size_t i = 1; i < extents.size(); ++i) {
    if (to_fill == 0 || hole_before(i) > *middle) {
      fewer.push_back(extents[i]);
      continue;
    }
    fewer.back().length = extents[i].offset + extents[i].length - fewer.back().offset;
    --to_fill;
  }
  extents = std::move(fewer);
}

std::string Shown::text() const {
  constexpr std::size_t kLongest = 4096;   // PATH_MAX: longer ones could not be used by anybody anyway
  std::string path = directory_ ? *directory_ + "/" + name_ : name_;
  return path.size() <= kLongest ? path : "..." + path.substr(path.size() - kLongest);
}

std::string proc_path(int fd) { return "/proc/self/fd/" + std::to_string(fd); }
std::string proc_path(int fd, const std::string& name) { return proc_path(fd) + "/" + name; }

std::optional<struct statx> stat_at(int directory, const std::string& name, const Shown& shown) {
  struct statx s;
  int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (name.empty() ? AT_EMPTY_PATH : 0);
  if (::statx(directory, name.c_str(), flags, STATX_BASIC_STATS, &s) == 0) return s;
  if (errno == ENOENT) return std::nullopt;
  throw os_error(cannot("look at", shown), errno);
}

bool same_file(const struct statx& a, const struct statx& b) {
  return a.stx_ino == b.stx_ino && a.stx_dev_major == b.stx_dev_major && a.stx_dev_minor == b.stx_dev_minor;
}

std::uint64_t device_of(const struct statx& s) { return makedev(s.stx_dev_major, s.stx_dev_minor); }

Entry entry_of(const struct statx& s, const std::string& name) {
  Entry entry;
  entry.name = name;
  entry.kind = kind_of(s.stx_mode);
  entry.mode = s.stx_mode & 07777U;
  entry.uid = s.stx_uid;
  entry.gid = s.stx_gid;
  entry.modified = time_of(s.stx_mtime);
  entry.changed = time_of(s.stx_ctime);
  entry.device = device_of(s);
  entry.inode = s.stx_ino;
  entry.links = s.stx_nlink;
  if (entry.kind == Kind::file) {
    entry.size = s.stx_size;
    entry.sparse = s.stx_blocks * kStatBlock < s.stx_size;
  }
  if (entry.kind == Kind::char_device || entry.kind == Kind::block_device) {
    entry.device_major = s.stx_rdev_major;
    entry.device_minor = s.stx_rdev_minor;
  }
  return entry;
}

std::string read_link(int directory, const std::string& name, const Shown& shown) {
  std::string target(256, '\0');
  while (true) {
    ssize_t n = ::readlinkat(directory, name.c_str(), target.data(), target.size());
    if (n < 0) throw os_error(cannot("read the link", shown), errno);
    if (static_cast<std::size_t>(n) < target.size()) {
      target.resize(static_cast<std::size_t>(n));
      return target;
    }
    target.resize(target.size() * 4);
  }
}

std::string xattr_name(const Attribute& attribute) {
  switch (attribute.type) {
    case AttributeType::xattr:
      return attribute.name;
    case AttributeType::posix_acl_access:
      return std::string(kAccessAcl);
    case AttributeType::posix_acl_default:
      return std::string(kDefaultAcl);
    case AttributeType::nfs4_acl:
      return std::string(kNfs4Acl);
    default:
      return "";
  }
}

std::vector<Attribute> attributes_of(const std::string& proc, const Shown& shown) {
  return read_xattrs({proc.c_str(), -1}, shown);
}
std::vector<Attribute> attributes_of(int fd, const Shown& shown) {
  return read_xattrs({nullptr, fd}, shown);
}

std::unique_ptr<SourceFile> source_file(Descriptor fd, Entry& entry, const std::string& shown) {
  struct statx s = *stat_at(fd.get(), "", shown);
  Entry now = entry_of(s, entry.name);
  if (now.kind != Kind::file)
    throw Error(Code::busy, cannot("read", shown) + ": it is no longer a regular file");
  bool another = now.inode != entry.inode || now.device != entry.device || now.changed != entry.changed;
  now.attributes = another ? attributes_of(fd.get(), shown) : std::move(entry.attributes);
  now.captured = entry.captured;
  if (now.sparse) {
    if (auto extents = data_extents(fd.get(), now.size))
      now.extents = std::move(*extents);
    else
      now.sparse = false;
  }
  entry = std::move(now);
  return std::make_unique<PosixSourceFile>(std::move(fd), entry, shown);
}

std::unique_ptr<SourceFile> open_regular(int directory, const std::string& name, Entry& entry,
                                         const std::string& shown) {
  // Looked at before it is opened: a device may act on being opened. O_NONBLOCK for what may take its place
  // in between.
  auto now = stat_at(directory, name, shown);
  if (!now) throw Error(Code::not_found, cannot("read", shown) + ": it is gone");
  if (!S_ISREG(now->stx_mode))
    throw Error(Code::busy, cannot("read", shown) + ": it is no longer a regular file");
  constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  Descriptor fd(::openat(directory, name.c_str(), kFlags | O_NOATIME));
  if (!fd && errno == EPERM)
    fd = Descriptor(::openat(directory, name.c_str(), kFlags));  // only the owner may ask for no access time
  if (!fd && errno == ENOENT) throw Error(Code::not_found, cannot("read", shown) + ": it is gone");
  if (!fd && (errno == ELOOP || errno == ENXIO))
    throw Error(Code::busy, cannot("read", shown) + ": it is no longer a regular file");
  if (!fd) throw os_error(cannot("read", shown), errno);
  return source_file(std::move(fd), entry, shown);
}

std::vector<std::string> names_in(int directory, const std::string& shown) {
  Descriptor again(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOATIME));
  if (!again && errno == EPERM)
    again = Descriptor(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!again) throw os_error(cannot("list", shown), errno);
  std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(again.get()), ::closedir);
  if (!stream) throw os_error(cannot("list", shown), errno);
  again.release();
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const dirent* found = ::readdir(stream.get());
    if (!found && errno != 0) throw os_error(cannot("list", shown), errno);
    if (!found) break;
    std::string_view name = found->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());  // std::string compares as unsigned bytes
  return names;
}

}  // namespace holdfast::platform
