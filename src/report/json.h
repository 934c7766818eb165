// What is known, as JSON: the one form of `--json` and of the API (docs/commands.md "JSON lines",
// service/api/openapi.json).
//
// Times are UTC to the second, sizes bytes, durations seconds. Names that come from a disk or a backup are
// printable(). No secret is ever in it. Functions of their arguments: any thread may call them.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <vector>

#include "backup/backup.h"
#include "backup/retention.h"
#include "backup/status.h"
#include "base/finding.h"
#include "recovery/difference.h"
#include "recovery/recover.h"
#include "repository/repository.h"
#include "schedule/zone.h"
#include "system/system.h"
#include "tree/entry.h"

namespace holdfast::report {

using Json = nlohmann::ordered_json;

// Messages may have several lines (one a difference): each made printable, with `between` in place of the
// line breaks.
std::string printable_lines(std::string_view text, std::string_view between);

Json to_json(const Finding& finding);
Json to_json(const Findings& findings);

// -- before and after a backup
Json to_json(const backup::Review& review);
Json to_json(const backup::Report& report);

// -- recovery points
enum class Items : bool { without, with };
Json to_json(const repository::PointSummary& point, Items items = Items::with);
Json verified_json(const repository::PointSummary& point);  // null: never verified
Json to_json(const repository::StoredItem& item);
Json to_json(const repository::Point& point);
Json to_json(const tree::Entry& entry);
// The name of an entry as one segment of a path in the API: whatever is not A-Z a-z 0-9 - . _ ~ as %XX, so
// that every name can be asked for.
std::string path_segment(std::string_view name);
Json to_json(const item::Change& change);
Json to_json(const repository::CheckReport& report);

// -- state of the system
Json to_json(const backup::Status& status, const system::System& system);
Json excluded_json(const std::vector<backup::Review::Reason>& excluded);
Json to_json(const backup::Kept& point);
Json retention_rule_json(const system::System& system);  // "rule", "objective"
// The same, and "points".
Json retention_json(const system::System& system, const std::vector<backup::Kept>& points);

// -- recovery
Json to_json(const item::CheckResult& check);
Json to_json(const recovery::PlannedStep& step);
Json preflight_json(const recovery::Preflight& preflight);    // checks, and what cannot run here
Json differences_json(const recovery::Preflight& preflight);  // what this machine is not
Json to_json(const recovery::RestoreReview& review);

// -- schedules
Json to_json(const system::ScheduleSettings& schedule);
// [{"time", "local"}]
Json runs_json(std::span<const Timestamp> runs, const schedule::Zone& here);

}  // namespace holdfast::report
