#include "store/object_store.h"

#include "base/error.h"
#include "base/text.h"

namespace holdfast::store {
namespace {

constexpr std::size_t kLongestName = 200;  // object_store.h

}  // namespace

bool is_object_name(std::string_view name) {
  if (name.empty() || name.size() > kLongestName || name.front() == '/' || name.back() == '/') return false;
  if (name.find('/') == std::string_view::npos || name.find("//") != std::string_view::npos) return false;
  // Of every character, with no way out between, so that it is done many at a time: a list asks for each object.
  const auto from = [](char c, char first) { return static_cast<std::uint8_t>(c - first); };
  std::uint8_t bad = 0;
  for (const char c : name) bad |= !((from(c, 'a') < 26) | (from(c, '0') < 10) | (c == '-') | (c == '/'));
  return bad == 0;
}

void check_name(std::string_view name) {
  if (!is_object_name(name))
    throw Error(Code::defect, "'" + printable(name) + "' is not a name of an object");
}

bool has_prefix(std::string_view name, std::string_view prefix) {
  if (prefix.ends_with('/')) prefix.remove_suffix(1);
  if (prefix.empty()) return true;
  return name.starts_with(prefix) && (name.size() == prefix.size() || name[prefix.size()] == '/');
}

}  // namespace holdfast::store
