#include "repository/upkeep/used_frames.h"

#include <algorithm>

#include "base/error.h"

namespace holdfast::repository {

UsedFrames::UsedFrames(Engine& engine, const std::vector<crypto::Sha256>& packs, const RunOptions& run) : engine_(engine), run_(run) {
  Catalog& catalog = engine_.catalog;
  catalog.refresh();
  bool all = std::all_of(packs.begin(), packs.end(), [&](const auto& pack) { return catalog.index().number_of(pack).has_value(); });
  if (!all) catalog.adopt_unlisted();
  frames_.resize(catalog.index().pack_count());
  for (const crypto::Sha256& pack : packs) {
    auto number = catalog.index().number_of(pack);
    if (!number) continue;   // missing or unreadable: walk() tells what needs it
    packs_.push_back(*number);
    frames_[*number].resize(catalog.index().pack(*number).frames);
  }
  std::sort(packs_.begin(), packs_.end());
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
  if (number && *number < frames_.size()) std::fill(frames_[*number].begin(), frames_[*number].end(), true);
}

std::uint64_t UsedFrames::unused_bytes(Index::PackNumber pack) const {
  std::uint64_t bytes = 0;
  for (std::uint32_t frame = 0; frame < frames_[pack].size(); ++frame) {
    if (!frames_[pack][frame]) bytes += engine_.catalog.index().frame(pack, frame).stored;
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
    if (at.pack >= frames_.size() || at.frame >= frames_[at.pack].size()) continue;
    found = true;
    std::vector<bool>::reference used = frames_[at.pack][at.frame];
    if (used) continue;
    used = true;
    Index::Frame frame = index.frame(at.pack, at.frame);
    if (frame.codec == Codec::zstd_with_base && !as_base) mark_places(frame.base, true);
  }
  if (found) return true;
  for (const Index::Location& at : places) elsewhere_.insert(index.pack(at.pack).hash);
  return !places.empty();
}

}  // namespace holdfast::repository
