// What changed between two recovery points, item by item: settings by key, registry by value, folders by
// file.
#pragma once

#include <string>
#include <vector>

#include "item/adapter.h"
#include "repository/repository.h"

namespace holdfast::recovery {

struct ItemDifference {
  std::string item;
  std::vector<item::Change> changes;  // empty: the same in both
};

// The items of either point, those of `before` first; one whose kind this program does not know is left out.
// `only`: that item alone; "" all. Reads what differs. Errors: those of reading the points (damaged), config:
// a point's own configuration cannot be understood.
std::vector<ItemDifference> compare_points(repository::Repository& repository,
                                           const repository::Point& before, const repository::Point& after,
                                           const item::AdapterSet& adapters, const std::string& only = "");

}  // namespace holdfast::recovery
