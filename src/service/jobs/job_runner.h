// Runs the queued jobs, one after another: each is a process of its own, the same program with a verb (job_command.h). Its lines go
// into the log of its job and to whoever listens; its end is written down together with what the service makes of it.
//
// A job is started, and marked as running, only when that is durable. What the state file does not take is tried again until it does;
// findings() tells meanwhile. A job's process gets SIGTERM when the service dies; the service that starts then finds a job without an
// end (Jobs::interrupt_unfinished), and starts none of its own before that process is gone: it holds STATE/service.job.
//
// Thread-safe. Has one thread, between start() and finish(). The locks: the runner's own, then the state file's. So nothing here is to
// be called inside a Transaction.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/finding.h"
#include "platform/clock.h"
#include "service/access/audit.h"
#include "service/jobs/job_command.h"
#include "service/jobs/job_output.h"
#include "service/jobs/jobs.h"

namespace holdfast::service {

struct JobEvent {
  enum class Kind {
    state,      // text: "queued", "running"
    line,       // a line of its log, with its number
    progress,   // a JSON line; the newest one counts
    end,        // text: "ended", "interrupted". All lines came before it. The last event of a job
  };
  Kind kind = Kind::state;
  std::int64_t job = 0;
  std::int64_t number = 0;
  std::string text;
};

// Who listens: the way to an event stream. Called under the runner's lock, from any thread, one event after another: it must neither
// block nor call the runner. It bounds its own queue.
class JobListener {
 public:
  virtual ~JobListener() = default;
  virtual bool hear(const JobEvent& event) = 0;   // false: it hears nothing more
  virtual bool listening() const = 0;             // false: it can be forgotten
};

// A job that has ended, for who is told of it.
struct JobReport {
  Job job;
  std::string result;               // its last JSON line, of type result or error; "": there was none
  std::chrono::nanoseconds took{0};   // by the clock that only goes forward
};

class JobRunner {
 public:
  static constexpr std::chrono::seconds kGrace{90};   // from asking a job to stop to killing it; docs/service.md
  // Called in the transaction that ends the job, on the runner's thread; job.state: ended or interrupted. What it throws undoes the end, which is
  // tried again; after some tries the job ends without it, and a finding says so.
  using OnEnd = std::function<void(Transaction& change, const JobReport& report)>;

  // `again`: how long after the state file took nothing it is tried again.
  JobRunner(StateFile& state, Audit& audit, Jobs& jobs, platform::Clock& clock, JobProgram program, OnEnd on_end,
            std::chrono::milliseconds again = std::chrono::seconds(2));
  ~JobRunner();   // finish()

  void start();
  // Starts no more jobs, asks the one that runs to stop, kills it after kGrace, waits for that. A job that it cut off is marked as
  // interrupted; queued ones stay queued.
  void finish();

  // Queues a job. What is secret stays in memory until the job starts. Errors: those of Jobs::add and command_line; unavailable: the service
  // is ending. When the state file takes it at the same time as it says that it does not, it is queued.
  std::int64_t add(const NewJob& job, const Actor& by, JobSecrets secrets = {});
  // Withdraws a queued job, asks a running one to stop (once). Error(not_found), Error(precondition): it has ended.
  void stop(std::int64_t id, const Actor& by);

  struct Running {
    std::int64_t job = 0;
    std::string progress;    // the newest; "": none yet
    bool stopping = false;   // it was asked to stop
  };
  std::optional<Running> running();

  // Tells the listener how the job stands, its lines with numbers above `after`, the newest progress, and from then on all that
  // comes, without a gap and nothing twice. Error(not_found).
  void watch(std::int64_t id, std::int64_t after, std::shared_ptr<JobListener> listener);
  // State, progress and end of every job from now on.
  void watch_all(std::shared_ptr<JobListener> listener);

  // What keeps jobs from being started or written down, now; and ends that could not be told.
  Findings findings();

 private:
  struct Current : Running {
    std::vector<std::string> unsaved;   // lines that the state file does not have yet
    std::int64_t saved = 0;            // how many it has: the number of the last of them
    std::int64_t dropped = 0;          // that could not be kept
    std::size_t unsaved_bytes = 0;
    bool unsure = false;               // the state file may have taken some of them all the same
    bool cut_off = false;              // asked to stop because the service ends
    std::chrono::nanoseconds save_at{0};
  };
  struct Watcher {
    std::int64_t job;   // 0: all
    std::shared_ptr<JobListener> listener;
  };

  void work();
  std::optional<Job> next();
  std::optional<Job> start_next();
  void await_other_jobs();
  std::int64_t record(const NewJob& job, const Actor& by);
  void run(const Job& job);
  // Starts the process, hears it to its end; its exit code.
  int converse(const Job& job, JobOutput& output);
  void heard(JobOutput::Kind kind, const std::string& text);
  bool save_lines();
  void write_lines();
  bool save_all_lines();
  void conclude(const Job& job, int exit_code, const JobOutput& output, std::chrono::nanoseconds took);
  Job write_end(const Job& job, int exit_code, const JobOutput& output, std::chrono::nanoseconds took, int& failures);
  bool must_stop();
  bool save_is_due();
  template <class Act>
  void keep_hearing(const Act& act);
  void trouble(const char* what, const std::exception& error);   // under the lock, as are the next four
  void not_told(const Job& job);
  void tell(const JobEvent& event);
  static bool hears(Watcher& watcher, const JobEvent& event);
  bool repeat(const Job& job, std::int64_t after, Watcher& watcher);

  StateFile& state_;
  Audit& audit_;
  Jobs& jobs_;
  platform::Clock& clock_;
  const JobProgram program_;
  const OnEnd on_end_;
  const std::chrono::milliseconds again_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool ending_ = false, woken_ = false;
  bool alone_ = false;                     // no job of an earlier service runs
  std::optional<std::int64_t> starting_;   // the job whose start may have been written down although that failed
  std::optional<Current> current_;
  std::map<std::int64_t, JobSecrets> secrets_;
  std::vector<Watcher> watchers_;
  std::optional<Finding> trouble_;
  Findings untold_;
  std::thread thread_;
};

}  // namespace holdfast::service
