#include "platform/memory_file_system.h"

#include <algorithm>
#include <cerrno>
#include <random>
#include <set>

#include "base/error.h"
#include "base/text.h"

namespace holdfast::platform {

using NodePtr = std::shared_ptr<MemoryFileSystem::Node>;

struct MemoryFileSystem::Node {
  FileInfo::Kind kind = FileInfo::Kind::file;
  std::uint32_t mode = 0;
  Timestamp modified;
  // A file. Durable is the first `synced` bytes of `content`; after a truncation that was not synced,
  // `before` instead.
  Bytes content;
  std::size_t synced = 0;
  std::optional<Bytes> before;
  // A folder: what a program sees, and what is on the disk.
  std::map<std::string, NodePtr> names, durable_names;

  bool is_directory() const { return kind == FileInfo::Kind::directory; }
};

// `node` null: the name goes away.
struct MemoryFileSystem::NameChange {
  NodePtr folder;
  std::string name;
  NodePtr node;

  void apply(std::map<std::string, NodePtr> Node::*names) const {
    auto& map = (*folder).*names;
    if (node)
      map[name] = node;
    else
      map.erase(name);
  }
};

struct MemoryFileSystem::Place {
  NodePtr folder;
  std::string name;
  NodePtr node;  // null: nothing has that name
};

namespace {

constexpr std::uint64_t kCapacity = UINT64_C(1) << 40;
constexpr std::size_t kBlock = 512;  // what a disk writes wholly or not at all

Error cannot(const char* verb, const Path& path, int error_number) {
  return os_error(std::string("cannot ") + verb + " " + printable(path.native()), error_number);
}

std::vector<std::string> components(const Path& path) {
  std::vector<std::string> parts;
  for (const Path& p : path.lexically_normal())
    if (p != "/" && p != "." && !p.empty()) parts.push_back(p.native());
  return parts;
}

FileInfo info_of(const MemoryFileSystem::Node& node) {
  FileInfo info;
  info.kind = node.kind;
  info.size = node.content.size();
  info.modified = node.modified;
  info.device = 1;
  info.mode = node.mode;
  return info;
}

std::uint64_t used_by(const MemoryFileSystem::Node& node) {
  std::uint64_t total = node.content.size();
  for (const auto& [name, child] : node.names) total += used_by(*child);
  return total;
}

// What a disk holds of bytes that were written and not synced.
void tear(MemoryFileSystem::Node& file, std::mt19937_64& random) {
  std::size_t unsynced = file.content.size() - file.synced;
  if (unsynced == 0) return;
  std::size_t kept = file.synced + random() % (unsynced + 1);
  file.content.resize(kept);
  for (std::size_t block = file.synced / kBlock * kBlock; block < kept; block += kBlock) {
    if (random() % 4 != 0) continue;
    std::size_t from = std::max(block, file.synced), to = std::min(block + kBlock, kept);
    std::fill(file.content.begin() + static_cast<std::ptrdiff_t>(from),
              file.content.begin() + static_cast<std::ptrdiff_t>(to), std::uint8_t{0});
  }
}

void settle(MemoryFileSystem::Node& node, std::mt19937_64* random) {
  if (node.is_directory()) {
    node.names = node.durable_names;
    for (const auto& [name, child] : node.names) settle(*child, random);
    return;
  }
  if (node.before && (random == nullptr || (*random)() % 2 == 0)) {
    node.content = std::move(*node.before);
  } else if (random != nullptr) {
    tear(node, *random);
  } else {
    node.content.resize(node.synced);
  }
  node.before.reset();
  node.synced = node.content.size();
}

bool holds(const MemoryFileSystem::Node& folder, const MemoryFileSystem::Node& wanted) {
  if (&folder == &wanted) return true;
  return std::any_of(folder.names.begin(), folder.names.end(),
                     [&](const auto& child) { return holds(*child.second, wanted); });
}

}  // namespace

// What both kinds of handle share: they die with the power.
struct MemoryHandle {
  MemoryFileSystem& files;
  NodePtr node;
  Path path;
  std::uint64_t losses;

  MemoryHandle(MemoryFileSystem& f, NodePtr n, Path p)
      : files(f), node(std::move(n)), path(std::move(p)), losses(f.losses_) {}
  std::unique_lock<std::mutex> lock(const char* verb) const {
    std::unique_lock held(files.mutex_);
    if (losses != files.losses_) throw cannot(verb, path, EIO);
    return held;
  }
  Timestamp now() const { return files.now(); }
};

namespace {

class MemoryReadFile final : public ReadFile {
 public:
  explicit MemoryReadFile(MemoryHandle handle)
      : handle_(std::move(handle)), size_(handle_.node->content.size()) {}
  std::uint64_t size() const override { return size_; }
  std::size_t read_at(std::uint64_t offset, MutableBytes out) const override {
    auto held = handle_.lock("read");
    const Bytes& content = handle_.node->content;
    if (offset >= content.size()) return 0;
    std::size_t n = std::min(out.size(), content.size() - static_cast<std::size_t>(offset));
    std::copy_n(content.begin() + static_cast<std::ptrdiff_t>(offset), n, out.begin());
    return n;
  }

 private:
  MemoryHandle handle_;
  std::uint64_t size_;
};

class MemoryWriteFile final : public WriteFile {
 public:
  explicit MemoryWriteFile(MemoryHandle handle) : handle_(std::move(handle)) {}
  void write(ByteView data) override {
    auto held = handle_.lock("write");
    MemoryFileSystem::Node& node = *handle_.node;
    node.content.insert(node.content.end(), data.begin(), data.end());
    node.modified = handle_.now();
  }
  void sync() override {
    auto held = handle_.lock("make durable");
    handle_.node->synced = handle_.node->content.size();
    handle_.node->before.reset();
  }

 private:
  MemoryHandle handle_;
};

}  // namespace

MemoryFileSystem::MemoryFileSystem(Clock& clock) : clock_(clock), root_(std::make_shared<Node>()) {
  root_->kind = FileInfo::Kind::directory;
  root_->mode = 0700;
  root_->modified = now();
}

MemoryFileSystem::~MemoryFileSystem() = default;

NodePtr MemoryFileSystem::find(const Path& path) const {
  NodePtr node = root_;
  for (const std::string& name : components(path)) {
    auto child = node->names.find(name);
    if (child == node->names.end()) return nullptr;
    node = child->second;
  }
  return node;
}

MemoryFileSystem::Place MemoryFileSystem::place_of(const Path& path, const char* verb) const {
  std::vector<std::string> parts = components(path);
  if (parts.empty()) throw cannot(verb, path, EBUSY);
  Place place;
  place.name = parts.back();
  place.folder = root_;
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    auto child = place.folder->names.find(parts[i]);
    if (child == place.folder->names.end()) throw cannot(verb, path, ENOENT);
    place.folder = child->second;
  }
  if (!place.folder->is_directory()) throw cannot(verb, path, ENOTDIR);
  auto node = place.folder->names.find(place.name);
  if (node != place.folder->names.end()) place.node = node->second;
  return place;
}

void MemoryFileSystem::change_names(std::vector<NameChange> changes) {
  for (const NameChange& c : changes) {
    c.apply(&Node::names);
    c.folder->modified = now();
  }
  unsynced_.push_back(std::move(changes));
}

std::unique_ptr<ReadFile> MemoryFileSystem::open(const Path& path, OpenOptions) {
  std::lock_guard lock(mutex_);
  NodePtr node = find(path);
  if (!node) throw cannot("open", path, ENOENT);
  if (node->is_directory()) throw cannot("open", path, EISDIR);
  return std::make_unique<MemoryReadFile>(MemoryHandle(*this, node, path));
}

std::unique_ptr<WriteFile> MemoryFileSystem::create(const Path& path, CreateOptions options) {
  std::lock_guard lock(mutex_);
  const NodePtr like = options.like ? find(*options.like) : nullptr;
  if (options.like && !like) throw cannot("look at", *options.like, ENOENT);
  Place place = place_of(path, "create");
  if (place.node && !options.truncate) throw cannot("create", path, EEXIST);
  if (place.node && place.node->is_directory()) throw cannot("create", path, EISDIR);
  if (place.node) {
    Node& node = *place.node;
    if (!node.before) {
      node.content.resize(node.synced);
      node.before = std::move(node.content);
    }
    node.content.clear();
    node.synced = 0;
    node.modified = now();
  } else {
    place.node = std::make_shared<Node>();
    place.node->mode = like ? like->mode : options.mode;
    place.node->modified = now();
    change_names({{place.folder, place.name, place.node}});
  }
  return std::make_unique<MemoryWriteFile>(MemoryHandle(*this, place.node, path));
}

std::unique_ptr<WriteFile> MemoryFileSystem::append(const Path& path) {
  {
    std::lock_guard lock(mutex_);
    Place place = place_of(path, "open");
    if (place.node && place.node->is_directory()) throw cannot("open", path, EISDIR);
    if (place.node) return std::make_unique<MemoryWriteFile>(MemoryHandle(*this, place.node, path));
  }
  return create(path, {});
}

void MemoryFileSystem::rename(const Path& from, const Path& to) {
  std::lock_guard lock(mutex_);
  Place a = place_of(from, "rename"), b = place_of(to, "rename");
  if (!a.node) throw cannot("rename", from, ENOENT);
  if (a.node == b.node) return;
  if (a.node->is_directory() && holds(*a.node, *b.folder)) throw cannot("rename", from, EINVAL);
  if (b.node && a.node->is_directory() && !b.node->is_directory()) throw cannot("rename", to, ENOTDIR);
  if (b.node && !a.node->is_directory() && b.node->is_directory()) throw cannot("rename", to, EISDIR);
  if (b.node && !b.node->names.empty()) throw cannot("rename", to, ENOTEMPTY);
  change_names({{a.folder, a.name, nullptr}, {b.folder, b.name, a.node}});
}

void MemoryFileSystem::remove(const Path& path) {
  std::lock_guard lock(mutex_);
  Place place = place_of(path, "remove");
  if (!place.node) throw cannot("remove", path, ENOENT);
  if (!place.node->names.empty()) throw cannot("remove", path, ENOTEMPTY);
  change_names({{place.folder, place.name, nullptr}});
}

void MemoryFileSystem::make_directory(const Path& path, std::uint32_t mode) {
  std::lock_guard lock(mutex_);
  if (components(path).empty()) throw cannot("make folder", path, EEXIST);
  Place place = place_of(path, "make folder");
  if (place.node) throw cannot("make folder", path, EEXIST);
  auto node = std::make_shared<Node>();
  node->kind = FileInfo::Kind::directory;
  node->mode = mode;
  node->modified = now();
  change_names({{place.folder, place.name, node}});
}

void MemoryFileSystem::sync_directory(const Path& path) {
  std::lock_guard lock(mutex_);
  NodePtr folder = find(path);
  if (!folder) throw cannot("open folder", path, ENOENT);
  if (!folder->is_directory()) throw cannot("open folder", path, ENOTDIR);
  // Backwards: a step that belongs to this folder takes with it every earlier step about one of its names, so
  // that a rename from another folder never becomes durable before the creation of what it renames.
  std::set<std::pair<const Node*, std::string>> about;
  std::vector<std::vector<NameChange>> now_durable, left;
  for (auto step = unsynced_.rbegin(); step != unsynced_.rend(); ++step) {
    bool taken = std::any_of(step->begin(), step->end(), [&](const NameChange& c) {
      return c.folder == folder || about.contains({c.folder.get(), c.name});
    });
    if (taken)
      for (const NameChange& c : *step) about.emplace(c.folder.get(), c.name);
    (taken ? now_durable : left).push_back(std::move(*step));
  }
  for (auto step = now_durable.rbegin(); step != now_durable.rend(); ++step)
    for (const NameChange& c : *step) c.apply(&Node::durable_names);
  std::reverse(left.begin(), left.end());
  unsynced_ = std::move(left);
}

std::optional<FileInfo> MemoryFileSystem::info(const Path& path) {
  std::lock_guard lock(mutex_);
  NodePtr node = find(path);
  if (!node) return std::nullopt;
  return info_of(*node);
}

std::vector<FileSystem::Child> MemoryFileSystem::list(const Path& path) {
  std::lock_guard lock(mutex_);
  NodePtr folder = find(path);
  if (!folder) throw cannot("open folder", path, ENOENT);
  if (!folder->is_directory()) throw cannot("open folder", path, ENOTDIR);
  std::vector<Child> children;
  for (const auto& [name, node] : folder->names) children.push_back({name, info_of(*node)});
  return children;
}

std::uint64_t MemoryFileSystem::free_bytes(const Path& path) {
  std::lock_guard lock(mutex_);
  if (!find(path)) throw cannot("look at", path, ENOENT);
  return kCapacity - std::min(kCapacity, used_by(*root_));
}

void MemoryFileSystem::lose_unsynced(std::optional<std::uint64_t> seed) {
  std::lock_guard lock(mutex_);
  std::mt19937_64 random(seed.value_or(0));
  if (seed)
    for (const auto& step : unsynced_) {
      if (random() % 2 == 0) continue;
      for (const NameChange& c : step) c.apply(&Node::durable_names);
    }
  unsynced_.clear();
  settle(*root_, seed ? &random : nullptr);
  ++losses_;
}

void MemoryFileSystem::edit(const Path& path, const std::function<void(Bytes&)>& change) {
  std::lock_guard lock(mutex_);
  NodePtr node = find(path);
  if (!node || node->is_directory()) throw cannot("open", path, ENOENT);
  change(node->content);
  node->before.reset();
  node->synced = node->content.size();
}

}  // namespace holdfast::platform
