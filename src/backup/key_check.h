// The most valuable check of all: do these encryption keys open every encrypted column of this database?
#pragma once

#include <string>
#include <vector>

#include "item/database/database.h"
#include "item/encryption_keys/kms.h"
#include "system/system.h"

namespace holdfast::backup {

// `rows`: what the profile's key check selects: associated data, ciphertext as hex. Passed when every row opens. A database without
// a single encrypted value passes and says so.
item::CheckResult check_columns(const std::string& name, const std::vector<item::KmsKey>& keys,
                                const std::vector<std::vector<std::string>>& rows);

struct KeyFit {
  std::string keys_item, database_item;
  item::CheckResult result;
  bool compared = true;   // false: keys or database could not be read, so nothing is known; result.passed is false
};

// The profile's key checks against the server as it is now. Keys that are all of a vendor's unpublished format give no result:
// their fit cannot be proven here, and their capture says so (finding keys_not_provable).
std::vector<KeyFit> check_keys_live(const system::System& system, const item::AdapterSet& adapters, platform::World& world);

}  // namespace holdfast::backup
