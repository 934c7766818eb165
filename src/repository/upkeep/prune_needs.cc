#include "repository/upkeep/prune_needs.h"

#include "repository/format/point_object.h"

namespace holdfast::repository {

void PruneNeeds::add_point(const PointId& point) {
  if (!objects_.insert(point).second) return;
  Bytes object = store_.get(object_name(ObjectType::point, point), object_limit(ObjectType::point));
  InventoryRoot root = read_point_envelope(object, repository_, point).inventory;
  add_root(root.hash, root.size);
}

void PruneNeeds::add_root(const crypto::Sha256& hash, std::uint64_t size) {
  if (!objects_.insert(hash).second || add_pages_in_place_of({ObjectType::inventory, hash, size})) return;
  read_inventory(
      store_, repository_, {hash, size},
      [&](const NeededObject& page) { return objects_.insert(page.hash).second && !add_pages_in_place_of(page); },
      [&](const NeededObject& object) { add(object); });
}

bool PruneNeeds::add_pages_in_place_of(const NeededObject& page) {
  const std::vector<Maps::Entry>* entries = maps_.of(page);
  if (entries == nullptr) return false;
  for (const Maps::Entry& entry : *entries) {
    objects_.insert(entry.map.hash);
    for (const NeededObject& root : entry.by) add_root(root.hash, root.size);
  }
  return true;
}

void PruneNeeds::add(const NeededObject& object) {
  if (!objects_.insert(object.hash).second) return;
  const std::vector<Maps::Entry>* entries = maps_.of(object);
  if (entries == nullptr) return;
  for (const Maps::Entry& entry : *entries) {
    objects_.insert(entry.map.hash);
    for (const NeededObject& by : entry.by) add(by);
  }
}

}  // namespace holdfast::repository
