// The local index cache: its list, hashed anew, and changed bytes in a run. Whatever is in it, what is found is right or nothing.
#include <filesystem>
#include <fstream>

#include "fuzz.h"
#include "known_repository.h"
#include "repository/index/index.h"
#include "repository/index/index_cache.h"

using namespace holdfast;
using namespace holdfast::fuzz;
using namespace holdfast::repository;

namespace {

constexpr int kPacks = 3;
constexpr std::size_t kSum = 32;

struct Good {
  platform::TemporaryFolder folder;
  std::string run;   // name of the file
  Bytes run_bytes, list;
  std::vector<ChunkId> chunks;
  std::vector<crypto::Sha256> packs;
};

Bytes read_file(const platform::Path& path) { return platform::real_file_system().read_all(path); }
void write_file(const platform::Path& path, ByteView bytes) { std::ofstream(path, std::ios::binary | std::ios::trunc) << as_text(bytes); }

const Good& good() {
  static Good made;
  if (!made.packs.empty()) return made;
  KnownRepository& known = known_repository();
  Index index({.folder = made.folder.path(), .directory_of = {}});
  for (int i = 0; i < kPacks; ++i) {
    Bytes bytes(100, static_cast<std::uint8_t>(i));
    ChunkId id = known.chunk_id(ChunkType::data, bytes);
    Bytes listed = KnownRepository::directory({KnownRepository::plain_frame(id, ChunkType::data, bytes)});
    made.chunks.push_back(id);
    made.packs.push_back(crypto::sha256(bytes));
    index.add(made.packs.back(), 1000, kPackHeaderSize, decode_directory(listed, kPackHeaderSize, 1000, "pack/x"));
  }
  IndexCache cache(made.folder.path(), known.id());
  require(index.save_runs([&](const std::vector<std::string>& names) {
            made.run = names.at(0);
            SegmentMap::Content segments;
            segments.segments = {{made.packs.front(), 500}};
            segments.superseded = {made.packs.back()};
            segments.ranges[0] = {kPacks, 0};
            return cache.save(names, segments);
          }),
          "an index can be kept");
  made.run_bytes = read_file(made.folder.path() / made.run);
  made.list = read_file(made.folder.path() / "index");
  return made;
}

// Every byte of a run is covered by a sum: what is found is what was written, or the run is damaged.
void look(const IndexRun& run) {
  for (std::uint64_t i = 0; i < run.counts().packs && i < 8; ++i)
    accepted([&] {
      PackNumber number = run.first_pack() + static_cast<PackNumber>(i);
      PackRecord pack = run.pack(number);
      require(pack.hash == good().packs.at(i), "a pack is the one that was written");
      run.frame(number, 0);
      require(run.number_of(pack.hash) == number, "a pack is found by its hash");
    });
  for (const ChunkId& chunk : good().chunks)
    accepted([&] { require(run.at(run.first_place(chunk), chunk).has_value(), "a chunk is where it was written"); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Good& from = good();
  KnownRepository& known = known_repository();
  Input in(data, size);
  Bytes run = from.run_bytes, list = from.list;
  if (in.u8() % 2 == 0) {
    list.assign(in.rest().begin(), in.rest().end());
    crypto::Sha256 sum = crypto::sha256(list);
    list.insert(list.end(), sum.bytes.begin(), sum.bytes.end());
  } else {
    while (!in.at_end()) {
      std::size_t at = in.u16() % run.size();
      run[at] = in.u8();
    }
  }
  write_file(from.folder.path() / from.run, run);
  write_file(from.folder.path() / "index", list);
  if (auto content = IndexCache(from.folder.path(), known.id()).load())
    for (const auto& one : content->runs) look(*one);
  return 0;
}

std::vector<Bytes> fuzz_seeds() {
  const Good& from = good();
  std::vector<Bytes> seeds;
  seeds.push_back(Parts().u8(0).rest(ByteView(from.list).first(from.list.size() - kSum)));
  seeds.push_back(Parts().u8(1));
  for (unsigned at = 0; at < from.run_bytes.size() && at < 0x10000; at += 4096 - 40)
    seeds.push_back(Parts().u8(1).u16(static_cast<std::uint16_t>(at)).u8(1));
  return seeds;
}
