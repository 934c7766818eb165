#include "tree/streams.h"

#include <algorithm>

#include "base/error.h"

namespace holdfast::tree {

void FileWriter::write(ByteView data) {
  while (!data.empty()) {
    MutableBytes room = space();
    std::size_t n = std::min(room.size(), data.size());
    std::memcpy(room.data(), data.data(), n);
    commit(n);
    data = data.subspan(n);
  }
}

Bytes StoredNode::read_all(std::uint64_t limit) const {
  std::uint64_t size = content_bytes(entry());
  if (size > limit) throw Error(Code::unsupported, "stored file '" + entry().name + "' is too large to hold in memory");
  Bytes all;
  all.reserve(static_cast<std::size_t>(size));
  read(0, size, [&](std::uint64_t, ByteView bytes) { all.insert(all.end(), bytes.begin(), bytes.end()); });
  return all;
}

NodePtr find(NodePtr node, std::string_view path) {
  while (!path.empty() && node) {
    std::size_t at = path.find('/');
    std::string_view name = path.substr(0, at);
    path = at == std::string_view::npos ? std::string_view{} : path.substr(at + 1);
    if (name.empty()) continue;
    if (node->entry().kind != Kind::directory) return nullptr;
    node = node->child(std::string(name));
  }
  return node;
}

}  // namespace holdfast::tree
