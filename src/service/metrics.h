// What /metrics says: plain values in, the text format of Prometheus (version 0.0.4) out. Who collects them is the caller. Names and meaning: docs/service.md,
// "Metrics". A value that is not known is left out, never invented.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"

namespace holdfast::service {

struct ScheduleMetrics {
  std::string name, run;                      // "offsite", "copy"
  bool enabled = false, overdue = false;
  std::optional<Timestamp> next_run;
  std::optional<Timestamp> last_run, last_success;   // when they ended
  std::optional<double> last_seconds;         // how long the last one took
  std::optional<int> last_exit;               // its exit code
};

struct Metrics {
  std::string version, system;
  Timestamp now;                              // for ages
  bool configuration_good = true;             // false: holdfast.toml has a mistake, the last good one is in force
  std::optional<bool> repository_reachable;
  std::optional<std::int64_t> points;
  std::optional<Timestamp> newest_point;      // the newest good one
  std::optional<Timestamp> newest_verified;   // the newest one that was verified
  std::optional<std::int64_t> recovery_point_objective;   // seconds
  std::optional<std::uint64_t> protected_bytes;   // what the newest good point gives back
  std::optional<std::uint64_t> stored_bytes;      // what the repository takes
  std::vector<ScheduleMetrics> schedules;
  std::map<std::string, std::int64_t> jobs;   // by state: "queued", ...
  std::int64_t notifications_waiting = 0, notifications_given_up = 0;
};

std::string render(const Metrics& m);
inline constexpr const char* kMetricsType = "text/plain; version=0.0.4; charset=utf-8";   // Content-Type of the answer

}  // namespace holdfast::service
