// Which points exist, as the logs tell it. docs/repository-format.md "Record".
#pragma once

#include <set>
#include <vector>

#include "repository/log/log.h"
#include "repository/point.h"

namespace holdfast::repository {

// Newest first (by finish time, then id). `records` in causal order; `left_out`: void points (condemned.h).
std::vector<PointSummary> list_points(const std::vector<std::shared_ptr<const Record>>& records,
                                      const std::set<PointId>& left_out = {});
// What Repository::resolve does, over a list.
PointId resolve_point(const std::vector<PointSummary>& points, const std::string& text);
// nullptr: no such point.
const PointSummary* find_point(const std::vector<PointSummary>& points, const PointId& id);
[[noreturn]] void throw_no_such_point(const std::string& text, const std::vector<PointSummary>& points);

}  // namespace holdfast::repository
