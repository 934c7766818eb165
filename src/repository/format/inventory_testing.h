// For tests: a few objects as a source, and a source as a list.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "repository/format/inventory.h"

namespace holdfast::repository::testing {

inline NeededObjects in_order(std::vector<NeededObject> objects) {
  std::sort(objects.begin(), objects.end());
  objects.erase(std::unique(objects.begin(), objects.end()), objects.end());
  return [objects = std::move(objects)](const auto& visit) { std::for_each(objects.begin(), objects.end(), visit); };
}

inline std::vector<NeededObject> all_of(const NeededObjects& objects) {
  std::vector<NeededObject> all;
  objects([&](const NeededObject& object) { all.push_back(object); });
  return all;
}

}  // namespace holdfast::repository::testing
