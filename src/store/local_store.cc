#include "store/local_store.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <set>

#include "base/error.h"
#include "base/parallel.h"
#include "base/text.h"
#include "platform/entropy.h"
#include "store/open_files.h"

namespace holdfast::store {
namespace {

using platform::FileInfo;
using platform::FileSystem;
using platform::Path;
using platform::ReadFile;

constexpr std::uint32_t kFolderMode = 0700;
constexpr std::uint32_t kFileMode = 0600;
constexpr std::string_view kPacks = "pack/";
constexpr std::size_t kHashDigits = 64;
constexpr std::uint64_t kBypassCacheFrom = 1U << 20;  // packs; small objects are read again soon
// A flush waits for what others are writing (6 ms of a busy disk); the kernel makes one of several at a time.
constexpr std::size_t kSyncThreads = 8;
constexpr std::int64_t kStaleSeconds = 3 * 24 * 60 * 60;  // no put takes three days, nor does a run between two syncs

bool is_pack(std::string_view name) {
  return name.starts_with(kPacks) && name.size() == kPacks.size() + kHashDigits &&
         std::all_of(name.begin() + kPacks.size(), name.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// Where an object is kept below the root.
Path path_of(std::string_view name) {
  if (!is_pack(name)) return name;
  std::string_view hash = name.substr(kPacks.size());
  return Path(kPacks) / hash.substr(0, 2) / hash;
}

// The object kept at a path below the root; "" when the file there is not one of ours.
std::string name_at(const std::string& path) {
  if (!is_object_name(path) || path.starts_with("tmp/")) return "";
  if (!path.starts_with(kPacks)) return path;
  std::string name = std::string(kPacks) + Path(path).filename().native();
  return is_pack(name) && path_of(name) == path ? name : "";
}

class LocalStore final : public ObjectStore {
 public:
  LocalStore(FileSystem& files, Path root, std::uint64_t device)
      : files_(files), root_(std::move(root)), device_(device) {}

  ~LocalStore() override {
    try {
      forget_unsynced(unsynced_.all());
    } catch (...) {
      // A test's file system that is dead. They stay in tmp/ until they are old.
    }
  }

  using ObjectStore::put;
  void put(const std::string& name, std::span<const ByteView> parts) override {
    check(name);
    try {
      store(name, parts);
    } catch (const Error& e) {
      say_what_is_safe(e, name);
    }
  }

  void put_unsynced(const std::string& name, ByteView bytes) override {
    check(name);
    if (unsynced_.full() || files_.exists(root_ / path_of(name))) return put(name, bytes);
    try {
      prepare_for_writing();
      UnsyncedFiles::File file = write_temporary(std::span(&bytes, 1), bytes.size());
      if (!unsynced_.add(name, file)) discard(file.temporary);
    } catch (const Error& e) {
      say_what_is_safe(e, name);
    }
  }

  void sync() override {
    std::lock_guard one_at_a_time(syncing_);
    const UnsyncedFiles::Files batch = unsynced_.all();
    if (batch.empty()) return;
    try {
      std::vector<platform::WriteFile*> files;
      for (const auto& [name, file] : batch) files.push_back(file.handle.get());
      in_parallel(files.size(), kSyncThreads, [&](std::size_t i) { files[i]->sync(); });
      give_names(batch);
    } catch (const Error& e) {
      forget_unsynced(batch);
      say_what_is_safe(e, batch.begin()->first);
    }
  }

  Bytes get(const std::string& name, std::uint64_t limit) override {
    check(name);
    auto file = open(name);
    std::uint64_t size = file->size();
    if (size > limit)
      throw damaged(name, "it is larger (" + human_count(size) + " bytes) than an object of its kind can be");
    Bytes content(static_cast<std::size_t>(size));
    if (file->read_at(0, content) != content.size())
      throw damaged(name, "it became shorter while it was read");
    return content;
  }

  void get_range(const std::string& name, std::uint64_t offset, MutableBytes out) override {
    check(name);
    std::shared_ptr<ReadFile> file = handles_.find(name);
    if (!file) {
      file = open(name);
      handles_.keep(name, file);
    }
    bool whole = false;
    try {
      whole = offset <= file->size() && out.size() <= file->size() - offset &&
              file->read_at(offset, out) == out.size();
    } catch (const Error&) {
      handles_.forget(name);  // a handle of a network file system may be dead while the file is not
      throw;
    }
    if (whole) return;
    handles_.forget(name);
    throw damaged(name, "it ends before " + human_count(out.size()) + " bytes at " + human_count(offset) +
                            " could be read");
  }

  std::optional<ObjectInfo> info(const std::string& name) override {
    check(name);
    auto found = info_unsynced(name);
    if (!found) found = files_.info(root_ / path_of(name));
    if (!found) expect_root();
    if (!found || found->kind != FileInfo::Kind::file) return std::nullopt;
    return ObjectInfo{name, found->size, found->modified};
  }

  void list(std::string_view prefix, const std::function<void(const ObjectInfo&)>& visit) override {
    if (prefix.ends_with('/')) prefix.remove_suffix(1);
    expect_root();
    // First these, and then the others: one of them may get its name in between.
    std::set<std::string> unsynced;
    for (const auto& [name, file] : unsynced_.all()) {
      if (!has_prefix(name, prefix)) continue;
      auto found = info(name);
      if (!found) continue;
      visit(*found);
      unsynced.insert(name);
    }
    auto others = [&](const ObjectInfo& object) {
      if (!unsynced.contains(object.name)) visit(object);
    };
    if (prefix.empty()) return walk("", others);
    std::string below = path_of(prefix).native();
    auto found = files_.info(root_ / below);
    if (!found) return;
    if (found->kind == FileInfo::Kind::directory)
      walk(below, others);
    else if (std::string name = name_at(below); !name.empty()) {
      others({name, found->size, found->modified});
      sync_names((root_ / below).parent_path());
    }
  }

  void remove(const std::string& name) override {
    check(name);
    handles_.forget(name);
    forget_unsynced(name);
    Path path = root_ / path_of(name);
    try {
      files_.remove(path);
    } catch (const Error& e) {
      if (e.code() != Code::not_found) throw;
      return;
    }
    // A key slot or record that comes back after a power loss would undo what was done. A pack that comes
    // back is only room to be freed again, and there are many.
    if (!is_pack(name)) files_.sync_directory(path.parent_path());
  }

  std::string location() const override { return root_.native(); }
  std::optional<std::uint64_t> free_bytes() override { return files_.free_bytes(root_); }

 private:
  static void check(std::string_view name) {
    check_name(name);
    if (name == "tmp" || name.starts_with("tmp/"))
      throw Error(Code::defect, "'" + std::string(name) + "' is not a name of an object");
    if (name.starts_with(kPacks) && !is_pack(name))
      throw Error(Code::defect, "'" + std::string(name) + "' is not a name of a pack");
  }

  // Called where `e` was caught.
  [[noreturn]] void say_what_is_safe(const Error& e, const std::string& name) const {
    if (e.code() != Code::no_space) throw;
    throw Error(Code::no_space, "cannot store " + name + " in " + location())
        .os(e.os_error())
        .safe("earlier recovery points are whole")
        .hint("free some space there and run the same command again");
  }

  Error damaged(const std::string& name, const std::string& why) const {
    return Error(Code::damaged, "object " + name + " in " + printable(location()) + " is damaged: " + why)
        .hint("'holdfast check' names every damaged object");
  }

  std::unique_ptr<ReadFile> open(const std::string& name) {
    if (auto file = open_unsynced(name)) return file;
    Path path = root_ / path_of(name);
    try {
      return files_.open(path, {.bypass_cache = is_pack(name)});
    } catch (const Error& e) {
      if (e.code() != Code::not_found && !is_folder(path)) throw;
      expect_root();
      throw Error(Code::not_found, "there is no object " + name + " in " + printable(location()));
    }
  }

  bool is_folder(const Path& path) {
    auto found = files_.info(path);
    return found && found->kind == FileInfo::Kind::directory;
  }

  void store(const std::string& name, std::span<const ByteView> parts) {
    prepare_for_writing();
    std::uint64_t size = 0;
    for (ByteView p : parts) size += p.size();
    Path path = root_ / path_of(name);
    Path folder = path.parent_path();
    auto found = files_.info(path);
    // Of another size it is torn, of another content damaged: the name is made of the hash of the content.
    if (found && found->kind == FileInfo::Kind::file && found->size == size && holds(path, parts)) {
      // Its contents were synced before it got this name; the name may have been given just before a failure.
      make_folder(folder);
      files_.sync_directory(folder);
      return;
    }
    auto [temporary, handle] = write_temporary(parts, size);
    try {
      handle->sync();
      handle.reset();
      make_folder(folder);
      files_.rename(temporary, path);
    } catch (const Error&) {
      discard(temporary);
      throw;
    }
    handles_.forget(name);
    files_.sync_directory(folder);
  }

  bool holds(const Path& path, std::span<const ByteView> parts) {
    constexpr std::size_t kStep = std::size_t{256} << 10;
    try {
      std::unique_ptr<ReadFile> file = files_.open(path);
      Bytes there(kStep);
      std::uint64_t at = 0;
      for (ByteView rest : parts) {
        while (!rest.empty()) {
          MutableBytes part = MutableBytes(there).first(std::min(kStep, rest.size()));
          if (file->read_at(at, part) != part.size()) return false;
          if (!std::equal(part.begin(), part.end(), rest.begin())) return false;
          at += part.size();
          rest = rest.subspan(part.size());
        }
      }
      return true;
    } catch (const Error& e) {
      if (e.code() == Code::interrupted) throw;
      return false;  // it cannot be read: written again
    }
  }

  // Not durable.
  UnsyncedFiles::File write_temporary(std::span<const ByteView> parts, std::uint64_t size) {
    std::array<std::uint8_t, 16> token{};
    platform::real_entropy().fill(token);
    Path temporary = root_ / "tmp" / to_hex(token);
    platform::CreateOptions options;
    options.mode = kFileMode;
    options.bypass_cache = size >= kBypassCacheFrom;
    std::unique_ptr<platform::WriteFile> file;
    try {
      file = files_.create(temporary, options);
    } catch (const Error& e) {
      if (e.code() == Code::not_found) throw gone();
      throw;
    }
    try {
      for (ByteView p : parts) file->write(p);
      file->flush();
    } catch (const Error&) {
      file.reset();
      discard(temporary);
      throw;
    }
    return {temporary, std::move(file)};
  }

  // -- what is not synced

  void give_names(const UnsyncedFiles::Files& synced) {
    std::set<Path> folders;
    for (const auto& [name, file] : synced) folders.insert((root_ / path_of(name)).parent_path());
    make_folders(folders);
    for (const auto& [name, file] : synced) {
      files_.rename(file.temporary, root_ / path_of(name));
      unsynced_.take(name);
    }
    const std::vector<Path> changed(folders.begin(), folders.end());
    in_parallel(changed.size(), kSyncThreads, [&](std::size_t i) { files_.sync_directory(changed[i]); });
  }

  void forget_unsynced(const UnsyncedFiles::Files& batch) {
    for (const auto& [name, file] : batch) forget_unsynced(name);
  }

  void forget_unsynced(const std::string& name) {
    std::optional<UnsyncedFiles::File> file = unsynced_.take(name);
    if (!file) return;
    handles_.forget(name);
    discard(file->temporary);
  }

  std::unique_ptr<ReadFile> open_unsynced(const std::string& name) {
    auto temporary = unsynced_.temporary_of(name);
    if (!temporary) return nullptr;
    try {
      return files_.open(*temporary, {.bypass_cache = is_pack(name)});
    } catch (const Error& e) {
      if (e.code() != Code::not_found) throw;
      return nullptr;  // it got its name just now
    }
  }

  std::optional<FileInfo> info_unsynced(const std::string& name) {
    auto temporary = unsynced_.temporary_of(name);
    if (!temporary) return std::nullopt;
    return files_.info(*temporary);
  }

  void discard(const Path& temporary) {
    try {
      files_.remove(temporary);
    } catch (const Error&) {
      // It stays in tmp/ and is removed when it is three days old. What failed first is what the caller must hear.
    }
  }

  Error gone() const {
    return Error(Code::unavailable, "the folder " + printable(location()) + " is not there any more")
        .safe("nothing was stored in its place")
        .hint("is its disk still mounted?");
  }

  // What is missing is missing from the store, not because the store is gone.
  void expect_root() {
    auto found = files_.info(root_);
    if (!found || found->device != device_) throw gone();
  }

  // Once, at the first put. Later tmp/ is never made again: a missing one tells that the disk is gone.
  void prepare_for_writing() {
    std::lock_guard lock(mutex_);
    if (prepared_) return;
    expect_root();
    files_.make_directories(root_ / "tmp", kFolderMode);
    remove_stale();
    prepared_ = true;
  }

  // Ages are differences between times of the store's own file system: no clock of ours is involved.
  void remove_stale() {
    Path marker = root_ / "tmp" / "now";
    platform::CreateOptions options;
    options.mode = kFileMode;
    options.truncate = true;
    files_.create(marker, options);
    auto now = files_.info(marker);
    for (const FileSystem::Child& c : files_.list(root_ / "tmp"))
      if (now && c.info.kind == FileInfo::Kind::file &&
          (c.name == "now" || c.info.modified.seconds < now->modified.seconds - kStaleSeconds))
        discard(root_ / "tmp" / c.name);
  }

  void make_folder(const Path& folder) { make_folders({folder}); }

  // Makes the folders and those above them durable, once each.
  void make_folders(const std::set<Path>& folders) {
    std::lock_guard lock(folders_mutex_);
    std::set<Path> fresh, parents;
    for (const Path& folder : folders) {
      Path at = root_;
      for (const Path& part : folder.lexically_relative(root_)) {
        Path parent = at;
        at /= part;
        if (durable_folders_.contains(at) || !fresh.insert(at).second) continue;
        // One that is there may be of another run, which was stopped before it made it durable.
        if (!files_.info(at)) make_one(at);
        parents.insert(parent);
      }
    }
    for (const Path& parent : parents) files_.sync_directory(parent);
    durable_folders_.merge(fresh);
  }

  void make_one(const Path& folder) {
    try {
      files_.make_directory(folder, kFolderMode);
    } catch (const Error& e) {
      if (e.code() == Code::not_found) throw gone();
      if (e.code() != Code::already_exists) throw;  // another run was faster
    }
  }

  void walk(const std::string& below, const std::function<void(const ObjectInfo&)>& visit) {
    bool any = false;
    for (const FileSystem::Child& c : children(root_ / below)) {
      std::string at = below.empty() ? c.name : below + "/" + c.name;
      if (!is_object_name("x/" + c.name)) continue;
      FileInfo found = c.info;
      if (found.kind ==
          FileInfo::Kind::other) {  // a link, for example to packs that were moved to a larger disk
        auto target = files_.info(root_ / at);
        if (!target) continue;
        found = *target;
      }
      if (found.kind == FileInfo::Kind::directory) {
        walk(at, visit);
      } else if (std::string name = name_at(at); !name.empty() && found.kind == FileInfo::Kind::file) {
        any = any || !is_pack(name);
        visit({name, found.size, found.modified});
      }
    }
    if (any) sync_names(root_ / below);
  }

  // A run that was stopped may have given a name that a power failure takes back. Whoever saw the object builds on it: that it
  // wrote the newest record of a log, for example.
  void sync_names(const Path& folder) {
    try {
      files_.sync_directory(folder);
    } catch (const Error&) {
      std::lock_guard lock(mutex_);
      if (prepared_) throw;  // reading must be possible from what cannot be written any more
    }
  }

  std::vector<FileSystem::Child> children(const Path& folder) {
    try {
      return files_.list(folder);
    } catch (const Error& e) {
      if (e.code() != Code::not_found || folder == root_) throw;
      return {};  // removed since its parent was listed
    }
  }

  FileSystem& files_;
  const Path root_;
  const std::uint64_t device_;
  OpenHandles handles_;
  UnsyncedFiles unsynced_;
  std::mutex syncing_;  // held by whoever makes it durable
  std::mutex mutex_;
  bool prepared_ = false;
  std::mutex folders_mutex_;
  std::set<Path> durable_folders_;
};

}  // namespace

std::unique_ptr<ObjectStore> open_local_store(FileSystem& files, Path root, bool create) {
  if (!root.has_filename() && root.has_relative_path()) root = root.parent_path();  // "/backup/ns01/"
  auto found = files.info(root);
  if (create && (!found || found->kind == FileInfo::Kind::directory)) {
    files.make_directories(root, kFolderMode);
    found = files.info(root);
  }
  const std::string shown = printable(root.native());
  if (!found)
    throw Error(Code::not_found, "there is no repository at " + shown + ": there is no such folder")
        .hint("is its disk mounted? 'holdfast init' makes a new repository");
  if (found->kind != FileInfo::Kind::directory)
    throw Error(Code::usage, "cannot open repository " + shown + ": it is a file, not a folder")
        .hint("a backup file is read with --from FILE or taken in with 'holdfast import FILE'");
  return std::make_unique<LocalStore>(files, std::move(root), found->device);
}

bool open_to_others(FileSystem& files, const Path& root) {
  auto found = files.info(root);
  return found && (found->mode & 077U) != 0;
}

}  // namespace holdfast::store
