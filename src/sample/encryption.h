// The sample's KMS keys and the columns of its database that are encrypted under them: the writing side.
// Formats: docs/sample.md, "Formats". The reading side, which Holdfast uses, is src/item/encryption_keys.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "crypto/secret.h"
#include "platform/entropy.h"

namespace holdfast::sample {

struct KmsKey {
  std::string name;  // "NS.WebServiceCredentials"; the file is <name>.kms
  std::array<std::uint8_t, 16> id{};
  crypto::Secret key;  // 32 bytes
  std::string file_text() const;
};

// One for each table with an encrypted column: hierarchy, run-as, web service, in this order.
struct KmsKeys {
  KmsKey hierarchy, run_as, web_service;
};
KmsKeys make_kms_keys(platform::Entropy& entropy);

// 01 ‖ key id ‖ nonce ‖ ciphertext ‖ tag, bound to "<Table>.<Column>:<Guid of the row>".
Bytes encrypt_column(const KmsKey& key, std::string_view column, std::string_view guid,
                     std::string_view plain, platform::Entropy& entropy);

// Letters and digits, fit for people and for files of one line. About 5.8 bits a character.
std::string make_password(platform::Entropy& entropy, std::size_t length);

}  // namespace holdfast::sample
