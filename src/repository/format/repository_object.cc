#include "repository/format/repository_object.h"

#include <bit>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "base/wire.h"
#include "repository/format/fields.h"

namespace holdfast::repository {
namespace {

constexpr std::uint32_t kChunkLimit = 8U << 20;   // docs/repository-format.md "Limits"
constexpr std::uint32_t kSmallestMinimum = 64;    // the window of the content-defined chunker

enum Field : std::uint32_t { kCreated = 1, kMinimum = 2, kAverage = 3, kMaximum = 4, kFixed = 5, kGroup = 6, kTool = 7 };

bool sensible(const Parameters& p) {
  return p.chunk_minimum >= kSmallestMinimum && p.chunk_minimum <= p.chunk_average && p.chunk_average <= p.chunk_maximum &&
         p.chunk_maximum <= kChunkLimit && std::has_single_bit(p.chunk_average) && p.fixed_chunk >= kSmallestMinimum &&
         p.fixed_chunk <= kChunkLimit && p.group_limit <= kChunkLimit;
}

std::uint32_t size_field(const Reader::Field& field, std::string_view what) {
  std::uint64_t value = field_u64(field, what);
  if (value > kChunkLimit) throw Error(Code::damaged, std::string(what) + " is damaged: a size is impossible");
  return static_cast<std::uint32_t>(value);
}

}  // namespace

Bytes encode_repository_object(RepositoryObject& object) {
  if (!sensible(object.parameters)) throw Error(Code::defect, "the chunk sizes of a new repository are impossible");
  Bytes bytes = encode_header({.type = ObjectType::repository, .repository = object.id, .writer = {}, .extra = {}});
  Writer w;
  w.field(kCreated, encode_time(object.created));
  w.field_u64(kMinimum, object.parameters.chunk_minimum).field_u64(kAverage, object.parameters.chunk_average);
  w.field_u64(kMaximum, object.parameters.chunk_maximum).field_u64(kFixed, object.parameters.fixed_chunk);
  w.field_u64(kGroup, object.parameters.group_limit).field_text(kTool, object.tool_version).raw(object.unknown_fields);
  bytes.insert(bytes.end(), w.bytes().begin(), w.bytes().end());
  object.hash = crypto::sha256(bytes);
  return bytes;
}

RepositoryObject decode_repository_object(ByteView bytes, const crypto::Sha256& hash) {
  std::string name = object_name(ObjectType::repository, hash);
  check_object_hash(bytes, hash, name);
  ParsedObject parsed = parse_object(bytes, ObjectType::repository, nullptr, name);
  RepositoryObject object;
  object.id = parsed.header.repository;
  object.hash = hash;
  object.parameters = {0, 0, 0, 0, 0};
  Reader r(parsed.rest, "object " + name);
  Writer unknown;
  while (auto field = r.field()) {
    switch (field->tag) {
      case kCreated: object.created = decode_time(field->value, name); break;
      case kMinimum: object.parameters.chunk_minimum = size_field(*field, name); break;
      case kAverage: object.parameters.chunk_average = size_field(*field, name); break;
      case kMaximum: object.parameters.chunk_maximum = size_field(*field, name); break;
      case kFixed: object.parameters.fixed_chunk = size_field(*field, name); break;
      case kGroup: object.parameters.group_limit = size_field(*field, name); break;
      case kTool: object.tool_version = holdfast::to_text(field->value); break;
      default: unknown.field(field->tag, field->value);
    }
  }
  object.unknown_fields = unknown.take();
  if (object.id.is_zero() || !sensible(object.parameters)) r.damaged("its parameters are impossible");
  return object;
}

RepositoryObject read_repository_object(store::ObjectStore& store) {
  std::vector<std::string> names;
  store.list("repository/", [&](const store::ObjectInfo& info) { names.push_back(info.name); });
  if (names.empty()) {
    throw Error(Code::not_found, "there is no repository in " + store.location())
        .safe("nothing was changed")
        .hint("'holdfast init' makes one; check the repository's address");
  }
  auto name = parse_object_name(names.front());
  if (names.size() > 1 || !name) {
    throw Error(Code::damaged, "the repository in " + store.location() + " is damaged: there must be one repository object, found " +
                                   std::to_string(names.size()) + " (" + printable(names.front()) + ")");
  }
  return decode_repository_object(store.get(names.front(), object_limit(ObjectType::repository)), name->hash);
}

std::string put_replica(store::ObjectStore& store, const RepositoryId& repository, const Replica& replica) {
  Writer w;
  w.raw(encode_header({.type = ObjectType::replica, .repository = repository, .writer = {}, .extra = {}}));
  w.raw(replica.id.view()).u8(static_cast<std::uint8_t>(replica.kind)).raw(encode_time(replica.created));
  std::string name = object_name(ObjectType::replica, crypto::sha256(w.bytes()));
  store.put(name, w.bytes());
  return name;
}

Replica read_replica(ByteView object, const RepositoryId& repository, const std::string& name) {
  auto parsed_name = parse_object_name(name);
  if (!parsed_name) throw Error(Code::damaged, "object " + printable(name) + " is damaged: its name is not one of a replica");
  check_object_hash(object, parsed_name->hash, name);
  ParsedObject parsed = parse_object(object, ObjectType::replica, &repository, name);
  Reader r(parsed.rest, "object " + name);
  Replica replica;
  replica.id = r.id<ReplicaId>();
  std::uint8_t kind = r.u8();
  if (kind < 1 || kind > 2) r.damaged("its kind is unknown");
  replica.kind = static_cast<ReplicaKind>(kind);
  replica.created = decode_time(r.raw(12), name);
  r.expect_end();
  return replica;
}

}  // namespace holdfast::repository
