// Which scheduled points a rule keeps, and why. One meaning, documented in docs/retention.md:
//   last N     the N newest;
//   daily N    the newest point of each of the N most recent UTC days that have one; weekly: ISO weeks; monthly: months.
// A point that several rules name is kept once, with all its reasons. Never removed: points made by hand or imported, pinned
// points, incomplete ones newer than the newest complete one, the newest good point of a system, and points dated in the future.
#pragma once

#include <string>
#include <vector>

#include "repository/point.h"
#include "system/system.h"

namespace holdfast::backup {

struct Kept { repository::PointSummary point; std::vector<std::string> reasons; };   // no reasons: would be forgotten

// Every point of one system, newest first.
std::vector<Kept> apply_rule(const std::vector<repository::PointSummary>& points, const system::System::Retention& rule,
                             Timestamp now);

}  // namespace holdfast::backup
