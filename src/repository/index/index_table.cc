#include "repository/index/index_table.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/error.h"

namespace holdfast::repository {

void IndexTable::place(std::uint32_t number) {
  std::size_t mask = slots_.size() - 1;
  std::size_t slot = IdHash{}(entry(number).id) & mask;
  while (slots_[slot] != kNone) slot = (slot + 1) & mask;
  slots_[slot] = number;
}

void IndexTable::grow() {
  std::size_t wanted = std::max<std::size_t>(slots_.size() * 2, 4096);
  slots_ = {};  // the old table first: both at once would be the peak of memory
  slots_.assign(wanted, kNone);
  for (std::uint32_t i = 0; i < count_; ++i) place(i);
}

void IndexTable::insert(const ChunkId& id, const PackedLocation& at) {
  if (count_ == kNone)
    throw Error(Code::unsupported, "cannot hold the index: it has more than 4 billion chunks in memory");
  if (count_ % kBlock == 0) blocks_.push_back(std::make_unique<Entry[]>(kBlock));
  blocks_[count_ / kBlock][count_ % kBlock] = {id, at};
  ++count_;
  if (std::uint64_t{count_} * 4 > std::uint64_t{slots_.size()} * 3)
    grow();  // places the new one too
  else
    place(count_ - 1);
}

PackNumber IndexTable::add(const crypto::Sha256& hash, std::uint64_t size, std::uint32_t header_length,
                           const PackDirectory& directory) {
  PackNumber number = next_pack();
  auto frames = static_cast<std::uint32_t>(directory.frames.size());
  numbers_.emplace(hash, number);
  packs_.push_back({hash, size, frames_.size(), header_length, directory.id_epoch, frames, 0});
  for (std::uint32_t i = 0; i < frames; ++i) {
    const PackDirectory::Frame& frame = directory.frames[i];
    bool on_base = frame.codec == Codec::zstd_with_base;
    if (on_base) bases_.push_back({frames_.size(), frame.base});
    frames_.push_back(FrameRecord(frame));
    for (const PackDirectory::Chunk& chunk : directory.chunks_of(frame))
      insert(chunk.id, {number, on_base ? i | PackedLocation::kOnBase : i, chunk.offset, chunk.length});
  }
  return number;
}

IndexedFrame IndexTable::frame(PackNumber number, std::uint32_t frame_number) const {
  const PackRecord& owner = pack(number);
  if (frame_number >= owner.frames)
    throw Error(Code::defect, "cannot look up a frame: pack " + owner.hash.hex() + " has fewer");
  std::uint64_t at = owner.first_frame + frame_number;
  IndexedFrame frame = frames_[static_cast<std::size_t>(at)].unpacked();
  if (frame.codec == Codec::zstd_with_base) {
    frame.base =
        std::lower_bound(bases_.begin(), bases_.end(), at, [](const BaseRecord& base, std::uint64_t wanted) {
          return base.frame < wanted;
        })->base;
  }
  return frame;
}

std::optional<PackNumber> IndexTable::number_of(const crypto::Sha256& pack) const {
  auto found = numbers_.find(pack);
  return found == numbers_.end() ? std::nullopt : std::optional(found->second);
}

std::unique_ptr<IndexRun> IndexTable::write(const platform::Path& folder) const {
  RunBuilder builder(folder, first_pack_, {packs_.size(), count_, frames_.size(), bases_.size()});
  for (const PackRecord& pack : packs_) builder.add(pack);
  for (const FrameRecord& frame : frames_) builder.add(frame);
  for (const BaseRecord& base : bases_) builder.add(base);
  for (const auto& [hash, number] : numbers_) builder.add_order(number - first_pack_);
  std::vector<std::uint32_t> sorted(count_);
  std::iota(sorted.begin(), sorted.end(), 0);
  std::sort(sorted.begin(), sorted.end(),
            [&](std::uint32_t a, std::uint32_t b) { return entry(a).id < entry(b).id; });
  for (std::uint32_t number : sorted) {
    ChunkRecord record;
    std::memcpy(record.id.data(), entry(number).id.bytes.data(), record.id.size());
    record.at = entry(number).at;
    builder.add(record);
  }
  return builder.finish();
}

}  // namespace holdfast::repository
