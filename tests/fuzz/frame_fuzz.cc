// The decompressor: every codec, with and without a base, into exactly the room that it is given.
#include <zstd.h>

#include <algorithm>

#include "fuzz.h"
#include "repository/format/frame.h"

using namespace holdfast;
using namespace holdfast::fuzz;
using namespace holdfast::repository;

namespace {
constexpr std::size_t kGuard = 64;
constexpr std::uint8_t kGuardByte = 0xa5;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Decompressor decompressor;
  static Compressor compressor;
  Input in(data, size);
  auto codec = static_cast<Codec>(in.u8() % 3);
  std::size_t plain_size = in.u16() * std::size_t{in.u8() % 4 == 3 ? 16U : 1U};
  ByteView base = in.part();
  Bytes out(plain_size + kGuard, kGuardByte);
  bool decoded = decompressor.decode(codec, in.rest(), base, MutableBytes(out).first(plain_size));
  require(std::all_of(out.end() - kGuard, out.end(), [](auto b) { return b == kGuardByte; }), "nothing is written beyond the end");
  if (!decoded || plain_size == 0) return 0;
  out.resize(plain_size);
  Compressor::Encoded encoded = compressor.encode(out);
  Bytes again(plain_size);
  require(decompressor.decode(encoded.codec, encoded.bytes, {}, again) && again == out, "what was decoded can be encoded");
  return 0;
}

std::vector<Bytes> fuzz_seeds() {
  std::vector<Bytes> seeds;
  Bytes text;
  for (int i = 0; i < 200; ++i) text.insert(text.end(), {'a', 'b', static_cast<std::uint8_t>('a' + i % 7), ' '});
  Bytes packed(ZSTD_compressBound(text.size()));
  auto pack = [&](int level) { return ByteView(packed).first(ZSTD_compress(packed.data(), packed.size(), text.data(), text.size(), level)); };
  auto n = static_cast<std::uint16_t>(text.size());
  seeds.push_back(Parts().u8(0).u16(n).u8(0).part({}).rest(text));
  for (int level : {-5, 1, 3, 19}) {
    seeds.push_back(Parts().u8(1).u16(n).u8(0).part({}).rest(pack(level)));
    seeds.push_back(Parts().u8(2).u16(n).u8(0).part(as_bytes("ab base")).rest(pack(level)));
  }
  return seeds;
}
