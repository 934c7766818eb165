#include "repository/data/capture.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace holdfast::repository {
namespace {

constexpr std::size_t kLeastRoom = std::size_t{128} << 10;  // of what space() gives
constexpr std::size_t kJobBytes = std::size_t{1} << 20;     // small files are handed over together
constexpr std::size_t kJobFiles = 4096, kNodesPassed = 4096;
constexpr std::int64_t kSettled = 2;  // seconds; docs/repository-format.md "Tree entries"

[[noreturn]] void defect(const std::string& why) { throw Error(Code::defect, "cannot store a tree: " + why); }

// A time of reading says nothing new about what did not change: the earlier one stays, and so does the
// directory's chunk.
tree::Entry keep_captured(const tree::Entry& now, const StoredRecord* before) {
  tree::Entry kept = now;
  if (!before) return kept;
  kept.captured = before->entry.captured;
  return kept == before->entry ? kept : now;
}

// What a reader would refuse must not get into a listing: it would take its whole directory with it.
Bytes encode(const tree::Entry& entry) {
  Bytes bytes = tree::encode_entry(entry);
  bool readable = bytes.size() <= kMaxEntry;
  try {
    readable = readable && tree::decode_entry(bytes) == entry;
  } catch (const Error&) {
    readable = false;
  }
  if (readable) return bytes;
  throw Error(Code::unsupported,
              "cannot store '" + printable(entry.name) + "': its attributes are beyond what the format holds");
}

bool surely_unchanged(const tree::Entry& now, const tree::Entry& before) {
  bool same = now.kind == tree::Kind::file && before.kind == tree::Kind::file && now.size == before.size &&
              now.modified == before.modified && now.changed == before.changed && now.inode == before.inode &&
              now.device == before.device;
  if (!same) return false;
  Timestamp settled{before.changed.seconds + kSettled, before.changed.nanoseconds};
  return settled < before.captured;
}

}  // namespace

// -- cutting

void FileFeed::begin(tree::Chunking chunking) {
  file_ = std::make_shared<GrowingFile>(chunker_);
  chunking_ = chunking;
  scan_ = {};
  file_start_ = chunk_start_;
  file_bytes_ = 0;
}

MutableBytes FileFeed::space() {
  if (!file_) defect("content without a file");
  if (buffer_ && buffer_->bytes.size() - used_ < kLeastRoom) hand_over();
  if (!buffer_) buffer_ = pipeline_.take_buffer();
  return MutableBytes(buffer_->bytes).subspan(used_);
}

void FileFeed::commit(std::size_t bytes) {
  if (!file_ || !buffer_ || bytes > buffer_->bytes.size() - used_)
    defect("more content than there was space");
  used_ += bytes;
  file_bytes_ += bytes;
  total_bytes_ += bytes;
  cut();
}

void FileFeed::cut() {
  const Parameters& p = chunker_.parameters();
  if (chunking_ == tree::Chunking::fixed) {
    while (used_ - chunk_start_ >= p.fixed_chunk) take_piece(p.fixed_chunk);
    return;
  }
  if (file_bytes_ <= p.group_limit) return;  // as far as we know one chunk
  while (used_ > chunk_start_) {
    ByteView chunk = ByteView(buffer_->bytes).subspan(chunk_start_, used_ - chunk_start_);
    std::optional<std::size_t> end = chunker_.end_of_chunk(scan_, chunk);
    if (!end) return;
    take_piece(*end);
  }
}

void FileFeed::take_piece(std::size_t length) {
  buffer_->pieces.push_back({file_, file_->add_piece(), static_cast<std::uint32_t>(chunk_start_),
                             static_cast<std::uint32_t>(length), scan_.sketch.sketch()});
  chunk_start_ += length;
  scan_ = {};
}

// The unfinished chunk moves to the beginning of another buffer.
void FileFeed::hand_over() {
  std::size_t rest = used_ - chunk_start_;
  std::unique_ptr<WorkBuffer> fresh;
  if (rest > 0) {
    fresh = pipeline_.take_buffer();
    std::copy_n(buffer_->bytes.begin() + static_cast<std::ptrdiff_t>(chunk_start_), rest,
                fresh->bytes.begin());
  }
  std::unique_ptr<WorkBuffer> full = std::exchange(buffer_, std::move(fresh));
  used_ = rest;
  chunk_start_ = file_start_ = 0;
  nodes_passed_ = 0;
  pipeline_.submit(std::move(full));
}

std::shared_ptr<GrowingFile> FileFeed::end() {
  if (used_ > chunk_start_) take_piece(used_ - chunk_start_);
  std::shared_ptr<GrowingFile> file = std::move(file_);
  if (buffer_ && (chunk_start_ >= kJobBytes || buffer_->pieces.size() >= kJobFiles)) hand_over();
  return file;
}

void FileFeed::abandon() {
  while (buffer_ && !buffer_->pieces.empty() && buffer_->pieces.back().target == file_)
    buffer_->pieces.pop_back();
  used_ = chunk_start_ = file_start_;
  file_.reset();
}

void FileFeed::flush() {
  if (buffer_ && !buffer_->pieces.empty()) hand_over();
}

void FileFeed::node_passed() {
  if (++nodes_passed_ < kNodesPassed || file_) return;
  nodes_passed_ = 0;
  flush();
}

// -- the earlier state

PreviousTree::PreviousTree(Engine& engine, tree::NodePtr root) : engine_(engine) {
  auto node = dynamic_cast<const DataNode*>(root.get());
  if (node && node->engine() == &engine) root_ = node->record();
}

// What cannot be read of the earlier state is read again from the source: nothing is lost by it.
void PreviousTree::advance(Directory& directory) {
  directory.next.reset();
  try {
    if (directory.listing) directory.next = directory.listing->next();
  } catch (const Error&) {
    directory.listing.reset();
  }
}

const StoredRecord* PreviousTree::find(const std::string& name) {
  if (open_.empty()) return root_ ? &*root_ : nullptr;
  Directory& directory = open_.back();
  while (directory.next && directory.next->entry.name < name) advance(directory);
  return directory.next && directory.next->entry.name == name ? &*directory.next : nullptr;
}

void PreviousTree::open(const StoredRecord* directory) {
  Directory opened;
  if (directory && directory->entry.kind == tree::Kind::directory) {
    opened.listing = std::make_unique<ListingCursor>(engine_.reader, directory->content);
    advance(opened);
  }
  open_.push_back(std::move(opened));
}

void PreviousTree::close() { open_.pop_back(); }

// -- the session

CaptureSession::CaptureSession(EnginePtr engine, SessionSetup setup)
    : engine_(std::move(engine)),
      setup_(std::move(setup)),
      pipeline_(engine_, setup_),
      feed_(engine_->chunker, pipeline_) {}

CaptureSession::Item& CaptureSession::item() {
  if (!item_) defect("no item is open");
  return *item_;
}

tree::TreeSink& CaptureSession::begin_item(const std::string& name, tree::NodePtr previous) {
  if (item_) defect("item '" + printable(name) + "' begins before the one before it ends");
  pipeline_.check();
  item_ = std::make_unique<Item>(*engine_, std::move(previous));
  return *this;
}

void CaptureSession::end_item(StoredItem& stored) {
  Item& done = item();
  if (!done.has_root || !done.open.empty() || feed_.open())
    defect("item '" + printable(stored.name) + "' ends in the middle of its tree");
  feed_.flush();
  pipeline_.wait_until([&] { return done.root->done.load(std::memory_order_acquire); });
  stored.root = {std::move(done.root->node.entry), std::move(done.root->node.content)};
  stored.bytes = done.bytes;
  stored.files = done.files;
  item_.reset();
}

void CaptureSession::abandon_item() {
  if (feed_.open()) feed_.abandon();
  item_.reset();
  pipeline_.check();
}

PointId CaptureSession::publish(const PointDraft& draft) {
  if (item_ || published_) defect("a point is published once, after its last item");
  published_ = true;
  feed_.flush();
  pipeline_.finish();
  engine_->catalog.write_segment(setup_);
  return setup_.commit(draft, engine_->catalog.with_segments(pipeline_.needed()));
}

// -- the tree

NodePlace CaptureSession::next_place(const tree::Entry& entry) {
  Item& now = item();
  if (entry.kind == tree::Kind::socket) defect("a socket is never stored");
  if (now.open.empty()) {
    if (now.has_root || !entry.name.empty()) defect("an item has exactly one root, without a name");
    now.has_root = true;
    return {nullptr, 0, now.root};
  }
  OpenDirectory& parent = now.open.back();
  if (!tree::is_safe_name(entry.name)) defect("'" + printable(entry.name) + "' is no name of a file");
  if (parent.has_children && entry.name <= parent.last_name) {
    defect("'" + printable(entry.name) + "' comes after '" + printable(parent.last_name) + "'");
  }
  parent.has_children = true;
  parent.last_name = entry.name;
  return {parent.directory, parent.directory->add_slot(), nullptr};
}

void CaptureSession::place(const NodePlace& place, FinishedNode node) {
  if (GrowingDirectoryPtr due = place.fill(std::move(node))) {
    pipeline_.submit([due](const PutTreeChunk& put) { settle(due, put); });
  }
  feed_.node_passed();
}

void CaptureSession::open_directory(const tree::Entry& entry) {
  Item& now = item();
  if (entry.kind != tree::Kind::directory || feed_.open())
    defect("'" + printable(entry.name) + "' cannot be opened as a directory here");
  if (now.open.size() > kMaxDepth) {
    throw Error(Code::unsupported, "cannot store directory '" + printable(entry.name) +
                                       "': it lies deeper than 4,096 directories");
  }
  const StoredRecord* before = now.previous.find(entry.name);
  Bytes encoded = encode(keep_captured(entry, before));
  auto directory =
      std::make_shared<GrowingDirectory>(engine_->chunker, next_place(entry), std::move(encoded));
  now.previous.open(before);
  now.open.push_back({std::move(directory), {}, false});
}

void CaptureSession::close_directory() {
  Item& now = item();
  if (now.open.empty() || feed_.open()) defect("a directory is closed that is not open");
  GrowingDirectoryPtr directory = std::move(now.open.back().directory);
  now.open.pop_back();
  now.previous.close();
  if (directory->close()) pipeline_.submit([directory](const PutTreeChunk& put) { settle(directory, put); });
  feed_.node_passed();
}

void CaptureSession::add(const tree::Entry& entry) {
  if (entry.kind == tree::Kind::directory || entry.kind == tree::Kind::file || feed_.open()) {
    defect("'" + printable(entry.name) + "' cannot be added without content here");
  }
  const StoredRecord* before = item().previous.find(entry.name);
  place(next_place(entry), {encode(keep_captured(entry, before)), false, {}});
}

tree::FileWriter& CaptureSession::begin_file(tree::Chunking chunking) {
  item();
  if (feed_.open()) defect("a file begins before the one before it ends");
  feed_.begin(chunking);
  return feed_;
}

void CaptureSession::end_file(const tree::Entry& entry) {
  Item& now = item();
  if (!feed_.open() || entry.kind != tree::Kind::file)
    defect("'" + printable(entry.name) + "' ends without having begun as a file");
  const std::uint64_t bytes = feed_.file_bytes();
  if (tree::content_bytes(entry) != bytes)
    defect("'" + printable(entry.name) + "' has another size than the content that was given");
  std::shared_ptr<GrowingFile> file = feed_.end();
  NodePlace where = next_place(entry);
  now.bytes += bytes;
  ++now.files;
  if (bytes == 0) {
    place(where, {encode(entry), true, {}});
  } else if (file->end(where, encode(entry))) {
    pipeline_.submit([file](const PutTreeChunk& put) { file->complete(put); });
  }
}

void CaptureSession::abandon_file() {
  if (!feed_.open()) defect("a file is abandoned that was not begun");
  feed_.abandon();
}

bool CaptureSession::reuse_file(const tree::Entry& now) {
  if (feed_.open()) defect("a file begins before the one before it ends");
  const StoredRecord* before = item().previous.find(now.name);
  if (!before || !surely_unchanged(now, before->entry) || !content_is_there(before->content)) return false;
  tree::Entry kept = now;
  kept.captured = before->entry.captured;
  kept.sparse = before->entry.sparse;
  kept.extents = before->entry.extents;
  ContentRef content = before->content;
  item_->bytes += content.size;
  ++item_->files;
  // What is in a listing already can be read.
  Bytes encoded = kept == before->entry ? tree::encode_entry(kept) : encode(kept);
  place(next_place(now), {std::move(encoded), true, std::move(content)});
  return true;
}

// True when every chunk of it, and of its lists, is in a pack that is there; the point then needs these
// packs.
bool CaptureSession::content_is_there(const ContentRef& content) {
  std::vector<Index::PackNumber> packs;
  bool whole = true;
  auto look = [&](const ContentRef::Piece& piece) {
    std::optional<Index::Location> at = engine_->catalog.index().find_usable(piece.id);
    whole = whole && at && at->length == piece.length;
    if (!whole || (!packs.empty() && packs.back() == at->pack)) return;
    for (Index::PackNumber pack : engine_->catalog.index().packs_for(*at)) packs.push_back(pack);
  };
  try {
    PieceCursor pieces(engine_->reader, content, look);
    ContentRef::Piece piece;
    while (whole && pieces.next(piece)) look(piece);
  } catch (const Error&) {
    return false;  // a list cannot be read: the file is read again
  }
  if (whole) pipeline_.need(packs);
  return whole;
}

}  // namespace holdfast::repository
