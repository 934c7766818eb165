// The index of one repository and where it comes from: index segments, and the packs themselves when segments
// are damaged or missing, or what an earlier process kept of both on this machine (index_cache.h).
// Thread-safe. Errors of the store pass through; damaged segments are noted and worked around.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "repository/data/data.h"
#include "repository/index/index.h"
#include "repository/index/index_cache.h"
#include "repository/index/segment_map.h"

namespace holdfast::repository {

class Catalog {
 public:
  explicit Catalog(const DataContext& context);

  // Reads the segments that were not read yet: at the first use, and to learn of what other machines wrote.
  // Keeps the index on this machine when that will save the next process time.
  void refresh();
  // Like refresh(), once: cheap when it has been done.
  void load();
  // Reads the directories of packs that no segment lists (a lost segment, a killed run).
  void adopt_unlisted();
  // Lists the packs of the store: those missing or of another size become unusable, the others usable unless
  // found damaged.
  void match_with_store();
  // From the next match_with_store() on, packs that `condemned` holds for, by name, and packs that such a
  // segment lists are not usable. Empty: none.
  void avoid(std::function<bool(const std::string& object)> condemned);
  // Never deduplicated against again, by this process.
  void mark_damaged(Index::PackNumber pack);

  Index& index() { return index_; }

  // Packs that this process wrote or adopted and that no segment lists yet. written() puts one into the index
  // as well.
  Index::PackNumber written(SegmentPack pack, const PackDirectory& directory);
  bool has_pending();
  // Makes them durable and writes one segment over them, when there are any. When that fails they are not used again.
  void write_segment(const SessionSetup& setup);
  // The same when there are many and no other thread is doing it.
  void write_segment_when_due(const SessionSetup& setup);

  // The packs and, for each, a segment that lists it. Error(defect) when a pack has none. The Catalog must
  // outlive what it returns.
  NeededObjects with_segments(PackSet packs);

 private:
  struct OpenSegment {
    crypto::Sha256 hash;
    Bytes plain;
    SegmentView view;  // into plain
  };
  void refresh_locked();
  void write_pending(const SessionSetup& setup);
  void give_up_pending();
  void measure_pending();
  OpenSegment open(const crypto::Sha256& hash);
  void read_segment(const crypto::Sha256& hash, std::uint64_t size);
  PackDirectory directory_again(Index::PackNumber number, const Index::Pack& pack);
  void open_cache(const std::vector<SegmentMap::Segment>& listed);
  void keep_cache();
  void adopt_pack(const crypto::Sha256& hash, std::uint64_t size);
  bool is_condemned(Index::PackNumber pack) const;

  const DataContext& context_;
  const IndexCache cache_;
  SegmentMap segments_;
  std::optional<OpenSegment> healing_from_;  // used by directory_again() only
  Index index_;                              // calls directory_again()
  std::mutex writing_;  // a segment; taken before mutex_
  std::mutex mutex_;
  bool loaded_ = false;
  bool cache_trusted_ = true;
  std::uint64_t kept_chunks_ = 0;  // in the cache, when there is one
  std::size_t segments_since_kept_ = 0;
  std::map<std::string, std::string> damage_;  // object, what is wrong
  std::set<crypto::Sha256> unreadable_packs_, unreadable_segments_;
  std::set<Index::PackNumber> damaged_packs_;
  std::function<bool(const std::string&)> condemned_;
  std::vector<SegmentPack> pending_;
  struct {
    std::uint64_t pack_bytes = 0, directory_bytes = 0;
  } pending_size_;
};

}  // namespace holdfast::repository
