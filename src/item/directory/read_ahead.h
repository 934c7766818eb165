// A walk over a folder by its own thread, some way ahead of whoever stores what it met: looking at a file costs several
// system calls, and knowing that it is unchanged costs as much again.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"
#include "item/directory/exclude.h"
#include "platform/clock.h"
#include "platform/source_tree.h"
#include "tree/streams.h"

namespace holdfast::item {

using FileId = std::pair<std::uint64_t, std::uint64_t>;   // device, inode

// What a walk meets, in the order of a depth-first walk by names.
struct Met {
  enum class What {
    folder,      // begins; what is in it follows, then its `end`. With `failed`: it cannot be listed, and nothing follows
    end,
    other,       // everything else, with its attributes
    left_out,    // a folder that was to be left out
    too_deep,    // a folder below tree::kMaxDepth
    failed,      // it cannot be looked at; not_found: it vanished since its folder was listed
  };
  What what{};
  tree::Entry entry;                                   // `failed`: its name only. `captured` is from before it was looked at
  std::shared_ptr<platform::SourceDirectory> parent;   // `other`: opens it
  std::optional<Error> failed, attributes_failed;
};

class ReadAhead {
 public:
  // Opens the folder; throws as open_source_directory does. The first that is met is the folder itself, with the name "".
  ReadAhead(const platform::Path& folder, const Exclude& exclude, const std::set<FileId>& leave_out, platform::Clock& clock);
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;
  ~ReadAhead();

  std::optional<Met> next();                 // nullopt at the end. What the walk throws is thrown here
  std::uint64_t excluded() const { return excluded_; }   // after the end

 private:
  struct Frame {
    std::shared_ptr<platform::SourceDirectory> directory;
    std::vector<std::string> names;
    std::size_t next;
    std::size_t path_length;   // of path_, for this folder
  };
  void walk();
  void visit(const std::shared_ptr<platform::SourceDirectory>& parent, const std::string& name);
  void enter(platform::SourceDirectory& parent, tree::Entry entry);
  void tell(Met met);
  void hand_over();

  const Exclude& exclude_;
  const std::set<FileId>& leave_out_;
  platform::Clock& clock_;
  // -- the walk's
  std::vector<Frame> inside_;   // on the heap, not on the stack: a tree may be thousands deep
  std::string path_;            // of the entry at hand, relative to the folder
  std::vector<Met> batch_;
  std::uint64_t excluded_ = 0;
  // -- between the two
  std::mutex mutex_;
  std::condition_variable moved_;
  std::deque<std::vector<Met>> ready_;
  bool done_ = false, stopped_ = false;
  std::exception_ptr error_;
  // -- the taker's
  std::vector<Met> taken_;
  std::size_t position_ = 0;

  std::jthread thread_;   // last: it ends before what it uses
};

}  // namespace holdfast::item
