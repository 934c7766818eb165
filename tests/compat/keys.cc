#include "keys.h"

#include <algorithm>

namespace compat {

namespace {

constexpr std::uint64_t MiB = 1024 * 1024;

/// Crockford's base 32, or -1.
int symbol(char c) {
  static const std::string digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  if (c == 'I' || c == 'L') c = '1';
  if (c == 'O') c = '0';
  const auto at = digits.find(c);
  return at == std::string::npos ? -1 : static_cast<int>(at);
}

/// Eight lines "1: XXXX-XXXX-CC": 32 bytes and their 8 bytes of check. Nothing when it is not a recovery key.
std::optional<Bytes> recovery_secret(const Bytes& text) {
  std::vector<int> symbols;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool line_number = i + 1 < text.size() && text[i + 1] == ':';
    if (line_number || std::string(":- \r\n\t").find(text[i]) != std::string::npos) continue;
    symbols.push_back(symbol(text[i]));
  }
  if (symbols.size() != 80 || std::ranges::count(symbols, -1) != 0) return std::nullopt;
  Bytes bytes;
  for (std::size_t line = 0; line < 8; ++line) {
    const int* s = &symbols[line * 10];
    std::uint64_t bits = 0, sum = line + 1, power = 1;
    for (int i = 0; i < 8; ++i) {
      bits = bits << 5 | static_cast<std::uint64_t>(s[i]);
      power = power * 37 % 1021;
      sum += static_cast<std::uint64_t>(s[i]) * power;
    }
    if (sum % 1021 != static_cast<std::uint64_t>(s[8] * 32 + s[9])) return std::nullopt;
    for (int i = 4; i >= 0; --i) bytes += static_cast<char>(bits >> (8 * i));
  }
  const Bytes secret = bytes.substr(0, 32);
  if (hkdf(secret, "holdfast v1 recovery key check", 8) != bytes.substr(32)) return std::nullopt;
  return secret;
}

/// "holdfast-machine-key-1", a line end, 64 hex digits and a line end.
std::optional<Bytes> machine_secret(const Bytes& text) {
  const std::string head = "holdfast-machine-key-1\n";
  if (!text.starts_with(head)) return std::nullopt;
  require(text.size() == head.size() + 65 && text.back() == '\n', "the machine key is damaged");
  Bytes secret;
  for (std::size_t i = head.size(); i + 1 < text.size(); i += 2)
    secret += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
  return secret;
}

/// The bytes of a password: up to the first LF, without a CR before it. NFC needs tables that this reader
/// does without: ASCII is its own NFC, so anything else is refused rather than tried wrongly.
Bytes password_bytes(const Bytes& text) {
  Bytes password = text.substr(0, text.find('\n'));
  if (password.ends_with('\r')) password.pop_back();
  require(!password.empty() && password.size() <= MiB, "the password is empty or too long");
  for (const char c : password)
    require(static_cast<unsigned char>(c) < 0x80, "this reader takes ASCII passwords only");
  return password;
}

struct Secrets {
  std::optional<Bytes> password, recovery_key, machine_key;
};

/// The root key, when this slot opens with one of the secrets.
std::optional<Bytes> open_slot(const Object& slot, const Secrets& secrets) {
  Cursor in(slot.of_type, slot.name);
  in.take(16);  // slot id
  const std::uint8_t kind = in.u8();
  in.u8();   // rights
  in.u16();  // 0
  in.u64();  // created
  const std::uint64_t memory_kib = in.u32(), passes = in.u32();
  const View salt = in.take(16), commitment = in.take(32);
  const auto& secret = kind == 1 ? secrets.password : kind == 2 ? secrets.recovery_key : secrets.machine_key;
  require(kind >= 1 && kind <= 3, slot.name + " is of an unknown kind");
  if (!secret) return std::nullopt;
  Bytes w;
  if (kind == 1) {
    require(memory_kib >= 8 && memory_kib <= 1024 * 1024 && passes >= 1 && passes <= 10,
            slot.name + " asks for too much");
    w = argon2id(*secret, salt, memory_kib, passes);
  } else {
    w = hkdf(*secret + Bytes(salt), "holdfast v1 slot secret", 64);
  }
  if (hkdf(View(w).substr(32), "holdfast v1 slot commitment") != commitment) return std::nullopt;
  Cursor body(slot.body, slot.name);
  auto root = aes_open(View(w).substr(0, 32), Bytes(12, '\0'), slot.header, body.take(48));
  require(root.has_value(), slot.name + " is damaged");
  return root;
}

Bytes root_key(const std::vector<Object>& slots, const Bytes& secret) {
  Secrets secrets;
  secrets.machine_key = machine_secret(secret);
  secrets.recovery_key = recovery_secret(secret);
  if (!secrets.machine_key && !secrets.recovery_key) secrets.password = password_bytes(secret);
  for (const Object& slot : slots)
    if (const auto root = open_slot(slot, secrets)) return *root;
  throw Refused("no slot opens with this password or key");
}

/// The label tells people whose slot it is; nothing depends on it.
void check_label(const Object& slot, View root) {
  const View id = slot.of_type.substr(0, 16), label = slot.body.substr(48);
  require(label.size() >= 12 &&
              aes_open(hkdf(root, "holdfast v1 slot label"), label.substr(0, 12), id, label.substr(12)),
          slot.name + ": its label is damaged");
}

void read_entry(Keys& keys, const Object& object, const Bytes& keyring_key, const Object& repository) {
  const Bytes body = open_sealed_body(keyring_key, object, object.body, 1 * MiB);
  const Fields fields(body, object.name);
  const std::uint64_t kind = fields.number(1);
  if (kind == 1) {
    require(fields.one(5, 32) == repository.hash, object.name + " belongs to another repository object");
    const View secret = fields.one(3, 32);
    // Entries are read in the order of their names: of two with one number the first counts.
    keys.epochs.try_emplace(
        static_cast<std::uint32_t>(fields.number(2)),
        Epoch{x25519_pair(hkdf(secret, "holdfast v1 seal")), hkdf(secret, "holdfast v1 meta"),
              hkdf(secret, "holdfast v1 chunk id data"), hkdf(secret, "holdfast v1 chunk id tree")});
  } else if (kind == 2) {
    const Bytes id(fields.one(16, 16)), key(fields.one(17, 32));
    require(sha256(key).substr(0, 16) == id, object.name + " gives a writer a key that is not its own");
    keys.writers[id] = key;
  } else {
    throw Refused(object.name + " is of an unknown kind");
  }
}

}  // namespace

const Epoch& Keys::epoch(std::uint32_t number, const std::string& what) const {
  const auto found = epochs.find(number);
  require(found != epochs.end(), what + " is of an epoch that the keyring does not hold");
  return found->second;
}

void Keys::check_repository(const Object& object) const {
  require(object.repository == repository_id, object.name + " belongs to another repository");
}

void Keys::check_signature(const Object& object) const {
  check_repository(object);
  const auto writer = writers.find(Bytes(object.writer));
  require(writer != writers.end(), object.name + " is of a writer that the keyring does not hold");
  require(ed25519_fits(writer->second, "holdfast v1 object" + sha256(object.signed_part), object.signature),
          object.name + ": its signature is wrong");
}

Bytes Keys::open_body(const Object& object, std::uint64_t limit) const {
  check_signature(object);
  return open_sealed_body(epoch(object.epoch, object.name).meta_key, object, object.body, limit);
}

Keys open_keys(const Store& store, const Bytes& secret) {
  const auto repositories = store.list("repository");
  require(repositories.size() == 1, "there is not exactly one repository object");
  const Object repository = store.get(repositories[0]);
  Keys keys;
  keys.repository_id = repository.repository;

  std::vector<Object> slots;
  for (const auto& name : store.list("slot")) {
    slots.push_back(store.get(name));
    keys.check_repository(slots.back());
  }
  const Bytes root = root_key(slots, secret);
  for (const auto& slot : slots) check_label(slot, root);
  const Bytes keyring_key = hkdf(root, "holdfast v1 keyring");
  for (const auto& name : store.list("keyring")) {
    const Object entry = store.get(name);
    keys.check_repository(entry);
    read_entry(keys, entry, keyring_key, repository);
  }
  require(!keys.epochs.empty(), "the keyring holds no epoch");
  return keys;
}

}  // namespace compat
