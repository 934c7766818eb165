#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/text.h"
#include "item/directory/directory.h"
#include "item/directory/exclude.h"
#include "item/files/content.h"
#include "item/files/files.h"
#include "platform/source_tree.h"

namespace holdfast::item {
namespace {

using tree::Entry;
using tree::Kind;
using tree::NodePtr;

constexpr std::size_t kNamed = 20;  // differences that a check names; the rest is counted

std::string below(const std::string& folder, const std::string& name) {
  return folder.empty() ? name : folder + "/" + name;
}

std::map<std::string, NodePtr> children_of(const NodePtr& node) {
  std::map<std::string, NodePtr> children;
  if (node && node->entry().kind == Kind::directory)
    node->children([&](const NodePtr& child) {
      children.emplace(child->entry().name, child);
      return true;
    });
  return children;
}

std::string describe(const Entry& entry) {
  switch (entry.kind) {
    case Kind::directory:
      return "folder";
    case Kind::file:
      return "file of " + human_count(entry.size) + " bytes";
    case Kind::symlink:
      return "link to " + printable(entry.target);
    case Kind::hard_link:
      return "another name of " + printable(entry.target);
    case Kind::fifo:
      return "FIFO";
    default:
      return "device";
  }
}

std::vector<std::string> differences(const NodePtr& before, const NodePtr& after) {
  std::vector<std::string> words;
  const Entry &a = before->entry(), &b = after->entry();
  if (a.kind == Kind::file && b.kind == Kind::file) {
    if (before->fingerprint() != after->fingerprint() || a.extents != b.extents) words.push_back("content");
    if (a.size != b.size) words.push_back("size " + human_count(a.size) + " -> " + human_count(b.size));
  }
  for (std::string& word : metadata_differences(a, b)) words.push_back(std::move(word));
  return words;
}

// What a check found of one sort.
struct Named {
  std::vector<std::string> first;
  std::uint64_t count = 0;

  void add(const std::string& what) {
    if (count++ < kNamed) first.push_back(what);
  }
  std::string text(const std::string& when_none) const {
    if (count == 0) return when_none;
    std::string named = join(first, "; ");
    return count > first.size() ? named + "; and " + human_count(count - first.size()) + " more" : named;
  }
};

// Compares a live tree with a stored one. Folders still to be done wait on the heap: a tree may be thousands
// deep.
class Check {
 public:
  Check(const Path& folder, const std::vector<std::string>& exclude, CaptureContext& context)
      : root_(folder), exclude_(exclude), context_(context) {}

  std::vector<CheckResult> run(const NodePtr& stored) {
    std::vector<Open> open;
    auto top = platform::open_source_directory(root_);
    compare_metadata("", stored->entry(), top->self());
    open.push_back({"", stored, std::move(top)});
    while (!open.empty()) {
      context_.cancel.check();
      Open folder = std::move(open.back());
      open.pop_back();
      compare_folder(folder, open);
    }
    for (const auto& [path, target] : hard_links_)
      if (!inodes_.contains(path) || !inodes_.contains(target) || inodes_[path] != inodes_[target])
        links_.add(printable(path));
    std::string files = human_count(files_) + (files_ == 1 ? " file" : " files");
    std::string extra = extra_.count == 0 ? "" : "; not in the backup: " + extra_.text("");
    return {{"files present", missing_.count == 0, missing_.text(files) + extra},
            {"contents equal", contents_.count == 0 && missing_.count == 0, contents_.text(files)},
            {"attributes equal", attributes_.count == 0 && missing_.count == 0,
             attributes_.text(human_count(entries_) + " entries")},
            {"hard links equal", links_.count == 0, links_.text(human_count(hard_links_.size()) + " links")}};
  }

 private:
  struct Open {
    std::string path;
    NodePtr stored;
    std::unique_ptr<platform::SourceDirectory> live;
  };

  void compare_folder(Open& folder, std::vector<Open>& open) {
    std::map<std::string, NodePtr> stored = children_of(folder.stored);
    for (const std::string& name : folder.live->names())
      if (!stored.contains(name) && !exclude_.matches(below(folder.path, name)))
        extra_.add(printable(below(folder.path, name)));
    for (const auto& [name, node] : stored) {
      std::string path = below(folder.path, name);
      try {
        compare(path, node, *folder.live, open);
      } catch (const Error& e) {
        if (e.code() == Code::damaged || e.code() == Code::interrupted) throw;
        missing_.add(printable(path) + " (" + e.what() + ")");
      }
    }
  }

  void compare(const std::string& path, const NodePtr& node, platform::SourceDirectory& parent,
               std::vector<Open>& open) {
    const Entry& stored = node->entry();
    std::optional<Entry> live = parent.status(stored.name);
    const Kind expected = stored.kind == Kind::hard_link ? Kind::file : stored.kind;
    if (!live || live->kind != expected) return missing_.add(printable(path));
    if (live->kind == Kind::file && live->links > 1) inodes_[path] = live->inode;
    if (stored.kind == Kind::hard_link) return void(hard_links_.emplace_back(path, stored.target));
    parent.read_attributes(stored.name, *live);
    if (stored.kind == Kind::file) {
      ++files_;
      auto file = parent.open(stored.name, *live);
      if (!equal_content(*node, *file, *live, context_.cancel)) contents_.add(printable(path));
      context_.progress.add(tree::content_bytes(stored), 1);
    }
    compare_metadata(path, stored, *live);
    if (stored.kind == Kind::directory) open.push_back({path, node, parent.enter(stored.name)});
  }

  void compare_metadata(const std::string& path, const Entry& stored, const Entry& live) {
    ++entries_;
    for (const std::string& word : metadata_differences(stored, live))
      attributes_.add((path.empty() ? "the folder itself" : printable(path)) + ": " + word);
  }

  Path root_;
  Exclude exclude_;
  CaptureContext& context_;
  Named missing_, contents_, attributes_, links_, extra_;
  std::uint64_t files_ = 0, entries_ = 0;
  std::map<std::string, std::uint64_t> inodes_;  // of live files with several names
  std::vector<std::pair<std::string, std::string>> hard_links_;
};

}  // namespace

std::vector<Change> diff_directory(const NodePtr& before, const NodePtr& after) {
  struct Pair {
    std::string path;
    NodePtr before, after;
  };
  std::vector<Change> changes;
  std::vector<Pair> open{{"", before, after}};
  while (!open.empty()) {
    Pair pair = std::move(open.back());
    open.pop_back();
    if (!pair.path.empty() && !pair.after)
      changes.push_back({Change::Kind::removed, pair.path, describe(pair.before->entry()), ""});
    else if (!pair.path.empty() && !pair.before)
      changes.push_back({Change::Kind::added, pair.path, "", describe(pair.after->entry())});
    else if (pair.before && pair.after)
      for (const std::string& word : differences(pair.before, pair.after))
        changes.push_back({Change::Kind::changed, pair.path, "", word});
    std::map<std::string, Pair> children;
    for (const auto& [name, node] : children_of(pair.before))
      children[name] = {below(pair.path, name), node, nullptr};
    for (const auto& [name, node] : children_of(pair.after)) {
      children[name].path = below(pair.path, name);
      children[name].after = node;
    }
    for (auto child = children.rbegin(); child != children.rend(); ++child)
      open.push_back(std::move(child->second));
  }
  return changes;
}

std::vector<CheckResult> check_directory(const Path& folder, const std::vector<std::string>& exclude,
                                         const NodePtr& stored, CaptureContext& context) {
  return Check(folder, exclude, context).run(stored);
}

}  // namespace holdfast::item
