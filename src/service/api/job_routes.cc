// Jobs: started, watched, stopped; what they said.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "http/event_stream.h"
#include "service/api/answer.h"
#include "service/api/job_events.h"
#include "service/api/job_request.h"
#include "service/api/routes.h"

namespace holdfast::service {
namespace {

using http::Method;
using http::Request;
using http::Response;

constexpr std::size_t kMostLines = 1000, kMostJobs = 1000,
                      kLook = 500, kMostTold = 50;  // kLook: rows read at a time while a filter looks for some
constexpr std::array<std::string_view, 4> kStates{"queued", "running", "ended", "interrupted"};

Job require_job(Services& s, std::int64_t id) {
  auto job = s.jobs.find(id);
  if (!job) throw Error(Code::not_found, "there is no job " + std::to_string(id)).safe("nothing was changed");
  return *job;
}

[[noreturn]] void refuse_kind(std::string_view kind) {
  throw Error(Code::unknown_name, "there is no kind of job '" + printable(kind) + "'")
      .safe("nothing was changed");
}

void require_right(Services& s, const Request& request, const std::string& kind, const std::string& what) {
  const auto right = right_for_job(kind);
  if (!right) refuse_kind(kind);
  s.guard.require(caller_of(request), *right, what);
}

Response accepted(Services& s, std::int64_t id) {
  Response response = json_answer(job_json(s, require_job(s, id), JobResult::with), 202);
  response.headers.push_back({"Location", "/api/v1/jobs/" + std::to_string(id)});
  return response;
}

Response list(Services& s, Request& request) {
  const std::size_t limit = limit_of(request, kMostJobs);
  const auto kind = request.parameter("kind"), state = word_of(request, "state", kStates),
             schedule = request.parameter("schedule");
  if (kind && !right_for_job(*kind)) refuse_kind(*kind);
  std::int64_t before = number_of(request, "after", 0), last = 0;
  Page jobs(limit);
  bool more = false;
  for (std::vector<Job> rows; !more; before = rows.back().id) {
    rows = s.jobs.list(before, kLook);
    for (const Job& job : rows) {
      if ((kind && *kind != job.kind) || (state && *state != to_text(job.state)) ||
          (schedule && job.schedule != std::string(*schedule)))
        continue;
      more = !jobs.add(job_json(s, job, JobResult::without));
      if (more) break;
      last = job.id;
    }
    if (rows.size() < kLook) break;
  }
  return jobs.answer("jobs", {{"next", more ? Json(std::to_string(last)) : Json(nullptr)}});
}

Response start(Services& s, Request& request) {
  Body body(request);
  JobRequest asked = job_request(body);
  require_right(s, request, asked.job.kind, "job " + asked.job.kind);
  return accepted(s, s.runner.add(asked.job, caller_of(request).actor(), std::move(asked.secrets)));
}

Response stop(Services& s, Request& request) {
  const Job job = require_job(s, part_number(request, "job"));
  require_right(s, request, job.kind, "stop job " + std::to_string(job.id));
  s.runner.stop(job.id, caller_of(request).actor());
  return json_answer(job_json(s, require_job(s, job.id), JobResult::with), 202);
}

Response log(Services& s, Request& request) {
  const std::size_t limit = limit_of(request, kMostLines);
  const Job job = require_job(s, part_number(request, "job"));
  const std::int64_t after = number_of(request, "after", 0);
  const auto lines = s.jobs.lines(job.id, after, limit);
  Page out(limit);
  std::int64_t last = after;
  for (const JobLine& l : lines) {
    if (!out.add({{"number", l.number}, {"text", l.text}})) break;
    last = l.number;
  }
  const bool ended = job.state == Job::State::ended || job.state == Job::State::interrupted;
  const bool more = !ended || out.size() < lines.size() || lines.size() == limit;
  const auto first = s.jobs.lines(job.id, 0, 1);
  return out.answer("lines", {{"next", more ? Json(std::to_string(last)) : Json(nullptr)},
                              {"first", first.empty() ? 0 : first.front().number}});
}

Topics::Still still_sees(Services& s, const Request& request) {
  return [&s, caller = caller_of(request)] { return s.guard.still(caller, Right::see); };
}

Response events_of(Services& s, Request& request) {
  const std::int64_t id = part_number(request, "job");
  std::int64_t after = number_of(request, "after", 0);
  if (const auto last = request.header("Last-Event-ID"); last && !last->empty()) {
    Request again;
    again.query = {{"after", std::string(*last)}};
    after = number_of(again, "after", 0);
  }
  auto stream = std::make_shared<http::EventStream>();
  s.topics.watch(stream, Topics::Told::nothing, still_sees(s, request));
  s.runner.watch(id, after, job_listener(s, stream, EventsOf::one_job));
  return {200, {}, stream};
}

Response all_events(Services& s, Request& request) {
  auto stream = std::make_shared<http::EventStream>();
  const auto listener = job_listener(s, stream, EventsOf::all_jobs);
  s.runner.watch_all(listener);
  s.topics.watch(stream, Topics::Told::changes, still_sees(s, request));
  // Those that are under way, after the watch began: what happens between is told twice rather than not at
  // all.
  std::size_t told = 0;
  for (const Job& job : s.jobs.list(0, kLook)) {
    if (job.state != Job::State::queued && job.state != Job::State::running) continue;
    const http::Event event{"", "job", job_text(s, job)};
    if (told++ == kMostTold || !stream->fits(event)) break;
    stream->post(event);
  }
  return {200, {}, stream};
}

Response acknowledge(Services& s, Request& request) {
  const Job job = require_job(s, part_number(request, "job"));
  Body body(request);
  const auto steps = body.texts("steps", 100, 64);
  body.finish();
  if (steps.empty()) throw Error(Code::usage, "'steps' is empty").safe("nothing was changed");
  if (job.kind != "recover" || (job.state != Job::State::ended && job.state != Job::State::interrupted))
    throw Error(Code::precondition, "job " + std::to_string(job.id) + " is no recovery that has ended")
        .safe("nothing was changed");
  NewJob next{"recover", {"--resume"}, {}, {}};
  for (const std::string& step : steps) {
    if (printable(step) != step)
      throw Error(Code::usage, "'steps' holds control characters").safe("nothing was changed");
    next.arguments.push_back("--acknowledge=" + step);
  }
  return accepted(s, s.runner.add(next, caller_of(request).actor()));
}

}  // namespace

void add_job_routes(http::Router& router, Services& s) {
  const std::string see(to_text(Right::see)), recover(to_text(Right::recover)), by_kind(kByKind);
  router.add(Method::get, "/api/v1/jobs", see, [&s](Request& r) { return list(s, r); });
  router.add(Method::post, "/api/v1/jobs", by_kind, [&s](Request& r) { return start(s, r); });
  router.add(Method::get, "/api/v1/jobs/{job}", see, [&s](Request& r) {
    return json_answer(job_json(s, require_job(s, part_number(r, "job")), JobResult::with));
  });
  router.add(Method::del, "/api/v1/jobs/{job}", by_kind, [&s](Request& r) { return stop(s, r); });
  router.add(Method::get, "/api/v1/jobs/{job}/log", see, [&s](Request& r) { return log(s, r); });
  router.add(Method::get, "/api/v1/jobs/{job}/events", see, [&s](Request& r) { return events_of(s, r); });
  router.add(Method::post, "/api/v1/jobs/{job}/acknowledge", recover,
             [&s](Request& r) { return acknowledge(s, r); });
  router.add(Method::get, "/api/v1/events", see, [&s](Request& r) { return all_events(s, r); });
}

}  // namespace holdfast::service
