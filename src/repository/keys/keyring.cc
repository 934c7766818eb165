#include "repository/keys/keyring.h"

#include "base/error.h"
#include "base/text.h"
#include "base/wire.h"
#include "repository/format/fields.h"

namespace holdfast::repository {
namespace {

enum Field : std::uint32_t {
  kKind = 1, kNumber = 2, kSecret = 3, kChunkerSecret = 4, kRepositoryObject = 5, kEpochCreated = 6,
  kWriterId = 16, kVerifyKey = 17, kLabel = 18, kWriterCreated = 19,
};
constexpr std::uint64_t kKindEpoch = 1, kKindWriter = 2;

[[noreturn]] void damaged(std::string_view name, std::string_view why) {
  throw Error(Code::damaged, "keyring entry " + printable(name) + " is damaged: " + std::string(why));
}

std::unique_ptr<Epoch> make_epoch(std::uint32_t number, ByteView secret, ByteView chunker, const crypto::Sha256& object,
                                  Timestamp created) {
  auto epoch = std::make_unique<Epoch>();
  epoch->number = number;
  epoch->secret = crypto::Secret::copy_of(secret);
  epoch->chunker_secret = crypto::Secret::copy_of(chunker);
  epoch->repository_object = object;
  epoch->created = created;
  epoch->seal = crypto::seal_key_pair(crypto::derive(secret, "holdfast v1 seal").view());
  epoch->meta_key = crypto::derive(secret, "holdfast v1 meta");
  epoch->data_id_key = crypto::derive(secret, "holdfast v1 chunk id data");
  epoch->tree_id_key = crypto::derive(secret, "holdfast v1 chunk id tree");
  return epoch;
}

Bytes encode_epoch(std::uint32_t number, const crypto::Secret& secret, const crypto::Secret& chunker,
                   const crypto::Sha256& object, Timestamp created) {
  Writer w;
  w.field_u64(kKind, kKindEpoch).field_u64(kNumber, number).field(kSecret, secret.view());
  w.field(kChunkerSecret, chunker.view()).field(kRepositoryObject, object.view()).field(kEpochCreated, encode_time(created));
  return w.take();
}

std::string seal_entry(store::ObjectStore& store, const RepositoryId& repository, ByteView keyring_key, ByteView plain,
                       platform::Entropy& entropy) {
  Bytes object = encode_header({.type = ObjectType::keyring, .repository = repository, .writer = {}, .extra = {}});
  Bytes body = seal_body(keyring_key, ObjectType::keyring, object, plain, entropy);
  object.insert(object.end(), body.begin(), body.end());
  std::string name = object_name(ObjectType::keyring, crypto::sha256(object));
  store.put(name, object);
  return name;
}

crypto::Secret keyring_key(const crypto::Secret& root_key) { return crypto::derive(root_key.view(), "holdfast v1 keyring"); }

// The fields of an entry of either kind, before they are checked for completeness.
struct Entry {
  std::uint64_t kind = 0, number = 0;
  crypto::Secret secret, chunker_secret;
  crypto::Sha256 repository_object;
  Timestamp created;
  KnownWriter writer;
};

Entry parse_entry(ByteView plain, std::string_view name) {
  Entry e;
  Reader r(plain, "keyring entry " + printable(name));
  while (auto field = r.field()) {
    switch (field->tag) {
      case kKind: e.kind = field_u64(*field, name); break;
      case kNumber: e.number = field_u64(*field, name); break;
      case kSecret: e.secret = crypto::Secret::copy_of(field->value); break;
      case kChunkerSecret: e.chunker_secret = crypto::Secret::copy_of(field->value); break;
      case kRepositoryObject: e.repository_object = decode_id<crypto::Sha256>(field->value, name); break;
      case kEpochCreated: e.created = decode_time(field->value, name); break;
      case kWriterId: e.writer.id = decode_id<WriterId>(field->value, name); break;
      case kVerifyKey: e.writer.verify_key = decode_id<crypto::VerifyKey>(field->value, name); break;
      case kLabel: e.writer.label = holdfast::to_text(field->value); break;
      case kWriterCreated: e.writer.created = decode_time(field->value, name); break;
      default: break;   // entries are never rewritten, so what a newer version added stays in the store
    }
  }
  return e;
}

}  // namespace

WriterId writer_id(const crypto::VerifyKey& key) {
  return WriterId::from(crypto::sha256(key.view()).view().first(WriterId::kSize));
}

Keyring::Keyring(store::ObjectStore& store, const RepositoryId& repository, const crypto::Secret& root_key)
    : store_(store), repository_(repository), key_(keyring_key(root_key)) {
  std::lock_guard lock(mutex_);
  read_entries();
  if (epochs_.empty()) {
    std::string why = damaged_.empty() ? "no keyring entry holds an epoch" : damaged_.begin()->second;
    throw Error(Code::damaged, "the repository in " + store_.location() + " is damaged: " + why)
        .safe("nothing was changed")
        .hint("use a copy of the repository");
  }
}

void Keyring::read_entries() {
  std::vector<std::string> names;
  store_.list("keyring/", [&](const store::ObjectInfo& info) {
    if (!read_.contains(info.name)) names.push_back(info.name);
  });
  for (const std::string& name : names) {
    auto parsed = parse_object_name(name);
    if (!parsed) continue;   // check_objects tells about it
    try {
      Bytes object = store_.get(name, object_limit(ObjectType::keyring));
      check_object_hash(object, parsed->hash, name);
      ParsedObject p = parse_object(object, ObjectType::keyring, &repository_, name);
      Bytes plain = open_body(key_.view(), ObjectType::keyring, p.header_bytes, p.rest, name);
      take_entry(name, plain);
      crypto::wipe(plain);
      read_.insert(name);
      damaged_.erase(name);
    } catch (const Error& error) {
      if (error.code() != Code::damaged) throw;
      damaged_[name] = error.message();
    }
  }
}

void Keyring::take_entry(const std::string& name, ByteView plain) {
  Entry e = parse_entry(plain, name);
  if (e.kind == kKindWriter) {
    if (e.writer.id != writer_id(e.writer.verify_key)) damaged(name, "its writer's id does not follow from its key");
    writers_.emplace(e.writer.id, e.writer);
    return;
  }
  if (e.kind != kKindEpoch) return;   // a kind of a newer version
  if (e.number == 0 || e.number > UINT32_MAX || e.secret.size() != 32 || e.chunker_secret.size() != 32) {
    damaged(name, "its epoch is incomplete");
  }
  auto number = static_cast<std::uint32_t>(e.number);
  NamedEpoch& slot = epochs_[number];
  if (slot.epoch && slot.object < name) return;   // of two with one number the name that sorts first counts
  if (slot.epoch) displaced_.push_back(std::move(slot.epoch));
  slot = {name, make_epoch(number, e.secret.view(), e.chunker_secret.view(), e.repository_object, e.created)};
}

const Epoch& Keyring::current() const {
  std::lock_guard lock(mutex_);
  return *epochs_.rbegin()->second.epoch;
}

const Epoch& Keyring::epoch(std::uint32_t number, std::string_view name) {
  std::lock_guard lock(mutex_);
  if (!epochs_.contains(number)) read_entries();
  auto it = epochs_.find(number);
  if (it == epochs_.end()) {
    throw Error(Code::damaged, "object " + printable(name) + " cannot be read: the keyring has no key epoch " + std::to_string(number));
  }
  return *it->second.epoch;
}

void Keyring::refresh() {
  std::lock_guard lock(mutex_);
  read_entries();
}

std::vector<std::uint32_t> Keyring::epochs() const {
  std::lock_guard lock(mutex_);
  std::vector<std::uint32_t> numbers;
  for (const auto& [number, entry] : epochs_) numbers.push_back(number);
  return numbers;
}

std::optional<crypto::VerifyKey> Keyring::verify_key(const WriterId& writer) {
  std::lock_guard lock(mutex_);
  if (!writers_.contains(writer)) read_entries();
  auto it = writers_.find(writer);
  if (it == writers_.end()) return std::nullopt;
  return it->second.verify_key;
}

std::vector<KnownWriter> Keyring::writers() const {
  std::lock_guard lock(mutex_);
  std::vector<KnownWriter> all;
  for (const auto& [id, writer] : writers_) all.push_back(writer);
  return all;
}

std::map<std::string, std::string> Keyring::damage() const {
  std::lock_guard lock(mutex_);
  return damaged_;
}

void Keyring::put_entry(ByteView plain, platform::Entropy& entropy) {
  std::string name = seal_entry(store_, repository_, key_.view(), plain, entropy);
  std::lock_guard lock(mutex_);
  take_entry(name, plain);
  read_.insert(name);
}

void Keyring::add_writer(const crypto::VerifyKey& key, const std::string& label, Timestamp created,
                         platform::Entropy& entropy) {
  Writer w;
  w.field_u64(kKind, kKindWriter).field(kWriterId, writer_id(key).view()).field(kVerifyKey, key.view());
  w.field_text(kLabel, label).field(kWriterCreated, encode_time(created));
  put_entry(w.bytes(), entropy);
}

void Keyring::add_epoch(platform::Entropy& entropy, Timestamp created) {
  crypto::Secret secret(32);
  entropy.fill(secret.bytes());
  const Epoch& last = current();
  Bytes plain = encode_epoch(last.number + 1, secret, last.chunker_secret, last.repository_object, created);
  put_entry(plain, entropy);
  crypto::wipe(plain);
}

void Keyring::put_first_epoch(store::ObjectStore& store, const RepositoryId& repository, const crypto::Secret& root_key,
                              const crypto::Sha256& repository_object, Timestamp created, platform::Entropy& entropy) {
  crypto::Secret secret(32), chunker(32);
  entropy.fill(secret.bytes());
  entropy.fill(chunker.bytes());
  Bytes plain = encode_epoch(1, secret, chunker, repository_object, created);
  seal_entry(store, repository, keyring_key(root_key).view(), plain, entropy);
  crypto::wipe(plain);
}

}  // namespace holdfast::repository
