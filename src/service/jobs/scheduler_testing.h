// What the tests of the scheduler share: a configuration file that a test writes, and the parts over it. For tests only.
#pragma once

#include <fstream>
#include <string>

#include "platform/testing.h"
#include "service/jobs/scheduler.h"
#include "service/state/state_testing.h"
#include "system/system_testing.h"

namespace holdfast::service {

// A service that queues and does not run: the test is the runner.
class Scheduling : public ::testing::Test {
 protected:
  void configure(const std::string& schedules) {
    std::ofstream(file) << "[system]\nname = \"ns01\"\nid = \"00112233445566778899aabbccddeeff\"\nprofile = \"itms\"\n[repository]\nlocation = \"/srv/repository\"\n"
                           "[copy.nas]\nrepository = \"/mnt/nas\"\n[retention]\ndaily = 7\n[item.core-settings]\npath = \"/srv/ns01/core.settings\"\n" +
                               schedules;
  }
  static std::string nightly(const std::string& name = "night", const std::string& calendar = "02:30 UTC", const std::string& more = "enabled = true") {
    return "[schedule." + name + "]\nrun = \"check\"\ncalendar = \"" + calendar + "\"\n" + more + "\n";
  }
  // As a service that starts.
  void open() {
    scheduler.reset();
    live.reset();
    parts.reset();
    parts = std::make_unique<Parts>(folder.path() / "state", clock, entropy, kdf, StateFile::Use::service, disk.name());
    interrupt_unfinished(*parts);
    live = std::make_unique<LiveConfiguration>(platform::real_file_system(), file, system::adapters());
    scheduler = std::make_unique<Scheduler>(
        *live, parts->jobs, parts->audit, clock, schedule::ZoneFiles{platform::real_file_system()},
        [this](const NewJob& job, const Actor& by) { return parts->jobs.add(job, by); }, [this](const Findings& found) { told.push_back(found); });
  }
  Jobs& jobs() { return parts->jobs; }
  ScheduleState state(const std::string& name = "night") {
    for (ScheduleState& s : scheduler->states())
      if (s.settings.name == name) return s;
    ADD_FAILURE() << "no schedule " << name;
    return {};
  }
  // The next queued job runs and ends.
  std::optional<Job> run_one(int exit_code = 0) {
    auto job = jobs().next();
    if (!job) return std::nullopt;
    jobs().start(job->id);
    end(job->id, exit_code);
    return job;
  }
  void end(std::int64_t id, int exit_code = 0) {
    Transaction change = parts->state.change();
    jobs().end(change, id, exit_code, 0);
    change.commit();
  }
  std::vector<std::string> codes() {
    std::vector<std::string> all;
    for (const Finding& f : scheduler->findings()) all.push_back(f.code);
    return all;
  }

  Disk disk;
  platform::TemporaryFolder folder;
  platform::Path file = folder.path() / "holdfast.toml";
  platform::ManualClock clock;   // 2026-11-22T02:00:00Z, a Sunday
  platform::SeededEntropy entropy{5};
  CountingKdf kdf;
  std::unique_ptr<Parts> parts;
  std::unique_ptr<LiveConfiguration> live;
  std::unique_ptr<Scheduler> scheduler;
  std::vector<Findings> told;
};

}  // namespace holdfast::service
