#include "service/jobs/jobs.h"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "service/access/rights.h"

namespace holdfast::service {
namespace {

using State = Job::State;

constexpr std::array<std::string_view, 4> kStates{"queued", "running", "ended", "interrupted"};
constexpr int kWithdrawn = 130;   // as a verb that was interrupted
constexpr std::size_t kRuns = 100;
const std::string kSelect =
    "SELECT id, state, kind, arguments, schedule, slot, who, queued, started, ended, exit_code, findings, lines FROM jobs ";

[[noreturn]] void damaged(std::int64_t id) {
  throw Error(Code::damaged, "cannot read job " + std::to_string(id) + " of the service's state file: it is not what was written").safe("nothing was changed");
}

State stored_state(std::int64_t id, const std::string& name) {
  const auto found = std::find(kStates.begin(), kStates.end(), name);
  if (found == kStates.end()) damaged(id);
  return static_cast<State>(found - kStates.begin());
}

std::vector<std::string> stored_arguments(std::int64_t id, const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  std::vector<std::string> arguments;
  if (!json.is_array()) damaged(id);
  for (const auto& a : json) {
    if (!a.is_string()) damaged(id);
    arguments.push_back(a.get<std::string>());
  }
  return arguments;
}

std::optional<Timestamp> time_at(Statement& s, int column) {
  if (s.null(column)) return std::nullopt;
  return Timestamp{s.integer(column), 0};
}

Job read_job(Statement& s) {
  Job job;
  job.id = s.integer(0);
  job.state = stored_state(job.id, s.text(1));
  job.kind = s.text(2);
  job.arguments = stored_arguments(job.id, s.text(3));
  if (!s.null(4)) job.schedule = s.text(4);
  job.slot = time_at(s, 5);
  job.who = s.text(6);
  job.queued = {s.integer(7), 0};
  job.started = time_at(s, 8);
  job.ended = time_at(s, 9);
  if (!s.null(10)) job.exit_code = static_cast<int>(s.integer(10));
  job.findings = s.integer(11);
  job.lines = s.integer(12);
  return job;
}

template <class... Values>
std::vector<Job> read_jobs(Transaction& transaction, const std::string& rest, const Values&... values) {
  Statement s = transaction.ask(kSelect + rest, values...);
  std::vector<Job> jobs;
  while (s.step()) jobs.push_back(read_job(s));
  return jobs;
}

Job require(Transaction& transaction, std::int64_t id, State state) {
  const std::vector<Job> found = read_jobs(transaction, "WHERE id = ?", id);
  if (found.empty()) throw Error(Code::not_found, "there is no job " + std::to_string(id)).safe("nothing was changed");
  if (found.front().state != state)
    throw Error(Code::precondition, "job " + std::to_string(id) + " is " + std::string(to_text(found.front().state)) + ", not " + std::string(to_text(state)))
        .safe("nothing was changed");
  return found.front();
}

std::string described(std::int64_t id, const std::string& kind) { return "job " + std::to_string(id) + ", " + kind; }

}  // namespace

std::string Jobs::kept(std::string_view line) { return shortened(printable(line), kLongestLine); }

std::string_view to_text(Job::State state) { return kStates[static_cast<std::size_t>(state)]; }

std::vector<Job> Jobs::interrupt_unfinished(Transaction& change) {
  std::vector<Job> jobs = read_jobs(change, "WHERE state = 'queued' OR state = 'running' ORDER BY id");
  const Timestamp now{clock_.now().seconds, 0};
  for (Job& job : jobs) {
    change.run("UPDATE jobs SET state = 'interrupted', ended = ? WHERE id = ?", now.seconds, job.id);
    job.state = State::interrupted;
    job.ended = now;
  }
  return jobs;
}

std::int64_t Jobs::add(const NewJob& job, const Actor& by) {
  if (!right_for_job(job.kind)) throw Error(Code::unknown_name, "there is no kind of job '" + printable(job.kind) + "'").safe("nothing was changed");
  std::string shown;
  for (const std::string& a : job.arguments) {
    if (!is_utf8(a)) throw Error(Code::usage, "an argument of a job is not UTF-8: " + printable(a)).safe("nothing was changed");
    shown += (shown.empty() ? "" : " ") + a;
  }
  if (shown.size() > kArgumentBytes)
    throw Error(Code::usage, "the arguments of a job have more than " + std::to_string(kArgumentBytes) + " bytes").safe("nothing was changed");
  std::optional<std::int64_t> slot;
  if (job.slot) slot = job.slot->seconds;
  Transaction change = state_.change();
  if (change.number("SELECT count(*) FROM jobs WHERE state = 'queued'") >= kQueued)
    throw Error(Code::unavailable, "cannot queue the job: " + std::to_string(kQueued) + " wait already").safe("nothing was changed").hint(
        "wait until some have run, or withdraw them");
  change.run("INSERT INTO jobs (state, kind, arguments, schedule, slot, who, queued) VALUES ('queued', ?, ?, ?, ?, ?, ?)", job.kind,
             nlohmann::json(job.arguments).dump(), job.schedule, slot, by.who, clock_.now().seconds);
  const std::int64_t id = change.last_insert();
  audit_.append(change, by, "job.add", described(id, job.kind), "done", shown);
  change.commit();
  return id;
}

std::optional<Job> Jobs::next() {
  Transaction transaction = state_.read();
  std::vector<Job> found = read_jobs(transaction,
                                     "AS j WHERE state = 'queued' AND (schedule IS NULL OR NOT EXISTS (SELECT 1 FROM jobs WHERE state = 'running' AND "
                                     "schedule = j.schedule)) ORDER BY slot IS NOT NULL, id LIMIT 1");
  if (found.empty()) return std::nullopt;
  return found.front();
}

void Jobs::start(std::int64_t id) {
  Transaction change = state_.change();
  const Job job = require(change, id, State::queued);
  if (job.schedule) {
    Statement running = change.ask("SELECT 1 FROM jobs WHERE state = 'running' AND schedule = ?", *job.schedule);
    if (running.step()) throw Error(Code::busy, "job " + std::to_string(id) + " cannot start: one of its schedule runs").safe("nothing was changed");
  }
  change.run("UPDATE jobs SET state = 'running', started = ? WHERE id = ?", clock_.now().seconds, id);
  drop_old(change);
  change.commit();
}

Job Jobs::end(Transaction& change, std::int64_t id, int exit_code, std::int64_t findings, std::string_view result) {
  require(change, id, State::running);
  std::optional<std::string> kept_result;
  if (!result.empty() && result.size() <= kLongestResult) kept_result = printable(result);
  const std::size_t bytes = kept_result ? kept_result->size() : 0;
  change.run("UPDATE jobs SET state = 'ended', ended = ?, exit_code = ?, findings = ?, result = ?, log_bytes = log_bytes + ? WHERE id = ?", clock_.now().seconds,
             exit_code, findings, kept_result, bytes, id);
  return require(change, id, State::ended);
}

Job Jobs::interrupt(Transaction& change, std::int64_t id) {
  require(change, id, State::running);
  change.run("UPDATE jobs SET state = 'interrupted', ended = ? WHERE id = ?", clock_.now().seconds, id);
  return require(change, id, State::interrupted);
}

void Jobs::withdraw(std::int64_t id, const Actor& by) {
  Transaction change = state_.change();
  const Job job = require(change, id, State::queued);
  change.run("UPDATE jobs SET state = 'ended', ended = ?, exit_code = ? WHERE id = ?", clock_.now().seconds, kWithdrawn, id);
  audit_.append(change, by, "job.withdraw", described(id, job.kind), "done");
  change.commit();
}

std::optional<Job> Jobs::find(std::int64_t id) {
  Transaction transaction = state_.read();
  std::vector<Job> found = read_jobs(transaction, "WHERE id = ?", id);
  if (found.empty()) return std::nullopt;
  return found.front();
}

std::string Jobs::result(std::int64_t id) {
  Transaction transaction = state_.read();
  Statement s = transaction.ask("SELECT result FROM jobs WHERE id = ?", id);
  return s.step() ? s.text(0) : "";
}

std::optional<Job> Jobs::newest_of(std::string_view schedule) {
  Transaction transaction = state_.read();
  std::vector<Job> found = read_jobs(transaction, "WHERE schedule = ? ORDER BY id DESC LIMIT 1", schedule);
  if (found.empty()) return std::nullopt;
  return found.front();
}

std::vector<Job> Jobs::list(std::int64_t before, std::size_t limit) {
  Transaction transaction = state_.read();
  return read_jobs(transaction, "WHERE id < ? ORDER BY id DESC LIMIT ?", before <= 0 ? INT64_MAX : before, std::min<std::size_t>(limit, INT64_MAX));
}

void Jobs::log(std::int64_t id, std::span<const std::string> lines) {
  Transaction change = state_.change();
  std::int64_t number = require(change, id, State::running).lines, bytes = 0;
  for (const std::string& line : lines) {
    const std::string text = kept(line);
    change.run("INSERT INTO job_lines VALUES (?, ?, ?)", id, ++number, text);
    bytes += static_cast<std::int64_t>(text.size());
  }
  {
    Statement dropped = change.ask("DELETE FROM job_lines WHERE job = ? AND number <= ? RETURNING length(CAST(text AS BLOB))", id, number - kLines);
    while (dropped.step()) bytes -= dropped.integer(0);
  }
  change.run("UPDATE jobs SET lines = ?, log_bytes = log_bytes + ? WHERE id = ?", number, bytes, id);
  change.commit();
}

std::vector<JobLine> Jobs::lines(std::int64_t id, std::int64_t after, std::size_t limit) {
  Transaction transaction = state_.read();
  Statement s = transaction.ask("SELECT number, text FROM job_lines WHERE job = ? AND number > ? ORDER BY number LIMIT ?", id, after,
                                std::min<std::size_t>(limit, INT64_MAX));
  std::vector<JobLine> found;
  while (s.step()) found.push_back({s.integer(0), s.text(1)});
  return found;
}

void Jobs::drop_old(Transaction& change) {
  // The newest runs of a schedule that is on stay: without them its latest slot would look as if it had had none.
  change.run("DELETE FROM jobs AS j WHERE state IN ('ended', 'interrupted') AND id <= (SELECT max(id) FROM jobs) - ?1 AND "
             "(schedule IS NULL OR NOT EXISTS (SELECT 1 FROM schedules WHERE name = j.schedule) OR "
             "id < (SELECT id FROM jobs WHERE schedule = j.schedule ORDER BY id DESC LIMIT 1 OFFSET ?2))",
             kJobs, kRuns - 1);
  std::int64_t kept = 0;
  std::vector<std::int64_t> without;
  {
    Statement s = change.ask("SELECT id, log_bytes FROM jobs WHERE log_bytes > 0 ORDER BY id DESC");
    while (s.step())
      if ((kept += s.integer(1)) > kLogBytes) without.push_back(s.integer(0));
  }
  for (const std::int64_t id : without) {
    change.run("DELETE FROM job_lines WHERE job = ?", id);
    change.run("UPDATE jobs SET log_bytes = 0, result = NULL WHERE id = ?", id);
  }
}

Timestamp Jobs::on_since(std::string_view schedule, std::string_view calendar) {
  Transaction change = state_.change();
  {
    Statement s = change.ask("SELECT since FROM schedules WHERE name = ? AND calendar = ?", schedule, calendar);
    if (s.step()) return {s.integer(0), 0};
  }
  const Timestamp now{clock_.now().seconds, 0};
  change.run("INSERT INTO schedules VALUES (?1, ?2, ?3, (SELECT coalesce(max(id), 0) FROM jobs)) ON CONFLICT (name) DO UPDATE SET calendar = ?2, since = ?3, "
             "after_job = excluded.after_job",
             schedule, calendar, now.seconds);
  change.commit();
  return now;
}

std::optional<Timestamp> Jobs::known_since(std::string_view schedule, std::string_view calendar) {
  Transaction transaction = state_.read();
  Statement s = transaction.ask("SELECT since FROM schedules WHERE name = ? AND calendar = ?", schedule, calendar);
  if (!s.step()) return std::nullopt;
  return Timestamp{s.integer(0), 0};
}

std::vector<std::string> Jobs::switched_on() {
  Transaction transaction = state_.read();
  Statement s = transaction.ask("SELECT name FROM schedules ORDER BY name");
  std::vector<std::string> names;
  while (s.step()) names.push_back(s.text(0));
  return names;
}

void Jobs::switched_off(std::string_view schedule) {
  Transaction change = state_.change();
  change.run("DELETE FROM schedules WHERE name = ?", schedule);
  change.commit();
}

std::vector<schedule::JobRun> Jobs::runs(std::string_view schedule) {
  Transaction transaction = state_.read();
  const std::vector<Job> jobs = read_jobs(
      transaction, "WHERE schedule = ?1 AND id > coalesce((SELECT after_job FROM schedules WHERE name = ?1), 0) ORDER BY id DESC LIMIT ?2", schedule,
      kRuns);
  std::map<Timestamp, int> interrupted;
  for (const Job& job : jobs)
    if (job.state == State::interrupted && job.slot && job.started) ++interrupted[*job.slot];
  std::vector<schedule::JobRun> runs;
  for (const Job& job : jobs) {
    const Timestamp slot = job.slot.value_or(job.queued);
    if (job.state == State::interrupted && interrupted[slot] < kTimesInterrupted) continue;
    runs.push_back({slot, job.started.value_or(job.queued), job.ended});
  }
  return runs;
}

}  // namespace holdfast::service
