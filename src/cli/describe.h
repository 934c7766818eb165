// Reviews, reports and points as text for people and as JSON, said the same way by every verb.
#pragma once

#include <string>

#include "backup/backup.h"
#include "cli/output.h"
#include "item/adapter.h"
#include "repository/repository.h"

namespace holdfast::cli {

// "Sample Notification Server (made by Holdfast) ns01": the word sample is never left out.
std::string system_title(const system::System& system);

std::string describe(const backup::Review& review, const system::System& system, const std::string& repository);
std::string describe(const backup::Report& report);
Json to_json(const backup::Review& review);
Json to_json(const backup::Report& report);

Json to_json(const repository::PointSummary& point);
Json to_json(const repository::StoredItem& item);
Json to_json(const item::CheckResult& check);
std::string describe(const repository::CheckReport& report);
Json to_json(const repository::CheckReport& report);
// "2026-11-22 02:00 UTC"
std::string when(Timestamp t);

}  // namespace holdfast::cli
