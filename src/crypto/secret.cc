#include "crypto/secret.h"

#include <sodium.h>

#include <algorithm>
#include <new>
#include <utility>

namespace holdfast::crypto {
namespace {

// Whole pages of its own for every secret: locks are per page and do not nest, so a page shared by two
// secrets would be unlocked when the first one goes.
constexpr std::size_t kPage = 4096;
std::size_t in_pages(std::size_t size) { return (size + kPage - 1) / kPage * kPage; }

// Locking may be refused (RLIMIT_MEMLOCK is often 64 KiB); the secret is then only kept out of core dumps and
// wiped.
std::uint8_t* allocate(std::size_t size) {
  const std::size_t whole = in_pages(size);
  auto* data = static_cast<std::uint8_t*>(::operator new (whole, std::align_val_t{kPage}));
  static_cast<void>(sodium_mlock(data, whole));
  std::fill_n(data, whole, std::uint8_t{0});
  return data;
}

void release(std::uint8_t* data, std::size_t size) {
  if (data == nullptr) return;
  sodium_munlock(data, in_pages(size));  // wipes first, also where locking was refused
  ::operator delete (data, std::align_val_t{kPage});
}

}  // namespace

Secret::Secret(std::size_t size) : data_(size == 0 ? nullptr : allocate(size)), size_(size) {}

Secret Secret::copy_of(ByteView bytes) {
  Secret secret(bytes.size());
  std::copy(bytes.begin(), bytes.end(), secret.data_);
  return secret;
}

Secret::Secret(Secret&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    release(data_, size_);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

Secret::~Secret() { release(data_, size_); }

bool equal(ByteView a, ByteView b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

void wipe(MutableBytes bytes) { sodium_memzero(bytes.data(), bytes.size()); }

}  // namespace holdfast::crypto
