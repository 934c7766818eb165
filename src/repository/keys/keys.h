// Ways into a repository: passwords, the printed recovery key, machine keys. docs/repository-format.md "Slot", docs/security.md.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"
#include "crypto/keys.h"

namespace holdfast::repository {

struct SlotIdTag; using SlotId = FixedId<16, SlotIdTag>;
enum class SlotKind : std::uint8_t { password = 1, recovery_key = 2, machine_key = 3 };
std::string_view to_text(SlotKind kind);

// A secret a person or machine gives. Made by the functions below.
struct SlotSecret {
  SlotKind kind{};
  crypto::Secret bytes;
};

// Applies the rules of the format: up to the first LF, CR before it dropped, NFC if UTF-8. Empty or over 1 MiB: Error(wrong_key).
SlotSecret password_secret(ByteView typed);

struct RecoveryKey {
  crypto::Secret bytes;             // 32
  // Eight lines "1: XXXX-XXXX-XX", Crockford base32, the last two characters of a line check that line.
  std::string text() const;
  RecoveryKey clone() const { return {bytes.clone()}; }
};
// Accepts what text() prints, with or without line numbers, dashes and case. Error(wrong_key) names the line with the typing mistake.
RecoveryKey parse_recovery_key(std::string_view text);
SlotSecret recovery_secret(const RecoveryKey& key);
// True when the typed password has the shape of a recovery key, so that one prompt takes both.
bool looks_like_recovery_key(std::string_view text);

// Contents of a machine key file: "holdfast-machine-key-1\n" and 64 hex digits. Error(damaged).
SlotSecret parse_machine_key(ByteView file);
std::string machine_key_file(ByteView key32);

struct SlotInfo {
  SlotId id;
  SlotKind kind{};
  Timestamp created;
  std::optional<std::string> label;   // only with a key
  std::string object;                 // name in the store
  bool opened_with = false;           // the slot that the given secret opened
  std::optional<std::string> damage;  // why this slot cannot be used
};

}  // namespace holdfast::repository
