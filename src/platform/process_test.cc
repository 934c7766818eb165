#include "platform/process.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "base/error.h"
#include "platform/environment.h"
#include "platform/testing.h"

namespace holdfast::platform {
namespace {

ProcessResult run(const std::vector<std::string>& argv, const ProcessOptions& options = {}) {
  return real_process_runner().run(argv, options);
}

Code code_of_run(const std::vector<std::string>& argv, const ProcessOptions& options = {}) {
  try {
    run(argv, options);
  } catch (const Error& e) {
    return e.code();
  }
  return Code::defect;
}

double seconds_of(const std::function<void()>& call) {
  auto start = std::chrono::steady_clock::now();
  call();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

TEST(Process, OutputErrorAndExitCodeAreApart) {
  ProcessResult r = run({"sh", "-c", "echo out; echo err >&2; exit 7"});
  EXPECT_EQ(r.output, "out\n");
  EXPECT_EQ(r.error_output, "err\n");
  EXPECT_EQ(r.exit_code, 7);
}

TEST(Process, ArgumentsAreNotForAShell) {
  EXPECT_EQ(run({"printf", "%s|", "a b", "$HOME; exit 1", "*", ""}).output, "a b|$HOME; exit 1|*||");
}

TEST(Process, MissingProgramIsNotFound) {
  EXPECT_EQ(code_of_run({"no-such-program-here"}), Code::not_found);
  EXPECT_EQ(code_of_run({"/no/such/program"}), Code::not_found);
}

TEST(Process, ProgramThatMayNotBeRunIsPermission) {
  TemporaryFolder folder;
  real_file_system().replace(folder.path() / "data", as_bytes("text"), 0600);
  EXPECT_EQ(code_of_run({(folder.path() / "data").native()}), Code::permission);
}

TEST(Process, MuchInputAndOutputAtOnce) {
  ProcessOptions options;
  options.input.assign(5'000'000, 'x');
  options.output_limit = 10'000'000;
  ProcessResult r = run({"tr", "x", "y"}, options);
  EXPECT_EQ(r.output, std::string(5'000'000, 'y'));
}

TEST(Process, ProgramThatIgnoresItsInput) {
  ProcessOptions options;
  options.input.assign(5'000'000, 'x');
  EXPECT_EQ(run({"true"}, options).exit_code, 0) << "and we are not killed by SIGPIPE";
}

TEST(Process, OutputBeyondTheLimitIsDropped) {
  ProcessOptions options;
  options.output_limit = 1000;
  ProcessResult r =
      run({"sh", "-c", "head -c 3000000 /dev/zero; head -c 5000 /dev/zero >&2; exit 3"}, options);
  EXPECT_EQ(r.output.size(), 1000U);
  EXPECT_EQ(r.error_output.size(), 1000U);
  EXPECT_EQ(r.exit_code, 3) << "it ran to its end";
}

TEST(Process, EnvironmentIsAddedToOurs) {
  ProcessOptions options;
  options.environment = {{"HOLDFAST_TEST_VALUE", "a=b c"}};
  EXPECT_EQ(run({"sh", "-c", "printf '%s' \"$HOLDFAST_TEST_VALUE\"; test -n \"$PATH\""}, options).output,
            "a=b c");
  EXPECT_FALSE(get(real_environment(), "HOLDFAST_TEST_VALUE")) << "ours is as it was";
  EXPECT_TRUE(get(real_environment(), "PATH"));
}

TEST(Process, RunsInTheGivenFolder) {
  TemporaryFolder folder;
  ProcessOptions options;
  options.directory = folder.path().native();
  EXPECT_EQ(run({"pwd", "-P"}, options).output, std::filesystem::canonical(folder.path()).native() + "\n");
  options.directory = "/no/such/folder";
  EXPECT_EQ(code_of_run({"pwd"}, options), Code::not_found);
}

TEST(Process, DeathBySignalIsTold) { EXPECT_EQ(run({"sh", "-c", "kill -TERM $$"}).exit_code, 128 + 15); }

TEST(Process, WhatItLeavesRunningIsNotWaitedFor) {
  std::string output;
  EXPECT_LT(seconds_of([&] { output = run({"sh", "-c", "sleep 8 & echo started"}).output; }), 4.0);
  EXPECT_EQ(output, "started\n");
}

TEST(Process, ClosedOutputIsNotTheEnd) {
  EXPECT_EQ(run({"sh", "-c", "exec >&- 2>&-; sleep 0.2; exit 5"}).exit_code, 5);
}

TEST(Process, CancelAsksThenInsists) {
  Cancel cancel;
  ProcessOptions options;
  options.cancel = &cancel;
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    cancel.raise();
  });
  EXPECT_LT(seconds_of([&] { EXPECT_EQ(code_of_run({"sleep", "30"}, options), Code::interrupted); }), 3.0);
  canceller.join();
  double stubborn = seconds_of([&] {
    Cancel later;
    ProcessOptions ignoring;
    ignoring.cancel = &later;
    std::thread raiser([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
      later.raise();
    });
    EXPECT_EQ(code_of_run({"sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"}, ignoring),
              Code::interrupted);
    raiser.join();
  });
  EXPECT_GT(stubborn, 5.0) << "5 s to end by itself";
  EXPECT_LT(stubborn, 8.0);
  EXPECT_EQ(code_of_run({"true"}, options), Code::interrupted) << "nothing starts after a cancel";
}

}  // namespace
}  // namespace holdfast::platform
