// The cryptography and compression of suite 1, each as one function over public libraries (libcrypto,
// libsodium, libzstd, BLAKE3).
#pragma once

#include "bytes.h"

namespace compat {

Bytes sha256(View data);

/// HKDF-SHA-256 with an empty salt.
Bytes hkdf(View secret, View info, std::size_t size = 32);

/// AES-256-GCM: ciphertext and 16 bytes of tag to plaintext. Nothing when the tag does not fit.
std::optional<Bytes> aes_open(View key, View nonce, View associated, View sealed);

/// Argon2id with one lane, 64 bytes out.
Bytes argon2id(View password, View salt, std::uint64_t memory_kib, std::uint64_t passes);

Bytes blake3_keyed(View key, View data);

struct KeyPair {
  Bytes open, secret;
};
KeyPair x25519_pair(View seed);
/// Opens a crypto_box_seal box.
std::optional<Bytes> box_open(const KeyPair& keys, View box);

bool ed25519_fits(View verify_key, View message, View signature);

/// One zstd frame, which must decompress to exactly `size` bytes. `prefix`: the bytes before it (codec 2).
Bytes unzstd(View frame, std::uint64_t size, View prefix, const std::string& what);

}  // namespace compat
