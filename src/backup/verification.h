// What a run of `verify` looks at, and in which order, so that several small runs together see everything. docs/verification.md.
//
// Each pack that was read and is whole is remembered on this machine with the time. A run with a budget takes the points whose
// verification is missing or oldest, one after another, and of each the packs that were not looked at lately; when the last pack of a
// point has been looked at, the point's verification is recorded in the repository. The memory can be lost: then packs are read again.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "base/span.h"
#include "platform/clock.h"
#include "platform/file_system.h"
#include "repository/repository.h"

namespace holdfast::backup {

// What one run may read; the first limit that is reached ends it. No limit: everything.
struct Budget {
  std::optional<double> share;                 // of what there is: 0.05
  std::optional<std::uint64_t> bytes;
  std::optional<std::chrono::seconds> time;
  bool any() const { return share || bytes || time; }
};

// A verification counts for 30 days when a run with a budget decides what to read again: a month is how long a disk's silent damage
// may stay unnoticed where nobody said otherwise.
inline constexpr Span kVerificationLasts{30, Span::Unit::days};

// When the point last passed at `level` or a deeper one; nullopt: never, or damage was found since, or at a time that is still to come.
std::optional<Timestamp> last_passed(const repository::PointSummary& point, repository::Level level, Timestamp now);

// Of `points` those whose verification at `level` is missing or older than `older_than` (nullopt: all): missing ones first, newest point
// first, because that is what a recovery would take; then the oldest verification first.
std::vector<repository::PointSummary> due_for_verification(std::vector<repository::PointSummary> points, repository::Level level,
                                                           const std::optional<Span>& older_than, Timestamp now);

// When packs were last looked at, by the level. A file in the folder of local state; one that is damaged or of another version is as
// good as none.
class LookedAt {
 public:
  LookedAt(platform::FileSystem& files, platform::Path file);
  std::optional<Timestamp> when(const crypto::Sha256& pack, repository::Level level) const;   // at that level or a deeper one
  void record(const crypto::Sha256& pack, repository::Level level, Timestamp when);
  // Writes what is new and no older than a year. Errors: permission, no_space, io.
  void save(Timestamp now);

 private:
  struct Times { Timestamp bytes, content; };
  platform::FileSystem& files_;
  platform::Path file_;
  std::map<crypto::Sha256, Times> packs_;
  bool changed_ = false;
};

// The turns of one run. All arguments outlive it. Thread-safe, but for begin_point().
class VerificationRun final : public repository::PackTurns {
 public:
  // `limit`: bytes of packs, nullopt = no limit. With `remembers` false only what this run itself has read is known.
  VerificationRun(repository::Level level, std::optional<std::uint64_t> limit, std::optional<std::chrono::seconds> time, bool remembers,
                  Timestamp counts_since, LookedAt& memory, platform::Clock& clock);

  // Before each point: packs looked at before its last verification do not count for its next one.
  void begin_point(const std::optional<Timestamp>& last_passed);
  // `size` bytes more that are read otherwise (a restore).
  void take(std::uint64_t size);
  bool used_up() const;

  Turn turn(const crypto::Sha256& pack, std::uint64_t size) override;
  void whole(const crypto::Sha256& pack, std::uint64_t size) override;

 private:
  bool room_for(std::uint64_t size) const;

  repository::Level level_;
  std::optional<std::uint64_t> limit_;
  std::optional<std::chrono::nanoseconds> end_;
  bool remembers_;
  Timestamp counts_since_, since_;
  LookedAt& memory_;
  platform::Clock& clock_;
  mutable std::mutex mutex_;
  std::map<crypto::Sha256, bool> here_;   // taken in this run; true: whole
  std::uint64_t taken_ = 0, unsaved_ = 0;
};

}  // namespace holdfast::backup
