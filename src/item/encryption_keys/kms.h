// Encryption keys (KMS) in the sample's public format, and columns encrypted with them. Formats:
// docs/sample.md.
//
// The vendor's own key files are another, unpublished format: parse_kms_key says nullopt for them, and
// nothing here can tell whether they fit a database.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "crypto/secret.h"
#include "platform/file_system.h"
#include "tree/streams.h"

namespace holdfast::item {

struct KmsKeyIdTag;
using KmsKeyId = FixedId<16, KmsKeyIdTag>;

struct KmsKey {
  std::string file;        // file name it came from
  std::string name;        // "NS.WebServiceCredentials"
  KmsKeyId id;
  Timestamp created;
  crypto::Secret key;      // 32 bytes
};

// A key file by its name: *.kms, whatever the case.
bool is_kms_file(std::string_view name);

// nullopt: not the public format. Error(damaged): it is the public format, or was, and something in it is
// wrong; the message names `file` and the line and never holds what the line says.
std::optional<KmsKey> parse_kms_key(ByteView content, const std::string& file);

// What the files of a key folder hold, given as (name, content).
struct KmsKeys {
  std::vector<KmsKey> keys;                 // in the order of the files
  std::vector<std::string> not_provable;    // files of another format
};
// Error(damaged) naming the file when one is damaged: also when it is empty or holds only zeros, when it is
// of another format beside files of the public one, and when two files hold different keys under one id.
KmsKeys parse_kms_keys(const std::vector<std::pair<std::string, Bytes>>& files);

// The keys in a stored item (a folder) and in a live folder: its *.kms files, in name order. Files of another
// format give no key. not_found when the folder is not there.
std::vector<KmsKey> load_keys(const tree::NodePtr& stored);
std::vector<KmsKey> load_keys(platform::FileSystem& files, const platform::Path& folder);

// Does an encrypted column open with one of the keys? The plaintext is wiped and goes nowhere.
enum class Opens {
  yes,
  no_key,   // none of the keys has the id that the column names
  wrong,    // malformed, or the key of that id does not open it
};
Opens opens(const std::vector<KmsKey>& keys, ByteView column, std::string_view associated);

}  // namespace holdfast::item
