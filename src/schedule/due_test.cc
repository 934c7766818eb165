#include "schedule/due.h"

#include <gtest/gtest.h>

namespace holdfast::schedule {
namespace {

using State = Decision::State;

Timestamp at(const char* text) { return *parse_utc(text); }
std::string text(const std::optional<Timestamp>& t) { return t ? format_utc(*t) : "-"; }

Schedule schedule(const char* expression, const char* since = "2026-11-01T00:00:00Z") {
  return {Calendar(parse_expression(expression), Zone()), true, at(since)};
}
JobRun run(const char* slot, const char* started = nullptr, bool ended = true) {
  const Timestamp begin = at(started ? started : slot);
  return {at(slot), begin, ended ? std::optional(Timestamp{begin.seconds + 600, 0}) : std::nullopt};
}

// "due 2026-11-22T02:30:00Z next … overdue … ahead …"
std::string decision(const Schedule& s, const std::vector<JobRun>& runs, const char* now) {
  const Decision d = decide(s, runs, at(now));
  constexpr const char* kNames[] = {"off", "waiting", "running", "due"};
  std::string out = kNames[static_cast<int>(d.state)];
  if (d.slot) out += " " + text(d.slot);
  out += " next " + text(d.next);
  if (d.overdue) out += " overdue " + text(d.overdue);
  if (d.ahead) out += " ahead " + text(d.ahead);
  return out;
}

TEST(Due, OffUntilSwitchedOn) {
  Schedule s = schedule("02:30");
  s.enabled = false;
  EXPECT_EQ(decision(s, {}, "2026-11-22T09:00:00Z"), "off next -");
}

TEST(Due, ASlotIsDueWhenItHasPassed) {
  const Schedule s = schedule("02:30", "2026-11-21T10:00:00Z");
  EXPECT_EQ(decision(s, {}, "2026-11-21T10:00:00Z"), "waiting next 2026-11-22T02:30:00Z");
  EXPECT_EQ(decision(s, {}, "2026-11-22T02:29:59Z"), "waiting next 2026-11-22T02:30:00Z");
  EXPECT_EQ(decision(s, {}, "2026-11-22T02:30:00Z"), "due 2026-11-22T02:30:00Z next 2026-11-23T02:30:00Z");
  const std::vector<JobRun> running{run("2026-11-22T02:30:00Z", "2026-11-22T02:30:04Z", false)};
  EXPECT_EQ(decision(s, running, "2026-11-22T02:31:00Z"), "running next 2026-11-23T02:30:00Z");
  const std::vector<JobRun> ended{run("2026-11-22T02:30:00Z")};
  EXPECT_EQ(decision(s, ended, "2026-11-22T02:41:00Z"), "waiting next 2026-11-23T02:30:00Z");
}

TEST(Due, SlotsBeforeItWasSwitchedOnAreNotItsOwn) {
  EXPECT_EQ(decision(schedule("02:30", "2026-11-22T02:30:00Z"), {}, "2026-11-22T09:00:00Z"), "waiting next 2026-11-23T02:30:00Z");
  // Switched on again: the runs of the time before do not matter, nor what was missed while it was off.
  EXPECT_EQ(decision(schedule("02:30", "2026-11-22T09:00:00Z"), {run("2026-11-10T02:30:00Z")}, "2026-11-22T09:00:00Z"),
            "waiting next 2026-11-23T02:30:00Z");
}

TEST(Due, MissedRunsAreCaughtUpOnce) {
  const Schedule s = schedule("02:30");
  std::vector<JobRun> runs{run("2026-11-18T02:30:00Z")};
  EXPECT_EQ(decision(s, runs, "2026-11-22T09:00:00Z"),
            "due 2026-11-22T02:30:00Z next 2026-11-23T02:30:00Z overdue 2026-11-19T02:30:00Z");
  runs.push_back(run("2026-11-22T02:30:00Z", "2026-11-22T09:00:00Z"));
  EXPECT_EQ(decision(s, runs, "2026-11-22T09:10:00Z"), "waiting next 2026-11-23T02:30:00Z");
}

TEST(Due, OverdueIsSeenWithoutTheJobAndAfterItsPatience) {
  Schedule s = schedule("02:30", "2026-11-22T00:00:00Z");
  EXPECT_EQ(decision(s, {}, "2026-11-22T02:45:00Z"), "due 2026-11-22T02:30:00Z next 2026-11-23T02:30:00Z");
  EXPECT_EQ(decision(s, {}, "2026-11-22T02:45:01Z"), "due 2026-11-22T02:30:00Z next 2026-11-23T02:30:00Z overdue 2026-11-22T02:30:00Z");
  s.patience = std::chrono::hours{3};
  EXPECT_EQ(decision(s, {}, "2026-11-22T05:00:00Z"), "due 2026-11-22T02:30:00Z next 2026-11-23T02:30:00Z");
  // A run that goes on and on.
  const std::vector<JobRun> runs{run("2026-11-22T02:30:00Z", "2026-11-22T02:30:00Z", false)};
  EXPECT_EQ(decision(s, runs, "2026-11-23T05:00:00Z"), "running next 2026-11-24T02:30:00Z");
  EXPECT_EQ(decision(s, runs, "2026-11-24T02:00:00Z"), "running next 2026-11-24T02:30:00Z overdue 2026-11-23T02:30:00Z");
}

TEST(Due, ALongRunIsFollowedByOneForTheLatestSlot) {
  const Schedule s = schedule("hourly");
  std::vector<JobRun> runs{run("2026-11-22T02:00:00Z", "2026-11-22T02:00:00Z", false)};
  EXPECT_EQ(decision(s, runs, "2026-11-22T05:05:00Z"), "running next 2026-11-22T06:00:00Z overdue 2026-11-22T03:00:00Z");
  runs[0].ended = at("2026-11-22T05:05:00Z");
  EXPECT_EQ(decision(s, runs, "2026-11-22T05:05:00Z"), "due 2026-11-22T05:00:00Z next 2026-11-22T06:00:00Z overdue 2026-11-22T03:00:00Z");
}

TEST(Due, ARunThatAPersonAskedForCountsForWhatWasMissed) {
  const Schedule s = schedule("02:30");
  EXPECT_EQ(decision(s, {run("2026-11-18T02:30:00Z"), run("2026-11-22T08:00:00Z")}, "2026-11-22T09:00:00Z"), "waiting next 2026-11-23T02:30:00Z");
}

TEST(Due, AClockThatIsSetBackRepeatsNothing) {
  const Schedule s = schedule("hourly");
  const std::vector<JobRun> runs{run("2026-11-22T01:00:00Z"), run("2026-11-22T02:00:00Z"), run("2026-11-22T03:00:00Z")};
  EXPECT_EQ(decision(s, runs, "2026-11-22T02:59:58Z"), "waiting next 2026-11-22T04:00:00Z");   // within the tolerance of clocks
  EXPECT_EQ(decision(s, runs, "2026-11-22T00:10:00Z"), "waiting next 2026-11-22T04:00:00Z ahead 2026-11-22T03:00:00Z");
  EXPECT_EQ(decision(s, runs, "2026-11-22T03:10:00Z"), "waiting next 2026-11-22T04:00:00Z");
  EXPECT_EQ(decision(s, runs, "2026-11-22T04:00:00Z"), "due 2026-11-22T04:00:00Z next 2026-11-22T05:00:00Z");
  // Two seconds back, in the middle of catching up: the earlier slots had their run with it.
  const std::vector<JobRun> caught_up{run("2026-11-20T03:00:00Z"), run("2026-11-22T03:00:00Z", "2026-11-22T03:00:01Z")};
  EXPECT_EQ(decision(s, caught_up, "2026-11-22T02:59:59Z"), "waiting next 2026-11-22T04:00:00Z");
}

TEST(Due, AClockThatWasSetBackByDaysRepeatsNoSlotOfTheHistory) {
  const Schedule s = schedule("02:30");
  const std::vector<JobRun> runs{run("2026-11-20T02:30:00Z"), run("2026-11-21T02:30:00Z"), run("2026-11-22T02:30:00Z"), run("2026-11-23T02:30:00Z")};
  for (const char* now : {"2026-11-20T09:00:00Z", "2026-11-21T02:30:00Z", "2026-11-22T02:29:00Z"})
    EXPECT_EQ(decide(s, runs, at(now)).state, State::waiting) << now;
  EXPECT_EQ(decision(s, runs, "2026-11-20T09:00:00Z"), "waiting next 2026-11-22T02:30:00Z ahead 2026-11-23T02:30:00Z");
}

TEST(Due, AClockThatJumpsAheadForYearsRunsOnceAndComesBackWithoutHarm) {
  const Schedule s = schedule("*:0/5");
  std::vector<JobRun> runs{run("2026-11-22T02:30:00Z", "2026-11-22T02:30:00Z")};
  EXPECT_EQ(decision(s, runs, "2031-05-05T05:07:00Z"), "due 2031-05-05T05:05:00Z next 2031-05-05T05:10:00Z overdue 2026-11-22T02:35:00Z");
  runs.push_back(run("2031-05-05T05:05:00Z", "2031-05-05T05:07:00Z"));
  EXPECT_EQ(decision(s, runs, "2031-05-05T05:09:00Z"), "waiting next 2031-05-05T05:10:00Z");
  // Two minutes later somebody sets the clock right: the backups go on.
  EXPECT_EQ(decision(s, runs, "2026-11-22T02:34:00Z"), "waiting next 2026-11-22T02:35:00Z ahead 2031-05-05T05:07:00Z");
  EXPECT_EQ(decision(s, runs, "2026-11-22T02:35:00Z"), "due 2026-11-22T02:35:00Z next 2026-11-22T02:40:00Z ahead 2031-05-05T05:07:00Z");
  // Switched on while the clock was wrong.
  const Schedule wrong = schedule("02:30", "2031-05-05T05:07:00Z");
  EXPECT_EQ(decision(wrong, {}, "2026-11-22T09:00:00Z"), "due 2026-11-22T02:30:00Z next 2026-11-23T02:30:00Z overdue 2026-11-22T02:30:00Z ahead 2031-05-05T05:07:00Z");
  EXPECT_EQ(decision(wrong, {run("2026-11-22T02:30:00Z")}, "2026-11-22T09:10:00Z"), "waiting next 2026-11-23T02:30:00Z ahead 2031-05-05T05:07:00Z");
}

TEST(Due, ACalendarThatNeverComesAgain) {
  EXPECT_EQ(decision(schedule("*-02-30"), {}, "2026-11-22T09:00:00Z"), "waiting next -");
  EXPECT_EQ(decision(schedule("2026-11-20"), {run("2026-11-20T00:00:00Z")}, "2026-11-22T09:00:00Z"), "waiting next -");
  EXPECT_EQ(decision(schedule("2026-11-20"), {}, "2026-11-22T09:00:00Z"), "due 2026-11-20T00:00:00Z next - overdue 2026-11-20T00:00:00Z");
}

}  // namespace
}  // namespace holdfast::schedule
