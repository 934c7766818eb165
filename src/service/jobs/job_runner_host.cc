// A service of one job in a process of its own, so that it can be killed: job_runner_host STATE_FOLDER PROGRAM. Queues a scheduled
// backup for the slot 1000000 and runs it with PROGRAM. Ends when it is killed.
#include <unistd.h>

#include <cstdio>

#include "platform/file_system.h"
#include "platform/entropy.h"
#include "service/jobs/job_runner.h"

using namespace holdfast;

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  service::StateFile state(platform::real_file_system(), platform::real_entropy(), argv[1], service::StateFile::Use::service);
  service::Audit audit(state, platform::real_clock());
  service::Jobs jobs(state, audit, platform::real_clock());
  jobs.on_since("night", "calendar");
  service::JobRunner runner(state, audit, jobs, platform::real_clock(), {argv[2], "/etc/holdfast.toml", argv[1], {}, {}}, {});
  runner.add({"backup", {}, "night", Timestamp{1'000'000, 0}}, {"schedule night", "service"});
  runner.start();
  while (true) ::pause();
}
