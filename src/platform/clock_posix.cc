#include <time.h>

#include <thread>

#include "platform/clock.h"

namespace holdfast::platform {
namespace {

class PosixClock final : public Clock {
 public:
  Timestamp now() override {
    timespec t = read(CLOCK_REALTIME);
    return {t.tv_sec, static_cast<std::uint32_t>(t.tv_nsec)};
  }
  std::chrono::nanoseconds elapsed() override {
    timespec t = read(CLOCK_MONOTONIC);
    return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
  }
  void sleep(std::chrono::milliseconds duration) override { std::this_thread::sleep_for(duration); }

 private:
  static timespec read(clockid_t clock) {
    timespec t{};
    ::clock_gettime(clock, &t);   // cannot fail for these two clocks
    return t;
  }
};

}  // namespace

Clock& real_clock() {
  static PosixClock clock;
  return clock;
}

}  // namespace holdfast::platform
