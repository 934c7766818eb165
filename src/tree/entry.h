// One node of a captured tree: what is stored of the world. Specified in docs/repository-format.md, "Tree entries".
//
// Times are seconds and nanoseconds, names are bytes, attributes are typed records whose unknown kinds are kept.
// This room knows neither the repository nor any item kind; both speak it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"

namespace holdfast::tree {

// Stored values: never renumber.
enum class Kind : std::uint8_t {
  directory = 1,
  file = 2,
  symlink = 3,
  fifo = 4,
  char_device = 5,
  block_device = 6,
  hard_link = 7,   // another name of a file captured earlier in the same item; `target` is that file's path in the item
  socket = 100,    // seen by a walk, never stored: a finding
};

enum class NameKind : std::uint8_t { posix_bytes = 1, windows_wtf8 = 2 };

enum class AttributeType : std::uint16_t {
  xattr = 1,              // name and value as the file system gives them
  posix_acl_access = 2,   // value of system.posix_acl_access
  posix_acl_default = 3,  // value of system.posix_acl_default
  nfs4_acl = 4,
  windows_security = 5,   // security descriptor
  windows_stream = 6,
  reparse_point = 7,
  windows_attributes = 8,
};

struct Attribute {
  AttributeType type{};   // may hold a value that this version does not know: kept as it is
  std::string name;       // xattr name, stream name; else ""
  Bytes value;
  bool operator==(const Attribute&) const = default;
};

// A range of a sparse file that holds data. The content stream of a sparse file is its extents, one after another.
struct Extent {
  std::uint64_t offset = 0, length = 0;
  bool operator==(const Extent&) const = default;
};

struct Entry {
  std::string name;                 // one path component; "" for the root of an item
  NameKind name_kind = NameKind::posix_bytes;
  Kind kind = Kind::file;
  std::uint32_t mode = 0;           // permission bits, 07777
  std::uint32_t uid = 0, gid = 0;
  std::uint64_t size = 0;           // logical size in bytes of a file; 0 for others
  Timestamp modified, changed, captured;   // mtime, ctime, and when we read it
  std::uint64_t device = 0, inode = 0, links = 1;   // of the source, to know unchanged files and hard links
  std::string target;               // symlink: its text; hard_link: path in the item
  std::uint32_t device_major = 0, device_minor = 0;
  bool sparse = false;              // `extents` describes the file; a file that is one hole has none
  std::vector<Extent> extents;
  std::vector<Attribute> attributes;   // sorted by (type, name)
  Bytes unknown_fields;             // fields of a newer version, kept as they came
  bool operator==(const Entry&) const = default;
};

// Bytes of the content stream: size, or the sum of the extents of a sparse file.
std::uint64_t content_bytes(const Entry& entry);

// True for what a restore may create: not empty, not "." or "..", no '/' and no NUL.
bool is_safe_name(std::string_view name);

// The entry as bytes (fields, defaults left out; docs/repository-format.md "Tree entries") and back.
// decode_entry throws Error(damaged) on anything it cannot be sure of; a name is checked by whoever uses it.
Bytes encode_entry(const Entry& entry);
Entry decode_entry(ByteView bytes);

}  // namespace holdfast::tree
