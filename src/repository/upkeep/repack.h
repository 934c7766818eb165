// Moves frames into new packs without compressing them again: opened, decoded and checked, sealed anew under the new pack's key, and
// decoded once more from the very bytes that are stored. Chunks keep their names, and packs the epoch that named them. One thread;
// holds one pack (24 MiB) and the directories of those it has written.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "repository/data/engine.h"
#include "repository/log/log.h"

namespace holdfast::repository {

class Repack {
 public:
  Repack(Engine& engine, const LogWriter& writer, const RunOptions& run);

  // Takes over the frames of `pack` that `is_needed` holds for. false: the pack cannot be read whole, nothing of it may be given up.
  bool take(Index::PackNumber pack, const std::function<bool(std::uint32_t frame)>& is_needed);
  void finish();   // stores what waits; after that, the rest can be asked for

  const std::vector<SegmentPack>& written() const { return written_; }
  // The new packs that hold what was taken over of `pack`.
  std::vector<NeededObject> in_place_of(Index::PackNumber pack) const;

 private:
  bool copy_frames(Index::PackNumber number, const Index::Pack& pack, const std::function<bool(std::uint32_t)>& is_needed);
  bool decodes(const PackDirectory& directory, const PackDirectory::Frame& frame, ByteView encoded, const Epoch& ids);
  void add(Index::PackNumber from, const PackDirectory& directory, const PackDirectory::Frame& frame, ByteView encoded);
  void begin_pack(std::uint32_t id_epoch);
  void store_pack();

  Engine& engine_;
  const LogWriter writer_;
  const RunOptions& run_;
  std::unique_ptr<PackWriter> pack_;
  std::uint32_t id_epoch_ = 0;                 // of pack_
  std::vector<Index::PackNumber> waiting_;     // packs with frames in pack_
  Decompressor decompressor_;
  PackChecker checker_;
  Bytes stored_, encoded_, plain_;
  std::vector<SegmentPack> written_;
  std::map<Index::PackNumber, std::vector<NeededObject>> places_;
};

}  // namespace holdfast::repository
