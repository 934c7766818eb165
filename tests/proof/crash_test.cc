// A1, A2, A6: the program is killed, or the power goes, at every call that changes the disk, in every operation.
#include <iostream>

#include "ground.h"

namespace holdfast::proof {
namespace {

struct Crash : ::testing::TestWithParam<Operation> {};

enum class End { killed, power_lost };

// Runs the operation until its `nth` change. False: it ended before that.
bool dies(Machine& machine, const Operation& operation, std::uint64_t nth) {
  machine.all.reset();
  machine.all.kill_at_change(nth);
  try {
    Program run(machine);
    operation.act(run);
  } catch (const platform::Killed&) {
    return true;
  }
  return false;
}

void crash_everywhere(const Operation& operation, const std::string& what, End end, std::optional<std::uint64_t> seed) {
  const Undisturbed& ends = undisturbed(operation);
  std::uint64_t runs = 0, counted = 0;
  for (std::uint64_t nth = 1;; ++nth) {
    SCOPED_TRACE(what + " of " + operation.name + " at change " + std::to_string(nth));
    Machine machine(1000 + nth);
    put_image(machine, ends.image);
    if (!dies(machine, operation, nth)) {
      counted = machine.all.changes();   // it ended before that
      break;
    }
    ++runs;
    if (end == End::power_lost) machine.disk.lose_unsynced(seed ? std::optional(*seed * 1000 + nth) : std::nullopt);
    ASSERT_NO_THROW(EXPECT_TRUE(between(observe(machine), ends)));
    Program again(machine);
    try {
      operation.act(again);
    } catch (const Error& error) {
      // What had just become true need not be made again.
      bool done = error.code() == Code::already_exists && observe(machine) == ends.after;
      ASSERT_TRUE(done) << "the same command again: " << error.what();
    }
    ASSERT_NO_THROW(EXPECT_EQ(observe(machine), ends.after));
    if (::testing::Test::HasFailure()) return;
  }
  expect_all(what + " " + operation.name, counted, runs);
}

TEST_P(Crash, KilledAtEveryChange) { crash_everywhere(GetParam(), "A1 kill", End::killed, {}); }

TEST_P(Crash, PowerGoesAndNothingUnsyncedIsLeft) { crash_everywhere(GetParam(), "A2 power, nothing unsynced left", End::power_lost, {}); }

TEST_P(Crash, PowerGoesAndUnsyncedWritesAreReorderedAndTorn) {
  for (std::uint64_t seed = first_seed(); seed < first_seed() + 2 * factor(); ++seed)
    crash_everywhere(GetParam(), "A2 power, torn and reordered, seed " + std::to_string(seed) + ",", End::power_lost, seed);
}

std::vector<Operation> writing_operations() {
  std::vector<Operation> all;
  for (const Operation& operation : operations())
    if (undisturbed(operation).changes > 0) all.push_back(operation);
  return all;
}

INSTANTIATE_TEST_SUITE_P(Operations, Crash, ::testing::ValuesIn(writing_operations()),
                         [](const auto& made) { return made.param.name; });

}  // namespace
}  // namespace holdfast::proof
