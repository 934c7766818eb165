// Which scheduled points a rule keeps, and why. One meaning, documented in docs/retention.md:
//   last N     the N newest;
//   daily N    the newest point of each of the N most recent UTC days that have one; weekly: ISO weeks; monthly: months.
// Each series is judged by itself: points of one section, full and partial ones apart, because a nightly database backup must
// not push out the weekly software library. A point that several rules name is kept once, with all its reasons. Good is what is
// neither incomplete nor found damaged. Never removed: points made by hand or imported, pinned points, the newest good point of
// a series, others that are newer than it, and points dated in the future.
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
