// The record of jobs: what is to run, runs, and ran; with its log. Processes are started elsewhere.
//
//   queued → running → ended            with the verb's exit code
//      └────────┴────→ interrupted      the service died meanwhile: found at its next start
//
// Each step is durable when its function returns, so a job is written down before its process exists. Two jobs of one schedule never run at a
// time. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "schedule/due.h"
#include "service/access/audit.h"

namespace holdfast::service {

struct NewJob {
  std::string kind;                     // "backup", …: rights.h knows them
  std::vector<std::string> arguments;   // of the verb; never a secret
  std::optional<std::string> schedule;  // of a schedule's: its name
  std::optional<Timestamp> slot;        // that it is for; nullopt: a person started it, also a schedule's
};

struct Job : NewJob {
  enum class State : std::uint8_t { queued, running, ended, interrupted };
  std::int64_t id = 0;
  State state = State::queued;
  std::string who;
  Timestamp queued;
  std::optional<Timestamp> started, ended;
  std::optional<int> exit_code;         // of an ended one; 130 when it was withdrawn before it ran
  std::int64_t findings = 0;
  std::int64_t lines = 0;               // of its log, also those that are not kept any more
};
std::string_view to_text(Job::State state);

struct JobLine {
  std::int64_t number = 0;              // from 1
  std::string text;
};

class Jobs {
 public:
  static constexpr std::int64_t kLines = 10'000;              // kept of one job: the last ones
  static constexpr std::size_t kLongestLine = 4096;           // bytes; more is cut
  static constexpr std::size_t kLongestResult = 64 << 10;     // bytes; a longer one is not kept
  static constexpr std::int64_t kLogBytes = 256LL << 20;      // of all logs with their results: the oldest jobs lose theirs
  static constexpr std::int64_t kJobs = 10'000;               // kept: the newest
  static constexpr int kTimesInterrupted = 3;                 // then a slot counts as run
  static constexpr std::int64_t kQueued = 1000;               // at a time
  static constexpr std::size_t kArgumentBytes = 64 << 10;     // of one job

  Jobs(StateFile& state, Audit& audit, platform::Clock& clock) : state_(state), audit_(audit), clock_(clock) {}

  // For a service that starts: marks every job without an end as interrupted, and returns them; in the caller's transaction, as whoever
  // is told of it is told in any case.
  std::vector<Job> interrupt_unfinished(Transaction& change);

  // Queues a job. Error(unknown_name): no such kind. Error(usage): arguments that are not UTF-8 or too long. Error(unavailable): kQueued wait.
  std::int64_t add(const NewJob& job, const Actor& by);
  // The queued job that comes next: what a person started first (also a schedule's, which has no slot then), then the oldest. One of a
  // schedule whose job runs waits.
  std::optional<Job> next();
  // queued → running. Before its process starts. Error(not_found), Error(precondition): it is not queued, Error(busy): its schedule's
  // job runs.
  void start(std::int64_t id);
  // running → ended, in the caller's transaction: what follows from the end (notifications) is written with it. Returns the ended job.
  // `result`: the verb's last JSON line, or "". Error(precondition).
  Job end(Transaction& change, std::int64_t id, int exit_code, std::int64_t findings, std::string_view result = {});
  // running → interrupted, likewise: the service stops and has cut it off.
  Job interrupt(Transaction& change, std::int64_t id);
  // queued → ended without having run. Error(not_found), Error(precondition).
  void withdraw(std::int64_t id, const Actor& by);

  std::optional<Job> find(std::int64_t id);
  std::string result(std::int64_t id);   // "": none yet, or none kept
  std::optional<Job> newest_of(std::string_view schedule);
  // Newest first: up to `limit` with ids below `before` (0: from the newest).
  std::vector<Job> list(std::int64_t before, std::size_t limit);

  // Lines of a running job, many at a time: each call is a transaction. Error(precondition).
  void log(std::int64_t id, std::span<const std::string> lines);
  // A line as the log keeps it: printable, cut to kLongestLine. Of a kept line it is the line itself.
  static std::string kept(std::string_view line);
  // In order: up to `limit` with numbers above `after`.
  std::vector<JobLine> lines(std::int64_t id, std::int64_t after, std::size_t limit);

  // Since when a schedule is on with this calendar (normal form): remembered, from the first call with it on. For schedule::Schedule.
  Timestamp on_since(std::string_view schedule, std::string_view calendar);
  // The same without remembering: nullopt when on_since() was never called for it since.
  std::optional<Timestamp> known_since(std::string_view schedule, std::string_view calendar);
  std::vector<std::string> switched_on();   // those that on_since() remembers
  void switched_off(std::string_view schedule);
  // For schedule::decide: the newest hundred runs since then. An interrupted one is none, so that its slot is due again; but a slot that was interrupted
  // kTimesInterrupted times while it ran is left, so that a job that takes the machine down with it does not do so for ever.
  std::vector<schedule::JobRun> runs(std::string_view schedule);

 private:
  void drop_old(Transaction& change);

  StateFile& state_;
  Audit& audit_;
  platform::Clock& clock_;
};

}  // namespace holdfast::service
