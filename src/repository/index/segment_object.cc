#include "repository/index/segment_object.h"

#include "base/error.h"

namespace holdfast::repository {

Bytes open_segment(const DataContext& context, const crypto::Sha256& hash) {
  const std::string name = object_name(ObjectType::index, hash);
  Bytes object = context.store.get(name, object_limit(ObjectType::index));
  check_object_hash(object, hash, name);
  ParsedObject parsed = parse_object(object, ObjectType::index, &context.repository, name);
  std::optional<crypto::VerifyKey> writer = context.keyring.verify_key(parsed.header.writer);
  if (!writer) throw Error(Code::damaged, "object " + name + " is damaged: its writer is not in the keyring");
  ByteView body = check_signature(object, *writer, name).subspan(parsed.header_bytes.size());
  const Epoch& epoch = context.keyring.epoch(parsed.header.epoch, name);
  return open_body(epoch.meta_key.view(), ObjectType::index, parsed.header_bytes, body, name);
}

NeededObject put_segment(const DataContext& context, const WriterId& writer, const crypto::SigningKey& key,
                         const std::vector<crypto::Sha256>& superseded, std::span<const SegmentPack> packs) {
  const Epoch& epoch = context.keyring.current();
  ObjectHeader header;
  header.type = ObjectType::index;
  header.epoch = epoch.number;
  header.repository = context.repository;
  header.writer = writer;
  Bytes object = encode_header(header);
  Bytes body = seal_body(epoch.meta_key.view(), ObjectType::index, object, encode_segment(superseded, packs), context.entropy);
  object.insert(object.end(), body.begin(), body.end());
  append_signature(object, key);
  NeededObject segment{ObjectType::index, crypto::sha256(object), object.size()};
  context.store.put(object_name(segment.type, segment.hash), object);
  return segment;
}

}  // namespace holdfast::repository
