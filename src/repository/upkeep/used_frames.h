// Which frames of packs are needed: found by walking trees. One bit a frame; directories that were walked before are skipped, so
// points that share most of their trees cost little more than one. One thread.
#pragma once

#include <set>
#include <unordered_set>

#include "repository/data/engine.h"
#include "repository/data/large_list.h"
#include "repository/data/tree_reader.h"

namespace holdfast::repository {

class UsedFrames {
 public:
  // `packs`: those that points need. Only their frames are told about: a chunk that another pack holds as well is not needed there.
  UsedFrames(Engine& engine, const NeededObjects& packs, const RunOptions& run);

  // Everything below a root of an item, as a point has it. damaged: something of it is in none of the packs.
  void walk(const std::pair<Bytes, ContentRef>& root);
  void keep_whole(const crypto::Sha256& pack);

  const PackSet& packs() const { return packs_; }
  // Other packs that hold what none of the packs has: no inventory names them, and still they must stay.
  const std::set<crypto::Sha256>& elsewhere() const { return elsewhere_; }
  bool is_used(Index::PackNumber pack, std::uint32_t frame) const {
    const std::uint64_t bit = first_[pack] + frame;
    return (used_[bit / 64] >> bit % 64 & 1) != 0;
  }
  // Stored bytes of the frames that nothing needs.
  std::uint64_t unused_bytes(Index::PackNumber pack) const;

 private:
  void enter(const StoredRecord& node, std::vector<std::unique_ptr<ListingCursor>>& open);
  void take_pieces(const ContentRef& content);
  bool walked_before(const ContentRef& content);
  void mark(const ContentRef::Piece& piece);
  bool mark_places(const ChunkId& id, bool as_base);
  // 0 when it is not one of the packs.
  std::uint32_t frames_of(Index::PackNumber pack) const;
  void set_used(Index::PackNumber pack, std::uint32_t frame);

  Engine& engine_;
  const RunOptions& run_;
  PackSet packs_;
  LargeList<std::uint64_t> first_;          // by pack number, and one more: the number of its first frame among those of all packs
  LargeList<std::uint64_t> used_;           // a bit a frame
  std::set<crypto::Sha256> elsewhere_;
  std::unordered_set<FixedId<16, struct WalkedTag>, IdHash> walked_;
};

}  // namespace holdfast::repository
