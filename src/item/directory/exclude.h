// Which entries of a directory item are left out on purpose (option "exclude").
//
// A pattern without '/' is a name and matches anywhere in the tree: "*.tmp", "cache". A pattern with '/' is a
// path from the item's folder: "logs/*.log", "old/data"; a leading '/' is allowed and makes a name match at
// the top only: "/cache". '*' stands for any bytes of one name, also none; '?' for one byte. An excluded
// folder is left out with everything inside.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::item {

class Exclude {
 public:
  explicit Exclude(const std::vector<std::string>& patterns);
  // `path` is relative to the item's folder: "a/b/c".
  bool matches(std::string_view path) const;

 private:
  std::vector<std::string> names_, paths_;
};

}  // namespace holdfast::item
