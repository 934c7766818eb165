// The same work on many things, by a few threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace holdfast::repository {

// `workers`: 0 = one more than the machine has cores, as one waits for the disk; at most 4 (each may hold a pack).
inline unsigned check_workers(unsigned workers) {
  return workers != 0 ? workers : std::clamp(std::thread::hardware_concurrency() + 1, 2U, 4U);
}

// Calls `work` with each number below `count`, in rising order as far as threads go. What it throws first ends the rest and
// is thrown when all threads are done.
inline void in_parallel(std::size_t count, unsigned workers, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::exception_ptr error;
  auto run = [&] {
    try {
      for (std::size_t i = next++; i < count; i = next++) work(i);
    } catch (...) {
      std::lock_guard lock(mutex);
      if (!error) error = std::current_exception();
      next = count;
    }
  };
  {
    std::vector<std::jthread> threads;
    const std::size_t wanted = std::min<std::size_t>(check_workers(workers), count);
    for (std::size_t i = 1; i < wanted; ++i) threads.emplace_back(run);
    run();
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace holdfast::repository
