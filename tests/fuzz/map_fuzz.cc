// The body of a map, signed; followed through from one object to what replaces it.
#include "fuzz.h"
#include "known_repository.h"
#include "repository/format/map_object.h"

using namespace holdfast;
using namespace holdfast::fuzz;
using namespace holdfast::repository;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  KnownRepository& known = known_repository();
  Input in(data, size);
  // Several maps, so that one leads to the next.
  for (ByteView body = in.part(); !body.empty(); body = in.part()) {
    Bytes object = known.header(ObjectType::map);
    object.insert(object.end(), body.begin(), body.end());
    append_signature(object, known.writer().key);
    std::string name = known.put(ObjectType::map, object);
    auto hash = parse_object_name(name).value().hash;
    accepted([&] {
      std::vector<Replacement> all = read_map(known.memory, known.id(), known.keyring.get(), hash);
      require(read_map(known.memory, known.id(), nullptr, hash).size() == all.size(), "with or without a key a map says the same");
      put_map(known.memory, known.id(), known.writer(), all);
    });
  }
  Maps maps = Maps::read(known.memory, known.id(), known.keyring.get());
  for (ObjectType type : {ObjectType::pack, ObjectType::inventory}) {
    NeededObject object{type, crypto::Sha256::from(Bytes(32, type == ObjectType::pack ? 0 : 3)), 100};
    for (bool there : {false, true}) maps.stand_in(object, [&](const NeededObject& o) { return there && o.hash != object.hash; });
  }
  return 0;
}

std::vector<Bytes> fuzz_seeds() {
  KnownRepository& known = known_repository();
  auto id = [](std::uint8_t n) { return crypto::Sha256::from(Bytes(32, n)); };
  std::vector<Bytes> seeds;
  Parts all;
  auto add = [&](const std::vector<Replacement>& replacements) {
    NeededObject map = put_map(known.memory, known.id(), known.writer(), replacements);
    Bytes object = known.memory.get(object_name(ObjectType::map, map.hash), 1 << 20);
    ByteView body = ByteView(object).subspan(kHeaderSize, object.size() - kHeaderSize - kSignatureSize);
    seeds.push_back(Parts().part(body));
    all.part(body);
  };
  add({{ObjectType::pack, id(0), {{ObjectType::pack, id(1), 100}, {ObjectType::index, id(1), 50}}}});
  add({{ObjectType::pack, id(1), {{ObjectType::pack, id(2), 100}}}, {ObjectType::index, id(1), {}}});
  add({{ObjectType::pack, id(2), {{ObjectType::pack, id(0), 100}}}});   // in a circle
  add({{ObjectType::inventory, id(3), {{ObjectType::inventory, id(0), 100}}}});
  seeds.push_back(all);
  return seeds;
}
