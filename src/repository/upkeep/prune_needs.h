// What points need, as their inventories tell it, followed on through the maps: of an object that a map replaces, both the object
// and what stands in its place. One thread.
#pragma once

#include <unordered_set>

#include "repository/format/map_object.h"

namespace holdfast::repository {

class PruneNeeds {
 public:
  // Both must outlive it.
  PruneNeeds(store::ObjectStore& store, const RepositoryId& repository, const Maps& maps)
      : store_(store), repository_(repository), maps_(maps) {}

  // damaged, not_found: what the point needs cannot be known.
  void add_point(const PointId& point);
  bool contains(const crypto::Sha256& object) const { return objects_.contains(object); }

 private:
  void add_root(const crypto::Sha256& hash, std::uint64_t size);
  bool add_pages_in_place_of(const NeededObject& page);
  void add(const NeededObject& object);

  store::ObjectStore& store_;
  RepositoryId repository_;
  const Maps& maps_;
  std::unordered_set<crypto::Sha256, IdHash> objects_;
};

}  // namespace holdfast::repository
