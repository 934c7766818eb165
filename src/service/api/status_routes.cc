// The home page: how the system stands, what needs attention, what is protected, how it grows; what a backup
// would do.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "backup/review.h"
#include "base/error.h"
#include "base/text.h"
#include "report/json.h"
#include "service/api/alerts.h"
#include "service/api/answer.h"
#include "service/api/routes.h"

namespace holdfast::service {
namespace {

using http::Method;
using http::Request;
using http::Response;

constexpr std::size_t kJobsLookedAt = 1000;  // for the newest recovery or proof by restoring

Json or_null(const std::optional<Span>& span) { return span ? Json(to_text(*span)) : Json(nullptr); }
Json seconds_or_null(const std::optional<Span>& span) {
  return span ? Json(longest_seconds(*span)) : Json(nullptr);
}

Json problem_or_null(const std::optional<Error>& fault) {
  return fault ? problem_json(http::status_of(*fault), *fault) : Json(nullptr);
}

Json recovery_point(const system::System& system, const std::optional<backup::Status>& status,
                    Timestamp now) {
  Json age = nullptr, met = nullptr;
  if (status && status->newest_good) {
    age = std::max<std::int64_t>(now.seconds - status->newest_good->finished.seconds, 0);
    if (system.recovery_point) met = status->newest_good->finished >= before(now, *system.recovery_point);
  }
  return {{"objective", or_null(system.recovery_point)},
          {"objective_seconds", seconds_or_null(system.recovery_point)},
          {"age_seconds", age},
          {"met", met}};
}

// Whether a job gave back one whole point, and nothing less.
bool restored_a_point(Services& s, const Job& job) {
  if (job.state != Job::State::ended || (job.exit_code != 0 && job.exit_code != 3) || !job.started ||
      !job.ended)
    return false;
  const bool proof = job.kind == "verify" && std::find(job.arguments.begin(), job.arguments.end(),
                                                       "--level=restore") != job.arguments.end();
  if (job.kind != "recover" && !proof) return false;
  const Json result = Json::parse(s.jobs.result(job.id), nullptr, false);
  if (!result.is_object()) return false;
  if (!proof) return result.value("complete", false);
  const auto points = result.find("points");
  return points != result.end() && points->is_array() && points->size() == 1 && (*points)[0].is_object() &&
         (*points)[0].value("whole", false);
}

// Measured, or not known: nobody can say beforehand how long the steps take that a person does.
Json recovery_time(Services& s, const system::System& system) {
  Json out{{"objective", or_null(system.recovery_time)},
           {"objective_seconds", seconds_or_null(system.recovery_time)},
           {"measured_seconds", nullptr},
           {"measured_by", nullptr},
           {"measured_at", nullptr},
           {"job", nullptr},
           {"met", nullptr}};
  for (const Job& job : s.jobs.list(0, kJobsLookedAt)) {
    if (!restored_a_point(s, job)) continue;
    const std::int64_t seconds = std::max<std::int64_t>(job.ended->seconds - job.started->seconds, 0);
    out["measured_seconds"] = seconds;
    out["measured_by"] = job.kind;
    out["measured_at"] = format_utc(*job.ended);
    out["job"] = job.id;
    if (system.recovery_time) out["met"] = seconds <= longest_seconds(*system.recovery_time);
    break;
  }
  return out;
}

std::string_view verdict(const std::optional<backup::Status>& status, bool alerts) {
  if (!status) return "unknown";
  if (!status->newest_good) return "no";
  return alerts ? "with_findings" : "yes";
}

Json service_json(Services& s, const std::optional<Error>& fault) {
  std::int64_t queued = 0;
  for (const Job& job : s.jobs.list(0, kJobsLookedAt)) queued += job.state == Job::State::queued ? 1 : 0;
  Json wrong = nullptr;
  if (const auto finding = s.configuration.wrong())
    wrong = problem_json(400, Error(Code::config, finding->message)
                                  .safe("the last good configuration is in force")
                                  .hint(finding->hint));
  return {{"version", s.version},
          {"started", format_utc(s.started)},
          {"running_jobs", s.runner.running() ? 1 : 0},
          {"queued_jobs", queued},
          {"configuration", {{"file", printable(s.system()->file.string())}, {"error", wrong}}},
          {"repository_error", problem_or_null(fault)}};
}

Response status(Services& s, Request&) {
  const auto look = s.standing.look();
  const system::System& system = *look->system;
  const Timestamp now = s.world.clock.now();
  const std::vector<Alert> attention = alerts(s, *look);
  backup::Status nothing;
  nothing.outside = system.profile.outside;
  const backup::Status& st = look->status ? *look->status : nothing;
  Json out = report::to_json(st, system);
  out["title"] = printable(system.title);
  out["time"] = format_utc(now);
  out["verdict"] = verdict(look->status, !attention.empty());
  out["recovery_point"] = recovery_point(system, look->status, now);
  out["recovery_time"] = recovery_time(s, system);
  out["proven"] = st.newest_good ? report::verified_json(*st.newest_good) : Json(nullptr);
  out["attention"] = to_json(attention);
  out["service"] = service_json(s, look->fault);
  return json_answer(out);
}

Json growth_json(const repository::PointSummary& p) {
  const double seconds =
      static_cast<double>(p.finished.seconds - p.started.seconds) +
      (static_cast<double>(p.finished.nanoseconds) - static_cast<double>(p.started.nanoseconds)) / 1e9;
  return {{"point", p.id.hex()},
          {"time", format_utc(p.finished)},
          {"origin", repository::to_text(p.origin)},
          {"scope", repository::to_text(p.scope)},
          {"section", printable(p.section)},
          {"protected_bytes", p.bytes()},
          {"seconds", std::max(seconds, 0.0)}};
}

Response growth(Services& s, Request& request) {
  const auto since = time_of(request, "since");
  const Archive::View view = s.archive.look();
  std::vector<std::size_t> chosen;
  std::uint64_t protected_bytes = 0;
  for (std::size_t i = view.points->size(); i-- > 0;) {
    const repository::PointSummary& p = (*view.points)[i];
    protected_bytes += p.bytes();
    if (!since || p.finished >= *since) chosen.push_back(i);
  }
  std::vector<GrowthSample> samples = s.growth.since(since);
  const auto newest = s.growth.newest();
  const bool ratio = newest && newest->stored_bytes != 0;
  const Json now{{"stored_bytes", newest ? Json(newest->stored_bytes) : Json(nullptr)},
                 {"protected_bytes", protected_bytes},
                 {"points", view.points->size()},
                 {"ratio", ratio ? Json(static_cast<double>(newest->protected_bytes) /
                                        static_cast<double>(newest->stored_bytes))
                                 : Json(nullptr)}};
  const std::size_t points = chosen.size(), sampled = samples.size();
  return LongAnswer()
      .list("points", points,
            [all = view.points, chosen = std::move(chosen)](std::size_t i) {
              return growth_json((*all)[chosen[i]]);
            })
      .list("samples", sampled,
            [samples = std::move(samples)](std::size_t i) {
              const GrowthSample& x = samples[i];
              return Json{{"time", format_utc(x.time)},
                          {"stored_bytes", x.stored_bytes},
                          {"protected_bytes", x.protected_bytes},
                          {"points", x.points}};
            })
      .answer({{"now", now}});
}

Json item_json(const item::ItemSpec& i, std::string_view state, const Json& reason, const Json& places) {
  return {{"name", i.name},
          {"title", i.title},
          {"kind", i.kind},
          {"section", i.section},
          {"criticality", item::to_text(i.criticality)},
          {"if_lost", i.if_lost},
          {"proven_on", i.proven_on},
          {"state", state},
          {"reason", reason},
          {"places", places}};
}

Json section_json(Services& s, const system::System& system, const system::Section& section) {
  Json items = Json::array(), schedules = Json::array();
  for (const item::ItemSpec& expected : system.profile.items) {
    if (expected.section != section.name) continue;
    const item::ItemSpec* i = system.find(expected.name);
    if (i == nullptr) {
      items.push_back(item_json(expected, "not_configured", nullptr, Json::array()));
      continue;
    }
    Json places = Json::array();
    for (const auto& path : s.adapters.get(*i).covers(*i))
      if (!path.empty()) places.push_back(printable(path.string()));
    items.push_back(item_json(*i, i->excluded ? "excluded" : "configured",
                              i->excluded ? Json(printable(*i->excluded)) : Json(nullptr), places));
  }
  for (const auto& x : system.settings.schedules)
    if (x.run == system::ScheduleSettings::Run::backup && (x.section == section.name || x.section.empty()))
      schedules.push_back(x.name);
  return {{"name", section.name}, {"title", section.title}, {"schedules", schedules}, {"items", items}};
}

Response system_page(Services& s, Request&) {
  const auto system = s.system();
  Json copies = Json::array(), sections = Json::array(), excluded = Json::array();
  for (const auto& c : system->copies)
    copies.push_back({{"name", c.name}, {"repository", printable(c.repository)}});
  for (const auto& section : system->profile.sections) sections.push_back(section_json(s, *system, section));
  for (const auto& i : system->items)
    if (i.excluded) excluded.push_back({{"what", i.name}, {"reason", printable(*i.excluded)}});
  for (const auto& x : system->excluded)
    excluded.push_back({{"what", printable(x.path.string())}, {"reason", printable(x.reason)}});
  return json_answer({{"id", system->id},
                      {"name", system->name},
                      {"title", printable(system->title)},
                      {"sample", system->sample},
                      {"profile", {{"name", system->profile.name}, {"title", system->profile.title}}},
                      {"repository", printable(system->repository)},
                      {"copies", copies},
                      {"objectives",
                       {{"recovery_point", or_null(system->recovery_point)},
                        {"recovery_time", or_null(system->recovery_time)}}},
                      {"sections", sections},
                      {"excluded", excluded},
                      {"outside", system->profile.outside}});
}

Response review(Services& s, Request& request) {
  backup::Selection selection;
  selection.section = text_of(request, "section");
  if (const std::string items = text_of(request, "items"); !items.empty())
    selection.items = split(items, ',');
  const auto sizes = flag_of(request, "sizes", true) ? backup::Sizes::yes : backup::Sizes::no;
  return json_answer(report::to_json(backup::review(*s.system(), selection, s.adapters, s.world, sizes)));
}

}  // namespace

void add_status_routes(http::Router& router, Services& s) {
  const std::string see(to_text(Right::see));
  router.add(Method::get, "/api/v1/status", see, [&s](Request& r) { return status(s, r); });
  router.add(Method::get, "/api/v1/alerts", see, [&s](Request&) {
    return json_answer({{"alerts", to_json(alerts(s, *s.standing.look()))}});
  });
  router.add(Method::get, "/api/v1/growth", see, [&s](Request& r) { return growth(s, r); });
  router.add(Method::get, "/api/v1/system", see, [&s](Request& r) { return system_page(s, r); });
  router.add(Method::get, "/api/v1/review", see, s.long_looks([&s](Request& r) { return review(s, r); }));
}

}  // namespace holdfast::service
