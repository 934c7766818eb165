// The directory of a pack whose frames are good, signed and sealed.
#include "fuzz.h"
#include "known_repository.h"

using namespace holdfast;
using namespace holdfast::fuzz;
using namespace holdfast::repository;

namespace {

std::vector<KnownRepository::Frame> good_frames(const KnownRepository& known) {
  std::vector<KnownRepository::Frame> frames;
  for (std::string_view text : {"one chunk", "and another one"})
    frames.push_back(KnownRepository::plain_frame(known.chunk_id(ChunkType::data, as_bytes(text)), ChunkType::data, as_bytes(text)));
  ByteView both = as_bytes("two chunks in one frame");
  KnownRepository::Frame group{Codec::plain, static_cast<std::uint32_t>(both.size()), {both.begin(), both.end()}, {}, {}};
  group.chunks.push_back({known.chunk_id(ChunkType::data, both.first(10)), ChunkType::data, 0, 10});
  group.chunks.push_back({known.chunk_id(ChunkType::tree, both.subspan(10)), ChunkType::tree, 0, static_cast<std::uint32_t>(both.size() - 10)});
  frames.push_back(group);
  return frames;
}

void check_bounds(const PackDirectory& directory, std::uint64_t pack_size) {
  for (const PackDirectory::Frame& frame : directory.frames) {
    require(std::uint64_t{frame.offset} + frame.stored <= pack_size, "a frame lies in its pack");
    require(frame.size > 0 && frame.size <= kMaxFrame, "a frame is no larger than it may be");
    std::uint64_t sum = 0;
    for (const PackDirectory::Chunk& chunk : directory.chunks_of(frame)) {
      require(chunk.offset == sum, "chunks follow each other");
      sum += chunk.length;
    }
    require(sum == frame.size, "chunks fill their frame");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  KnownRepository& known = known_repository();
  ByteView directory(data, size);
  Bytes pack = known.pack(good_frames(known), directory);
  accepted([&] { check_bounds(decode_directory(directory, kPackHeaderSize, pack.size(), "pack/x"), pack.size()); });

  PackChecker checker;
  auto base = [](const ChunkId&, ChunkType) { return as_bytes("base"); };
  bool whole = accepted([&] { check_bounds(checker.check(pack, known.id(), *known.keyring, base, "pack/x"), pack.size()); });
  std::string name = known.put(ObjectType::pack, pack);
  StoredDirectory stored = read_directory(known.memory, name, pack.size(), known.id(), *known.keyring);
  require(as_text(stored.encoded) == as_text(directory), "a directory is read as it was sealed");
  if (!whole) return 0;
  std::shared_ptr<DataStore> data_store = open_data(known.context());
  require(!data_store->check_pack(crypto::sha256(pack), pack.size()), "both ways of checking a pack agree");
  return 0;
}

std::vector<Bytes> fuzz_seeds() {
  auto frames = good_frames(known_repository());
  std::vector<Bytes> seeds = {KnownRepository::directory(frames), KnownRepository::directory({}), KnownRepository::directory(frames, 2)};
  frames[1].codec = Codec::zstd;
  seeds.push_back(KnownRepository::directory(frames));
  frames[1].codec = Codec::zstd_with_base;
  seeds.push_back(KnownRepository::directory(frames));
  return seeds;
}
