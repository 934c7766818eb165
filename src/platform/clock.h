// Time of day and a clock that only goes forward.
#pragma once

#include <chrono>

#include "base/time.h"

namespace holdfast::platform {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp now() = 0;                                   // UTC
  virtual std::chrono::nanoseconds elapsed() = 0;                // monotonic, from an arbitrary start
  virtual void sleep(std::chrono::milliseconds duration) = 0;
};

Clock& real_clock();

}  // namespace holdfast::platform
