// A request to stop, safe to raise from a signal handler and to read from any thread.
#pragma once

#include <atomic>

#include "base/error.h"

namespace holdfast {

class Cancel {
 public:
  void raise() noexcept { raised_.store(true, std::memory_order_relaxed); }
  bool raised() const noexcept { return raised_.load(std::memory_order_relaxed); }
  // Throws Error(interrupted) once raised. Call it between steps that may be stopped.
  void check() const {
    if (raised()) throw Error(Code::interrupted, "interrupted");
  }

 private:
  std::atomic<bool> raised_{false};
  static_assert(std::atomic<bool>::is_always_lock_free);
};

}  // namespace holdfast
