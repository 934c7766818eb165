#include "service/api/job_events.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "service/api/services.h"

namespace holdfast::service {
namespace {

// Bytes of a result in an event: the queue of a stream holds 64 KiB. A larger one is asked for.
constexpr std::size_t kLargestResult = 16 * 1024;

std::string dumped(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

// A line of --json without what only tells lines apart; null when it is none.
Json line_json(const std::string& text) {
  Json line = text.empty() ? Json(nullptr) : Json::parse(text, nullptr, false);
  if (!line.is_object()) return nullptr;
  line.erase("type");
  line.erase("schema");
  return line;
}

Json outcome(const Job& job) {
  if (job.state == Job::State::interrupted) return "interrupted";
  if (!job.exit_code) return nullptr;
  switch (*job.exit_code) {
    case 0:
      return "done";
    case 3:
      return "findings";
    case 130:
      return "stopped";
    default:
      return "failed";
  }
}

// What a schedule's backup carries for a later look at the audit log is nothing for people. As long as a line of a
// log at most: the arguments may have more than a stream's queue holds.
std::string does(const Job& job) {
  std::string text = job.kind;
  for (const std::string& a : job.arguments)
    if (a != "--scheduled" && !(job.schedule && a.starts_with("--label="))) text += " " + a;
  return Jobs::kept(text);
}

class StreamListener final : public JobListener {
 public:
  StreamListener(Services& services, const std::shared_ptr<http::EventStream>& stream, EventsOf what)
      : services_(services), stream_(stream), what_(what) {}

  bool listening() const override {
    const auto stream = stream_.lock();
    return stream && stream->open();
  }

  bool hear(const JobEvent& event) override {
    const auto stream = stream_.lock();
    if (!stream) return false;
    http::Event out;
    try {
      out = told(event);
    } catch (...) {  // the state file, as a rule: the client comes back, and is told then
      stream->end();
      throw;
    }
    // More than the client has taken: it comes back for the rest, and says which line it saw last.
    if (!stream->fits(out)) {
      stream->end();
      return false;
    }
    if (!stream->post(out)) return false;
    if (what_ == EventsOf::one_job && event.kind == JobEvent::Kind::end) stream->end();
    return true;
  }

 private:
  // Called under the runner's lock: only the state file is asked, whose lock comes after it.
  http::Event told(const JobEvent& event) {
    switch (event.kind) {
      case JobEvent::Kind::line:
        return {std::to_string(event.number), "line",
                dumped({{"number", event.number}, {"text", event.text}})};
      case JobEvent::Kind::progress: {
        Json progress = line_json(event.text);
        progress_ = progress;
        if (what_ == EventsOf::all_jobs && progress.is_object()) progress["job"] = event.job;
        return {"", "progress", dumped(progress)};
      }
      case JobEvent::Kind::state:
        return {"", "job", job_at(event.job)};
      case JobEvent::Kind::end:
        return {"", what_ == EventsOf::one_job ? "end" : "job", job_at(event.job)};
    }
    return {};
  }
  std::string job_at(std::int64_t id);

  Services& services_;
  const std::weak_ptr<http::EventStream> stream_;
  const EventsOf what_;
  Json progress_ = nullptr;
};

Json without_progress(const Job& job) {
  return {{"id", job.id},
          {"kind", job.kind},
          {"does", does(job)},
          {"state", to_text(job.state)},
          {"who", job.who},
          {"schedule", job.schedule ? Json(*job.schedule) : Json(nullptr)},
          {"slot", time_or_null(job.slot)},
          {"queued", format_utc(job.queued)},
          {"started", time_or_null(job.started)},
          {"ended", time_or_null(job.ended)},
          {"exit", job.exit_code ? Json(*job.exit_code) : Json(nullptr)},
          {"outcome", outcome(job)},
          {"findings", job.findings},
          {"lines", job.lines},
          {"stopping", false},
          {"progress", nullptr},
          {"result", nullptr},
          {"approvals", Json::array()}};
}

std::string StreamListener::job_at(std::int64_t id) {
  const auto job = services_.jobs.find(id);
  if (!job) return "null";
  Json out = without_progress(*job);
  if (job->state == Job::State::running && what_ == EventsOf::one_job) out["progress"] = progress_;
  if (const std::string result = services_.jobs.result(id); result.size() <= kLargestResult) out["result"] = line_json(result);
  return dumped(out);
}

}  // namespace

Json job_json(Services& services, const Job& job, JobResult result) {
  Json out = without_progress(job);
  if (const auto running = services.runner.running(); running && running->job == job.id) {
    out["stopping"] = running->stopping;
    out["progress"] = line_json(running->progress);
  }
  if (result == JobResult::with) out["result"] = line_json(services.jobs.result(job.id));
  return out;
}

std::string job_text(Services& services, const Job& job) {
  return dumped(job_json(services, job, JobResult::without));
}

std::shared_ptr<JobListener> job_listener(Services& services,
                                          const std::shared_ptr<http::EventStream>& stream, EventsOf what) {
  return std::make_shared<StreamListener>(services, stream, what);
}

void Topics::watch(const std::shared_ptr<http::EventStream>& stream, Told told, Still still) {
  std::lock_guard lock(mutex_);
  std::erase_if(streams_, [](const Watched& w) { return w.stream.expired(); });
  streams_.push_back({stream, told, std::move(still)});
}

void Topics::changed(std::string_view what) {
  const http::Event event{"", "changed", Json{{"what", what}}.dump()};
  std::lock_guard lock(mutex_);
  std::erase_if(streams_, [&](const Watched& w) {
    const auto stream = w.stream.lock();
    return !stream || (w.told == Told::changes && !stream->post(event));
  });
}

void Topics::end_those_of_others() {
  std::vector<Watched> streams;
  {
    std::lock_guard lock(mutex_);
    streams = streams_;
  }
  for (const Watched& w : streams) try {
      if (const auto stream = w.stream.lock(); stream && !w.still()) stream->end();
    } catch (const Error&) {  // the state file cannot be asked now: at the next time
    }
}

}  // namespace holdfast::service
