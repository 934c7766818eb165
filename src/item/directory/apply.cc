#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <thread>

#include "base/error.h"
#include "item/directory/directory.h"
#include "item/directory/exclude.h"
#include "item/directory/some_of_many.h"
#include "item/files/content.h"

namespace holdfast::item {
namespace {

using tree::Entry;
using tree::Kind;
using tree::NodePtr;

constexpr std::size_t kNamed = 20;       // entries that a finding or error names
constexpr unsigned kMostWriters = 6;     // more only fight over the disk
constexpr std::size_t kBatchFiles = 64;  // neighbours share chunks: one worker decodes them once
constexpr std::uint64_t kBatchBytes = UINT64_C(4) << 20;  // a batch is about one chunk of the repository
constexpr std::size_t kBatchesWaiting = 16;               // holds the walk back when writing is slower
constexpr std::uint64_t kLarge = UINT64_C(1) << 20;       // bytes: written past the page cache from here on
constexpr unsigned kLargeAtATime = 3;                     // while there are small ones, too
constexpr std::size_t kLargeWaiting = 1024;               // some 300 bytes each

struct Work {
  std::string path;
  NodePtr node;
};
using Batch = std::vector<Work>;

// What could not be restored. Thread-safe.
class Outcome {
 public:
  // Returns false when the restore cannot go on.
  bool failed(const std::string& path, const Error& error) {
    std::lock_guard lock(mutex_);
    failed_paths_.insert(path);
    if (error.code() == Code::no_space || error.code() == Code::interrupted || error.code() == Code::defect) {
      if (!fatal_) fatal_ = error;
      return false;
    }
    bool refused = error.code() == Code::outside;
    auto& list = refused ? refused_ : failures_;
    ++(refused ? refused_count_ : failure_count_);
    if (list.size() < kNamed) list.push_back("'" + printable(path) + "' (" + error.what() + ")");
    if (!refused && !first_failure_) first_failure_ = error;
    return true;
  }
  bool has_failed(const std::string& path) const {
    std::lock_guard lock(mutex_);
    return failed_paths_.contains(path);
  }
  bool is_fatal() const {
    std::lock_guard lock(mutex_);
    return fatal_.has_value();
  }
  void throw_fatal() const {
    std::lock_guard lock(mutex_);
    if (fatal_) throw *fatal_;
  }
  void throw_if_any(const Path& target) const {
    std::string others = failure_count_ == 0
                             ? ""
                             : "; and " + human_count(failure_count_) + " failed: " + join(failures_, ", ");
    if (refused_count_ > 0)
      throw Error(Code::outside, human_count(refused_count_) + " entries were refused while restoring to " +
                                     printable(target.string()) + ": " + join(refused_, ", ") + others)
          .safe("nothing was written outside the target; everything else was restored")
          .hint("a link that is yours can be removed before the next try; else treat the backup as hostile");
    if (failure_count_ > 0)
      throw Error(first_failure_->code(), human_count(failure_count_) + " entries could not be restored to " +
                                              printable(target.string()) + ": " + join(failures_, ", "))
          .safe("everything else was restored")
          .hint(first_failure_->hint());
  }

 private:
  mutable std::mutex mutex_;
  std::set<std::string> failed_paths_;
  std::vector<std::string> refused_, failures_;
  std::size_t refused_count_ = 0, failure_count_ = 0;
  std::optional<Error> fatal_, first_failure_;
};

// A few threads that write files until finish(). Large files keep the disk busy, many small ones the processor: both are
// written at a time, wherever they stand in the tree.
class Writers {
 public:
  explicit Writers(std::function<void(const Work&)> write) : write_(std::move(write)) {
    unsigned count = std::clamp(std::thread::hardware_concurrency() + 4, 2U, kMostWriters);  // some wait for the disk
    for (unsigned i = 0; i < count; ++i) threads_.emplace_back([this] { run(); });
  }
  ~Writers() { finish(); }

  void add(Work work) {
    if (work.node->entry().size >= kLarge) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return large_.size() < kLargeWaiting; });
      large_.push_back({std::move(work)});
      changed_.notify_all();
      return;
    }
    bytes_ += work.node->entry().size;
    batch_.push_back(std::move(work));
    if (batch_.size() >= kBatchFiles || bytes_ >= kBatchBytes) hand_over();
  }
  void finish() {
    hand_over();
    {
      std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    threads_.clear();  // joins
  }

 private:
  void hand_over() {
    if (batch_.empty()) return;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return small_.size() < kBatchesWaiting; });
    small_.push_back(std::move(batch_));
    batch_.clear();
    bytes_ = 0;
    changed_.notify_all();
  }
  void run() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] { return ended_ || !small_.empty() || !large_.empty(); });
      if (small_.empty() && large_.empty()) return;
      const bool large = small_.empty() || (!large_.empty() && writing_large_ < kLargeAtATime);
      std::deque<Batch>& from = large ? large_ : small_;
      const Batch batch = std::move(from.front());
      from.pop_front();
      writing_large_ += large;
      lock.unlock();
      changed_.notify_all();
      for (const Work& work : batch) write_(work);
      lock.lock();
      writing_large_ -= large;
    }
  }

  std::function<void(const Work&)> write_;  // does not throw
  Batch batch_;
  std::uint64_t bytes_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Batch> small_, large_;   // a large file is a batch of its own
  unsigned writing_large_ = 0;
  bool ended_ = false;
  std::vector<std::jthread> threads_;
};

std::string below(const std::string& folder, const std::string& name) {
  return folder.empty() ? name : folder + "/" + name;
}

std::vector<NodePtr> children_of(const NodePtr& node) {
  std::vector<NodePtr> children;
  node->children([&](const NodePtr& child) {
    children.push_back(child);
    return true;
  });
  return children;
}

class Restore {
 public:
  Restore(const Path& target, const std::vector<std::string>& exclude, const NodePtr& stored,
          ApplyContext& context)
      : target_(target),
        exclude_(exclude),
        stored_(stored),
        context_(context),
        findings_(context.finding, target.string(), kNamed),
        tree_(platform::open_contained_tree(target)),
        was_empty_(tree_->names("").empty()) {}

  void run() {
    if (!context_.replace_existing && !was_empty_) refuse_existing();
    {
      Writers writers([this](const Work& work) { write(work); });
      walk(writers);
    }
    outcome_.throw_fatal();
    for (const Work& link : hard_links_) make_hard_link(link);
    for (auto folder = folders_.rbegin(); folder != folders_.rend();
         ++folder)  // deepest first: a folder's times come last
      attempt(folder->path, [&] {
        report(folder->path, tree_->apply(folder->path, folder->node->entry(), context_.attributes));
      });
    outcome_.throw_fatal();
    tree_->sync_all();
    findings_.finish();
    outcome_.throw_if_any(target_);
  }

 private:
  void refuse_existing() {
    std::vector<Work> open{{"", stored_}};
    while (!open.empty()) {
      Work folder = std::move(open.back());
      open.pop_back();
      for (const NodePtr& child : children_of(folder.node)) {
        std::string path = below(folder.path, child->entry().name);
        auto there = tree_->status(path);
        if (!there) continue;
        if (child->entry().kind != Kind::directory || there->kind != Kind::directory)
          throw Error(Code::already_exists, "cannot restore '" + printable(path) + "' to " +
                                                printable(target_.string()) + ": it exists")
              .safe("nothing was changed")
              .hint("restore to an empty folder, or allow files to be replaced");
        open.push_back({std::move(path), child});
      }
    }
  }

  // Makes folders, links and special files, and hands files to the writers. Folders still to be done wait on
  // the heap.
  void walk(Writers& writers) {
    folders_.push_back({"", stored_});
    std::vector<Work> open{{"", stored_}};
    while (!open.empty() && !outcome_.is_fatal()) {
      Work folder = std::move(open.back());
      open.pop_back();
      std::vector<NodePtr> children;
      attempt(folder.path, [&] {
        context_.cancel.check();
        children = children_of(folder.node);
        if (!was_empty_) tidy(folder.path, children);
      });
      std::size_t first_new = open.size();
      const std::string* before = nullptr;
      for (const NodePtr& child : children) {
        const std::string& name = child->entry().name;
        std::string path = below(folder.path, name);
        attempt(path, [&] {
          if (!tree::is_safe_name(name))
            throw Error(Code::outside, "refused '" + printable(path) + "': '" + printable(name) +
                                           "' is not a name inside the target");
          if (before && !(*before < name))
            throw Error(Code::outside,
                        "refused '" + printable(path) + "': its name comes twice or out of order");
          before = &name;
          place(path, child, open, writers);
        });
      }
      std::reverse(open.begin() + std::ptrdiff_t(first_new),
                   open.end());  // next taken: the first of them, neighbours stay together
    }
  }

  void place(const std::string& path, const NodePtr& node, std::vector<Work>& open, Writers& writers) {
    const Entry& entry = node->entry();
    switch (entry.kind) {
      case Kind::directory:
        make_folder(path);
        folders_.push_back({path, node});
        open.push_back({path, node});
        return;
      case Kind::file:
        if (entry.links > 1) linked_files_.insert(path);
        return writers.add({path, node});
      case Kind::hard_link:
        hard_links_.push_back({path, node});
        return;
      case Kind::symlink:
        tree_->make_symlink(path, entry.target);
        return report(path, tree_->apply(path, entry, context_.attributes));
      case Kind::fifo:
      case Kind::char_device:
      case Kind::block_device: {
        auto refused = tree_->make_special(path, entry, context_.attributes);
        return report(path, refused.empty() ? tree_->apply(path, entry, context_.attributes) : refused);
      }
      case Kind::socket:
        break;
    }
    throw Error(Code::damaged, "cannot restore '" + printable(path) + "': its kind is never stored");
  }

  // A file in the way of a folder is replaced, as files are; a link is refused.
  void make_folder(const std::string& path) {
    try {
      tree_->make_directory(path);
    } catch (const Error& e) {
      if (e.code() != Code::already_exists) throw;
      tree_->remove(path);
      tree_->make_directory(path);
    }
  }

  void write(const Work& work) {
    if (outcome_.is_fatal()) return;
    attempt(work.path, [&] {
      context_.cancel.check();
      report(work.path, write_stored_file(*tree_, work.path, *work.node, {context_.attributes, false},
                                          context_.cancel, context_.progress));
    });
  }

  void make_hard_link(const Work& link) {
    attempt(link.path, [&] {
      const std::string& target = link.node->entry().target;
      if (!linked_files_.contains(target)) {
        NodePtr node = tree::find(stored_, target);
        if (!node || node->entry().kind != Kind::file)
          throw Error(Code::outside, "refused '" + printable(link.path) + "': it is to be another name of '" +
                                         printable(target) + "', which is no file of the backup");
      }
      if (outcome_.has_failed(target))
        throw Error(Code::failed, "cannot link '" + printable(link.path) + "': '" + printable(target) +
                                      "' was not restored");
      tree_->make_hard_link(link.path, target);
    });
  }

  // Removes what a killed run left and names what the backup does not have.
  void tidy(const std::string& folder, const std::vector<NodePtr>& children) {
    std::set<std::string_view> stored;
    for (const NodePtr& child : children) stored.insert(child->entry().name);
    for (const std::string& name : tree_->names(folder)) {
      if (stored.contains(name)) continue;
      std::string path = below(folder, name);
      if (platform::is_temporary_name(name))
        tree_->remove(path);
      else if (!exclude_.matches(path))
        find("extra_file", path, "it is not in the backup and was left as it is");
    }
  }

  template <class F>
  void attempt(const std::string& path, const F& step) {
    try {
      step();
    } catch (const Error& e) {
      outcome_.failed(path, e);
    } catch (const std::exception& e) {
      outcome_.failed(path, Error(Code::defect, "cannot restore '" + printable(path) + "': " + e.what()));
    }
  }

  void report(const std::string& path, const std::vector<std::string>& sentences) {
    for (const std::string& sentence : sentences) find("attribute_not_restored", path, sentence);
  }
  void find(const std::string& code, const std::string& path, const std::string& message) {
    std::lock_guard lock(findings_mutex_);
    findings_.add({code, (target_ / path).string(), message, ""});
  }

  Path target_;
  Exclude exclude_;
  NodePtr stored_;
  ApplyContext& context_;
  std::mutex findings_mutex_;
  SomeOfMany findings_;
  Outcome outcome_;
  std::unique_ptr<platform::ContainedTree> tree_;
  bool was_empty_;
  std::vector<Work> folders_, hard_links_;  // in the order of the walk
  std::set<std::string> linked_files_;      // files that have other names
};

}  // namespace

void apply_directory(const Path& folder, const std::vector<std::string>& exclude, const NodePtr& stored,
                     ApplyContext& context) {
  if (stored->entry().kind != Kind::directory)
    throw Error(Code::damaged,
                "cannot restore folder " + printable(folder.string()) + ": what is stored is not a folder");
  const Path target = context.to ? *context.to : folder;
  context.world.files.make_directories(target, 0755);
  Restore(target, exclude, stored, context).run();
}

}  // namespace holdfast::item
