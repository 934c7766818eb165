#include "item/directory/exclude.h"

namespace holdfast::item {
namespace {

// Linear in the text for every '*': on a mismatch only the latest '*' takes one more byte.
bool fits(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, taken = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = t;
    } else if (p < pattern.size() && (pattern[p] == text[t] || (pattern[p] == '?' && text[t] != '/'))) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos && text[taken] != '/') {
      p = star + 1;
      t = ++taken;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace

Exclude::Exclude(const std::vector<std::string>& patterns) {
  for (std::string pattern : patterns) {
    while (pattern.ends_with('/')) pattern.pop_back();
    if (pattern.starts_with("./")) pattern.erase(0, 1);
    if (pattern.empty()) continue;
    if (pattern.find('/') == std::string::npos)
      names_.push_back(pattern);
    else
      paths_.push_back(pattern.starts_with('/') ? pattern.substr(1) : pattern);
  }
}

bool Exclude::matches(std::string_view path) const {
  std::string_view name = path.substr(path.rfind('/') + 1);
  for (const std::string& pattern : names_)
    if (fits(pattern, name)) return true;
  for (const std::string& pattern : paths_)
    if (fits(pattern, path)) return true;
  return false;
}

}  // namespace holdfast::item
