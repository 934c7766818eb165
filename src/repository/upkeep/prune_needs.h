// What points need, as their inventories tell it, followed on through the maps: of an object that a map replaces, both the object
// and what stands in its place. One thread.
#pragma once

#include <unordered_set>
#include <vector>

#include "repository/format/map_object.h"
#include "repository/upkeep/prune_list.h"

namespace holdfast::repository {

class PruneNeeds {
 public:
  // All must outlive it.
  PruneNeeds(store::ObjectStore& store, const RepositoryId& repository, const Maps& maps, const PruneList& listed)
      : store_(store), repository_(repository), maps_(maps), listed_(listed), needed_(listed.size()) {}

  // damaged, not_found: what the point needs cannot be known.
  void add_point(const PointId& point);
  // Of listed objects only; false for others.
  bool contains(ObjectType type, const crypto::Sha256& hash) const {
    std::optional<std::size_t> place = listed_.place_of(type, hash);
    return place && needed_[*place];
  }
  bool contains(const NeededObject& object) const { return contains(object.type, object.hash); }

 private:
  bool insert(const NeededObject& object);   // whether it is new
  void add_root(const crypto::Sha256& hash, std::uint64_t size);
  bool add_pages_in_place_of(const NeededObject& page);
  void add(const NeededObject& object);

  store::ObjectStore& store_;
  RepositoryId repository_;
  const Maps& maps_;
  const PruneList& listed_;
  std::vector<bool> needed_;                                // by place in listed_
  std::unordered_set<crypto::Sha256, IdHash> unlisted_;     // followed already
};

}  // namespace holdfast::repository
