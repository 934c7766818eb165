#include <fcntl.h>
#include <sys/xattr.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/error.h"
#include "base/text.h"
#include "platform/posix_tree.h"

namespace holdfast::platform {
namespace {

using tree::Attribute;
using tree::Entry;
using tree::Kind;

std::string octal(std::uint32_t mode) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%04o", mode & 07777U);
  return text.data();
}
std::string words(int error_number) { return std::strerror(error_number); }

bool is_security(const std::string& xattr) { return xattr.starts_with("security."); }

// One file whose attributes are being set. An O_PATH handle knows no f*() calls; the way in is its name in
// /proc, which leads to exactly this file even when it is a link or has been renamed.
class Subject {
 public:
  Subject(int fd, bool is_o_path, const Entry& entry, ApplyOptions options)
      : fd_(fd), is_o_path_(is_o_path), entry_(entry), options_(options) {
    if (is_o_path_) proc_ = proc_path(fd_);
  }

  std::vector<std::string> apply() {
    remove_strange_attributes();
    give_owner();
    if (entry_.kind != Kind::symlink) give_mode();
    for (const Attribute& attribute : entry_.attributes) give_attribute(attribute);
    give_times();
    return std::move(sentences_);
  }

 private:
  int remove_xattr(const char* name) {
    return is_o_path_ ? ::removexattr(proc_.c_str(), name) : ::fremovexattr(fd_, name);
  }
  int set_xattr(const char* name, const Bytes& value) {
    return is_o_path_ ? ::setxattr(proc_.c_str(), name, value.data(), value.size(), 0)
                      : ::fsetxattr(fd_, name, value.data(), value.size(), 0);
  }
  int set_mode(mode_t mode) { return is_o_path_ ? ::chmod(proc_.c_str(), mode) : ::fchmod(fd_, mode); }

  // What an existing folder had, or what a new file inherited from the default ACL of its folder.
  void remove_strange_attributes() {
    // Through the O_PATH handle's name the attributes of the file itself are listed: llistxattr would stop at
    // the name.
    present_ = is_o_path_ ? list_followed() : attributes_of(fd_, entry_.name);
    for (const Attribute& old : present_) {
      std::string name = xattr_name(old);
      bool wanted = std::any_of(entry_.attributes.begin(), entry_.attributes.end(),
                                [&](const Attribute& a) { return xattr_name(a) == name; });
      if (wanted || is_security(name)) continue;
      if (remove_xattr(name.c_str()) != 0 && errno != ENODATA && errno != ENOTSUP)
        say("attribute " + printable(name) + " was not taken away: " + words(errno));
    }
  }
  std::vector<Attribute> list_followed() {
    std::vector<Attribute> all;
    std::vector<char> names(65536);  // XATTR_LIST_MAX
    ssize_t size = ::listxattr(proc_.c_str(), names.data(), names.size());
    for (const char* n = names.data(); size > 0 && n < names.data() + size; n += std::strlen(n) + 1)
      all.push_back({tree::AttributeType::xattr, n, {}});
    return all;
  }

  void give_owner() {
    auto now = stat_at(fd_, "", entry_.name);
    if (now->stx_uid == entry_.uid && now->stx_gid == entry_.gid) return;
    std::string owner = std::to_string(entry_.uid) + ":" + std::to_string(entry_.gid);
    if (!options_.owner) return say("owner " + owner + " was not given: only root can");
    if (::fchownat(fd_, "", entry_.uid, entry_.gid, AT_EMPTY_PATH) != 0)
      say("owner " + owner + " was not given: " + words(errno));
  }

  void give_mode() {
    std::uint32_t mode = entry_.mode & 07777U;
    if (!options_.privileged && entry_.kind != Kind::directory && (mode & 07000U) != 0) {
      say("mode " + octal(mode) + " was given as " + octal(mode & 0777U) +
          ": setuid, setgid and sticky need --privileged");
      mode &= 0777U;
    }
    if (set_mode(mode) != 0) return say("mode " + octal(mode) + " was not given: " + words(errno));
    if ((mode & 07000U) == 0) return;
    auto now = stat_at(fd_, "", entry_.name);
    if ((now->stx_mode & 07777U) != mode)  // the system drops setgid for a group that is not the caller's
      say("mode " + octal(mode) + " was taken as " + octal(now->stx_mode & 07777U));
  }

  void give_attribute(const Attribute& attribute) {
    std::string name = xattr_name(attribute);
    if (name.empty() || name.find('\0') != std::string::npos)
      return say("an attribute of type " + std::to_string(static_cast<unsigned>(attribute.type)) +
                 " was not given: this system has no such thing");
    if (is_security(name) && !options_.privileged)
      return say("attribute " + printable(name) + " was not given: it needs --privileged");
    bool there =
        std::any_of(present_.begin(), present_.end(), [&](const Attribute& a) { return a == attribute; });
    if (!there && set_xattr(name.c_str(), attribute.value) != 0)
      say("attribute " + printable(name) + " was not given: " + words(errno));
  }

  void give_times() {
    std::array<timespec, 2> times{};
    times[0].tv_nsec = UTIME_OMIT;  // access times are not kept
    times[1].tv_sec = entry_.modified.seconds;
    times[1].tv_nsec = static_cast<long>(entry_.modified.nanoseconds);
    int result =
        is_o_path_ ? ::utimensat(AT_FDCWD, proc_.c_str(), times.data(), 0) : ::futimens(fd_, times.data());
    if (result != 0) say("modification time was not given: " + words(errno));
  }

  void say(std::string sentence) { sentences_.push_back(std::move(sentence)); }

  int fd_;
  bool is_o_path_;
  const Entry& entry_;
  ApplyOptions options_;
  std::string proc_;
  std::vector<Attribute> present_;
  std::vector<std::string> sentences_;
};

}  // namespace

std::vector<std::string> apply_attributes(int fd, bool is_o_path, const Entry& entry, ApplyOptions options) {
  return Subject(fd, is_o_path, entry, options).apply();
}

}  // namespace holdfast::platform
