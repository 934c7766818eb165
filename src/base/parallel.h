// The same work on many things, by a few threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace holdfast {

// Calls `work` with each number below `count`, in rising order as far as threads go, on at most `threads` threads, of which
// this is one. What it throws first ends the rest and is thrown when all threads are done.
inline void in_parallel(std::size_t count, std::size_t threads, const std::function<void(std::size_t)>& work) {
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
    std::vector<std::jthread> others;
    const std::size_t wanted = std::min(threads, count);
    others.reserve(wanted);
    try {
      for (std::size_t i = 1; i < wanted; ++i) others.emplace_back(run);
    } catch (const std::system_error&) {
      // No more threads: those that there are do it.
    }
    run();
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace holdfast
