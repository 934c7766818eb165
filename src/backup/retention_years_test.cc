// Two years of backups, with the rule applied after each one, through the public interfaces and in memory: after every
// step exactly those points are there that the model says.
#include <gtest/gtest.h>

#include "backup/retention_testing.h"
#include "platform/testing.h"
#include "repository/repository.h"
#include "store/testing.h"

namespace holdfast::backup {
namespace {

using repository::PointSummary;
using Rule = system::System::Retention;

constexpr std::int64_t kHour = 3'600;
constexpr std::int64_t kBegin = 1'709'160'000;   // 2024-02-28T22:40:00Z, before a leap day
const std::optional<Span> kObjective = Span{24, Span::Unit::hours};

// The model's answer, and the real one's, after each of `steps` points; `gone` counts.
TEST(RetentionYears, EveryHourForTwoYears) {
  const Rule rule{2, 12, 5, 3, 6, 2, Span{20, Span::Unit::hours}};
  constexpr int kHours = 2 * 365 * 24;
  std::vector<PointSummary> points;
  std::size_t most = 0, gone = 0;
  for (int n = 0; n < kHours && !HasFailure(); ++n) {
    PointSummary p;
    p.id.bytes[0] = static_cast<std::uint8_t>(n >> 16), p.id.bytes[1] = static_cast<std::uint8_t>(n >> 8), p.id.bytes[2] = static_cast<std::uint8_t>(n);
    p.finished = {kBegin + n * kHour, 0};
    p.origin = n % 1'009 == 0 ? repository::Origin::manual : repository::Origin::scheduled;
    p.status = n % 53 == 0 ? repository::PointStatus::incomplete : repository::PointStatus::complete;
    p.scope = repository::Scope::full;
    points.push_back(p);
    std::vector<PointSummary> left;
    for (const Kept& k : apply_rule(points, rule, kObjective, p.finished)) {
      EXPECT_EQ(!k.reasons.empty(), model::kept(k.point, points, rule, kObjective, p.finished.seconds)) << "step " << n << ", " << format_utc(k.point.finished);
      if (!k.reasons.empty()) left.push_back(k.point);
    }
    gone += points.size() - left.size();
    most = std::max(most, left.size());
    points = std::move(left);
  }
  std::printf("steps %d, forgotten %zu, at most %zu points at a time\n", kHours, gone, most);
  EXPECT_GT(gone, 17'000U);
  EXPECT_LT(most, 70U);
}

// Every other day: a repository reads its whole log at each step.
TEST(RetentionYears, EveryOtherDayForTwoYearsInARepository) {
  const std::optional<Span> objective = Span{48, Span::Unit::hours};
  const Rule rule{3, 0, 7, 4, 12, 3, Span{10, Span::Unit::days}};
  constexpr int kSteps = 365;
  platform::ManualClock clock({kBegin, 0});
  platform::MemoryFileSystem files(clock);
  platform::SeededEntropy entropy(11);
  store::MemoryStore store;
  repository::LocalState state(files, "state", "machine");
  auto repository = repository::create({store, clock, entropy, &state, "ns01", "test"}, repository::password_secret(as_bytes("correct horse")), {8, 1}).repository;
  std::vector<PointSummary> expected;
  for (int n = 0; n < kSteps && !HasFailure(); ++n) {
    repository::PointDraft draft;
    draft.system_name = "ns01";
    draft.started = draft.finished = clock.now();
    draft.origin = repository::Origin::scheduled;
    draft.status = n % 11 == 3 ? repository::PointStatus::incomplete : repository::PointStatus::complete;
    repository->begin_backup({nullptr, nullptr, 1})->publish(draft);
    auto points = repository->points();
    ASSERT_EQ(points.size(), expected.size() + 1);
    std::vector<repository::PointId> gone;
    std::vector<PointSummary> left;
    for (const Kept& k : apply_rule(points, rule, objective, clock.now())) {
      EXPECT_EQ(!k.reasons.empty(), model::kept(k.point, points, rule, objective, clock.now().seconds)) << "step " << n << ", " << format_utc(k.point.finished);
      if (k.reasons.empty()) gone.push_back(k.point.id);
      else left.push_back(k.point);
    }
    repository->forget(gone, "retention");
    expected = std::move(left);
    clock.advance(std::chrono::hours(48));
  }
  auto points = repository->points();
  ASSERT_EQ(points.size(), expected.size());
  for (std::size_t i = 0; i < points.size(); ++i) EXPECT_EQ(points[i].id, expected[i].id);
  std::printf("steps %d, %zu points at the end\n", kSteps, points.size());
}

}  // namespace
}  // namespace holdfast::backup
