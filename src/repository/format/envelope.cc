#include "repository/format/envelope.h"

#include <zstd.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/text.h"
#include "base/wire.h"
#include "crypto/aead.h"

namespace holdfast::repository {
namespace {

constexpr std::string_view kMagic = "HOLDFAST";
constexpr std::uint64_t kKnownRequired = 0;   // version 1 knows no required feature
constexpr int kCompressionLevel = 3;
constexpr std::uint8_t kPlain = 0, kZstd = 1;

struct TypeInfo {
  ObjectType type;
  std::string_view folder;
  std::uint64_t object_limit;
  std::uint64_t body_limit;   // of a sealed body, decompressed; 0: has none
};

constexpr std::uint64_t KiB = 1024, MiB = 1024 * KiB, GiB = 1024 * MiB;
// docs/repository-format.md "Limits that a reader enforces before it allocates"
constexpr std::array<TypeInfo, 10> kTypes{{
    {ObjectType::repository, "repository", 64 * KiB, 0},
    {ObjectType::slot, "slot", 4 * KiB, 0},
    {ObjectType::keyring, "keyring", MiB, MiB},
    {ObjectType::pack, "pack", 256 * MiB, 64 * MiB},
    {ObjectType::index, "index", GiB, GiB},
    {ObjectType::inventory, "inventory", MiB, 0},
    {ObjectType::point, "point", GiB, GiB},
    {ObjectType::record, "record", 16 * MiB, 16 * MiB},
    {ObjectType::replica, "replica", 4 * KiB, 0},
    {ObjectType::map, "map", 64 * MiB, 0},
}};

const TypeInfo& type_info(ObjectType type) {
  auto it = std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeInfo& t) { return t.type == type; });
  if (it == kTypes.end()) throw Error(Code::defect, "object type " + std::to_string(static_cast<int>(type)) + " does not exist");
  return *it;
}

[[noreturn]] void damaged(std::string_view name, std::string_view why) {
  throw Error(Code::damaged, "object " + printable(name) + " is damaged: " + std::string(why));
}

[[noreturn]] void unsupported(std::string_view name, std::string_view why) {
  throw Error(Code::unsupported, "cannot use object " + printable(name) + ": " + std::string(why))
      .safe("nothing was changed")
      .hint("use a newer version of holdfast");
}

// Hex as names have it: one object has one name.
bool from_lower_hex(std::string_view text, MutableBytes out) {
  bool upper = false;
  for (const char c : text) upper |= c >= 'A' && c <= 'Z';
  return !upper && from_hex(text, out);
}

std::optional<crypto::Sha256> parse_hash(std::string_view text) {
  crypto::Sha256 hash;
  if (!from_lower_hex(text, hash.bytes)) return std::nullopt;
  return hash;
}

std::string number_text(std::uint64_t number) {
  std::string digits = std::to_string(number);
  return digits.size() < 10 ? std::string(10 - digits.size(), '0') + digits : digits;
}

// "<32 hex>/<10 digits>-<64 hex>"
std::optional<ObjectName> parse_record_name(std::string_view rest) {
  constexpr std::size_t kWriter = 32, kNumber = 10, kHash = 64;
  if (rest.size() != kWriter + 1 + kNumber + 1 + kHash || rest[kWriter] != '/' || rest[kWriter + 1 + kNumber] != '-') {
    return std::nullopt;
  }
  ObjectName name{.type = ObjectType::record, .hash = {}, .writer = {}, .number = 0};
  if (!from_lower_hex(rest.substr(0, kWriter), name.writer.bytes)) return std::nullopt;
  for (char c : rest.substr(kWriter + 1, kNumber)) {
    if (c < '0' || c > '9') return std::nullopt;
    name.number = name.number * 10 + static_cast<std::uint64_t>(c - '0');
  }
  auto hash = parse_hash(rest.substr(rest.size() - kHash));
  if (!hash || name.number == 0) return std::nullopt;
  name.hash = *hash;
  return name;
}

crypto::Secret body_cipher_key(ByteView body_key, ObjectType type, ByteView salt) {
  Writer info;
  info.raw(as_bytes("holdfast v1 body")).u16(static_cast<std::uint16_t>(type)).raw(salt);
  return crypto::derive(body_key, as_text(info.bytes()));
}

Bytes compress(ByteView plain) {
  Bytes out(ZSTD_compressBound(plain.size()));
  std::size_t n = ZSTD_compress(out.data(), out.size(), plain.data(), plain.size(), kCompressionLevel);
  if (ZSTD_isError(n)) throw Error(Code::defect, std::string("cannot compress a body: ") + ZSTD_getErrorName(n));
  out.resize(n);
  return out;
}

Bytes signed_message(const crypto::Sha256& before) {
  return Writer().raw(as_bytes("holdfast v1 object")).raw(before.view()).take();
}

}  // namespace

std::uint64_t object_limit(ObjectType type) { return type_info(type).object_limit; }
std::string_view folder_of(ObjectType type) { return type_info(type).folder; }

std::string object_name(ObjectType type, const crypto::Sha256& hash) {
  return std::string(folder_of(type)) + "/" + hash.hex();
}

std::string record_name(const WriterId& writer, std::uint64_t number, const crypto::Sha256& hash) {
  return "record/" + writer.hex() + "/" + number_text(number) + "-" + hash.hex();
}

std::optional<ObjectName> parse_object_name(std::string_view name) {
  std::size_t slash = name.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  auto it = std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeInfo& t) { return t.folder == name.substr(0, slash); });
  if (it == kTypes.end()) return std::nullopt;
  if (it->type == ObjectType::record) return parse_record_name(name.substr(slash + 1));
  auto hash = parse_hash(name.substr(slash + 1));
  if (!hash) return std::nullopt;
  return ObjectName{.type = it->type, .hash = *hash, .writer = {}, .number = 0};
}

Bytes encode_header(const ObjectHeader& header) {
  std::size_t size = kHeaderSize + header.extra.size();
  if (size > kMaxHeaderSize) throw Error(Code::defect, "a header of " + std::to_string(size) + " bytes is too long");
  Writer w;
  w.raw(as_bytes(kMagic)).u16(static_cast<std::uint16_t>(header.type)).u16(kFormatVersion).u16(kSuite).u16(0);
  w.u32(header.epoch).u32(static_cast<std::uint32_t>(size)).u64(header.required).u64(header.optional);
  w.raw(header.repository.view()).raw(header.writer.view()).raw(header.extra);
  return w.take();
}

ParsedObject parse_object(ByteView object, ObjectType type, const RepositoryId* repository, std::string_view name) {
  Reader r(object, "object " + printable(name));
  if (object.size() < kHeaderSize || as_text(r.raw(kMagic.size())) != kMagic) damaged(name, "it does not start like an object");
  ParsedObject parsed;
  if (r.u16() != static_cast<std::uint16_t>(type)) damaged(name, "it is an object of another type");
  parsed.header.type = type;
  if (std::uint16_t version = r.u16(); version > kFormatVersion) {
    unsupported(name, "it has format version " + std::to_string(version));
  } else if (version == 0) {
    damaged(name, "it has format version 0");
  }
  if (std::uint16_t suite = r.u16(); suite != kSuite) unsupported(name, "it uses cipher suite " + std::to_string(suite));
  if (r.u16() != 0) damaged(name, "reserved bytes are set");
  parsed.header.epoch = r.u32();
  std::uint32_t length = r.u32();
  if (length < kHeaderSize || length > kMaxHeaderSize) damaged(name, "its header has an impossible length");
  parsed.header.required = r.u64();
  if ((parsed.header.required & ~kKnownRequired) != 0) unsupported(name, "it needs a feature that this version does not know");
  parsed.header.optional = r.u64();
  parsed.header.repository = r.id<RepositoryId>();
  if (repository != nullptr && parsed.header.repository != *repository) damaged(name, "it belongs to another repository");
  parsed.header.writer = r.id<WriterId>();
  ByteView extra = r.raw(length - kHeaderSize);
  parsed.header.extra.assign(extra.begin(), extra.end());
  parsed.header_bytes = object.first(length);
  parsed.rest = object.subspan(length);
  return parsed;
}

namespace {

// From the very bytes that will be stored: a compressor or a memory that is wrong once must not make what nobody can read.
void check_sealed(ByteView body_key, ObjectType type, ByteView header, ByteView plain, ByteView sealed) {
  bool same = false;
  try {
    Bytes back = open_body(body_key, type, header, sealed, folder_of(type));
    same = std::equal(back.begin(), back.end(), plain.begin(), plain.end());
    crypto::wipe(back);
  } catch (const Error& error) {
    if (error.code() != Code::damaged) throw;
  }
  if (same) return;
  throw Error(Code::failed, "cannot store a " + std::string(folder_of(type)) + ": it decodes to something else than what was put into it")
      .safe("it was not stored, and no recovery point was made")
      .hint("the memory or processor of this machine may be faulty: test them, then try again");
}

}  // namespace

Bytes seal_body(ByteView body_key, ObjectType type, ByteView header, ByteView plain, platform::Entropy& entropy) {
  if (plain.size() > type_info(type).body_limit) {
    throw Error(Code::unsupported, "cannot store a " + std::string(folder_of(type)) + " of " + human_bytes(plain.size()) +
                                       ": the format allows " + human_bytes(type_info(type).body_limit));
  }
  Bytes packed = compress(plain);
  bool smaller = packed.size() < plain.size();
  Writer inner;
  inner.u8(smaller ? kZstd : kPlain).u64(plain.size()).raw(smaller ? ByteView(packed) : plain);

  Bytes out(16 + inner.size() + crypto::kAeadTagSize);
  MutableBytes salt = MutableBytes(out).first(16);
  entropy.fill(salt);
  crypto::Aead cipher(body_cipher_key(body_key, type, salt).view());
  cipher.seal(crypto::counter_nonce(0), header, inner.bytes(), MutableBytes(out).subspan(16));
  check_sealed(body_key, type, header, plain, out);
  return out;
}

Bytes open_body(ByteView body_key, ObjectType type, ByteView header, ByteView sealed, std::string_view name) {
  if (sealed.size() < kSealedBodyOverhead) damaged(name, "it is too short");
  crypto::Aead cipher(body_cipher_key(body_key, type, sealed.first(16)).view());
  Bytes inner(sealed.size() - 16 - crypto::kAeadTagSize);
  if (!cipher.open(crypto::counter_nonce(0), header, sealed.subspan(16), inner)) damaged(name, "it is not authentic");

  Reader r(inner, "object " + printable(name));
  std::uint8_t codec = r.u8();
  std::uint64_t size = r.u64();
  if (size > type_info(type).body_limit) damaged(name, "its body is larger than the format allows");
  ByteView data = r.raw(r.remaining());
  if (codec == kPlain) {
    if (data.size() != size) damaged(name, "its body has another size than it says");
    return {data.begin(), data.end()};
  }
  if (codec != kZstd) damaged(name, "its body is encoded in an unknown way");
  // A zstd frame that tells a size is believed only when it tells the same one, so that nothing larger is allocated.
  if (ZSTD_getFrameContentSize(data.data(), data.size()) != size) damaged(name, "its body has another size than it says");
  Bytes plain(static_cast<std::size_t>(size));
  std::size_t n = ZSTD_decompress(plain.data(), plain.size(), data.data(), data.size());
  if (ZSTD_isError(n) || n != size) damaged(name, "its body cannot be decompressed");
  return plain;
}

crypto::Signature sign_digest(const crypto::SigningKey& key, const crypto::Sha256& before) {
  return crypto::sign(key, signed_message(before));
}

bool verify_digest(const crypto::VerifyKey& key, const crypto::Sha256& before, const crypto::Signature& signature) {
  return crypto::verify(key, signed_message(before), signature);
}

void append_signature(Bytes& object, const crypto::SigningKey& key) {
  crypto::Signature signature = sign_digest(key, crypto::sha256(object));
  object.insert(object.end(), signature.bytes.begin(), signature.bytes.end());
}

ByteView check_signature(ByteView object, const crypto::VerifyKey& key, std::string_view name,
                         const crypto::Sha256* hash) {
  if (object.size() < kSignatureSize) damaged(name, "it is too short");
  ByteView before = object.first(object.size() - kSignatureSize);
  if (before.size() < kHeaderSize || Reader(before.subspan(20, 4), name).u32() > before.size())
    damaged(name, "its header reaches into its signature");
  crypto::Sha256Stream stream;
  stream.update(before);
  const crypto::Sha256 digest = stream.digest_so_far();
  stream.update(object.last(kSignatureSize));
  if (hash && stream.digest_so_far() != *hash) damaged(name, "its bytes do not match its name");
  if (!verify_digest(key, digest, crypto::Signature::from(object.last(kSignatureSize))))
    damaged(name, "its signature is not by its writer");
  return before;
}

bool is_damage(const Error& error) {
  return error.code() == Code::damaged || error.code() == Code::not_found || error.code() == Code::unsupported;
}

void check_object_hash(ByteView object, const crypto::Sha256& expected, std::string_view name) {
  if (crypto::sha256(object) != expected) damaged(name, "its bytes do not match its name");
}

}  // namespace holdfast::repository
