// Used by tests alone, and only by a program's one source file: an allocator that fails once, on threads that a test strikes.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace holdfast {

thread_local bool struck_thread = false;
std::atomic<std::uint64_t> allocations{0}, fail_at{0};   // of struck threads: how many there were; which one fails

}  // namespace holdfast

void* operator new(std::size_t size) {
  if (holdfast::struck_thread && ++holdfast::allocations == holdfast::fail_at) throw std::bad_alloc();
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
// Seen inside, gcc 12 takes free() for the wrong partner of new.
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
