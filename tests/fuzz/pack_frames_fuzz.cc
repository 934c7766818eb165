// The encoded bytes of frames, in a pack whose directory says about them what the input says; read chunk by chunk as a restore does.
#include <zstd.h>

#include <algorithm>

#include "fuzz.h"
#include "known_repository.h"

using namespace holdfast;
using namespace holdfast::fuzz;
using namespace holdfast::repository;

namespace {

constexpr std::size_t kMostFrames = 8;
constexpr std::string_view kBase = "the quick brown fox jumps over the lazy dog, the base of others";

KnownRepository::Frame base_frame(const KnownRepository& known) {
  return KnownRepository::plain_frame(known.chunk_id(ChunkType::data, as_bytes(kBase)), ChunkType::data, as_bytes(kBase));
}

// What the frame holds when it can be decoded; else anything of that size, so that its chunk has an id.
Bytes plain_of(const KnownRepository::Frame& frame) {
  Bytes plain(frame.size);
  static Decompressor decompressor;
  if (!decompressor.decode(frame.codec, frame.encoded, as_bytes(kBase), plain)) std::fill(plain.begin(), plain.end(), 0);
  return plain;
}

std::vector<KnownRepository::Frame> frames_of(Input& in, const KnownRepository& known) {
  std::vector<KnownRepository::Frame> frames = {base_frame(known)};
  while (!in.at_end() && frames.size() < kMostFrames) {
    KnownRepository::Frame frame;
    std::uint8_t how = in.u8();
    frame.codec = static_cast<Codec>(how % 3);
    frame.size = 1 + in.u16() * (how & 0x80 ? 100U : 1U);
    ByteView encoded = in.part();
    frame.encoded.assign(encoded.begin(), encoded.end());
    // A base that is itself built on another one must be refused: sometimes it is the frame before.
    frame.base = (how & 0x40 ? frames.back() : frames.front()).chunks.front().id;
    frame.chunks.push_back({known.chunk_id(ChunkType::data, plain_of(frame)), ChunkType::data, 0, frame.size});
    frames.push_back(std::move(frame));
  }
  return frames;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  KnownRepository& known = known_repository();
  Input in(data, size);
  std::vector<KnownRepository::Frame> frames = frames_of(in, known);
  known.put_frames(frames);
  std::shared_ptr<DataStore> store = open_data(known.context());
  for (const KnownRepository::Frame& frame : frames) {
    tree::Entry entry;
    entry.size = frame.size;
    ContentRef content{frame.size, 0, {{frame.chunks.front().id, frame.size}}};
    tree::NodePtr node = store->open_node(encode_entry(entry), content);
    Bytes read;
    if (!accepted([&] { read = node->read_all(); })) continue;
    require(known.chunk_id(ChunkType::data, read) == frame.chunks.front().id, "what is given out is what the id says");
  }
  Bytes pack = known.pack(frames, KnownRepository::directory(frames));
  store->check_pack(crypto::sha256(pack), pack.size());
  return 0;
}

std::vector<Bytes> fuzz_seeds() {
  auto compressed = [](ByteView plain, ByteView base) {
    ZSTD_CCtx* context = ZSTD_createCCtx();
    Bytes out(ZSTD_compressBound(plain.size()));
    if (!base.empty()) ZSTD_CCtx_refPrefix(context, base.data(), base.size());
    out.resize(ZSTD_compress2(context, out.data(), out.size(), plain.data(), plain.size()));
    ZSTD_freeCCtx(context);
    return out;
  };
  Bytes text = to_bytes(std::string(kBase) + " and a little more of it, and more, and more"), zeros(60000);
  auto size = [](ByteView v) { return static_cast<std::uint16_t>(v.size() - 1); };
  std::vector<Bytes> seeds;
  seeds.push_back(Parts().u8(0).u16(size(text)).part(text));
  seeds.push_back(Parts().u8(1).u16(size(text)).part(compressed(text, {})));
  seeds.push_back(Parts().u8(2).u16(size(text)).part(compressed(text, as_bytes(kBase))));
  seeds.push_back(Parts().u8(1).u16(size(zeros)).part(compressed(zeros, {})).u8(0x42).u16(size(text)).part(compressed(text, zeros)));
  seeds.push_back(Parts().u8(2).u16(size(text)).part(compressed(text, as_bytes(kBase))).u8(0x42).u16(size(text)).part(compressed(text, text)));
  return seeds;
}
