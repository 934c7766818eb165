// What reading and writing share in one opened repository. Thread-safe. Kept alive by every node and session.
#pragma once

#include <algorithm>
#include <mutex>
#include <thread>

#include "repository/data/chunk_reader.h"
#include "repository/data/chunker.h"
#include "repository/data/similar.h"
#include "repository/index/catalog.h"

namespace holdfast::repository {

// Lets several threads draw from one source of randomness.
class LockedEntropy final : public platform::Entropy {
 public:
  explicit LockedEntropy(platform::Entropy& source) : source_(source) {}
  void fill(MutableBytes out) override {
    std::lock_guard lock(mutex_);
    source_.fill(out);
  }

 private:
  platform::Entropy& source_;
  std::mutex mutex_;
};

// Threads of a check: one more than the machine has cores, as one waits for the disk; at most 4 (each may hold a pack).
inline std::size_t check_threads(const RunOptions& run) {
  return run.workers != 0 ? run.workers : std::clamp(std::thread::hardware_concurrency() + 1, 2U, 4U);
}

struct Engine {
  explicit Engine(const DataContext& outside)
      : entropy(outside.entropy),
        context{outside.store, outside.keyring,    outside.clock,
                entropy,       outside.repository, outside.parameters, outside.cache},
        chunker(outside.parameters, outside.keyring.current().chunker_secret.view()),
        catalog(context),
        reader(context, catalog),
        similar(outside.cache) {}
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  LockedEntropy entropy;
  const DataContext context;
  const Chunker chunker;
  Catalog catalog;
  ChunkReader reader;
  SimilarChunks similar;
};
using EnginePtr = std::shared_ptr<Engine>;

}  // namespace holdfast::repository
