// What is inside of a sealed body: codec, size, data. The limits on what is decompressed.
#include <zstd.h>

#include "fuzz.h"
#include "known_repository.h"

using namespace holdfast;
using namespace holdfast::fuzz;
using namespace holdfast::repository;

namespace {

constexpr ObjectType kTypes[] = {ObjectType::keyring, ObjectType::pack, ObjectType::index, ObjectType::point, ObjectType::record};
constexpr std::uint64_t kEnough = 16 << 20;

Bytes inner(std::uint8_t codec, std::uint64_t size, ByteView data) { return Writer().u8(codec).u64(size).raw(data).take(); }
Bytes zstd(ByteView plain) {
  Bytes out(ZSTD_compressBound(plain.size()));
  out.resize(ZSTD_compress(out.data(), out.size(), plain.data(), plain.size(), 3));
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  KnownRepository& known = known_repository();
  Input in(data, size);
  ObjectType type = kTypes[in.u8() % std::size(kTypes)];
  Bytes header = known.header(type), body = known.sealed_body(type, header, in.rest(), true);
  crypto::Secret keyring_key = crypto::derive(known.root_key().view(), "holdfast v1 keyring");
  ByteView key = type == ObjectType::keyring ? keyring_key.view() : known.epoch().meta_key.view();
  // An index segment or a point may hold 1 GiB, allocated when it says so: allowed, and it takes only time.
  std::uint64_t told = in.rest().size() < 9 ? 0 : Reader(in.rest().subspan(1, 8), "size").u64();
  if (told > kEnough && told <= object_limit(type)) return 0;
  Bytes plain;
  if (!accepted([&] { plain = open_body(key, type, header, body, "x"); })) return 0;
  Bytes again = seal_body(key, type, header, plain, known.entropy);
  require(open_body(key, type, header, again, "x") == plain, "a body comes back as it was");
  return 0;
}

std::vector<Bytes> fuzz_seeds() {
  std::vector<Bytes> seeds;
  Bytes text = to_bytes("a body, a body, a body, a body, a body"), zeros(1 << 20);
  for (std::uint8_t type = 0; type < std::size(kTypes); ++type) {
    seeds.push_back(Parts().u8(type).rest(inner(0, text.size(), text)));
    seeds.push_back(Parts().u8(type).rest(inner(1, text.size(), zstd(text))));
  }
  seeds.push_back(Parts().u8(1).rest(inner(1, zeros.size(), zstd(zeros))));           // a bomb that is within the limit
  seeds.push_back(Parts().u8(0).rest(inner(1, UINT64_C(2) << 20, zstd(Bytes(2 << 20)))));   // and one that is not
  return seeds;
}
