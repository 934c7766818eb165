// The part of the index that is in memory: what this process wrote or read and is not in a run yet. 48 bytes
// a chunk and about 6 for its slot, 12 a frame. Not thread-safe.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "repository/index/index_run.h"

namespace holdfast::repository {

class IndexTable {
 public:
  explicit IndexTable(PackNumber first_pack) : first_pack_(first_pack) {}

  // Precondition: the pack is not in it.
  PackNumber add(const crypto::Sha256& hash, std::uint64_t size, std::uint32_t header_length,
                 const PackDirectory& directory);

  PackNumber first_pack() const { return first_pack_; }
  PackNumber next_pack() const { return first_pack_ + static_cast<PackNumber>(packs_.size()); }
  bool has(PackNumber pack) const { return pack - first_pack_ < packs_.size(); }
  bool empty() const { return packs_.empty(); }
  std::uint64_t chunk_count() const { return count_; }
  std::uint64_t weight() const { return count_ + 2 * packs_.size(); }  // in chunks: what it takes of memory

  const PackRecord& pack(PackNumber number) const {
    return packs_[number - first_pack_];
  }                                                                 // precondition: has()
  IndexedFrame frame(PackNumber pack, std::uint32_t number) const;  // defect when the pack has no such frame
  std::optional<PackNumber> number_of(const crypto::Sha256& pack) const;
  const std::map<crypto::Sha256, PackNumber>& numbers() const { return numbers_; }
  // visit(const PackedLocation&) for every place, until it returns false.
  template <class Visit>
  bool each(const ChunkId& id, Visit visit) const {
    if (slots_.empty()) return true;
    std::size_t mask = slots_.size() - 1;
    for (std::size_t slot = IdHash{}(id)&mask; slots_[slot] != kNone; slot = (slot + 1) & mask) {
      const Entry& found = entry(slots_[slot]);
      if (found.id == id && !visit(found.at)) return false;
    }
    return true;
  }

  // The same as a run. code_of_errno, no_space.
  std::unique_ptr<IndexRun> write(const platform::Path& folder) const;

 private:
  struct Entry {
    ChunkId id;
    PackedLocation at;
  };
  static constexpr std::size_t kBlock = 16384;
  static constexpr std::uint32_t kNone = 0xffffffff;

  const Entry& entry(std::uint32_t number) const { return blocks_[number / kBlock][number % kBlock]; }
  void insert(const ChunkId& id, const PackedLocation& at);
  void place(std::uint32_t number);
  void grow();

  PackNumber first_pack_;
  std::vector<std::unique_ptr<Entry[]>> blocks_;
  std::uint32_t count_ = 0;
  std::vector<std::uint32_t> slots_;  // numbers of entries; size is a power of two, at most 3/4 taken
  std::vector<PackRecord> packs_;
  std::vector<FrameRecord> frames_;
  std::vector<BaseRecord> bases_;  // ascending by frame
  std::map<crypto::Sha256, PackNumber> numbers_;
};

}  // namespace holdfast::repository
