// The settings that the console changes, as JSON, and what turns one state of holdfast.toml into another.
// Functions of their arguments.
#pragma once

#include <string>
#include <vector>

#include "service/api/answer.h"
#include "system/configuration_edit.h"
#include "system/system.h"

namespace holdfast::service {

// As openapi.json's Settings. Paths are absolute, also those that the file has relative.
Json settings_json(const system::System& system);
// "[schedule.NAME]" of it.
Json schedule_settings_json(const system::ScheduleSettings& schedule);

// Single values that differ, in the order in which they are to be made; what `wanted` leaves out is taken out
// of the file. Whether the result is right is found when the new text is parsed. Error(usage): `wanted` is no
// Settings.
std::vector<system::Change> settings_changes(const system::System& now, Json wanted);

// Of the whole text of the file.
std::string entity_tag(std::string_view text);

}  // namespace holdfast::service
