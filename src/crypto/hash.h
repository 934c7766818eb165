// SHA-256 (names of objects: anyone can check them with sha256sum) and keyed BLAKE3 (ids of chunks).
#pragma once

#include <memory>

#include "base/bytes.h"
#include "crypto/secret.h"

namespace holdfast::crypto {

struct Sha256Tag;
using Sha256 = FixedId<32, Sha256Tag>;

Sha256 sha256(ByteView bytes);

class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(const Sha256Stream&) = delete;
  Sha256Stream& operator=(const Sha256Stream&) = delete;
  void update(ByteView bytes);
  Sha256 digest_so_far() const;   // of everything given up to now; more may follow

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Keyed BLAKE3, 32 bytes out, key of 32 bytes.
void keyed_hash(ByteView key, ByteView bytes, MutableBytes out);

// HKDF-SHA-256 (RFC 5869) expand+extract with an empty salt; `info` separates uses: "holdfast v1 chunk id data".
Secret derive(ByteView key, std::string_view info, std::size_t size = 32);

}  // namespace holdfast::crypto
