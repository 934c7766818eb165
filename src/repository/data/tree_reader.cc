#include "repository/data/tree_reader.h"

#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace holdfast::repository {
namespace {

// An entry holds names, attributes and extents; one of 64 MiB is not something that a file system gave.
constexpr std::size_t kMaxNode = std::size_t{64} << 20;

void check_record(const StoredRecord& record) {
  const tree::Entry& entry = record.entry;
  bool fits = entry.kind == tree::Kind::directory || record.content.size == tree::content_bytes(entry);
  if (!fits)
    throw Error(Code::damaged, "stored file '" + printable(entry.name) +
                                   "' is damaged: its content has another size than its entry says");
}

}  // namespace

void encode_node(Writer& out, ByteView entry, bool has_content, const ContentRef& content) {
  out.blob(entry).u8(has_content ? 1 : 0);
  if (has_content) encode_reference(out, content);
}

StoredRecord decode_root(ByteView entry, const ContentRef& content) {
  StoredRecord record{tree::decode_entry(entry), content};
  check_record(record);
  return record;
}

// -- listings

ListingCursor::ListingCursor(ChunkReader& reader, const ContentRef& listing, PieceCursor::SeeList see_chunk)
    : reader_(reader),
      listing_(listing),
      see_chunk_(std::move(see_chunk)),
      pieces_(reader, listing_, see_chunk_) {}

bool ListingCursor::more() {
  ContentRef::Piece piece;
  if (!pieces_.next(piece)) return false;
  if (see_chunk_) see_chunk_(piece);
  ChunkReader::Chunk chunk = reader_.get(piece.id, ChunkType::tree, piece.length);
  rest_.erase(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(parsed_));
  rest_.insert(rest_.end(), chunk.bytes.begin(), chunk.bytes.end());
  parsed_ = 0;
  return true;
}

// nullopt: the node goes on in the next chunk.
std::optional<StoredRecord> ListingCursor::parse() {
  Reader in(ByteView(rest_).subspan(parsed_), "stored directory");
  ByteView entry;
  StoredRecord record;
  try {
    entry = in.blob();
    std::uint8_t has_content = in.u8();
    if (has_content > 1) in.damaged("a node has an unknown form");
    if (has_content == 1) record.content = decode_reference(in);
  } catch (const Error&) {
    if (rest_.size() - parsed_ > kMaxNode) throw;
    return std::nullopt;
  }
  record.entry = tree::decode_entry(entry);
  parsed_ += in.position();
  return record;
}

std::optional<StoredRecord> ListingCursor::next() {
  if (parsed_ == rest_.size() && !more()) return std::nullopt;
  std::optional<StoredRecord> record = parse();
  while (!record) {
    if (!more()) throw Error(Code::damaged, "a stored directory is damaged: it ends inside of a node");
    record = parse();
  }
  const std::string& name = record->entry.name;
  if (!tree::is_safe_name(name))
    throw Error(Code::damaged, "a stored directory is damaged: it holds the name '" + printable(name) + "'");
  if (!first_ && name <= last_name_)
    throw Error(Code::damaged, "a stored directory is damaged: '" + printable(name) + "' is out of order");
  check_record(*record);
  first_ = false;
  last_name_ = name;
  return record;
}

// -- nodes

DataNode::DataNode(EnginePtr engine, StoredRecord record, int depth)
    : engine_(std::move(engine)), record_(std::move(record)), depth_(depth) {
  if (depth_ > kMaxDepth)
    throw Error(Code::damaged, "a stored tree is damaged: it is deeper than 4,096 directories");
}

void DataNode::children(const std::function<bool(tree::NodePtr)>& visit) const {
  if (record_.entry.kind != tree::Kind::directory)
    throw Error(Code::defect, "cannot list '" + printable(record_.entry.name) + "': it is no directory");
  ListingCursor listing(engine_->reader, record_.content);
  while (std::optional<StoredRecord> next = listing.next()) {
    if (!visit(std::make_shared<DataNode>(engine_, std::move(*next), depth_ + 1))) return;
  }
}

tree::NodePtr DataNode::child(const std::string& name) const {
  if (record_.entry.kind != tree::Kind::directory) return nullptr;
  ListingCursor listing(engine_->reader, record_.content);
  while (std::optional<StoredRecord> next = listing.next()) {
    if (next->entry.name == name) return std::make_shared<DataNode>(engine_, std::move(*next), depth_ + 1);
    if (next->entry.name > name) break;
  }
  return nullptr;
}

void DataNode::read(std::uint64_t offset, std::uint64_t length,
                    const std::function<void(std::uint64_t, ByteView)>& consume) const {
  if (record_.entry.kind == tree::Kind::directory)
    throw Error(Code::defect, "cannot read '" + printable(record_.entry.name) + "': it is a directory");
  read_content(engine_->reader, record_.content, ChunkType::data, offset, length, consume);
}

Bytes DataNode::fingerprint() const {
  Writer w;
  encode_reference(w, record_.content);
  crypto::Sha256 hash = crypto::sha256(w.bytes());
  return {hash.bytes.begin(), hash.bytes.end()};
}

// A chunk does not tell of which epoch it is without reading its pack: the one that fitted last is tried
// first.
bool DataNode::is_chunk(const ChunkId& id, ByteView bytes, const Epoch*& epoch) const {
  Keyring& keyring = engine_->context.keyring;
  if (!epoch) epoch = &keyring.current();
  if (chunk_id(*epoch, ChunkType::data, bytes) == id) return true;
  for (std::uint32_t number : keyring.epochs()) {
    const Epoch& other = keyring.epoch(number, "keyring");
    if (other.number == epoch->number || chunk_id(other, ChunkType::data, bytes) != id) continue;
    epoch = &other;
    return true;
  }
  return false;
}

bool DataNode::same_content(const std::function<std::size_t(MutableBytes)>& next) const {
  PieceCursor pieces(engine_->reader, record_.content);
  ContentRef::Piece piece;
  const Epoch* epoch = nullptr;
  Bytes buffer(1);
  while (pieces.next(piece)) {
    if (buffer.size() < piece.length) buffer.resize(piece.length);
    MutableBytes bytes = MutableBytes(buffer).first(piece.length);
    for (std::size_t filled = 0; filled < bytes.size();) {
      std::size_t n = next(bytes.subspan(filled));
      if (n == 0) return false;
      filled += n;
    }
    if (!is_chunk(piece.id, bytes, epoch)) return false;
  }
  return next(MutableBytes(buffer).first(1)) == 0;
}

}  // namespace holdfast::repository
