#include "service/notify/notifications.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <iostream>
#include <map>
#include <random>

#include "platform/testing.h"
#include "service/notify/delivery_testing.h"
#include "service/state/state_testing.h"

namespace holdfast::service {
namespace {

using system::NotifySettings;
using Scheme = NotifySettings::Scheme;
using State = Notification::State;

const Error kUnreachable(Code::unavailable, "cannot reach mail.example.org:465");
const Error kRefused(Code::failed, "it answers 500");

Event event(Event::Kind kind, const std::string& headline = "backup failed (exit 17)") {
  return {.kind = kind, .headline = headline, .happened = "no room", .safe = "the rest", .next = "free some", .job = 17, .job_kind = "backup", .time = {100, 0}};
}

NotifySettings target(const std::string& name, NotifySettings::Events on = {}, Scheme scheme = Scheme::smtps) {
  NotifySettings n = scheme == Scheme::smtps ? mail_target(name, scheme, 465) : web_target(name, scheme, 443);
  n.on = on;
  return n;
}
NotifySettings dead_mans_switch(const std::string& name) { return target(name, {false, false, false, true}, Scheme::https); }

class Queue : public ::testing::Test {
 protected:
  struct Open {
    Open(Queue& q, const platform::Path& folder)
        : state(q.files, q.entropy, folder, StateFile::Use::service, q.disk.name()), audit(state, q.clock), jobs(state, audit, q.clock), queue(state, audit, q.clock) {}
    StateFile state;
    Audit audit;
    Jobs jobs;
    Notifications queue;
  };

  void begin() { open = std::make_unique<Open>(*this, folder.path() / "state"); }
  Notifications& queue() { return open->queue; }
  std::size_t add(const Event& e, const std::vector<NotifySettings>& targets) {
    Transaction change = open->state.change();
    const std::size_t told = queue().add(change, e, targets);
    change.commit();
    return told;
  }
  std::size_t add_once(const Event& e, const std::vector<NotifySettings>& targets, const std::string& topic, const std::string& state) {
    Transaction change = open->state.change();
    const std::size_t told = queue().add_once(change, e, targets, topic, state);
    change.commit();
    return told;
  }
  void settled(const std::string& topic) {
    Transaction change = open->state.change();
    queue().settled(change, topic);
    change.commit();
  }
  void advance(std::int64_t seconds) { clock.advance(std::chrono::seconds(seconds)); }
  Notification only() {
    const auto all = queue().list(0, 10);
    EXPECT_EQ(all.size(), 1U);
    return all.front();
  }

  platform::TemporaryFolder folder;
  platform::FileSystem& files = platform::real_file_system();
  platform::ManualClock clock;
  platform::SeededEntropy entropy{11};
  Disk disk;   // real files without the wait for a real disk
  std::unique_ptr<Open> open = std::make_unique<Open>(*this, folder.path() / "state");
};

TEST_F(Queue, EachTargetIsToldOfWhatItWants) {
  const std::vector<NotifySettings> targets{target("all", {true, true, true, true}), target("usual"), target("overdue", {false, true, false, false}), dead_mans_switch("switch")};
  const auto told = [&](const Event& e) {
    std::vector<std::string> names;
    const std::size_t before = queue().list(0, 1000).size(), count = add(e, targets);
    const auto all = queue().list(0, 1000);
    EXPECT_EQ(all.size(), before + count);
    for (std::size_t i = 0; i < count; ++i) names.push_back(all[i].target);
    std::sort(names.begin(), names.end());
    return names;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(told(event(Event::Kind::failure)), (Names{"all", "usual"}));
  EXPECT_EQ(told(event(Event::Kind::overdue)), (Names{"all", "overdue", "usual"}));
  EXPECT_EQ(told(event(Event::Kind::finding)), (Names{"all", "usual"}));
  EXPECT_EQ(told(event(Event::Kind::success)), (Names{"all", "switch"}));
  Event verified = event(Event::Kind::success);
  verified.job_kind = "verify";   // says nothing about backups
  EXPECT_EQ(told(verified), Names{"all"});
}

TEST_F(Queue, ARowHoldsTheEventAndTheAuditHead) {
  open->audit.record(kTester, "act", "object", "done");
  const AuditHead head = open->audit.head();
  Event e = event(Event::Kind::failure);
  e.happened = std::string("line\r\nBcc: x\x1b[0m") + std::string(3000, 'x') + "ü";
  add(e, {target("mail")});
  const Notification n = only();
  EXPECT_EQ(n.event.kind, Event::Kind::failure);
  EXPECT_EQ(n.event.headline, "backup failed (exit 17)");
  EXPECT_TRUE(n.event.happened.starts_with("line\\x0d Bcc: x\\x1b[0mxxx")) << n.event.happened.substr(0, 40);
  EXPECT_LE(n.event.happened.size(), Notifications::kLongest + 3);
  EXPECT_EQ(n.event.safe, "the rest");
  EXPECT_EQ(n.event.next, "free some");
  EXPECT_EQ(n.event.job, 17);
  EXPECT_EQ(n.event.time, (Timestamp{100, 0}));
  EXPECT_EQ(n.head, head);
  EXPECT_EQ(n.queued.seconds, clock.now().seconds);
  EXPECT_EQ(n.state, State::waiting);
  EXPECT_EQ(n.tries, 0);
}

TEST_F(Queue, WhatIsNotCommittedIsNotTold) {
  {
    Transaction change = open->state.change();
    EXPECT_EQ(queue().add(change, event(Event::Kind::failure), std::vector{target("mail")}), 1U);
  }
  EXPECT_TRUE(queue().list(0, 10).empty());
  EXPECT_EQ(queue().take_due(), std::nullopt);
}

TEST_F(Queue, TheEndOfAJobAndItsMessageAreOne) {
  const std::int64_t id = open->jobs.add({.kind = "backup", .arguments = {}, .schedule = "nightly", .slot = Timestamp{50, 0}}, kTester);
  open->jobs.start(id);
  {
    Transaction change = open->state.change();
    open->jobs.end(change, id, 17, 0);
    queue().add(change, event(Event::Kind::failure), std::vector{target("mail")});
  }
  EXPECT_EQ(open->jobs.find(id)->state, Job::State::running);
  EXPECT_TRUE(queue().list(0, 10).empty());
}

// 1, 2, 4, … 256 min, then every 6 h, for 7 days.
TEST_F(Queue, TriesComeAtGrowingDistancesForSevenDays) {
  add(event(Event::Kind::failure), {target("mail")});
  std::vector<std::int64_t> distances;
  std::int64_t last = clock.now().seconds;
  const std::int64_t begin = last;
  while (only().state == State::waiting) {
    if (const auto n = queue().take_due()) {
      distances.push_back(clock.now().seconds - last);
      last = clock.now().seconds;
      EXPECT_EQ(queue().take_due(), std::nullopt);   // one try at a time
      queue().failed(n->id, kUnreachable);
    }
    const auto rest = queue().rest();
    if (rest) {
      ASSERT_GT(rest->count(), 0);
      advance(rest->count() - 1);
      EXPECT_EQ(queue().take_due(), std::nullopt);
      advance(1);
    }
  }
  const std::vector<std::int64_t> first(distances.begin(), distances.begin() + 12);
  EXPECT_EQ(first, (std::vector<std::int64_t>{0, 60, 120, 240, 480, 960, 1920, 3840, 7680, 15360, 21600, 21600}));
  EXPECT_GE(clock.now().seconds - begin, Notifications::kPatience);
  EXPECT_LT(clock.now().seconds - begin, Notifications::kPatience + Notifications::kLongestDistance);
  EXPECT_EQ(only().tries, static_cast<int>(distances.size()));
  EXPECT_EQ(only().state, State::given_up);
  EXPECT_EQ(only().code, "unavailable");
  EXPECT_EQ(only().error, "cannot reach mail.example.org:465");
  EXPECT_EQ(queue().counts().given_up, 1);
  EXPECT_EQ(queue().rest(), std::nullopt);
}

TEST_F(Queue, AGivenUpOneIsAnAlertUntilSomebodyHasSeenIt) {
  add(event(Event::Kind::failure), {target("gone"), target("mail")});
  const std::int64_t id = queue().take_due()->id;
  queue().give_up(id, "it is not in the configuration");
  EXPECT_EQ(queue().counts().given_up, 1);
  EXPECT_FALSE(queue().find(id)->acknowledged);
  queue().acknowledge(id, kTester);
  queue().acknowledge(id, kTester);
  EXPECT_TRUE(queue().find(id)->acknowledged);
  EXPECT_EQ(queue().counts().given_up, 0);
  EXPECT_EQ(open->audit.entries(0, 10).size(), 1U);
  EXPECT_EQ(open->audit.entries(0, 1)[0].action, "notification.acknowledge");
  EXPECT_EQ(code_of([&] { queue().acknowledge(id + 1, kTester); }), Code::precondition);
  EXPECT_EQ(code_of([&] { queue().acknowledge(id + 2, kTester); }), Code::not_found);
}

TEST_F(Queue, ADeadServerIsAskedOnceAMinuteNotOnceForEach) {
  for (int i = 0; i < 50; ++i) add(event(Event::Kind::failure), {target("dead")});
  add(event(Event::Kind::failure), {target("other")});
  int dead = 0, other = 0;
  for (int minute = 0; minute < 30; ++minute) {
    while (const auto n = queue().take_due()) {
      if (n->target == "other") queue().delivered(n->id), ++other;
      else queue().failed(n->id, kUnreachable), ++dead;
    }
    advance(60);
  }
  EXPECT_EQ(other, 1);
  EXPECT_EQ(dead, 30);
  // It is back: everything that waited for it goes.
  advance(60);
  int brought = 0;
  while (const auto n = queue().take_due()) queue().delivered(n->id), ++brought;
  EXPECT_EQ(brought, 50);
  EXPECT_EQ(queue().counts().waiting, 0);
}

TEST_F(Queue, WhatTheServerRefusesIsNotHurriedByOthersThatItTakes) {
  add(event(Event::Kind::failure, "refused"), {target("mail")});
  for (int i = 0; i < 4; ++i) {
    const auto n = queue().take_due();
    ASSERT_TRUE(n);
    queue().failed(n->id, kRefused);
    advance(queue().rest()->count());
  }
  queue().failed(queue().take_due()->id, kRefused);
  add(event(Event::Kind::failure, "taken"), {target("mail")});
  const auto n = queue().take_due();
  ASSERT_TRUE(n);
  EXPECT_EQ(n->event.headline, "taken");
  queue().delivered(n->id);
  EXPECT_EQ(queue().take_due(), std::nullopt);
}

TEST_F(Queue, ATestIsOneTryWhateverTheTargetWants) {
  const std::int64_t id = queue().test(target("mail", {false, true, false, false}), {"anna", "192.0.2.1"});
  EXPECT_EQ(open->audit.entries(0, 1)[0].action, "notification.test");
  auto n = queue().take_due();
  ASSERT_TRUE(n);
  EXPECT_EQ(n->id, id);
  EXPECT_EQ(n->event.kind, Event::Kind::test);
  EXPECT_EQ(n->head, open->audit.head());
  EXPECT_NE(n->event.happened.find("anna"), std::string::npos);
  queue().failed(id, kRefused);
  EXPECT_EQ(queue().find(id)->state, State::given_up);
  EXPECT_EQ(queue().find(id)->error, "it answers 500");
  EXPECT_EQ(queue().counts().given_up, 0);   // whoever asked has seen it
}

TEST_F(Queue, ALateCallWouldBeALie) {
  add(event(Event::Kind::success), {dead_mans_switch("switch")});
  add(event(Event::Kind::success), {dead_mans_switch("switch")});   // the newest only
  EXPECT_EQ(queue().counts().waiting, 1);
  EXPECT_EQ(queue().counts().given_up, 0);
  int tries = 0;
  const std::int64_t begin = clock.now().seconds;
  while (queue().counts().waiting > 0) {
    if (const auto n = queue().take_due()) queue().failed(n->id, kUnreachable), ++tries;
    if (const auto rest = queue().rest()) advance(rest->count());
  }
  EXPECT_GT(tries, 3);
  EXPECT_LE(clock.now().seconds - begin, 2 * Notifications::kPatienceOfCall);
  EXPECT_EQ(queue().counts().given_up, 1);

  add(event(Event::Kind::success), {dead_mans_switch("switch")});   // and the service was down for an hour
  advance(Notifications::kPatienceOfCall);
  EXPECT_EQ(queue().take_due(), std::nullopt);
  EXPECT_EQ(queue().list(0, 1)[0].state, State::given_up);
  EXPECT_EQ(queue().list(0, 1)[0].tries, 0);
}

TEST_F(Queue, WhatLastsIsToldOnceUntilItChanges) {
  const std::vector<NotifySettings> targets{target("mail")};
  const Event overdue = event(Event::Kind::overdue, "copy to nas is overdue");
  EXPECT_EQ(add_once(overdue, {}, "schedule offsite", "100"), 0U);
  EXPECT_EQ(add_once(overdue, targets, "schedule offsite", "100"), 1U);   // told to nobody so far
  for (int i = 0; i < 100; ++i) EXPECT_EQ(add_once(overdue, targets, "schedule offsite", "100"), 0U);
  open.reset();
  begin();
  EXPECT_EQ(add_once(overdue, targets, "schedule offsite", "100"), 0U);
  EXPECT_EQ(add_once(overdue, targets, "schedule other", "100"), 1U);
  EXPECT_EQ(add_once(overdue, targets, "schedule offsite", "200"), 1U);
  settled("schedule offsite");
  EXPECT_EQ(add_once(overdue, targets, "schedule offsite", "200"), 1U);
  EXPECT_EQ(queue().list(0, 100).size(), 4U);
}

TEST_F(Queue, AMailThatSomeHaveWaitsForTheOthers) {
  add(event(Event::Kind::failure), {target("mail")});
  auto n = queue().take_due();
  queue().delivered_in_part(n->id, {"b@example.org", "c@example.org"}, kRefused);
  EXPECT_EQ(queue().take_due(), std::nullopt);
  advance(60);
  n = queue().take_due();
  ASSERT_TRUE(n);
  EXPECT_EQ(n->missing, (std::vector<std::string>{"b@example.org", "c@example.org"}));
  queue().delivered(n->id);
  EXPECT_EQ(only().state, State::delivered);
  EXPECT_TRUE(only().missing.empty());
  EXPECT_EQ(only().error, "");
  EXPECT_EQ(only().tries, 2);
}

TEST_F(Queue, AServiceThatDiesInATryMakesItAgain) {
  add(event(Event::Kind::failure), {target("mail")});
  ASSERT_TRUE(queue().take_due());
  open.reset();
  begin();
  EXPECT_EQ(queue().take_due(), std::nullopt);   // a minute later: one that dies each time floods nobody
  EXPECT_EQ(only().code, "interrupted");
  advance(60);
  const auto n = queue().take_due();
  ASSERT_TRUE(n);
  queue().not_tried(n->id);   // this one was asked to stop
  EXPECT_EQ(only().tries, 1);
  EXPECT_TRUE(queue().take_due());
}

TEST_F(Queue, ClocksThatAreSetLoseNothing) {
  add(event(Event::Kind::failure), {target("mail")});
  const Timestamp right = clock.now();
  clock.set({right.seconds + 10LL * 365 * 86'400, 0});   // ten years ahead
  for (int i = 1; i < Notifications::kFewestTries; ++i) {
    const auto n = queue().take_due();
    ASSERT_TRUE(n) << i;
    queue().failed(n->id, kUnreachable);
    EXPECT_EQ(only().state, State::waiting) << i;
    if (i < Notifications::kFewestTries - 1) advance(queue().rest()->count());
  }
  clock.set(right);   // and back
  EXPECT_EQ(queue().rest(), std::chrono::seconds(0));
  const auto n = queue().take_due();
  ASSERT_TRUE(n);
  queue().delivered(n->id);
}

TEST_F(Queue, TheNewestAreKeptAndWhatWaitsAlways) {
  add(event(Event::Kind::failure, "waits"), {target("waits")});
  add(event(Event::Kind::failure, "given up"), {target("gone")});
  queue().give_up(2, "gone");
  {
    Transaction change = open->state.change();
    for (int i = 0; i < 1100; ++i) {
      queue().add(change, event(Event::Kind::finding), std::vector{target("mail")});
      change.run("UPDATE notifications SET state = 'delivered' WHERE state = 'waiting' AND target = 'mail'");
    }
    change.commit();
  }
  const auto all = queue().list(0, 5000);
  EXPECT_GE(all.size(), 1000U);
  EXPECT_LE(all.size(), 1004U);
  EXPECT_EQ(all[all.size() - 1].event.headline, "waits");
  EXPECT_EQ(all[all.size() - 2].event.headline, "given up");   // nobody has acknowledged it
  EXPECT_EQ(queue().list(all[4].id, 3).front().id, all[5].id);
}

TEST_F(Queue, ATargetThatIsDeadForLongKeepsItsNewestThousand) {
  {
    Transaction change = open->state.change();
    for (std::int64_t i = 0; i < Notifications::kWaiting + 7; ++i) queue().add(change, event(Event::Kind::failure, std::to_string(i)), std::vector{target("dead")});
    change.commit();
  }
  EXPECT_EQ(queue().counts().waiting, Notifications::kWaiting);
  EXPECT_EQ(queue().counts().given_up, 7);
  EXPECT_EQ(queue().find(1)->state, State::given_up);
  EXPECT_EQ(queue().find(8)->state, State::waiting);
}

// A thousand random days: whatever servers and clocks do, each message is delivered or given up or waits, none is delivered twice, and one that was
// given up had its time or its tries.
TEST_F(Queue, NothingIsLostWhateverHappens) {
  const std::uint64_t seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  const std::vector<NotifySettings> targets{target("a"), target("b"), dead_mans_switch("c")};
  struct Known { State state = State::waiting; Notification::Form form = Notification::Form::message; int tries = 0; };
  std::map<std::int64_t, Known> model;
  int delivered = 0, given_up = 0;
  for (int step = 0; step < 1000; ++step) {
    switch (random() % 8) {
      case 0: case 1: add(event(random() % 2 == 0 ? Event::Kind::failure : Event::Kind::success), targets); break;
      case 2: advance(static_cast<std::int64_t>(random() % 100'000)); break;
      case 3: if (random() % 10 == 0) clock.set({clock.now().seconds + static_cast<std::int64_t>(random() % 4'000'000) - 2'000'000, 0}); break;
      case 4: open.reset(); begin(); break;
      default: {
        advance(static_cast<std::int64_t>(random() % 2000));
        const auto n = queue().take_due();
        if (!n) break;
        ASSERT_EQ(model[n->id].state, State::waiting) << n->id;
        ++model[n->id].tries;
        switch (random() % 5) {
          case 0: queue().delivered(n->id); ++delivered; model[n->id].state = State::delivered; break;
          case 1: queue().failed(n->id, kRefused); break;
          case 2: break;   // it dies
          default: queue().failed(n->id, kUnreachable); break;
        }
      }
    }
    for (const Notification& n : queue().list(0, 10'000)) {
      auto [found, is_new] = model.try_emplace(n.id);
      Known& known = found->second;
      if (is_new) known.form = n.form;
      EXPECT_EQ(n.tries, known.tries) << n.id;
      if (known.state == n.state) continue;
      ASSERT_EQ(known.state, State::waiting) << n.id;
      ASSERT_EQ(n.state, State::given_up) << n.id;
      known.state = n.state;
      ++given_up;
      if (n.form == Notification::Form::message) {
        EXPECT_GE(n.tries, Notifications::kFewestTries);
      }
    }
    std::int64_t waiting = 0;
    for (const auto& [id, known] : model) waiting += known.state == State::waiting ? 1 : 0;
    ASSERT_EQ(queue().counts().waiting, waiting) << "step " << step;
  }
  std::cout << "messages " << model.size() << ", delivered " << delivered << ", given up " << given_up << "\n";
  EXPECT_GT(delivered, 10);
}

// Every change of the file fails, or is the last thing that happens: the state is the old one or the new one, and what was told to be done is done.
TEST_F(Queue, EveryChangeIsWholeWhateverFails) {
  struct Act { const char* name; std::function<void(Open&)> run; };
  const std::vector<NotifySettings> targets{target("mail"), target("second"), dead_mans_switch("switch")};
  const std::int64_t job = open->jobs.add({.kind = "backup", .arguments = {}, .schedule = std::nullopt, .slot = std::nullopt}, kTester);
  open->jobs.start(job);
  for (int i = 0; i < 3; ++i) add(event(Event::Kind::failure), targets);
  add(event(Event::Kind::success), targets);
  queue().give_up(6, "gone");
  queue().delivered(5);
  const std::vector<Act> acts{
      {"end of a job", [&](Open& o) {
         Transaction change = o.state.change();
         o.jobs.end(change, job, 17, 0);
         o.queue.add_once(change, event(Event::Kind::failure), targets, "topic", "state");
         o.queue.add(change, event(Event::Kind::success), targets);
         change.commit();
       }},
      {"test", [&](Open& o) { o.queue.test(targets[0], kTester); }},
      {"take_due", [&](Open& o) { o.queue.take_due(); }},
      {"delivered", [&](Open& o) { o.queue.delivered(1); }},
      {"failed", [&](Open& o) { o.queue.failed(1, kUnreachable); }},
      {"delivered_in_part", [&](Open& o) { o.queue.delivered_in_part(1, {"b@example.org"}, kRefused); }},
      {"not_tried", [&](Open& o) { o.queue.not_tried(1); }},
      {"give_up", [&](Open& o) { o.queue.give_up(1, "why"); }},
      {"acknowledge", [&](Open& o) { o.queue.acknowledge(6, kTester); }},
  };
  open.reset();
  const auto original = folder.path() / "state", copy = folder.path() / "copy";
  const std::string before = dump(original);
  std::uint64_t counted = 0, runs = 0, olds = 0, news = 0;
  for (const Act& act : acts) {
    const auto run = [&] {
      Open parts(*this, copy);
      act.run(parts);
    };
    copy_folder(original, copy);
    disk.reset();
    run();
    const std::uint64_t changes = disk.changes();
    ASSERT_GT(changes, 0U) << act.name;
    const std::string wanted = dump(copy);
    EXPECT_NE(wanted, before) << act.name;
    for (std::uint64_t n = 1; n <= changes + 1; ++n)
      for (const auto fault : {Disk::Fault::killed, Disk::Fault::full_once, Disk::Fault::full_from_then_on, Disk::Fault::io_once, Disk::Fault::io_from_then_on}) {
        copy_folder(original, copy);
        disk.reset();
        disk.strike(n, fault);
        const auto code = code_of([&] { run(); });
        if (fault == Disk::Fault::killed) disk.lose_power(n);
        disk.reset();
        { Open again(*this, copy); }   // rolls back what was left
        const std::string now = dump(copy);
        if (!code) {
          EXPECT_EQ(now, wanted) << act.name << ", change " << n;
        }
        EXPECT_TRUE(now == before || now == wanted) << act.name << ", change " << n << ", fault " << static_cast<int>(fault);
        ++(now == before ? olds : news);
        ++runs;
      }
    counted += 5 * (changes + 1);
  }
  std::cout << "calls counted " << counted << ", runs " << runs << " (old state " << olds << ", new state " << news << ")\n";
  EXPECT_EQ(runs, counted);
  EXPECT_GT(news, 0U);
}

// --- what the end of a job is called

Job ended(int exit_code, std::int64_t findings = 0) {
  Job job;
  job.id = 17;
  job.kind = "backup";
  job.schedule = "nightly";
  job.state = Job::State::ended;
  job.exit_code = exit_code;
  job.findings = findings;
  job.ended = Timestamp{500, 0};
  return job;
}

TEST(JobEvents, SayWhatTheJobSaid) {
  const Event e = event_of(ended(17), {"cannot write /backup/x: no space left on device", "earlier points are whole", "free some space"});
  EXPECT_EQ(e.kind, Event::Kind::failure);
  EXPECT_EQ(e.headline, "backup failed (exit 17)");
  EXPECT_EQ(e.happened, "cannot write /backup/x: no space left on device");
  EXPECT_EQ(e.safe, "earlier points are whole");
  EXPECT_EQ(e.next, "free some space");
  EXPECT_EQ(e.job, 17);
  EXPECT_EQ(e.job_kind, "backup");
  EXPECT_EQ(e.time, (Timestamp{500, 0}));
}

TEST(JobEvents, EveryExitHasItsWords) {
  EXPECT_EQ(event_of(ended(0), {}).kind, Event::Kind::success);
  const Event findings = event_of(ended(3, 1), {});
  EXPECT_EQ(findings.kind, Event::Kind::finding);
  EXPECT_NE(findings.happened.find("Job 17, backup of schedule nightly, ended with 1 finding (exit 3)"), std::string::npos) << findings.happened;
  for (const CodeInfo& c : all_codes()) {
    const Event e = event_of(ended(c.exit_code), {});
    EXPECT_EQ(e.kind, Event::Kind::failure);
    EXPECT_FALSE(e.happened.empty() || e.next.empty() || e.safe.empty()) << c.name;
  }
  EXPECT_NE(event_of(ended(139), {}).happened.find("without a word"), std::string::npos);
  Job interrupted = ended(0);
  interrupted.state = Job::State::interrupted;
  interrupted.exit_code.reset();
  EXPECT_EQ(event_of(interrupted, {}).headline, "backup was interrupted");
  EXPECT_EQ(event_of(interrupted, {}).kind, Event::Kind::failure);
  EXPECT_EQ(event_of(interrupted, {}).next, "Start it again.") << "a person had started it, although it is a schedule's";
  interrupted.slot = Timestamp{1'000'000, 0};
  EXPECT_NE(event_of(interrupted, {}).next.find("by itself"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::service
