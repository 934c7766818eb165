// Jobs as JSON, and as server-sent events.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "http/event_stream.h"
#include "service/api/answer.h"
#include "service/job_runner.h"

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

// Tells every stream of /events that something is to be asked for again: "points", "schedules", "settings",
// "alerts". Thread-safe.
class Topics {
 public:
  void watch(const std::shared_ptr<http::EventStream>& stream);
  void changed(std::string_view what);

 private:
  std::mutex mutex_;
  std::vector<std::weak_ptr<http::EventStream>> streams_;
};

}  // namespace holdfast::service
