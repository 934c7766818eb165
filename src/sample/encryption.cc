#include "sample/encryption.h"

#include "base/wire.h"
#include "crypto/aead.h"
#include "crypto/hash.h"

namespace holdfast::sample {

namespace {

KmsKey make_key(std::string name, platform::Entropy& entropy) {
  KmsKey key{std::move(name), {}, crypto::Secret(crypto::kAeadKeySize)};
  entropy.fill(key.id);
  entropy.fill(key.key.bytes());
  return key;
}

}  // namespace

std::string KmsKey::file_text() const {
  return "HOLDFAST SAMPLE KMS KEY 1\nname: " + name + "\nid: " + to_hex(id) +
         "\ncreated: 2026-01-05T08:00:00Z\nkey: " + to_hex(key.view()) +
         "\ncheck: " + crypto::sha256(key.view()).hex().substr(0, 16) + "\n";
}

KmsKeys make_kms_keys(platform::Entropy& entropy) {
  return {make_key("NS.HierarchyCredentials", entropy), make_key("NS.RunAsAccounts", entropy),
          make_key("NS.WebServiceCredentials", entropy)};
}

Bytes encrypt_column(const KmsKey& key, std::string_view column, std::string_view guid,
                     std::string_view plain, platform::Entropy& entropy) {
  // A random nonce: a key encrypts some dozen rows here, far below the 2^32 that random 96-bit nonces allow.
  crypto::Nonce nonce;
  entropy.fill(nonce);
  Bytes out = Writer().u8(1).raw(key.id).raw(nonce).take();
  const std::size_t head = out.size();
  out.resize(head + plain.size() + crypto::kAeadTagSize);
  const std::string associated = std::string(column) + ":" + std::string(guid);
  crypto::Aead(key.key.view())
      .seal(nonce, as_bytes(associated), as_bytes(plain), MutableBytes(out).subspan(head));
  return out;
}

std::string make_password(platform::Entropy& entropy, std::size_t length) {
  static constexpr std::string_view letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
  std::string text;
  while (text.size() < length) {
    std::uint8_t byte = 0;
    entropy.fill({&byte, 1});
    const std::size_t whole = 256 / letters.size() * letters.size();  // no letter is more likely than another
    if (byte < whole) text += letters[byte % letters.size()];
  }
  return text;
}

}  // namespace holdfast::sample
