// A file system that fails on demand, around another one. For tests only.
//
// Every call, also those of the handles it gave out, is counted in the order in which it starts. "Fail the Nth call, for
// every N, once and from then on" is how a caller is shown to survive anything. Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "platform/file_system.h"

namespace holdfast::platform {

// Thrown where the program is meant to die. Not an Error: no cleanup that runs on errors may run.
struct Killed {};

enum class FileCall : std::uint8_t {
  open, read, create, append, write, sync, rename, remove, make_directory, sync_directory, info, list, free_bytes,
};
inline constexpr std::size_t kFileCalls = 13;

class FaultyFileSystem final : public FileSystem {
 public:
  explicit FaultyFileSystem(FileSystem& inner) : inner_(inner) {}

  enum class Repeat : std::uint8_t { once, from_then_on };
  // The `nth` call from now (1 = the next; of `kind` only, when given) fails with `error_number` before it does anything.
  void fail(std::uint64_t nth, Repeat repeat, int error_number, std::optional<FileCall> kind = std::nullopt);
  // The `nth` call from now and every later one throws Killed.
  void kill(std::uint64_t nth);
  // The same for the `nth` call that changes something: what is on the disk is the same between two of them. A write that is
  // hit has written its first half.
  void kill_at_change(std::uint64_t nth);
  // At most this many more bytes are written; the write that goes over it writes what fits and fails with ENOSPC.
  // Removing a file gives its bytes back. nullopt: no limit.
  void set_budget(std::optional<std::uint64_t> bytes);
  // No fault any more; counters at zero.
  void reset();

  std::uint64_t calls() const;
  std::uint64_t calls(FileCall kind) const;
  std::uint64_t changes() const;   // calls that change something: everything from create to sync_directory in the enum

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
  bool can_write(const Path& folder) override;                            // counted as info
  Bytes read_stream(const Path& path, std::uint64_t limit) override;      // counted as open

  // For the handles: counts a call and throws when it is to fail.
  void count(FileCall kind, const Path& path);
  // How many of `wanted` bytes still fit; takes them from the budget.
  std::size_t take_budget(std::size_t wanted);
  // Whether this call, which was just killed, is the one that the kill was meant for. Says so once.
  bool take_half_write();

 private:
  struct Fault {
    std::uint64_t in = 0;   // calls until it strikes
    Repeat repeat = Repeat::once;
    int error_number = 0;   // 0: Killed
    std::optional<FileCall> kind;
    bool changes_only = false, struck = false;
  };

  FileSystem& inner_;
  mutable std::mutex mutex_;
  std::array<std::uint64_t, kFileCalls> counts_{};
  std::optional<Fault> fault_;
  std::optional<std::uint64_t> budget_;
  bool half_write_ = false;
};

}  // namespace holdfast::platform
