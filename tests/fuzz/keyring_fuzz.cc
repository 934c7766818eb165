// The plaintext of a keyring entry, sealed with the root key beside good entries.
#include "fuzz.h"
#include "known_repository.h"

using namespace holdfast;
using namespace holdfast::fuzz;
using namespace holdfast::repository;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  KnownRepository& known = known_repository();
  known.put(ObjectType::keyring, known.sealed(ObjectType::keyring, {}, {data, size}));
  Keyring keyring(known.memory, known.id(), known.root_key());
  require(keyring.verify_key(known.writer().id).has_value(), "a hostile entry does not take a writer away");
  require(keyring.damage().size() <= 1, "only the hostile entry is damaged");
  for (std::uint32_t number : keyring.epochs()) require(keyring.epoch(number, "x").number == number, "an epoch has its number");
  for (const KnownWriter& writer : keyring.writers())
    require(writer.id == writer_id(writer.verify_key), "a writer's id follows from its key");
  return 0;
}

std::vector<Bytes> fuzz_seeds() {
  KnownRepository& known = known_repository();
  crypto::Secret key = crypto::derive(known.root_key().view(), "holdfast v1 keyring");
  std::vector<Bytes> seeds;
  for (const auto& [name, object] : known.memory.objects()) {
    if (!name.starts_with("keyring/")) continue;
    ParsedObject parsed = parse_object(object, ObjectType::keyring, nullptr, name);
    seeds.push_back(open_body(key.view(), ObjectType::keyring, parsed.header_bytes, parsed.rest, name));
  }
  return seeds;
}
