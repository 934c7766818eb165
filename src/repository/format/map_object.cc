#include "repository/format/map_object.h"

#include <algorithm>

#include "base/error.h"
#include "base/wire.h"

namespace holdfast::repository {
namespace {

constexpr int kMostLooks = 16'384;   // for one object: maps are unsigned to whoever has no key
constexpr std::size_t kSmallestReplacement = 2 + 32 + 1, kSmallestEntry = 2 + 32 + 1;

ObjectType replaced_type(Reader& r) {
  auto type = static_cast<ObjectType>(r.u16());
  bool known = type == ObjectType::pack || type == ObjectType::index || type == ObjectType::inventory;
  if (!known) r.damaged("it names an object of a type that is never replaced");
  return type;
}

Replacement decode_replacement(Reader& r) {
  Replacement replacement;
  replacement.type = replaced_type(r);
  replacement.hash = r.id<crypto::Sha256>();
  std::uint64_t count = r.varint();
  r.expect_count(count, kSmallestEntry);
  replacement.by.reserve(static_cast<std::size_t>(count));
  for (std::uint64_t i = 0; i < count; ++i) {
    ObjectType type = replaced_type(r);
    auto hash = r.id<crypto::Sha256>();
    replacement.by.push_back({type, hash, r.varint()});
    if ((type == ObjectType::inventory) != (replacement.type == ObjectType::inventory))
      r.damaged("an object is replaced by one of another kind");
  }
  return replacement;
}

}  // namespace

NeededObject put_map(store::ObjectStore& store, const RepositoryId& repository, const LogWriter& writer,
                     const std::vector<Replacement>& replacements) {
  Writer w;
  w.raw(encode_header({.type = ObjectType::map, .repository = repository, .writer = writer.id, .extra = {}}));
  w.varint(replacements.size());
  for (const Replacement& r : replacements) {
    w.u16(static_cast<std::uint16_t>(r.type)).raw(r.hash.view()).varint(r.by.size());
    for (const NeededObject& o : r.by) w.u16(static_cast<std::uint16_t>(o.type)).raw(o.hash.view()).varint(o.size);
  }
  Bytes object = w.take();
  append_signature(object, writer.key);
  if (object.size() > object_limit(ObjectType::map)) {
    throw Error(Code::unsupported, "cannot store a map of so many objects: it would be larger than the format allows");
  }
  NeededObject map{ObjectType::map, crypto::sha256(object), object.size()};
  store.put(object_name(map.type, map.hash), object);
  return map;
}

std::vector<Replacement> read_map(store::ObjectStore& store, const RepositoryId& repository, Keyring* keyring,
                                  const crypto::Sha256& hash) {
  std::string name = object_name(ObjectType::map, hash);
  Bytes object = store.get(name, object_limit(ObjectType::map));
  check_object_hash(object, hash, name);
  ParsedObject parsed = parse_object(object, ObjectType::map, &repository, name);
  if (keyring != nullptr) {
    auto key = keyring->verify_key(parsed.header.writer);
    if (!key) throw Error(Code::damaged, "object " + name + " is damaged: it is by a writer that the keyring does not know");
    check_signature(object, *key, name);
  }
  if (parsed.rest.size() < kSignatureSize) throw Error(Code::damaged, "object " + name + " is damaged: it is too short");
  Reader r(parsed.rest.first(parsed.rest.size() - kSignatureSize), "object " + name);
  std::uint64_t count = r.varint();
  r.expect_count(count, kSmallestReplacement);
  std::vector<Replacement> replacements;
  replacements.reserve(static_cast<std::size_t>(count));
  for (std::uint64_t i = 0; i < count; ++i) replacements.push_back(decode_replacement(r));
  r.expect_end();
  return replacements;
}

Maps Maps::read(store::ObjectStore& store, const RepositoryId& repository, Keyring* keyring) {
  std::vector<NeededObject> found;
  store.list(folder_of(ObjectType::map), [&](const store::ObjectInfo& info) {
    auto name = parse_object_name(info.name);
    if (name && name->type == ObjectType::map) found.push_back({name->type, name->hash, info.size});
  });
  Maps maps;
  for (const NeededObject& map : found) {
    try {
      maps.add(map, read_map(store, repository, keyring, map.hash));
    } catch (const Error& error) {
      if (error.code() != Code::damaged && error.code() != Code::not_found) throw;
    }
  }
  return maps;
}

void Maps::add(const NeededObject& map, const std::vector<Replacement>& replacements) {
  all_.push_back(map);
  for (const Replacement& r : replacements) entries_[{r.type, r.hash}].push_back({map, r.by});
}

const std::vector<Maps::Entry>* Maps::of(const NeededObject& object) const {
  auto it = entries_.find({object.type, object.hash});
  return it == entries_.end() ? nullptr : &it->second;
}

bool Maps::follow(const NeededObject& object, const There& there, int steps, int& left, std::vector<NeededObject>& found) const {
  if (there(object)) {
    found.push_back(object);
    return true;
  }
  const std::vector<Entry>* entries = of(object);
  if (entries == nullptr || steps == kMostMaps || --left <= 0) return false;
  for (const Entry& entry : *entries) {
    std::size_t before = found.size();
    bool all = std::all_of(entry.by.begin(), entry.by.end(),
                           [&](const NeededObject& o) { return follow(o, there, steps + 1, left, found); });
    if (all) return true;
    found.resize(before);
  }
  return false;
}

std::optional<std::vector<NeededObject>> Maps::stand_in(const NeededObject& object, const There& there) const {
  std::vector<NeededObject> found;
  int left = kMostLooks;
  if (!follow(object, there, 0, left, found)) return std::nullopt;
  return found;
}

}  // namespace holdfast::repository
