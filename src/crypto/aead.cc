#include "crypto/aead.h"

#include <algorithm>

#include "crypto/openssl.h"

namespace holdfast::crypto {
namespace {

using CipherContext = Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;

const EVP_CIPHER* method() {
  static EVP_CIPHER* const cipher = (start_openssl(), EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr));
  must(cipher != nullptr, "find AES-256-GCM");
  return cipher;
}

// A context that knows its key; each message then sets only its nonce.
CipherContext keyed(const std::uint8_t* key, bool encrypting) {
  CipherContext context(EVP_CIPHER_CTX_new());
  must(context && EVP_CipherInit_ex(context.get(), method(), nullptr, key, nullptr, encrypting) == 1,
       "set an AES-256-GCM key");
  return context;
}

// OpenSSL counts in int; out == nullptr means associated data.
void update(EVP_CIPHER_CTX* context, std::uint8_t* out, ByteView in) {
  constexpr std::size_t kMost = std::size_t{1} << 30;
  while (!in.empty()) {
    const ByteView part = in.first(std::min(in.size(), kMost));
    int written = 0;
    must(EVP_CipherUpdate(context, out, &written, part.data(), static_cast<int>(part.size())) == 1,
         "run AES-256-GCM");
    if (out != nullptr) out += part.size();
    in = in.subspan(part.size());
  }
}

}  // namespace

Nonce counter_nonce(std::uint64_t counter) {
  Nonce nonce{};
  for (std::size_t i = 0; i < 8; ++i) nonce[i] = static_cast<std::uint8_t>(counter >> (8 * i));
  return nonce;
}

struct Aead::State {
  CipherContext seal, open;
};

Aead::Aead(ByteView key) : state_(std::make_unique<State>()) {
  if (key.size() != kAeadKeySize)
    throw Error(Code::defect, "cannot use an AES-256 key that is not 32 bytes long");
  state_->seal = keyed(key.data(), true);
  state_->open = keyed(key.data(), false);
}

Aead::~Aead() = default;  // OpenSSL wipes its key schedules

void Aead::seal(const Nonce& nonce, ByteView associated, ByteView plain, MutableBytes out) {
  if (out.size() != plain.size() + kAeadTagSize)
    throw Error(Code::defect, "cannot seal: wrong size of the result");
  EVP_CIPHER_CTX* context = state_->seal.get();
  must(EVP_CipherInit_ex(context, nullptr, nullptr, nullptr, nonce.data(), -1) == 1, "set a nonce");
  update(context, nullptr, associated);
  update(context, out.data(), plain);
  std::uint8_t* tag = out.data() + plain.size();
  int written = 0;
  must(EVP_CipherFinal_ex(context, tag, &written) == 1 &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kAeadTagSize, tag) == 1,
       "finish AES-256-GCM");
}

bool Aead::open(const Nonce& nonce, ByteView associated, ByteView cipher, MutableBytes out) {
  if (cipher.size() < kAeadTagSize) {
    std::fill(out.begin(), out.end(), std::uint8_t{0});
    return false;
  }
  const ByteView body = cipher.first(cipher.size() - kAeadTagSize);
  if (out.size() != body.size()) throw Error(Code::defect, "cannot open: wrong size of the result");
  std::array<std::uint8_t, kAeadTagSize> tag;
  std::copy_n(cipher.end() - kAeadTagSize, kAeadTagSize, tag.begin());
  EVP_CIPHER_CTX* context = state_->open.get();
  must(EVP_CipherInit_ex(context, nullptr, nullptr, nullptr, nonce.data(), -1) == 1, "set a nonce");
  update(context, nullptr, associated);
  update(context, out.data(), body);
  must(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kAeadTagSize, tag.data()) == 1, "set a tag");
  std::uint8_t none[kAeadTagSize];
  int written = 0;
  if (EVP_CipherFinal_ex(context, none, &written) == 1) return true;
  ERR_clear_error();
  std::fill(out.begin(), out.end(), std::uint8_t{0});
  return false;
}

}  // namespace holdfast::crypto
