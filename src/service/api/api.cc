#include "service/api/api.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "service/api/answer.h"
#include "service/metrics.h"

namespace holdfast::service {
namespace {

using http::Method;
using http::Request;
using http::Response;

constexpr std::size_t kJobsAtATime = 500;

ScheduleMetrics metrics_of(const ScheduleState& s) {
  ScheduleMetrics m;
  m.name = s.settings.name;
  m.run = to_text(s.settings.run);
  m.enabled = s.settings.enabled;
  m.overdue = s.settings.enabled && s.decision.overdue.has_value();
  m.next_run = s.settings.enabled ? s.decision.next : std::nullopt;
  return m;
}

// Newer jobs are counted first.
void count(const Job& job, Metrics& m) {
  ++m.jobs[std::string(to_text(job.state))];
  for (ScheduleMetrics& s : m.schedules) {
    if (job.schedule != s.name || !job.ended) continue;
    if (!s.last_run) {
      s.last_run = job.ended;
      s.last_exit = job.exit_code;
      if (job.started) s.last_seconds = static_cast<double>(job.ended->seconds - job.started->seconds);
    }
    if (!s.last_success && job.exit_code == 0) s.last_success = job.ended;
  }
}

void add_points(Services& s, Metrics& m) {
  const auto look = s.standing.look();
  m.repository_reachable = look->status.has_value();
  if (!look->status) return;
  const Archive::View view = s.archive.look();
  m.points = static_cast<std::int64_t>(view.points->size());
  if (const auto& good = look->status->newest_good) {
    m.newest_point = good->finished;
    m.protected_bytes = good->bytes();
  }
  for (const auto& p : *view.points)
    if (p.verified != repository::Level::none && !p.verification_failed &&
        p.system_id == backup::id_of(*look->system)) {
      m.newest_verified = p.finished;
      break;
    }
}

Response metrics(Services& s) {
  const auto system = s.system();
  Metrics m;
  m.version = s.version;
  m.system = system->name;
  m.now = s.world.clock.now();
  m.configuration_good = !s.configuration.wrong();
  if (system->recovery_point) m.recovery_point_objective = longest_seconds(*system->recovery_point);
  try {
    add_points(s, m);
  } catch (const Error&) {  // it went away between two looks: told as such
    m.repository_reachable = false;
  }
  if (const auto size = s.growth.newest()) m.stored_bytes = size->stored_bytes;
  for (auto state : {Job::State::queued, Job::State::running, Job::State::ended, Job::State::interrupted})
    m.jobs[std::string(to_text(state))] = 0;
  for (const ScheduleState& x : s.scheduler.states()) m.schedules.push_back(metrics_of(x));
  for (std::vector<Job> jobs = s.jobs.list(0, kJobsAtATime); !jobs.empty();
       jobs = s.jobs.list(jobs.back().id, kJobsAtATime))
    for (const Job& job : jobs) count(job, m);
  const auto counts = s.notifications.counts();
  m.notifications_waiting = counts.waiting;
  m.notifications_given_up = counts.given_up;
  return http::text_response(200, kMetricsType, render(m));
}

Response description() {
  Response response;
  response.headers = {{"Content-Type", "application/json"}, {"Cache-Control", "no-cache"}};
  response.body = openapi_text();
  return response;
}

// "get /api/v1/points"
std::string operation(std::string_view method, std::string_view pattern) {
  return to_lower_ascii(method) + " " + std::string(pattern);
}

Api::Parameters described_parameters() {
  Api::Parameters out;
  const auto description = nlohmann::json::parse(openapi_text());
  for (const auto& [path, item] : description["paths"].items())
    for (const auto& [method, about] : item.items()) {
      if (!about.is_object() || !about.contains("parameters")) continue;
      auto& names = out[operation(method, (item.contains("servers") ? "" : "/api/v1") + path)];
      for (const auto& parameter : about["parameters"])
        if (parameter["in"] == "query") names.insert(parameter["name"].get<std::string>());
    }
  return out;
}

bool is_console(const Request& request) {
  return request.path.empty() || (request.path.front() != "api" && request.path.front() != "healthz" &&
                                  request.path.front() != "metrics");
}

}  // namespace

Api::Api(Services& s)
    : parameters_(described_parameters()),
      router_([this, &s](Request& request, const http::Route& route) {
        s.guard(request, route);
        if (route.right != kNoSignIn) check_parameters(request, route);
      }),
      files_(embedded_files().subspan(1)) {
  add_session_routes(router_, s);
  add_status_routes(router_, s);
  add_point_routes(router_, s);
  add_job_routes(router_, s);
  add_schedule_routes(router_, s);
  add_settings_routes(router_, s);
  add_recovery_routes(router_, s);
  add_notification_routes(router_, s);
  add_access_routes(router_, s);
  router_.add(Method::get, "/api/v1/openapi.json", std::string(kNoSignIn),
              [](Request&) { return description(); });
  router_.add(Method::get, "/healthz", std::string(kNoSignIn), [](Request&) {
    return json_answer({{"status", "ok"}});
  });
  router_.add(Method::get, "/metrics", std::string(to_text(Right::see)),
              [&s](Request&) { return metrics(s); });
}

// A mistyped name would change what is asked for, or make a dry run a real one.
void Api::check_parameters(const Request& request, const http::Route& route) const {
  const auto known = parameters_.find(operation(http::to_text(route.method), route.pattern));
  for (const http::Field& field : request.query)
    if (known == parameters_.end() || !known->second.contains(field.name))
      throw Error(Code::usage, "there is no parameter '" + printable(field.name) + "' here")
          .safe("nothing was changed")
          .hint("GET /api/v1/openapi.json describes every request");
}

http::Response Api::operator()(Request& request) const {
  if (is_console(request)) return files_(request);
  try {
    return router_(request);
  } catch (const http::Refusal&) {
    throw;
  } catch (const Error& e) {
    // 401 means that the session has ended: a wrong key of a repository or a backup file is something else.
    if (e.code() != Code::wrong_key) throw;
    return problem_answer(422, e);
  }
}

}  // namespace holdfast::service
