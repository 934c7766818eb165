// The listing of a directory, stored as a tree chunk under its right id: walked, read, compared and verified as a restore does.
// The store holds a file's chunk and another listing, whose ids the corpus names.
#include "fuzz.h"
#include "known_repository.h"
#include "repository/data/tree_reader.h"

using namespace holdfast;
using namespace holdfast::fuzz;
using namespace holdfast::repository;

namespace {

constexpr std::string_view kContent = "the content of a file";

tree::Entry named(const std::string& name, tree::Kind kind) {
  tree::Entry e;
  e.name = name;
  e.kind = kind;
  return e;
}

Bytes inner_listing() {
  Writer w;
  tree::Entry link = named("link", tree::Kind::symlink);
  link.target = "target";
  encode_node(w, encode_entry(link), false, {});
  return w.take();
}

void walk(const tree::StoredNode& node, int& left) {
  if (--left < 0) return;
  const tree::Entry& entry = node.entry();
  node.fingerprint();
  if (entry.kind == tree::Kind::directory) {
    std::string last;
    node.children([&](const tree::NodePtr& child) {
      require(tree::is_safe_name(child->entry().name), "a name that is given out is safe");
      require(child->entry().name > last, "names ascend");
      last = child->entry().name;
      accepted([&] { walk(*child, left); });
      return left > 0;
    });
    accepted([&] { node.child("link"); });
    return;
  }
  std::uint64_t size = tree::content_bytes(entry), read = 0;
  if (size > 1 << 20) return;
  accepted([&] {
    node.read(0, size, [&](std::uint64_t offset, ByteView bytes) {
      require(offset == read, "content comes in order");
      read += bytes.size();
    });
    require(read == size, "content is as long as the entry says");
  });
  accepted([&] { node.same_content([](MutableBytes) { return std::size_t{0}; }); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  KnownRepository& known = known_repository();
  Input in(data, size);
  // In two chunks: a node may begin in one and end in the next.
  ByteView first = in.part(), second = in.rest();
  ContentRef content;
  for (ByteView piece : {first, second}) {
    if (piece.empty()) continue;
    content.pieces.push_back(known.put_content(ChunkType::tree, piece).pieces.front());
    content.size += piece.size();
  }
  known.put_content(ChunkType::data, as_bytes(kContent));
  known.put_content(ChunkType::tree, inner_listing());
  std::shared_ptr<DataStore> store = open_data(known.context());
  Bytes entry = encode_entry(named("", tree::Kind::directory));
  int left = 200;
  accepted([&] { walk(*store->open_node(entry, content), left); });
  store->verify_content({{entry, content}}, {}, {nullptr, nullptr, 1});
  return 0;
}

std::vector<Bytes> fuzz_seeds() {
  KnownRepository& known = known_repository();
  ByteView text = as_bytes(kContent);
  ContentRef content = known.put_content(ChunkType::data, text), inner = known.put_content(ChunkType::tree, inner_listing());
  Writer w;
  tree::Entry file = named("a file", tree::Kind::file);
  file.size = text.size();
  encode_node(w, encode_entry(file), true, content);
  std::size_t cut = w.size();
  tree::Entry sparse = named("b sparse", tree::Kind::file);
  sparse.sparse = true;
  sparse.size = UINT64_C(1) << 60;
  sparse.extents = {{5, text.size()}};
  encode_node(w, encode_entry(sparse), true, content);
  encode_node(w, encode_entry(named("c folder", tree::Kind::directory)), true, inner);
  encode_node(w, encode_entry(named("d empty", tree::Kind::directory)), false, {});
  tree::Entry hard = named("e hard link", tree::Kind::hard_link);
  hard.target = "a file";
  encode_node(w, encode_entry(hard), false, {});
  encode_node(w, encode_entry(named("f fifo", tree::Kind::fifo)), false, {});
  ByteView all = w.bytes();
  std::vector<Bytes> seeds;
  seeds.push_back(Parts().part(all));
  seeds.push_back(Parts().part(all.first(cut)).rest(all.subspan(cut)));
  seeds.push_back(Parts().part(all.first(cut + 20)).rest(all.subspan(cut + 20)));
  return seeds;
}
