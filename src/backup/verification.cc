#include "backup/verification.h"

#include <algorithm>

#include "backup/retention.h"
#include "base/error.h"
#include "base/wire.h"
#include "crypto/hash.h"

namespace holdfast::backup {
namespace {

using repository::Level;
using repository::PointSummary;

// "<title> ‖ (pack, seconds at bytes, seconds at content)* ‖ SHA-256 of everything before".
constexpr std::string_view kTitle = "holdfast packs looked at 1\n";
constexpr std::size_t kRecord = crypto::Sha256::kSize + 2 * sizeof(std::int64_t);
constexpr std::uint64_t kFileLimit = UINT64_C(1) << 28;   // 5 million packs
constexpr Span kForgotten{1, Span::Unit::years};
// So many bytes are read before the memory is written again: what a kill at most makes the next run read once more.
constexpr std::uint64_t kSaveEvery = UINT64_C(16) << 30;

bool to_come(Timestamp t, Timestamp now) { return t.seconds > now.seconds + kClockTolerance; }

}  // namespace

std::optional<Timestamp> last_passed(const PointSummary& point, Level level, Timestamp now) {
  if (point.verification_failed) return std::nullopt;
  std::optional<Timestamp> newest;
  for (const auto& [passed, when] : point.passed)
    if (passed >= level && !to_come(when, now) && (!newest || when > *newest)) newest = when;
  return newest;
}

std::vector<PointSummary> due_for_verification(std::vector<PointSummary> points, Level level, const std::optional<Span>& older_than,
                                               Timestamp now) {
  if (older_than)
    std::erase_if(points, [&](const PointSummary& p) {
      auto passed = last_passed(p, level, now);
      return passed && *passed >= before(now, *older_than);
    });
  std::sort(points.begin(), points.end(), [](const PointSummary& a, const PointSummary& b) {
    return a.finished != b.finished ? a.finished > b.finished : a.id < b.id;
  });
  std::stable_sort(points.begin(), points.end(), [&](const PointSummary& a, const PointSummary& b) {
    return last_passed(a, level, now) < last_passed(b, level, now);   // nullopt comes first
  });
  return points;
}

// ---- LookedAt -----------------------------------------------------------------------------------------------------

LookedAt::LookedAt(platform::FileSystem& files, platform::Path file) : files_(files), file_(std::move(file)) {
  Bytes bytes;
  try {
    bytes = files_.read_all(file_, kFileLimit);
  } catch (const Error&) {
    return;   // a memory that cannot be read is as good as none: packs are read again
  }
  if (bytes.size() < kTitle.size() + crypto::Sha256::kSize) return;
  ByteView whole = ByteView(bytes).first(bytes.size() - crypto::Sha256::kSize);
  if (as_text(whole.first(kTitle.size())) != kTitle || (whole.size() - kTitle.size()) % kRecord != 0) return;
  if (crypto::sha256(whole) != crypto::Sha256::from(ByteView(bytes).last(crypto::Sha256::kSize))) return;
  Reader r(whole.subspan(kTitle.size()), "the packs that were looked at");
  while (!r.at_end()) {
    auto pack = r.id<crypto::Sha256>();
    Times& times = packs_[pack];
    times.bytes = {r.i64(), 0};
    times.content = {r.i64(), 0};
  }
}

std::optional<Timestamp> LookedAt::when(const crypto::Sha256& pack, Level level) const {
  auto it = packs_.find(pack);
  if (it == packs_.end()) return std::nullopt;
  Timestamp t = level >= Level::content ? it->second.content : std::max(it->second.bytes, it->second.content);
  return t == Timestamp{} ? std::nullopt : std::optional(t);
}

void LookedAt::record(const crypto::Sha256& pack, Level level, Timestamp when) {
  Times& times = packs_[pack];
  (level >= Level::content ? times.content : times.bytes) = {when.seconds, 0};
  changed_ = true;
}

void LookedAt::save(Timestamp now) {
  if (!changed_) return;
  const Timestamp oldest = before(now, kForgotten);
  Writer w;
  w.raw(as_bytes(kTitle));
  for (const auto& [pack, times] : packs_)
    if (std::max(times.bytes, times.content) >= oldest) w.raw(pack.view()).i64(times.bytes.seconds).i64(times.content.seconds);
  crypto::Sha256 hash = crypto::sha256(w.bytes());
  w.raw(hash.view());
  files_.make_directories(file_.parent_path(), 0700);
  files_.replace(file_, w.bytes(), 0600);
  changed_ = false;
}

// ---- VerificationRun ----------------------------------------------------------------------------------------------

VerificationRun::VerificationRun(Level level, std::optional<std::uint64_t> limit, std::optional<std::chrono::seconds> time, bool remembers,
                                 Timestamp counts_since, LookedAt& memory, platform::Clock& clock)
    : level_(level), limit_(limit), remembers_(remembers), counts_since_(counts_since), since_(counts_since), memory_(memory), clock_(clock) {
  if (time) end_ = clock_.elapsed() + *time;
}

void VerificationRun::begin_point(const std::optional<Timestamp>& last_passed) {
  since_ = last_passed ? std::max(counts_since_, *last_passed) : counts_since_;
}

void VerificationRun::take(std::uint64_t size) {
  std::lock_guard lock(mutex_);
  taken_ += size;
}

bool VerificationRun::used_up() const {
  std::lock_guard lock(mutex_);
  return !room_for(1);
}

// Something is read in every run, however small its budget: a pack that is larger than the budget would never get its turn.
bool VerificationRun::room_for(std::uint64_t size) const {
  if (taken_ == 0) return true;
  return (!limit_ || (taken_ <= *limit_ && size <= *limit_ - taken_)) && (!end_ || clock_.elapsed() < *end_);
}

repository::PackTurns::Turn VerificationRun::turn(const crypto::Sha256& pack, std::uint64_t size) {
  std::lock_guard lock(mutex_);
  if (auto it = here_.find(pack); it != here_.end()) return it->second ? Turn::known : Turn::now;   // damaged: blamed for this point too
  if (remembers_)
    if (auto when = memory_.when(pack, level_); when && *when > since_ && !to_come(*when, clock_.now())) return Turn::known;
  if (!room_for(size)) return Turn::later;
  taken_ += size;
  here_[pack] = false;
  return Turn::now;
}

void VerificationRun::whole(const crypto::Sha256& pack, std::uint64_t size) {
  std::lock_guard lock(mutex_);
  here_[pack] = true;
  memory_.record(pack, level_, clock_.now());
  unsaved_ += size;
  if (unsaved_ < kSaveEvery) return;
  unsaved_ = 0;
  memory_.save(clock_.now());
}

}  // namespace holdfast::backup
