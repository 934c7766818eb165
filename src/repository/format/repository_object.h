// The repository object: the parameters that never change. docs/repository-format.md "Repository object".
#pragma once

#include <string>

#include "repository/format/envelope.h"
#include "store/object_store.h"

namespace holdfast::repository {

// Chunker and grouping sizes in bytes. Checked when read: powers of two where the format says so, within the chunk limit.
struct Parameters {
  std::uint32_t chunk_minimum = 512U << 10, chunk_average = 1U << 20, chunk_maximum = 4U << 20;
  std::uint32_t fixed_chunk = 64U << 10;
  std::uint32_t group_limit = 64U << 10;
};

struct RepositoryObject {
  RepositoryId id;
  std::uint16_t version = kFormatVersion;
  Timestamp created;
  Parameters parameters;
  std::string tool_version;
  crypto::Sha256 hash;        // of the object's bytes; filled by both functions below
  Bytes unknown_fields;       // of a newer version, kept as they came
};

// Fills object.hash; returns the object's bytes.
Bytes encode_repository_object(RepositoryObject& object);
// `bytes` must be the object of that hash. damaged, unsupported.
RepositoryObject decode_repository_object(ByteView bytes, const crypto::Sha256& hash);
// The one repository object of the store. not_found: none there. damaged: more than one, or not what was written.
RepositoryObject read_repository_object(store::ObjectStore& store);

// -- replica object: which of the copies of a repository this store is. docs/repository-format.md "Replica".
struct ReplicaIdTag;
using ReplicaId = FixedId<16, ReplicaIdTag>;
enum class ReplicaKind : std::uint8_t { original = 1, copy = 2 };
struct Replica {
  ReplicaId id;
  ReplicaKind kind{};
  Timestamp created;
};
std::string put_replica(store::ObjectStore& store, const RepositoryId& repository, const Replica& replica);   // gives its name
Replica read_replica(ByteView object, const RepositoryId& repository, const std::string& name);               // damaged

}  // namespace holdfast::repository
