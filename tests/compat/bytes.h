// Bytes, and reading numbers out of them: section "Encoding" of docs/repository-format.md.
// Every read is checked against the end; whatever does not fit is Refused.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace compat {

using Bytes = std::string;  // any bytes, zeros too
using View = std::string_view;

/// The repository is not what the document says, or not what the request needs. The program ends with 1.
struct Refused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline void require(bool condition, const std::string& complaint) {
  if (!condition) throw Refused(complaint);
}

inline std::string hex(View bytes) {
  static const char* const digits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text += digits[static_cast<unsigned char>(c) >> 4];
    text += digits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

/// Little-endian, as the integers of the format are.
inline Bytes little_endian(std::uint64_t value, int size) {
  Bytes bytes;
  for (int i = 0; i < size; ++i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}

struct Time {
  std::int64_t seconds = 0;
  std::uint32_t nanoseconds = 0;
  auto operator<=>(const Time&) const = default;
};

/// Reads from the front of some bytes, which must outlive it.
class Cursor {
 public:
  Cursor(View bytes, std::string what) : left_(bytes), what_(std::move(what)) {}

  View take(std::uint64_t size) {
    require(size <= left_.size(), what_ + " ends too early");
    const View taken = left_.substr(0, size);
    left_.remove_prefix(size);
    return taken;
  }
  View rest() { return take(left_.size()); }
  bool at_end() const { return left_.empty(); }
  void expect_end() const { require(left_.empty(), what_ + " holds more than it should"); }

  std::uint64_t integer(int size) {
    const View bytes = take(static_cast<std::uint64_t>(size));
    std::uint64_t value = 0;
    for (int i = size - 1; i >= 0; --i)
      value = value << 8 | static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]);
    return value;
  }
  std::uint8_t u8() { return static_cast<std::uint8_t>(integer(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(integer(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(integer(4)); }
  std::uint64_t u64() { return integer(8); }

  /// LEB128 in its shortest form, at most 10 bytes.
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
      const std::uint8_t byte = u8();
      require(shift < 63 || byte <= 1, what_ + ": a number is larger than 64 bits");
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) {
        require(byte != 0 || shift == 0, what_ + ": a number is not in its shortest form");
        return value;
      }
    }
    throw Refused(what_ + ": a number is longer than 10 bytes");
  }
  View blob() { return take(varint()); }
  Time time() {
    const auto seconds = static_cast<std::int64_t>(u64());
    const std::uint32_t nanoseconds = u32();
    require(nanoseconds < 1'000'000'000, what_ + ": a time has too many nanoseconds");
    return {seconds, nanoseconds};
  }

 private:
  View left_;
  std::string what_;
};

/// A field record: tags and values. The value of a text or bytes field is the value itself.
class Fields {
 public:
  Fields(View bytes, const std::string& what) : what_(what) {
    for (Cursor in(bytes, what); !in.at_end();) {
      const std::uint64_t tag = in.varint();
      fields_.emplace_back(tag, in.blob());
    }
  }
  std::vector<View> all(std::uint64_t tag) const {
    std::vector<View> values;
    for (const auto& [t, value] : fields_)
      if (t == tag) values.push_back(value);
    return values;
  }
  std::optional<View> maybe(std::uint64_t tag) const {
    const auto values = all(tag);
    require(values.size() <= 1, what_ + ": field " + std::to_string(tag) + " is there twice");
    return values.empty() ? std::nullopt : std::optional(values[0]);
  }
  View one(std::uint64_t tag, std::uint64_t size) const {
    const auto value = maybe(tag);
    require(value && value->size() == size,
            what_ + ": field " + std::to_string(tag) + " is absent or has another size");
    return *value;
  }
  std::uint64_t number(std::uint64_t tag, std::uint64_t otherwise = 0) const {
    const auto value = maybe(tag);
    if (!value) return otherwise;
    Cursor in(*value, what_ + ", field " + std::to_string(tag));
    const std::uint64_t n = in.varint();
    in.expect_end();
    return n;
  }
  std::string text(std::uint64_t tag) const { return std::string(maybe(tag).value_or(View())); }
  Time time(std::uint64_t tag) const { return Cursor(one(tag, 12), what_).time(); }

 private:
  std::string what_;
  std::vector<std::pair<std::uint64_t, View>> fields_;
};

}  // namespace compat
