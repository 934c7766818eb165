#include "chunks.h"

#include <algorithm>

namespace compat {

namespace {

constexpr std::uint64_t MiB = 1024 * 1024, GiB = 1024 * MiB;
constexpr std::uint64_t kLongestFrame = 8 * MiB;
constexpr std::size_t kOpenPacks = 4;
constexpr std::uint64_t kPackHeader = 72 + 16 + 4 + 80;

}  // namespace

Directory read_directory(View bytes, std::uint64_t header_length, const std::string& what) {
  Cursor in(bytes, what);
  Directory directory;
  directory.id_epoch = static_cast<std::uint32_t>(in.varint());
  std::uint64_t offset = header_length;
  for (std::uint64_t left = in.varint(); left > 0; --left) {
    Frame frame;
    frame.offset = offset;
    frame.stored = in.varint();
    frame.codec = in.u8();
    frame.size = in.varint();
    require(
        frame.codec <= 2 && frame.size <= kLongestFrame && frame.stored >= 16 && frame.stored <= 256 * MiB,
        what + ": a frame has an unknown codec or an impossible size");
    offset += frame.stored;
    if (frame.codec == 2) frame.base = Bytes(in.take(32));
    std::uint64_t inside = 0;
    for (std::uint64_t chunks = in.varint(); chunks > 0; --chunks) {
      const Bytes id(in.take(32));
      const std::uint8_t type = in.u8();
      const std::uint64_t size = in.varint();
      require(type == kData || type == kTree, what + ": a chunk is of an unknown type");
      require(size <= frame.size - inside, what + ": a chunk lies outside its frame");
      frame.chunks.push_back({id, type, inside, size});
      inside += size;
    }
    require(inside == frame.size, what + ": the chunks of a frame do not fill it");
    require(frame.codec != 2 || frame.chunks.size() == 1,
            what + ": a frame with a base holds several chunks");
    directory.frames.push_back(std::move(frame));
  }
  in.expect_end();
  return directory;
}

Content read_content_reference(Cursor& in) {
  Content content;
  content.size = in.varint();
  content.level = in.u8();
  require(content.level <= 4, "a content reference is of a level above 4");
  for (std::uint64_t left = in.varint(); left > 0; --left) {
    const Bytes id(in.take(32));
    content.parts.push_back({id, in.varint()});
  }
  return content;
}

Chunks::Chunks(const Store& store, const Keys& keys) : store_(store), keys_(keys) {
  std::map<std::string, Bytes> segments;  // those that no other one supersedes
  std::set<std::string> superseded;
  for (const auto& name : store.list("index")) {
    const Object object = store.get(name);
    const Bytes body = keys.open_body(object, 1 * GiB);
    Cursor in(body, name);
    for (std::uint64_t left = in.varint(); left > 0; --left) superseded.insert(name_of(kIndex, in.take(32)));
    segments[name] = Bytes(in.rest());
  }
  for (const auto& [name, body] : segments) {
    if (superseded.contains(name)) continue;
    Cursor in(body, name);
    for (std::uint64_t left = in.varint(); left > 0; --left) {
      const std::string pack = name_of(kPack, in.take(32));
      const std::uint64_t size = in.varint(), header_length = in.varint();
      const Bytes directory(in.blob());
      const Directory parsed = read_directory(directory, header_length, name);
      const auto [known, is_new] = indexed_.try_emplace(pack, directory);
      require(known->second == directory,
              name + " tells of " + pack + " something else than another segment");
      if (!is_new || !store.has(pack)) continue;
      require(store.size(pack) == size, pack + " has another size than the index says");
      learn(pack, parsed);
    }
    in.expect_end();
  }
}

void Chunks::learn(const std::string& pack, const Directory& directory) {
  for (std::size_t f = 0; f < directory.frames.size(); ++f)
    for (std::size_t c = 0; c < directory.frames[f].chunks.size(); ++c)
      places_[directory.frames[f].chunks[c].id].push_back({pack, f, c, directory.frames[f].codec});
}

/// Opens a pack: header, frames, directory as a sealed body, u32 length of it, signature.
std::shared_ptr<const Chunks::Pack> Chunks::pack(const std::string& name) {
  const auto found = std::ranges::find_if(open_, [&](const auto& p) { return p->object.name == name; });
  if (found != open_.end()) {
    open_.splice(open_.begin(), open_, found);
    return open_.front();
  }
  Pack pack;
  pack.object = store_.get(name);
  const Object& object = pack.object;
  keys_.check_signature(object);
  const Epoch& epoch = keys_.epoch(object.epoch, name);
  require(object.header.size() >= kPackHeader, name + " has too short a header");
  Cursor header(object.of_type, name);
  header.take(16);  // salt
  require(header.u16() == 0, name + " is a shard, which version 1 does not know");
  require(header.u16() == 80, name + ": its sealed key has a wrong length");
  const auto key = box_open(epoch.seal, header.take(80));
  require(key && key->size() == 32, name + ": its key does not open");
  pack.key = *key;

  require(object.body.size() >= 4, name + " is too short");
  const View before_length = object.body.substr(0, object.body.size() - 4);
  const std::uint32_t length = Cursor(object.body.substr(before_length.size()), name).u32();
  require(length <= before_length.size() && length <= 64 * MiB, name + ": its directory is too long");
  const View frames = before_length.substr(0, before_length.size() - length);
  const Bytes directory =
      open_sealed_body(epoch.meta_key, object, before_length.substr(frames.size()), 64 * MiB);
  pack.directory = read_directory(directory, object.header.size(), name);
  std::uint64_t stored = 0;
  for (const Frame& frame : pack.directory.frames) stored += frame.stored;
  require(stored == frames.size(), name + ": its directory tells another length than its frames have");
  const auto indexed = indexed_.find(name);
  require(indexed == indexed_.end() || indexed->second == directory,
          name + " holds something else than the index says");

  open_.push_front(std::make_shared<const Pack>(std::move(pack)));
  if (open_.size() > kOpenPacks) open_.pop_back();
  return open_.front();
}

Bytes Chunks::decode(const Pack& pack, std::size_t number) {
  const Frame& frame = pack.directory.frames.at(number);
  const Object& object = pack.object;
  const std::string what = object.name + ", frame " + std::to_string(number);
  const Bytes n = little_endian(number, 8);
  const Bytes associated = Bytes(object.header.substr(10, 4)) + Bytes(object.repository) +
                           Bytes(object.header.substr(8, 2)) + Bytes(object.of_type.substr(0, 16)) +
                           n;  // version, suite, repository, type, salt, number
  const auto encoded = aes_open(pack.key, n + Bytes(4, '\0'), associated,
                                View(*object.bytes).substr(frame.offset, frame.stored));
  require(encoded.has_value(), what + " does not open");
  if (frame.codec == 0) {
    require(encoded->size() == frame.size, what + " has another size than the directory says");
    return *encoded;
  }
  if (frame.codec == 1) return unzstd(*encoded, frame.size, View(), what);
  const Bytes prefix = chunk(frame.base, frame.chunks[0].type, true);
  return unzstd(*encoded, frame.size, prefix, what);
}

/// One chunk of a decoded frame, its id computed again.
Bytes Chunks::checked(const Pack& pack, std::size_t frame, std::size_t chunk, View plain) const {
  const Chunk& c = pack.directory.frames.at(frame).chunks.at(chunk);
  const Epoch& epoch = keys_.epoch(pack.directory.id_epoch, pack.object.name);
  Bytes bytes(plain.substr(c.offset, c.size));
  require(blake3_keyed(c.type == kTree ? epoch.tree_id_key : epoch.data_id_key, bytes) == c.id,
          pack.object.name + ": chunk " + hex(c.id) + " is not what its id says");
  return bytes;
}

/// Any place will do, but a base is always a plain chunk.
const Chunks::Place& Chunks::place_of(const Bytes& id, bool as_base) const {
  const auto places = places_.find(id);
  require(places != places_.end(), "chunk " + hex(id) + " is missing");
  for (const Place& place : places->second)
    if (place.codec != 2) return place;
  require(!as_base, "chunk " + hex(id) + " is a base and has a base itself");
  return places->second.front();
}

Bytes Chunks::chunk(const Bytes& id, std::uint8_t type, bool as_base) {
  const Place place = place_of(id, as_base);
  if (on_chunk) {
    std::set<std::string> packs;
    for (const Place& p : places_.at(id))
      if (!as_base || p.codec != 2) packs.insert(p.pack);
    on_chunk(packs);
  }
  const auto in = pack(place.pack);
  const std::string frame_name = place.pack + " " + std::to_string(place.frame);
  if (decoded_name_ != frame_name) {
    Bytes plain = decode(*in, place.frame);
    decoded_ = std::move(plain);
    decoded_name_ = frame_name;
  }
  const Frame& frame = in->directory.frames.at(place.frame);
  require(frame.chunks.at(place.chunk).type == type,
          "chunk " + hex(id) + " is of another type than where it is used");
  return checked(*in, place.frame, place.chunk, decoded_);
}

/// The chunks of level 0, in order.
std::vector<Content::Part> Chunks::leaves(const Content& content) {
  std::vector<Content::Part> parts = content.parts;
  met_.highest_level = std::max<int>(met_.highest_level, content.level);
  for (int level = content.level; level > 0; --level) {
    Bytes list;
    for (const auto& part : parts) {
      const Bytes bytes = chunk(part.id, kTree, false);
      require(bytes.size() == part.size, "chunk " + hex(part.id) + " has another size than where it is used");
      list += bytes;
    }
    parts.clear();
    for (Cursor in(list, "a list of chunks"); !in.at_end();) {
      const Bytes id(in.take(32));
      parts.push_back({id, in.varint()});
    }
  }
  return parts;
}

void Chunks::read(const Content& content, ChunkType type, const std::function<void(View)>& piece) {
  std::uint64_t size = 0;
  for (const auto& part : leaves(content)) {
    const Bytes bytes = chunk(part.id, type, false);
    require(bytes.size() == part.size, "chunk " + hex(part.id) + " has another size than where it is used");
    size += bytes.size();
    piece(bytes);
  }
  require(size == content.size, "a content has another size than its reference says");
}

void Chunks::verify_pack(const std::string& name) {
  const auto in = pack(name);
  const auto& frames = in->directory.frames;
  if (!indexed_.contains(name))
    learn(name, in->directory);  // left by a killed run: its deltas may lean on its own chunks
  for (std::size_t f = 0; f < frames.size(); ++f) {
    const Bytes plain = decode(*in, f);
    ++(frames[f].codec == 0 ? met_.plain : frames[f].codec == 1 ? met_.compressed : met_.deltas);
    for (std::size_t c = 0; c < frames[f].chunks.size(); ++c) checked(*in, f, c, plain);
  }
}

}  // namespace compat
