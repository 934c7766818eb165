// The inventory of a point: the plain, unencrypted list of the objects that it needs, so that anyone can tell whether they
// exist and are right. docs/repository-format.md "Inventory". Cut by content, so that consecutive points share pages.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "repository/envelope.h"
#include "store/object_store.h"

namespace holdfast::repository {

struct NeededObject {
  ObjectType type{};
  crypto::Sha256 hash;
  std::uint64_t size = 0;
  auto operator<=>(const NeededObject&) const = default;
};

struct InventoryRoot {
  crypto::Sha256 hash;
  std::uint64_t size = 0;
};

// Puts the pages that are not there yet. Sorts `objects` and drops doubles; packs and index segments only.
InventoryRoot put_inventory(store::ObjectStore& store, const RepositoryId& repository, std::vector<NeededObject> objects);

// Reads an inventory that anyone may have tampered with: every page is checked against its name, its size, and the order.
// Calls `page` for each page below the root and, unless it returns false, `object` for each object in it. damaged, not_found.
void read_inventory(store::ObjectStore& store, const RepositoryId& repository, const InventoryRoot& root,
                    const std::function<bool(const NeededObject&)>& page,
                    const std::function<void(const NeededObject&)>& object);

}  // namespace holdfast::repository
