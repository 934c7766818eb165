#include "repository/keys/slot_store.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "base/wire.h"
#include "crypto/aead.h"

namespace holdfast::repository {
namespace {

constexpr std::uint8_t kAllRights = 7;              // read, write, administer
constexpr std::size_t kWrappedRootKey = 32 + crypto::kAeadTagSize;
// Hostile input: checked before anything is allocated. docs/repository-format.md "Slot".
constexpr std::uint32_t kMaxMemoryKib = 1U << 20, kMinMemoryKib = 8, kMaxPasses = 10;

struct CommitmentTag;
using Commitment = FixedId<32, CommitmentTag>;
struct SaltTag;
using Salt = FixedId<16, SaltTag>;

struct Slot {
  SlotInfo info;
  crypto::Argon2Cost cost;
  Salt salt;
  Commitment commitment;
  Bytes header;         // the whole header: associated data of the wrapped root key
  Bytes wrapped;
  Bytes label;          // nonce and ciphertext
};

bool allowed(const crypto::Argon2Cost& cost) {
  return cost.memory_kib >= kMinMemoryKib && cost.memory_kib <= kMaxMemoryKib && cost.passes >= 1 && cost.passes <= kMaxPasses;
}

Slot parse_slot(ByteView object, const RepositoryId& repository, const std::string& name) {
  ParsedObject parsed = parse_object(object, ObjectType::slot, &repository, name);
  Slot slot;
  slot.info.object = name;
  Reader head(parsed.header.extra, "key slot " + name);
  slot.info.id = head.id<SlotId>();
  std::uint8_t kind = head.u8();
  if (kind < 1 || kind > 3) head.damaged("its kind is unknown");
  slot.info.kind = static_cast<SlotKind>(kind);
  head.u8();    // rights: version 1 makes full slots only and a store cannot enforce them
  head.u16();
  slot.info.created = {head.i64(), 0};
  slot.cost = {head.u32(), head.u32()};
  slot.salt = head.id<Salt>();
  slot.commitment = head.id<Commitment>();
  Reader body(parsed.rest, "key slot " + name);
  ByteView wrapped = body.raw(kWrappedRootKey);
  ByteView label = body.raw(body.remaining());
  slot.header.assign(parsed.header_bytes.begin(), parsed.header_bytes.end());
  slot.wrapped.assign(wrapped.begin(), wrapped.end());
  slot.label.assign(label.begin(), label.end());
  return slot;
}

struct SlotObject {
  std::string name;
  std::optional<Slot> slot;
  std::optional<Error> problem;   // damaged or unsupported
};

std::vector<SlotObject> read_slots(store::ObjectStore& store, const RepositoryId& repository) {
  std::vector<SlotObject> slots;
  store.list("slot/", [&](const store::ObjectInfo& info) { slots.push_back({info.name, {}, {}}); });
  std::sort(slots.begin(), slots.end(), [](const SlotObject& a, const SlotObject& b) { return a.name < b.name; });
  for (SlotObject& s : slots) {
    try {
      Bytes object = store.get(s.name, object_limit(ObjectType::slot));
      auto name = parse_object_name(s.name);
      if (!name) throw Error(Code::damaged, "object " + printable(s.name) + " is damaged: its name is not one of a key slot");
      check_object_hash(object, name->hash, s.name);
      s.slot = parse_slot(object, repository, s.name);
      if (s.slot->info.kind == SlotKind::password && !allowed(s.slot->cost)) {
        throw Error(Code::unsupported, "key slot " + s.name + " asks for " + std::to_string(s.slot->cost.memory_kib) +
                                           " KiB of memory and " + std::to_string(s.slot->cost.passes) +
                                           " passes: more or less than this program allows");
      }
    } catch (const Error& error) {
      if (error.code() != Code::damaged && error.code() != Code::unsupported) throw;
      s.problem = error;
    }
  }
  return slots;
}

// 64 bytes: the key that wraps the root key, and what the commitment is made of.
crypto::Secret slot_key(const SlotSecret& secret, const Salt& salt, const crypto::Argon2Cost& cost) {
  if (secret.kind == SlotKind::password) return crypto::argon2id(secret.bytes.view(), salt.view(), cost, 64);
  crypto::Secret input(secret.bytes.size() + Salt::kSize);
  std::copy(secret.bytes.view().begin(), secret.bytes.view().end(), input.bytes().begin());
  std::copy(salt.bytes.begin(), salt.bytes.end(), input.bytes().begin() + static_cast<std::ptrdiff_t>(secret.bytes.size()));
  return crypto::derive(input.view(), "holdfast v1 slot secret", 64);
}

Commitment commitment_of(const crypto::Secret& key) {
  return Commitment::from(crypto::derive(key.view().subspan(32), "holdfast v1 slot commitment").view());
}

crypto::Secret label_key(const crypto::Secret& root_key) { return crypto::derive(root_key.view(), "holdfast v1 slot label"); }

// nullopt: this secret is not the slot's. damaged when it is and the slot does not open all the same.
std::optional<crypto::Secret> try_slot(const Slot& slot, const SlotSecret& secret) {
  crypto::Secret key = slot_key(secret, slot.salt, slot.cost);
  if (!crypto::equal(commitment_of(key).view(), slot.commitment.view())) return std::nullopt;
  crypto::Secret root(32);
  crypto::Aead cipher(key.view().first(32));
  if (!cipher.open(crypto::counter_nonce(0), slot.header, slot.wrapped, root.bytes())) {
    throw Error(Code::damaged, "key slot " + slot.info.object + " is damaged: it does not hold the root key");
  }
  return root;
}

std::optional<std::string> open_label(const Slot& slot, const crypto::Secret& root_key) {
  if (slot.label.size() < crypto::kAeadNonceSize + crypto::kAeadTagSize) return std::nullopt;
  crypto::Nonce nonce;
  std::copy_n(slot.label.begin(), nonce.size(), nonce.begin());
  ByteView cipher = ByteView(slot.label).subspan(nonce.size());
  Bytes label(cipher.size() - crypto::kAeadTagSize);
  if (!crypto::Aead(label_key(root_key).view()).open(nonce, slot.info.id.view(), cipher, label)) return std::nullopt;
  return holdfast::to_text(label);
}

// A slot is only ever read on the worst day: it is opened from the very bytes that will be stored.
void check_made(ByteView object, const RepositoryId& repository, const crypto::Secret& key, const crypto::Secret& root_key,
                const std::string& label) {
  Slot made = parse_slot(object, repository, "that was just made");
  crypto::Secret root(32);
  bool opens = crypto::equal(commitment_of(key).view(), made.commitment.view()) &&
               crypto::Aead(key.view().first(32)).open(crypto::counter_nonce(0), made.header, made.wrapped, root.bytes()) &&
               crypto::equal(root.view(), root_key.view()) && open_label(made, root_key) == label;
  if (opens) return;
  throw Error(Code::failed, "cannot add a key slot: it does not open with the secret that it was made for")
      .safe("the slot was not stored")
      .hint("the memory or processor of this machine may be faulty: test them, then try again");
}

std::string problem_text(const SlotObject& s) { return s.problem ? s.problem->message() : std::string{}; }

// The ways to try `secret`: as it is, and as a recovery key when it looks like one.
std::vector<SlotSecret> readings(const SlotSecret& secret) {
  std::vector<SlotSecret> all;
  if (secret.kind == SlotKind::password && looks_like_recovery_key(as_text(secret.bytes.view()))) {
    try {
      all.push_back(recovery_secret(parse_recovery_key(as_text(secret.bytes.view()))));
    } catch (const Error& error) {
      if (error.code() != Code::wrong_key) throw;   // a password may look like a recovery key and be none
    }
  }
  all.push_back({secret.kind, secret.bytes.clone()});
  return all;
}

[[noreturn]] void throw_nothing_opens(store::ObjectStore& store, const SlotSecret& secret, const std::vector<SlotObject>& slots) {
  for (const SlotObject& s : slots) {
    bool might = !s.slot || s.slot->info.kind == secret.kind;
    if (s.problem && might) {
      throw Error(s.problem->code(), "cannot open repository " + store.location() + ": " + problem_text(s))
          .safe("nothing was changed")
          .hint("try another way in ('holdfast key list' shows them) or a copy of the repository");
    }
  }
  if (slots.empty()) {
    throw Error(Code::damaged, "cannot open repository " + store.location() + ": all its key slots are gone")
        .safe("nothing was changed")
        .hint("use a copy of the repository");
  }
  bool typed = secret.kind == SlotKind::password && looks_like_recovery_key(as_text(secret.bytes.view()));
  if (typed) parse_recovery_key(as_text(secret.bytes.view()));   // throws and names the line with the typing mistake
  std::string_view why = secret.kind == SlotKind::machine_key ? "this machine's key is not a way in" : "wrong password or recovery key";
  throw Error(Code::wrong_key, "cannot open repository " + store.location() + ": " + std::string(why))
      .safe("nothing was changed")
      .hint("'holdfast key list' needs no password and shows which ways in exist. With none of them left, nobody can open it:\n"
            "look for a machine key, an exported backup file, the vendor's own backup file, the database administrator's backup");
}

}  // namespace

std::vector<SlotInfo> list_slots(store::ObjectStore& store, const RepositoryId& repository, const crypto::Secret* root_key) {
  std::vector<SlotInfo> infos;
  for (SlotObject& s : read_slots(store, repository)) {
    SlotInfo info = s.slot ? s.slot->info : SlotInfo{};
    info.object = s.name;
    if (s.problem) info.damage = problem_text(s);
    if (s.slot && root_key != nullptr) {
      info.label = open_label(*s.slot, *root_key);
      if (!info.label && !info.damage) info.damage = "key slot " + s.name + " is damaged: its label is not authentic";
    }
    infos.push_back(std::move(info));
  }
  std::stable_sort(infos.begin(), infos.end(), [](const SlotInfo& a, const SlotInfo& b) { return a.created < b.created; });
  return infos;
}

OpenedSlot open_root_key(store::ObjectStore& store, const RepositoryId& repository, const SlotSecret& secret) {
  std::vector<SlotObject> slots = read_slots(store, repository);
  std::vector<SlotSecret> ways = readings(secret);
  for (const SlotSecret& way : ways) {
    for (SlotObject& s : slots) {
      if (!s.slot || s.problem || s.slot->info.kind != way.kind) continue;
      try {
        if (auto root = try_slot(*s.slot, way)) return {std::move(*root), s.slot->info.id};
      } catch (const Error& error) {
        if (error.code() != Code::damaged) throw;
        s.problem = error;
      }
    }
  }
  throw_nothing_opens(store, secret, slots);
}

SlotInfo add_slot(store::ObjectStore& store, const RepositoryId& repository, const crypto::Secret& root_key,
                  const SlotSecret& secret, const std::string& label, crypto::Argon2Cost cost, Timestamp created,
                  platform::Entropy& entropy) {
  if (secret.kind != SlotKind::password) cost = {0, 0};
  auto salt = entropy.random<Salt>();
  crypto::Secret key = slot_key(secret, salt, cost);
  SlotInfo info;
  info.id = entropy.random<SlotId>();
  info.kind = secret.kind;
  info.created = {created.seconds, 0};
  info.label = label;

  Writer extra;
  extra.raw(info.id.view()).u8(static_cast<std::uint8_t>(secret.kind)).u8(kAllRights).u16(0).i64(info.created.seconds);
  extra.u32(cost.memory_kib).u32(cost.passes).raw(salt.view()).raw(commitment_of(key).view());
  Bytes object = encode_header({.type = ObjectType::slot, .repository = repository, .writer = {}, .extra = extra.take()});

  Bytes wrapped(kWrappedRootKey);
  crypto::Aead(key.view().first(32)).seal(crypto::counter_nonce(0), object, root_key.view(), wrapped);
  crypto::Nonce nonce;
  entropy.fill(nonce);
  Bytes sealed_label(label.size() + crypto::kAeadTagSize);
  crypto::Aead(label_key(root_key).view()).seal(nonce, info.id.view(), as_bytes(label), sealed_label);
  object.insert(object.end(), wrapped.begin(), wrapped.end());
  object.insert(object.end(), nonce.begin(), nonce.end());
  object.insert(object.end(), sealed_label.begin(), sealed_label.end());
  if (object.size() > object_limit(ObjectType::slot)) {
    throw Error(Code::usage, "cannot add a key slot: its label of " + human_bytes(label.size()) + " is too long");
  }
  info.object = object_name(ObjectType::slot, crypto::sha256(object));
  check_made(object, repository, key, root_key, label);
  store.put(info.object, object);
  return info;
}

}  // namespace holdfast::repository
