// Which scheduled points a rule keeps, and why. The one meaning of the rules is docs/retention.md; in short:
//   last N      the N newest;
//   hourly N    the newest point of each of the N most recent UTC hours that have one; daily, weekly (ISO weeks), monthly, yearly alike;
//   within SPAN every point that is no older than SPAN before the newest good one.
// Each series is judged by itself: points of one section, full and partial ones apart, because a nightly database backup must
// not push out the weekly software library. A point that several rules name is kept once, with all its reasons. Good is what is
// neither incomplete nor found damaged. Never removed: points made by hand or imported, pinned points, the newest good point of
// a series, others that are newer than it, the newest point that holds an item complete, and points dated in the future.
//
// A rule is about the points alone: that time passes, or that a clock is set, removes nothing. The clock is only asked which
// points are dated in the future.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "repository/point.h"
#include "system/system.h"

namespace holdfast::backup {

// Two clocks that are looked after differ by less: a point that is further ahead than this is dated in the future.
inline constexpr std::int64_t kClockTolerance = 5 * 60;

struct Kept { repository::PointSummary point; std::vector<std::string> reasons; };   // no reasons: would be forgotten

// Every point of one system, newest first. `objective`: what gaps between points are measured by, see "Gaps" in the document.
std::vector<Kept> apply_rule(const std::vector<repository::PointSummary>& points, const system::System::Retention& rule,
                             const std::optional<Span>& objective, Timestamp now);

// The same for the points of `system` among those of a repository, by the system's own rule and objective. Error(config): its id is none.
std::vector<Kept> judge(const std::vector<repository::PointSummary>& points, const system::System& system, Timestamp now);

// Why nothing may be forgotten now: the newest good point that would be left is older than the objective. "" = nothing is in the way.
std::string late_for_objective(const std::vector<Kept>& judged, const std::optional<Span>& objective, Timestamp now);

// "last 3, daily 7, within 30d": what is set, in the order of the document.
std::string rule_text(const system::System::Retention& rule);

}  // namespace holdfast::backup
