// What a prune may delete, as the store lists it: points, maps, inventory pages, index segments and packs. In the order of
// deletion: what tells that others are needed goes before them.
#pragma once

#include <optional>
#include <utility>

#include "base/time.h"
#include "repository/data/large_list.h"
#include "repository/format/inventory.h"

namespace holdfast::repository {

inline bool goes_before(const NeededObject& a, const NeededObject& b) {
  auto rank = [](ObjectType type) {
    switch (type) {
      case ObjectType::point: return 0;
      case ObjectType::map: return 1;
      case ObjectType::inventory: return 2;
      case ObjectType::index: return 3;
      default: return 4;
    }
  };
  return std::pair(rank(a.type), a) < std::pair(rank(b.type), b);
}

class PruneList {
 public:
  struct Listed {
    NeededObject object;
    Timestamp modified;
    std::string name() const { return object_name(object.type, object.hash); }
  };

  // In any order; sort() when all are there, and before anything else is asked.
  void add(const Listed& listed) { list_.push_back(listed); }
  void sort() {
    std::sort(list_.begin(), list_.end(), [](const Listed& a, const Listed& b) { return goes_before(a.object, b.object); });
  }

  std::size_t size() const { return list_.size(); }
  const Listed* begin() const { return list_.begin(); }
  const Listed* end() const { return list_.end(); }
  // Whatever its size.
  std::optional<std::size_t> place_of(ObjectType type, const crypto::Sha256& hash) const {
    auto below = [](const Listed& listed, const NeededObject& wanted) { return goes_before(listed.object, wanted); };
    auto it = std::lower_bound(begin(), end(), NeededObject{type, hash, 0}, below);
    if (it == end() || it->object.type != type || it->object.hash != hash) return std::nullopt;
    return static_cast<std::size_t>(it - begin());
  }
  bool contains(ObjectType type, const crypto::Sha256& hash) const { return place_of(type, hash).has_value(); }

 private:
  LargeList<Listed> list_;
};

}  // namespace holdfast::repository
