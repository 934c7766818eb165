// Schedules: how they stand, changed in the file, run now.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "report/json.h"
#include "service/api/answer.h"
#include "service/api/routes.h"
#include "service/api/settings_change.h"
#include "service/api/settings_edit.h"

namespace holdfast::service {
namespace {

using http::Method;
using http::Request;
using http::Response;

std::string_view state_of(const ScheduleState& s) {
  if (!s.settings.enabled) return "off";
  if (!s.calendar) return "unusable";
  if (s.decision.overdue) return "overdue";
  if (s.last && s.last->state == Job::State::running) return "running";
  if (s.last && s.last->state == Job::State::queued) return "queued";
  return "waiting";
}

Json schedule_json(Services& services, const ScheduleState& s, const schedule::Zone& here) {
  Json out = report::to_json(s.settings);
  out["normal_form"] = s.calendar ? Json(s.calendar->normal_form()) : Json(nullptr);
  out["next"] = report::runs_json(s.next, here);
  out["state"] = state_of(s);
  out["overdue_since"] = time_or_null(s.settings.enabled ? s.decision.overdue : std::nullopt);
  out["last"] = s.last ? job_json(services, *s.last, JobResult::without) : Json(nullptr);
  return out;
}

schedule::ZoneFiles zones(Services& s) { return schedule::ZoneFiles{s.world.files}; }

Response list(Services& s, Request&) {
  const auto system = s.system();
  const schedule::Zone here = zones(s).machine();
  Json schedules = Json::array(), without = Json::array();
  std::vector<std::string> sections;
  for (const ScheduleState& x : s.scheduler.states()) {
    schedules.push_back(schedule_json(s, x, here));
    if (x.settings.run == system::ScheduleSettings::Run::backup) sections.push_back(x.settings.section);
  }
  for (const system::Section& section : system->profile.sections)
    if (std::find(sections.begin(), sections.end(), section.name) == sections.end())
      without.push_back(section.name);
  return json_answer({{"schedules", schedules}, {"sections_without", without}});
}

Response show(Services& s, const std::string& name) {
  for (const ScheduleState& x : s.scheduler.states())
    if (x.settings.name == name) return json_answer(schedule_json(s, x, zones(s).machine()));
  throw Error(Code::not_found, "there is no schedule '" + printable(name) + "'").safe("nothing was changed");
}

Response put(Services& s, Request& request) {
  const std::string& name = request.part("name");
  Body body(request);
  Json schedule = Json::object();
  for (const std::string& key : body.names()) schedule[key] = body.take(key);
  // A calendar that cannot be used is told now, not in the night.
  if (schedule.contains("calendar") && schedule["calendar"].is_string())
    schedule::Calendar::parse(schedule["calendar"].get<std::string>(), zones(s));
  change_settings(s, caller_of(request).actor(),
                  [&](Json& settings) { settings["schedules"][name] = schedule; });
  return show(s, name);
}

Response remove(Services& s, Request& request) {
  const std::string& name = request.part("name");
  change_settings(s, caller_of(request).actor(), [&](Json& settings) {
    if (settings["schedules"].erase(name) == 0)
      throw Error(Code::not_found, "there is no schedule '" + printable(name) + "'")
          .safe("nothing was changed");
  });
  return no_content();
}

Response run(Services& s, Request& request) {
  const std::string& name = request.part("name");
  const auto system = s.system();
  const system::ScheduleSettings* schedule = system->settings.find_schedule(name);
  if (schedule == nullptr)
    throw Error(Code::not_found, "there is no schedule '" + printable(name) + "'")
        .safe("nothing was changed");
  const auto right = right_for_job(to_text(schedule->run));
  if (!right) throw Error(Code::defect, "a schedule runs what is no job");
  s.guard.require(caller_of(request), *right, "schedule " + name);
  const std::int64_t id = s.scheduler.run_now(name, caller_of(request).actor());
  const auto job = s.jobs.find(id);
  if (!job) throw Error(Code::defect, "a job that was queued is not there");
  Response response = json_answer(job_json(s, *job, JobResult::with), 202);
  response.headers.push_back({"Location", "/api/v1/jobs/" + std::to_string(id)});
  return response;
}

Response preview(Services& s, Request& request) {
  const auto expression = request.parameter("expression");
  if (!expression) throw Error(Code::usage, "'expression' is missing").safe("nothing was changed");
  const auto calendar = schedule::Calendar::parse(*expression, zones(s));
  std::vector<Timestamp> runs;
  for (auto next = calendar.next_after(s.world.clock.now()); next && runs.size() < ScheduleState::kNextRuns;
       next = calendar.next_after(*next))
    runs.push_back(*next);
  return json_answer(
      {{"normal_form", calendar.normal_form()}, {"next", report::runs_json(runs, zones(s).machine())}});
}

}  // namespace

void add_schedule_routes(http::Router& router, Services& s) {
  const std::string see(to_text(Right::see)), settings(to_text(Right::settings));
  router.add(Method::get, "/api/v1/schedules", see, [&s](Request& r) { return list(s, r); });
  router.add(Method::get, "/api/v1/schedules/{name}", see,
             [&s](Request& r) { return show(s, r.part("name")); });
  router.add(Method::put, "/api/v1/schedules/{name}", settings, [&s](Request& r) { return put(s, r); });
  router.add(Method::del, "/api/v1/schedules/{name}", settings, [&s](Request& r) { return remove(s, r); });
  router.add(Method::post, "/api/v1/schedules/{name}/run", std::string(kByKind),
             [&s](Request& r) { return run(s, r); });
  router.add(Method::get, "/api/v1/calendar", see, [&s](Request& r) { return preview(s, r); });
}

}  // namespace holdfast::service
