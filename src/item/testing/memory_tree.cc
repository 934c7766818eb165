#include "item/testing/memory_tree.h"

#include <algorithm>

#include "base/error.h"

namespace holdfast::item::testing {
namespace {

using tree::Entry;
using tree::Kind;
using tree::NodePtr;

class MemoryNode final : public tree::StoredNode {
 public:
  MemoryNode(Entry entry, std::shared_ptr<const Bytes> content, std::vector<NodePtr> children = {})
      : entry_(std::move(entry)), content_(std::move(content)), children_(std::move(children)) {}

  const Entry& entry() const override { return entry_; }
  void children(const std::function<bool(NodePtr)>& visit) const override {
    for (const NodePtr& child : children_)
      if (!visit(child)) return;
  }
  NodePtr child(const std::string& name) const override {
    for (const NodePtr& child : children_)
      if (child->entry().name == name) return child;
    return nullptr;
  }
  void read(std::uint64_t offset, std::uint64_t length,
            const std::function<void(std::uint64_t, ByteView)>& consume) const override {
    std::uint64_t end = std::min<std::uint64_t>(content_->size(),
                                                length > UINT64_MAX - offset ? UINT64_MAX : offset + length);
    while (offset < end) {
      std::uint64_t piece = std::min<std::uint64_t>(kPiece, end - offset);
      consume(offset, ByteView(*content_).subspan(offset, piece));
      offset += piece;
    }
  }
  Bytes fingerprint()
      const override {  // the content itself: equal for equal content, and opaque enough for tests
    return *content_;
  }
  bool same_content(const std::function<std::size_t(MutableBytes)>& next) const override {
    Bytes buffer(kPiece);
    std::size_t at = 0;
    bool same = true;
    while (std::size_t n = next(buffer)) {
      same = same && n <= content_->size() - at &&
             std::equal(buffer.begin(), buffer.begin() + std::ptrdiff_t(n),
                        content_->begin() + std::ptrdiff_t(at));
      if (same) at += n;
    }
    return same && at == content_->size();
  }

  const std::shared_ptr<const Bytes>& content() const { return content_; }

 private:
  static constexpr std::size_t kPiece = 1U << 20;  // as large as a chunk may be
  Entry entry_;
  std::shared_ptr<const Bytes> content_;
  std::vector<NodePtr> children_;
};

std::shared_ptr<const Bytes> no_content() {
  static const auto empty = std::make_shared<const Bytes>();
  return empty;
}

[[noreturn]] void defect(const std::string& why) { throw Error(Code::defect, "memory tree: " + why); }

// Unchanged for sure: same file, same times, and its last change was more than 2 s old when it was captured.
bool surely_unchanged(const Entry& before, const Entry& now) {
  if (before.kind != Kind::file || now.kind != Kind::file) return false;
  if (before.size != now.size || before.modified != now.modified || before.changed != now.changed)
    return false;
  if (before.device != now.device || before.inode != now.inode) return false;
  if (before.sparse != now.sparse || before.extents != now.extents) return false;
  Timestamp limit = before.changed;
  limit.seconds += 2;
  return limit < before.captured;
}

}  // namespace

struct MemoryTree::State {
  struct Open {
    Entry entry;
    std::vector<NodePtr> children;
    NodePtr previous;  // the same directory in the earlier capture
  };
  class Writer final : public tree::FileWriter {
   public:
    MutableBytes space() override { return space_; }
    void commit(std::size_t bytes) override {
      if (bytes > space_.size()) defect("more bytes committed than there was space for");
      content.insert(content.end(), space_.begin(), space_.begin() + std::ptrdiff_t(bytes));
    }
    Bytes content;

   private:
    Bytes space_ = Bytes(64U << 10);  // the least that a sink may offer
  };

  void check_order(const Entry& entry) const {
    if (open.empty()) {
      if (root) defect("a second root '" + entry.name + "'");
      if (!entry.name.empty()) defect("the root is not named \"\" but '" + entry.name + "'");
      return;
    }
    if (!tree::is_safe_name(entry.name)) defect("unsafe name '" + entry.name + "'");
    const auto& before = open.back().children;
    if (!before.empty() && !(before.back()->entry().name < entry.name))
      defect("'" + entry.name + "' follows '" + before.back()->entry().name + "'");
  }
  void no_file_open() const {
    if (writing) defect("a file is open");
  }
  void put(NodePtr node) {
    if (open.empty())
      root = std::move(node);
    else
      open.back().children.push_back(std::move(node));
  }
  NodePtr earlier(const std::string& name) const {
    if (open.empty()) return previous;
    const NodePtr& directory = open.back().previous;
    return directory && directory->entry().kind == Kind::directory ? directory->child(name) : nullptr;
  }

  NodePtr previous, root;
  std::vector<Open> open;
  std::unique_ptr<Writer> writing;
  std::uint64_t reused = 0;
};

MemoryTree::MemoryTree(NodePtr previous) : state_(std::make_unique<State>()) {
  state_->previous = std::move(previous);
}
MemoryTree::~MemoryTree() = default;

void MemoryTree::open_directory(const Entry& entry) {
  state_->no_file_open();
  state_->check_order(entry);
  if (entry.kind != Kind::directory) defect("open_directory() with something else: '" + entry.name + "'");
  NodePtr earlier = state_->earlier(entry.name);
  state_->open.push_back({entry, {}, std::move(earlier)});
}

void MemoryTree::close_directory() {
  state_->no_file_open();
  if (state_->open.empty()) defect("no directory is open");
  State::Open done = std::move(state_->open.back());
  state_->open.pop_back();
  state_->put(make_directory(std::move(done.entry), std::move(done.children)));
}

void MemoryTree::add(const Entry& entry) {
  state_->no_file_open();
  state_->check_order(entry);
  if (entry.kind == Kind::directory || entry.kind == Kind::file || entry.kind == Kind::socket)
    defect("add() is for entries without content: '" + entry.name + "'");
  state_->put(make_node(entry));
}

tree::FileWriter& MemoryTree::begin_file(tree::Chunking) {
  state_->no_file_open();
  if (state_->open.empty() && state_->root) defect("a second root");
  state_->writing = std::make_unique<State::Writer>();
  return *state_->writing;
}

void MemoryTree::end_file(const Entry& entry) {
  if (!state_->writing) defect("no file is open");
  state_->check_order(entry);
  if (entry.kind != Kind::file) defect("end_file() with something else: '" + entry.name + "'");
  if (tree::content_bytes(entry) != state_->writing->content.size())
    defect("'" + entry.name + "' says " + std::to_string(tree::content_bytes(entry)) +
           " bytes, committed were " + std::to_string(state_->writing->content.size()));
  state_->put(make_file(entry, state_->writing->content));
  state_->writing.reset();
}

void MemoryTree::abandon_file() {
  if (!state_->writing) defect("no file is open");
  state_->writing.reset();
}

bool MemoryTree::reuse_file(const Entry& now) {
  state_->no_file_open();
  state_->check_order(now);
  auto earlier = std::dynamic_pointer_cast<const MemoryNode>(state_->earlier(now.name));
  if (!earlier || !surely_unchanged(earlier->entry(), now)) return false;
  state_->put(std::make_shared<MemoryNode>(now, earlier->content()));
  ++state_->reused;
  return true;
}

NodePtr MemoryTree::root() const {
  state_->no_file_open();
  if (!state_->open.empty()) defect("directory '" + state_->open.back().entry.name + "' is still open");
  if (!state_->root) defect("no root");
  return state_->root;
}

std::uint64_t MemoryTree::files_reused() const { return state_->reused; }

NodePtr make_file(Entry entry, ByteView content) {
  return std::make_shared<MemoryNode>(std::move(entry),
                                      std::make_shared<const Bytes>(content.begin(), content.end()));
}
NodePtr make_node(Entry entry) { return std::make_shared<MemoryNode>(std::move(entry), no_content()); }
NodePtr make_directory(Entry entry, std::vector<NodePtr> children) {
  return std::make_shared<MemoryNode>(std::move(entry), no_content(), std::move(children));
}

}  // namespace holdfast::item::testing
