// What is kept, through everything that can happen to a process, a disk or a file.
#include "service/state/state_file.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <set>
#include <thread>

#include "platform/faulty_file_system.h"
#include "service/state/schema.h"
#include "service/state/state_testing.h"

namespace holdfast::service {
namespace {

namespace fs = std::filesystem;
using Use = StateFile::Use;

class StateFolder : public ::testing::Test {
 protected:
  std::unique_ptr<Parts> open(Use use = Use::service, const std::string& vfs = "") {
    return std::make_unique<Parts>(folder.path(), clock, entropy, kdf, use, vfs);
  }
  unsigned mode(const char* name) {
    struct stat s{};
    EXPECT_EQ(::stat((folder.path() / name).c_str(), &s), 0) << name;
    return s.st_mode & 07777;
  }

  platform::TemporaryFolder folder;
  platform::ManualClock clock;
  platform::SeededEntropy entropy{1};
  CountingKdf kdf;
};

TEST_F(StateFolder, AllOfItIsReadableByItsOwnerAlone) {
  const mode_t before = ::umask(0);
  auto parts = open();
  parts->users.add("anna", Role::administrator, password("a long enough one"), kTester);
  ::umask(before);
  for (const char* name : {"service.sqlite", "service.key", "service.lock", "service.opening"}) EXPECT_EQ(mode(name), 0600U) << name;
  parts.reset();
  std::set<std::string> names;
  for (const auto& e : fs::directory_iterator(folder.path())) names.insert(e.path().filename());
  EXPECT_EQ(names, (std::set<std::string>{"service.sqlite", "service.key", "service.lock", "service.opening"}));
}

TEST_F(StateFolder, TheJournalIsReadableByItsOwnerAlone) {
  const mode_t before = ::umask(0);
  auto parts = open();
  {
    Transaction change = parts->state.change();
    change.run("INSERT INTO meta VALUES ('x', 1)");
    EXPECT_EQ(mode("service.sqlite-journal"), 0600U);
  }
  ::umask(before);
}

TEST_F(StateFolder, HasOneOwnerAndAnyNumberBesideIt) {
  auto owner = open();
  EXPECT_EQ(code_of([&] { open(); }), Code::busy);
  auto beside = open(Use::beside), another = open(Use::beside);
  beside->users.add("anna", Role::administrator, password("a long enough one"), kTester);
  EXPECT_TRUE(owner->users.find("Anna"));
  owner.reset();
  open();
}

TEST_F(StateFolder, AnotherVersionOrFileIsLeftAsItIs) {
  open()->users.add("anna", Role::administrator, password("a long enough one"), kTester);
  for (auto [sql, expected] : {std::pair{"PRAGMA user_version=99", Code::unsupported}, {"PRAGMA application_id=17", Code::damaged}}) {
    platform::TemporaryFolder kept;
    copy_folder(folder.path(), kept.path() / "copy");
    tamper(kept.path() / "copy", sql);
    const std::string before = dump(kept.path() / "copy");
    for (Use use : {Use::service, Use::beside})
      EXPECT_EQ(code_of([&] { Parts(kept.path() / "copy", clock, entropy, kdf, use); }), expected) << sql;
    EXPECT_EQ(dump(kept.path() / "copy"), before);
  }
}

TEST_F(StateFolder, EveryOlderVersionIsBroughtUpToDate) {
  const auto schema = [](Parts& parts) {
    std::string all;
    Transaction transaction = parts.state.read();
    Statement s = transaction.ask("SELECT name, sql FROM sqlite_schema ORDER BY name");
    while (s.step()) all += s.text(0) + ": " + s.text(1) + "\n";
    return all;
  };
  Bytes key;
  std::string newest;
  {
    auto parts = open();
    newest = schema(*parts);
    Transaction transaction = parts->state.read();
    Statement s = transaction.ask("SELECT value FROM meta WHERE name = 'key'");
    ASSERT_TRUE(s.step());
    key = s.blob(0);
  }
  for (std::size_t version = 1; version < schema_steps().size(); ++version) {
    const fs::path file = folder.path() / "service.sqlite";
    platform::real_file_system().replace(file, {}, 0600);
    {
      Database old(file, "");
      old.execute("PRAGMA application_id=" + std::to_string(kApplicationId));
      for (std::size_t step = 0; step < version; ++step) old.execute(std::string(schema_steps()[step]));
      old.execute("PRAGMA user_version=" + std::to_string(version));
      old.run("INSERT INTO meta VALUES ('key', ?)", key);
      old.execute("INSERT INTO jobs (state, kind, arguments, who, queued) VALUES ('queued', 'backup', '[]', 'anna', 1)");
    }
    auto parts = open();
    EXPECT_EQ(schema(*parts), newest) << version;
    EXPECT_EQ(parts->jobs.next()->who, "anna") << version;
  }
}

TEST_F(StateFolder, ADamagedFileStopsAndIsNeverReplaced) {
  open()->users.add("anna", Role::administrator, password("a long enough one"), kTester);
  const fs::path file = folder.path() / "service.sqlite";
  const auto whole = platform::real_file_system().read_all(file);
  const auto refused = [&](const Bytes& content, const std::string& what) {
    std::ofstream(file, std::ios::binary).write(reinterpret_cast<const char*>(content.data()), static_cast<std::streamsize>(content.size()));
    const auto code = code_of([&] { open(); });
    EXPECT_EQ(code, Code::damaged) << what;
    EXPECT_EQ(platform::real_file_system().read_all(file), content) << what;
  };
  refused({}, "empty");
  refused(Bytes(100, 'x'), "too short");
  refused(Bytes(whole.size(), 0), "zeros");
  refused(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(whole.size() / 2)), "cut in half");
  // Pages of zeros: each of them is found before anything is used.
  int pages = 0;
  for (std::size_t at = 0; at < whole.size(); at += 4096, ++pages) {
    Bytes changed = whole;
    std::fill_n(changed.begin() + static_cast<std::ptrdiff_t>(at), 4096, std::uint8_t{0});
    refused(changed, "page at " + std::to_string(at));
  }
  std::cout << "pages damaged: " << pages << "\n";
  std::ofstream(file, std::ios::binary).write(reinterpret_cast<const char*>(whole.data()), static_cast<std::streamsize>(whole.size()));
  EXPECT_TRUE(open()->users.find("anna"));
}

TEST_F(StateFolder, WithoutItsOwnKeyItStops) {
  open()->users.add("anna", Role::administrator, password("a long enough one"), kTester);
  const fs::path key = folder.path() / "service.key";
  const Bytes whole = platform::real_file_system().read_all(key);
  EXPECT_EQ(whole.size(), 32U);
  fs::remove(key);
  EXPECT_EQ(code_of([&] { open(); }), Code::damaged);
  EXPECT_FALSE(fs::exists(key));
  for (std::size_t size : {0U, 31U, 32U, 33U, 5000U}) {
    platform::real_file_system().replace(key, Bytes(size, 'k'));
    const auto code = code_of([&] { open(); });
    EXPECT_TRUE(code == Code::damaged || (size == 5000 && code == Code::unsupported)) << size;
  }
  platform::real_file_system().replace(key, whole);
  open();
}

TEST_F(StateFolder, WhatOthersMayUseIsNotTrusted) {
  open();
  for (const char* name : {"service.sqlite", "service.key"}) {
    for (mode_t bad : {0640U, 0604U, 0660U}) {
      ::chmod((folder.path() / name).c_str(), bad);
      EXPECT_EQ(code_of([&] { open(); }), Code::permission) << name << " " << std::oct << bad;
    }
    ::chmod((folder.path() / name).c_str(), 0600);
  }
  open();
}

// A run that dies or fails while it makes the files: the next one makes them whole, and never finds half of them.
TEST_F(StateFolder, FailingAtEveryCallWhileItIsMadeLeavesNothingInTheWay) {
  std::uint64_t calls = 0, runs = 0;
  const auto attempt = [&](const std::function<void(platform::FaultyFileSystem&, Disk&)>& set) {
    platform::TemporaryFolder place;
    platform::FaultyFileSystem faulty(platform::real_file_system());
    Disk disk;
    set(faulty, disk);
    try {
      StateFile made(faulty, entropy, place.path() / "state", Use::service, disk.name());
    } catch (const Error&) {
    } catch (const platform::Killed&) {
    }
    calls = std::max(calls, faulty.calls() + disk.changes());
    disk.reset();
    Parts parts(place.path() / "state", clock, entropy, kdf);
    parts.users.add("anna", Role::administrator, password("a long enough one"), kTester);
    EXPECT_FALSE(parts.audit.verify().broken);
    ++runs;
  };
  std::uint64_t file_calls = 0, disk_calls = 0;
  attempt([](auto&, auto&) {});
  {
    platform::TemporaryFolder place;
    platform::FaultyFileSystem faulty(platform::real_file_system());
    Disk disk;
    StateFile made(faulty, entropy, place.path() / "state", Use::service, disk.name());
    file_calls = faulty.calls();
    disk_calls = disk.changes();
  }
  runs = 0;
  for (std::uint64_t n = 1; n <= file_calls; ++n) {
    attempt([&](auto& files, auto&) { files.fail(n, platform::FaultyFileSystem::Repeat::once, EIO); });
    attempt([&](auto& files, auto&) { files.fail(n, platform::FaultyFileSystem::Repeat::from_then_on, ENOSPC); });
    attempt([&](auto& files, auto&) { files.kill(n); });
  }
  for (std::uint64_t n = 1; n <= disk_calls; ++n)
    for (auto fault : {Disk::Fault::full_once, Disk::Fault::full_from_then_on, Disk::Fault::io_once, Disk::Fault::io_from_then_on, Disk::Fault::killed})
      attempt([&](auto&, auto& disk) { disk.strike(n, fault); });
  std::cout << "calls counted " << 3 * file_calls + 5 * disk_calls << ", runs " << runs << "\n";
  EXPECT_EQ(runs, 3 * file_calls + 5 * disk_calls);
  EXPECT_GT(file_calls, 8U);
  EXPECT_GT(disk_calls, 8U);
}

// Everything that changes the state, each by one transaction unless it says otherwise.
struct Act {
  const char* name;
  std::function<void(Parts&)> run;
};

const std::vector<Act>& acts() {
  static const std::vector<Act> all{
      {"add a user", [](Parts& p) { p.users.add("new", Role::viewer, password("a long enough one"), kTester); }},
      {"new password", [](Parts& p) { p.users.set_password("anna", password("another long one"), kTester); }},
      {"new role", [](Parts& p) { p.users.set_role("otto", Role::recovery, kTester); }},
      {"remove a user", [](Parts& p) { p.users.remove("otto", kTester); }},
      {"add a token", [](Parts& p) { p.tokens.add("probe", Role::viewer, {1'900'000'000, 0}, kTester); }},
      {"remove a token", [](Parts& p) { p.tokens.remove(1, kTester); }},
      {"audit", [](Parts& p) { p.audit.record(kTester, "test", "x", "done"); }},
      {"add a job", [](Parts& p) { p.jobs.add({"backup", {"--json"}, "night", Timestamp{1'795'312'800, 0}}, kTester); }},
      {"start a job", [](Parts& p) { p.jobs.start(2); }},
      {"log", [](Parts& p) { p.jobs.log(1, std::vector<std::string>(200, std::string(100, 'l'))); }},
      {"end a job",
       [](Parts& p) {
         Transaction change = p.state.change();
         p.jobs.end(change, 1, 3, 2);
         p.audit.append(change, kTester, "job.end", "1", "done");
         change.commit();
       }},
      {"interrupt jobs", [](Parts& p) { interrupt_unfinished(p); }},
      {"schedule on", [](Parts& p) { p.jobs.on_since("night", "daily"); }},
  };
  return all;
}

class EveryChange : public StateFolder {
 protected:
  EveryChange() {
    auto parts = open();
    parts->users.add("anna", Role::administrator, password("a long enough one"), kTester);
    parts->users.add("otto", Role::operating, password("a long enough one"), kTester);
    parts->tokens.add("first", Role::operating, {1'900'000'000, 0}, kTester);
    parts->sign_in.try_password("otto", password("a long enough one"), "192.0.2.1");
    parts->jobs.start(parts->jobs.add({"backup", {}, {}, {}}, kTester));
    parts->jobs.add({"verify", {}, {}, {}}, kTester);
    parts.reset();
    before = dump(folder.path());
  }
  // The same random numbers each time, so that the same act has the same outcome.
  void run(const Act& act, const platform::Path& place, const std::string& vfs) {
    platform::SeededEntropy same{99};
    Parts parts(place, clock, same, kdf, Use::service, vfs);
    act.run(parts);
  }
  std::string after(const Act& act) {
    copy_folder(folder.path(), copy());
    run(act, copy(), "");
    return dump(copy());
  }
  platform::Path copy() { return scratch.path() / "copy"; }

  platform::TemporaryFolder scratch;
  std::string before;
};

TEST_F(EveryChange, KilledPowerlessOrFullAtEveryWriteItIsTheOldStateOrTheNewOne) {
  std::uint64_t counted = 0, runs = 0, olds = 0, news = 0;
  Disk disk;
  for (const Act& act : acts()) {
    const std::string wanted = after(act);
    ASSERT_NE(wanted, before) << act.name;
    copy_folder(folder.path(), copy());
    disk.reset();
    run(act, copy(), disk.name());
    const std::uint64_t changes = disk.changes();
    EXPECT_GT(changes, 5U) << act.name;
    const auto strike = [&](std::uint64_t n, Disk::Fault fault, std::optional<std::optional<std::uint64_t>> power) {
      copy_folder(folder.path(), copy());
      disk.reset();
      disk.strike(n, fault);
      bool told = false;
      try {
        run(act, copy(), disk.name());
      } catch (const Error& e) {
        told = true;
        EXPECT_TRUE(e.code() == Code::io || e.code() == Code::no_space) << act.name << ": " << e.what();
      }
      if (power) disk.lose_power(*power);
      disk.reset();
      Parts reopened(copy(), clock, entropy, kdf);
      EXPECT_FALSE(reopened.audit.verify().broken) << act.name;
      const std::string now = dump(copy());
      if (!told) {
        EXPECT_EQ(now, wanted) << act.name << ", change " << n;
      }
      EXPECT_TRUE(now == before || now == wanted) << act.name << ", change " << n << ", fault " << static_cast<int>(fault) << "\n" << now;
      ++(now == before ? olds : news);
      ++runs;
    };
    // One more than there are: right after it was told to be done.
    for (std::uint64_t n = 1; n <= changes + 1; ++n) {
      strike(n, Disk::Fault::killed, std::nullopt);
      strike(n, Disk::Fault::killed, std::optional<std::uint64_t>{});
      for (std::uint64_t seed = 1; seed <= 3; ++seed) strike(n, Disk::Fault::killed, std::optional<std::uint64_t>{seed * 1000 + n});
      for (auto fault : {Disk::Fault::full_once, Disk::Fault::full_from_then_on, Disk::Fault::io_once, Disk::Fault::io_from_then_on}) strike(n, fault, std::nullopt);
    }
    counted += 9 * (changes + 1);
  }
  std::cout << "calls counted " << counted << ", runs " << runs << " (old state " << olds << ", new state " << news << ")\n";
  EXPECT_EQ(runs, counted);
  EXPECT_GT(news, 0U);
}

// Signing in is two transactions; what lies between them is a counted failure, never a session without its entry.
TEST_F(EveryChange, SigningInKilledAtEveryWriteOpensNothingWithoutAnEntry) {
  Disk disk;
  for (const char* typed : {"a long enough one", "a wrong one altogether"}) {
    const Act act{"sign in", [&](Parts& p) { p.sign_in.try_password("anna", password(typed), "192.0.2.9"); }};
    const std::string wanted = after(act);
    copy_folder(folder.path(), copy());
    disk.reset();
    run(act, copy(), disk.name());
    const std::uint64_t changes = disk.changes();
    std::uint64_t runs = 0;
    for (std::uint64_t n = 1; n <= changes; ++n, ++runs) {
      copy_folder(folder.path(), copy());
      disk.reset();
      disk.strike(n, Disk::Fault::killed);
      code_of([&] { run(act, copy(), disk.name()); });
      disk.reset();
      Parts reopened(copy(), clock, entropy, kdf);
      std::string rest;
      std::istringstream lines(dump(copy()));
      for (std::string line; std::getline(lines, line);)
        if (!line.starts_with("failures: ")) rest += line + "\n";
      EXPECT_TRUE(rest == before || dump(copy()) == wanted) << n;
      EXPECT_FALSE(reopened.audit.verify().broken);
    }
    std::cout << "calls counted " << changes << ", runs " << runs << "\n";
    EXPECT_EQ(runs, changes);
  }
}

// A real process, really killed: whatever it had told to be done is there, and the chain is whole.
TEST_F(StateFolder, AKilledProcessLosesNothingThatItToldToBeDone) {
  open();
  int all_told = 0;
  for (int round = 0; round < 15; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      platform::SeededEntropy own{static_cast<std::uint64_t>(100 + round)};
      auto parts = std::make_unique<Parts>(folder.path(), platform::real_clock(), own, kdf);
      for (int i = 0;; ++i) {
        parts->users.add("u" + std::to_string(round) + "-" + std::to_string(i), Role::viewer, password("a long enough one"), kTester);
        if (::write(ends[1], "x", 1) != 1) ::_exit(1);
      }
    }
    ::close(ends[1]);
    char told;
    int count = 0;
    while (count < 1 + round % 4 && ::read(ends[0], &told, 1) == 1) ++count;
    std::this_thread::sleep_for(std::chrono::microseconds(700 * round));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    while (::read(ends[0], &told, 1) == 1) ++count;
    ::close(ends[0]);
    auto parts = open();
    for (int i = 0; i < count; ++i) EXPECT_TRUE(parts->users.find("u" + std::to_string(round) + "-" + std::to_string(i)));
    EXPECT_FALSE(parts->audit.verify().broken);
    EXPECT_EQ(parts->users.list().size(), parts->audit.head().number);
    all_told += count;
  }
  std::cout << "told to be done before the kill: " << all_told << "\n";
  EXPECT_GE(all_told, 15);
}

// The service and verbs, in processes of their own, on one file: each sees what the others did, and the chain has no gap.
TEST_F(StateFolder, ProcessesBesideEachOtherWriteOneChain) {
  auto service = open();
  constexpr int kProcesses = 3, kEach = 20;
  std::vector<pid_t> children;
  service.reset();   // no connection goes through fork
  for (int p = 0; p < kProcesses; ++p) {
    const pid_t child = ::fork();
    if (child == 0) {
      int code = 1;
      try {
        platform::SeededEntropy own{static_cast<std::uint64_t>(200 + p)};
        Parts parts(folder.path(), platform::real_clock(), own, kdf, p == 0 ? Use::service : Use::beside);
        for (int i = 0; i < kEach; ++i) parts.users.add("p" + std::to_string(p) + "-" + std::to_string(i), Role::viewer, password("a long enough one"), kTester);
        code = 0;
      } catch (const std::exception& e) {
        std::cerr << e.what() << "\n";
      }
      ::_exit(code);
    }
    children.push_back(child);
  }
  for (pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  service = open();
  EXPECT_EQ(service->users.list().size(), static_cast<std::size_t>(kProcesses * kEach));
  const AuditCheck check = service->audit.verify();
  EXPECT_FALSE(check.broken) << check.why;
  EXPECT_EQ(check.entries, static_cast<std::uint64_t>(kProcesses * kEach));
}

TEST_F(StateFolder, ThreadsShareIt) {
  auto parts = open();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i) {
        parts->users.add("t" + std::to_string(t) + "-" + std::to_string(i), Role::viewer, password("a long enough one"), kTester);
        parts->users.list();
        parts->audit.entries(0, 3);
      }
    });
  for (auto& t : threads) t.join();
  EXPECT_EQ(parts->users.list().size(), 40U);
  EXPECT_FALSE(parts->audit.verify().broken);
}

}  // namespace
}  // namespace holdfast::service
