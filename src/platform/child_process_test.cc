#include "platform/child_process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "base/error.h"
#include "platform/testing.h"

namespace holdfast::platform {
namespace {

using std::chrono::milliseconds;

struct Ended {
  std::string output, error;
  int exit_code = -1;
};

Ended hear(ChildProcess& child) {
  Ended all;
  while (child.listen(milliseconds(100), [&](ChildProcess::From from, std::string_view bytes) {
    (from == ChildProcess::From::output ? all.output : all.error) += bytes;
  })) {
  }
  all.exit_code = child.exit_code();
  return all;
}

Ended shell(const std::string& script, Environment environment = {{"PATH", "/usr/bin:/bin"}}, std::vector<ByteView> secrets = {}) {
  ChildProcess child({{"/bin/sh", "-c", script}, std::move(environment), std::move(secrets)});
  return hear(child);
}

// Until the program has said so.
void wait_for_output(ChildProcess& child, const std::string& text) {
  std::string heard;
  while (heard.find(text) == std::string::npos)
    ASSERT_TRUE(child.listen(milliseconds(100), [&](ChildProcess::From, std::string_view bytes) { heard += bytes; })) << heard;
}

TEST(ChildProcess, IsHeardToItsEnd) {
  const Ended e = shell("echo out; echo err >&2; exit 7");
  EXPECT_EQ(e.output, "out\n");
  EXPECT_EQ(e.error, "err\n");
  EXPECT_EQ(e.exit_code, 7);
}

TEST(ChildProcess, MuchOutputArrivesWhole) {
  const Ended e = shell("head -c 3000000 /dev/zero & head -c 2000000 /dev/zero >&2; wait");
  EXPECT_EQ(e.output.size(), 3'000'000U);
  EXPECT_EQ(e.error.size(), 2'000'000U);
}

TEST(ChildProcess, HasTheGivenEnvironmentAndNothingElse) {
  ::setenv("HOLDFAST_TEST_OF_OURS", "x", 1);
  ChildProcess child({{"/usr/bin/env"}, {{"A", "1"}, {"B", "two words"}}, {}});
  EXPECT_EQ(hear(child).output, "A=1\nB=two words\n");
  ::unsetenv("HOLDFAST_TEST_OF_OURS");
}

TEST(ChildProcess, InputIsEmptyAndNoFileOfOursIsOpen) {
  const int leaked = ::dup(STDERR_FILENO);   // without O_CLOEXEC
  const Ended e = shell("cat; ls /proc/$$/fd");
  ::close(leaked);
  EXPECT_EQ(e.output, "0\n1\n2\n");
}

TEST(ChildProcess, ReadsSecretsFromOpenFiles) {
  const std::string first = "correct horse", second(ChildProcess::kLongestSecret, 's');
  const Ended e = shell("cat /dev/fd/3; echo; cat <&4 | wc -c", {{"PATH", "/usr/bin:/bin"}}, {as_bytes(first), as_bytes(second)});
  EXPECT_EQ(e.output, "correct horse\n4096\n");
  const std::string longer = second + "s";
  try {
    shell("true", {}, {as_bytes(longer)});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::usage);
    EXPECT_EQ(std::string(error.what()).find("sss"), std::string::npos);
  }
}

TEST(ChildProcess, KeepsItsLockForAsLongAsItRuns) {
  TemporaryFolder folder;
  const Path lock = folder.path() / "lock";
  EXPECT_FALSE(ChildProcess::runs_with(lock));
  const std::string secret = "correct horse";
  const ChildOptions options{{"/bin/sh", "-c", "cat <&3; echo; ls /proc/self/fd; exec sleep 60"}, {{"PATH", "/usr/bin:/bin"}}, {as_bytes(secret)}, lock};
  {
    ChildProcess child(options);
    wait_for_output(child, "correct horse\n0\n1\n2\n3\n4\n");
    EXPECT_TRUE(ChildProcess::runs_with(lock));
    try {
      ChildProcess second(options);
      FAIL();
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::busy);
    }
    child.ask_to_stop();
    EXPECT_EQ(hear(child).exit_code, 128 + SIGTERM);
    EXPECT_FALSE(ChildProcess::runs_with(lock)) << "with its end, not when we forget it";
  }
  try {
    ChildProcess::runs_with(folder.path() / "nowhere" / "lock");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::not_found);
  }
}

TEST(ChildProcess, WhatCannotBeStartedIsAnError) {
  const auto code = [](const std::string& program) {
    try {
      ChildProcess child({{program}, {}, {}});
    } catch (const Error& e) {
      return e.code();
    }
    return Code::defect;
  };
  TemporaryFolder folder;
  real_file_system().replace(folder.path() / "data", as_bytes("text"), 0600);
  EXPECT_EQ(code("/no/such/program"), Code::not_found);
  EXPECT_EQ(code((folder.path() / "data").native()), Code::permission);
}

TEST(ChildProcess, AskedToStopItsWholeGroupStops) {
  ChildProcess child({{"/bin/sh", "-c", "sleep 60 & echo $!; wait"}, {{"PATH", "/usr/bin:/bin"}}, {}});
  std::string heard;
  while (heard.find('\n') == std::string::npos) ASSERT_TRUE(child.listen(milliseconds(100), [&](ChildProcess::From, std::string_view b) { heard += b; }));
  const pid_t grandchild = static_cast<pid_t>(std::stol(heard));
  EXPECT_EQ(::getpgid(grandchild), ::getsid(grandchild));
  EXPECT_NE(::getsid(grandchild), ::getsid(0)) << "no terminal of ours";
  child.ask_to_stop();
  EXPECT_EQ(hear(child).exit_code, 128 + SIGTERM);
  child.ask_to_stop();
  child.kill();
  for (int i = 0; i < 500 && ::kill(grandchild, 0) == 0; ++i) std::this_thread::sleep_for(milliseconds(10));
  std::ifstream state("/proc/" + std::to_string(grandchild) + "/stat");
  std::string line;
  EXPECT_TRUE(!std::getline(state, line) || line.find(") Z ") != std::string::npos) << line;
}

TEST(ChildProcess, OneThatIgnoresTheRequestIsKilled) {
  ChildProcess child({{"/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"}, {{"PATH", "/usr/bin:/bin"}}, {}});
  wait_for_output(child, "ready");
  child.ask_to_stop();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(child.listen(milliseconds(50), [](ChildProcess::From, std::string_view) {}));
  child.kill();
  EXPECT_EQ(hear(child).exit_code, 128 + SIGKILL);
}

TEST(ChildProcess, WhatItLeavesRunningIsNotWaitedFor) {
  ChildProcess child({{"/bin/sh", "-c", "(while :; do echo flood; done) & echo $!"}, {{"PATH", "/usr/bin:/bin"}}, {}});
  const Ended e = hear(child);
  EXPECT_EQ(e.exit_code, 0);
  ::kill(static_cast<pid_t>(std::stol(e.output.substr(e.output.find_first_of("123456789")))), SIGKILL);
}

TEST(ChildProcess, ClosedOutputIsNotTheEnd) { EXPECT_EQ(shell("exec >&- 2>&-; sleep 0.2; exit 5").exit_code, 5); }

TEST(ChildProcess, EndsWithTheThreadThatStartedIt) {
  std::unique_ptr<ChildProcess> child;
  std::thread starter([&] { child = std::make_unique<ChildProcess>(ChildOptions{{"/bin/sleep", "60"}, {}, {}}); });
  starter.join();
  EXPECT_EQ(hear(*child).exit_code, 128 + SIGTERM);
}

TEST(ChildProcess, SignalsThatWeBlockOrIgnoreReachIt) {
  sigset_t term, before;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &term, &before);
  const auto handler = ::signal(SIGPIPE, SIG_IGN);
  {
    ChildProcess child({{"/bin/sleep", "60"}, {}, {}});
    child.ask_to_stop();
    EXPECT_EQ(hear(child).exit_code, 128 + SIGTERM);
    EXPECT_EQ(shell("kill -PIPE $$; echo still here").exit_code, 128 + SIGPIPE);
  }
  ::signal(SIGPIPE, handler);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST(ChildProcess, OneThatIsLetGoIsKilled) {
  pid_t pid = 0;
  {
    ChildProcess child({{"/bin/sh", "-c", "echo $$; exec sleep 60"}, {{"PATH", "/usr/bin:/bin"}}, {}});
    std::string heard;
    while (heard.find('\n') == std::string::npos) ASSERT_TRUE(child.listen(milliseconds(100), [&](ChildProcess::From, std::string_view b) { heard += b; }));
    pid = static_cast<pid_t>(std::stol(heard));
  }
  EXPECT_NE(::kill(pid, 0), 0);
}

}  // namespace
}  // namespace holdfast::platform
