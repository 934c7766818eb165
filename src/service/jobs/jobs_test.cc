#include "service/jobs/jobs.h"

#include <gtest/gtest.h>

#include <iostream>

#include "base/text.h"
#include "schedule/calendar.h"
#include "service/state/state_testing.h"

namespace holdfast::service {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using State = Job::State;

class JobRecord : public ::testing::Test {
 protected:
  JobRecord() { reopen(); }
  void reopen() {
    parts.reset();
    parts = std::make_unique<Parts>(folder.path(), clock, entropy, kdf, StateFile::Use::service, disk.name());
  }
  Jobs& jobs() { return parts->jobs; }
  std::int64_t by_person(const std::string& kind = "backup") { return jobs().add({kind, {"--json"}, {}, {}}, {"anna", "192.0.2.1"}); }
  std::int64_t scheduled(const std::string& schedule, Timestamp slot) { return jobs().add({"backup", {}, schedule, slot}, {"schedule " + schedule, "service"}); }
  void end(std::int64_t id, int code = 0, std::int64_t findings = 0) {
    Transaction change = parts->state.change();
    jobs().end(change, id, code, findings);
    change.commit();
  }

  Disk disk;
  platform::TemporaryFolder folder;
  platform::ManualClock clock;
  platform::SeededEntropy entropy{5};
  CountingKdf kdf;
  std::unique_ptr<Parts> parts;
};

TEST_F(JobRecord, AJobGoesFromQueuedToEnded) {
  const Timestamp queued = clock.now();
  const auto id = jobs().add({"backup", {"--section", "Grüße \"x\"", ""}, "night", Timestamp{1'795'300'000, 0}}, {"schedule night", "service"});
  clock.advance(seconds(3));
  jobs().start(id);
  clock.advance(minutes(2));
  reopen();
  end(id, 3, 2);
  const auto job = jobs().find(id);
  ASSERT_TRUE(job);
  EXPECT_EQ(job->state, State::ended);
  EXPECT_EQ(job->arguments, (std::vector<std::string>{"--section", "Grüße \"x\"", ""}));
  EXPECT_EQ(job->schedule, "night");
  EXPECT_EQ(job->slot, (Timestamp{1'795'300'000, 0}));
  EXPECT_EQ(job->who, "schedule night");
  EXPECT_EQ(job->queued, queued);
  EXPECT_EQ(job->started->seconds, queued.seconds + 3);
  EXPECT_EQ(job->ended->seconds, queued.seconds + 123);
  EXPECT_EQ(job->exit_code, 3);
  EXPECT_EQ(job->findings, 2);
  const auto entry = parts->audit.entries(0, 1).front();
  EXPECT_EQ(entry.action, "job.add");
  EXPECT_EQ(entry.actor.who, "schedule night");
}

TEST_F(JobRecord, EachStepIsPossibleFromItsStateAlone) {
  const auto id = by_person();
  const auto step = [&](int what) {
    if (what == 0) jobs().start(id);
    if (what == 1) end(id);
    if (what == 2) jobs().log(id, std::vector<std::string>{"x"});
    if (what == 3) jobs().withdraw(id, kTester);
  };
  const auto refused = [&](std::initializer_list<int> steps) {
    const std::string before = dump(folder.path());
    for (int s : steps) EXPECT_EQ(code_of([&] { step(s); }), Code::precondition) << s;
    EXPECT_EQ(dump(folder.path()), before);
  };
  refused({1, 2});
  step(0);
  refused({0, 3});
  step(2);
  step(1);
  refused({0, 1, 2, 3});
  EXPECT_EQ(code_of([&] { jobs().start(99); }), Code::not_found);
  EXPECT_EQ(code_of([&] { jobs().add({"format", {}, {}, {}}, kTester); }), Code::unknown_name);
  EXPECT_EQ(code_of([&] { jobs().add({"backup", {"\xff"}, {}, {}}, kTester); }), Code::usage);
}

TEST_F(JobRecord, TheQueueAndTheArgumentsAreBounded) {
  EXPECT_EQ(code_of([&] { jobs().add({"backup", {std::string(Jobs::kArgumentBytes, 'x'), ""}, {}, {}}, kTester); }), Code::usage);
  {
    Transaction change = parts->state.change();
    change.run("WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
               "INSERT INTO jobs (state, kind, arguments, who, queued) SELECT 'queued', 'backup', '[]', 'x', 0 FROM n", Jobs::kQueued - 1);
    change.commit();
  }
  const auto last = by_person();
  EXPECT_EQ(code_of([&] { by_person(); }), Code::unavailable);
  jobs().withdraw(last, kTester);
  by_person();
}

TEST_F(JobRecord, WhatAPersonStartsGoesFirstAndASchedulesJobsFollowEachOther) {
  const auto n1 = scheduled("night", {1, 0}), n2 = scheduled("night", {2, 0}), c1 = scheduled("copy", {1, 0});
  const auto p1 = by_person(), p2 = by_person("verify"), p3 = jobs().add({"backup", {}, "weekly", {}}, {"anna", "192.0.2.1"});
  for (const auto expected : {p1, p2, p3, n1}) {
    ASSERT_EQ(jobs().next()->id, expected);
    jobs().start(expected);
  }
  EXPECT_EQ(jobs().next()->id, c1) << "a job of night runs";
  EXPECT_EQ(code_of([&] { jobs().start(n2); }), Code::busy);
  jobs().start(c1);
  EXPECT_FALSE(jobs().next());
  end(n1);
  EXPECT_EQ(jobs().next()->id, n2);
  jobs().withdraw(n2, kTester);
  EXPECT_FALSE(jobs().next());
  EXPECT_EQ(jobs().find(n2)->exit_code, 130);
  EXPECT_FALSE(jobs().find(n2)->started);
}

TEST_F(JobRecord, AServiceThatStartsFindsWhatHasNoEnd) {
  const auto ended = by_person(), running = by_person(), queued = by_person();
  jobs().start(ended);
  end(ended);
  jobs().start(running);
  clock.advance(hours(1));
  reopen();
  const auto found = interrupt_unfinished(*parts);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].id, running);
  EXPECT_EQ(found[1].id, queued);
  for (const auto id : {running, queued}) {
    EXPECT_EQ(jobs().find(id)->state, State::interrupted);
    EXPECT_EQ(jobs().find(id)->ended, clock.now());
    EXPECT_FALSE(jobs().find(id)->exit_code);
  }
  EXPECT_EQ(jobs().find(ended)->state, State::ended);
  EXPECT_TRUE(interrupt_unfinished(*parts).empty());
}

TEST_F(JobRecord, AServiceThatDiesBeforeItToldOfAnInterruptionFindsItAgain) {
  const auto running = by_person();
  jobs().start(running);
  {
    Transaction change = parts->state.change();
    EXPECT_EQ(jobs().interrupt_unfinished(change).size(), 1U);
  }
  reopen();
  EXPECT_EQ(interrupt_unfinished(*parts).size(), 1U);
}

TEST_F(JobRecord, WhatIsNextIsFoundWithoutReadingAllJobs) {
  tamper(folder.path(), "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 10000) "
                        "INSERT INTO jobs (state, kind, arguments, schedule, slot, who, queued, started, ended) "
                        "SELECT 'ended', 'backup', '[\"' || hex(zeroblob(200)) || '\"]', 'night', i, 'x', i, i, i FROM n");
  const auto night = scheduled("night", Timestamp{1, 0}), noon = scheduled("noon", Timestamp{1, 0});
  jobs().start(night);
  scheduled("night", Timestamp{2, 0});
  reopen();
  disk.reset();
  EXPECT_EQ(jobs().next()->id, noon);
  EXPECT_LT(disk.reads(), 40U) << "pages; all jobs are more than a thousand";
  const auto mine = by_person();
  EXPECT_EQ(jobs().next()->id, mine);
}

TEST_F(JobRecord, ListsTheNewestFirstInPages) {
  for (int i = 0; i < 7; ++i) by_person();
  auto page = jobs().list(0, 3);
  ASSERT_EQ(page.size(), 3U);
  EXPECT_EQ(page[0].id, 7);
  page = jobs().list(page.back().id, 100);
  ASSERT_EQ(page.size(), 4U);
  EXPECT_EQ(page.back().id, 1);
}

TEST_F(JobRecord, OfALogTheLastLinesAreKept) {
  const auto id = by_person();
  jobs().start(id);
  std::vector<std::string> batch;
  for (std::int64_t n = 1; n <= Jobs::kLines + 123; ++n) {
    batch.push_back("line " + std::to_string(n));
    if (batch.size() == 1000) jobs().log(id, std::exchange(batch, {}));
  }
  jobs().log(id, batch);
  jobs().log(id, {});
  EXPECT_EQ(jobs().find(id)->lines, Jobs::kLines + 123);
  const auto all = jobs().lines(id, 0, 100'000);
  ASSERT_EQ(all.size(), static_cast<std::size_t>(Jobs::kLines));
  EXPECT_EQ(all.front().text, "line 124");
  EXPECT_EQ(all.back().number, Jobs::kLines + 123);
  const auto later = jobs().lines(id, Jobs::kLines + 120, 2);
  ASSERT_EQ(later.size(), 2U);
  EXPECT_EQ(later.front().text, "line " + std::to_string(Jobs::kLines + 121));
  std::int64_t bytes = 0;
  for (const auto& l : all) bytes += static_cast<std::int64_t>(l.text.size());
  EXPECT_EQ(parts->state.read().number("SELECT log_bytes FROM jobs"), bytes);
}

TEST_F(JobRecord, HostileLinesAreCutAndPrintable) {
  const auto id = by_person();
  jobs().start(id);
  jobs().log(id, std::vector<std::string>{std::string(1 << 20, 'x'), "\x1b[2J\xff", std::string("a\0b", 3), std::string(4094, 'x') + "äää"});
  for (const auto& line : jobs().lines(id, 0, 10)) {
    EXPECT_LE(line.text.size(), Jobs::kLongestLine + 3);
    EXPECT_TRUE(is_utf8(line.text));
    EXPECT_EQ(line.text.find('\x1b'), std::string::npos);
  }
}

TEST_F(JobRecord, AllLogsTogetherAreBoundedTheOldestGoFirst) {
  std::vector<std::int64_t> ids;
  for (int i = 0; i < 4; ++i) {
    ids.push_back(by_person());
    jobs().start(ids.back());
    jobs().log(ids.back(), std::vector<std::string>{"kept"});
    end(ids.back());
  }
  {
    Transaction change = parts->state.change();
    change.run("UPDATE jobs SET log_bytes = ? WHERE id IN (?, ?)", Jobs::kLogBytes / 2, ids[1], ids[2]);
    change.commit();
  }
  jobs().start(by_person());
  EXPECT_TRUE(jobs().lines(ids[0], 0, 10).empty());
  EXPECT_TRUE(jobs().lines(ids[1], 0, 10).empty());
  EXPECT_EQ(jobs().lines(ids[2], 0, 10).size(), 1U);
  EXPECT_EQ(jobs().lines(ids[3], 0, 10).size(), 1U);
}

TEST_F(JobRecord, TheNewestJobsAreKept) {
  {
    Transaction change = parts->state.change();
    change.run("INSERT INTO jobs (id, state, kind, arguments, who, queued) VALUES (1, 'ended', 'backup', '[]', 'x', 0), (2, 'running', 'backup', '[]', 'x', 0)");
    change.run("INSERT INTO job_lines VALUES (1, 1, 'x')");
    change.run("UPDATE sqlite_sequence SET seq = ? WHERE name = 'jobs'", Jobs::kJobs + 5);
    change.commit();
  }
  jobs().start(by_person());
  EXPECT_FALSE(jobs().find(1));
  EXPECT_TRUE(jobs().find(2)) << "it has no end yet";
  EXPECT_EQ(parts->state.read().number("SELECT count(*) FROM job_lines"), 0);
}

TEST_F(JobRecord, TheNewestRunsOfAScheduleThatIsOnStayHoweverManyJobsFollow) {
  const std::int64_t runs = 150;
  jobs().on_since("monthly", "*-*-01 00:00:00");
  {
    Transaction change = parts->state.change();
    change.run("WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
               "INSERT INTO jobs (state, kind, arguments, schedule, slot, who, queued, started, ended) "
               "SELECT 'ended', 'backup', '[]', iif(i % 2 = 0, 'monthly', 'removed'), i, 'x', i, i, i FROM n", 2 * runs);
    change.run("UPDATE sqlite_sequence SET seq = ? WHERE name = 'jobs'", Jobs::kJobs + 2 * runs);
    change.commit();
  }
  jobs().start(by_person());
  const auto kept = jobs().runs("monthly");
  ASSERT_EQ(kept.size(), 100U);
  EXPECT_EQ(kept.front().slot.seconds, 2 * runs);
  EXPECT_EQ(parts->state.read().number("SELECT count(*) FROM jobs"), 101) << "those of a schedule that is off are gone";
}

class Slots : public JobRecord {
 protected:
  schedule::Decision decide(const std::string& name = "night") {
    const schedule::Calendar calendar(schedule::parse_expression("*-*-* 02:30:00 UTC"), schedule::Zone());
    const schedule::Schedule s{calendar, true, jobs().on_since(name, calendar.normal_form())};
    return schedule::decide(s, jobs().runs(name), clock.now());
  }
  void run_due(int code = 0) {
    const auto d = decide();
    ASSERT_EQ(d.state, schedule::Decision::State::due);
    const auto id = scheduled("night", *d.slot);
    EXPECT_EQ(decide().state, schedule::Decision::State::running) << "queued";
    jobs().start(id);
    EXPECT_EQ(decide().state, schedule::Decision::State::running);
    clock.advance(minutes(5));
    end(id, code);
    EXPECT_EQ(decide().state, schedule::Decision::State::waiting);
  }
};

TEST_F(Slots, ARunOfEachSlotAndNoneBeforeItWasSwitchedOn) {
  EXPECT_EQ(decide().state, schedule::Decision::State::waiting);   // 02:00
  for (int day = 0; day < 3; ++day) {
    clock.advance(minutes(31));
    run_due(day == 1 ? 1 : 0);
    clock.advance(hours(24) - minutes(36));
  }
  EXPECT_EQ(jobs().runs("night").size(), 3U);
  EXPECT_TRUE(jobs().runs("other").empty());
}

TEST_F(Slots, SwitchedOffAndOnOrAnotherCalendarBeginsAnew) {
  decide();
  clock.advance(minutes(31));
  run_due();
  const Timestamp first = jobs().on_since("night", "*-*-* 02:30:00 UTC");
  EXPECT_EQ(first.seconds, clock.now().seconds - 36 * 60);
  reopen();
  EXPECT_EQ(jobs().on_since("night", "*-*-* 02:30:00 UTC"), first);
  EXPECT_EQ(jobs().on_since("night", "*-*-* 03:30:00 UTC"), clock.now());
  EXPECT_TRUE(jobs().runs("night").empty());
  clock.advance(hours(1));
  jobs().switched_off("night");
  EXPECT_EQ(jobs().on_since("night", "*-*-* 03:30:00 UTC"), clock.now());
}

TEST_F(Slots, AJobThatNeverRanIsDueAgainHoweverOftenTheServiceStarts) {
  decide();
  clock.advance(minutes(31));
  const Timestamp slot = *decide().slot;
  for (int i = 0; i < 2 * Jobs::kTimesInterrupted; ++i) {
    const auto d = decide();
    ASSERT_EQ(d.state, schedule::Decision::State::due) << i;
    EXPECT_EQ(d.slot, slot);
    scheduled("night", *d.slot);
    reopen();
    interrupt_unfinished(*parts);
  }
}

TEST_F(Slots, AnInterruptedSlotIsDueAgainButNotForEver) {
  decide();
  clock.advance(minutes(31));
  const Timestamp slot = *decide().slot;
  for (int i = 0; i < Jobs::kTimesInterrupted; ++i) {
    const auto d = decide();
    ASSERT_EQ(d.state, schedule::Decision::State::due) << i;
    EXPECT_EQ(d.slot, slot);
    jobs().start(scheduled("night", *d.slot));
    clock.advance(seconds(10));
    reopen();
    interrupt_unfinished(*parts);
  }
  EXPECT_EQ(decide().state, schedule::Decision::State::waiting);
  clock.advance(hours(24));
  EXPECT_EQ(decide().state, schedule::Decision::State::due) << "the next night has its own";
}

}  // namespace
}  // namespace holdfast::service
