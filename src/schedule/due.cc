#include "schedule/due.h"

#include <algorithm>

namespace holdfast::schedule {
namespace {

Timestamp later(Timestamp t, std::chrono::seconds by) { return {t.seconds + by.count(), t.nanoseconds}; }

// Until when no slot needs a run any more: the latest of `since` and of the slots that had one, but what is too far ahead of now.
Timestamp covered_until(const Schedule& schedule, std::span<const JobRun> runs, Timestamp now) {
  const Timestamp believable = later(now, kStepBack);
  std::optional<Timestamp> found;
  auto see = [&](Timestamp t) { if (t <= believable && (!found || t > *found)) found = t; };
  see(schedule.since);
  for (const JobRun& run : runs) see(run.slot);
  return found.value_or(later(now, -kStepBack));
}

// The latest slot until `now`. There is one: `first`. Halves the stretch instead of walking through a million slots.
Timestamp latest_slot(const Calendar& calendar, Timestamp first, Timestamp now) {
  Timestamp slot = first;
  std::int64_t none_after = now.seconds;   // until now, that is
  while (none_after - slot.seconds > 1) {
    const std::int64_t middle = slot.seconds + (none_after - slot.seconds) / 2;
    const auto next = calendar.next_after({middle, 0});
    if (next && *next <= now) slot = *next;
    else none_after = middle;
  }
  const auto next = calendar.next_after(slot);
  return next && *next <= now ? *next : slot;
}

}  // namespace

Decision decide(const Schedule& schedule, std::span<const JobRun> runs, Timestamp now) {
  Decision d;
  if (!schedule.enabled) return d;
  const Timestamp covered = covered_until(schedule, runs, now);
  const auto first = schedule.calendar.next_after(covered);
  const bool missed = first && *first <= now;
  const bool running = std::any_of(runs.begin(), runs.end(), [](const JobRun& run) { return !run.ended; });

  d.state = running ? Decision::State::running : missed ? Decision::State::due : Decision::State::waiting;
  if (d.state == Decision::State::due) d.slot = latest_slot(schedule.calendar, *first, now);
  d.next = missed ? schedule.calendar.next_after(now) : first;
  if (missed && later(*first, schedule.patience) < now) d.overdue = first;

  Timestamp furthest = schedule.since;
  for (const JobRun& run : runs) furthest = std::max({furthest, run.slot, run.started});
  if (furthest > later(now, kAhead)) d.ahead = furthest;
  return d;
}

}  // namespace holdfast::schedule
