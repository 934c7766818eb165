#include "repository/index.h"

#include <algorithm>
#include <mutex>

#include "base/error.h"
#include "base/text.h"
#include "base/wire.h"

namespace holdfast::repository {

static_assert(sizeof(Index::Location) + ChunkId::kSize == 48);

// -- the table

template <class Visit>
void Index::each(const ChunkId& id, Visit visit) const {
  if (slots_.empty()) return;
  std::size_t mask = slots_.size() - 1;
  for (std::size_t slot = IdHash{}(id)&mask; slots_[slot] != kNone; slot = (slot + 1) & mask) {
    const Entry& found = entry(slots_[slot]);
    if (found.id == id && !visit(found.at)) return;
  }
}

void Index::place(std::uint32_t number) {
  std::size_t mask = slots_.size() - 1;
  std::size_t slot = IdHash{}(entry(number).id) & mask;
  while (slots_[slot] != kNone) slot = (slot + 1) & mask;
  slots_[slot] = number;
}

void Index::grow() {
  std::size_t wanted = std::max<std::size_t>(slots_.size() * 2, 4096);
  slots_ = {};  // the old table first: both at once would be the peak of memory
  slots_.assign(wanted, kNone);
  for (std::uint32_t i = 0; i < count_; ++i) place(i);
}

void Index::insert(const ChunkId& id, const Location& at) {
  if (count_ == kNone)
    throw Error(Code::unsupported, "cannot hold the index: it has more than 4 billion chunks");
  if (count_ % kBlock == 0) blocks_.push_back(std::make_unique<Entry[]>(kBlock));
  blocks_[count_ / kBlock][count_ % kBlock] = {id, at};
  ++count_;
  if (std::uint64_t{count_} * 4 > std::uint64_t{slots_.size()} * 3)
    grow();  // places the new one too
  else
    place(count_ - 1);
}

Index::PackNumber Index::add(const crypto::Sha256& pack, std::uint64_t size, std::uint32_t header_length,
                             const PackDirectory& directory) {
  std::unique_lock lock(mutex_);
  auto [known, fresh] = numbers_.try_emplace(pack, static_cast<PackNumber>(packs_.size()));
  if (!fresh) return known->second;
  PackNumber number = known->second;
  PackState state;
  state.info.hash = pack;
  state.info.size = size;
  state.info.header_length = header_length;
  state.info.id_epoch = directory.id_epoch;
  state.info.frames = static_cast<std::uint32_t>(directory.frames.size());
  state.first_frame = frames_.size();
  packs_.push_back(state);
  for (std::uint32_t i = 0; i < directory.frames.size(); ++i) {
    const PackDirectory::Frame& frame = directory.frames[i];
    if (frame.codec == Codec::zstd_with_base) bases_[frames_.size()] = frame.base;
    frames_.push_back(
        {frame.offset, frame.stored, frame.size | static_cast<std::uint32_t>(frame.codec) << 24});
    for (const PackDirectory::Chunk& chunk : directory.chunks_of(frame))
      insert(chunk.id, {number, i, chunk.offset, chunk.length});
  }
  return number;
}

Index::Frame Index::frame_locked(PackNumber pack, std::uint32_t number) const {
  std::uint64_t at = packs_.at(pack).first_frame + number;
  const PackedFrame& packed = frames_.at(static_cast<std::size_t>(at));
  Frame frame{packed.offset,
              packed.stored,
              packed.size_and_codec & 0xffffff,
              static_cast<Codec>(packed.size_and_codec >> 24),
              {}};
  if (frame.codec == Codec::zstd_with_base) frame.base = bases_.at(at);
  return frame;
}

std::vector<Index::Location> Index::find(const ChunkId& id) const {
  std::shared_lock lock(mutex_);
  std::vector<Location> places;
  each(id, [&](const Location& at) {
    places.push_back(at);
    return true;
  });
  std::stable_partition(places.begin(), places.end(),
                        [&](const Location& at) { return packs_[at.pack].info.usable; });
  return places;
}

std::optional<Index::Location> Index::find_usable(const ChunkId& id) const {
  std::shared_lock lock(mutex_);
  std::optional<Location> place;
  each(id, [&](const Location& at) {
    if (!packs_[at.pack].info.usable) return true;
    if (Frame frame = frame_locked(at.pack, at.frame); frame.codec == Codec::zstd_with_base) {
      bool base_usable = false;
      each(frame.base, [&](const Location& base) { return !(base_usable = packs_[base.pack].info.usable); });
      if (!base_usable) return true;
    }
    place = at;
    return false;
  });
  return place;
}

std::vector<Index::PackNumber> Index::packs_for(const Location& at) const {
  std::shared_lock lock(mutex_);
  std::vector<PackNumber> packs{at.pack};
  if (Frame frame = frame_locked(at.pack, at.frame); frame.codec == Codec::zstd_with_base) {
    each(frame.base, [&](const Location& base) {
      if (!packs_[base.pack].info.usable) return true;
      packs.push_back(base.pack);
      return false;
    });
  }
  return packs;
}

Index::Frame Index::frame(PackNumber pack, std::uint32_t number) const {
  std::shared_lock lock(mutex_);
  return frame_locked(pack, number);
}

Index::Pack Index::pack(PackNumber number) const {
  std::shared_lock lock(mutex_);
  return packs_.at(number).info;
}

std::optional<Index::PackNumber> Index::number_of(const crypto::Sha256& pack) const {
  std::shared_lock lock(mutex_);
  auto found = numbers_.find(pack);
  return found == numbers_.end() ? std::nullopt : std::optional(found->second);
}

std::size_t Index::pack_count() const {
  std::shared_lock lock(mutex_);
  return packs_.size();
}

std::uint64_t Index::chunk_count() const {
  std::shared_lock lock(mutex_);
  return count_;
}

void Index::set_usable(PackNumber pack, bool usable) {
  std::unique_lock lock(mutex_);
  packs_.at(pack).info.usable = usable;
}

// -- segments

Bytes encode_segment(const std::vector<crypto::Sha256>& superseded, const std::vector<SegmentPack>& packs) {
  Writer w;
  w.varint(superseded.size());
  for (const crypto::Sha256& hash : superseded) w.raw(hash.view());
  w.varint(packs.size());
  for (const SegmentPack& pack : packs)
    w.raw(pack.hash.view()).varint(pack.size).varint(pack.header_length).blob(pack.directory);
  return w.take();
}

SegmentView decode_segment(ByteView plain, std::string_view name) {
  Reader r(plain, "index segment " + printable(name));
  SegmentView view;
  std::uint64_t superseded = r.varint();
  r.expect_count(superseded, crypto::Sha256::kSize);
  for (std::uint64_t i = 0; i < superseded; ++i) view.superseded.push_back(r.id<crypto::Sha256>());
  std::uint64_t packs = r.varint();
  r.expect_count(packs, crypto::Sha256::kSize + 3);
  view.packs.reserve(static_cast<std::size_t>(packs));
  for (std::uint64_t i = 0; i < packs; ++i) {
    SegmentView::Pack pack;
    pack.hash = r.id<crypto::Sha256>();
    pack.size = r.varint();
    std::uint64_t header = r.varint();
    if (header < kHeaderSize || header > kMaxHeaderSize) r.damaged("a pack's header has an impossible size");
    pack.header_length = static_cast<std::uint32_t>(header);
    pack.directory = r.blob();
    view.packs.push_back(pack);
  }
  r.expect_end();
  return view;
}

}  // namespace holdfast::repository
