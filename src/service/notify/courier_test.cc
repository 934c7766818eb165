#include "service/notify/courier.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/testing.h"
#include "platform/testing.h"
#include "service/notify/delivery_testing.h"
#include "service/state/state_testing.h"

namespace holdfast::service {
namespace {

using namespace std::chrono_literals;
using system::NotifySettings;
using Scheme = NotifySettings::Scheme;
using State = Notification::State;

class Couriers : public ::testing::Test {
 protected:
  struct Open {
    explicit Open(Couriers& c, const std::string& vfs = "")
        : state(platform::real_file_system(), c.entropy, c.folder.path() / "state", StateFile::Use::service, vfs), audit(state, c.clock), queue(state, audit, c.clock),
          delivery(platform::real_file_system(), {"ns01", "server.example.test"}, 20s),
          courier(queue, delivery, [&c] { return c.targets; }, [&c](const std::string& text) { c.report(text); }) {}
    void add(const std::vector<NotifySettings>& to) {
      Transaction change = state.change();
      queue.add(change, {.kind = Event::Kind::failure, .headline = "backup failed (exit 17)", .happened = "no room", .safe = "", .next = "", .job = 17, .job_kind = "backup",
                         .time = {100, 0}}, to);
      change.commit();
    }
    StateFile state;
    Audit audit;
    Notifications queue;
    Delivery delivery;
    Courier courier;
  };

  Couriers() { trusted_authority(); }
  void report(const std::string& text) {
    std::lock_guard lock(mutex);
    reports.push_back(text);
  }

  platform::TemporaryFolder folder;
  platform::ManualClock clock;
  platform::SeededEntropy entropy{13};
  std::vector<NotifySettings> targets;
  std::mutex mutex;
  std::vector<std::string> reports;
};

TEST_F(Couriers, AnAnswer500IsTriedAgain) {
  WebReceiver server({http_answer(500), http_answer(503), http_answer(200)});
  targets = {web_target("hook", Scheme::https, server.port())};
  Open o(*this);
  o.add(targets);
  EXPECT_EQ(o.courier.deliver_due(), 1U);
  EXPECT_EQ(o.queue.find(1)->state, State::waiting);
  EXPECT_NE(o.queue.find(1)->error.find("answers 500"), std::string::npos);
  EXPECT_EQ(o.courier.deliver_due(), 0U);
  clock.advance(60s);
  EXPECT_EQ(o.courier.deliver_due(), 1U);
  clock.advance(120s);
  EXPECT_EQ(o.courier.deliver_due(), 1U);
  EXPECT_EQ(o.queue.find(1)->state, State::delivered);
  EXPECT_EQ(o.queue.find(1)->tries, 3);
  ASSERT_EQ(server.requests().size(), 3U);
  EXPECT_EQ(server.requests()[0].body, server.requests()[2].body);   // the same message under the same id
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_NE(reports[0].find("notification 1 to hook: "), std::string::npos) << reports[0];
}

TEST_F(Couriers, TheSettingsInForceAreUsed) {
  MailReceiver server({.tls_at_once = true});
  targets = {mail_target("mail", Scheme::smtps, closed_port()), web_target("gone", Scheme::https, closed_port())};
  Open o(*this);
  o.add(targets);
  targets = {targets[0]};
  EXPECT_EQ(o.courier.deliver_due(), 2U);
  EXPECT_EQ(o.queue.find(1)->code, "unavailable");
  EXPECT_EQ(o.queue.find(2)->state, State::given_up);
  EXPECT_NE(o.queue.find(2)->error.find("[notify.gone]"), std::string::npos);
  EXPECT_EQ(o.queue.counts().given_up, 1);
  targets = {mail_target("mail", Scheme::smtps, server.port())};   // a person has corrected it
  clock.advance(60s);
  EXPECT_EQ(o.courier.deliver_due(), 1U);
  EXPECT_EQ(o.queue.find(1)->state, State::delivered);
  EXPECT_EQ(server.mails().size(), 1U);
}

TEST_F(Couriers, WhoWasRefusedGetsTheMailLaterAndTheOthersOnce) {
  MailReceiver server({.refused = {"b@example.org"}});
  targets = {mail_target("mail", Scheme::smtp, server.port(), {"a@example.org", "b@example.org", "c@example.org"})};
  Open o(*this);
  o.add(targets);
  o.courier.deliver_due();
  EXPECT_EQ(o.queue.find(1)->state, State::waiting);
  EXPECT_EQ(o.queue.find(1)->missing, std::vector<std::string>{"b@example.org"});
  EXPECT_NE(o.queue.find(1)->error.find("nobody here"), std::string::npos);
  server.change([](MailRules& r) { r.refused.clear(); });
  clock.advance(60s);
  o.courier.deliver_due();
  EXPECT_EQ(o.queue.find(1)->state, State::delivered);
  ASSERT_EQ(server.mails().size(), 2U);
  EXPECT_EQ(server.mails()[0].to, (std::vector<std::string>{"a@example.org", "c@example.org"}));
  EXPECT_EQ(server.mails()[1].to, std::vector<std::string>{"b@example.org"});
}

TEST_F(Couriers, ATestTellsAtOnceWhatIsWrong) {
  const auto own = certificate_for({"127.0.0.1"}, nullptr, {1'700'000'000, 0}, 20'000);
  MailReceiver server({.certificate = own, .tls_at_once = true});
  targets = {mail_target("mail", Scheme::smtps, server.port())};
  Open o(*this);
  const std::int64_t id = o.queue.test(targets[0], kTester);
  o.courier.deliver_due();
  EXPECT_EQ(o.queue.find(id)->state, State::given_up);
  EXPECT_NE(o.queue.find(id)->error.find("its certificate is not right"), std::string::npos) << o.queue.find(id)->error;
}

TEST_F(Couriers, TheThreadBringsWhatItIsWokenFor) {
  WebReceiver server({http_answer(200)});
  targets = {web_target("hook", Scheme::https, server.port())};
  Open o(*this);
  o.courier.start();
  for (std::size_t i = 1; i <= 3; ++i) {
    o.add(targets);
    o.courier.wake();
    EXPECT_TRUE(soon([&] { return o.queue.counts().waiting == 0; }));
    EXPECT_EQ(server.requests().size(), i);
  }
  o.courier.stop();
}

TEST_F(Couriers, AStopEndsATryAndTheNextServiceMakesIt) {
  WebReceiver server({http_answer(200)});
  {
    std::atomic<bool> asked{false};
    LoopbackServer silent([&](Peer& peer) {
      asked = true;
      peer.wait_for_end();
    });
    targets = {web_target("hook", Scheme::https, silent.port())};
    Open o(*this);
    o.add(targets);
    o.courier.start();
    EXPECT_TRUE(soon([&] { return asked.load(); }));
    o.courier.stop();
    EXPECT_EQ(o.queue.find(1)->state, State::waiting);
    EXPECT_EQ(o.queue.find(1)->tries, 0);
  }
  targets = {web_target("hook", Scheme::https, server.port())};
  Open again(*this);
  EXPECT_EQ(again.courier.deliver_due(), 1U);
  EXPECT_EQ(again.queue.find(1)->state, State::delivered);
}

// kill -9 while the server has the message and has not answered: it is told again, under the same id, a minute later.
TEST_F(Couriers, AKilledServiceTellsItAgain) {
  { Open o(*this); }
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  const pid_t child = ::fork();   // before this test has threads
  if (child == 0) {
    std::uint16_t port = 0;
    if (::read(pipe_ends[0], &port, sizeof port) != sizeof port) ::_exit(1);
    targets = {web_target("hook", Scheme::http, port)};
    Open o(*this);
    o.add(targets);
    o.courier.deliver_due();
    ::_exit(2);
  }
  ASSERT_GT(child, 0);
  std::mutex guard;
  std::vector<std::string> bodies;
  LoopbackServer server([&](Peer& peer) {
    std::size_t size = 0;
    for (std::string line; !(line = peer.line()).empty();)
      if (line.starts_with("Content-Length: ")) size = std::stoul(line.substr(16));
    const std::string body = peer.bytes(size);
    bool first = false;
    {
      std::lock_guard lock(guard);
      first = bodies.empty();
      bodies.push_back(body);
    }
    if (first) peer.wait_for_end();
    else peer.say(http_answer(200));
  });
  const std::uint16_t port = server.port();
  ASSERT_EQ(::write(pipe_ends[1], &port, sizeof port), static_cast<ssize_t>(sizeof port));
  const auto told = [&] {
    std::lock_guard lock(guard);
    return bodies.size();
  };
  EXPECT_TRUE(soon([&] { return told() == 1; }));
  ::kill(child, SIGKILL);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status));
  ::close(pipe_ends[0]);
  ::close(pipe_ends[1]);

  targets = {web_target("hook", Scheme::http, port)};
  Open o(*this);
  EXPECT_EQ(o.courier.deliver_due(), 0U);
  clock.advance(60s);
  EXPECT_EQ(o.courier.deliver_due(), 1U);
  EXPECT_EQ(o.queue.find(1)->state, State::delivered);
  ASSERT_EQ(told(), 2U);
  EXPECT_EQ(nlohmann::json::parse(bodies[0])["id"], nlohmann::json::parse(bodies[1])["id"]);
}

// The state file fails at each change, once and from then on: nobody is told before it is written down that he will be, so that a full disk makes no
// flood; and when it can be written again, the message comes.
TEST_F(Couriers, AStateFileThatFailsNeitherLosesNorFloods) {
  WebReceiver server({http_answer(200)});
  targets = {web_target("hook", Scheme::https, server.port())};
  Disk disk;
  std::uint64_t changes = 0, runs = 0;
  const auto attempt = [&](std::uint64_t n, std::optional<Disk::Fault> fault) {
    std::filesystem::remove_all(folder.path() / "state");
    const std::size_t before = server.requests().size();
    {
      Open o(*this, disk.name());
      o.add(targets);
      disk.reset();
      if (fault) disk.strike(n, *fault);
      for (int minute = 0; minute < 5; ++minute) {
        try {
          o.courier.deliver_due();
        } catch (const Error& e) {
          EXPECT_TRUE(fault) << e.what();
        }
        if (!fault) changes = std::max(changes, disk.changes());
      }
      disk.reset();
    }
    Open o(*this, disk.name());
    EXPECT_LE(server.requests().size() - before, 1U) << "change " << n;
    clock.advance(60s);
    o.courier.deliver_due();
    EXPECT_EQ(o.queue.find(1)->state, State::delivered) << "change " << n;
    const std::size_t told = server.requests().size() - before;
    EXPECT_TRUE(told == 1 || (fault && told == 2)) << told << " times, change " << n;
    ++runs;
  };
  attempt(0, std::nullopt);
  runs = 0;
  for (std::uint64_t n = 1; n <= changes; ++n)
    for (const auto fault : {Disk::Fault::full_once, Disk::Fault::full_from_then_on, Disk::Fault::io_once, Disk::Fault::io_from_then_on}) attempt(n, fault);
  std::cout << "calls counted " << 4 * changes << ", runs " << runs << "\n";
  EXPECT_EQ(runs, 4 * changes);
  EXPECT_GT(changes, 10U);
}

TEST_F(Couriers, AFaultIsReportedAndTheThreadGoesOn) {
  WebReceiver server({http_answer(200)});
  Open o(*this);
  std::atomic<int> calls{0};
  Courier courier(o.queue, o.delivery,
                  [&]() -> std::vector<NotifySettings> {
                    if (++calls == 1) throw Error(Code::io, "cannot read the settings");
                    return {web_target("hook", Scheme::https, server.port())};
                  },
                  [this](const std::string& text) { report(text); });
  courier.start();
  o.add({web_target("hook", Scheme::https, server.port())});
  courier.wake();
  EXPECT_TRUE(soon([&] { std::lock_guard lock(mutex); return reports.size() == 1; }));
  clock.advance(60s);
  courier.wake();
  EXPECT_TRUE(soon([&] { return o.queue.counts().waiting == 0; }));
  courier.stop();
  EXPECT_EQ(server.requests().size(), 1U);
}

}  // namespace
}  // namespace holdfast::service
