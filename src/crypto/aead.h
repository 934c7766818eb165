// AES-256-GCM. A (key, nonce) pair is used once: keys are fresh per pack or per record, nonces are counters.
#pragma once

#include <array>
#include <memory>

#include "base/bytes.h"

namespace holdfast::crypto {

inline constexpr std::size_t kAeadKeySize = 32, kAeadTagSize = 16, kAeadNonceSize = 12;
using Nonce = std::array<std::uint8_t, kAeadNonceSize>;
// Little-endian counter, then four zero bytes.
constexpr Nonce counter_nonce(std::uint64_t counter) {
  Nonce nonce{};
  for (std::size_t i = 0; i < 8; ++i) nonce[i] = static_cast<std::uint8_t>(counter >> (8 * i));
  return nonce;
}

// One key, many messages. Not thread-safe; each thread makes its own.
class Aead {
 public:
  explicit Aead(ByteView key);
  ~Aead();
  Aead(const Aead&) = delete;
  Aead& operator=(const Aead&) = delete;
  // Writes plain.size() + kAeadTagSize bytes to `out` (which must be exactly that long and may not overlap).
  void seal(const Nonce& nonce, ByteView associated, ByteView plain, MutableBytes out);
  // Writes cipher.size() - kAeadTagSize bytes. false: not authentic; `out` is then wiped and must not be used.
  [[nodiscard]] bool open(const Nonce& nonce, ByteView associated, ByteView cipher, MutableBytes out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace holdfast::crypto
