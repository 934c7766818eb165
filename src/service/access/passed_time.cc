#include "service/access/passed_time.h"

#include <algorithm>

namespace holdfast::service {
namespace {

// A clock may be set by any number of years, again and again: longer than any session lives, and a thousand of them fit into the count.
constexpr std::int64_t kMostSeconds = 100 * 86'400;

std::chrono::nanoseconds between(Timestamp from, Timestamp to) {
  const std::int64_t seconds = std::clamp(to.seconds - from.seconds, -kMostSeconds, kMostSeconds);
  return std::chrono::seconds(seconds) + std::chrono::nanoseconds(static_cast<std::int64_t>(to.nanoseconds) - static_cast<std::int64_t>(from.nanoseconds));
}

}  // namespace

PassedTime::PassedTime(platform::Clock& clock, Rule rule)
    : clock_(clock), rule_(rule), day_(clock.now()), elapsed_(clock.elapsed()), begin_(day_.seconds) {}

std::int64_t PassedTime::seconds() {
  std::lock_guard lock(mutex_);
  const Timestamp day = clock_.now();
  const std::chrono::nanoseconds elapsed = clock_.elapsed();
  const auto by_day = between(day_, day), by_elapsed = elapsed - elapsed_;
  passed_ += std::max(std::chrono::nanoseconds(0), rule_ == Rule::at_least ? std::max(by_day, by_elapsed) : std::min(by_day, by_elapsed));
  day_ = day;
  elapsed_ = elapsed;
  return begin_ + std::chrono::duration_cast<std::chrono::seconds>(passed_).count();
}

}  // namespace holdfast::service
