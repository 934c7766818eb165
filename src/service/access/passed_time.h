// How much time has passed, although somebody may set the clock.
//
// Begins with the time of day and then goes on by what passes on two clocks: the time of day, and the one that only goes forward but stands still while the
// machine sleeps. Never goes back. Two answers, for two questions (docs/service.md, "Clocks that are set"):
//   at_least   what must end on time (sessions, tokens): the larger of both. A clock that is set back lengthens nothing.
//   at_most    what must last (waiting after failures): the smaller. A clock that is set forward shortens nothing.
// Of a process: a new one begins with the time of day again. Thread-safe.
#pragma once

#include <mutex>

#include "base/time.h"
#include "platform/clock.h"

namespace holdfast::service {

class PassedTime {
 public:
  enum class Rule { at_least, at_most };
  PassedTime(platform::Clock& clock, Rule rule);
  std::int64_t seconds();   // since 1970, had nobody set the clock

 private:
  platform::Clock& clock_;
  const Rule rule_;
  std::mutex mutex_;
  Timestamp day_;
  std::chrono::nanoseconds elapsed_, passed_{0};
  const std::int64_t begin_;
};

}  // namespace holdfast::service
