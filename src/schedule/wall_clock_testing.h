// The C library's idea of local time: what the tests compare ours with. Changes TZ of the process: one at a time.
#pragma once

#include <time.h>

#include <cstdint>
#include <cstdlib>
#include <string>

namespace holdfast::schedule {

class WallClock {
 public:
  explicit WallClock(const std::string& zone) {
    ::setenv("TZ", zone.c_str(), 1);
    ::tzset();
  }
  ~WallClock() {
    ::unsetenv("TZ");
    ::tzset();
  }
  WallClock(const WallClock&) = delete;
  WallClock& operator=(const WallClock&) = delete;

  // What the wall shows, counted as if it were UTC.
  std::int64_t local(std::int64_t instant) const {
    const time_t t = instant;
    tm parts{};
    ::localtime_r(&t, &parts);
    return ::timegm(&parts);
  }
};

}  // namespace holdfast::schedule
