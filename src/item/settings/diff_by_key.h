// Differences between two stored states that are keys and values inside a file: settings, registry values,
// bindings.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "item/adapter.h"

namespace holdfast::item {

struct KeyedValue {
  std::string compared;   // equal exactly when nothing changed; never shown
  std::string shown;      // for people; "" for a secret: it is shown as "(changed)"
  std::string where = {}; // what people call it; "" = its key in the map
};
using Keyed = std::map<std::string, KeyedValue>;

std::vector<Change> diff_by_key(const Keyed& before, const Keyed& after);

// The difference of two stored items by key, as `read` finds the keys in one of them. What the keys do not
// explain is added by file: other files, owner, mode and attributes; and the whole difference is by file when
// an item is missing, cannot be understood, or differs in bytes but in no key.
std::vector<Change> diff_by_key(const tree::NodePtr& before, const tree::NodePtr& after,
                                const std::function<Keyed(const tree::NodePtr&)>& read);

}  // namespace holdfast::item
