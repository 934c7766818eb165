// The concurrency protocol (docs/concurrency.md) in every interleaving of small configurations; and the proof that the checker would
// notice: each rule that is switched off leads to a violation, which is printed as a list of steps.
//
// `--large` explores bigger configurations: minutes and gigabytes.
#include <gtest/gtest.h>

#include <chrono>
#include <iostream>
#include <string_view>

#include "explore.h"

namespace holdfast::model {
namespace {

using Order = Shape::Order;
bool large = false;
constexpr std::size_t kMostStates = 150'000'000;

std::string told(const Explored& explored) {
  std::string text = explored.violation + "\n";
  int number = 0;
  for (const std::string& step : explored.way) text += "  " + std::to_string(++number) + ". " + step + "\n";
  return text;
}

Explored run(const std::string& name, const Shape& shape, const Rules& rules = {}) {
  const auto begin = std::chrono::steady_clock::now();
  Explored explored = explore(Protocol(shape, rules), kMostStates);
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
  std::cout << name << ": " << explored.states << " states, " << explored.steps << " steps, " << took.count() << " ms"
            << (explored.complete ? "" : ", NOT COMPLETE") << std::endl;
  return explored;
}

void expect_safe(const std::string& name, const Shape& shape) {
  Explored explored = run(name, shape);
  EXPECT_TRUE(explored.complete) << name;
  EXPECT_EQ(explored.violation, "") << told(explored);
}

TEST(Protocol, OneWriterOnePruneAndAReader) {
  expect_safe("one content", {.attempts = 3, .forgets_others = true});
  expect_safe("two contents", {.contents = 2});
}

TEST(Protocol, OneWriterTwoPrunes) {
  expect_safe("logs in any order", {.attempts = 1, .prunes = 2, .reader = false});
  expect_safe("that begins again, writers' logs first", {.attempts = 3, .prunes = 2, .reader = false, .order = Order::writers_first});
  expect_safe("that begins again, prunes' logs first", {.attempts = 3, .prunes = 2, .reader = false, .order = Order::prunes_first});
  expect_safe("with a reader, writers' logs first", {.attempts = 1, .prunes = 2, .order = Order::writers_first});
  expect_safe("with a reader, prunes' logs first", {.attempts = 1, .prunes = 2, .order = Order::prunes_first});
}

TEST(Protocol, TwoWritersOnePrune) {
  expect_safe("writers' logs first", {.writers = 2, .attempts = 1, .reader = false, .order = Order::writers_first});
  expect_safe("prunes' logs first", {.writers = 2, .attempts = 1, .reader = false, .order = Order::prunes_first});
}

TEST(Protocol, PruneAndWriterWithOneLog) {
  expect_safe("one prune", {.attempts = 3, .forgets_others = true, .shared_log = true});
  expect_safe("and another one", {.prunes = 2, .reader = false, .order = Order::writers_first, .shared_log = true});
}

TEST(Protocol, LargerConfigurations) {
  if (!large) return;
  expect_safe("three prunes", {.attempts = 1, .prunes = 3, .reader = false, .order = Order::writers_first});
  expect_safe("two prunes, logs in any order", {.prunes = 2, .reader = false});
  expect_safe("two writers that begin again", {.writers = 2, .reader = false});
  expect_safe("two prunes, a reader, any forget", {.prunes = 2, .forgets_others = true, .order = Order::prunes_first});
  expect_safe("two writers, two prunes", {.writers = 2, .attempts = 1, .prunes = 2, .reader = false, .order = Order::writers_first});
  expect_safe("two writers, two prunes, prunes' logs first",
              {.writers = 2, .attempts = 1, .prunes = 2, .reader = false, .order = Order::prunes_first});
}

struct Mutant {
  const char* what;
  bool Rules::*rule;
  Shape shape;
};

void PrintTo(const Mutant& mutant, std::ostream* out) { *out << mutant.what; }

class Mutants : public ::testing::TestWithParam<Mutant> {};

TEST_P(Mutants, LeadToAViolation) {
  const Mutant& mutant = GetParam();
  Rules rules;
  rules.*mutant.rule = false;
  Explored explored = run(mutant.what, mutant.shape, rules);
  EXPECT_NE(explored.violation, "") << "nobody noticed: " << mutant.what;
  std::cout << told(explored);
}

const Shape kPair{.reader = false};
const Shape kTwoPrunes{.prunes = 2, .reader = false};

INSTANTIATE_TEST_SUITE_P(
    Protocol, Mutants,
    ::testing::Values(
        Mutant{"the writer does not look again", &Rules::writer_looks_again, kPair},
        Mutant{"the prune does not look again", &Rules::prune_looks_again, kPair},
        Mutant{"the prune puts no intent", &Rules::prune_condemns_first, kPair},
        Mutant{"the prune deletes before its fence", &Rules::fence_before_delete, kPair},
        Mutant{"the writer does not heed intents", &Rules::writer_heeds_intents, kPair},
        Mutant{"the writer does not heed fences", &Rules::writer_heeds_fences, kPair},
        Mutant{"no point is void", &Rules::points_can_be_void, kPair},
        Mutant{"names come back", &Rules::names_never_come_back, kPair},
        Mutant{"a prune concludes intents of others", &Rules::concludes_own_intent_only, kTwoPrunes},
        Mutant{"a fence grounds on what there is when it is put", &Rules::fence_tells_its_ground, kPair},
        Mutant{"a point grounds on what there is when it is put", &Rules::point_tells_its_ground, kPair}));

}  // namespace
}  // namespace holdfast::model

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i < argc; ++i) holdfast::model::large = holdfast::model::large || std::string_view(argv[i]) == "--large";
  return RUN_ALL_TESTS();
}
