// The journal of a recovery that was killed.
#include "fuzz.h"
#include "platform/testing.h"
#include "recovery/journal.h"

using namespace holdfast;
using namespace holdfast::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  platform::MemoryFileSystem files;
  platform::ManualClock clock;
  files.make_directory("state");
  files.create("state/recovery-20261122T020000Z-00112233.jsonl")->write({data, size});
  if (auto journal = recovery::Journal::find_unfinished(files, clock, "state", "s")) {
    journal->state("restore-database");
    journal->detail("restore-database");
    journal->tried("restore-database");
    journal->step_started("restore-database");
    journal->finished(true);
    require(!recovery::Journal::find_unfinished(files, clock, "state", "s"), "a journal that was finished is finished");
  }
  return 0;
}

std::vector<Bytes> fuzz_seeds() {
  return {to_bytes("\n{\"type\":\"begin\",\"schema\":1,\"time\":\"2026-11-22T02:00:00Z\",\"system\":\"s\",\"name\":\"ns01\",\"point\":\"00\","
                   "\"suffix\":\"20261122T020000Z\",\"install_first\":true,\"only\":\"\"}\n"
                   "\n{\"type\":\"step\",\"time\":\"2026-11-22T02:00:01Z\",\"step\":\"restore-database\",\"state\":\"pending\"}\n"
                   "\n{\"type\":\"step\",\"time\":\"2026-11-22T02:00:02Z\",\"step\":\"restore-database\",\"state\":\"done\",\"detail\":\"11 tables\"}\n"
                   "\n{\"type\":\"step\",\"time\":\"2026-11-2"),
          to_bytes("{\"type\":\"begin\",\"system\":\"s\"}\n{\"type\":\"finished\",\"complete\":true}\n")};
}
