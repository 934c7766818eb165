#include "item/adapter.h"

#include <algorithm>

#include "base/error.h"

namespace holdfast::item {

std::string_view to_text(Criticality v) {
  switch (v) {
    case Criticality::critical: return "critical";
    case Criticality::recommended: return "recommended";
    case Criticality::optional: return "optional";
  }
  return "?";
}

std::string ItemSpec::text(const std::string& option) const {
  auto it = options.find(option);
  if (it == options.end()) return "";
  if (const auto* s = std::get_if<std::string>(&it->second)) return *s;
  if (const auto* l = std::get_if<std::vector<std::string>>(&it->second)) return l->empty() ? "" : l->front();
  return "";
}

std::vector<std::string> ItemSpec::list(const std::string& option) const {
  auto it = options.find(option);
  if (it == options.end()) return {};
  if (const auto* s = std::get_if<std::string>(&it->second)) return {*s};
  if (const auto* l = std::get_if<std::vector<std::string>>(&it->second)) return *l;
  return {};
}

bool ItemSpec::flag(const std::string& option, bool otherwise) const {
  auto it = options.find(option);
  if (it == options.end()) return otherwise;
  const bool* b = std::get_if<bool>(&it->second);
  return b ? *b : otherwise;
}

std::uint64_t Adapter::estimate(const ItemSpec&, platform::World&) const { return 0; }
std::vector<Path> Adapter::lays_down(const ItemSpec&, platform::World&) const { return {}; }
std::optional<Bytes> Adapter::live_digest(const ItemSpec&, platform::World&) const { return std::nullopt; }
std::pair<std::string, std::string> Adapter::export_name(const ItemSpec& spec) const { return {spec.name, ""}; }

void AdapterSet::add(std::unique_ptr<Adapter> adapter) { adapters_.push_back(std::move(adapter)); }

const Adapter* AdapterSet::find(const std::string& kind, const std::string& engine) const {
  for (const auto& a : adapters_)
    if (a->kind() == kind && a->engine() == engine) return a.get();
  return nullptr;
}

const Adapter& AdapterSet::get(const ItemSpec& spec) const {
  if (const Adapter* a = find(spec.kind, spec.engine)) return *a;
  throw Error(Code::unsupported, "item '" + spec.name + "': this Holdfast knows no kind '" + spec.kind +
                                     (spec.engine.empty() ? "'" : "' with engine '" + spec.engine + "'"))
      .hint("use a newer Holdfast, or restore the item's files with 'holdfast export --folder'");
}

std::vector<std::string> AdapterSet::kinds() const {
  std::vector<std::string> all;
  for (const auto& a : adapters_)
    if (std::find(all.begin(), all.end(), a->kind()) == all.end()) all.push_back(a->kind());
  return all;
}

std::vector<std::string> AdapterSet::engines(const std::string& kind) const {
  std::vector<std::string> all;
  for (const auto& a : adapters_)
    if (a->kind() == kind && !a->engine().empty()) all.push_back(a->engine());
  return all;
}

}  // namespace holdfast::item
