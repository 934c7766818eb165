// The inventory of a point: the plain, unencrypted list of the objects that it needs, so that anyone can tell whether they
// exist and are right. docs/repository-format.md "Inventory". Cut by content, so that consecutive points share pages.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "repository/format/envelope.h"
#include "store/object_store.h"

namespace holdfast::repository {

struct NeededObject {
  ObjectType type{};
  crypto::Sha256 hash;
  std::uint64_t size = 0;
  auto operator<=>(const NeededObject&) const = default;
};

// A source of needed objects: calls `visit` for each, ascending and without doubles, the same at every call. So that nobody has
// to hold all of them: a large point needs millions.
using NeededObjects = std::function<void(const std::function<void(const NeededObject&)>& visit)>;

struct InventoryRoot {
  crypto::Sha256 hash;
  std::uint64_t size = 0;
};

// Pages of existing points, which a new inventory may name instead of storing the same entries again.
class KnownPages {
 public:
  // Takes the pages of an inventory that `usable` holds for. One that cannot be read is left out.
  void take(store::ObjectStore& store, const RepositoryId& repository, const InventoryRoot& root,
            const std::function<bool(const NeededObject&)>& usable);
  std::optional<NeededObject> find(std::uint8_t level, std::span<const NeededObject> entries) const;

 private:
  std::map<crypto::Sha256, NeededObject> pages_;   // by what they say
};

// Puts the pages that are not among `known`, each with a salt of its own, so that no name ever comes back. `objects`: packs and
// index segments only; visited once, a page at a time; defect when they are out of order. `pages`: told every page that the
// inventory consists of.
InventoryRoot put_inventory(store::ObjectStore& store, const RepositoryId& repository, const NeededObjects& objects,
                            platform::Entropy& entropy, const KnownPages& known = {}, std::vector<NeededObject>* pages = nullptr);

// Reads an inventory that anyone may have tampered with: every page is checked against its name, its size, and the order.
// Calls `page` for each page below the root and, unless it returns false, `object` for each object in it. damaged, not_found.
void read_inventory(store::ObjectStore& store, const RepositoryId& repository, const InventoryRoot& root,
                    const std::function<bool(const NeededObject&)>& page,
                    const std::function<void(const NeededObject&)>& object);

}  // namespace holdfast::repository
