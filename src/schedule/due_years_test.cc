// Three years with a clock that the test sets: daylight saving time, a leap day (2028), machines that are down, runs that are
// long, clocks that jump. A service that does what Decision says, against a model that knows every slot in advance.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "platform/testing.h"
#include "schedule/due.h"

namespace holdfast::schedule {
namespace {

using Random = std::mt19937_64;
using State = Decision::State;

constexpr std::int64_t kHour = 3'600, kDay = 24 * kHour;
constexpr std::int64_t kBegin = 1'798'761'600, kEnd = kBegin + (3 * 365 + 1) * kDay;   // 2027-01-01 to 2030-01-01
constexpr std::size_t kKept = 100;   // runs that the service remembers: more than any test sets the clock back

std::int64_t between(Random& random, std::int64_t lowest, std::int64_t highest) {
  return std::uniform_int_distribution<std::int64_t>(lowest, highest)(random);
}

// A service of one schedule: looks, starts, writes down. Keeps what the test wants to know.
struct Service {
  Schedule schedule;
  std::vector<JobRun> runs = {};
  std::set<Timestamp> had = {};
  std::int64_t started = 0;
  Timestamp end = {};

  Decision look(Timestamp now, std::int64_t duration) {
    if (!runs.empty() && !runs.back().ended && now >= end) runs.back().ended = now;
    Decision d = decide(schedule, runs, now);
    if (d.state != State::due) return d;
    EXPECT_TRUE(had.insert(*d.slot).second) << "a second run for " << format_utc(*d.slot);
    EXPECT_LE(*d.slot, now);
    ++started;
    runs.push_back({*d.slot, now, std::nullopt});
    if (runs.size() > kKept) runs.erase(runs.begin());
    end = {now.seconds + duration, 0};
    if (duration == 0) runs.back().ended = now;
    return d;
  }
  // The machine goes down and comes up: whoever finds the run ends it.
  void crash(Timestamp now) {
    if (!runs.empty() && !runs.back().ended) runs.back().ended = now;
  }
};

std::vector<std::int64_t> all_slots(const Calendar& calendar) {
  std::vector<std::int64_t> out;
  for (auto t = calendar.next_after({kBegin, 0}); t && t->seconds < kEnd + 800 * kDay; t = calendar.next_after(*t)) out.push_back(t->seconds);
  return out;
}

// Knows only: a list of slots, and how many of them had their run or were caught up.
struct Model {
  std::vector<std::int64_t> slots;
  std::size_t covered = 0;

  std::size_t passed(std::int64_t now) const {
    return static_cast<std::size_t>(std::upper_bound(slots.begin(), slots.end(), now) - slots.begin());
  }
  void expect(const Decision& d, bool running, Timestamp now, std::int64_t patience) {
    const std::size_t until = passed(now.seconds);
    const bool missed = until > covered;
    ASSERT_EQ(d.state, running ? State::running : missed ? State::due : State::waiting) << format_utc(now);
    ASSERT_EQ(d.slot.has_value(), d.state == State::due);
    const bool late = missed && now.seconds - slots[covered] > patience;
    ASSERT_EQ(d.overdue.has_value(), late) << format_utc(now);
    if (late) { ASSERT_EQ(d.overdue->seconds, slots[covered]); }
    ASSERT_EQ(d.next->seconds, slots[std::max(until, covered)]) << format_utc(now);
    if (d.state != State::due) return;
    ASSERT_EQ(d.slot->seconds, slots[until - 1]) << format_utc(now);
    covered = until;
  }
};

struct Counts { std::int64_t looks = 0, runs = 0, catch_ups = 0, downs = 0, back = 0, forward = 0; };

void three_years(const std::string& expression, std::uint64_t seed) {
  Random random(seed);
  platform::ManualClock clock({kBegin, 0});
  const Calendar calendar = Calendar::parse(expression, {platform::real_file_system()});
  Service service{{calendar, true, {kBegin, 0}}};
  Model model{all_slots(calendar)};
  Counts counts;
  std::int64_t furthest = kBegin;
  while (clock.now().seconds < kEnd && !testing::Test::HasFatalFailure()) {
    const Timestamp now = clock.now();
    furthest = std::max(furthest, now.seconds);
    const bool running = !service.runs.empty() && !service.runs.back().ended;
    const std::size_t before = model.covered;
    const std::int64_t duration = between(random, 0, 3) ? between(random, 0, kHour) : between(random, 0, 9) ? 0 : between(random, kHour, 30 * kHour);
    const Decision d = service.look(now, duration);
    model.expect(d, running && d.state == State::running, now, service.schedule.patience.count());
    ++counts.looks;
    counts.catch_ups += model.covered > before + 1;

    switch (between(random, 0, 2'000)) {
      case 0:   // down, for minutes to weeks
        clock.advance(std::chrono::seconds(between(random, 60, between(random, 0, 5) ? 2 * kDay : 40 * kDay)));
        service.crash(clock.now());
        ++counts.downs;
        break;
      case 1:   // set back; never so far in sum that the history does not count
        if (const auto by = std::min(between(random, 1, 20 * kHour), 23 * kHour - (furthest - now.seconds)); by > 0) {
          clock.set({now.seconds - by, 0});
          ++counts.back;
        }
        break;
      case 2:   // set forward
        clock.set({now.seconds + between(random, 1, between(random, 0, 3) ? 3 * kHour : 20 * kDay), 0});
        ++counts.forward;
        break;
      default: clock.advance(std::chrono::seconds(between(random, 30, 20 * 60)));
    }
  }
  counts.runs = service.started;
  std::printf("%s, seed %llu: %lld slots, %lld runs, %lld of them catching up; %lld looks, %lld times down, set back %lld times, forward %lld times\n",
              expression.c_str(), static_cast<unsigned long long>(seed), static_cast<long long>(model.passed(kEnd)),
              static_cast<long long>(counts.runs), static_cast<long long>(counts.catch_ups), static_cast<long long>(counts.looks),
              static_cast<long long>(counts.downs), static_cast<long long>(counts.back), static_cast<long long>(counts.forward));
  EXPECT_GT(counts.downs, 10);
  EXPECT_GT(counts.back, 10);
  EXPECT_GT(counts.forward, 10);
  EXPECT_GT(counts.runs, 0);
}

TEST(DueYears, DailyInTheHourThatComesAndGoes) { three_years("02:30 Europe/Berlin", 1); }
TEST(DueYears, HourlyInNewYork) { three_years("hourly America/New_York", 2); }
TEST(DueYears, EveryHalfHourOnLordHowe) { three_years("*:0/30 Australia/Lord_Howe", 3); }
TEST(DueYears, WorkingDays) { three_years("Mon..Fri 22:00 Asia/Kathmandu", 4); }
TEST(DueYears, TheLastDayOfTheMonth) { three_years("*-*~01 03:00 UTC", 5); }
TEST(DueYears, Yearly) { three_years("*-02-28,29 02:30 Europe/Berlin", 6); }

// Slots of the history of a service that looks every hour: all until `t`.
std::set<Timestamp> slots_until(const Calendar& calendar, std::int64_t t) {
  std::set<Timestamp> out;
  for (auto slot = calendar.next_after({kBegin, 0}); slot && slot->seconds <= t; slot = calendar.next_after(*slot)) out.insert(*slot);
  return out;
}

// The clock is set back by days or weeks. No slot that had its run gets another, and the backups go on where they stopped.
TEST(DueYears, SetBackByWeeks) {
  constexpr std::uint64_t kSeed = 77;
  std::printf("seed %llu\n", static_cast<unsigned long long>(kSeed));
  Random random(kSeed);
  const Calendar calendar = Calendar::parse("02:30 Europe/Berlin", {platform::real_file_system()});
  for (int round = 0; round < 40; ++round) {
    Service service{{calendar, true, {kBegin, 0}}};
    const std::int64_t set_at = kBegin + between(random, 70, 400) * kDay + between(random, 0, kDay);
    for (std::int64_t t = kBegin; t <= set_at; t += kHour) service.look({t, 0}, 0);
    const std::int64_t before = service.started;
    for (std::int64_t t = set_at - between(random, 60, 60 * kDay); t < set_at - kHour; t += between(random, 60, kHour)) service.look({t, 0}, 0);
    EXPECT_EQ(service.started, before);
    const std::int64_t last = set_at + 10 * kDay;
    for (std::int64_t t = set_at; t <= last; t += kHour) service.look({t, 0}, 0);
    EXPECT_EQ(service.had, slots_until(calendar, last));
  }
}

// The clock is years ahead for some minutes and comes back: one run there, and afterwards one every night as before.
TEST(DueYears, YearsAheadForSomeMinutes) {
  constexpr std::uint64_t kSeed = 78;
  std::printf("seed %llu\n", static_cast<unsigned long long>(kSeed));
  Random random(kSeed);
  const Calendar calendar = Calendar::parse("02:30 Europe/Berlin", {platform::real_file_system()});
  for (int round = 0; round < 40; ++round) {
    Service service{{calendar, true, {kBegin, 0}}};
    const std::int64_t jump_at = kBegin + between(random, 1, 100) * kDay + 12 * kHour;
    for (std::int64_t t = kBegin; t <= jump_at; t += kHour) service.look({t, 0}, 0);
    const std::int64_t before = service.started;
    const std::int64_t there = jump_at + between(random, 200, 40 * 365) * kDay;
    for (int minute = 0; minute < 5; ++minute) service.look({there + minute * 60, 0}, 0);
    EXPECT_EQ(service.started, before + 1);
    const std::int64_t last = jump_at + 90 * kDay;
    for (std::int64_t t = jump_at + 300; t <= last; t += kHour) {
      const Decision d = service.look({t, 0}, 0);
      EXPECT_TRUE(d.ahead);
      EXPECT_FALSE(d.overdue && d.overdue->seconds < t - 2 * kHour);
    }
    std::set<Timestamp> expected = slots_until(calendar, last);
    expected.insert(*slots_until(calendar, there).rbegin());
    EXPECT_EQ(service.had, expected);
  }
}

}  // namespace
}  // namespace holdfast::schedule
