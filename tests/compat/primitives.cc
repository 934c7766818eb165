#include "primitives.h"

#include <blake3.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <sodium.h>
#include <zstd.h>

#include <memory>

namespace compat {

namespace {

const unsigned char* in(View bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }
unsigned char* out(Bytes& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

Bytes hmac_sha256(View key, View message) {
  Bytes mac(32, '\0');
  require(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), in(message), message.size(), out(mac),
               nullptr),
          "HMAC failed");
  return mac;
}

}  // namespace

Bytes sha256(View data) {
  Bytes digest(32, '\0');
  SHA256(in(data), data.size(), out(digest));
  return digest;
}

Bytes hkdf(View secret, View info, std::size_t size) {
  const Bytes extracted = hmac_sha256(Bytes(32, '\0'), secret);
  Bytes expanded, block;
  for (char counter = 1; expanded.size() < size; ++counter) {
    block = hmac_sha256(extracted, block + Bytes(info) + counter);
    expanded += block;
  }
  return expanded.substr(0, size);
}

std::optional<Bytes> aes_open(View key, View nonce, View associated, View sealed) {
  if (key.size() != 32 || nonce.size() != 12 || sealed.size() < 16) return std::nullopt;
  const View cipher = sealed.substr(0, sealed.size() - 16);
  Bytes tag(sealed.substr(cipher.size()));
  Bytes plain(cipher.size() + 1, '\0');
  int n = 0;
  const std::unique_ptr<EVP_CIPHER_CTX, void (*)(EVP_CIPHER_CTX*)> c(EVP_CIPHER_CTX_new(),
                                                                     EVP_CIPHER_CTX_free);
  const bool fits =
      EVP_DecryptInit_ex(c.get(), EVP_aes_256_gcm(), nullptr, in(key), in(nonce)) == 1 &&
      EVP_CIPHER_CTX_ctrl(c.get(), EVP_CTRL_GCM_SET_TAG, 16, tag.data()) == 1 &&
      EVP_DecryptUpdate(c.get(), nullptr, &n, in(associated), static_cast<int>(associated.size())) == 1 &&
      EVP_DecryptUpdate(c.get(), out(plain), &n, in(cipher), static_cast<int>(cipher.size())) == 1 &&
      EVP_DecryptFinal_ex(c.get(), out(plain) + cipher.size(), &n) == 1;
  if (!fits) return std::nullopt;
  plain.resize(cipher.size());
  return plain;
}

Bytes argon2id(View password, View salt, std::uint64_t memory_kib, std::uint64_t passes) {
  Bytes w(64, '\0');
  require(salt.size() == crypto_pwhash_SALTBYTES &&
              crypto_pwhash(out(w), w.size(), password.data(), password.size(), in(salt), passes,
                            static_cast<std::size_t>(memory_kib * 1024), crypto_pwhash_ALG_ARGON2ID13) == 0,
          "Argon2id failed");
  return w;
}

Bytes blake3_keyed(View key, View data) {
  blake3_hasher hasher;
  blake3_hasher_init_keyed(&hasher, in(key));
  blake3_hasher_update(&hasher, data.data(), data.size());
  Bytes digest(32, '\0');
  blake3_hasher_finalize(&hasher, out(digest), digest.size());
  return digest;
}

KeyPair x25519_pair(View seed) {
  KeyPair pair{Bytes(32, '\0'), Bytes(32, '\0')};
  require(crypto_box_seed_keypair(out(pair.open), out(pair.secret), in(seed)) == 0, "no X25519 key pair");
  return pair;
}

std::optional<Bytes> box_open(const KeyPair& keys, View box) {
  if (box.size() < crypto_box_SEALBYTES) return std::nullopt;
  Bytes plain(box.size() - crypto_box_SEALBYTES, '\0');
  if (crypto_box_seal_open(out(plain), in(box), box.size(), in(keys.open), in(keys.secret)) != 0)
    return std::nullopt;
  return plain;
}

bool ed25519_fits(View verify_key, View message, View signature) {
  return verify_key.size() == 32 && signature.size() == 64 &&
         crypto_sign_verify_detached(in(signature), in(message), message.size(), in(verify_key)) == 0;
}

Bytes unzstd(View frame, std::uint64_t size, View prefix, const std::string& what) {
  const std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
  if (!prefix.empty()) ZSTD_DCtx_refPrefix(context.get(), prefix.data(), prefix.size());
  Bytes plain(size, '\0');
  require(ZSTD_getFrameContentSize(frame.data(), frame.size()) == size &&
              ZSTD_findFrameCompressedSize(frame.data(), frame.size()) == frame.size() &&
              ZSTD_decompressDCtx(context.get(), plain.data(), size, frame.data(), frame.size()) == size,
          what + " does not decompress to what it should");
  return plain;
}

}  // namespace compat
