#include "service/api/alerts.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "report/json.h"

namespace holdfast::service {
namespace {

// Codes of docs/findings.md.
constexpr std::array<std::string_view, 12> kCritical{"nothing_to_recover",
                                                     "point_damaged",
                                                     "stale",
                                                     "certificate_expired",
                                                     "history",
                                                     "schedule_overdue",
                                                     "schedule_failed",
                                                     "schedule_unknown",
                                                     "schedules_blocked",
                                                     "jobs_blocked",
                                                     "configuration_wrong",
                                                     "repository_unreachable"};

bool is_critical(const Finding& f) {
  return std::find(kCritical.begin(), kCritical.end(), f.code) != kCritical.end();
}

void add_schedules(Services& s, std::vector<Alert>& out) {
  const Timestamp now = s.world.clock.now();
  for (const ScheduleState& x : s.scheduler.states())
    for (Finding& f : schedule_findings({x}, now)) {
      Alert alert{std::move(f), false, "schedule", std::nullopt, std::nullopt, x.settings.name};
      if (alert.finding.code == "schedule_overdue")
        alert.since = x.decision.overdue;
      else if (x.last && alert.finding.code.starts_with("schedule_"))
        alert.since = x.last->ended;
      if (x.last) alert.job = x.last->id;
      out.push_back(std::move(alert));
    }
}

void add_notifications(Services& s, std::vector<Alert>& out) {
  const Notifications::Counts counts = s.notifications.counts();
  if (counts.given_up == 0) return;
  const std::string number = std::to_string(counts.given_up);
  out.push_back({{"notification_given_up", "notifications",
                  number + (counts.given_up == 1 ? " notification" : " notifications") +
                      " could not be delivered for days and were given up",
                  "look at Alerts, put the channel right, and acknowledge them"},
                 false,
                 "notification",
                 std::nullopt,
                 std::nullopt,
                 ""});
}

}  // namespace

std::vector<Alert> alerts(Services& s, const Standing::Look& look) {
  std::vector<Alert> out;
  const auto add = [&](Finding f, const char* source) {
    out.push_back({std::move(f), false, source, std::nullopt, std::nullopt, ""});
  };
  if (look.fault)
    add({"repository_unreachable", look.system->repository, look.fault->what(), look.fault->hint()},
        "repository");
  if (look.status)
    for (const Finding& f : look.status->attention) add(f, "status");
  add_schedules(s, out);
  for (Finding& f : s.scheduler.findings()) {
    if (f.code == "configuration_wrong")
      add(std::move(f), "configuration");
    else if (f.code == "schedules_blocked")
      add(std::move(f), "schedule");
  }
  for (Finding& f : s.runner.findings()) add(std::move(f), "job");
  add_notifications(s, out);
  for (Alert& a : out) a.critical = is_critical(a.finding);
  std::stable_partition(out.begin(), out.end(), [](const Alert& a) { return a.critical; });
  return out;
}

Json to_json(const std::vector<Alert>& alerts) {
  Json out = Json::array();
  for (const Alert& a : alerts) {
    Json alert = report::to_json(a.finding);
    alert["severity"] = a.critical ? "critical" : "warning";
    alert["source"] = a.source;
    alert["since"] = time_or_null(a.since);
    alert["job"] = a.job ? Json(*a.job) : Json(nullptr);
    alert["schedule"] = a.schedule.empty() ? Json(nullptr) : Json(a.schedule);
    out.push_back(std::move(alert));
  }
  return out;
}

}  // namespace holdfast::service
