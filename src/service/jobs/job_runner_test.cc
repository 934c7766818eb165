#include "service/jobs/job_runner.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>

#include "base/error.h"
#include "base/text.h"
#include "platform/child_process.h"
#include "service/state/state_testing.h"

namespace holdfast::service {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using State = Job::State;
using Kind = JobEvent::Kind;

std::string content(const platform::Path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

template <class Condition>
bool comes_true(Condition condition) {
  for (int i = 0; i < 2'000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return false;
}

bool is_gone(pid_t pid) {
  std::string stat = content("/proc/" + std::to_string(pid) + "/stat");
  return stat.empty() || stat.find(") Z ") != std::string::npos;
}

// Keeps what it hears.
struct Ears : JobListener {
  explicit Ears(std::size_t most_events = SIZE_MAX) : most(most_events) {}
  bool hear(const JobEvent& event) override {
    std::lock_guard lock(mutex);
    events.push_back(event);
    return events.size() < most;
  }
  bool listening() const override { return true; }
  std::vector<JobEvent> all() {
    std::lock_guard lock(mutex);
    return events;
  }
  bool heard(Kind kind) {
    const auto now = all();
    return std::any_of(now.begin(), now.end(), [&](const JobEvent& e) { return e.kind == kind; });
  }
  std::vector<std::int64_t> numbers() {
    std::vector<std::int64_t> found;
    for (const JobEvent& e : all())
      if (e.kind == Kind::line) found.push_back(e.number);
    return found;
  }
  const std::size_t most;
  std::mutex mutex;
  std::vector<JobEvent> events;
};

class Running : public ::testing::Test {
 protected:
  Running() { open(); }
  ~Running() override { runner.reset(); }

  void open() {
    runner.reset();
    parts.reset();
    parts = std::make_unique<Parts>(folder.path() / "state", clock, entropy, kdf, StateFile::Use::service, disk.name());
    runner = std::make_unique<JobRunner>(parts->state, parts->audit, parts->jobs, clock, program_, [this](Transaction& change, const JobReport& report) { on_end(change, report); },
                                         milliseconds(5));
  }
  // What each job runs. `here`: a folder of the test's.
  void program(const std::string& script) {
    std::ofstream(folder.path() / "program") << "#!/bin/sh\nhere=" << folder.path().native() << "\n" << script << "\n";
    std::filesystem::permissions(folder.path() / "program", std::filesystem::perms::owner_all);
  }
  Jobs& jobs() { return parts->jobs; }
  std::int64_t queue(const std::string& kind = "backup", std::vector<std::string> arguments = {}) { return runner->add({kind, std::move(arguments), {}, {}}, {"anna", "192.0.2.1"}); }
  Job end_of(std::int64_t id) {
    EXPECT_TRUE(comes_true([&] {
      const auto state = jobs().find(id)->state;
      return state == State::ended || state == State::interrupted;
    })) << "job " << id;
    return *jobs().find(id);
  }
  Job run(const std::string& script) {
    program(script);
    const auto id = queue();
    runner->start();
    return end_of(id);
  }
  std::vector<std::string> log(std::int64_t id) {
    std::vector<std::string> lines;
    for (const JobLine& line : jobs().lines(id, 0, 100'000)) lines.push_back(line.text);
    return lines;
  }
  std::string here(const std::string& name) { return content(folder.path() / name); }
  bool said_in(const std::string& name, const std::string& text) {
    return comes_true([&] { return here(name).find(text) != std::string::npos; });
  }

  Disk disk;
  platform::TemporaryFolder folder;
  platform::ManualClock clock;
  platform::SeededEntropy entropy{5};
  CountingKdf kdf;
  JobProgram program_{folder.path() / "program", "/etc/holdfast.toml", folder.path() / "state", "/etc/holdfast.key",
                      {{"PATH", "/usr/bin:/bin"}, {"HOME", "/root"}, {"LANG", "C.UTF-8"}, {"LC_TIME", "C"}, {"NOTIFY_SOCKET", "x"}, {"LD_PRELOAD", ""},
                       {"HOLDFAST_PASSWORD_FILE", "/root/pw"}, {"HOLDFAST_STATE", "elsewhere"}}};
  std::function<void(Transaction&, const JobReport&)> on_end = [](Transaction&, const JobReport&) {};
  std::unique_ptr<Parts> parts;
  std::unique_ptr<JobRunner> runner;
};

TEST_F(Running, AJobIsAProcessWithItsLinesAndItsEnd) {
  program(R"(
echo '{"type":"progress","schema":1,"phase":"reading","bytes":5}'
echo 'for people' >&2
sleep 0.3
echo '{"type":"finding","schema":1,"code":"stale","object":"x","message":"y","hint":""}'
echo '{"type":"finding","schema":1,"code":"stale","object":"z","message":"y","hint":""}'
echo '{"type":"result","schema":1,"point":"3f2a"}'
printf '%s\n' "$@" > $here/arguments
exit 3)");
  std::vector<JobReport> reports;
  on_end = [&](Transaction& change, const JobReport& report) {
    change.run("INSERT INTO meta VALUES ('told', ?)", report.job.id);
    reports.push_back(report);
  };
  const auto id = queue("backup", {"--section=configuration", "--label=a b"});
  auto ears = std::make_shared<Ears>();
  runner->watch(id, 0, ears);
  EXPECT_EQ(jobs().find(id)->state, State::queued);
  runner->start();
  const Job job = end_of(id);
  EXPECT_EQ(job.state, State::ended);
  EXPECT_EQ(job.exit_code, 3);
  EXPECT_EQ(job.findings, 2);
  EXPECT_EQ(here("arguments"), "--json\n--yes\n--config\n/etc/holdfast.toml\n--key-file\n/etc/holdfast.key\nbackup\n--section=configuration\n--label=a b\n");
  EXPECT_EQ(log(id), (std::vector<std::string>{"for people", R"({"type":"finding","schema":1,"code":"stale","object":"x","message":"y","hint":""})",
                                               R"({"type":"finding","schema":1,"code":"stale","object":"z","message":"y","hint":""})", R"({"type":"result","schema":1,"point":"3f2a"})"}));
  EXPECT_EQ(jobs().result(id), R"({"type":"result","schema":1,"point":"3f2a"})");
  EXPECT_EQ(parts->state.read().number("SELECT value FROM meta WHERE name = 'told'"), id);
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_EQ(reports[0].job.exit_code, 3);
  EXPECT_EQ(reports[0].job.findings, 2);
  EXPECT_EQ(reports[0].result, jobs().result(id));
  ASSERT_TRUE(comes_true([&] { return ears->heard(Kind::end); }));
  std::string order;
  for (const JobEvent& e : ears->all()) order += "slpe"[static_cast<int>(e.kind)];
  EXPECT_EQ(order.substr(0, 2), "ss") << "queued, running";
  EXPECT_EQ(std::count(order.begin(), order.end(), 'p'), 1);
  EXPECT_EQ(order.back(), 'e');
  EXPECT_EQ(ears->numbers(), (std::vector<std::int64_t>{1, 2, 3, 4}));
  EXPECT_FALSE(runner->running());
  EXPECT_TRUE(runner->findings().empty());
}

TEST_F(Running, ItsEnvironmentIsClean) {
  run("env | LC_ALL=C sort > $here/environment; cat > $here/input");
  EXPECT_EQ(here("environment"), "HOLDFAST_PASSWORD_FILE=/root/pw\nHOLDFAST_STATE=" + (folder.path() / "state").native() + "\nHOME=/root\nLANG=C.UTF-8\nLC_TIME=C\nPATH=/usr/bin:/bin\nPWD=" +
                                     std::filesystem::current_path().native() + "\n");
  EXPECT_EQ(here("input"), "");
}

TEST_F(Running, APasswordGoesThroughAnOpenFileAndNowhereElse) {
  program("cat /dev/fd/3 > $here/first; cat /dev/fd/4 > $here/second; tr '\\0' ' ' < /proc/$$/cmdline > $here/line; env > $here/environment; cat /dev/fd/3 | wc -c");
  const auto secret = [](std::string_view text) { return crypto::Secret::copy_of(as_bytes(text)); };
  const auto id = runner->add({"restore", {"latest", "--to=/x"}, {}, {}}, kTester, {secret("correct horse"), secret("battery staple")});
  runner->start();
  EXPECT_EQ(end_of(id).exit_code, 0);
  EXPECT_EQ(here("first"), "correct horse");
  EXPECT_EQ(here("second"), "battery staple");
  EXPECT_EQ(log(id), (std::vector<std::string>{"0"})) << "it can be read once";
  EXPECT_NE(here("line").find("--password-fd 3 restore --file-password-fd 4 latest --to=/x"), std::string::npos) << here("line");
  EXPECT_EQ(here("line").find("--key-file"), std::string::npos);
  runner.reset();
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder.path())) {
    if (!file.is_regular_file() || file.path().filename() == "first" || file.path().filename() == "second") continue;
    for (const char* part : {"correct horse", "battery staple"}) EXPECT_EQ(content(file.path()).find(part), std::string::npos) << file.path();
  }
  open();
  EXPECT_EQ(code_of([&] { runner->add({"restore", {}, {}, {}}, kTester, {secret(std::string(5000, 'x')), {}}); }), Code::usage);
  EXPECT_EQ(jobs().list(0, 10).size(), 1U);
}

TEST_F(Running, WhatOnlyTheServiceSaysCannotBeAnArgument) {
  for (const char* argument : {"--password-command=touch /x", "--password-file", "--file-password-command", "--new-password-fd=0", "--config=/x", "--config", "--key-file"})
    EXPECT_EQ(code_of([&] { queue("backup", {argument}); }), Code::usage) << argument;
  EXPECT_EQ(code_of([&] { queue("format"); }), Code::unknown_name);
  EXPECT_TRUE(jobs().list(0, 10).empty());
  EXPECT_NO_THROW(queue("backup", {"--label=--config is the password"}));
}

TEST_F(Running, ARecoveryKeyIsInNoLog) {
  program(R"(printf '%s\n' "$*"; echo '{"type":"result","schema":1,"file":"/x","recovery_key":"ABCD-EFGH"}')");
  const auto id = queue("export", {"latest", "--file=/x"});
  runner->start();
  end_of(id);
  ASSERT_EQ(log(id).size(), 2U);
  EXPECT_NE(log(id)[0].find(" export --quiet latest"), std::string::npos) << "its remarks hold the key, too";
  EXPECT_EQ(log(id)[1], R"({"type":"result","schema":1,"file":"/x","recovery_key":null})");
  EXPECT_EQ(jobs().result(id), log(id)[1]);
}

TEST_F(Running, AMegabyteWithoutALineEnd) {
  const Job job = run("head -c 1000000 /dev/zero | tr '\\0' x; head -c 3000000 /dev/zero | tr '\\0' y >&2");
  EXPECT_EQ(job.exit_code, 0);
  ASSERT_EQ(log(job.id).size(), 2U);
  for (const std::string& line : log(job.id)) EXPECT_EQ(line.size(), Jobs::kLongestLine + 3);
}

TEST_F(Running, TenThousandLinesAllArriveInOrder) {
  program("seq 1 10000");
  const auto id = queue();
  auto ears = std::make_shared<Ears>();
  runner->watch(id, 0, ears);
  runner->start();
  EXPECT_EQ(end_of(id).lines, 10'000);
  const auto lines = log(id);
  ASSERT_EQ(lines.size(), 10'000U);
  for (std::size_t i = 0; i < lines.size(); ++i) ASSERT_EQ(lines[i], std::to_string(i + 1));
  ASSERT_TRUE(comes_true([&] { return ears->heard(Kind::end); }));
  const auto numbers = ears->numbers();
  ASSERT_EQ(numbers.size(), 10'000U);
  for (std::size_t i = 0; i < numbers.size(); ++i) ASSERT_EQ(numbers[i], static_cast<std::int64_t>(i + 1));
}

TEST_F(Running, WhoJoinsHearsEachLineOnce) {
  program("i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo $i; done; echo '{\"type\":\"progress\",\"schema\":1}'; touch $here/said; while [ ! -e $here/go ]; do sleep 0.02; done; seq 3001 3100");
  const auto id = queue();
  runner->start();
  std::vector<std::shared_ptr<Ears>> joined;
  const auto join = [&](std::int64_t after) {
    joined.push_back(std::make_shared<Ears>());
    runner->watch(id, after, joined.back());
  };
  for (int i = 0; i < 20; ++i) {
    join(0);
    std::this_thread::sleep_for(milliseconds(5));
  }
  ASSERT_TRUE(comes_true([&] { return std::filesystem::exists(folder.path() / "said"); }));
  std::this_thread::sleep_for(milliseconds(300));
  join(0);
  EXPECT_TRUE(joined.back()->heard(Kind::progress)) << "the newest, for who comes later";
  EXPECT_EQ(runner->running()->progress, R"({"type":"progress","schema":1})");
  join(2990);
  auto gone = std::make_shared<Ears>(3), throwing = std::make_shared<Ears>();
  runner->watch(id, 2990, gone);
  std::ofstream(folder.path() / "go") << "x";
  end_of(id);
  ASSERT_TRUE(comes_true([&] { return joined.back()->heard(Kind::end); }));
  join(0);   // when it is over
  for (const auto& ears : joined) {
    const auto numbers = ears->numbers();
    const std::int64_t first = numbers.front();
    ASSERT_TRUE(first == 1 || first == 2991);
    ASSERT_EQ(numbers.size(), static_cast<std::size_t>(3100 - first + 1));
    for (std::size_t i = 0; i < numbers.size(); ++i) ASSERT_EQ(numbers[i], first + static_cast<std::int64_t>(i));
    EXPECT_EQ(ears->all().back().kind, Kind::end);
    EXPECT_EQ(ears->all().back().text, "ended");
  }
  EXPECT_EQ(gone->all().size(), 3U) << "it has said that it hears nothing more";
  EXPECT_EQ(code_of([&] { runner->watch(99, 0, throwing); }), Code::not_found);
}

TEST_F(Running, OneAfterAnotherAndWhatAPersonStartedFirst) {
  program("mkdir $here/alone || echo overlap >> $here/order; sleep 0.05; echo \"$5\" >> $here/order; rmdir $here/alone");
  program_.key_file.clear();
  open();
  const auto scheduled = [&](const std::string& kind, const std::string& name, std::optional<Timestamp> slot) {
    return runner->add({kind, {}, name, slot}, {"schedule " + name, "service"});
  };
  auto all = std::make_shared<Ears>();
  runner->watch_all(all);
  scheduled("copy", "offsite", Timestamp{1, 0});
  scheduled("prune", "space", Timestamp{1, 0});
  queue("verify");
  scheduled("check", "health", std::nullopt);   // a person asked for it
  const auto withdrawn = queue("kit");
  runner->stop(withdrawn, kTester);
  runner->start();
  EXPECT_TRUE(said_in("order", "prune")) << here("order");
  EXPECT_EQ(here("order"), "verify\ncheck\ncopy\nprune\n");
  EXPECT_EQ(jobs().find(withdrawn)->exit_code, 130);
  EXPECT_TRUE(comes_true([&] {
    const auto events = all->all();
    return std::count_if(events.begin(), events.end(), [](const JobEvent& e) { return e.kind == Kind::end; }) == 5;
  }));
}

TEST_F(Running, AskedToStopItStops) {
  program("sleep 100 & echo $! > $here/grandchild; trap 'echo asked; exit 130' TERM; echo ready > $here/ready; wait");
  const auto id = queue();
  runner->start();
  ASSERT_TRUE(said_in("ready", "ready"));
  runner->stop(id, kTester);
  EXPECT_TRUE(runner->running()->stopping);
  const Job job = end_of(id);
  EXPECT_EQ(job.state, State::ended);
  EXPECT_EQ(job.exit_code, 130);
  EXPECT_EQ(log(id), (std::vector<std::string>{"asked"}));
  EXPECT_TRUE(comes_true([&] { return is_gone(std::stoi(here("grandchild"))); }));
  EXPECT_EQ(parts->audit.entries(0, 1).front().action, "job.stop");
  EXPECT_EQ(code_of([&] { runner->stop(id, kTester); }), Code::precondition);
  EXPECT_EQ(code_of([&] { runner->stop(99, kTester); }), Code::not_found);
}

TEST_F(Running, AskedToStopBeforeItListensItStops) {
  program("echo ready > $here/ready; while :; do sleep 0.05; done");
  const auto id = queue();
  runner->start();
  ASSERT_TRUE(said_in("ready", "ready"));
  runner->stop(id, kTester);
  EXPECT_EQ(end_of(id).exit_code, 130);
}

TEST_F(Running, OneThatDoesNotStopIsKilled) {
  program("exec 2> /dev/null; trap 'echo asked >> $here/asked' TERM; echo ready > $here/ready; while :; do sleep 0.05; done");
  const auto id = queue();
  runner->start();
  ASSERT_TRUE(said_in("ready", "ready"));
  runner->stop(id, kTester);
  runner->stop(id, kTester);
  ASSERT_TRUE(said_in("asked", "asked"));
  clock.advance(JobRunner::kGrace - seconds(1));
  std::this_thread::sleep_for(milliseconds(500));
  EXPECT_EQ(jobs().find(id)->state, State::running) << "not before its time is up";
  for (int i = 0; i < 30 && jobs().find(id)->state == State::running; ++i) {
    clock.advance(seconds(2));
    std::this_thread::sleep_for(milliseconds(200));
  }
  EXPECT_EQ(end_of(id).exit_code, 137);
  ASSERT_EQ(log(id).size(), 1U);
  EXPECT_NE(log(id)[0].find("killed"), std::string::npos);
  EXPECT_EQ(here("asked"), "asked\n") << "once";
  const auto entries = parts->audit.entries(0, 10);
  EXPECT_EQ(std::count_if(entries.begin(), entries.end(), [](const AuditEntry& e) { return e.action == "job.stop"; }), 1);
}

TEST_F(Running, AProgramThatCannotBeStartedIsAnEndWithAReason) {
  const auto id = queue();   // there is no program
  runner->start();
  EXPECT_EQ(end_of(id).exit_code, 10);
  ASSERT_EQ(log(id).size(), 1U);
  EXPECT_NE(log(id)[0].find("cannot start"), std::string::npos);
}

TEST_F(Running, AServiceThatEndsCutsItsJobOff) {
  program("trap 'exit 130' TERM; echo ready > $here/ready; while :; do sleep 0.05; done");
  std::vector<State> told;
  on_end = [&](Transaction&, const JobReport& report) { told.push_back(report.job.state); };
  const auto running = runner->add({"backup", {}, "night", Timestamp{1'000'000, 0}}, {"schedule night", "service"});
  const auto queued = runner->add({"backup", {}, "noon", Timestamp{1'000'000, 0}}, {"schedule noon", "service"});
  runner->start();
  ASSERT_TRUE(said_in("ready", "ready"));
  runner->finish();
  EXPECT_EQ(told, (std::vector<State>{State::interrupted}));
  EXPECT_EQ(jobs().find(running)->state, State::interrupted);
  EXPECT_EQ(jobs().find(queued)->state, State::queued);
  EXPECT_TRUE(jobs().runs("night").empty()) << "its slot is due again";
  EXPECT_EQ(code_of([&] { queue(); }), Code::unavailable);
  open();
  ASSERT_EQ(interrupt_unfinished(*parts).size(), 1U);
  EXPECT_TRUE(jobs().runs("noon").empty());
}

TEST_F(Running, AJobThatWasDoneWhenTheServiceEndsIsDone) {
  program("trap 'echo last; exit 0' TERM; echo ready > $here/ready; while :; do sleep 0.05; done");
  const auto id = queue();
  runner->start();
  ASSERT_TRUE(said_in("ready", "ready"));
  runner->finish();
  EXPECT_EQ(jobs().find(id)->state, State::ended);
  EXPECT_EQ(jobs().find(id)->exit_code, 0);
}

TEST_F(Running, AQueuedRunThatNeverStartedDoesNotUseUpItsSlot) {
  for (int i = 0; i < 2 * Jobs::kTimesInterrupted; ++i) {
    runner->add({"backup", {}, "night", Timestamp{1'000'000, 0}}, {"schedule night", "service"});
    open();
    interrupt_unfinished(*parts);
    EXPECT_TRUE(jobs().runs("night").empty()) << i;
  }
}

TEST_F(Running, WhatCannotBeToldIsAFindingAndTheJobEnds) {
  on_end = [](Transaction& change, const JobReport&) { change.run("INSERT INTO no_such_table VALUES (1)"); };
  const Job job = run("exit 7");
  EXPECT_EQ(job.exit_code, 7);
  ASSERT_TRUE(comes_true([&] { return !runner->running(); }));
  ASSERT_EQ(runner->findings().size(), 1U);
  EXPECT_EQ(runner->findings()[0].code, "end_not_told");
}

// The service is killed while a job runs: the job goes with it, and the next service knows.
TEST_F(Running, AServiceThatIsKilled) {
  runner.reset();
  parts.reset();
  const auto state = folder.path() / "killed";
  for (int round = 0; round < 3; ++round) {
    std::filesystem::remove(folder.path() / "ready");
    program("sleep 100 & echo $! > $here/grandchild; echo $$ > $here/child; touch $here/ready; wait");
    platform::ChildProcess host({{HOLDFAST_JOB_RUNNER_HOST, state.native(), (folder.path() / "program").native()}, {{"PATH", "/usr/bin:/bin"}}, {}});
    ASSERT_TRUE(comes_true([&] {
      host.listen(milliseconds(1), [](platform::ChildProcess::From, std::string_view text) { std::cerr << text; });
      return std::filesystem::exists(folder.path() / "ready");
    }));
    const pid_t child = std::stoi(here("child"));
    EXPECT_FALSE(is_gone(child));
    host.kill();
    while (host.listen(milliseconds(10), [](platform::ChildProcess::From, std::string_view) {})) continue;
    EXPECT_EQ(host.exit_code(), 137);
    EXPECT_TRUE(comes_true([&] { return is_gone(child); }));
    ::kill(std::stoi(here("grandchild")), SIGKILL);   // the shell's, which does not pass on what ended it; holdfast ends what it started

    Parts next(state, clock, entropy, kdf);
    const auto found = interrupt_unfinished(next);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].state, State::interrupted);
    EXPECT_EQ(found[0].schedule, "night");
    EXPECT_EQ(next.jobs.runs("night").size(), round + 1 < Jobs::kTimesInterrupted ? 0U : 3U) << "three times, then it is left";
  }
}

// Its job does not end when it is asked to: the next service starts none beside it.
TEST_F(Running, AJobOfAnEarlierServiceThatDoesNotEndIsWaitedFor) {
  program("echo $$ >> $here/child; trap '' TERM; while [ ! -e $here/let ]; do sleep 0.05; done");
  const auto state = folder.path() / "killed";
  {
    platform::ChildProcess host({{HOLDFAST_JOB_RUNNER_HOST, state.native(), (folder.path() / "program").native()}, {{"PATH", "/usr/bin:/bin"}}, {}});
    ASSERT_TRUE(said_in("child", "\n"));
    host.kill();   // its job leads a group of its own
    while (host.listen(milliseconds(10), [](platform::ChildProcess::From, std::string_view) {})) continue;
  }
  Parts next(state, clock, entropy, kdf);
  ASSERT_EQ(interrupt_unfinished(next).size(), 1U);
  JobRunner second(next.state, next.audit, next.jobs, clock, {folder.path() / "program", "/etc/holdfast.toml", state, {}, {}}, {}, milliseconds(5));
  const auto id = second.add({"backup", {}, {}, {}}, kTester);
  second.start();
  ASSERT_TRUE(comes_true([&] { return !second.findings().empty(); }));
  EXPECT_EQ(second.findings()[0].code, "jobs_blocked");
  EXPECT_EQ(next.jobs.find(id)->state, State::queued);
  EXPECT_FALSE(is_gone(std::stoi(here("child"))));
  std::ofstream(folder.path() / "let") << "x";
  ASSERT_TRUE(comes_true([&] { return next.jobs.find(id)->state == State::ended; }));
  EXPECT_EQ(next.jobs.find(id)->exit_code, 0);
  EXPECT_TRUE(comes_true([&] { return second.findings().empty(); }));
}

// The state file may take a job and say that it did not.
TEST_F(Running, AJobIsAskedForOrItIsNot) {
  std::uint64_t counted = 0, runs = 0, taken = 0;
  for (std::uint64_t nth = 0; nth == 0 || nth <= counted; ++nth) {
    const std::size_t before = jobs().list(0, 100).size();
    disk.reset();
    if (nth > 0) disk.strike(nth, Disk::Fault::io_late_once);
    std::int64_t id = 0;
    const auto failed = code_of([&] { id = runner->add({"restore", {}, {}, {}}, kTester, {crypto::Secret::copy_of(as_bytes(std::string_view("x"))), {}}); });
    if (nth == 0) counted = disk.changes();
    runs += disk.struck() ? 1 : 0;
    disk.reset();
    const auto all = jobs().list(0, 100);
    EXPECT_EQ(all.size(), before + (failed ? 0 : 1)) << nth;
    if (!failed) {
      EXPECT_EQ(all.front().id, id) << nth;
    }
    taken += nth > 0 && !failed ? 1 : 0;
  }
  std::printf("calls counted %llu, runs %llu\n", static_cast<unsigned long long>(counted), static_cast<unsigned long long>(runs));
  EXPECT_EQ(runs, counted);
  EXPECT_GT(taken, 0U) << "one of them was taken in spite of its error";
}

// Every change of the state file fails once, at each place: the job is run once, its log is whole, its end is written and told once.
TEST_F(Running, AStateFileThatFailsAnywhereLosesNothing) {
  program("echo $$ >> $here/runs; echo one; echo two; echo three; exit 3");
  on_end = [](Transaction& change, const JobReport& report) { change.run("INSERT INTO meta VALUES ('told' || ?, 1)", report.job.id); };
  std::uint64_t counted = 0, runs = 0;
  for (const Disk::Fault fault : {Disk::Fault::io_once, Disk::Fault::full_once, Disk::Fault::io_late_once}) {
    for (std::uint64_t nth = 0; nth == 0 || nth <= counted; ++nth) {
      open();
      std::filesystem::remove(folder.path() / "runs");
      const auto id = queue();
      disk.reset();
      if (nth > 0) disk.strike(nth, fault);
      runner->start();
      ASSERT_TRUE(comes_true([&] { return std::filesystem::exists(folder.path() / "runs") && !runner->running(); }));
      runner->finish();
      if (nth == 0) counted = disk.changes();
      else runs += disk.struck() ? 1 : 0;
      disk.reset();
      const Job job = *jobs().find(id);
      ASSERT_EQ(job.state, State::ended) << nth;
      EXPECT_EQ(job.exit_code, 3) << nth;
      EXPECT_EQ(log(id), (std::vector<std::string>{"one", "two", "three"})) << nth;
      EXPECT_EQ(split(here("runs"), '\n').size(), 2U) << nth << ": it ran once";
      EXPECT_EQ(parts->state.read().number("SELECT count(*) FROM meta WHERE name = 'told" + std::to_string(id) + "'"), 1) << nth;
    }
  }
  std::printf("calls counted %llu, runs %llu\n", static_cast<unsigned long long>(3 * counted), static_cast<unsigned long long>(runs));
  EXPECT_GT(counted, 20U);
  EXPECT_EQ(runs, 3 * counted);
}

TEST_F(Running, AFullDiskHoldsJobsBackAndSaysSo) {
  program("echo x");
  const auto id = queue();
  disk.strike(1, Disk::Fault::full_from_then_on);
  runner->start();
  ASSERT_TRUE(comes_true([&] { return !runner->findings().empty(); }));
  EXPECT_EQ(runner->findings()[0].code, "jobs_blocked");
  EXPECT_FALSE(runner->running());
  {
    Transaction nobody_else = parts->state.read();
    disk.reset();
  }
  EXPECT_EQ(end_of(id).exit_code, 0);
  EXPECT_TRUE(comes_true([&] { return runner->findings().empty(); }));
}

}  // namespace
}  // namespace holdfast::service
