// What the tests of this room share.
#pragma once

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/testing.h"

namespace holdfast::crypto {

inline Bytes unhex(std::string_view hex) {
  Bytes bytes(hex.size() / 2);
  EXPECT_TRUE(from_hex(hex, bytes)) << hex;
  return bytes;
}

// 0, 1, ..., 250, 0, 1, ...: the input of BLAKE3's published vectors.
inline Bytes counting(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i % 251);
  return bytes;
}

}  // namespace holdfast::crypto
