#include "known_repository.h"

#include "crypto/aead.h"
#include "repository/format/inventory_testing.h"
#include "repository/format/repository_object.h"
#include "repository/index/index.h"
#include "repository/keys/slot_store.h"

namespace holdfast::fuzz {

using namespace repository;

namespace {

bool is_signed(ObjectType type) {
  return type == ObjectType::pack || type == ObjectType::index || type == ObjectType::point || type == ObjectType::record ||
         type == ObjectType::map;
}

}  // namespace

KnownRepository::KnownRepository() {
  entropy.fill(root_key_.bytes());
  entropy.fill(machine_key_.bytes());
  Bytes seed(32);
  entropy.fill(seed);
  signing_key_ = crypto::signing_key(seed);
  writer_ = writer_id(signing_key_.verify_key);
  id_ = entropy.random<RepositoryId>();
  RepositoryObject object;
  object.id = id_;
  object.created = clock.now();
  object.tool_version = "fuzz";
  put(ObjectType::repository, encode_repository_object(object));
  add_slot(memory, id_, root_key_, secret(), "fuzz", {}, clock.now(), entropy);
  Keyring::put_first_epoch(memory, id_, root_key_, object.hash, clock.now(), entropy);
  keyring = std::make_unique<Keyring>(memory, id_, root_key_);
  keyring->add_writer(signing_key_.verify_key, "fuzz", clock.now(), entropy);

  pack_key_.resize(crypto::kAeadKeySize);
  pack_salt_.resize(16);
  entropy.fill(pack_key_);
  entropy.fill(pack_salt_);
  Bytes key = crypto::seal(epoch().seal.public_key, pack_key_);
  Writer extra;
  extra.raw(pack_salt_).u8(0).u8(0).u16(static_cast<std::uint16_t>(key.size())).raw(key);
  pack_extra_ = extra.take();
  beginning_ = memory.objects();
}

void KnownRepository::reset() { memory.set_objects(beginning_); }

SlotSecret KnownRepository::secret() const { return {SlotKind::machine_key, machine_key_.clone()}; }

std::unique_ptr<Repository> KnownRepository::open() {
  return repository::open({memory, clock, entropy, nullptr, "fuzz", "fuzz"}, secret());
}

Bytes KnownRepository::header(ObjectType type, ByteView extra, std::uint32_t epoch) const {
  ObjectHeader header;
  header.type = type;
  header.epoch = epoch;
  header.repository = id_;
  if (is_signed(type)) header.writer = writer_;
  header.extra.assign(extra.begin(), extra.end());
  return encode_header(header);
}

Bytes KnownRepository::sealed_body(ObjectType type, ByteView header, ByteView plain, bool inner) const {
  crypto::Secret keyring_key = crypto::derive(root_key_.view(), "holdfast v1 keyring");
  ByteView body_key = type == ObjectType::keyring ? keyring_key.view() : epoch().meta_key.view();
  Writer w;
  if (!inner) w.u8(0).u64(plain.size());
  w.raw(plain);
  Bytes out(16 + w.size() + crypto::kAeadTagSize, 7);   // any salt will do
  Writer info;
  info.raw(as_bytes("holdfast v1 body")).u16(static_cast<std::uint16_t>(type)).raw(ByteView(out).first(16));
  crypto::Aead cipher(crypto::derive(body_key, as_text(info.bytes())).view());
  cipher.seal(crypto::counter_nonce(0), header, w.bytes(), MutableBytes(out).subspan(16));
  return out;
}

Bytes KnownRepository::sealed(ObjectType type, ByteView extra, ByteView plain, bool inner) {
  Bytes object = header(type, extra, type == ObjectType::keyring ? 0 : 1);
  Bytes body = sealed_body(type, object, plain, inner);
  object.insert(object.end(), body.begin(), body.end());
  if (is_signed(type)) append_signature(object, signing_key_);
  return object;
}

std::string KnownRepository::put(ObjectType type, ByteView object) {
  std::string name = object_name(type, crypto::sha256(object));
  memory.ObjectStore::put(name, object);
  return name;
}

ChunkId KnownRepository::chunk_id(ChunkType type, ByteView bytes) const { return repository::chunk_id(epoch(), type, bytes); }

KnownRepository::Frame KnownRepository::plain_frame(const ChunkId& id, ChunkType type, ByteView bytes) {
  auto size = static_cast<std::uint32_t>(bytes.size());
  return {Codec::plain, size, {bytes.begin(), bytes.end()}, {}, {{id, type, 0, size}}};
}

Bytes KnownRepository::directory(const std::vector<Frame>& frames, std::uint32_t id_epoch) {
  Writer w;
  w.varint(id_epoch).varint(frames.size());
  for (const Frame& f : frames) {
    w.varint(f.encoded.size() + crypto::kAeadTagSize).u8(static_cast<std::uint8_t>(f.codec)).varint(f.size);
    if (f.codec == Codec::zstd_with_base) w.raw(f.base.view());
    w.varint(f.chunks.size());
    for (const PackDirectory::Chunk& c : f.chunks) w.raw(c.id.view()).u8(static_cast<std::uint8_t>(c.type)).varint(c.length);
  }
  return w.take();
}

Bytes KnownRepository::pack(const std::vector<Frame>& frames, ByteView directory) {
  Bytes object = header(ObjectType::pack, pack_extra_);
  Bytes body = sealed_body(ObjectType::pack, object, directory);
  FrameCipher cipher(pack_key_, id_, pack_salt_);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    Bytes stored(frames[i].encoded.size() + crypto::kAeadTagSize);
    cipher.seal(i, frames[i].encoded, stored);
    object.insert(object.end(), stored.begin(), stored.end());
  }
  object.insert(object.end(), body.begin(), body.end());
  Bytes length = Writer().u32(static_cast<std::uint32_t>(body.size())).take();
  object.insert(object.end(), length.begin(), length.end());
  append_signature(object, signing_key_);
  return object;
}

void KnownRepository::put_frames(const std::vector<Frame>& frames) {
  Bytes listed = directory(frames), object = pack(frames, listed);
  put(ObjectType::pack, object);
  auto header_length = static_cast<std::uint32_t>(kHeaderSize + pack_extra_.size());
  const SegmentPack packs[] = {{crypto::sha256(object), object.size(), header_length, listed}};
  put(ObjectType::index, sealed(ObjectType::index, {}, encode_segment({}, packs)));
}

ContentRef KnownRepository::put_content(ChunkType type, ByteView bytes) {
  if (bytes.empty()) return {};
  ChunkId id = chunk_id(type, bytes);
  put_frames({plain_frame(id, type, bytes)});
  return {bytes.size(), 0, {{id, static_cast<std::uint32_t>(bytes.size())}}};
}

PointId KnownRepository::put_point(PointDraft draft) {
  std::vector<NeededObject> needed;
  for (ObjectType type : {ObjectType::pack, ObjectType::index})
    memory.list(folder_of(type), [&](const store::ObjectInfo& info) {
      needed.push_back({type, parse_object_name(info.name).value().hash, info.size});
    });
  InventoryRoot inventory = put_inventory(memory, id_, repository::testing::in_order(std::move(needed)), entropy);
  PointId point = repository::put_point(memory, id_, epoch(), writer(), draft, inventory, entropy);
  RecordBody body;
  body.points = {point};
  body.point = PointSummary{};
  body.point->system_name = draft.system_name;
  body.point->finished = draft.finished;
  body.point->origin = Origin::manual;
  body.point->status = PointStatus::complete;
  body.point->scope = Scope::full;
  Log(memory, id_, *keyring).append(writer(), RecordType::point, std::move(body), clock, entropy);
  return point;
}

KnownRepository& known_repository() {
  static KnownRepository known;
  known.reset();
  return known;
}

}  // namespace holdfast::fuzz
