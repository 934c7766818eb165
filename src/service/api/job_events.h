// Jobs as JSON, and as server-sent events.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "http/event_stream.h"
#include "service/api/answer.h"
#include "service/jobs/job_runner.h"

namespace holdfast::service {

struct Services;

enum class JobResult : bool { without, with };  // a list has none: one may be 64 KiB
Json job_json(Services& services, const Job& job, JobResult result);
std::string job_text(Services& services, const Job& job);  // the same, as an event's data

// one_job: "job", "progress", "line" (its number is the id), "end", after which the stream ends. all_jobs:
// "job", "progress".
enum class EventsOf { one_job, all_jobs };
std::shared_ptr<JobListener> job_listener(Services& services,
                                          const std::shared_ptr<http::EventStream>& stream, EventsOf what);

// The event streams that are open. Thread-safe.
class Topics {
 public:
  using Still = std::function<bool()>;  // whether who listens may still
  enum class Told : bool { nothing, changes };
  void watch(const std::shared_ptr<http::EventStream>& stream, Told told, Still still);
  // Something is to be asked for again: "points", "schedules", "settings", "alerts".
  void changed(std::string_view what);
  // Ends the streams of those who may not listen any more: signed out, removed, expired. Asks for each of them.
  void end_those_of_others();

 private:
  struct Watched {
    std::weak_ptr<http::EventStream> stream;
    Told told;
    Still still;
  };
  std::mutex mutex_;
  std::vector<Watched> streams_;
};

}  // namespace holdfast::service
