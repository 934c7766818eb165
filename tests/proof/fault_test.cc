// B1, B2: the disk is full or fails at every call, once and from then on, in every operation and in every place.
#include <cerrno>
#include <iostream>

#include "ground.h"

namespace holdfast::proof {
namespace {

using platform::FaultyFileSystem;

struct Fault : ::testing::TestWithParam<Operation> {};

// The code of the error that the operation ends with; nullopt: it did not.
std::optional<Code> act(Machine& machine, const Operation& operation) {
  try {
    Program run(machine);
    operation.act(run);
    return std::nullopt;
  } catch (const Error& error) {
    return error.code();
  }
}

bool has_unfinished_files(Machine& machine) {
  for (const Path& place : {kRepository / "tmp", kCopy / "tmp"})
    if (machine.disk.exists(place) && !machine.disk.list(place).empty()) return true;
  for (const auto& child : machine.disk.list(kOut))
    if (child.name != kFile.filename()) return true;
  return false;
}

// After a run that ended with `said`: everything is before or after, an error means what it says, and the same command works then.
void expect_survived(Machine& machine, const Operation& operation, std::optional<Code> said, Code expected, bool nothing_left) {
  const Undisturbed& ends = undisturbed(operation);
  bool honest = !said || *said == expected || operation.may_say.contains(*said);
  EXPECT_TRUE(honest) << "it says " << info(*said).name << " instead of " << info(expected).name;
  if (nothing_left) {
    EXPECT_FALSE(has_unfinished_files(machine)) << "room is taken for nothing";
  }
  Facts facts = observe(machine);
  if (!said) {
    EXPECT_EQ(facts, ends.after) << "it said that all is well";
    return;
  }
  EXPECT_TRUE(between(facts, ends));
  auto again = act(machine, operation);
  if (again) {
    EXPECT_TRUE(*again == Code::already_exists && facts == ends.after) << "the same command again says " << info(*again).name;
  }
  EXPECT_EQ(observe(machine), ends.after);
}

constexpr int kErrors[] = {EIO, ENOSPC, EACCES, EROFS, EINTR, EDQUOT, ENOMEM, EMFILE};

void fail_everywhere(const Operation& operation, FaultyFileSystem::Repeat repeat) {
  const Undisturbed& ends = undisturbed(operation);
  std::string what = repeat == FaultyFileSystem::Repeat::once ? "once" : "from then on";
  std::uint64_t runs = 0, counted = 0;
  for (std::uint64_t nth = 1;; ++nth) {
    int error = kErrors[(nth + first_seed()) % std::size(kErrors)];
    SCOPED_TRACE(operation.name + ": call " + std::to_string(nth) + " fails " + what + " with " + std::to_string(error));
    Machine machine(2000 + nth);
    put_image(machine, ends.image);
    machine.all.fail(nth, repeat, error);
    auto said = act(machine, operation);
    if (machine.all.calls() < nth) {
      counted = machine.all.calls();   // it ended before that
      break;
    }
    ++runs;
    ASSERT_NO_THROW(expect_survived(machine, operation, said, code_of_errno(error), false));
    if (::testing::Test::HasFailure()) return;
  }
  expect_all("B2 " + what + " " + operation.name, counted, runs);
}

TEST_P(Fault, EveryCallFailsOnce) { fail_everywhere(GetParam(), FaultyFileSystem::Repeat::once); }

TEST_P(Fault, EveryCallFailsFromThenOn) { fail_everywhere(GetParam(), FaultyFileSystem::Repeat::from_then_on); }

// Each place by itself is full at each write to it.
TEST_P(Fault, EachPlaceIsFullAtEachWrite) {
  const Operation& operation = GetParam();
  const Undisturbed& ends = undisturbed(operation);
  const char* names[] = {"repository", "local state", "target"};
  for (std::size_t place = 0; place < std::size(names); ++place) {
    std::uint64_t writes = 0;
    {
      Machine machine(3);
      put_image(machine, ends.image);
      ASSERT_FALSE(act(machine, operation));
      writes = machine.places()[place]->calls(platform::FileCall::write);
    }
    std::uint64_t runs = 0;
    for (std::uint64_t nth = 1; nth <= writes; ++nth) {
      SCOPED_TRACE(operation.name + ": " + names[place] + " full at write " + std::to_string(nth));
      Machine machine(4000 + nth);
      put_image(machine, ends.image);
      machine.places()[place]->fail(nth, FaultyFileSystem::Repeat::from_then_on, ENOSPC, platform::FileCall::write);
      auto said = act(machine, operation);
      ++runs;
      ASSERT_NO_THROW(expect_survived(machine, operation, said, Code::no_space, place != 1));
      if (HasFailure()) return;
    }
    if (writes > 0) expect_all(std::string("B1 full ") + names[place] + " " + operation.name, writes, runs);
  }
}

// A disk with room for 0, 1/16, ... of what the operation writes.
TEST_P(Fault, ADiskWithLittleRoom) {
  const Operation& operation = GetParam();
  const Undisturbed& ends = undisturbed(operation);
  std::uint64_t needed = 0;
  {
    Machine machine(5);
    put_image(machine, ends.image);
    machine.all.set_budget(UINT64_C(1) << 40);
    ASSERT_FALSE(act(machine, operation));
    for (const auto& [path, bytes] : take_image(machine).files) needed += bytes.size();
    for (const auto& [path, bytes] : ends.image.files) needed -= std::min<std::uint64_t>(needed, bytes.size());
  }
  for (std::uint64_t share = 0; share < 16; ++share) {
    SCOPED_TRACE(operation.name + " with room for " + std::to_string(share) + "/16 of " + std::to_string(needed));
    Machine machine(6000 + share);
    put_image(machine, ends.image);
    machine.all.set_budget(needed * share / 16);
    auto said = act(machine, operation);
    ASSERT_NO_THROW(expect_survived(machine, operation, said, Code::no_space, true));
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Operations, Fault, ::testing::ValuesIn(operations()), [](const auto& made) { return made.param.name; });

}  // namespace
}  // namespace holdfast::proof
