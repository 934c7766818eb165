// Checking objects by name, size, hash and inventory: what needs no key, with a hook for what does.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>

#include "repository/data/large_list.h"
#include "repository/format/inventory.h"
#include "repository/repository.h"

namespace holdfast::repository {

// What is wrong with a pack; nullopt: nothing. Takes the place of the hash where the caller can look deeper. Called by
// several threads.
using PackCheck = std::function<std::optional<std::string>(const NeededObject&)>;

// The points that the logs list, as they are now: a point object that none lists is what a killed backup left.
using ListedPoints = std::function<std::set<PointId>()>;

// The whole store. `pack_check` is used from level bytes on; without it packs are hashed. Without `listed` every point object
// counts as a point. What a prune deletes meanwhile is not damage.
CheckReport check_store(store::ObjectStore& store, const CheckOptions& options, const PackCheck& pack_check, const ListedPoints& listed);

// What one point needs: the inventory and the objects in it. Level bytes and above hash; `packs` gets all packs.
CheckReport check_inventory(store::ObjectStore& store, const RepositoryId& repository, const PointId& point,
                            const InventoryRoot& root, const CheckOptions& options, LargeList<NeededObject>& packs);

}  // namespace holdfast::repository
