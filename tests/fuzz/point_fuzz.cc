// The plaintext of a point, sealed and signed; and of the summary in its record.
#include "fuzz.h"
#include "known_repository.h"
#include "repository/format/inventory_testing.h"
#include "repository/format/point_codec.h"

using namespace holdfast;
using namespace holdfast::fuzz;
using namespace holdfast::repository;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  KnownRepository& known = known_repository();
  Input in(data, size);
  if (in.u8() % 4 == 0) {
    accepted([&] {
      Bytes once = encode_summary(decode_summary(in.rest(), "x"));
      require(encode_summary(decode_summary(once, "x")) == once, "a summary comes back as it was");
    });
    return 0;
  }
  InventoryRoot inventory = put_inventory(known.memory, known.id(), repository::testing::in_order({}), known.entropy);
  Bytes extra = Writer().raw(inventory.hash.view()).u64(inventory.size).take();
  Bytes object = known.sealed(ObjectType::point, extra, in.rest());
  PointId id = crypto::sha256(object);
  known.put(ObjectType::point, object);
  Point point;
  if (!accepted([&] { point = read_point(known.memory, known.id(), *known.keyring, id).point; })) return 0;
  Bytes once = encode_point(point);
  require(encode_point(decode_point(once, "x")) == once, "a point comes back as it was");
  encode_summary(summary_of(point));

  std::unique_ptr<Repository> repository = known.open();
  for (const StoredItem& item : point.items)
    accepted({Code::damaged, Code::unsupported, Code::not_found}, [&] {
      tree::NodePtr root = repository->open_item(point, item.name);
      root->fingerprint();
      if (root->entry().kind == tree::Kind::directory) root->children([](const tree::NodePtr&) { return true; });
    });
  return 0;
}

std::vector<Bytes> fuzz_seeds() {
  PointDraft draft;
  draft.system_name = "ns01";
  draft.started = {1000, 1};
  draft.finished = {2000, 2};
  draft.configuration = to_bytes("[system]\n");
  draft.identity = {{"host_name", "ns01"}};
  draft.provenance = {{"origin_point", "00"}};
  draft.findings = {{"code", "object", "message", "hint"}};
  StoredItem item;
  item.name = "cmdb";
  item.kind = "database";
  item.findings = draft.findings;
  item.facts = {{"rows", "5"}};
  tree::Entry file;
  file.size = 5;
  ContentRef content{5, 0, {{known_repository().chunk_id(ChunkType::data, as_bytes("hello")), 5}}};
  std::vector<Bytes> seeds;
  seeds.push_back(Parts().u8(1).rest(encode_point(draft)));
  draft.items.push_back(item);
  item.name = "library";
  item.root = {encode_entry(file), content};
  draft.items.push_back(item);
  seeds.push_back(Parts().u8(1).rest(encode_point(draft)));
  seeds.push_back(Parts().u8(0).rest(encode_summary(summary_of(draft))));
  return seeds;
}
