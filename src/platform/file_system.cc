#include "platform/file_system.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "platform/entropy.h"

namespace holdfast::platform {
namespace {

Path folder_of(const Path& path) {
  Path parent = path.parent_path();
  return parent.empty() ? Path(".") : parent;
}

}  // namespace

Bytes FileSystem::read_all(const Path& path, std::uint64_t limit) {
  auto file = open(path);
  auto too_large = [&] {
    return Error(Code::unsupported,
                 "cannot read " + printable(path.native()) + ": it is larger than " + human_bytes(limit));
  };
  if (file->size() > limit) throw too_large();
  Bytes content(static_cast<std::size_t>(file->size()));
  std::size_t have = 0;
  // A file may grow while it is read, and those of /proc say that they are empty: read until there is nothing
  // more.
  while (true) {
    if (have == content.size()) content.resize(have + 4096);
    std::size_t n = file->read_at(have, MutableBytes(content).subspan(have));
    if (n == 0) break;
    have += n;
    if (have > limit) throw too_large();
  }
  content.resize(have);
  return content;
}

void FileSystem::replace(const Path& path, ByteView content, std::uint32_t mode) {
  CreateOptions options;
  options.mode = mode;
  replace(path, content, options);
}

void FileSystem::rewrite(const Path& path, ByteView content) {
  CreateOptions options;
  options.like = path;
  replace(path, content, options);
}

void FileSystem::replace(const Path& path, ByteView content, const CreateOptions& options) {
  std::array<std::uint8_t, 8> token{};
  real_entropy().fill(token);
  Path folder = folder_of(path);
  Path temporary = folder / (".holdfast-" + to_hex(token) + ".tmp");
  try {
    auto file = create(temporary, options);
    file->write(content);
    file->sync();
    file.reset();
    rename(temporary, path);
  } catch (const Error&) {
    try {
      remove(temporary);
    } catch (const Error&) {
      // What went wrong first is what the caller must hear.
    }
    throw;
  }
  sync_directory(folder);
}

void FileSystem::make_directories(const Path& path, std::uint32_t mode) {
  const Path plain = path.has_filename() ? path : path.parent_path();
  const Path parent = folder_of(plain);
  if (auto found = info(plain)) {
    if (found->kind != FileInfo::Kind::directory)
      throw Error(Code::already_exists,
                  "cannot make folder " + printable(path.native()) + ": a file has this name");
    // An earlier run may have made it and been stopped before its name was durable.
    try {
      sync_directory(parent);
    } catch (const Error& e) {
      if (e.code() != Code::permission) throw;  // then that folder is not ours, and neither is this name
    }
    return;
  }
  if (parent != plain) make_directories(parent, mode);
  try {
    make_directory(plain, mode);
  } catch (const Error& e) {
    // Another run or thread may have been first.
    if (e.code() != Code::already_exists) throw;
    auto found = info(plain);
    if (!found || found->kind != FileInfo::Kind::directory) throw;
  }
  sync_directory(parent);
}

bool FileSystem::can_write(const Path& folder) { return exists(folder); }

namespace {

struct HeldPaths {
  std::mutex mutex;
  std::condition_variable given_up;
  std::set<Path> paths;
};
HeldPaths& held_paths() {
  static HeldPaths held;
  return held;
}

class ProcessLock final : public FileLock {
 public:
  explicit ProcessLock(Path path) : path_(std::move(path)) {}
  ~ProcessLock() override {
    std::lock_guard guard(held_paths().mutex);
    held_paths().paths.erase(path_);
    held_paths().given_up.notify_all();
  }

 private:
  Path path_;
};

}  // namespace

std::unique_ptr<FileLock> FileSystem::lock(const Path& path, std::chrono::milliseconds patience) {
  HeldPaths& held = held_paths();
  std::unique_lock guard(held.mutex);
  if (!held.given_up.wait_for(guard, patience, [&] { return !held.paths.contains(path); }))
    throw Error(Code::busy, "cannot lock " + printable(path.native()) + ": somebody else holds it");
  held.paths.insert(path);
  return std::make_unique<ProcessLock>(path);
}

}  // namespace holdfast::platform
