// A file system in memory that forgets what was not synced, as a disk does when the power goes. For tests only.
//
// What it models: contents are durable after WriteFile::sync(), names after sync_directory() of their folder. A rename
// is one step: after a loss it has happened wholly or not at all. What it does not model: permissions (modes are kept,
// not enforced), links, special files. Paths may be relative: they start at its root, which is its only folder at first.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "platform/clock.h"
#include "platform/file_system.h"

namespace holdfast::platform {

class MemoryFileSystem final : public FileSystem {
 public:
  explicit MemoryFileSystem(Clock& clock = real_clock());
  ~MemoryFileSystem() override;

  std::unique_ptr<ReadFile> open(const Path& path, OpenOptions options = {}) override;
  std::unique_ptr<WriteFile> create(const Path& path, CreateOptions options = {}) override;
  std::unique_ptr<WriteFile> append(const Path& path) override;
  void rename(const Path& from, const Path& to) override;
  void remove(const Path& path) override;
  void make_directory(const Path& path, std::uint32_t mode = 0700) override;
  void sync_directory(const Path& path) override;
  std::optional<FileInfo> info(const Path& path) override;
  std::vector<Child> list(const Path& path) override;
  std::uint64_t free_bytes(const Path& path) override;

  // The power goes and comes back. Without a seed nothing survives that was not synced. With a seed each unsynced change
  // of a name survives by chance, and unsynced contents survive in part: torn anywhere, with blocks of zeros.
  // Handles opened before are dead: every call of theirs is Error(io).
  void lose_unsynced(std::optional<std::uint64_t> seed = std::nullopt);

  // Lets a test change the content of a file behind everybody's back, durably.
  void edit(const Path& path, const std::function<void(Bytes&)>& change);

  struct Node;   // private: known to the handles in the .cc file

 private:
  struct NameChange;
  struct Place;
  std::shared_ptr<Node> find(const Path& path) const;
  Place place_of(const Path& path, const char* verb) const;
  void change_names(std::vector<NameChange> changes);
  Timestamp now() { return clock_.now(); }

  Clock& clock_;
  mutable std::mutex mutex_;
  std::shared_ptr<Node> root_;
  std::vector<std::vector<NameChange>> unsynced_;   // in the order in which they were made; each wholly or not at all
  std::uint64_t losses_ = 0;
  friend struct MemoryHandle;
};

}  // namespace holdfast::platform
