// Which stored chunk looks most like a new one, so that only the difference needs to be stored. Knows no packs.
//
// A *sketch* is the 16 smallest of a sample of the window hashes of a chunk (bottom-k sketch: Broder, "On the
// resemblance and containment of documents", 1997), so two chunks that share most of their bytes share most of
// their features wherever the bytes moved. The hashes are keyed by the repository's chunker secret.
//
// The table is a cache in a file of at most 40 MiB (the newest 262,144 chunks: about 250 GB of content), mapped,
// not loaded. Losing it, or any lie in it, costs space at most: a base is read and its id recomputed before use.
// Thread-safe; processes may share the file.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>

#include "platform/file_system.h"
#include "platform/mapped_file.h"
#include "repository/chunk.h"
#include "repository/chunker.h"

namespace holdfast::repository {

class SimilarChunks {
 public:
  static constexpr std::size_t kFeatures = 16;
  struct Sketch {
    std::array<std::uint32_t, kFeatures> features;  // the first `count`, no two alike
    std::size_t count = 0;
  };
  static Sketch sketch(const Chunker& chunker, ByteView plain);

  // `folder` is made when missing. Empty, or one that cannot be used: nothing is ever found.
  explicit SimilarChunks(const platform::Path& folder);

  // The chunk with most features of `wanted`, when it has two at least.
  std::optional<ChunkId> find(const Sketch& wanted);
  void add(const Sketch& sketch, const ChunkId& id);

 private:
  struct Header;
  struct Slot;
  Header& header();
  std::uint8_t* id_at(std::uint32_t number);
  Slot& slot_of(std::uint32_t feature);
  bool adopt(platform::MappedFile file);  // false: not one of ours
  void begin(std::uint32_t capacity);     // a new, empty table
  void grow();

  platform::Path path_;
  std::mutex mutex_;
  std::optional<platform::MappedFile> file_;
};

}  // namespace holdfast::repository
