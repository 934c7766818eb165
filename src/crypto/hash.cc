#include "crypto/hash.h"

#include <blake3.h>
#include <openssl/core_names.h>

#include "crypto/openssl.h"

namespace holdfast::crypto {
namespace {

using DigestContext = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;

// Looked up once: the look-up costs more than hashing a small object.
const EVP_MD* sha256_method() {
  static EVP_MD* const method = (start_openssl(), EVP_MD_fetch(nullptr, "SHA256", nullptr));
  must(method != nullptr, "find SHA-256");
  return method;
}

DigestContext new_sha256() {
  DigestContext context(EVP_MD_CTX_new());
  must(context && EVP_DigestInit_ex(context.get(), sha256_method(), nullptr) == 1, "start SHA-256");
  return context;
}

Sha256 finish(EVP_MD_CTX* context) {
  Sha256 digest;
  must(EVP_DigestFinal_ex(context, digest.bytes.data(), nullptr) == 1, "finish SHA-256");
  return digest;
}

}  // namespace

Sha256 sha256(ByteView bytes) {
  const DigestContext context = new_sha256();
  must(EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1, "compute SHA-256");
  return finish(context.get());
}

struct Sha256Stream::State {
  DigestContext context = new_sha256();
};

Sha256Stream::Sha256Stream() : state_(std::make_unique<State>()) {}
Sha256Stream::~Sha256Stream() = default;

void Sha256Stream::update(ByteView bytes) {
  must(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) == 1, "compute SHA-256");
}

Sha256 Sha256Stream::digest_so_far() const {
  const DigestContext copy(EVP_MD_CTX_new());
  must(copy && EVP_MD_CTX_copy_ex(copy.get(), state_->context.get()) == 1, "copy the state of SHA-256");
  return finish(copy.get());
}

void keyed_hash(ByteView key, ByteView bytes, MutableBytes out) {
  if (key.size() != BLAKE3_KEY_LEN || out.size() != BLAKE3_OUT_LEN)
    throw Error(Code::defect, "cannot compute a keyed BLAKE3: key and result are 32 bytes each");
  blake3_hasher hasher;
  blake3_hasher_init_keyed(&hasher, key.data());
  blake3_hasher_update(&hasher, bytes.data(), bytes.size());
  blake3_hasher_finalize(&hasher, out.data(), out.size());
}

Secret derive(ByteView key, std::string_view info, std::size_t size) {
  static EVP_KDF* const method = (start_openssl(), EVP_KDF_fetch(nullptr, OSSL_KDF_NAME_HKDF, nullptr));
  must(method != nullptr, "find HKDF");
  const Owned<EVP_KDF_CTX, EVP_KDF_CTX_free> context(EVP_KDF_CTX_new(method));
  char digest[] = "SHA256";
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, const_cast<std::uint8_t*>(key.data()),
                                        key.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, const_cast<char*>(info.data()), info.size()),
      OSSL_PARAM_construct_end()};
  Secret out(size);
  must(context && EVP_KDF_derive(context.get(), out.bytes().data(), size, parameters) == 1, "derive a key");
  return out;
}

}  // namespace holdfast::crypto
