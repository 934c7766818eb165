// Lists of chunks: the content of a file by a reference of level 1 to 4, whose lists are the input.
#include "fuzz.h"
#include "known_repository.h"
#include "repository/data/content.h"

using namespace holdfast;
using namespace holdfast::fuzz;
using namespace holdfast::repository;

namespace {

constexpr std::string_view kContent = "the content of a file";

Bytes piece(const ChunkId& id, std::uint64_t length) { return Writer().raw(id.view()).varint(length).take(); }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  KnownRepository& known = known_repository();
  Input in(data, size);
  ContentRef content;
  content.level = static_cast<std::uint8_t>(in.u8() % (kMaxLevel + 1));
  content.size = in.u16();
  known.put_content(ChunkType::data, as_bytes(kContent));
  for (ByteView list = in.part(); !list.empty(); list = in.part()) content.pieces.push_back(known.put_content(ChunkType::tree, list).pieces.front());
  tree::Entry entry;
  entry.size = content.size;
  std::shared_ptr<DataStore> store = open_data(known.context());
  accepted([&] {
    tree::NodePtr node = store->open_node(encode_entry(entry), content);
    require(node->read_all().size() == content.size, "content is as long as its reference says");
  });
  accepted([&] { store->open_node(encode_entry(entry), content)->same_content([](MutableBytes out) { return out.size(); }); });
  store->verify_content({{encode_entry(entry), content}}, {}, {nullptr, nullptr, 1});
  return 0;
}

std::vector<Bytes> fuzz_seeds() {
  KnownRepository& known = known_repository();
  ChunkId id = known.chunk_id(ChunkType::data, as_bytes(kContent));
  Bytes once = piece(id, kContent.size()), list;
  for (int i = 0; i < 10; ++i) list.insert(list.end(), once.begin(), once.end());
  Bytes above = piece(known.chunk_id(ChunkType::tree, list), list.size());
  std::vector<Bytes> seeds;
  seeds.push_back(Parts().u8(1).u16(static_cast<std::uint16_t>(kContent.size())).part(once));
  seeds.push_back(Parts().u8(1).u16(static_cast<std::uint16_t>(10 * kContent.size())).part(list));
  seeds.push_back(Parts().u8(1).u16(static_cast<std::uint16_t>(10 * kContent.size())).part(ByteView(list).first(50)).part(ByteView(list).subspan(50)));
  // The list is there as a chunk of the first piece; the second piece leads to it from a level higher.
  seeds.push_back(Parts().u8(2).u16(static_cast<std::uint16_t>(10 * kContent.size())).part(above).part(list));
  return seeds;
}
