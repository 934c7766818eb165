#include <fcntl.h>

#include <cerrno>
#include <list>

#include "base/error.h"
#include "base/text.h"
#include "platform/posix_tree.h"

namespace holdfast::platform {
namespace {

using tree::Entry;
using tree::Kind;

// Directories held open at a time by one walk. Half the usual limit of a process (RLIMIT_NOFILE 1024) leaves
// room for two walks and everything else.
constexpr std::size_t kHeldOpen = 200;

Descriptor open_directory_at(int parent, const std::string& name, const std::string& shown) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  Descriptor fd(::openat(parent, name.c_str(), kFlags | O_NOATIME));
  if (!fd && errno == EPERM) fd = Descriptor(::openat(parent, name.c_str(), kFlags));
  if (!fd && (errno == ELOOP || errno == ENOTDIR))
    throw Error(Code::busy, "cannot enter " + printable(shown) + ": it is no longer a directory");
  if (!fd) throw os_error("cannot enter " + printable(shown), errno);
  return fd;
}

// A directory of the walk whose handle may be closed while its descendants are visited, and is reopened from
// its parent.
class Place {
 public:
  using Recent = std::list<Place*>;  // the open ones, most recently used first; the root is not among them

  Place(Descriptor root, std::string shown)
      : recent_(std::make_shared<Recent>()),
        shown_(std::move(shown)),
        fd_(std::move(root)),
        status_(*stat_at(fd_.get(), "", shown_)) {}
  Place(std::shared_ptr<Place> parent, std::string name)
      : recent_(parent->recent_),
        parent_(std::move(parent)),
        name_(std::move(name)),
        shown_(parent_->child(name_)),
        fd_(open_directory_at(parent_->fd(), name_, shown_)),
        status_(*stat_at(fd_.get(), "", shown_)) {
    use();
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    if (listed_) recent_->erase(at_);
  }

  int fd() {
    if (!parent_) return fd_.get();
    if (!fd_)
      reopen();
    else
      use();
    return fd_.get();
  }
  // The path for people. Cut at the front when it is very long.
  const std::string& shown() const { return shown_; }
  std::string child(const std::string& name) const {
    constexpr std::size_t kLongest = 4096;  // PATH_MAX: longer ones could not be used by anybody anyway
    std::string path = shown_ + "/" + name;
    return path.size() <= kLongest ? path : "..." + path.substr(path.size() - kLongest);
  }

 private:
  void use() {
    if (listed_) recent_->erase(at_);
    recent_->push_front(this);
    at_ = recent_->begin();
    listed_ = true;
    while (recent_->size() > kHeldOpen) {
      Place* oldest = recent_->back();
      recent_->pop_back();
      oldest->listed_ = false;
      oldest->fd_.reset();
    }
  }
  // From the nearest ancestor that is open, one after another; without recursion, since a tree may be
  // thousands deep.
  void reopen() {
    std::vector<Place*> closed;
    for (Place* place = this; place->parent_ && !place->fd_; place = place->parent_.get())
      closed.push_back(place);
    for (auto it = closed.rbegin(); it != closed.rend(); ++it) {
      Place& place = **it;
      Descriptor again = open_directory_at(place.parent_->fd_.get(), place.name_, place.shown_);
      if (!same_file(*stat_at(again.get(), "", place.shown_), place.status_))
        throw Error(Code::busy,
                    "cannot go on in " + printable(place.shown_) + ": it was moved during the walk");
      place.fd_ = std::move(again);
      place.use();
    }
  }

  std::shared_ptr<Recent> recent_;
  std::shared_ptr<Place> parent_;
  std::string name_, shown_;
  Descriptor fd_;
  struct statx status_;
  bool listed_ = false;
  Recent::iterator at_;
};

class PosixSourceDirectory final : public SourceDirectory {
 public:
  explicit PosixSourceDirectory(std::shared_ptr<Place> place) : place_(std::move(place)) {}

  std::vector<std::string> names() override { return names_in(place_->fd(), place_->shown()); }

  std::optional<Entry> status(const std::string& name) override {
    int directory = place_->fd();
    auto s = stat_at(directory, name, place_->child(name));
    if (!s) return std::nullopt;
    Entry entry = entry_of(*s, name);
    try {
      if (entry.kind == Kind::symlink) entry.target = read_link(directory, name, place_->child(name));
    } catch (const Error& e) {
      if (e.os_error() == ENOENT || e.os_error() == EINVAL) return std::nullopt;  // gone, or no link any more
      throw;
    }
    return entry;
  }

  void read_attributes(const std::string& name, Entry& entry) override {
    entry.attributes = attributes_of(proc_path(place_->fd(), name), place_->child(name));
  }

  std::unique_ptr<SourceDirectory> enter(const std::string& name) override {
    return std::make_unique<PosixSourceDirectory>(std::make_shared<Place>(place_, name));
  }

  std::unique_ptr<SourceFile> open(const std::string& name, Entry& entry) override {
    return open_regular(place_->fd(), name, entry, place_->child(name));
  }

  Entry self() override {
    Entry entry = entry_of(*stat_at(place_->fd(), "", place_->shown()), "");
    entry.attributes = attributes_of(place_->fd(), place_->shown());
    return entry;
  }

 private:
  std::shared_ptr<Place> place_;
};

void need_proc() {
  if (::access("/proc/self/fd", X_OK) != 0)
    throw Error(Code::precondition, "cannot read file attributes: /proc is not mounted")
        .hint("mount it: mount -t proc proc /proc");
}

}  // namespace

std::unique_ptr<SourceDirectory> open_source_directory(const Path& path) {
  need_proc();
  Descriptor fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK));
  if (!fd && errno == ENOTDIR)
    throw Error(Code::precondition,
                "cannot read folder " + printable(path.string()) + ": it is not a folder");
  if (!fd) throw os_error("cannot read folder " + printable(path.string()), errno);
  return std::make_unique<PosixSourceDirectory>(std::make_shared<Place>(std::move(fd), path.string()));
}

std::unique_ptr<SourceFile> open_source_file(const Path& path, Entry& entry) {
  need_proc();
  std::string shown = path.string();
  Descriptor found(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!found) throw os_error("cannot read " + printable(shown), errno);
  struct statx s = *stat_at(found.get(), "", shown);
  if (!S_ISREG(s.stx_mode))
    throw Error(Code::precondition, "cannot read " + printable(shown) + ": it is not a regular file");
  constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
  Descriptor fd(::open(proc_path(found.get()).c_str(), kFlags | O_NOATIME));
  if (!fd && errno == EPERM) fd = Descriptor(::open(proc_path(found.get()).c_str(), kFlags));
  if (!fd) throw os_error("cannot read " + printable(shown), errno);
  entry = Entry{};
  entry.name = path.filename().string();
  return source_file(std::move(fd), entry, shown);
}

}  // namespace holdfast::platform
