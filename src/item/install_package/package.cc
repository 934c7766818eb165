#include "base/error.h"
#include "base/text.h"
#include "base/toml.h"
#include "item/install_package/install_package.h"

namespace holdfast::item {
namespace {

constexpr std::size_t kMaxPackageFile = 4 << 20;   // a product is 150 bytes: far more products than there are

[[noreturn]] void damaged(std::string_view what, const std::string& why) {
  throw Error(Code::damaged, "cannot read " + printable(what) + ": " + why);
}

std::string required(const toml::table& table, const char* key, std::string_view what) {
  auto value = table[key].value<std::string>();
  if (!value || value->empty())
    damaged(what,
            "line " + std::to_string(table.source().begin.line) + ": '" + key + "' is missing or not a text");
  return *value;
}

// A text, or a TOML date as text.
std::string made_text(const toml::table& package) {
  if (auto text = package["made"].value<std::string>()) return *text;
  std::ostringstream out;
  if (auto* time = package["made"].as_date_time()) out << *time;
  if (auto* date = package["made"].as_date()) out << *date;
  return out.str();
}

}  // namespace

InstallPackage parse_package(ByteView content, std::string_view what) {
  if (content.size() > kMaxPackageFile) damaged(what, "it is larger than " + human_bytes(kMaxPackageFile));
  toml::table document;
  try {
    document = toml::parse(as_text(content));
  } catch (const toml::parse_error& e) {
    damaged(what, "line " + std::to_string(e.source().begin.line) + ": " + printable(e.description()));
  }
  const toml::table* package = document["package"].as_table();
  if (!package) damaged(what, "there is no [package]");
  InstallPackage result{made_text(*package), required(*package, "platform_version", what), {}};
  const toml::array* products = document["product"].as_array();
  if (!products || products->empty()) damaged(what, "there is no [[product]]");
  for (const toml::node& node : *products) {
    const toml::table* product = node.as_table();
    if (!product)
      damaged(what, "line " + std::to_string(node.source().begin.line) + ": a product that is not a table");
    result.products.push_back({required(*product, "name", what), required(*product, "id", what),
                               required(*product, "version", what)});
  }
  return result;
}

std::optional<InstallPackage> stored_package(const tree::NodePtr& stored) {
  const tree::NodePtr file = stored ? tree::find(stored, "package.toml") : nullptr;
  if (!file || file->entry().kind != tree::Kind::file) return std::nullopt;
  return parse_package(file->read_all(kMaxPackageFile), "package.toml");
}

}  // namespace holdfast::item
