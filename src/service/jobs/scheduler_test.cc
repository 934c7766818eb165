#include "service/jobs/scheduler.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/text.h"
#include "service/jobs/job_command.h"
#include "service/access/rights.h"
#include "service/jobs/scheduler_testing.h"

namespace holdfast::service {
namespace {

using schedule::Decision;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using Strings = std::vector<std::string>;

TEST_F(Scheduling, OffUntilSwitchedOnThenARunOfEachSlot) {
  configure(nightly("night", "02:30 UTC", ""));
  open();
  clock.advance(hours(24) * 3);
  scheduler->look();
  EXPECT_FALSE(jobs().next());
  EXPECT_EQ(state().decision.state, Decision::State::off);
  EXPECT_EQ(state().next.size(), ScheduleState::kNextRuns) << "when it would run";
  EXPECT_TRUE(codes().empty());

  configure(nightly());
  scheduler->look();
  EXPECT_FALSE(jobs().next()) << "what was due before is none of its own";
  EXPECT_TRUE(jobs().known_since("night", "*-*-* 02:30:00 UTC"));
  clock.advance(minutes(31));
  scheduler->look();
  scheduler->look();
  const auto job = run_one();
  ASSERT_TRUE(job);
  EXPECT_EQ(job->kind, "check");
  EXPECT_EQ(job->schedule, "night");
  EXPECT_EQ(format_utc(*job->slot), "2026-11-25T02:30:00Z");
  EXPECT_EQ(job->who, "schedule night");
  EXPECT_FALSE(run_one()) << "one run a slot";
  scheduler->look();
  EXPECT_FALSE(run_one());
  EXPECT_EQ(state().last->id, job->id);
}

TEST_F(Scheduling, MissedRunsAreCaughtUpOnce) {
  configure(nightly() + nightly("other", "Mon 12:00 UTC"));
  open();
  scheduler->look();
  clock.advance(hours(24) * 10);
  open();
  EXPECT_EQ(codes(), (Strings{"schedule_overdue", "schedule_overdue"}));
  EXPECT_EQ(format_utc(*state().decision.overdue), "2026-11-22T02:30:00Z");
  scheduler->look();
  EXPECT_EQ(codes(), (Strings{"schedule_overdue", "schedule_overdue"})) << "until they start";
  Strings slots;
  while (const auto job = run_one()) slots.push_back(format_utc(*job->slot));
  EXPECT_EQ(slots, (Strings{"2026-12-01T02:30:00Z", "2026-11-30T12:00:00Z"}));
  EXPECT_TRUE(codes().empty());
  scheduler->look();
  EXPECT_FALSE(run_one());
}

TEST_F(Scheduling, NeverTwoOfTheSame) {
  configure(nightly());
  open();
  scheduler->look();
  clock.advance(minutes(31));
  scheduler->look();
  const auto job = jobs().next();
  for (int day = 0; day < 3; ++day) {   // it goes on and on
    clock.advance(hours(24));
    scheduler->look();
    if (day == 0) jobs().start(job->id);
  }
  EXPECT_EQ(jobs().list(0, 10).size(), 1U);
  EXPECT_EQ(code_of([&] { scheduler->run_now("night", kTester); }), Code::busy);
  EXPECT_EQ(codes(), (Strings{"schedule_overdue"}));
  end(job->id);
  scheduler->look();
  EXPECT_EQ(format_utc(*run_one()->slot), "2026-11-25T02:30:00Z") << "the latest of those that passed";
}

TEST_F(Scheduling, AJobThatWaitsForOthersIsOverdueToo) {
  configure(nightly());
  open();
  scheduler->look();
  clock.advance(minutes(31));
  scheduler->look();
  EXPECT_TRUE(codes().empty());
  clock.advance(minutes(15));
  EXPECT_EQ(codes(), (Strings{"schedule_overdue"}));
  EXPECT_EQ(format_utc(*state().decision.overdue), "2026-11-22T02:30:00Z");
  run_one();
  EXPECT_TRUE(codes().empty());
}

TEST_F(Scheduling, RunNowCountsForTheSlotsUntilThen) {
  configure(nightly() + nightly("off", "02:30 UTC", ""));
  open();
  scheduler->look();
  clock.advance(minutes(40));
  const auto id = scheduler->run_now("night", {"anna", "192.0.2.1"});
  scheduler->look();
  const auto job = run_one();
  EXPECT_EQ(job->id, id);
  EXPECT_EQ(job->who, "anna");
  EXPECT_FALSE(job->slot);
  scheduler->look();
  EXPECT_FALSE(run_one()) << "02:30 had its run";
  clock.advance(hours(24));
  scheduler->look();
  EXPECT_TRUE(run_one());
  scheduler->run_now("off", kTester);
  EXPECT_EQ(run_one()->schedule, "off");
  EXPECT_EQ(code_of([&] { scheduler->run_now("of", kTester); }), Code::unknown_name);
}

TEST_F(Scheduling, OneThatIsTakenOutOfTheFileBeginsAnew) {
  configure(nightly());
  open();
  scheduler->look();
  for (const std::string& without : {std::string(), nightly("night", "02:30 UTC", "")}) {
    configure(without);
    scheduler->look();
    clock.advance(hours(24) * 5);
    scheduler->look();
    configure(nightly());
    scheduler->look();
    EXPECT_FALSE(jobs().next());
    EXPECT_EQ(jobs().known_since("night", "*-*-* 02:30:00 UTC"), clock.now());
  }
  clock.advance(hours(24));
  configure(nightly("night", "03:30 UTC"));
  scheduler->look();
  EXPECT_FALSE(jobs().next()) << "another calendar";
  // While no service runs, too.
  configure("");
  open();
  scheduler->look();
  EXPECT_TRUE(jobs().switched_on().empty());
}

TEST_F(Scheduling, AWrongFileLeavesTheLastGoodOneInForce) {
  configure(nightly());
  open();
  scheduler->look();
  EXPECT_EQ(told.size(), 1U);
  std::ofstream(file, std::ios::app) << "[schedule.night\n";
  clock.advance(minutes(31));
  scheduler->look();
  EXPECT_TRUE(run_one());
  EXPECT_EQ(codes(), (Strings{"configuration_wrong"}));
  EXPECT_NE(scheduler->findings()[0].message.find("holdfast.toml:"), std::string::npos) << "where";
  std::filesystem::remove(file);
  scheduler->look();
  EXPECT_EQ(codes(), (Strings{"configuration_wrong"}));
  ASSERT_GE(told.size(), 2U);
  EXPECT_EQ(told[1][0].code, "configuration_wrong");
  configure(nightly());
  scheduler->look();
  EXPECT_TRUE(codes().empty());
  EXPECT_TRUE(told.back().empty());
  const std::size_t before = told.size();
  scheduler->look();
  EXPECT_EQ(told.size(), before) << "told when it changes";
  std::filesystem::remove(file);
  EXPECT_TRUE(code_of([&] { open(); })) << "there is no good one to begin with";
}

TEST_F(Scheduling, AZoneThatIsNotHere) {
  configure(nightly("night", "02:30 Europe/Nowhere") + nightly("good", "02:30 UTC"));
  open();
  scheduler->look();
  EXPECT_EQ(codes(), (Strings{"calendar_unusable"}));
  EXPECT_FALSE(state().calendar);
  clock.advance(hours(1));
  scheduler->look();
  EXPECT_EQ(run_one()->schedule, "good");
  EXPECT_FALSE(run_one());
}

TEST_F(Scheduling, SeenWithoutTheService) {
  configure(nightly() + nightly("off", "02:30 UTC", ""));
  open();
  const system::Settings& settings = live->now()->settings;
  const schedule::ZoneFiles zones{platform::real_file_system()};
  const auto alone = [&](Jobs* known) { return schedule_findings(schedule_states(settings, known, zones, clock.now()), clock.now()); };
  for (Jobs* known : {static_cast<Jobs*>(nullptr), &jobs()}) {
    ASSERT_EQ(alone(known).size(), 1U);
    EXPECT_EQ(alone(known)[0].code, "schedule_unknown");
  }
  EXPECT_TRUE(jobs().switched_on().empty()) << "looking changes nothing";
  scheduler->look();
  EXPECT_TRUE(alone(&jobs()).empty());
  clock.advance(hours(24));
  ASSERT_EQ(alone(&jobs()).size(), 1U);
  EXPECT_EQ(alone(&jobs())[0].code, "schedule_overdue");
  EXPECT_EQ(alone(&jobs()), scheduler->findings()) << "one function";
}

TEST_F(Scheduling, FailedAndInterruptedRunsAreFindings) {
  configure(nightly());
  open();
  scheduler->look();
  clock.advance(minutes(31));
  scheduler->look();
  run_one(17);
  EXPECT_EQ(codes(), (Strings{"schedule_failed"}));
  clock.advance(hours(24));
  scheduler->look();
  run_one(3);
  EXPECT_TRUE(codes().empty()) << "with findings: the job has told them";
  clock.advance(hours(24));
  for (int i = 0; i < Jobs::kTimesInterrupted; ++i) {
    scheduler->look();
    const auto job = jobs().next();
    ASSERT_TRUE(job) << i;
    jobs().start(job->id);
    open();
    EXPECT_EQ(codes(), (Strings{"schedule_interrupted"}));
  }
  scheduler->look();
  EXPECT_FALSE(jobs().next()) << "left until the next night";
  clock.advance(hours(24));
  scheduler->look();
  EXPECT_TRUE(run_one());
}

TEST_F(Scheduling, AClockThatWasAheadIsAFinding) {
  configure(nightly());
  open();
  scheduler->look();
  const Timestamp right = clock.now();
  clock.set({right.seconds + 1000 * 86'400, 0});
  scheduler->look();
  run_one();
  clock.set(right);
  EXPECT_EQ(codes(), (Strings{"clock_behind"}));
  clock.advance(minutes(31));
  scheduler->look();
  EXPECT_TRUE(run_one()) << "years ahead for a minute does not stop the backups";
}

TEST_F(Scheduling, TellsHowLongNothingIsDue) {
  configure(nightly());
  open();
  EXPECT_EQ(scheduler->look(), seconds(10));
  clock.advance(minutes(29) + seconds(57));
  EXPECT_EQ(scheduler->look(), seconds(3));
  clock.advance(seconds(2) + std::chrono::nanoseconds(999'999'999));
  EXPECT_EQ(scheduler->look(), std::chrono::milliseconds(50));
  EXPECT_FALSE(jobs().next());
  clock.advance(std::chrono::nanoseconds(1));
  scheduler->look();
  EXPECT_TRUE(jobs().next());
}

TEST_F(Scheduling, OneThatCannotBeQueuedHoldsUpNoOther) {
  configure(nightly("first") + nightly("second") + nightly("third"));
  open();
  Scheduler careful(
      *live, parts->jobs, parts->audit, clock, schedule::ZoneFiles{platform::real_file_system()},
      [this](const NewJob& job, const Actor& by) {
        if (job.schedule == "first") throw Error(Code::usage, "its arguments are too long");
        return parts->jobs.add(job, by);
      },
      [this](const Findings& found) { told.push_back(found); });
  careful.look();
  clock.advance(minutes(31));
  EXPECT_EQ(code_of([&] { careful.look(); }), Code::usage);
  EXPECT_EQ(run_one()->schedule, "second");
  EXPECT_EQ(run_one()->schedule, "third");
  ASSERT_FALSE(told.empty());
  ASSERT_EQ(told.back().size(), 1U);
  EXPECT_EQ(told.back()[0].code, "schedules_blocked");
  EXPECT_NE(told.back()[0].message.find("too long"), std::string::npos);
}

TEST_F(Scheduling, ARunThatAPersonStartedIsNotSaidToRunAgain) {
  configure(nightly());
  open();
  scheduler->look();
  jobs().start(scheduler->run_now("night", kTester));
  open();
  ASSERT_EQ(codes(), (Strings{"schedule_interrupted"}));
  EXPECT_NE(scheduler->findings()[0].hint.find("start it again"), std::string::npos);
  scheduler->look();
  EXPECT_FALSE(jobs().next());
}

TEST_F(Scheduling, AStateFileThatTakesNothingLosesNoRun) {
  configure(nightly());
  open();
  scheduler->look();
  clock.advance(minutes(31));
  disk.strike(1, Disk::Fault::full_from_then_on);
  EXPECT_EQ(code_of([&] { scheduler->look(); }), Code::no_space);
  disk.reset();
  scheduler->look();
  EXPECT_TRUE(run_one());
}

// With its own thread and a real clock.
TEST_F(Scheduling, RunsByItself) {
  configure(nightly("second", "*:*:* UTC"));
  clock.set(platform::real_clock().now());   // for the record of jobs
  open();
  Scheduler real(
      *live, parts->jobs, parts->audit, platform::real_clock(), schedule::ZoneFiles{platform::real_file_system()},
      [this](const NewJob& job, const Actor& by) { return parts->jobs.add(job, by); }, {});
  real.start();
  for (int i = 0; i < 1'000 && !jobs().next(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  real.wake();
  real.finish();
  ASSERT_TRUE(jobs().next());
  EXPECT_EQ(jobs().next()->schedule, "second");
}

TEST_F(Scheduling, WhatASchedulesJobIs) {
  configure("[schedule.a]\nrun = \"backup\"\ncalendar = \"daily\"\nsection = \"configuration\"\nexport = \"/srv/plain\"\n"
            "[schedule.b]\nrun = \"backup\"\ncalendar = \"daily\"\n"
            "[schedule.c]\nrun = \"verify\"\ncalendar = \"daily\"\n"
            "[schedule.d]\nrun = \"verify\"\ncalendar = \"daily\"\nlevel = \"restore\"\nshare = \"2.5%\"\n"
            "[schedule.e]\nrun = \"check\"\ncalendar = \"daily\"\n"
            "[schedule.f]\nrun = \"check\"\ncalendar = \"daily\"\nshare = \"5%\"\n"
            "[schedule.g]\nrun = \"copy\"\ncalendar = \"daily\"\ncopy = \"nas\"\n"
            "[schedule.h]\nrun = \"retention\"\ncalendar = \"daily\"\n"
            "[schedule.i]\nrun = \"prune\"\ncalendar = \"daily\"\n");
  open();
  AuditHead head{17, {}};
  head.hash.bytes.fill(0xab);
  const std::string label = "--label=schedule %, audit 17 " + head.hash.hex();
  const JobProgram program{"/usr/bin/holdfast", "/etc/holdfast.toml", "/var/lib/holdfast", {}, {}};
  std::string all;
  for (const auto& s : live->now()->settings.schedules) {
    const NewJob job = job_of(s, Timestamp{5, 0}, head);
    EXPECT_EQ(job.schedule, s.name);
    EXPECT_EQ(job.slot, (Timestamp{5, 0}));
    EXPECT_TRUE(right_for_job(job.kind));
    const auto line = command_line(program, job, {});
    EXPECT_EQ(line[0], "/usr/bin/holdfast");
    all += join(std::span(line).subspan(5), " ") + "\n";
  }
  const auto labelled = [&](const std::string& name) { return system::with(label, "%", name); };
  EXPECT_EQ(all, "backup --scheduled --section=configuration --export=/srv/plain " + labelled("a") + "\nbackup --scheduled " + labelled("b") +
                     "\nverify --level=content --older-than=30d\nverify --level=restore --older-than=30d --share=2.5%\ncheck\ncheck --read-data=5%\ncopy nas\n"
                     "retention apply\nprune\n");
}

}  // namespace
}  // namespace holdfast::service
