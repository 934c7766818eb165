// Reviews, reports and points as text for people, said the same way by every verb; as JSON: report/json.h.
#pragma once

#include <string>

#include "backup/backup.h"
#include "cli/output.h"
#include "item/adapter.h"
#include "report/json.h"
#include "repository/repository.h"

namespace holdfast::cli {

using report::to_json;

// "Sample Notification Server (made by Holdfast) ns01": the word sample is never left out.
std::string system_title(const system::System& system);

std::string describe(const backup::Review& review, const system::System& system, const std::string& repository);
std::string describe(const backup::Report& report);
std::string describe(const repository::CheckReport& report);
// "2026-11-22 02:00 UTC"
std::string when(Timestamp t);

}  // namespace holdfast::cli
