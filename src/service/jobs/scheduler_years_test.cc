// Three years with a clock that the test sets, through the state file and the configuration as the service has them: daylight saving
// time, a leap day (2028), machines that are down, jobs that are long, interrupted or asked for by a person, schedules that are
// switched off and on, clocks that jump. Against a model that knows every slot in advance.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "service/jobs/scheduler_testing.h"

namespace holdfast::service {
namespace {

constexpr std::int64_t kHour = 3'600, kDay = 24 * kHour;
constexpr std::int64_t kBegin = 1'798'761'600, kEnd = kBegin + (3 * 365 + 1) * kDay;   // 2027-01-01 to 2030-01-01
constexpr std::int64_t kPatience = 15 * 60;

// Knows a list of slots, and how many of them need no run any more.
struct Model {
  std::vector<std::int64_t> slots;
  std::size_t covered = 0;
  std::size_t before = 0;                          // covered, before the job that is open
  std::map<std::int64_t, int> interrupted;

  std::size_t passed(std::int64_t now) const { return static_cast<std::size_t>(std::upper_bound(slots.begin(), slots.end(), now) - slots.begin()); }
};

struct Counts { int looks = 0, runs = 0, catch_ups = 0, downs = 0, cut_off = 0, back = 0, forward = 0, asked = 0, switched = 0; };

class ThreeYears : public Scheduling {
 protected:
  std::int64_t between(std::int64_t lowest, std::int64_t highest) { return std::uniform_int_distribution<std::int64_t>(lowest, highest)(random); }
  std::int64_t now() { return clock.now().seconds; }

  void look() {
    const bool is_open = job.has_value();
    const std::size_t until = model.passed(now());
    const bool missed = until > model.covered;
    std::optional<std::int64_t> overdue;
    if (missed && now() - model.slots[model.covered] > kPatience) overdue = model.slots[model.covered];
    if (is_open && !started && job->slot && now() - job->slot->seconds > kPatience) overdue = job->slot->seconds;
    const auto seen = state().decision.overdue;
    ASSERT_EQ(seen.has_value(), overdue.has_value()) << format_utc(clock.now());
    if (overdue) { ASSERT_EQ(seen->seconds, *overdue) << format_utc(clock.now()); }

    scheduler->look();
    ++counts.looks;
    const auto newest = jobs().newest_of("night");
    const bool queued = newest && newest->id > latest;
    ASSERT_EQ(queued, missed && !is_open) << format_utc(clock.now());
    if (!queued) return;
    ASSERT_EQ(newest->slot->seconds, model.slots[until - 1]) << format_utc(clock.now());
    counts.catch_ups += until > model.covered + 1;
    opened(*newest, until);
  }

  void opened(const Job& now_open, std::size_t until) {
    ++counts.runs;
    job = now_open;
    latest = now_open.id;
    started = false;
    start_at = now() + (between(0, 4) ? 0 : between(0, 2 * kHour));
    lasts = between(0, 3) ? between(0, kHour) : between(0, 9) ? 0 : between(kHour, 30 * kHour);
    model.before = model.covered;
    model.covered = std::max(model.covered, until);
  }

  // The runner: starts and ends what is open, in its time.
  void run() {
    if (job && !started && now() >= start_at) {
      ASSERT_EQ(jobs().next()->id, job->id);
      jobs().start(job->id);
      started = true;
      end_at = now() + lasts;
    }
    if (job && started && now() >= end_at) {
      end(job->id, between(0, 5) ? 0 : 1);
      job.reset();
    }
  }

  void down() {
    ++counts.downs;
    clock.advance(std::chrono::seconds(between(60, between(0, 5) ? 2 * kDay : 40 * kDay)));
    open();
    if (!job) return;
    ++counts.cut_off;
    // A run that a person asked for has no slot of its own: nothing is repeated for it, but nothing is covered either.
    const int times = job->slot && started ? ++model.interrupted[job->slot->seconds] : 0;
    if (times < Jobs::kTimesInterrupted) model.covered = model.before;
    job.reset();
  }

  void ask() {
    if (job) return;
    ++counts.asked;
    const auto id = scheduler->run_now("night", kTester);
    opened(*jobs().find(id), model.passed(now()));
  }

  void switch_off_and_on(const std::string& expression) {
    if (job) return;
    ++counts.switched;
    configure(nightly("night", expression, ""));
    scheduler->look();
    clock.advance(std::chrono::seconds(between(1, 3 * kDay)));
    configure(nightly("night", expression));
    scheduler->look();
    model.covered = model.passed(now());   // its history begins anew
    model.interrupted.clear();
    furthest = now();
  }

  void something_happens(const std::string& expression) {
    switch (between(0, 150)) {
      case 0: down(); break;
      case 1:   // set back; never so far in sum that the history does not count
        if (const auto by = std::min(between(1, 20 * kHour), 23 * kHour - (furthest - now())); by > 0) {
          clock.set({now() - by, 0});
          ++counts.back;
        }
        break;
      case 2:
        clock.set({now() + between(1, between(0, 3) ? 3 * kHour : 20 * kDay), 0});
        ++counts.forward;
        break;
      case 3: ask(); break;
      case 4: switch_off_and_on(expression); break;
      default: clock.advance(std::chrono::seconds(between(30, between(0, 3) ? kHour : 12 * kHour)));
    }
  }

  void live_through(const std::string& expression, std::uint64_t seed) {
    std::printf("%s, seed %llu\n", expression.c_str(), static_cast<unsigned long long>(seed));
    random.seed(seed);
    clock.set({kBegin, 0});
    const auto calendar = schedule::Calendar::parse(expression, {platform::real_file_system()});
    for (auto t = calendar.next_after({kBegin, 0}); t && t->seconds < kEnd + 100 * kDay; t = calendar.next_after(*t)) model.slots.push_back(t->seconds);
    configure(nightly("night", expression));
    open();
    scheduler->look();
    while (now() < kEnd && !HasFatalFailure()) {
      furthest = std::max(furthest, now());
      run();
      look();
      run();
      something_happens(expression);
    }
    std::printf("%zu slots, %d runs, %d of them catching up; %d looks, %d times down, %d of them in a job, set back %d times, forward %d times, asked for %d, switched %d\n",
                model.slots.size(), counts.runs, counts.catch_ups, counts.looks, counts.downs, counts.cut_off, counts.back, counts.forward, counts.asked, counts.switched);
    for (const int count : {counts.downs, counts.back, counts.forward, counts.asked, counts.switched}) EXPECT_GT(count, 5);
    EXPECT_GT(counts.runs, 3);
  }

  std::mt19937_64 random;
  Model model;
  Counts counts;
  std::optional<Job> job;   // the one that is open
  bool started = false;
  std::int64_t latest = 0, start_at = 0, lasts = 0, end_at = 0, furthest = kBegin;
};

TEST_F(ThreeYears, DailyInTheHourThatComesAndGoes) { live_through("02:30 Europe/Berlin", 1); }
TEST_F(ThreeYears, HourlyInNewYork) { live_through("hourly America/New_York", 2); }
TEST_F(ThreeYears, WorkingDays) { live_through("Mon..Fri 22:00 Australia/Lord_Howe", 3); }
TEST_F(ThreeYears, TheLastDaysOfFebruary) { live_through("*-02-28,29 02:30 Europe/Berlin", 4); }

}  // namespace
}  // namespace holdfast::service
