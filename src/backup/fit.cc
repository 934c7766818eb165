#include "backup/fit.h"

#include <algorithm>
#include <map>

#include "base/text.h"

namespace holdfast::backup {
namespace {

using repository::StoredItem;

// The fact of an installation package that names a product: "product <name>" = its version.
constexpr std::string_view kProduct = "product ";

bool holds(const StoredItem& item, std::string_view kind) {
  return item.kind == kind && item.status != repository::ItemStatus::failed;
}

// "Patch Management: installed 8.7.2, package has 8.7.1"
std::vector<std::string> differences(const std::map<std::string, std::string>& installed,
                                     const std::map<std::string, std::string>& package) {
  std::vector<std::string> all;
  for (const auto& [name, version] : installed) {
    auto there = package.find(name);
    if (there == package.end()) all.push_back(name + ": installed " + version + ", not in the package");
    else if (there->second != version) all.push_back(name + ": installed " + version + ", the package has " + there->second);
  }
  for (const auto& [name, version] : package)
    if (!installed.contains(name)) all.push_back(name + ": not installed, the package has " + version);
  return all;
}

}  // namespace

Findings check_package(const system::IdentityCard& installed, const std::vector<StoredItem>& items) {
  Findings found;
  std::map<std::string, std::string> here;
  for (const system::Product& p : installed.products) here[printable(p.name)] = printable(p.version);
  for (const StoredItem& item : items) {
    std::map<std::string, std::string> package;
    for (const auto& [key, value] : item.facts)
      if (key.starts_with(kProduct)) package[key.substr(kProduct.size())] = value;
    if (!holds(item, "install_package") || here.empty() || package.empty()) continue;
    auto differs = differences(here, package);
    if (differs.empty()) continue;
    found.push_back({"package_stale", item.name, "the installation package does not match what is installed: " + join(differs, "; "),
                     "make the installation package again from the installed products, then back it up"});
  }
  return found;
}

Findings check_agent_authority(const std::vector<StoredItem>& items) {
  std::vector<std::string> captured;
  for (const StoredItem& item : items)
    for (const auto& [key, value] : item.facts)
      if (holds(item, "certificate") && key == "thumbprint") captured.push_back(to_lower_ascii(value));
  Findings found;
  for (const StoredItem& item : items) {
    std::string trusted = repository::fact(item.facts, "agent_ca_thumbprint");
    if (!holds(item, "registry") || trusted.empty() || captured.empty()) continue;
    if (std::find(captured.begin(), captured.end(), to_lower_ascii(trusted)) != captured.end()) continue;
    found.push_back({"agent_ca_mismatch", item.name,
                     "agents are told to trust the certificate " + trusted + ", which is none of the captured root certificates",
                     "correct the thumbprint in the registry or name the right certificate in the configuration, then back up again"});
  }
  return found;
}

}  // namespace holdfast::backup
