#include "store/object_store.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace holdfast::store {
namespace {

constexpr std::size_t kLongestName = 200;  // object_store.h

}  // namespace

bool is_object_name(std::string_view name) {
  if (name.empty() || name.size() > kLongestName || name.front() == '/' || name.back() == '/') return false;
  if (name.find('/') == std::string_view::npos || name.find("//") != std::string_view::npos) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '/';
  });
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
