// Objects that are read without a key: header, names, repository object, replica object.
#include "fuzz.h"
#include "known_repository.h"
#include "repository/format/repository_object.h"

using namespace holdfast;
using namespace holdfast::fuzz;
using namespace holdfast::repository;

namespace {

enum Part : std::uint8_t { kHeader, kName, kRepository, kReplica };

void read_header(ObjectType type, ByteView bytes) {
  accepted([&] {
    ParsedObject parsed = parse_object(bytes, type, nullptr, "pack/x");
    Bytes again = encode_header(parsed.header);
    require(as_text(again) == as_text(parsed.header_bytes), "a header encodes to what it was read from");
    require(parsed.header_bytes.size() + parsed.rest.size() == bytes.size(), "header and rest are the object");
  });
}

void read_name(std::string_view name) {
  store::is_object_name(name);
  auto parsed = parse_object_name(name);
  if (!parsed) return;
  require(store::is_object_name(name), "the store takes every name of an object");
  bool record = parsed->type == ObjectType::record;
  require(name == (record ? record_name(parsed->writer, parsed->number, parsed->hash) : object_name(parsed->type, parsed->hash)),
          "a name is made of what was read from it");
}

void read_repository(ByteView bytes) {
  accepted([&] {
    RepositoryObject object = decode_repository_object(bytes, crypto::sha256(bytes));
    Bytes first = encode_repository_object(object);
    RepositoryObject again = decode_repository_object(first, object.hash);
    require(encode_repository_object(again) == first, "a repository object comes back as it was");
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in(data, size);
  std::uint8_t what = in.u8();
  switch (what % 4) {
    case kHeader: read_header(static_cast<ObjectType>(1 + what / 4 % 10), in.rest()); break;
    case kName: read_name(as_text(in.rest())); break;
    case kRepository: read_repository(in.rest()); break;
    default: accepted([&] { read_replica(in.rest(), known_repository().id(), "replica/x"); });
  }
  return 0;
}

std::vector<Bytes> fuzz_seeds() {
  KnownRepository& known = known_repository();
  std::vector<Bytes> seeds;
  for (std::uint8_t type = 1; type <= 10; ++type)
    seeds.push_back(Parts().u8(static_cast<std::uint8_t>((type - 1) * 4 + kHeader)).rest(known.header(static_cast<ObjectType>(type), to_bytes("extra"))));
  for (const auto& [name, bytes] : known.memory.objects()) {
    seeds.push_back(Parts().u8(kName).rest(as_bytes(name)));
    if (name.starts_with("repository/")) seeds.push_back(Parts().u8(kRepository).rest(bytes));
  }
  seeds.push_back(Parts().u8(kName).rest(as_bytes(record_name(known.writer().id, 17, crypto::sha256({})))));
  Replica replica{known.entropy.random<ReplicaId>(), ReplicaKind::copy, {1000, 5}};
  seeds.push_back(Parts().u8(kReplica).rest(known.memory.get(put_replica(known.memory, known.id(), replica), 4096)));
  return seeds;
}
