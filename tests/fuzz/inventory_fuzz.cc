// An inventory page, as the root and as a page below a good root.
#include "fuzz.h"
#include "known_repository.h"

using namespace holdfast;
using namespace holdfast::fuzz;
using namespace holdfast::repository;

namespace {

NeededObject put_page(KnownRepository& known, ByteView body, ByteView extra) {
  Bytes page = known.header(ObjectType::inventory, extra, 0);
  page.insert(page.end(), body.begin(), body.end());
  known.put(ObjectType::inventory, page);
  return {ObjectType::inventory, crypto::sha256(page), page.size()};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  KnownRepository& known = known_repository();
  Input in(data, size);
  bool is_root = in.u8() % 2 == 0;
  Bytes salt(16, 3);
  NeededObject page = put_page(known, in.rest(), salt);
  NeededObject root = page;
  if (!is_root) {
    Writer w;
    w.u8(1).varint(1).u16(static_cast<std::uint16_t>(ObjectType::inventory)).raw(page.hash.view()).varint(page.size);
    root = put_page(known, w.bytes(), salt);
  }
  NeededObject last{};
  accepted({Code::damaged, Code::unsupported, Code::not_found}, [&] {
    read_inventory(known.memory, known.id(), {root.hash, root.size}, [](const NeededObject&) { return true; },
                   [&](const NeededObject& object) {
                     require(object.type == ObjectType::pack || object.type == ObjectType::index, "only packs and segments are needed");
                     require(is_root || last < object, "a page is in order");
                     last = object;
                   });
  });
  return 0;
}

std::vector<Bytes> fuzz_seeds() {
  std::vector<Bytes> seeds;
  Writer page, root;
  page.u8(0).varint(3);
  for (std::uint8_t i = 1; i <= 3; ++i) page.u16(i == 3 ? 5 : 4).raw(Bytes(32, i)).varint(1000 * i);
  root.u8(1).varint(1).u16(6).raw(Bytes(32, 1)).varint(100);
  seeds.push_back(Parts().u8(1).rest(page.bytes()));
  seeds.push_back(Parts().u8(0).rest(root.bytes()));
  seeds.push_back(Parts().u8(1).rest(Writer().u8(0).varint(0).bytes()));
  return seeds;
}
