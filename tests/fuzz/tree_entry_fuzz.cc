// One entry of a tree, and a reference to its content.
#include "fuzz.h"
#include "repository/data/tree_reader.h"
#include "tree/entry.h"

using namespace holdfast;
using namespace holdfast::fuzz;
using namespace holdfast::repository;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in(data, size);
  ByteView encoded = in.part();
  tree::Entry entry;
  bool good = accepted([&] { entry = tree::decode_entry(encoded); });
  if (good) {
    require(tree::decode_entry(tree::encode_entry(entry)) == entry, "an entry comes back as it was");
    std::uint64_t bytes = tree::content_bytes(entry);
    require(bytes <= entry.size || entry.kind != tree::Kind::file, "a file has no more content than its size");
    std::uint64_t end = 0;
    for (const tree::Extent& extent : entry.extents) {
      require(extent.offset >= end && extent.length > 0 && extent.length <= entry.size - extent.offset, "extents ascend within the file");
      end = extent.offset + extent.length;
    }
    tree::is_safe_name(entry.name);
  }
  ContentRef content;
  Reader reader(in.rest(), "reference");
  if (!accepted([&] { content = decode_reference(reader); })) return 0;
  Writer again;
  encode_reference(again, content);
  Reader second(again.bytes(), "reference");
  require(decode_reference(second) == content, "a reference comes back as it was");
  if (good) accepted([&] { decode_root(encoded, content); });
  return 0;
}

std::vector<Bytes> fuzz_seeds() {
  std::vector<Bytes> seeds;
  auto add = [&](const tree::Entry& entry, const ContentRef& content) {
    Writer w;
    encode_reference(w, content);
    seeds.push_back(Parts().part(tree::encode_entry(entry)).rest(w.bytes()));
  };
  ChunkId id{};
  id.bytes.fill(7);
  tree::Entry e;
  e.name = "file";
  e.mode = 0644;
  e.size = 3000;
  e.uid = 12, e.gid = 500;
  e.modified = {1000, 5}, e.changed = {1001, 6}, e.captured = {2000, 0};
  e.device = 5, e.inode = 77, e.links = 2;
  e.attributes = {{tree::AttributeType::xattr, "user.x", to_bytes("value")}, {tree::AttributeType::posix_acl_access, "", to_bytes("acl")}};
  add(e, {3000, 0, {{id, 1000}, {id, 2000}}});
  e.sparse = true;
  e.size = 1 << 20;
  e.extents = {{0, 1000}, {8192, 2000}};
  add(e, {3000, 1, {{id, 80}}});
  tree::Entry link;
  link.name = "link";
  link.kind = tree::Kind::symlink;
  link.target = "../somewhere";
  add(link, {});
  link.kind = tree::Kind::char_device;
  link.device_major = 1, link.device_minor = 3;
  add(link, {});
  link.kind = tree::Kind::directory;
  add(link, {200, 0, {{id, 200}}});
  return seeds;
}
