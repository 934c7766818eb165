// Who a server is: reading the identity card, comparing two, and its text forms.
#include <algorithm>
#include <cctype>
#include <map>

#include "base/error.h"
#include "base/text.h"
#include "item/registry/reg_file.h"
#include "system/system.h"

namespace holdfast::system {
namespace {

// Where ITMS keeps them: docs/sample.md, "Registry".
constexpr std::string_view kServerKey = "HKEY_LOCAL_MACHINE\\SOFTWARE\\Altiris\\eXpress\\Notification Server";
constexpr std::uint64_t kLargestRegistryFile = UINT64_C(64) << 20;   // a real export of this branch has a few MiB
constexpr std::string_view kProduct = "product.";

bool is_windows_path(std::string_view text) {
  if (text.starts_with("\\\\")) return true;
  return text.size() >= 3 && std::isalpha(static_cast<unsigned char>(text[0])) && text[1] == ':' &&
         (text[2] == '\\' || text[2] == '/');
}

bool same_ignoring_case(std::string_view a, std::string_view b) { return to_lower_ascii(a) == to_lower_ascii(b); }

bool same_path(const std::string& a, const std::string& b) {
  return a == b || (is_windows_path(a) && is_windows_path(b) && same_ignoring_case(a, b));
}

// DOMAIN\account and account@domain mean the same whatever the case; other accounts are taken as written.
bool same_account(const std::string& a, const std::string& b) {
  const bool windows = a.find_first_of("\\@") != std::string::npos && b.find_first_of("\\@") != std::string::npos;
  return a == b || (windows && same_ignoring_case(a, b));
}

// GUIDs are written with and without braces, in either case: the registry has them, an installation package need not.
std::string product_key(const Product& product) {
  std::string key = to_lower_ascii(product.id.empty() ? product.name : product.id);
  if (key.size() > 2 && key.front() == '{' && key.back() == '}') key = key.substr(1, key.size() - 2);
  return key;
}

void compare_products(const IdentityCard& lost, const IdentityCard& here, std::vector<IdentityDifference>& out) {
  std::map<std::string, const Product*> present;
  for (const Product& product : here.products) present[product_key(product)] = &product;
  for (const Product& product : lost.products) {
    auto it = present.find(product_key(product));
    const std::string version = it == present.end() ? "" : it->second->version;
    if (version != product.version || it == present.end())
      out.push_back({"product " + product.name, product.version, version, true});
    if (it != present.end()) present.erase(it);
  }
  for (const Product& product : here.products)
    if (present.contains(product_key(product))) out.push_back({"product " + product.name, "", product.version, true});
}

std::optional<item::RegFile> read_registry(const Path& path, platform::World& world) {
  if (path.empty() || !world.files.exists(path)) return std::nullopt;
  try {
    return item::parse_reg_file(world.files.read_all(path, kLargestRegistryFile), path.string());
  } catch (const Error& e) {
    if (e.code() != Code::not_found && e.code() != Code::damaged && e.code() != Code::unsupported) throw;
    return std::nullopt;   // not legible: the card has gaps, and the comparison says so
  }
}

std::vector<Product> read_products(const item::RegFile& registry) {
  const std::string parent = std::string(kServerKey) + "\\ProductInstallation";
  std::vector<Product> products;
  for (const std::string& id : registry.subkeys(parent)) {
    const std::string key = parent + "\\" + id;
    products.push_back({item::find_reg_text(registry, key, "Name").value_or(""), id,
                        item::find_reg_text(registry, key, "Version").value_or("")});
  }
  std::sort(products.begin(), products.end());
  return products;
}

}  // namespace

item::Facts IdentityCard::to_facts() const {
  item::Facts facts = {
      {"host_name", host_name},
      {"domain", domain},
      {"operating_system", operating_system},
      {"operating_system_version", operating_system_version},
      {"install_path", install_path},
      {"application_identity", application_identity},
      {"database_name", database_name},
  };
  for (const Product& product : products)
    facts.emplace_back(std::string(kProduct) + product.id, product.name + " " + product.version);
  return facts;
}

IdentityCard IdentityCard::from_facts(const item::Facts& facts) {
  IdentityCard card;
  const std::map<std::string_view, std::string*> fields = {
      {"host_name", &card.host_name},
      {"domain", &card.domain},
      {"operating_system", &card.operating_system},
      {"operating_system_version", &card.operating_system_version},
      {"install_path", &card.install_path},
      {"application_identity", &card.application_identity},
      {"database_name", &card.database_name},
  };
  for (const auto& [key, value] : facts) {
    if (auto it = fields.find(key); it != fields.end()) *it->second = value;
    if (!key.starts_with(kProduct)) continue;
    const std::size_t space = value.rfind(' ');
    const bool has_version = space != std::string::npos;
    card.products.push_back({value.substr(0, space), key.substr(kProduct.size()),
                             has_version ? value.substr(space + 1) : ""});
  }
  std::sort(card.products.begin(), card.products.end());
  return card;
}

std::vector<IdentityDifference> compare(const IdentityCard& lost, const IdentityCard& here) {
  std::vector<IdentityDifference> differences;
  auto field = [&](const std::string& what, const std::string& a, const std::string& b, bool same) {
    if (same) return;
    // What the lost server's card never held cannot forbid a recovery; it is told.
    differences.push_back({what, a, b, !a.empty()});
  };
  field("server name", lost.host_name, here.host_name, same_ignoring_case(lost.host_name, here.host_name));
  // A server in no domain must not be brought back into one: an empty domain is a value.
  if (!same_ignoring_case(lost.domain, here.domain))
    differences.push_back({"domain", lost.domain, here.domain, true});
  field("operating system", lost.operating_system, here.operating_system, lost.operating_system == here.operating_system);
  if (lost.operating_system_version != here.operating_system_version)
    differences.push_back(
        {"operating system version", lost.operating_system_version, here.operating_system_version, false});
  field("installation path", lost.install_path, here.install_path, same_path(lost.install_path, here.install_path));
  field("application identity", lost.application_identity, here.application_identity,
        same_account(lost.application_identity, here.application_identity));
  field("database name", lost.database_name, here.database_name, lost.database_name == here.database_name);
  compare_products(lost, here, differences);
  return differences;
}

IdentityCard read_identity(const System& system, platform::World& world) {
  IdentityCard card;
  card.host_name = world.host.host_name();
  card.domain = world.host.domain();
  card.operating_system = world.host.operating_system();
  card.operating_system_version = world.host.operating_system_version();
  const std::optional<item::RegFile> registry = read_registry(system.identity.registry, world);
  if (!registry) return card;
  const std::string key(kServerKey);
  card.install_path = item::find_reg_text(*registry, key, "InstallPath").value_or("");
  card.application_identity = item::find_reg_text(*registry, key + "\\AppIdentity", "user").value_or("");
  card.database_name = item::find_reg_text(*registry, key, "DatabaseName").value_or("");
  if (card.database_name.empty() && world.files.exists(system.identity.database))
    card.database_name = system.identity.database.stem().string();
  card.products = read_products(*registry);
  return card;
}

std::string products_text(const IdentityCard& card) {
  std::string text = "Installed products of " + printable(card.host_name) + "\n\n";
  if (card.products.empty()) text += "none found\n";
  for (const Product& product : card.products)
    text += printable(product.name) + "\t" + printable(product.version) + "\t" + printable(product.id) + "\n";
  return text;
}

std::string identity_text(const IdentityCard& card) {
  const std::vector<std::pair<std::string, std::string>> lines = {
      {"Server name", card.host_name},
      {"Domain", card.domain},
      {"Operating system", card.operating_system},
      {"Operating system version", card.operating_system_version},
      {"Installation path", card.install_path},
      {"Application identity", card.application_identity},
      {"Database name", card.database_name},
  };
  std::string text = "Identity card\n\n";
  for (const auto& [name, value] : lines)
    text += name + ": " + (value.empty() ? "(none)" : printable(value)) + "\n";
  return text + "\n" + products_text(card);
}

}  // namespace holdfast::system
