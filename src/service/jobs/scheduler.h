// Starts what holdfast.toml says is to run by itself, when it is due; and tells how each schedule stands.
//
// When a job is due is schedule/due.h, what it does is job_command.h, what ran before is in Jobs. A schedule is off until it is
// switched on; a job of which one is queued or runs is not queued a second time.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/finding.h"
#include "platform/clock.h"
#include "schedule/due.h"
#include "service/access/audit.h"
#include "service/jobs/jobs.h"
#include "service/jobs/live_configuration.h"

namespace holdfast::service {

// How a schedule stands.
struct ScheduleState {
  system::ScheduleSettings settings;
  std::optional<schedule::Calendar> calendar;   // nullopt: unusable, as its time zone is not on this machine
  std::string unusable, hint;                   // why, and what to do
  schedule::Decision decision;
  std::vector<Timestamp> next;                  // its next runs, up to kNextRuns; of one that is off: when it would run
  bool known = true;                            // false: it is on, and no service has run since it was switched on
  std::optional<Job> last;                      // its newest job

  static constexpr std::size_t kNextRuns = 5;
};

// Of every schedule, in the order of the file. Changes nothing, so that `status` asks it, too, beside the service or without one.
// `jobs`: nullptr when there is no state file.
std::vector<ScheduleState> schedule_states(const system::Settings& settings, Jobs* jobs, const schedule::ZoneFiles& zones, Timestamp now);

// What a person must know of them: schedule_overdue, schedule_unknown, schedule_failed, schedule_interrupted, clock_behind,
// calendar_unusable (docs/findings.md). Of schedules that are off nothing.
Findings schedule_findings(const std::vector<ScheduleState>& states, Timestamp now);

// Thread-safe. Has one thread between start() and finish(); a test calls look() itself.
class Scheduler {
 public:
  // Queues a job: JobRunner::add. Returns its id.
  using Queue = std::function<std::int64_t(const NewJob& job, const Actor& by)>;
  // Called after a look with what a person must know, when that is not what it was before; once at the beginning. It must not call the
  // scheduler; when it throws, it is called again after the next look.
  using Tell = std::function<void(const Findings& findings)>;

  Scheduler(LiveConfiguration& configuration, Jobs& jobs, Audit& audit, platform::Clock& clock, schedule::ZoneFiles zones, Queue queue, Tell tell);
  ~Scheduler();   // finish()

  void start();
  void finish();
  // Look again at once: the configuration was changed, a job has ended.
  void wake();

  // Follows the configuration, queues what is due. Returns how long nothing will be due, at most kLongestWait: a clock that is set is
  // noticed after that. Errors: those of the state file and of the queue, thrown when every schedule had its turn.
  std::chrono::nanoseconds look();
  static constexpr std::chrono::seconds kLongestWait{10};

  std::vector<ScheduleState> states();
  // Those of schedule_findings; configuration_wrong; schedules_blocked: the latest look failed.
  Findings findings();

  // Runs it now, also one that is off. Its slots until now need no run of their own then. Error(unknown_name); Error(busy): a job of
  // it is queued or runs; those of the queue.
  std::int64_t run_now(const std::string& schedule, const Actor& by);

 private:
  void work();
  void follow(const system::Settings& settings);
  std::int64_t queue(const system::ScheduleSettings& schedule, std::optional<Timestamp> slot, const Actor& by);

  LiveConfiguration& configuration_;
  Jobs& jobs_;
  Audit& audit_;
  platform::Clock& clock_;
  const schedule::ZoneFiles zones_;
  const Queue queue_;
  const Tell tell_;

  std::mutex queueing_;   // held from seeing that a schedule has no job to queueing one
  std::optional<Findings> told_;
  std::mutex mutex_;      // for the rest
  std::condition_variable changed_;
  bool ending_ = false, woken_ = false;
  std::optional<Finding> blocked_;
  std::thread thread_;
};

}  // namespace holdfast::service
