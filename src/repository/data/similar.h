// Which stored chunk looks most like a new one, so that only the difference needs to be stored. Knows no packs.
//
// The table is a cache in a file of at most 40 MiB (the newest 262,144 chunks: about 250 GB of content), mapped,
// not loaded. Losing it, or any lie in it, costs space at most: a base is read and its id recomputed before use.
// Thread-safe; processes may share the file.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

#include "platform/file_system.h"
#include "platform/mapped_file.h"
#include "repository/data/chunker.h"
#include "repository/data/sketch.h"
#include "repository/format/chunk.h"

namespace holdfast::repository {

class SimilarChunks {
 public:
  // Of all of `plain`. Content-defined chunks bring one of the part that was scanned for their end.
  static Sketch sketch(const Chunker& chunker, ByteView plain);

  // `folder` is made at the first use when it is missing. Empty, or one that cannot be used: nothing is ever found.
  explicit SimilarChunks(platform::Path folder) : folder_(std::move(folder)) {}

  // The chunk with most features of `wanted`, when it has two at least.
  std::optional<ChunkId> find(const Sketch& wanted);
  void add(const Sketch& sketch, const ChunkId& id);

 private:
  struct Header;
  struct Slot;
  Header& header();
  std::uint8_t* id_at(std::uint32_t number);
  Slot& slot_of(std::uint32_t feature);
  bool open();  // false: there is no table
  bool adopt(platform::MappedFile file);  // false: not one of ours
  void begin(std::uint32_t capacity);     // a new, empty table
  void grow();

  const platform::Path folder_;
  std::mutex mutex_;
  bool opened_ = false;
  std::optional<platform::MappedFile> file_;
};

}  // namespace holdfast::repository
