#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <list>
#include <mutex>

#include "base/error.h"
#include "base/text.h"
#include "platform/posix_tree.h"

namespace holdfast::platform {
namespace {

using tree::Entry;
using tree::Kind;

// Directories held open at a time by one walk: a fifth of what the process may open leaves room for two walks and everything
// else (usual are 1024), and more than 200 gain nothing.
std::size_t held_open() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 8;
  return static_cast<std::size_t>(std::clamp<rlim_t>(limit.rlim_cur / 5, 4, 200));
}

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
// its parent. Thread-safe: who was given a handle keeps it open.
class Place {
 public:
  // Of one walk: the places whose handle is open, most recently used first; the root is not among them.
  struct Recent {
    std::mutex mutex;   // also of every place's handle
    std::list<Place*> places;
    const std::size_t most = held_open();
  };

  Place(Descriptor root, std::string shown)
      : recent_(std::make_shared<Recent>()),
        shown_(std::move(shown)),
        handle_(std::make_shared<const Descriptor>(std::move(root))),
        status_(*stat_at(handle_->get(), "", shown_)) {}
  Place(std::shared_ptr<Place> parent, std::string name)
      : recent_(parent->recent_),
        parent_(std::move(parent)),
        name_(std::move(name)),
        shown_(Shown(parent_->shown_, name_).text()),
        handle_(std::make_shared<const Descriptor>(open_directory_at(parent_->handle()->get(), name_, shown_))),
        status_(*stat_at(handle_->get(), "", shown_)) {
    std::lock_guard lock(recent_->mutex);
    use();
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    std::lock_guard lock(recent_->mutex);
    if (listed_) recent_->places.erase(at_);
  }

  Handle handle() {
    std::lock_guard lock(recent_->mutex);
    if (!handle_)
      reopen();
    else if (parent_)
      use();
    return handle_;
  }
  // The path for people. Cut at the front when it is very long.
  const std::string& shown() const { return shown_; }

 private:
  void use() {
    if (listed_) recent_->places.erase(at_);
    recent_->places.push_front(this);
    at_ = recent_->places.begin();
    listed_ = true;
    while (recent_->places.size() > recent_->most) {
      Place* oldest = recent_->places.back();
      recent_->places.pop_back();
      oldest->listed_ = false;
      oldest->handle_.reset();
    }
  }
  // From the nearest ancestor that is open, one after another; without recursion, since a tree may be
  // thousands deep.
  void reopen() {
    std::vector<Place*> closed;
    for (Place* place = this; place->parent_ && !place->handle_; place = place->parent_.get())
      closed.push_back(place);
    Handle above = closed.back()->parent_->handle_;
    for (auto it = closed.rbegin(); it != closed.rend(); ++it) {
      Place& place = **it;
      Descriptor again = open_directory_at(above->get(), place.name_, place.shown_);
      if (!same_file(*stat_at(again.get(), "", place.shown_), place.status_))
        throw Error(Code::busy,
                    "cannot go on in " + printable(place.shown_) + ": it was moved during the walk");
      above = place.handle_ = std::make_shared<const Descriptor>(std::move(again));
      place.use();
    }
  }

  std::shared_ptr<Recent> recent_;
  std::shared_ptr<Place> parent_;
  std::string name_, shown_;
  Handle handle_;
  struct statx status_;
  bool listed_ = false;
  std::list<Place*>::iterator at_;
};

class PosixSourceDirectory final : public SourceDirectory {
 public:
  explicit PosixSourceDirectory(std::shared_ptr<Place> place) : place_(std::move(place)) {}

  std::vector<std::string> names() override { return names_in(place_->handle()->get(), place_->shown()); }

  std::optional<Entry> status(const std::string& name) override {
    Handle directory = place_->handle();
    Shown shown(place_->shown(), name);
    auto s = stat_at(directory->get(), name, shown);
    if (!s) return std::nullopt;
    Entry entry = entry_of(*s, name);
    try {
      if (entry.kind == Kind::symlink) entry.target = read_link(directory->get(), name, shown);
    } catch (const Error& e) {
      if (e.os_error() == ENOENT || e.os_error() == EINVAL) return std::nullopt;  // gone, or no link any more
      throw;
    }
    return entry;
  }

  void read_attributes(const std::string& name, Entry& entry) override {
    Handle directory = place_->handle();
    entry.attributes = attributes_of(proc_path(directory->get(), name), Shown(place_->shown(), name));
  }

  std::unique_ptr<SourceDirectory> enter(const std::string& name) override {
    return std::make_unique<PosixSourceDirectory>(std::make_shared<Place>(place_, name));
  }

  std::unique_ptr<SourceFile> open(const std::string& name, Entry& entry) override {
    Handle directory = place_->handle();
    return open_regular(directory->get(), name, entry, Shown(place_->shown(), name).text());
  }

  Entry self() override {
    Handle directory = place_->handle();
    Entry entry = entry_of(*stat_at(directory->get(), "", place_->shown()), "");
    entry.attributes = attributes_of(directory->get(), place_->shown());
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
