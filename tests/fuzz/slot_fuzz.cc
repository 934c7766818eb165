// Key slots beside a good one, as objects and by their parts. Passwords are not tried: Argon2 would take all the time, and what it is
// asked for is checked before (repository_meta_test.cc).
#include "fuzz.h"
#include "known_repository.h"
#include "repository/keys/slot_store.h"

using namespace holdfast;
using namespace holdfast::fuzz;
using namespace holdfast::repository;

namespace {
constexpr std::size_t kHeaderPart = 84;   // of the type
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  KnownRepository& known = known_repository();
  Input in(data, size);
  if (in.u8() % 2 == 0) {
    known.put(ObjectType::slot, in.rest());
  } else {
    Bytes object = known.header(ObjectType::slot, in.part(), 0);
    object.insert(object.end(), in.rest().begin(), in.rest().end());
    known.put(ObjectType::slot, object);
  }
  std::vector<SlotInfo> slots = list_slots(known.memory, known.id(), &known.root_key());
  require(slots.size() == 2 || slots.size() == 1, "a slot is listed, damaged or not");
  OpenedSlot opened = open_root_key(known.memory, known.id(), known.secret());
  require(crypto::equal(opened.root_key.view(), known.root_key().view()), "a hostile slot does not keep the good one from opening");
  accepted({Code::damaged, Code::unsupported, Code::wrong_key}, [&] {
    open_root_key(known.memory, known.id(), recovery_secret({crypto::Secret(32)}));
    broken("a key that no slot was made for opens one");
  });
  return 0;
}

std::vector<Bytes> fuzz_seeds() {
  KnownRepository& known = known_repository();
  std::vector<Bytes> seeds;
  auto add = [&](const SlotSecret& secret) {
    std::string name = add_slot(known.memory, known.id(), known.root_key(), secret, "a label", {8, 1}, {1000, 0}, known.entropy).object;
    Bytes object = known.memory.get(name, 4096);
    seeds.push_back(Parts().u8(0).rest(object));
    ByteView rest = ByteView(object).subspan(kHeaderSize);
    seeds.push_back(Parts().u8(1).part(rest.first(kHeaderPart)).rest(rest.subspan(kHeaderPart)));
  };
  add(known.secret());
  add(password_secret(as_bytes("correct horse")));
  add(recovery_secret({crypto::Secret::copy_of(Bytes(32, 9))}));
  return seeds;
}
