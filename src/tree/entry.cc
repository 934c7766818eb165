#include "tree/entry.h"

#include "base/error.h"
#include "base/wire.h"

namespace holdfast::tree {
namespace {

// Field tags, never reused.
enum Tag : std::uint32_t {
  kName = 1, kNameKind = 2, kKind = 3, kMode = 4, kOwner = 5, kSize = 6, kModified = 7, kChanged = 8, kCaptured = 9,
  kIdentity = 10, kTarget = 11, kDevice = 12, kExtents = 13, kAttribute = 14,
};

void put_time(Writer& out, Tag tag, Timestamp t) {
  if (t == Timestamp{}) return;
  Writer w;
  w.i64(t.seconds).u32(t.nanoseconds);
  out.field(tag, w.bytes());
}

Timestamp get_time(Reader& r) {
  Timestamp t;
  t.seconds = r.i64();
  t.nanoseconds = r.u32();
  if (t.nanoseconds > 999'999'999) r.damaged("nanoseconds out of range");
  return t;
}

std::uint32_t narrow(Reader& r, std::uint64_t v) {
  if (v > UINT32_MAX) r.damaged("a number is too large");
  return static_cast<std::uint32_t>(v);
}

}  // namespace

std::uint64_t content_bytes(const Entry& e) {
  if (!e.sparse) return e.size;
  std::uint64_t total = 0;
  for (const Extent& x : e.extents) total += x.length;
  return total;
}

bool is_safe_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string_view::npos &&
         name.find('\0') == std::string_view::npos;
}

Bytes encode_entry(const Entry& e) {
  Writer out;
  out.field_text(kName, e.name);
  if (e.name_kind != NameKind::posix_bytes) out.field_u64(kNameKind, static_cast<std::uint64_t>(e.name_kind));
  out.field_u64(kKind, static_cast<std::uint64_t>(e.kind));
  out.field_u64(kMode, e.mode);
  if (e.uid != 0 || e.gid != 0) {
    Writer w;
    w.varint(e.uid).varint(e.gid);
    out.field(kOwner, w.bytes());
  }
  if (e.size != 0) out.field_u64(kSize, e.size);
  put_time(out, kModified, e.modified);
  put_time(out, kChanged, e.changed);
  put_time(out, kCaptured, e.captured);
  if (e.device != 0 || e.inode != 0 || e.links != 1) {
    Writer w;
    w.varint(e.device).varint(e.inode).varint(e.links);
    out.field(kIdentity, w.bytes());
  }
  if (!e.target.empty()) out.field_text(kTarget, e.target);
  if (e.device_major != 0 || e.device_minor != 0) {
    Writer w;
    w.varint(e.device_major).varint(e.device_minor);
    out.field(kDevice, w.bytes());
  }
  if (e.sparse) {
    Writer w;
    for (const Extent& x : e.extents) w.varint(x.offset).varint(x.length);
    out.field(kExtents, w.bytes());
  }
  for (const Attribute& a : e.attributes) {
    Writer w;
    w.u16(static_cast<std::uint16_t>(a.type)).text(a.name).raw(a.value);
    out.field(kAttribute, w.bytes());
  }
  out.raw(e.unknown_fields);
  return out.take();
}

Entry decode_entry(ByteView bytes) {
  Reader in(bytes, "tree entry");
  Entry e;
  Writer unknown;
  bool has_kind = false;
  while (auto f = in.field()) {
    Reader r(f->value, "tree entry");
    bool known = true;
    switch (f->tag) {
      case kName: e.name = to_text(r.raw(r.remaining())); break;
      case kNameKind: {
        std::uint64_t v = r.varint();
        if (v != 1 && v != 2) r.damaged("unknown kind of name");
        e.name_kind = static_cast<NameKind>(v);
        break;
      }
      case kKind: {
        std::uint64_t v = r.varint();
        if (v < 1 || v > 7) r.damaged("unknown kind of entry");
        e.kind = static_cast<Kind>(v);
        has_kind = true;
        break;
      }
      case kMode: {
        e.mode = narrow(r, r.varint());
        if (e.mode > 07777) r.damaged("mode out of range");
        break;
      }
      case kOwner: e.uid = narrow(r, r.varint()); e.gid = narrow(r, r.varint()); break;
      case kSize: e.size = r.varint(); break;
      case kModified: e.modified = get_time(r); break;
      case kChanged: e.changed = get_time(r); break;
      case kCaptured: e.captured = get_time(r); break;
      case kIdentity: e.device = r.varint(); e.inode = r.varint(); e.links = r.varint(); break;
      case kTarget: e.target = to_text(r.raw(r.remaining())); break;
      case kDevice: e.device_major = narrow(r, r.varint()); e.device_minor = narrow(r, r.varint()); break;
      case kExtents:
        e.sparse = true;
        while (!r.at_end()) {
          Extent x;
          x.offset = r.varint();
          x.length = r.varint();
          // Ascending, not overlapping, within 2^63: a sum can then not overflow.
          std::uint64_t from = e.extents.empty() ? 0 : e.extents.back().offset + e.extents.back().length;
          if (x.offset < from || x.length == 0 || x.offset >> 62 != 0 || x.length >> 62 != 0)
            r.damaged("extents out of order");
          e.extents.push_back(x);
        }
        break;
      case kAttribute: {
        Attribute a;
        a.type = static_cast<AttributeType>(r.u16());
        a.name = r.text();
        ByteView v = r.raw(r.remaining());
        a.value.assign(v.begin(), v.end());
        e.attributes.push_back(std::move(a));
        break;
      }
      default:
        unknown.field(f->tag, f->value);
        known = false;
    }
    if (known) r.expect_end();
  }
  if (!has_kind) in.damaged("it has no kind");
  if (e.sparse && !e.extents.empty() && e.extents.back().offset + e.extents.back().length > e.size)
    in.damaged("an extent lies beyond the end of the file");
  e.unknown_fields = unknown.take();
  return e;
}

}  // namespace holdfast::tree
