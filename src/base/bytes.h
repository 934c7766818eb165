// Byte buffers and their text forms.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes to_bytes(std::string_view text) { auto b = as_bytes(text); return {b.begin(), b.end()}; }
inline std::string to_text(ByteView bytes) { return std::string(as_text(bytes)); }

std::string to_hex(ByteView bytes);
// false when `text` is not exactly 2*out.size() lower- or upper-case hex digits.
bool from_hex(std::string_view text, MutableBytes out);

// A fixed-size identifier. Tag keeps kinds apart: a ChunkId is not an ObjectHash.
template <std::size_t N, class Tag>
struct FixedId {
  std::array<std::uint8_t, N> bytes{};

  static constexpr std::size_t kSize = N;
  static FixedId from(ByteView view) {  // precondition: view.size() == N
    FixedId id;
    std::memcpy(id.bytes.data(), view.data(), N);
    return id;
  }
  ByteView view() const { return bytes; }
  std::string hex() const { return to_hex(bytes); }
  bool is_zero() const { return *this == FixedId{}; }
  auto operator<=>(const FixedId&) const = default;
};

// Hash for unordered containers. Identifiers are cryptographic or random, so their first bytes will do.
struct IdHash {
  template <std::size_t N, class Tag>
  std::size_t operator()(const FixedId<N, Tag>& id) const {
    static_assert(N >= sizeof(std::size_t));
    std::size_t h;
    std::memcpy(&h, id.bytes.data(), sizeof h);
    return h;
  }
};

}  // namespace holdfast
