// A password as it is kept to recognise it again: Argon2id with its cost and salt, in the text form of libsodium's crypto_pwhash_str.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/keys.h"
#include "crypto/secret.h"

namespace holdfast::crypto {

struct PasswordHash {
  Argon2Cost cost;
  std::array<std::uint8_t, 16> salt{};
  std::array<std::uint8_t, 32> hash{};

  // "$argon2id$v=19$m=65536,t=3,p=1$<salt>$<hash>", at most 128 characters.
  std::string text() const;
  // The cost is hostile and is checked by argon2id() alone. Error(damaged): `text` is something else.
  static PasswordHash parse(std::string_view text);
};

}  // namespace holdfast::crypto
