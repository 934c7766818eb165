#include "service/jobs/job_runner.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <span>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "platform/child_process.h"

namespace holdfast::service {
namespace {

using namespace std::chrono_literals;
using State = Job::State;

constexpr auto kListen = 100ms;              // how soon a job that is to stop is asked
constexpr auto kSaveEvery = 1s;              // a commit costs four syncs; a second's log is what a crash of the machine costs
constexpr std::size_t kSaveLines = 500;
constexpr std::size_t kSaveBytes = 512 << 10;
constexpr std::size_t kMostUnsaved = 2'000;  // lines, some 8 MB at most: what waits while the state file takes nothing
constexpr auto kLook = 10s;                  // for jobs that were queued without wake()
constexpr int kTries = 5;                    // to end a job together with what the service makes of its end
constexpr std::size_t kMostUntold = 20;

constexpr int kStopped = 130;                // a verb that was interrupted; docs/commands.md
constexpr int kKilled = 128;                 // and above: by a signal

std::string described(const Job& job) { return "job " + std::to_string(job.id) + ", " + job.kind; }

platform::Path lock_of(const JobProgram& program) { return program.state / "service.job"; }

// Not the state file's, which may take tomorrow what it does not take now. One that is damaged in what the service makes of the end never will.
bool is_own_mistake(const std::exception& e) {
  const auto* error = dynamic_cast<const Error*>(&e);
  constexpr std::array kOfTheFile{Code::busy, Code::no_space, Code::permission, Code::io, Code::unavailable};
  return !error || std::find(kOfTheFile.begin(), kOfTheFile.end(), error->code()) == kOfTheFile.end();
}

}  // namespace

JobRunner::JobRunner(StateFile& state, Audit& audit, Jobs& jobs, platform::Clock& clock, JobProgram program, OnEnd on_end, std::chrono::milliseconds again)
    : state_(state), audit_(audit), jobs_(jobs), clock_(clock), program_(std::move(program)), on_end_(std::move(on_end)), again_(again) {}

JobRunner::~JobRunner() { finish(); }

void JobRunner::start() {
  thread_ = std::thread([this] { work(); });
}

void JobRunner::finish() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::int64_t JobRunner::add(const NewJob& job, const Actor& by, JobSecrets secrets) {
  for (const crypto::Secret* secret : {&secrets.password, &secrets.file_password})
    if (secret->size() > platform::ChildProcess::kLongestSecret)
      throw Error(Code::usage, "a password may have at most " + std::to_string(platform::ChildProcess::kLongestSecret) + " bytes here").safe("nothing was started");
  command_line(program_, job, secrets);
  std::int64_t id = 0;
  {
    // The job is not looked at before its secrets are there.
    std::lock_guard lock(mutex_);
    if (ending_) throw Error(Code::unavailable, "no job is started: the service is ending").safe("nothing was started");
    id = record(job, by);
    if (!secrets.password.empty() || !secrets.file_password.empty()) secrets_.emplace(id, std::move(secrets));
    tell({JobEvent::Kind::state, id, 0, std::string(to_text(State::queued))});
    woken_ = true;
  }
  changed_.notify_all();
  return id;
}

// A commit that fails may have happened all the same (state_file.h): the job would run, without its secrets, and be asked for again.
std::int64_t JobRunner::record(const NewJob& job, const Actor& by) {
  const auto newest = [this] {
    const std::vector<Job> found = jobs_.list(0, 1);
    return found.empty() ? 0 : found.front().id;
  };
  const std::int64_t before = newest();
  try {
    return jobs_.add(job, by);
  } catch (const Error&) {
    if (const std::int64_t now = newest(); now > before) return now;
    throw;
  }
}

void JobRunner::stop(std::int64_t id, const Actor& by) {
  std::lock_guard lock(mutex_);
  if (current_ && current_->job == id) {
    if (current_->stopping) return;
    audit_.record(by, "job.stop", "job " + std::to_string(id), "done");
    current_->stopping = true;
    return;
  }
  jobs_.withdraw(id, by);
  secrets_.erase(id);
  tell({JobEvent::Kind::end, id, 0, std::string(to_text(State::ended))});
}

std::optional<JobRunner::Running> JobRunner::running() {
  std::lock_guard lock(mutex_);
  return current_ ? std::optional<Running>(*current_) : std::nullopt;
}

Findings JobRunner::findings() {
  std::lock_guard lock(mutex_);
  Findings all = untold_;
  if (trouble_) all.push_back(*trouble_);
  return all;
}

// --- who listens

bool JobRunner::hears(Watcher& watcher, const JobEvent& event) {
  try {
    return watcher.listener->hear(event);
  } catch (const std::exception&) {
    return false;   // a client that cannot be told comes back; the job goes on
  }
}

void JobRunner::tell(const JobEvent& event) {
  std::erase_if(watchers_, [&](Watcher& watcher) {
    if (watcher.job == 0) return event.kind != JobEvent::Kind::line && !hears(watcher, event);
    if (watcher.job != event.job) return false;
    return !hears(watcher, event) || event.kind == JobEvent::Kind::end;
  });
}

// What came before. False: the watcher hears nothing more.
bool JobRunner::repeat(const Job& job, std::int64_t after, Watcher& watcher) {
  using Kind = JobEvent::Kind;
  constexpr std::size_t kPage = 200;   // an event stream's queue takes no more than some hundred
  const bool over = job.state == State::ended || job.state == State::interrupted;
  if (!over && !hears(watcher, {Kind::state, job.id, 0, std::string(to_text(job.state))})) return false;
  for (std::vector<JobLine> page; !(page = jobs_.lines(job.id, after, kPage)).empty();)
    for (const JobLine& line : page)
      if (!hears(watcher, {Kind::line, job.id, after = line.number, line.text})) return false;
  if (current_ && current_->job == job.id) {
    std::int64_t number = current_->saved;
    for (const std::string& line : current_->unsaved)
      if (++number > after && !hears(watcher, {Kind::line, job.id, number, line})) return false;
    if (!current_->progress.empty() && !hears(watcher, {Kind::progress, job.id, 0, current_->progress})) return false;
  }
  return !over || (hears(watcher, {Kind::end, job.id, 0, std::string(to_text(job.state))}) && false);
}

void JobRunner::watch(std::int64_t id, std::int64_t after, std::shared_ptr<JobListener> listener) {
  std::lock_guard lock(mutex_);
  const auto job = jobs_.find(id);
  if (!job) throw Error(Code::not_found, "there is no job " + std::to_string(id));
  std::erase_if(watchers_, [](const Watcher& w) { return !w.listener->listening(); });
  Watcher watcher{id, std::move(listener)};
  if (repeat(*job, after, watcher)) watchers_.push_back(std::move(watcher));
}

void JobRunner::watch_all(std::shared_ptr<JobListener> listener) {
  std::lock_guard lock(mutex_);
  std::erase_if(watchers_, [](const Watcher& w) { return !w.listener->listening(); });
  watchers_.push_back({0, std::move(listener)});
}

// --- the thread

void JobRunner::work() {
  while (const auto job = next()) run(*job);
}

// Waits for a job, marks it as running. nullopt: the service ends.
std::optional<Job> JobRunner::next() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    woken_ = false;
    try {
      await_other_jobs();
      auto job = start_next();
      trouble_.reset();
      if (job) {
        current_.emplace();
        current_->job = job->id;
        current_->save_at = clock_.elapsed() + kSaveEvery;
        starting_.reset();
        tell({JobEvent::Kind::state, job->id, 0, std::string(to_text(State::running))});
        return job;
      }
      changed_.wait_for(lock, kLook, [this] { return ending_ || woken_; });
    } catch (const std::exception& e) {
      trouble("no job can be started", e);
      changed_.wait_for(lock, again_, [this] { return ending_; });
    }
  }
  return std::nullopt;
}

// Those of a service that was killed: asked to stop when it died, and perhaps not done with that.
void JobRunner::await_other_jobs() {
  if (alone_) return;
  if (platform::ChildProcess::runs_with(lock_of(program_)))
    throw Error(Code::busy, "a job that the service before this one had started has not ended").hint("it was asked to stop; look for a process 'holdfast --json --yes'");
  alone_ = true;
}

// A commit that fails may have happened all the same (state_file.h). A job that was started so is one that nothing else would run: it is
// remembered until it is the current one.
std::optional<Job> JobRunner::start_next() {
  auto job = starting_ ? jobs_.find(*starting_) : std::nullopt;
  if (job && job->state == State::running) return job;
  starting_.reset();
  job = jobs_.next();
  if (job) {
    starting_ = job->id;
    jobs_.start(job->id);
  }
  return job;
}

void JobRunner::run(const Job& job) {
  const auto begun = clock_.elapsed();
  JobOutput output([this](JobOutput::Kind kind, const std::string& text) { heard(kind, text); });
  int exit_code = 0;
  try {
    exit_code = converse(job, output);
  } catch (const std::exception& e) {   // it was not started, as a rule
    const auto* error = dynamic_cast<const Error*>(&e);
    exit_code = info(error ? error->code() : Code::defect).exit_code;
    keep_hearing([&] {
      output.finish();
      heard(JobOutput::Kind::line, Jobs::kept(std::string("holdfast: ") + e.what()));
    });
  }
  keep_hearing([&] { output.finish(); });
  conclude(job, exit_code, output, clock_.elapsed() - begun);
}

int JobRunner::converse(const Job& job, JobOutput& output) {
  std::optional<platform::ChildProcess> process;
  {
    JobSecrets secrets;
    {
      std::lock_guard lock(mutex_);
      if (auto found = secrets_.extract(job.id)) secrets = std::move(found.mapped());
    }
    platform::ChildOptions options{command_line(program_, job, secrets), job_environment(program_), {}, lock_of(program_)};
    for (const crypto::Secret* secret : {&secrets.password, &secrets.file_password})
      if (!secret->empty()) options.secrets.push_back(secret->view());
    process.emplace(options);
  }
  std::optional<std::chrono::nanoseconds> asked;
  bool killed = false;
  while (process->listen(kListen, [&](platform::ChildProcess::From from, std::string_view bytes) { keep_hearing([&] { output.take(from, bytes); }); })) {
    if (!asked && must_stop()) {
      asked = clock_.elapsed();
      process->ask_to_stop();
    } else if (asked && !killed && clock_.elapsed() - *asked >= kGrace) {
      killed = true;
      process->kill();
      keep_hearing([&] { heard(JobOutput::Kind::line, "holdfast: the job did not stop within " + std::to_string(kGrace.count()) + " s and was killed"); });
    }
    if (save_is_due()) save_lines();
  }
  const int exit_code = process->exit_code();
  // One that was asked before it listened for that has stopped as it was asked to.
  return asked && !killed && exit_code == kKilled + SIGTERM ? kStopped : exit_code;
}

// A line for which there is no memory is no reason to end the job.
template <class Act>
void JobRunner::keep_hearing(const Act& act) {
  try {
    act();
  } catch (const std::exception&) {
    std::lock_guard lock(mutex_);
    ++current_->dropped;
  }
}

bool JobRunner::must_stop() {
  std::lock_guard lock(mutex_);
  if (ending_ && !current_->stopping) current_->stopping = current_->cut_off = true;
  return current_->stopping;
}

void JobRunner::heard(JobOutput::Kind kind, const std::string& text) {
  bool full = false;
  {
    std::lock_guard lock(mutex_);
    Current& now = *current_;
    if (kind == JobOutput::Kind::progress) {
      now.progress = text;
      tell({JobEvent::Kind::progress, now.job, 0, text});
      return;
    }
    if (now.unsaved.size() >= kMostUnsaved) {
      ++now.dropped;
      return;
    }
    now.unsaved.push_back(text);
    now.unsaved_bytes += text.size();
    tell({JobEvent::Kind::line, now.job, now.saved + static_cast<std::int64_t>(now.unsaved.size()), text});
    full = !trouble_ && (now.unsaved.size() >= kSaveLines || now.unsaved_bytes >= kSaveBytes);
  }
  if (full) save_lines();
}

bool JobRunner::save_is_due() {
  std::lock_guard lock(mutex_);
  return clock_.elapsed() >= current_->save_at;
}

// False: the state file takes nothing; the lines wait.
bool JobRunner::save_lines() {
  try {
    write_lines();
    return true;
  } catch (const std::exception& e) {
    std::lock_guard lock(mutex_);
    current_->unsure = true;
    current_->save_at = clock_.elapsed() + kSaveEvery;
    trouble("its log cannot be kept", e);
    return false;
  }
}

// No line is heard meanwhile: that is this thread's work, too.
void JobRunner::write_lines() {
  std::vector<std::string> lines;
  std::int64_t id = 0, saved = 0;
  bool unsure = false;
  {
    std::lock_guard lock(mutex_);
    id = current_->job;
    lines = current_->unsaved;
    saved = current_->saved;
    unsure = current_->unsure;
  }
  std::span<const std::string> rest = lines;
  if (unsure) rest = rest.subspan(static_cast<std::size_t>(jobs_.find(id).value().lines - saved));
  if (!rest.empty()) jobs_.log(id, rest);
  std::int64_t dropped = 0;
  {
    std::lock_guard lock(mutex_);
    trouble_.reset();
    current_->save_at = clock_.elapsed() + kSaveEvery;
    current_->unsure = false;
    current_->unsaved.clear();
    current_->unsaved_bytes = 0;
    current_->saved += static_cast<std::int64_t>(lines.size());
    dropped = std::exchange(current_->dropped, 0);
  }
  if (dropped > 0) heard(JobOutput::Kind::line, "holdfast: " + human_count(static_cast<std::uint64_t>(dropped)) + " lines that stood here could not be kept");
}

bool JobRunner::save_all_lines() {
  while (true) {
    {
      std::lock_guard lock(mutex_);
      if (current_->unsaved.empty() && current_->dropped == 0) return true;
    }
    if (!save_lines()) return false;
  }
}

// Until the state file takes it. Only a service that ends gives up: the next one finds a job without an end.
void JobRunner::conclude(const Job& job, int exit_code, const JobOutput& output, std::chrono::nanoseconds took) {
  int failures = 0;
  for (int tries = 1;; ++tries) {
    std::optional<Job> ended;
    std::unique_lock lock(mutex_, std::defer_lock);
    try {
      if (save_all_lines()) ended = write_end(job, exit_code, output, took, failures);
      lock.lock();
    } catch (const std::exception& e) {
      lock.lock();
      trouble("its end cannot be written down", e);
    }
    if (ended && failures == kTries) not_told(*ended);
    if (!ended) changed_.wait_for(lock, again_, [this] { return ending_; });
    if (!ended && !(ending_ && tries >= kTries)) continue;
    if (ended) trouble_.reset();
    current_.reset();
    if (ended) tell({JobEvent::Kind::end, job.id, 0, std::string(to_text(ended->state))});
    return;
  }
}

// `failures`: how often the service could not make of the end what it makes of it, for a reason of its own.
Job JobRunner::write_end(const Job& job, int exit_code, const JobOutput& output, std::chrono::nanoseconds took, int& failures) {
  bool cut_off = false;
  {
    std::lock_guard lock(mutex_);
    cut_off = current_->cut_off && (exit_code == kStopped || exit_code > kKilled);
  }
  // The try before may have done it, although it failed.
  if (const auto found = jobs_.find(job.id); found && found->state != State::running) return *found;
  Transaction change = state_.change();
  const JobReport report{cut_off ? jobs_.interrupt(change, job.id) : jobs_.end(change, job.id, exit_code, output.findings(), output.result()), output.result(), took};
  if (on_end_ && failures < kTries) try {
      on_end_(change, report);
    } catch (const std::exception& e) {
      if (is_own_mistake(e)) ++failures;
      throw;
    }
  change.commit();
  return report.job;
}

void JobRunner::trouble(const char* what, const std::exception& error) {
  try {
    const auto* e = dynamic_cast<const Error*>(&error);
    const std::string which = current_ ? "job " + std::to_string(current_->job) + ": " : "";
    trouble_ = Finding{"jobs_blocked", "the service's jobs", which + what + ": " + error.what(), e ? e->hint() : ""};
  } catch (const std::bad_alloc&) {   // told with the next try
  }
}

void JobRunner::not_told(const Job& job) {
  try {
    if (untold_.size() < kMostUntold)
      untold_.push_back({"end_not_told", described(job), (job.exit_code ? "it ended with exit code " + std::to_string(*job.exit_code) : "it was interrupted") +
                                                             ", and nobody could be told" + (trouble_ ? ": " + trouble_->message : ""), ""});
  } catch (const std::bad_alloc&) {   // it stands in the record of jobs
  }
}

}  // namespace holdfast::service
