// Where every chunk is: an IndexTable for what is new to this process, and runs (index_run.h) in mapped files
// for all else. The table becomes a run when it is large; of runs of about one size four become one, so that
// there are few. Pack numbers are given in the order of adding and stay as they are. catalog.h says where the
// content comes from. Thread-safe; a lookup waits while runs are merged.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <vector>

#include "repository/format/pack.h"
#include "repository/index/index_table.h"
#include "repository/index/pack_set.h"

namespace holdfast::repository {

class Index {
 public:
  using PackNumber = repository::PackNumber;  // of this Index only
  using Location = ChunkLocation;
  using Frame = IndexedFrame;
  using Pack = IndexedPack;

  struct Options {
    // Of the runs' files. Empty, or not to be written: files without a name in the system's temporary folder.
    platform::Path folder;
    std::uint64_t most_in_memory = 500'000;  // chunks; about 30 MB
    // Finds the directory of a pack again, when a run is damaged. Called while lookups wait: must not use the
    // Index.
    std::function<PackDirectory(PackNumber, const Pack&)> directory_of;
  };
  Index();
  explicit Index(Options options);

  // A pack that is known already is left as it is.
  PackNumber add(const crypto::Sha256& pack, std::uint64_t size, std::uint32_t header_length,
                 const PackDirectory& directory);

  // Every place of the chunk, usable packs first.
  std::vector<Location> find(const ChunkId& id) const;
  // A place in a usable pack whose base (if any) is in a usable pack too.
  std::optional<Location> find_usable(const ChunkId& id) const;

  // The packs that reading that place takes: its own, and the one of the base.
  std::vector<PackNumber> packs_for(const Location& at) const;

  Frame frame(PackNumber pack, std::uint32_t number) const;
  Pack pack(PackNumber number) const;
  std::optional<PackNumber> number_of(const crypto::Sha256& pack) const;
  // These packs, ascending by hash. No lock is held while `visit` runs.
  void each_by_hash(const PackSet& packs, const std::function<void(const Pack&)>& visit) const;
  std::size_t pack_count() const;
  std::uint64_t chunk_count() const;
  void set_usable(PackNumber pack, bool usable);

  // Starts with these runs instead of empty; their packs are numbered from 0 on without a gap. Precondition:
  // nothing was added.
  void start_with(std::vector<std::unique_ptr<IndexRun>> runs);
  // Brings all of it into runs with names, and tells them to `save` in the order of their packs. When save
  // returns true their files outlive the Index. False, without calling it, when the folder cannot be written.
  bool save_runs(const std::function<bool(const std::vector<std::string>&)>& save);
  std::size_t run_count() const;

 private:
  template <class Look>
  auto reading(Look look) const;
  template <class Visit>
  void each(const ChunkId& id, Visit visit) const;  // visit(const Location&) -> bool: go on
  Frame frame_locked(PackNumber pack, std::uint32_t number) const;
  Pack pack_locked(PackNumber number) const;
  std::vector<Pack> some_by_hash(const PackSet& packs, const std::optional<crypto::Sha256>& after) const;
  const IndexRun& run_of(PackNumber pack) const;
  std::optional<PackNumber> number_of_locked(const crypto::Sha256& pack) const;
  bool base_usable(const Location& at, PackNumber* base_pack) const;
  void spill();
  void settle();
  std::unique_ptr<IndexRun> in_file(
      const std::function<std::unique_ptr<IndexRun>(const platform::Path&)>& make) const;
  void heal(const IndexRun* damaged) const;

  const Options options_;
  mutable std::shared_mutex mutex_;
  // In the order of their packs, without a gap; the table's come after them. Healing replaces a run by equal
  // ones.
  mutable std::vector<std::unique_ptr<IndexRun>> runs_;
  IndexTable table_{0};
  std::uint64_t spill_at_;
  std::vector<bool> usable_;  // by pack number
};

// -- index segments (docs/repository-format.md "Index segment")

struct SegmentPack {
  crypto::Sha256 hash;
  std::uint64_t size = 0;
  std::uint32_t header_length = 0;
  Bytes directory;  // encoded
};
Bytes encode_segment(const std::vector<crypto::Sha256>& superseded, std::span<const SegmentPack> packs);

struct SegmentView {
  std::vector<crypto::Sha256> superseded;
  struct Pack {
    crypto::Sha256 hash;
    std::uint64_t size = 0;
    std::uint32_t header_length = 0;
    ByteView directory;  // into the input
  };
  std::vector<Pack> packs;
};
SegmentView decode_segment(ByteView plain, std::string_view name);

}  // namespace holdfast::repository
