#include "base/wire.h"

#include "base/error.h"

namespace holdfast {

Writer& Writer::varint(std::uint64_t v) {
  while (v >= 0x80) {
    out_.push_back(static_cast<std::uint8_t>(v | 0x80));
    v >>= 7;
  }
  out_.push_back(static_cast<std::uint8_t>(v));
  return *this;
}

Writer& Writer::field_u64(std::uint32_t tag, std::uint64_t value) {
  Writer inner;
  inner.varint(value);
  return field(tag, inner.bytes());
}

std::uint64_t Reader::little(int n) {
  ByteView b = raw(static_cast<std::size_t>(n));
  std::uint64_t v = 0;
  for (int i = n - 1; i >= 0; --i) v = (v << 8) | b[static_cast<std::size_t>(i)];
  return v;
}

std::uint64_t Reader::varint() {
  std::uint64_t v = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    std::uint8_t b = u8();
    if (shift == 63 && b > 1) damaged("a number does not fit 64 bits");
    v |= static_cast<std::uint64_t>(b & 0x7f) << shift;
    if ((b & 0x80) == 0) {
      if (b == 0 && shift != 0) damaged("a number is not in its shortest form");
      return v;
    }
  }
  damaged("a number does not fit 64 bits");
}

ByteView Reader::raw(std::size_t n) {
  if (n > remaining()) damaged("it ends too early");
  ByteView v = in_.subspan(pos_, n);
  pos_ += n;
  return v;
}

ByteView Reader::blob() {
  std::uint64_t n = varint();
  if (n > remaining()) damaged("a length is larger than what follows");
  return raw(static_cast<std::size_t>(n));
}

std::optional<Reader::Field> Reader::field() {
  if (at_end()) return std::nullopt;
  std::uint64_t tag = varint();
  if (tag > UINT32_MAX) damaged("a field tag is too large");
  return Field{static_cast<std::uint32_t>(tag), blob()};
}

void Reader::expect_end() const {
  if (!at_end()) damaged("there are bytes after its end");
}

void Reader::expect_count(std::uint64_t count, std::size_t minimum) const {
  if (count > remaining() / (minimum == 0 ? 1 : minimum)) damaged("a count is larger than what follows");
}

void Reader::damaged(std::string_view why) const {
  throw Error(Code::damaged, what_ + " is damaged: " + std::string(why));
}

std::uint64_t field_u64(const Reader::Field& field, std::string_view what) {
  Reader r(field.value, what);
  std::uint64_t v = r.varint();
  r.expect_end();
  return v;
}

}  // namespace holdfast
