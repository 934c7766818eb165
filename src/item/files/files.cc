#include "item/files/files.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "item/files/content.h"
#include "item/files/places.h"

namespace holdfast::item {
namespace {

using tree::Entry;
using tree::Kind;

constexpr int kTries = 3;  // a file that is written to now and then is read whole within three tries

// Holds a file's content in memory with its holes as zeros.
class InMemory final : public tree::FileWriter {
 public:
  MutableBytes space() override { return space_; }
  void commit(std::size_t bytes) override {
    stream.insert(stream.end(), space_.begin(), space_.begin() + std::ptrdiff_t(bytes));
  }
  Bytes stream;

 private:
  Bytes space_ = Bytes(256U << 10);
};

Bytes with_holes(const Entry& entry, Bytes stream) {
  if (!entry.sparse) return stream;
  Bytes whole(static_cast<std::size_t>(entry.size));
  std::size_t from = 0;
  for (const tree::Extent& extent : entry.extents) {
    if (extent.offset > whole.size() || extent.length > whole.size() - extent.offset ||
        extent.length > stream.size() - from)
      throw Error(Code::damaged,
                  "stored file '" + printable(entry.name) + "': its extents do not fit its content");
    std::copy_n(stream.begin() + std::ptrdiff_t(from), extent.length,
                whole.begin() + std::ptrdiff_t(extent.offset));
    from += static_cast<std::size_t>(extent.length);
  }
  return whole;
}

LiveFile read_one(const Path& path, const FindingSink& finding) {
  LiveFile live;
  live.name = path.filename().string();
  live.path = path;
  const Cancel never;
  NoProgress none;
  for (int tries = 1;; ++tries) {
    auto file = platform::open_source_file(path, live.entry);
    live.kept = live.entry.size <= kKeptInMemory;
    if (!live.kept) return live;
    InMemory memory;
    ReadOutcome outcome = read_content(*file, live.entry, memory, never, none);
    if (outcome.failed) throw *outcome.failed;
    if (outcome.changed && tries < kTries) continue;
    if (outcome.changed)
      finding({"changed_while_read", path.string(),
               "it was written to each of the " + std::to_string(kTries) +
                   " times it was read; what is stored may mix old and new",
               "back up again when nobody writes to it"});
    live.content = with_holes(live.entry, std::move(memory.stream));
    return live;
  }
}

std::vector<Path> regular_files_in(const Path& folder, const FindingSink& finding) {
  std::vector<Path> paths;
  auto directory = platform::open_source_directory(folder);
  for (const std::string& name : directory->names()) {
    auto entry = directory->status(name);
    if (!entry) continue;
    if (entry->kind == Kind::file)
      paths.push_back(folder / name);
    else if (entry->kind == Kind::socket)
      finding({"socket_skipped", (folder / name).string(),
               "a socket has no content and is made anew by its program", ""});
    else
      finding({"not_a_file", (folder / name).string(),
               "only files directly inside the folder belong to this item",
               "protect the whole folder with an item of kind \"directory\""});
  }
  return paths;
}

// Writes one file that read_files() has read; one that is too large for memory is read now.
void store_file(const LiveFile& live, tree::TreeSink& sink, CaptureContext& context) {
  if (live.kept) {
    tree::FileWriter& writer = sink.begin_file(tree::Chunking::content_defined);
    if (!live.entry.sparse) writer.write(live.content);
    for (const tree::Extent& extent : live.entry.extents)
      writer.write(
          ByteView(live.content)
              .subspan(static_cast<std::size_t>(extent.offset), static_cast<std::size_t>(extent.length)));
    context.progress.add(tree::content_bytes(live.entry), 1);
    return sink.end_file(live.entry);
  }
  Entry entry = live.entry;
  if (sink.reuse_file(entry)) return context.progress.add(tree::content_bytes(entry), 1);
  auto file = platform::open_source_file(live.path, entry);
  entry.captured = live.entry.captured;
  tree::FileWriter& writer = sink.begin_file(tree::Chunking::content_defined);
  ReadOutcome outcome = read_content(*file, entry, writer, context.cancel, context.progress);
  if (outcome.failed) throw *outcome.failed;
  if (outcome.changed)
    context.finding({"changed_while_read", live.path.string(),
                     "it was written to while it was read; what is stored may mix old and new",
                     "back up again when nobody writes to it"});
  context.progress.add(0, 1);
  sink.end_file(entry);
}

Entry folder_entry(const Path& folder, const std::string& name, Timestamp captured) {
  Entry entry = platform::open_source_directory(folder)->self();
  entry.name = name;
  entry.captured = captured;
  return entry;
}

}  // namespace

std::vector<Path> paths_of(const FileSet& set, const FindingSink& finding) {
  std::vector<Path> paths;
  std::map<std::string, Path> by_name;
  auto add = [&](const Path& path) {
    auto [it, added] = by_name.emplace(path.filename().string(), path);
    if (added)
      paths.push_back(path);
    else if (it->second != path)
      throw Error(Code::config, "two files of one item have the same name: " +
                                    printable(it->second.string()) + " and " + printable(path.string()))
          .hint("make them two items");
  };
  for (const Path& path : set.files) add(path);
  if (set.folder)
    for (const Path& path : regular_files_in(*set.folder, finding)) add(path);
  return paths;
}

std::vector<LiveFile> read_files(const FileSet& set, const FindingSink& finding) {
  std::vector<LiveFile> files;
  std::vector<Path> paths = paths_of(set, finding);
  for (const Path& path : paths) {
    try {
      if (std::filesystem::is_symlink(path))
        finding({"link_followed", path.string(),
                 "it is a link; the file that it leads to is stored in its place", ""});
      files.push_back(read_one(path, finding));
    } catch (const Error& e) {
      if (e.code() == Code::interrupted) throw;
      bool missing = e.code() == Code::not_found;
      finding({missing ? "missing_file" : "unreadable", path.string(), missing ? "it is not there" : e.what(),
               missing ? "correct the configuration, or take the file out of it" : ""});
    } catch (const std::filesystem::filesystem_error& e) {
      finding({"unreadable", path.string(), e.code().message(), ""});
    }
  }
  if (files.empty()) {
    std::string where = set.folder ? set.folder->string() : paths.empty() ? "" : paths.front().string();
    throw Error(Code::not_found,
                "cannot read " + printable(where) + ": none of the item's files is there and readable");
  }
  return files;
}

std::vector<LiveFile> capture_files(const FileSet& set, tree::TreeSink& sink, CaptureContext& context) {
  const Timestamp now = context.world.clock.now();
  std::vector<LiveFile> files = read_files(set, context.finding);
  for (LiveFile& file : files) file.entry.captured = now;

  const Path root = files.front().path.parent_path();
  std::map<std::string, const LiveFile*> in_root;
  std::map<Path, std::map<std::string, const LiveFile*>> elsewhere;
  for (const LiveFile& file : files)
    (file.path.parent_path() == root ? in_root : elsewhere[file.path.parent_path()])[file.name] = &file;
  std::map<std::string, Path> folders;  // name in the item -> folder
  for (const auto& [folder, unused] : elsewhere) {
    std::string base = folder.filename().empty() ? "root" : folder.filename().string();
    std::string name = base;
    for (int n = 2; in_root.contains(name) || folders.contains(name); ++n)
      name = base + "." + std::to_string(n);
    folders[name] = folder;
  }

  std::set<std::string> names;
  for (const auto& [name, unused] : in_root) names.insert(name);
  for (const auto& [name, unused] : folders) names.insert(name);
  sink.open_directory(folder_entry(root, "", now));
  for (const std::string& name : names) {
    context.cancel.check();
    if (auto file = in_root.find(name); file != in_root.end()) {
      store_file(*file->second, sink, context);
      continue;
    }
    sink.open_directory(folder_entry(folders[name], name, now));
    for (const auto& [unused, file] : elsewhere[folders[name]]) store_file(*file, sink, context);
    sink.close_directory();
  }
  sink.close_directory();
  return files;
}

void capture_texts(const std::map<std::string, std::string>& texts, tree::TreeSink& sink,
                   CaptureContext& context) {
  Entry root;
  root.kind = Kind::directory;
  root.mode = 0700;
  root.modified = root.changed = root.captured = context.world.clock.now();
  sink.open_directory(root);
  for (const auto& [name, text] : texts) {
    Entry entry = root;
    entry.name = name;
    entry.kind = Kind::file;
    entry.mode = 0600;
    entry.size = text.size();
    sink.begin_file(tree::Chunking::content_defined).write(as_bytes(text));
    sink.end_file(entry);
    context.progress.add(text.size(), 1);
  }
  sink.close_directory();
}

std::vector<StoredFile> stored_files(const tree::NodePtr& stored) {
  std::vector<StoredFile> files;
  if (!stored) return files;
  if (stored->entry().kind == Kind::file) return {{stored->entry().name, stored->entry().name, stored}};
  std::vector<tree::NodePtr> folders;
  stored->children([&](const tree::NodePtr& child) {
    if (child->entry().kind == Kind::directory)
      folders.push_back(child);
    else if (child->entry().kind == Kind::file)
      files.push_back({child->entry().name, child->entry().name, child});
    return true;
  });
  for (const tree::NodePtr& folder : folders)
    folder->children([&](const tree::NodePtr& child) {
      if (child->entry().kind == Kind::file)
        files.push_back({child->entry().name, folder->entry().name + "/" + child->entry().name, child});
      return true;
    });
  return files;
}

Bytes stored_content(const StoredFile& file) {
  const Entry& entry = file.node->entry();
  if (entry.size > kKeptInMemory)
    throw Error(Code::unsupported,
                "stored file '" + printable(file.path) + "' is too large to hold in memory");
  return with_holes(entry, file.node->read_all(kKeptInMemory));
}

std::optional<Bytes> stored_content(const tree::NodePtr& stored, const std::string& name) {
  for (const StoredFile& file : stored_files(stored))
    if (file.name == name) return stored_content(file);
  return std::nullopt;
}

std::optional<Bytes> digest_files(const FileSet& set) {
  std::vector<Path> paths;
  try {
    paths = paths_of(set, [](const Finding&) {});
  } catch (const Error& e) {
    if (e.code() != Code::not_found) throw;
  }
  std::sort(paths.begin(), paths.end());
  crypto::Sha256Stream hash;
  Bytes buffer(256U << 10);
  bool any = false;
  for (const Path& path : paths) {
    Entry entry;
    std::unique_ptr<platform::SourceFile> file;
    try {
      file = platform::open_source_file(path, entry);
    } catch (const Error& e) {
      if (e.code() != Code::not_found) throw;
      continue;
    }
    any = true;
    std::string head = entry.name + '\0' + std::to_string(entry.size) + '\0';
    hash.update(as_bytes(head));
    while (std::size_t n = file->read(buffer)) hash.update(ByteView(buffer).first(n));
  }
  if (!any) return std::nullopt;
  const crypto::Sha256 digest = hash.digest_so_far();
  return Bytes(digest.bytes.begin(), digest.bytes.end());
}

std::vector<Path> covered_paths(const FileSet& set) {
  std::vector<Path> paths = set.files;
  if (set.folder) paths.push_back(*set.folder);
  return paths;
}

std::uint64_t estimate_files(const FileSet& set) {
  std::uint64_t bytes = 0;
  std::error_code ignored;
  std::vector<Path> paths = set.files;
  if (set.folder)
    for (const auto& child : std::filesystem::directory_iterator(*set.folder, ignored))
      paths.push_back(child.path());
  for (const Path& path : paths) {
    if (!std::filesystem::is_regular_file(path, ignored)) continue;
    std::uintmax_t size = std::filesystem::file_size(path, ignored);
    if (!ignored) bytes += size;
  }
  return bytes;
}

}  // namespace holdfast::item
