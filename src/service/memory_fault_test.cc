// The runner's thread runs out of memory at each of its allocations, once: the service lives, the job has its end, and was run once. The job
// says no JSON: the library that reads it allocates while it frees, and has no way out when it cannot.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "base/failing_memory_testing.h"
#include "base/text.h"
#include "service/jobs/job_runner.h"
#include "service/state/state_testing.h"

namespace holdfast::service {
namespace {

using std::chrono::milliseconds;

// The runner tells it on its own thread.
struct Marks final : JobListener {
  bool hear(const JobEvent&) override {
    struck_thread = here;
    return true;
  }
  bool listening() const override { return true; }
  std::atomic<bool> here{false};
};

TEST(OutOfMemory, AJobHasItsEnd) {
  platform::TemporaryFolder folder;
  platform::ManualClock clock;
  platform::SeededEntropy entropy{5};
  CountingKdf kdf;
  Parts parts(folder.path() / "state", clock, entropy, kdf);
  const platform::Path program = folder.path() / "program", runs = folder.path() / "runs";
  std::ofstream(program) << "#!/bin/sh\necho x >> " << runs.native() << "\necho one line that is longer than a short string\necho and another one, as long as that >&2\nexit 3\n";
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  const auto lines_in = [](const platform::Path& file) {
    std::ifstream in(file);
    return std::count(std::istreambuf_iterator<char>(in), {}, '\n');
  };
  auto marks = std::make_shared<Marks>();
  const auto by_itself = [&](std::uint64_t nth) {
    std::filesystem::remove(runs);
    JobRunner runner(parts.state, parts.audit, parts.jobs, clock, {program, "/etc/holdfast.toml", folder.path() / "state", {}, {}},
                     [](Transaction& change, const JobReport& report) { change.run("INSERT INTO meta VALUES (?, 1)", "told " + std::to_string(report.job.id)); }, milliseconds(5));
    runner.watch_all(marks);
    const auto id = runner.add({"backup", {}, {}, {}}, kTester);
    allocations = 0;
    fail_at = nth;
    marks->here = true;
    runner.start();
    Job job;
    for (int i = 0; i < 2'000; ++i) {
      job = parts.jobs.find(id).value();
      if (job.state == Job::State::ended && !runner.running()) break;
      std::this_thread::sleep_for(milliseconds(5));
    }
    marks->here = false;
    runner.finish();
    const std::uint64_t used = allocations;
    fail_at = 0;
    EXPECT_EQ(job.state, Job::State::ended) << nth;
    EXPECT_EQ(parts.state.read().number("SELECT count(*) FROM meta WHERE name = 'told " + std::to_string(id) + "'"), 1) << nth;
    EXPECT_EQ(lines_in(runs), job.exit_code == 3 ? 1 : 0) << nth;
    return used;
  };
  std::uint64_t counted = UINT64_MAX, hits = 0;
  for (int i = 0; i < 3; ++i) counted = std::min(counted, by_itself(0));
  ASSERT_GT(counted, 50U);
  for (std::uint64_t nth = 1; nth <= counted; ++nth) hits += by_itself(nth) >= nth;
  std::printf("calls counted %llu, runs %llu\n", static_cast<unsigned long long>(counted), static_cast<unsigned long long>(hits));
  EXPECT_EQ(hits, counted);
}

}  // namespace
}  // namespace holdfast::service
