#include "repository/upkeep/used_frames.h"

#include "base/error.h"

namespace holdfast::repository {

UsedFrames::UsedFrames(Engine& engine, const NeededObjects& packs, const RunOptions& run) : engine_(engine), run_(run) {
  Catalog& catalog = engine_.catalog;
  catalog.refresh();
  const Index& index = catalog.index();
  bool all = true;
  packs([&](const NeededObject& pack) { all = all && index.number_of(pack.hash); });
  if (!all) catalog.adopt_unlisted();
  packs([&](const NeededObject& pack) {
    if (auto number = index.number_of(pack.hash)) packs_.add(*number);   // else missing or unreadable: walk() tells what needs it
  });
  std::uint64_t frames = 0;
  const std::size_t count = index.pack_count();
  for (std::size_t number = 0; number < count; ++number) {
    auto pack = static_cast<Index::PackNumber>(number);
    first_.push_back(frames);
    if (packs_.contains(pack)) frames += index.pack(pack).frames;
  }
  first_.push_back(frames);
  for (std::uint64_t word = 0; word <= frames / 64; ++word) used_.push_back(0);
}

std::uint32_t UsedFrames::frames_of(Index::PackNumber pack) const {
  return std::size_t{pack} + 1 < first_.size() ? static_cast<std::uint32_t>(first_[pack + 1] - first_[pack]) : 0;
}

void UsedFrames::set_used(Index::PackNumber pack, std::uint32_t frame) {
  const std::uint64_t bit = first_[pack] + frame;
  used_[bit / 64] |= std::uint64_t{1} << bit % 64;
}

void UsedFrames::walk(const std::pair<Bytes, ContentRef>& root) {
  std::vector<std::unique_ptr<ListingCursor>> open;
  enter(decode_root(root.first, root.second), open);
  while (!open.empty()) {
    if (run_.cancel != nullptr) run_.cancel->check();
    if (std::optional<StoredRecord> next = open.back()->next()) {
      enter(*next, open);
    } else {
      open.pop_back();
    }
  }
}

void UsedFrames::keep_whole(const crypto::Sha256& pack) {
  auto number = engine_.catalog.index().number_of(pack);
  for (std::uint32_t frame = 0; number && frame < frames_of(*number); ++frame) set_used(*number, frame);
}

std::uint64_t UsedFrames::unused_bytes(Index::PackNumber pack) const {
  std::uint64_t bytes = 0;
  for (std::uint32_t frame = 0; frame < frames_of(pack); ++frame) {
    if (!is_used(pack, frame)) bytes += engine_.catalog.index().frame(pack, frame).stored;
  }
  return bytes;
}

void UsedFrames::enter(const StoredRecord& node, std::vector<std::unique_ptr<ListingCursor>>& open) {
  if (node.entry.kind != tree::Kind::directory) return take_pieces(node.content);
  if (open.size() > kMaxDepth) throw Error(Code::damaged, "a stored tree is damaged: it is deeper than 4,096 directories");
  if (walked_before(node.content)) return;
  if (run_.progress != nullptr) run_.progress->add(0, 1);
  open.push_back(std::make_unique<ListingCursor>(engine_.reader, node.content, [this](const ContentRef::Piece& piece) { mark(piece); }));
}

void UsedFrames::take_pieces(const ContentRef& content) {
  if (content.level == 0) {
    for (const ContentRef::Piece& piece : content.pieces) mark(piece);
    return;
  }
  if (walked_before(content)) return;
  PieceCursor pieces(engine_.reader, content, [this](const ContentRef::Piece& piece) { mark(piece); });
  ContentRef::Piece piece;
  while (pieces.next(piece)) mark(piece);
}

bool UsedFrames::walked_before(const ContentRef& content) {
  Writer w;
  encode_reference(w, content);
  auto key = FixedId<16, WalkedTag>::from(crypto::sha256(w.bytes()).view().first(16));
  return !walked_.insert(key).second;
}

void UsedFrames::mark(const ContentRef::Piece& piece) {
  if (mark_places(piece.id, false)) return;
  throw Error(Code::damaged, "chunk " + piece.id.hex().substr(0, 16) + " is in no pack");
}

bool UsedFrames::mark_places(const ChunkId& id, bool as_base) {
  const Index& index = engine_.catalog.index();
  bool found = false;
  std::vector<Index::Location> places = index.find(id);
  for (const Index::Location& at : places) {
    if (at.frame >= frames_of(at.pack)) continue;
    found = true;
    if (is_used(at.pack, at.frame)) continue;
    set_used(at.pack, at.frame);
    Index::Frame frame = index.frame(at.pack, at.frame);
    if (frame.codec == Codec::zstd_with_base && !as_base) mark_places(frame.base, true);
  }
  if (found) return true;
  for (const Index::Location& at : places) elsewhere_.insert(index.pack(at.pack).hash);
  return !places.empty();
}

}  // namespace holdfast::repository
