#include "repository/upkeep/prune_needs.h"

#include "repository/format/point_object.h"

namespace holdfast::repository {

bool PruneNeeds::insert(const NeededObject& object) {
  std::optional<std::size_t> place = listed_.place_of(object.type, object.hash);
  if (!place) return unlisted_.insert(object.hash).second;
  bool known = needed_[*place];
  needed_[*place] = true;
  return !known;
}

void PruneNeeds::add_point(const PointId& point) {
  if (!insert({ObjectType::point, point, 0})) return;
  Bytes object = store_.get(object_name(ObjectType::point, point), object_limit(ObjectType::point));
  InventoryRoot root = read_point_envelope(object, repository_, point).inventory;
  add_root(root.hash, root.size);
}

void PruneNeeds::add_root(const crypto::Sha256& hash, std::uint64_t size) {
  NeededObject root{ObjectType::inventory, hash, size};
  if (!insert(root) || add_pages_in_place_of(root)) return;
  read_inventory(
      store_, repository_, {hash, size},
      [&](const NeededObject& page) { return insert(page) && !add_pages_in_place_of(page); },
      [&](const NeededObject& object) { add(object); });
}

bool PruneNeeds::add_pages_in_place_of(const NeededObject& page) {
  const std::vector<Maps::Entry>* entries = maps_.of(page);
  if (entries == nullptr) return false;
  for (const Maps::Entry& entry : *entries) {
    insert(entry.map);
    for (const NeededObject& root : entry.by) add_root(root.hash, root.size);
  }
  return true;
}

void PruneNeeds::add(const NeededObject& object) {
  const std::vector<Maps::Entry>* entries = maps_.of(object);
  if (entries == nullptr && !listed_.contains(object.type, object.hash)) return;   // nothing follows from it
  if (!insert(object) || entries == nullptr) return;
  for (const Maps::Entry& entry : *entries) {
    insert(entry.map);
    for (const NeededObject& by : entry.by) add(by);
  }
}

}  // namespace holdfast::repository
