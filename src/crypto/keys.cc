#include "crypto/keys.h"

#include <sodium.h>

#include <string>

#include "base/error.h"

namespace holdfast::crypto {
namespace {

static_assert(kSealOverhead == crypto_box_SEALBYTES);
static_assert(SealPublicKey::kSize == crypto_box_PUBLICKEYBYTES);
static_assert(VerifyKey::kSize == crypto_sign_PUBLICKEYBYTES && Signature::kSize == crypto_sign_BYTES);
constexpr std::size_t kSeedSize = 32;
static_assert(kSeedSize == crypto_box_SEEDBYTES && kSeedSize == crypto_sign_SEEDBYTES);

// docs/repository-format.md "Slot"
constexpr std::uint32_t kLeastMemoryKib = 8, kMostMemoryKib = 1024 * 1024, kLeastPasses = 1, kMostPasses = 10;

void require_seed(ByteView seed) {
  if (seed.size() != kSeedSize) throw Error(Code::defect, "cannot make a key pair: a seed is 32 bytes long");
}

}  // namespace

void initialize() {
  if (sodium_init() < 0) throw Error(Code::defect, "cannot start libsodium");
}

Secret argon2id(ByteView password, ByteView salt16, Argon2Cost cost, std::size_t size) {
  if (cost.memory_kib < kLeastMemoryKib || cost.memory_kib > kMostMemoryKib || cost.passes < kLeastPasses ||
      cost.passes > kMostPasses)
    throw Error(Code::unsupported, "cannot derive a key from the password: Argon2id with " +
                                       std::to_string(cost.memory_kib) + " KiB and " +
                                       std::to_string(cost.passes) +
                                       " passes is outside 8 KiB to 1 GiB and 1 to 10")
        .hint(
            "The key slot is from a newer Holdfast or was tampered with. Use another password or recovery "
            "key.");
  if (salt16.size() != crypto_pwhash_argon2id_SALTBYTES || size < crypto_pwhash_argon2id_BYTES_MIN)
    throw Error(Code::defect, "cannot derive a key from the password: a salt is 16 bytes, a key at least 16");
  initialize();
  Secret out(size);
  // libsodium maps the memory and unmaps it at the end, so it goes back to the system. One lane is all it
  // does.
  if (crypto_pwhash_argon2id(out.bytes().data(), size, reinterpret_cast<const char*>(password.data()),
                             password.size(), salt16.data(), cost.passes, std::size_t{cost.memory_kib} * 1024,
                             crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0)
    throw Error(Code::unavailable, "cannot derive a key from the password: " +
                                       std::to_string(cost.memory_kib) + " KiB of memory are not free")
        .hint("Close other programs and try again, or use the recovery key, which needs no memory.");
  return out;
}

SealKeyPair seal_key_pair(ByteView seed32) {
  require_seed(seed32);
  initialize();
  SealKeyPair pair{{}, Secret(crypto_box_SECRETKEYBYTES)};
  crypto_box_seed_keypair(pair.public_key.bytes.data(), pair.secret_key.bytes().data(), seed32.data());
  return pair;
}

Bytes seal(const SealPublicKey& to, ByteView plain) {
  if (plain.empty())
    throw Error(Code::defect, "cannot seal nothing: an empty secret means that a box does not open");
  initialize();
  Bytes sealed(plain.size() + kSealOverhead);
  if (crypto_box_seal(sealed.data(), plain.data(), plain.size(), to.bytes.data()) != 0)
    throw Error(Code::damaged,
                "cannot seal to the public key " + to.hex() + ": it is not a valid X25519 key");
  return sealed;
}

Secret open_sealed(const SealKeyPair& key, ByteView sealed) {
  if (sealed.size() <= kSealOverhead) return {};
  initialize();
  Secret plain(sealed.size() - kSealOverhead);
  if (crypto_box_seal_open(plain.bytes().data(), sealed.data(), sealed.size(), key.public_key.bytes.data(),
                           key.secret_key.view().data()) != 0)
    return {};
  return plain;
}

SigningKey signing_key(ByteView seed32) {
  require_seed(seed32);
  initialize();
  SigningKey key{{}, Secret::copy_of(seed32)};
  Secret expanded(crypto_sign_SECRETKEYBYTES);
  crypto_sign_seed_keypair(key.verify_key.bytes.data(), expanded.bytes().data(), seed32.data());
  return key;
}

Signature sign(const SigningKey& key, ByteView message) {
  require_seed(key.secret.view());
  initialize();
  VerifyKey computed;
  Secret expanded(crypto_sign_SECRETKEYBYTES);
  crypto_sign_seed_keypair(computed.bytes.data(), expanded.bytes().data(), key.secret.view().data());
  Signature signature;
  crypto_sign_detached(signature.bytes.data(), nullptr, message.data(), message.size(),
                       expanded.view().data());
  return signature;
}

bool verify(const VerifyKey& key, ByteView message, const Signature& signature) {
  initialize();
  return crypto_sign_verify_detached(signature.bytes.data(), message.data(), message.size(),
                                     key.bytes.data()) == 0;
}

}  // namespace holdfast::crypto
