// A part of the index in a file: packs with consecutive numbers, their frames, and their chunks sorted by id.
// Written once through a mapping, then read through it: what it takes is the machine's page cache, not memory
// of the process. Derived data in the byte order of this machine; it can be thrown away at any time.
//
//   page 0    header                        per pack   64 bytes, by number
//   sections  each begins at a page         order      4 bytes a pack: packs sorted by hash
//   sums      8 bytes a page before them    entry      32 bytes a chunk in a pack, sorted by id
//                                           frame 12 bytes; base 40 bytes a frame that builds on another
//                                           chunk
//
// An entry holds the first 16 bytes of the chunk id. Ids are a keyed hash, so only who has the repository's
// keys can look for two chunks with the same 128 bits, with 2^64 work, and reads one of his own two chunks as
// "damaged" for it: reading compares the whole id. Whoever has the keys can write bad points without that.
//
// Every page has a checksum (keyed by file and page, so that no page passes for another one), compared when
// the page is used first; header and packs when the file is opened. A bad page is thrown as RunDamaged and
// never believed: a wrong place would not only be read in vain, a point would need the wrong pack. Like every
// mapped file: an unreadable sector of the local disk ends the process (SIGBUS).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/error.h"
#include "platform/file_system.h"
#include "platform/mapped_file.h"
#include "repository/format/pack.h"

namespace holdfast::repository {

using PackNumber = std::uint32_t;

struct ChunkLocation {
  PackNumber pack = 0;
  std::uint32_t frame = 0;
  std::uint32_t offset = 0, length = 0;  // in the plain bytes of the frame
  bool on_base = false;                  // the frame builds on another chunk
};

struct IndexedFrame {
  std::uint32_t offset = 0, stored = 0, size = 0;  // as in PackDirectory::Frame
  Codec codec{};
  ChunkId base;
};

struct IndexedPack {
  crypto::Sha256 hash;
  std::uint64_t size = 0;
  std::uint32_t header_length = 0;
  std::uint32_t id_epoch = 0;  // as in PackDirectory
  bool usable = true;          // false: missing, damaged, or of another size; never deduplicated against
  std::uint32_t frames = 0;
  std::string name() const { return object_name(ObjectType::pack, hash); }
};

// -- as stored

struct PackedLocation {
  static constexpr std::uint32_t kOnBase = 0x80000000;
  PackNumber pack = 0;
  std::uint32_t frame = 0;  // kOnBase added: the frame builds on another chunk
  std::uint32_t offset = 0, length = 0;
  ChunkLocation unpacked() const { return {pack, frame & ~kOnBase, offset, length, (frame & kOnBase) != 0}; }
};
struct ChunkRecord {
  std::array<std::uint8_t, 16> id{};
  PackedLocation at;
};
struct PackRecord {
  crypto::Sha256 hash;
  std::uint64_t size = 0, first_frame = 0;  // the frame's place in its run or table
  std::uint32_t header_length = 0, id_epoch = 0, frames = 0, reserved = 0;
  IndexedPack unpacked(bool usable) const { return {hash, size, header_length, id_epoch, usable, frames}; }
};
struct FrameRecord {
  std::uint32_t offset = 0, stored = 0, size_and_codec = 0;  // size < 2^24, codec above it
  FrameRecord() = default;
  explicit FrameRecord(const PackDirectory::Frame& frame);
  IndexedFrame unpacked() const;  // without base
};
struct BaseRecord {
  std::uint64_t frame = 0;
  ChunkId base;
};

struct RunCounts {
  std::uint64_t packs = 0, chunks = 0, frames = 0, bases = 0;
};

class IndexRun;

// A page of a run is not what was written.
class RunDamaged : public Error {
 public:
  explicit RunDamaged(const IndexRun* run);
  const IndexRun* run() const { return run_; }

 private:
  const IndexRun* run_;
};

// Thread-safe.
class IndexRun {
 public:
  // The name of a run's file tells which file it is; damaged when it is not a whole run. code_of_errno.
  IndexRun(const platform::Path& folder, const std::string& name);
  // Removes the file when it was made by this process and keep() was not called, or discard() was.
  ~IndexRun();
  IndexRun(const IndexRun&) = delete;
  IndexRun& operator=(const IndexRun&) = delete;

  // One run with all that the given ones hold; their packs follow each other. Empty folder: a file without a
  // name in the system's temporary folder. RunDamaged; code_of_errno, no_space.
  static std::unique_ptr<IndexRun> merged(const std::vector<const IndexRun*>& runs,
                                          const platform::Path& folder);

  const std::string& name() const { return name_; }  // empty: has none
  void keep() { kept_ = true; }
  void discard() { kept_ = false; }
  const RunCounts& counts() const { return counts_; }
  PackNumber first_pack() const { return first_pack_; }
  bool has(PackNumber pack) const { return pack - first_pack_ < counts_.packs; }
  std::uint64_t file_size() const { return file_.bytes().size(); }

  // Preconditions: has(pack), place < counts().chunks. RunDamaged.
  PackRecord pack(PackNumber number) const;
  IndexedFrame frame(PackNumber pack, std::uint32_t number) const;  // defect when the pack has no such frame
  std::optional<PackNumber> number_of(const crypto::Sha256& pack) const;
  // Packs sorted by hash: the one at a place (below counts().packs), and the first place behind a hash.
  PackNumber in_order(std::uint64_t place) const;
  std::uint64_t place_behind(const crypto::Sha256& hash) const;
  // The places of a chunk are those from here on for as long as at() tells one.
  std::uint64_t first_place(const ChunkId& id) const;
  std::optional<PackedLocation> at(std::uint64_t place, const ChunkId& id) const;

 private:
  friend class RunBuilder;
  struct Layout {
    std::uint64_t packs = 0, order = 0, chunks = 0, frames = 0, bases = 0, sums = 0, size = 0;
    explicit Layout(const RunCounts& counts);
  };
  IndexRun(platform::MappedFile file, platform::Path path, std::string name, PackNumber first_pack,
           const RunCounts& counts);

  template <class Record>
  Record read(std::uint64_t section, std::uint64_t number) const;
  void check(std::uint64_t offset, std::uint64_t size) const;  // RunDamaged
  std::uint64_t sum_of(std::uint64_t page) const;
  std::uint64_t first_in_order(const crypto::Sha256& hash) const;  // that is not below it
  ChunkRecord chunk(std::uint64_t place) const { return read<ChunkRecord>(layout_.chunks, place); }
  void copy_into(class RunBuilder& builder, std::uint64_t first_frame) const;

  platform::MappedFile file_;
  platform::Path path_;  // empty: has none
  std::string name_;
  std::array<std::uint8_t, 16> id_{};
  PackNumber first_pack_ = 0;
  RunCounts counts_;
  Layout layout_;
  bool kept_ = false;
  mutable std::vector<std::atomic<std::uint64_t>> checked_;  // a bit a page
};

// Writes a run. Each kind of record in its order, as many as were told.
class RunBuilder {
 public:
  RunBuilder(const platform::Path& folder, PackNumber first_pack, const RunCounts& counts);
  void add(const PackRecord& record) { put(packs_, record); }
  void add_order(std::uint32_t pack) { put(order_, pack); }  // of this run: 0 is its first
  void add(const ChunkRecord& record) { put(chunks_, record); }
  void add(const FrameRecord& record) { put(frames_, record); }
  void add(const BaseRecord& record) { put(bases_, record); }
  std::unique_ptr<IndexRun> finish();

 private:
  template <class Record>
  void put(std::uint64_t& at, const Record& record);

  std::unique_ptr<IndexRun> run_;
  std::uint64_t packs_, order_, chunks_, frames_, bases_;  // where the next one goes
};

inline constexpr std::string_view kRunPrefix = "run-";  // of the names of runs' files

}  // namespace holdfast::repository
