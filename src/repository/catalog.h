// The index of one repository and where it comes from: index segments, and the packs themselves when segments
// are damaged or missing. Thread-safe. Errors of the store pass through; damaged segments are noted and
// worked around.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "repository/data.h"
#include "repository/index.h"

namespace holdfast::repository {

class Catalog {
 public:
  explicit Catalog(const DataContext& context) : context_(context) {}

  // Reads the segments that were not read yet: at the first use, and to learn of what other machines wrote.
  void refresh();
  // Like refresh(), once: cheap when it has been done.
  void load();
  // Reads the directories of packs that no segment lists (a lost segment, a killed run).
  void adopt_unlisted();
  // Lists the packs of the store: those missing or of another size become unusable, the others usable unless
  // found damaged.
  void match_with_store();
  // Never deduplicated against again, by this process.
  void mark_damaged(Index::PackNumber pack);

  Index& index() { return index_; }

  // Packs that this process wrote or adopted and that no segment lists yet. written() puts one into the index
  // as well.
  Index::PackNumber written(SegmentPack pack, const PackDirectory& directory);
  // Writes one segment over all of them, when there are any.
  void write_segment(const SessionSetup& setup);
  struct Pending {
    std::uint64_t pack_bytes = 0, directory_bytes = 0;
  };
  Pending pending();

  // The packs and, for each, a segment that lists it; ascending. Error(defect) when a pack has none.
  std::vector<NeededObject> with_segments(const std::set<Index::PackNumber>& packs);

 private:
  struct Segment {
    crypto::Sha256 hash;
    std::uint64_t size = 0;
    bool superseded = false;
  };
  void refresh_locked();
  void read_segment(const crypto::Sha256& hash, std::uint64_t size);
  void list_pack(Index::PackNumber pack, std::uint32_t segment);
  void adopt_pack(const crypto::Sha256& hash, std::uint64_t size);

  const DataContext& context_;
  Index index_;
  std::mutex mutex_;
  bool loaded_ = false;
  std::vector<Segment> segments_;
  std::set<crypto::Sha256> seen_, superseded_;  // segments
  std::map<std::string, std::string> damage_;   // object, what is wrong
  std::set<crypto::Sha256> unreadable_packs_;
  std::set<Index::PackNumber> damaged_packs_;
  std::vector<std::uint32_t> segment_of_;  // by pack number
  std::vector<SegmentPack> pending_;
  Pending pending_size_;
};

}  // namespace holdfast::repository
