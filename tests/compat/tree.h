// Trees: what an item consists of, and putting it into a folder. Section "Tree entries" of
// docs/repository-format.md.
#pragma once

#include "chunks.h"

namespace compat {

enum Kind : std::uint64_t {
  kDirectory = 1,
  kFile,
  kSymlink,
  kFifo,
  kCharacterDevice,
  kBlockDevice,
  kHardLink
};

struct Attribute {
  std::uint16_t type;
  Bytes name, value;
};

struct Entry {
  Bytes name;
  std::uint64_t kind = 0, mode = 0, uid = 0, gid = 0, size = 0;
  Time modified;
  Bytes target;
  std::uint64_t major = 0, minor = 0;
  struct Extent {
    std::uint64_t offset, size;
  };
  std::optional<std::vector<Extent>> extents;  // present: sparse
  std::vector<Attribute> attributes;
};

struct Node {
  Entry entry;
  std::optional<Content> content;
};

/// The root node of an item: field 11.
Node read_root(View field);

/// Reads every byte of the tree and checks that sizes agree.
void verify_tree(Chunks& chunks, const Node& root);

/// Makes `place`, which must not exist, and everything below it, with owners, modes, times and attributes.
void restore_tree(Chunks& chunks, const Node& root, const std::string& place);

}  // namespace compat
