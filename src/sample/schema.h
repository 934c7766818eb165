// Tables of the sample's database. The real schema of the request and state tables is not public; only their
// names are.
#pragma once

#include <span>
#include <string_view>

namespace holdfast::sample {

// One statement each: tables and the view.
std::span<const std::string_view> schema_tables();
// Indexes apart: filling the tables first and sorting once is several times faster than keeping them up to
// date.
struct Index {
  std::string_view name, on;
  bool unique;
};
std::span<const Index> schema_indexes();

}  // namespace holdfast::sample
