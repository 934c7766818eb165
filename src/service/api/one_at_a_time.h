// Work that is done by one thread at a time and may hang, as a look at a server's folder may that does not answer:
// whoever waits is sent away when the other has been at it for too long. Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>

namespace holdfast::service {

class OneAtATime {
 public:
  explicit OneAtATime(std::chrono::milliseconds patience = std::chrono::seconds(10)) : patience_(patience) {}

  // nullptr: the one who works has not ended `patience` after it began. Else this one works until what is returned goes.
  std::shared_ptr<void> take() {
    std::unique_lock lock(mutex_);
    while (busy_) {
      const auto until = began_ + patience_;   // of the one who works now
      if (std::chrono::steady_clock::now() >= until) return nullptr;
      ended_.wait_until(lock, until);
    }
    busy_ = true;
    began_ = std::chrono::steady_clock::now();
    return {this, [](OneAtATime* self) { self->end(); }};
  }

 private:
  void end() {
    {
      std::lock_guard lock(mutex_);
      busy_ = false;
    }
    ended_.notify_all();
  }

  const std::chrono::milliseconds patience_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool busy_ = false;
  std::chrono::steady_clock::time_point began_;
};

}  // namespace holdfast::service
