// How the index of chunks grows: `index_growth FOLDER CHUNKS` builds an index of that many chunks in files
// below FOLDER (about 52 bytes a chunk, and while runs are merged as much again), keeps it as a backup does,
// opens it as the next process does and looks chunks up. One line of figures a step. Everything is removed at
// the end.
//
// The packs are as a backup of large files makes them: 25 chunks of 1 MiB, a frame each, every tenth frame
// building on another chunk. Ids are numbers through SHA-256, so that any of them can be made again.
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "crypto/hash.h"
#include "platform/entropy.h"
#include "repository/index/index.h"
#include "repository/index/index_cache.h"

using namespace holdfast;
using namespace holdfast::repository;

namespace {

namespace fs = std::filesystem;
constexpr std::uint64_t kChunksPerPack = 25;
constexpr std::uint64_t kBaseEvery = 10;
constexpr std::uint64_t kSegmentPacks = 64;  // of one segment: 1 GiB
constexpr std::uint64_t kLookups = 200'000;

ChunkId id_of(std::uint64_t number) {
  return ChunkId::from(
      crypto::sha256({reinterpret_cast<const std::uint8_t*>(&number), sizeof number}).view());
}
crypto::Sha256 hash_of(std::uint64_t pack) {
  return crypto::sha256(as_bytes("pack " + std::to_string(pack)));
}

std::uint64_t status_kib(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name + ":")) return std::stoull(line.substr(name.size() + 1));
  return 0;
}

class Timer {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void figures(const char* step, double wall, double cpu, std::uint64_t operations) {
  const double each = 1e6 / static_cast<double>(operations);
  std::printf("%-22s %9.2f s wall %9.2f s CPU  %9.2f us wall %9.2f us CPU each  RssAnon %6.1f MiB\n", step,
              wall, cpu, wall * each, cpu * each, static_cast<double>(status_kib("RssAnon")) / 1024);
  std::fflush(stdout);
}

PackDirectory directory_of(std::uint64_t pack) {
  PackDirectory directory;
  directory.id_epoch = 1;
  for (std::uint32_t i = 0; i < kChunksPerPack; ++i) {
    std::uint64_t number = pack * kChunksPerPack + i;
    PackDirectory::Frame frame{172 + i * 900'000, 900'000, 1 << 20, Codec::zstd, i, 1, {}};
    if (number % kBaseEvery == 9) {
      frame.codec = Codec::zstd_with_base;
      frame.base = id_of(number - 5);
    }
    directory.frames.push_back(frame);
    directory.chunks.push_back({id_of(number), ChunkType::data, 0, 1 << 20});
  }
  return directory;
}

void build(Index& index, SegmentMap& segments, std::uint64_t packs) {
  Timer all, part;
  double cpu = cpu_seconds(), part_cpu = cpu;
  std::uint64_t most_anonymous = 0, done = 0, next = packs / 10;
  SegmentMap::Number segment = 0;
  for (std::uint64_t pack = 0; pack < packs; ++pack) {
    if (pack % kSegmentPacks == 0) segment = segments.add({hash_of(~pack), 300'000});
    segments.list(index.add(hash_of(pack), 24 << 20, kPackHeaderSize, directory_of(pack)), segment);
    if (pack % 2000 == 0) most_anonymous = std::max(most_anonymous, status_kib("RssAnon"));
    if (pack + 1 == next || pack + 1 == packs) {
      std::string step = "  to " + std::to_string((pack + 1) * kChunksPerPack);
      figures(step.c_str(), part.seconds(), cpu_seconds() - part_cpu, (pack + 1 - done) * kChunksPerPack);
      done = pack + 1;
      next += packs / 10;
      part = Timer();
      part_cpu = cpu_seconds();
    }
  }
  figures("built", all.seconds(), cpu_seconds() - cpu, packs * kChunksPerPack);
  std::printf("%-22s %.1f MiB, runs %zu\n", "most RssAnon", static_cast<double>(most_anonymous) / 1024,
              index.run_count());
}

// `present` of the lookups must be found. False: wrong answer.
bool look_up(const char* step, const Index& index, std::uint64_t first, std::uint64_t chunks, bool present,
             std::uint64_t stride) {
  Timer timer;
  double cpu = cpu_seconds();
  for (std::uint64_t i = 0; i < kLookups; ++i) {
    std::uint64_t number = first + (i * stride) % chunks;
    auto at = index.find_usable(id_of(number));
    if (at.has_value() != present) return false;
    if (at && (at->pack != number / kChunksPerPack || at->frame != number % kChunksPerPack)) return false;
  }
  figures(step, timer.seconds(), cpu_seconds() - cpu, kLookups);
  return true;
}

int run(const fs::path& folder, std::uint64_t chunks) {
  const std::uint64_t packs = chunks / kChunksPerPack;
  const RepositoryId id = platform::real_entropy().random<RepositoryId>();
  IndexCache cache(folder, id);
  std::uint64_t bytes = 0;
  {
    Index index({folder, 500'000, {}});
    SegmentMap segments;
    build(index, segments, packs);
    Timer timer;
    double cpu = cpu_seconds();
    if (!index.save_runs([&](const auto& runs) { return cache.save(runs, segments.content()); })) return 1;
    figures("kept", timer.seconds(), cpu_seconds() - cpu, chunks);
  }
  for (const auto& file : fs::directory_iterator(folder)) bytes += file.file_size();
  std::printf("%-22s %llu bytes, %.2f a chunk\n", "files", static_cast<unsigned long long>(bytes),
              static_cast<double>(bytes) / static_cast<double>(chunks));

  Timer timer;
  double cpu = cpu_seconds();
  std::optional<IndexCache::Content> content = cache.load();
  if (!content) return 1;
  SegmentMap segments;
  segments.restore(std::move(content->segments));
  Index index({folder, 500'000, {}});
  index.start_with(std::move(content->runs));
  figures("opened", timer.seconds(), cpu_seconds() - cpu, 1);
  std::printf("%-22s %zu\n", "runs", index.run_count());
  if (index.chunk_count() != packs * kChunksPerPack) return 1;
  const std::uint64_t stride = 7'919'177;
  const std::uint64_t total = packs * kChunksPerPack;
  bool right = look_up("present, first time", index, 0, total, true, stride) &&
               look_up("present, again", index, 0, total, true, stride) &&
               look_up("absent, first time", index, total, total, false, stride) &&
               look_up("absent, again", index, total, total, false, stride);
  Timer numbers;
  cpu = cpu_seconds();
  for (std::uint64_t i = 0; right && i < kLookups; ++i) {
    std::uint64_t pack = (i * stride) % packs;
    right = index.number_of(hash_of(pack)) == static_cast<PackNumber>(pack);
  }
  figures("packs by name", numbers.seconds(), cpu_seconds() - cpu, kLookups);
  std::printf("%-22s %.1f MiB mapped\n", "RssFile", static_cast<double>(status_kib("RssFile")) / 1024);
  return right ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) {
    std::fprintf(stderr, "usage: index_growth FOLDER CHUNKS\n");
    return 2;
  }
  fs::path folder = fs::path(arguments[1]) / "index-growth";
  try {
    fs::remove_all(folder);
    int result = run(folder, std::stoull(arguments[2]));
    fs::remove_all(folder);
    if (result != 0) std::fprintf(stderr, "index_growth: a wrong answer, or nothing was kept\n");
    return result;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "index_growth: %s\n", error.what());
    return 1;
  }
}
