#include "repository/format/point_object.h"

#include "base/error.h"
#include "base/wire.h"
#include "repository/format/point_codec.h"

namespace holdfast::repository {
namespace {

PointEnvelope decode_envelope(const ParsedObject& parsed, const std::string& name) {
  Reader r(parsed.header.extra, "object " + name);
  PointEnvelope envelope;
  envelope.writer = parsed.header.writer;
  envelope.inventory.hash = r.id<crypto::Sha256>();
  envelope.inventory.size = r.u64();
  return envelope;
}

}  // namespace

PointEnvelope read_point_envelope(ByteView object, const RepositoryId& repository, const PointId& id) {
  std::string name = object_name(ObjectType::point, id);
  check_object_hash(object, id, name);
  return decode_envelope(parse_object(object, ObjectType::point, &repository, name), name);
}

ReadPoint read_point(store::ObjectStore& store, const RepositoryId& repository, Keyring& keyring, const PointId& id) {
  std::string name = object_name(ObjectType::point, id);
  Bytes object;
  try {
    object = store.get(name, object_limit(ObjectType::point));
  } catch (const Error& error) {
    if (error.code() != Code::not_found) throw;
    throw Error(Code::damaged, "point " + short_id(id) + " is damaged: its object " + name + " is gone")
        .hint("a copy of the repository may still have it");
  }
  check_object_hash(object, id, name);
  ParsedObject parsed = parse_object(object, ObjectType::point, &repository, name);
  auto key = keyring.verify_key(parsed.header.writer);
  if (!key) throw Error(Code::damaged, "object " + name + " is damaged: it is by a writer that the keyring does not know");
  check_signature(object, *key, name);
  const Epoch& epoch = keyring.epoch(parsed.header.epoch, name);
  ByteView sealed = parsed.rest.first(parsed.rest.size() - kSignatureSize);

  ReadPoint read;
  PointEnvelope envelope = decode_envelope(parsed, name);
  static_cast<PointDraft&>(read.point) =
      decode_point(open_body(epoch.meta_key.view(), ObjectType::point, parsed.header_bytes, sealed, name), "object " + name);
  read.point.id = id;
  read.point.writer = envelope.writer;
  read.inventory = envelope.inventory;
  return read;
}

PointId put_point(store::ObjectStore& store, const RepositoryId& repository, const Epoch& epoch, const LogWriter& writer,
                  const PointDraft& draft, const InventoryRoot& inventory, platform::Entropy& entropy) {
  Writer extra;
  extra.raw(inventory.hash.view()).u64(inventory.size);
  Bytes object = encode_header({.type = ObjectType::point, .epoch = epoch.number, .repository = repository,
                                .writer = writer.id, .extra = extra.take()});
  Bytes plain = encode_point(draft);
  Bytes sealed = seal_body(epoch.meta_key.view(), ObjectType::point, object, plain, entropy);
  if (open_body(epoch.meta_key.view(), ObjectType::point, object, sealed, "new point") != plain ||
      encode_point(decode_point(plain, "new point")) != plain) {
    throw Error(Code::defect, "the new point does not decode to what was captured").safe("earlier points are as they were");
  }
  object.insert(object.end(), sealed.begin(), sealed.end());
  append_signature(object, writer.key);
  PointId id = crypto::sha256(object);
  store.put(object_name(ObjectType::point, id), object);
  return id;
}

}  // namespace holdfast::repository
