// What needs attention now, from everywhere that knows something: the state of the backups, schedules, jobs,
// notifications, the configuration.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "service/api/services.h"

namespace holdfast::service {

struct Alert {
  Finding finding;
  bool critical = false;  // the server might not come back, or not as of the time that it should
  std::string source;     // "status", "schedule", "job", "notification", "configuration", "repository"
  std::optional<Timestamp> since;
  std::optional<std::int64_t> job;
  std::string schedule;  // "": none
};

// Critical ones first. Nothing is kept: what was put right is gone.
std::vector<Alert> alerts(Services& services, const Standing::Look& look);
Json to_json(const std::vector<Alert>& alerts);

}  // namespace holdfast::service
