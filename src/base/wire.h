// Little-endian encoding of every on-disk record: fixed integers, length-prefixed bytes, and fields
// (tag, length, value) for records that grow. Formats are in docs/repository-format.md, section "Encoding".
//
// Reader treats its input as hostile: every read is bounds-checked and throws Error(damaged).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace holdfast {

class Writer {
 public:
  Writer& u8(std::uint8_t v) { out_.push_back(v); return *this; }
  Writer& u16(std::uint16_t v) { return little(v, 2); }
  Writer& u32(std::uint32_t v) { return little(v, 4); }
  Writer& u64(std::uint64_t v) { return little(v, 8); }
  Writer& i64(std::int64_t v) { return little(static_cast<std::uint64_t>(v), 8); }
  // Unsigned LEB128, at most 10 bytes.
  Writer& varint(std::uint64_t v);
  // Bytes as they are, without a length.
  Writer& raw(ByteView v) { out_.insert(out_.end(), v.begin(), v.end()); return *this; }
  // varint length, then the bytes.
  Writer& blob(ByteView v) { varint(v.size()); return raw(v); }
  Writer& text(std::string_view v) { return blob(as_bytes(v)); }
  // A field of a growing record: varint tag, varint length, value. Readers keep fields they do not know.
  Writer& field(std::uint32_t tag, ByteView value) { varint(tag); return blob(value); }
  Writer& field_text(std::uint32_t tag, std::string_view value) { return field(tag, as_bytes(value)); }
  Writer& field_u64(std::uint32_t tag, std::uint64_t value);  // the value as varint

  const Bytes& bytes() const { return out_; }
  Bytes take() { return std::move(out_); }
  std::size_t size() const { return out_.size(); }

 private:
  Writer& little(std::uint64_t v, int n) {
    for (int i = 0; i < n; ++i) out_.push_back(static_cast<std::uint8_t>(v >> (8 * i)));
    return *this;
  }
  Bytes out_;
};

class Reader {
 public:
  // `what` names the record in errors: "tree of item cmdb". The view must outlive the reader.
  Reader(ByteView in, std::string_view what) : in_(in), what_(what) {}

  std::uint8_t u8() { return static_cast<std::uint8_t>(little(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(little(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(little(4)); }
  std::uint64_t u64() { return little(8); }
  std::int64_t i64() { return static_cast<std::int64_t>(little(8)); }
  std::uint64_t varint();
  ByteView raw(std::size_t n);
  ByteView blob();                       // a view into the input
  std::string text() { return to_text(blob()); }
  template <class Id> Id id() { return Id::from(raw(Id::kSize)); }

  struct Field { std::uint32_t tag; ByteView value; };
  std::optional<Field> field();          // nullopt at the end of the input

  bool at_end() const { return pos_ == in_.size(); }
  std::size_t position() const { return pos_; }
  std::size_t remaining() const { return in_.size() - pos_; }
  void expect_end() const;               // throws damaged when bytes are left over
  [[noreturn]] void damaged(std::string_view why) const;
  // Throws damaged unless `count` records of at least `minimum` bytes each can still follow: call it before
  // reserving memory for a count read from the input.
  void expect_count(std::uint64_t count, std::size_t minimum) const;

 private:
  std::uint64_t little(int n);
  ByteView in_;
  std::size_t pos_ = 0;
  std::string what_;
};

// The value of a field written with field_u64.
std::uint64_t field_u64(const Reader::Field& field, std::string_view what);

}  // namespace holdfast
