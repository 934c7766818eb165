// Key derivation from passwords, sealing to a public key, signatures (libsodium).
#pragma once

#include "base/bytes.h"
#include "crypto/secret.h"

namespace holdfast::crypto {

// Argon2id, one lane. `memory_kib` and `passes` come from a key slot and are hostile: outside 8 KiB..1 GiB and 1..10
// throws Error(unsupported) before anything is allocated. Takes about 0.5 s at 128 MiB, 3 passes.
struct Argon2Cost { std::uint32_t memory_kib = 128 * 1024; std::uint32_t passes = 3; };
Secret argon2id(ByteView password, ByteView salt16, Argon2Cost cost, std::size_t size = 32);

// X25519 sealed boxes (crypto_box_seal): anyone with the public key can seal, only the secret key opens.
struct SealPublicTag;
using SealPublicKey = FixedId<32, SealPublicTag>;
struct SealKeyPair { SealPublicKey public_key; Secret secret_key; };
inline constexpr std::size_t kSealOverhead = 48;
SealKeyPair seal_key_pair(ByteView seed32);
Bytes seal(const SealPublicKey& to, ByteView plain);                  // plain.size() + kSealOverhead bytes
// Empty Secret: it does not open with this key.
Secret open_sealed(const SealKeyPair& key, ByteView sealed);

// Ed25519.
struct VerifyKeyTag;
using VerifyKey = FixedId<32, VerifyKeyTag>;
struct SignatureTag;
using Signature = FixedId<64, SignatureTag>;
struct SigningKey { VerifyKey verify_key; Secret secret; };           // secret: 32-byte seed
SigningKey signing_key(ByteView seed32);
Signature sign(const SigningKey& key, ByteView message);
[[nodiscard]] bool verify(const VerifyKey& key, ByteView message, const Signature& signature);

// Starts libsodium; called by every function here that needs it, and harmless to repeat. Throws Error(defect).
void initialize();

}  // namespace holdfast::crypto
