#include "recovery/difference.h"

#include <algorithm>

#include "recovery/restore.h"

namespace holdfast::recovery {
namespace {

std::vector<std::string> names_of(const repository::Point& before, const repository::Point& after) {
  std::vector<std::string> names;
  for (const auto* p : {&before, &after})
    for (const auto& i : p->items)
      if (std::find(names.begin(), names.end(), i.name) == names.end()) names.push_back(i.name);
  return names;
}

tree::NodePtr root_of(repository::Repository& repository, const repository::Point& point,
                      const std::string& name) {
  for (const auto& i : point.items)
    if (i.name == name && i.root) return repository.open_item(point, name);
  return nullptr;
}

}  // namespace

std::vector<ItemDifference> compare_points(repository::Repository& repository,
                                           const repository::Point& before, const repository::Point& after,
                                           const item::AdapterSet& adapters, const std::string& only) {
  // The adapter of an item as a point describes it; the engine of a database stands in the point's own
  // configuration.
  const system::System old_system = system_of(before, adapters), new_system = system_of(after, adapters);
  std::vector<ItemDifference> out;
  for (const std::string& name : names_of(before, after)) {
    if (!only.empty() && name != only) continue;
    const std::string base = name.ends_with(".after") ? name.substr(0, name.size() - 6) : name;
    const item::ItemSpec* spec = new_system.find(base);
    if (spec == nullptr) spec = old_system.find(base);
    const item::Adapter* adapter = spec ? adapters.find(spec->kind, spec->engine) : nullptr;
    if (adapter != nullptr)
      out.push_back(
          {name, adapter->diff(root_of(repository, before, name), root_of(repository, after, name))});
  }
  return out;
}

}  // namespace holdfast::recovery
