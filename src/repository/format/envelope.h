// What all objects have in common: the header, names, sealed bodies, signatures. docs/repository-format.md "Envelope of
// every object". Knows no object's meaning.
//
// Input is hostile: everything is checked before it is used. Error(damaged): not what was written, or of another
// repository; Error(unsupported): a newer version, another suite, a required feature that this version does not know.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "crypto/hash.h"
#include "crypto/keys.h"
#include "platform/entropy.h"
#include "repository/point.h"

namespace holdfast::repository {

// Stored values: never renumber.
enum class ObjectType : std::uint16_t {
  repository = 1, slot = 2, keyring = 3, pack = 4, index = 5, inventory = 6, point = 7, record = 8, replica = 9, map = 10,
};

inline constexpr std::uint16_t kFormatVersion = 1;
inline constexpr std::uint16_t kSuite = 1;
inline constexpr std::size_t kHeaderSize = 72;          // up to and including the writer id
inline constexpr std::size_t kMaxHeaderSize = 65536;
inline constexpr std::size_t kSignatureSize = 64;
inline constexpr std::size_t kSealedBodyOverhead = 16 + 16 + 9;   // salt, tag, codec and size

// Largest object of a type that a reader accepts, in bytes (docs/repository-format.md "Limits").
std::uint64_t object_limit(ObjectType type);

// -- names in the store
std::string_view folder_of(ObjectType type);                                    // "pack"
std::string object_name(ObjectType type, const crypto::Sha256& hash);           // "pack/<64 hex>"; not for records
std::string record_name(const WriterId& writer, std::uint64_t number, const crypto::Sha256& hash);
struct ObjectName {
  ObjectType type{};
  crypto::Sha256 hash;
  WriterId writer;            // records only
  std::uint64_t number = 0;   // records only
};
// nullopt: not the name of an object of this format (strict: lower-case hex, ten digits).
std::optional<ObjectName> parse_object_name(std::string_view name);

// -- header
struct ObjectHeader {
  ObjectType type{};
  std::uint32_t epoch = 0;       // 0 where no epoch key is used
  std::uint64_t required = 0;    // feature bits
  std::uint64_t optional = 0;
  RepositoryId repository;
  WriterId writer;               // zeros where there is none
  Bytes extra;                   // header of the type, with what this version does not know at its end
};
Bytes encode_header(const ObjectHeader& header);

struct ParsedObject {
  ObjectHeader header;
  ByteView header_bytes;   // views into the input
  ByteView rest;           // everything after the header, the signature included
};
// `object` may be a whole object or its beginning, as long as the whole header is in it. `repository` nullptr: any.
// `name` is for messages.
ParsedObject parse_object(ByteView object, ObjectType type, const RepositoryId* repository, std::string_view name);

// Whether an error is the fault of the object that was read: it will be the same the next time, and another copy of it may do.
// Everything else is the store's, and may be over.
bool is_damage(const Error& error);

// -- sealed body
// Compressed when that helps. `header` is encode_header()'s result. Opened again and compared before it is returned: failed when it differs.
Bytes seal_body(ByteView body_key, ObjectType type, ByteView header, ByteView plain, platform::Entropy& entropy);
// Error(damaged) when it is not authentic or larger than the type allows.
Bytes open_body(ByteView body_key, ObjectType type, ByteView header, ByteView sealed, std::string_view name);

// -- signature: over the SHA-256 of everything before it
crypto::Signature sign_digest(const crypto::SigningKey& key, const crypto::Sha256& before);
[[nodiscard]] bool verify_digest(const crypto::VerifyKey& key, const crypto::Sha256& before, const crypto::Signature& signature);
// Appends the 64 bytes to `object`.
void append_signature(Bytes& object, const crypto::SigningKey& key);
// The object without its signature; Error(damaged) when it is not by `key`. `hash`, when given, is the one in its name and is
// compared in the same pass.
ByteView check_signature(ByteView object, const crypto::VerifyKey& key, std::string_view name, const crypto::Sha256* hash = nullptr);

// Error(damaged) unless the SHA-256 of `object` is `expected`.
void check_object_hash(ByteView object, const crypto::Sha256& expected, std::string_view name);

}  // namespace holdfast::repository
