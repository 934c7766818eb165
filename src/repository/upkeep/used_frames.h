// Which frames of packs are needed: found by walking trees. One bit a frame; directories that were walked before are skipped, so
// points that share most of their trees cost little more than one. One thread.
#pragma once

#include <set>
#include <unordered_set>
#include <vector>

#include "repository/data/engine.h"
#include "repository/data/tree_reader.h"

namespace holdfast::repository {

class UsedFrames {
 public:
  // `packs`: those that points need. Only their frames are told about: a chunk that another pack holds as well is not needed there.
  UsedFrames(Engine& engine, const std::vector<crypto::Sha256>& packs, const RunOptions& run);

  // Everything below a root of an item, as a point has it. damaged: something of it is in none of the packs.
  void walk(const std::pair<Bytes, ContentRef>& root);
  void keep_whole(const crypto::Sha256& pack);

  const std::vector<Index::PackNumber>& packs() const { return packs_; }
  // Other packs that hold what none of the packs has: no inventory names them, and still they must stay.
  const std::set<crypto::Sha256>& elsewhere() const { return elsewhere_; }
  bool is_used(Index::PackNumber pack, std::uint32_t frame) const { return frames_[pack][frame]; }
  // Stored bytes of the frames that nothing needs.
  std::uint64_t unused_bytes(Index::PackNumber pack) const;

 private:
  void enter(const StoredRecord& node, std::vector<std::unique_ptr<ListingCursor>>& open);
  void take_pieces(const ContentRef& content);
  bool walked_before(const ContentRef& content);
  void mark(const ContentRef::Piece& piece);
  bool mark_places(const ChunkId& id, bool as_base);

  Engine& engine_;
  const RunOptions& run_;
  std::vector<Index::PackNumber> packs_;
  std::vector<std::vector<bool>> frames_;   // by pack number; empty: not one of the packs
  std::set<crypto::Sha256> elsewhere_;
  std::unordered_set<FixedId<16, struct WalkedTag>, IdHash> walked_;
};

}  // namespace holdfast::repository
