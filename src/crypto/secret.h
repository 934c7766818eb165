// Memory for keys and passwords: locked where the system allows, wiped when freed, never copied by accident.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/bytes.h"

namespace holdfast::crypto {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::size_t size);              // zeros
  static Secret copy_of(ByteView bytes);
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  Secret clone() const { return copy_of(view()); }
  ByteView view() const { return {data_, size_}; }
  MutableBytes bytes() { return {data_, size_}; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

// Compares in constant time; false when sizes differ.
bool equal(ByteView a, ByteView b);
void wipe(MutableBytes bytes);

}  // namespace holdfast::crypto
