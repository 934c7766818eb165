// What can only be seen with several items together: do they belong to one server and one moment? Looks at facts, reads nothing.
#pragma once

#include <vector>

#include "base/finding.h"
#include "repository/point.h"
#include "system/system.h"

namespace holdfast::backup {

// `package_stale`: the captured installation package does not install exactly what is installed. Nothing without a card's products,
// without a captured package, or when it could not be understood (its capture says so).
Findings check_package(const system::IdentityCard& installed, const std::vector<repository::StoredItem>& items);

// `agent_ca_mismatch`: the registry tells agents to trust a certificate that is none of the captured ones (items of kind
// `certificate`). Nothing when either is not among the items.
Findings check_agent_authority(const std::vector<repository::StoredItem>& items);

}  // namespace holdfast::backup
