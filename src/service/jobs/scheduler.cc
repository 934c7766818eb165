#include "service/jobs/scheduler.h"

#include <algorithm>
#include <exception>

#include "base/error.h"
#include "base/text.h"
#include "service/jobs/job_command.h"

namespace holdfast::service {
namespace {

using schedule::Decision;
using system::ScheduleSettings;

constexpr std::chrono::milliseconds kShortestWait{50};   // a slot is a whole second; the clock may be just before it

std::vector<Timestamp> next_runs(const schedule::Calendar& calendar, Timestamp now) {
  std::vector<Timestamp> runs;
  for (auto next = calendar.next_after(now); next && runs.size() < ScheduleState::kNextRuns; next = calendar.next_after(*next)) runs.push_back(*next);
  return runs;
}

ScheduleState state_of(const ScheduleSettings& settings, Jobs* jobs, const schedule::ZoneFiles& zones, Timestamp now) {
  ScheduleState s;
  s.settings = settings;
  if (jobs) s.last = jobs->newest_of(settings.name);
  try {
    s.calendar = schedule::Calendar::parse(settings.calendar, zones);
  } catch (const Error& e) {
    s.unusable = e.message();
    s.hint = e.hint();
    return s;
  }
  s.next = next_runs(*s.calendar, now);
  if (!settings.enabled) return s;
  const auto since = jobs ? jobs->known_since(settings.name, s.calendar->normal_form()) : std::nullopt;
  s.known = since.has_value();
  const schedule::Schedule schedule{*s.calendar, true, since.value_or(now)};
  s.decision = decide(schedule, jobs ? jobs->runs(settings.name) : std::vector<schedule::JobRun>{}, now);
  // For decide() a slot whose job was queued has its run; one that waits behind other jobs for too long has not started all the same.
  if (s.last && s.last->state == Job::State::queued && s.last->slot && now.seconds - s.last->slot->seconds > schedule.patience.count()) s.decision.overdue = s.last->slot;
  return s;
}

bool has_failed(const Job& job) { return job.state == Job::State::ended && job.exit_code != 0 && job.exit_code != 3; }

bool is_open(const std::optional<Job>& job) { return job && (job->state == Job::State::queued || job->state == Job::State::running); }

std::string described(const Job& job) { return "job " + std::to_string(job.id) + " of " + format_utc(job.started.value_or(job.queued)); }

std::string overdue_hint(const ScheduleState& s) {
  if (s.last && s.last->state == Job::State::running) return described(*s.last) + " still runs: is it stuck?";
  if (is_open(s.last)) return described(*s.last) + " waits for other jobs";
  return "does the service run (holdfast serve)? 'holdfast " + std::string(to_text(s.settings.run)) + "' does it by hand";
}

void look_at(const ScheduleState& s, Timestamp now, Findings& found) {
  const std::string name = "[schedule." + s.settings.name + "]";
  if (!s.calendar) {
    found.push_back({"calendar_unusable", name, s.unusable, s.hint});
    return;
  }
  if (!s.known) {
    found.push_back({"schedule_unknown", name, "it is on, and no service has run since it was switched on: it does not run", "start the service: holdfast serve"});
    return;
  }
  if (s.decision.overdue)
    found.push_back({"schedule_overdue", name, "its run of " + format_utc(*s.decision.overdue) + " has not started", overdue_hint(s)});
  if (s.decision.ahead && *s.decision.ahead > now)
    found.push_back({"clock_behind", name, "it ran, or was switched on, at " + format_utc(*s.decision.ahead) + ", which is still to come: the clock was wrong then, or is now",
                     "look at the clock; when it is right, switch the schedule off and on: what would run until then is taken as done"});
  if (!s.last) return;
  if (has_failed(*s.last))
    found.push_back({"schedule_failed", name, described(*s.last) + " failed with exit code " + std::to_string(*s.last->exit_code), "its log says why"});
  if (s.last->state == Job::State::interrupted)
    found.push_back({"schedule_interrupted", name, described(*s.last) + " was interrupted",
                     s.last->slot ? "it runs again when the service runs; a run that was interrupted " + std::to_string(Jobs::kTimesInterrupted) +
                                        " times is left until the next one is due"
                                  : "a person had started it: start it again, or wait for the next run"});
}

Finding blocked_by(const std::exception& e) {
  const auto* error = dynamic_cast<const Error*>(&e);
  return {"schedules_blocked", "the service's schedules", std::string("what is due cannot be queued: ") + e.what(), error ? error->hint() : ""};
}

}  // namespace

std::vector<ScheduleState> schedule_states(const system::Settings& settings, Jobs* jobs, const schedule::ZoneFiles& zones, Timestamp now) {
  std::vector<ScheduleState> states;
  for (const ScheduleSettings& s : settings.schedules) states.push_back(state_of(s, jobs, zones, now));
  return states;
}

Findings schedule_findings(const std::vector<ScheduleState>& states, Timestamp now) {
  Findings found;
  for (const ScheduleState& s : states)
    if (s.settings.enabled) look_at(s, now, found);
  return found;
}

Scheduler::Scheduler(LiveConfiguration& configuration, Jobs& jobs, Audit& audit, platform::Clock& clock, schedule::ZoneFiles zones, Queue queue, Tell tell)
    : configuration_(configuration), jobs_(jobs), audit_(audit), clock_(clock), zones_(std::move(zones)), queue_(std::move(queue)), tell_(std::move(tell)) {}

Scheduler::~Scheduler() { finish(); }

void Scheduler::start() {
  thread_ = std::thread([this] { work(); });
}

void Scheduler::finish() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Scheduler::wake() {
  {
    std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
}

void Scheduler::work() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    woken_ = false;
    lock.unlock();
    std::chrono::nanoseconds wait = kLongestWait;
    std::optional<Finding> blocked;
    try {
      wait = look();
    } catch (const std::exception& e) {
      try {
        blocked = blocked_by(e);
      } catch (const std::bad_alloc&) {   // told after the next look
      }
    }
    lock.lock();
    blocked_ = std::move(blocked);
    changed_.wait_for(lock, wait, [this] { return ending_ || woken_; });
  }
}

// A schedule that is off, or gone from the file, begins anew when it is switched on again.
void Scheduler::follow(const system::Settings& settings) {
  for (const std::string& name : jobs_.switched_on()) {
    const ScheduleSettings* s = settings.find_schedule(name);
    if (!s || !s->enabled) jobs_.switched_off(name);
  }
}

std::chrono::nanoseconds Scheduler::look() {
  configuration_.refresh();
  const auto system = configuration_.now();
  follow(system->settings);
  std::lock_guard queueing(queueing_);
  const Timestamp now = clock_.now();
  std::vector<ScheduleState> states = schedule_states(system->settings, &jobs_, zones_, now);
  std::chrono::nanoseconds wait = kLongestWait;
  std::exception_ptr fault;   // the first
  std::optional<Finding> blocked;
  for (ScheduleState& s : states) {
    try {
      if (!s.known) {
        jobs_.on_since(s.settings.name, s.calendar->normal_form());
        s = state_of(s.settings, &jobs_, zones_, now);
      }
      if (s.decision.state == Decision::State::due) {
        queue(s.settings, s.decision.slot, {"schedule " + s.settings.name, "service"});
        s = state_of(s.settings, &jobs_, zones_, now);
      }
    } catch (const std::exception& e) {
      if (fault) continue;
      fault = std::current_exception();
      blocked = blocked_by(e);
    }
    if (s.decision.next)
      if (const auto until = std::chrono::seconds(s.decision.next->seconds - now.seconds) - std::chrono::nanoseconds(now.nanoseconds); until < wait) wait = until;
  }
  Findings found = schedule_findings(states, now);
  if (auto wrong = configuration_.wrong()) found.push_back(std::move(*wrong));
  if (blocked) found.push_back(std::move(*blocked));
  if (tell_ && found != told_) tell_(found);
  told_ = std::move(found);
  if (fault) std::rethrow_exception(fault);
  return std::max<std::chrono::nanoseconds>(wait, kShortestWait);
}

std::int64_t Scheduler::queue(const ScheduleSettings& schedule, std::optional<Timestamp> slot, const Actor& by) {
  return queue_(job_of(schedule, slot, audit_.head()), by);
}

std::vector<ScheduleState> Scheduler::states() { return schedule_states(configuration_.now()->settings, &jobs_, zones_, clock_.now()); }

Findings Scheduler::findings() {
  Findings found = schedule_findings(states(), clock_.now());
  if (auto wrong = configuration_.wrong()) found.push_back(std::move(*wrong));
  std::lock_guard lock(mutex_);
  if (blocked_) found.push_back(*blocked_);
  return found;
}

std::int64_t Scheduler::run_now(const std::string& name, const Actor& by) {
  const auto system = configuration_.now();
  const ScheduleSettings* s = system->settings.find_schedule(name);
  if (!s) throw Error(Code::unknown_name, "there is no schedule '" + printable(name) + "'").safe("nothing was started").hint("'holdfast schedule list' shows them");
  std::lock_guard queueing(queueing_);
  if (const auto last = jobs_.newest_of(name); is_open(last))
    throw Error(Code::busy, "schedule '" + name + "' is not run a second time: " + described(*last) + " has not ended").safe("nothing was started").hint("wait for it, or stop it");
  return queue(*s, std::nullopt, by);
}

}  // namespace holdfast::service
