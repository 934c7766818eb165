// Whether a scheduled job is to run now: a decision out of values, without a clock, a thread or a memory of its own. Who keeps the
// history and starts the job is the caller. `now` may be anything: clocks are set, machines sleep.
//
//  - A slot is an instant that the calendar names. It is due when it has passed and neither it nor a later one had its run.
//  - Several slots that were missed are caught up by one run, which is for the latest of them.
//  - A job that runs is not started a second time. The slots that pass meanwhile are missed ones when it ends.
//  - A clock that is set back: a slot that had its run never gets a second one. Up to kStepBack nothing runs until the clock has
//    come again to where it was. If it was set back further, the runs that lie further ahead do not count until the clock comes
//    near to them: a clock that was years ahead for a minute must not stop the backups for years. See Decision::ahead.
//  - A clock that jumps forward, even for years, makes one run.
//  - A slot is overdue when it should have had its run for longer than Schedule::patience, whoever should have started it, and
//    also while an earlier run goes on and on. That is for the service and `status` to raise; the job itself cannot.
#pragma once

#include <chrono>
#include <optional>
#include <span>

#include "base/time.h"
#include "schedule/calendar.h"

namespace holdfast::schedule {

// Clocks are set back by some minutes because they were fast, and by up to 14 hours because their zone was wrong.
inline constexpr std::chrono::hours kStepBack{24};
// Two clocks that are looked after differ by less; what is dated further ahead is worth a word.
inline constexpr std::chrono::minutes kAhead{5};

struct Schedule {
  Calendar calendar;
  bool enabled = false;
  // When it was switched on or its calendar changed, whatever is later: slots until then are none of its own.
  Timestamp since;
  // How late a run may start: jobs wait for each other.
  std::chrono::seconds patience = std::chrono::minutes{15};
};

// One run of the job. Written down before the job starts; one that a crash cut off is ended by who finds it.
struct JobRun {
  Timestamp slot;                   // Decision::slot; of a run that a person asked for: when it was
  Timestamp started;
  std::optional<Timestamp> ended;   // nullopt: it runs
};

struct Decision {
  enum class State {
    off,       // not enabled: nothing else is set
    waiting,   // until `next`; without it the calendar never comes again
    running,   // whatever is due waits until it ends
    due,       // run it now, for `slot`
  };
  State state = State::off;
  std::optional<Timestamp> slot;      // for `due`
  std::optional<Timestamp> next;      // the next slot after now that will have a run
  std::optional<Timestamp> overdue;   // the oldest slot that waits for its run for too long
  // The furthest date of a run or of `since` that is ahead of now by more than kAhead: the clock was wrong then or is now. Until
  // it is reached, slots may pass without a run because they had theirs; a person looks at the clock, or switches the schedule
  // off and on.
  std::optional<Timestamp> ahead;
};

// `runs` since the schedule was switched on (in the order of events, not of dates), in any order. The newest one is enough while
// clocks go forward; a set-back clock repeats no slot that is among them. A hundred or so are plenty.
Decision decide(const Schedule& schedule, std::span<const JobRun> runs, Timestamp now);

}  // namespace holdfast::schedule
