#include "repository/format/pack.h"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "base/wire.h"

namespace holdfast::repository {
namespace {

constexpr std::size_t kTailSize = 4 + kSignatureSize;  // u32 length of the directory body, signature
constexpr std::size_t kFirstRead = 1024;               // more than any header that this version writes
constexpr std::size_t kChunkLine = 32 + 1 + 4;         // most bytes of a chunk in the directory
constexpr std::size_t kFrameLine = 4 + 1 + 4 + 32 + 4;  // and of a frame
// For O_DIRECT and transparent huge pages: figures in docs/decisions/0003-repository-format.md.
constexpr std::size_t kAlignment = std::size_t{2} << 20;

[[noreturn]] void damaged(std::string_view name, const std::string& why) {
  throw Error(Code::damaged, "object " + printable(name) + " is damaged: " + why);
}

void take_frame(Reader& r, PackDirectory& directory, std::uint64_t& end, std::uint64_t limit) {
  PackDirectory::Frame frame;
  std::uint64_t stored = r.varint();
  std::uint8_t codec = r.u8();
  std::uint64_t size = r.varint();
  if (codec > static_cast<std::uint8_t>(Codec::zstd_with_base))
    r.damaged("a frame is encoded in an unknown way");
  if (size == 0 || size > kMaxFrame) r.damaged("a frame is larger than 8 MiB or empty");
  if (stored < crypto::kAeadTagSize || stored > limit - end) r.damaged("its frames are longer than the pack");
  frame.offset = static_cast<std::uint32_t>(end);
  frame.stored = static_cast<std::uint32_t>(stored);
  frame.size = static_cast<std::uint32_t>(size);
  frame.codec = static_cast<Codec>(codec);
  end += stored;
  if (frame.codec == Codec::zstd_with_base) frame.base = r.id<ChunkId>();

  std::uint64_t count = r.varint();
  r.expect_count(count, 34);
  if (count == 0 || (frame.codec == Codec::zstd_with_base && count != 1))
    r.damaged("a frame has a wrong number of chunks");
  frame.first_chunk = static_cast<std::uint32_t>(directory.chunks.size());
  frame.chunk_count = static_cast<std::uint32_t>(count);
  std::uint64_t offset = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    PackDirectory::Chunk chunk;
    chunk.id = r.id<ChunkId>();
    std::uint8_t type = r.u8();
    std::uint64_t length = r.varint();
    if (type != 1 && type != 2) r.damaged("a chunk has an unknown type");
    if (length == 0 || length > size - offset) r.damaged("the chunks of a frame do not fill it exactly");
    chunk.type = static_cast<ChunkType>(type);
    chunk.offset = static_cast<std::uint32_t>(offset);
    chunk.length = static_cast<std::uint32_t>(length);
    offset += length;
    directory.chunks.push_back(chunk);
  }
  if (offset != size) r.damaged("the chunks of a frame do not fill it exactly");
  directory.frames.push_back(frame);
}

}  // namespace

PackDirectory decode_directory(ByteView encoded, std::uint32_t header_length, std::uint64_t pack_size,
                               std::string_view name) {
  Reader r(encoded, "directory of " + printable(name));
  if (pack_size > object_limit(ObjectType::pack) || pack_size < header_length + kTailSize)
    r.damaged("the pack has an impossible size");
  PackDirectory directory;
  std::uint64_t epoch = r.varint();
  if (epoch == 0 || epoch > 0xffffffff) r.damaged("the epoch of its chunk ids is impossible");
  directory.id_epoch = static_cast<std::uint32_t>(epoch);
  std::uint64_t count = r.varint();
  r.expect_count(count, 37);
  directory.frames.reserve(static_cast<std::size_t>(count));
  std::uint64_t end = header_length;
  for (std::uint64_t i = 0; i < count; ++i) take_frame(r, directory, end, pack_size - kTailSize);
  r.expect_end();
  return directory;
}

// -- keys

FrameCipher::FrameCipher(ByteView key, const RepositoryId& repository, ByteView salt) : aead_(key) {
  Writer w;
  w.u16(kFormatVersion)
      .u16(kSuite)
      .raw(repository.view())
      .u16(static_cast<std::uint16_t>(ObjectType::pack))
      .raw(salt)
      .u64(0);
  std::copy(w.bytes().begin(), w.bytes().end(), associated_.begin());
}

ByteView FrameCipher::associated(std::uint64_t number) {
  for (std::size_t i = 0; i < 8; ++i) associated_[38 + i] = static_cast<std::uint8_t>(number >> (8 * i));
  return associated_;
}

void FrameCipher::seal(std::uint64_t number, ByteView encoded, MutableBytes out) {
  aead_.seal(crypto::counter_nonce(number), associated(number), encoded, out);
}

bool FrameCipher::open(std::uint64_t number, ByteView stored, MutableBytes out) {
  return aead_.open(crypto::counter_nonce(number), associated(number), stored, out);
}

PackKey open_pack_key(ByteView beginning, const RepositoryId& repository, Keyring& keyring,
                      std::string_view name) {
  ParsedObject object = parse_object(beginning, ObjectType::pack, &repository, name);
  Reader r(object.header.extra, "header of " + printable(name));
  PackKey key;
  ByteView salt = r.raw(key.salt.size());
  std::copy(salt.begin(), salt.end(), key.salt.begin());
  std::uint8_t shard = r.u8(), parity = r.u8();
  if (shard != 0 || parity != 0)
    throw Error(Code::unsupported, "object " + printable(name) + " is a shard: a newer version wrote it");
  std::uint16_t length = r.u16();
  ByteView sealed = r.raw(length);
  key.epoch = &keyring.epoch(object.header.epoch, name);
  key.key = crypto::open_sealed(key.epoch->seal, sealed);
  if (key.key.size() != crypto::kAeadKeySize) damaged(name, "its key cannot be opened");
  key.header_length = static_cast<std::uint32_t>(object.header_bytes.size());
  return key;
}

namespace {

Bytes read_beginning(store::ObjectStore& store, const std::string& name, std::uint64_t size) {
  Bytes beginning(static_cast<std::size_t>(std::min<std::uint64_t>(size, kFirstRead)));
  store.get_range(name, 0, beginning);
  if (beginning.size() < kHeaderSize) damaged(name, "it is too short");
  std::uint64_t header = Reader(ByteView(beginning).subspan(20, 4), name).u32();
  if (header > beginning.size() && header <= kMaxHeaderSize && header <= size) {
    beginning.resize(static_cast<std::size_t>(header));
    store.get_range(name, 0, beginning);
  }
  return beginning;
}

}  // namespace

PackKey read_pack_key(store::ObjectStore& store, const std::string& name, std::uint64_t size,
                      const RepositoryId& repository, Keyring& keyring) {
  return open_pack_key(read_beginning(store, name, size), repository, keyring, name);
}

StoredDirectory read_directory(store::ObjectStore& store, const std::string& name, std::uint64_t size,
                               const RepositoryId& repository, Keyring& keyring) {
  Bytes beginning = read_beginning(store, name, size);
  ParsedObject object = parse_object(beginning, ObjectType::pack, &repository, name);
  StoredDirectory result;
  result.header_length = static_cast<std::uint32_t>(object.header_bytes.size());
  if (size > object_limit(ObjectType::pack) || size < result.header_length + kTailSize)
    damaged(name, "it has an impossible size");

  std::array<std::uint8_t, 4> length_bytes{};
  store.get_range(name, size - kTailSize, length_bytes);
  std::uint64_t length = Reader(length_bytes, name).u32();
  if (length > size - kTailSize - result.header_length)
    damaged(name, "its directory is longer than the pack");
  Bytes body(static_cast<std::size_t>(length));
  store.get_range(name, size - kTailSize - length, body);
  const Epoch& epoch = keyring.epoch(object.header.epoch, name);
  result.encoded = open_body(epoch.meta_key.view(), ObjectType::pack, object.header_bytes, body, name);
  return result;
}

// -- checking

PackDirectory PackChecker::check(ByteView object, const RepositoryId& repository, Keyring& keyring,
                                 const BaseOf& base_of, std::string_view name, const crypto::Sha256* hash) {
  std::optional<crypto::VerifyKey> writer =
      keyring.verify_key(parse_object(object, ObjectType::pack, &repository, name).header.writer);
  if (!writer) damaged(name, "its writer is not in the keyring");
  ByteView signed_bytes = check_signature(object, *writer, name, hash);
  auto decode = [&](std::size_t number, const PackDirectory& directory, ByteView inner, const Epoch& ids) {
    const PackDirectory::Frame& frame = directory.frames[number];
    ByteView base;
    if (frame.codec == Codec::zstd_with_base)
      base = base_of(frame.base, directory.chunks[frame.first_chunk].type);
    ByteView plain = plain_bytes(frame, inner, base, name);
    for (const PackDirectory::Chunk& chunk : directory.chunks_of(frame)) {
      if (chunk_id(ids, chunk.type, plain.subspan(chunk.offset, chunk.length)) != chunk.id)
        damaged(name, "a chunk is not what was written");
    }
  };
  return check_frames(signed_bytes, repository, keyring, decode, name);
}

PackDirectory PackChecker::check_fresh(const PackWriter::Finished& finished, const RepositoryId& repository,
                                       Keyring& keyring, std::string_view name) {
  std::size_t chunks = 0;
  auto compare = [&](std::size_t number, const PackDirectory& directory, ByteView inner, const Epoch&) {
    const PackDirectory::Frame& frame = directory.frames[number];
    ByteView plain;
    if (frame.codec != Codec::zstd_with_base)
      plain = plain_bytes(frame, inner, {}, name);
    else if (auto known = finished.with_base.find(number);
             known == finished.with_base.end() || known->second != checksum(inner))
      damaged(name, "a frame is not what was encoded");
    for (const PackDirectory::Chunk& chunk : directory.chunks_of(frame)) {
      if (chunks == finished.chunks.size()) damaged(name, "it has more chunks than were put into it");
      const PackWriter::Chunk& put = finished.chunks[chunks++];
      bool same = chunk.id == put.id && chunk.type == put.type && chunk.length == put.length;
      if (!plain.empty()) same = same && checksum(plain.subspan(chunk.offset, chunk.length)) == put.sum;
      if (!same) damaged(name, "a chunk is not what was written");
    }
  };
  PackDirectory directory =
      check_frames(finished.object.first(finished.object.size() - kSignatureSize), repository, keyring, compare, name);
  if (chunks != finished.chunks.size()) damaged(name, "it has fewer chunks than were put into it");
  return directory;
}

ByteView PackChecker::plain_bytes(const PackDirectory::Frame& frame, ByteView inner, ByteView base,
                                   std::string_view name) {
  if (frame.codec == Codec::plain) {
    if (inner.size() != frame.size) damaged(name, "a frame has another size than the directory says");
    return inner;
  }
  if (plain_.size() < frame.size) plain_.resize(frame.size);
  MutableBytes decoded = MutableBytes(plain_).first(frame.size);
  if (!decompressor_.decode(frame.codec, inner, base, decoded)) damaged(name, "a frame cannot be decompressed");
  return decoded;
}

PackDirectory PackChecker::check_frames(ByteView body, const RepositoryId& repository, Keyring& keyring,
                                        const FrameCheck& check_one, std::string_view name) {
  ParsedObject parsed = parse_object(body, ObjectType::pack, &repository, name);
  if (body.size() < parsed.header_bytes.size() + 4) damaged(name, "it is too short");
  std::size_t length = Reader(body.last(4), name).u32();
  if (length > body.size() - 4 - parsed.header_bytes.size())
    damaged(name, "its directory is longer than the pack");

  PackKey key = open_pack_key(body, repository, keyring, name);
  Bytes encoded = open_body(key.epoch->meta_key.view(), ObjectType::pack, parsed.header_bytes,
                            body.subspan(body.size() - 4 - length, length), name);
  PackDirectory directory = decode_directory(encoded, key.header_length, body.size() + kSignatureSize, name);
  std::size_t end = directory.frames.empty()
                        ? key.header_length
                        : directory.frames.back().offset + directory.frames.back().stored;
  if (end + length + 4 != body.size()) damaged(name, "there are bytes between its frames and its directory");

  const Epoch& ids = keyring.epoch(directory.id_epoch, name);
  FrameCipher cipher(key.key.view(), repository, key.salt);
  for (std::size_t number = 0; number < directory.frames.size(); ++number) {
    const PackDirectory::Frame& frame = directory.frames[number];
    std::size_t size = frame.stored - crypto::kAeadTagSize;
    if (encoded_.size() < size) encoded_.resize(size);
    MutableBytes inner = MutableBytes(encoded_).first(size);
    if (!cipher.open(number, body.subspan(frame.offset, frame.stored), inner))
      damaged(name, "a frame is not authentic");
    check_one(number, directory, inner, ids);
  }
  return directory;
}

// -- writing

PackWriter::PackWriter(const PackWriterKeys& keys, std::size_t capacity) : keys_(keys), capacity_(capacity) {
  std::size_t rounded = (capacity + kAlignment - 1) / kAlignment * kAlignment;
  buffer_ = static_cast<std::uint8_t*>(std::aligned_alloc(kAlignment, rounded));
  if (!buffer_) throw std::bad_alloc();
}

PackWriter::~PackWriter() { std::free(buffer_); }

MutableBytes PackWriter::room(std::size_t bytes) {
  if (bytes > capacity_ - used_) throw Error(Code::defect, "cannot build a pack: it grew beyond its buffer");
  MutableBytes out(buffer_ + used_, bytes);
  used_ += bytes;
  return out;
}

void PackWriter::append(ByteView bytes) { std::copy(bytes.begin(), bytes.end(), room(bytes.size()).begin()); }

void PackWriter::begin() {
  crypto::Secret key(crypto::kAeadKeySize);
  std::array<std::uint8_t, 16> salt{};
  keys_.entropy.fill(key.bytes());
  keys_.entropy.fill(salt);
  Bytes sealed = crypto::seal(keys_.epoch.seal.public_key, key.view());
  Writer extra;
  extra.raw(salt).u8(0).u8(0).u16(static_cast<std::uint16_t>(sealed.size())).raw(sealed);
  ObjectHeader header;
  header.type = ObjectType::pack;
  header.epoch = keys_.epoch.number;
  header.repository = keys_.repository;
  header.writer = keys_.writer;
  header.extra = extra.take();
  header_ = encode_header(header);
  used_ = 0;
  append(header_);
  cipher_ = std::make_unique<FrameCipher>(key.view(), keys_.repository, salt);
}

bool PackWriter::fits(std::size_t encoded, std::size_t chunks) const {
  std::size_t start = empty() ? kPackHeaderSize : used_;
  std::size_t directory = kSealedBodyOverhead + 15 + frames_.size() + kFrameLine + chunks * kChunkLine;
  return start + encoded + crypto::kAeadTagSize + directory + kTailSize <= capacity_;
}

void PackWriter::add(const Compressor::Encoded& encoded, std::uint32_t plain_size,
                     std::span<const Chunk> chunks, const ChunkId* base) {
  if (empty()) begin();
  std::size_t stored = encoded.bytes.size() + crypto::kAeadTagSize;
  if (base) with_base_.emplace(frame_count_, checksum(encoded.bytes));
  cipher_->seal(frame_count_++, encoded.bytes, room(stored));
  frames_.varint(stored).u8(static_cast<std::uint8_t>(encoded.codec)).varint(plain_size);
  if (encoded.codec == Codec::zstd_with_base) frames_.raw(base->view());
  frames_.varint(chunks.size());
  for (const Chunk& chunk : chunks) {
    frames_.raw(chunk.id.view()).u8(static_cast<std::uint8_t>(chunk.type)).varint(chunk.length);
    chunks_.push_back(chunk);
  }
}

PackWriter::Finished PackWriter::finish() {
  Finished done;
  Writer directory;
  directory.varint(keys_.id_epoch != 0 ? keys_.id_epoch : keys_.epoch.number).varint(frame_count_).raw(frames_.bytes());
  done.directory = directory.take();
  Bytes body =
      seal_body(keys_.epoch.meta_key.view(), ObjectType::pack, header_, done.directory, keys_.entropy);
  append(body);
  append(Writer().u32(static_cast<std::uint32_t>(body.size())).bytes());

  crypto::Sha256Stream hash;
  hash.update({buffer_, used_});
  crypto::Signature signature = sign_digest(keys_.signing_key, hash.digest_so_far());
  append(signature.view());
  hash.update(signature.view());
  done.hash = hash.digest_so_far();
  done.object = {buffer_, used_};
  done.chunks = std::move(chunks_);
  done.with_base = std::move(with_base_);
  return done;
}

void PackWriter::reset() {
  cipher_.reset();
  used_ = 0;
  frame_count_ = 0;
  frames_ = Writer();
  chunks_.clear();
  with_base_.clear();
}

}  // namespace holdfast::repository
