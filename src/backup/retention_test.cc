// Retention against a model that counts days one by one, the examples of docs/retention.md, and clocks that are wrong.
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <map>
#include <random>

#include "backup/retention_testing.h"
#include "base/bytes.h"

namespace holdfast::backup {
namespace {

using model::kDay;
using repository::Origin;
using repository::PointStatus;
using repository::PointSummary;
using repository::Scope;
using Rule = system::System::Retention;
using Texts = std::vector<std::string>;

constexpr std::int64_t kHour = 3'600;
constexpr std::int64_t kNow = 1'795'312'800;   // 2026-11-22T02:00:00Z, a Sunday
const std::optional<Span> kDaily = Span{24, Span::Unit::hours};

PointSummary point(unsigned number, std::int64_t finished, Origin origin = Origin::scheduled) {
  PointSummary p;
  p.id.bytes[0] = static_cast<std::uint8_t>(number >> 8);
  p.id.bytes[1] = static_cast<std::uint8_t>(number);
  p.finished = {finished, 0};
  p.origin = origin;
  p.status = PointStatus::complete;
  p.scope = Scope::full;
  return p;
}

PointSummary at(unsigned number, const char* time, Origin origin = Origin::scheduled) {
  return point(number, parse_utc(time).value().seconds, origin);
}

Texts reasons(const std::vector<Kept>& all, const PointSummary& p) {
  for (const Kept& k : all)
    if (k.point.id == p.id) return k.reasons;
  ADD_FAILURE() << "the point is not in the answer";
  return {};
}

std::vector<PointSummary> left(const std::vector<Kept>& all) {
  std::vector<PointSummary> points;
  for (const Kept& k : all)
    if (!k.reasons.empty()) points.push_back(k.point);
  return points;
}

// `count` points, each `step` seconds before the one before it, the newest at `newest`.
std::vector<PointSummary> row(unsigned count, std::int64_t step, std::int64_t newest) {
  std::vector<PointSummary> points;
  for (unsigned n = 0; n < count; ++n) points.push_back(point(n, newest - static_cast<std::int64_t>(n) * step));
  return points;
}

// Any rule and any set of points: mixed origins, states, sections, times of two years, some of them equal, some to come.
struct Any {
  explicit Any(unsigned seed) : random(seed) {
    rule = {up_to(4), up_to(6), up_to(8), up_to(5), up_to(14), up_to(3), std::nullopt};
    const Span spans[] = {{36, Span::Unit::hours}, {7, Span::Unit::days}, {3, Span::Unit::weeks}, {5, Span::Unit::months}, {1, Span::Unit::years}};
    if (up_to(1) == 0) rule.within = spans[up_to(4)];
    if (up_to(1) == 0) objective = Span{1 << up_to(6), Span::Unit::hours};
    const std::int64_t reach = kDay * (up_to(1) == 0 ? 731 : 20);
    for (unsigned n = 0; n < 40; ++n) {
      PointSummary p = point(n, kNow - static_cast<std::int64_t>(random() % static_cast<unsigned>(reach)));
      if (up_to(20) == 0) p.finished.seconds = kNow + 298 + up_to(4);
      if (up_to(20) == 0) p.finished.seconds += reach;
      if (up_to(9) == 0 && n != 0) p.finished = points.back().finished;
      if (up_to(9) == 0) p.origin = up_to(1) == 0 ? Origin::manual : Origin::imported;
      p.pinned = up_to(15) == 0;
      if (up_to(7) == 0) p.status = PointStatus::incomplete;
      p.verification_failed = up_to(15) == 0;
      if (up_to(3) == 0) p.section = "software-library", p.scope = Scope::partial;
      for (const char* name : {"cmdb", "registry"})
        if (up_to(2) != 0) p.items.push_back({name, "", "", up_to(3) == 0 ? repository::ItemStatus::failed : repository::ItemStatus::complete, 0});
      points.push_back(p);
    }
  }
  int up_to(int n) { return static_cast<int>(random() % static_cast<unsigned>(n + 1)); }

  std::mt19937 random;
  Rule rule;
  std::optional<Span> objective;
  std::vector<PointSummary> points;
};

TEST(Retention, EqualsTheModelForAnyPoints) {
  constexpr unsigned kFirst = 1, kLast = 4'000;
  std::size_t gone = 0;
  for (unsigned seed = kFirst; seed <= kLast && !::testing::Test::HasFailure(); ++seed) {
    Any any(seed);
    auto all = apply_rule(any.points, any.rule, any.objective, {kNow, 0});
    ASSERT_EQ(all.size(), any.points.size());
    for (std::size_t i = 0; i + 1 < all.size(); ++i) EXPECT_TRUE(model::newer(all[i].point, all[i + 1].point));
    for (const Kept& k : all) {
      EXPECT_EQ(!k.reasons.empty(), model::kept(k.point, any.points, any.rule, any.objective, kNow))
          << "seed " << seed << ", " << format_utc(k.point.finished) << ", rule " << rule_text(any.rule);
      gone += k.reasons.empty() ? 1 : 0;
    }
  }
  std::printf("seeds %u to %u, %zu points would be forgotten\n", kFirst, kLast, gone);
  EXPECT_GT(gone, 10'000U);
}

// Time alone removes nothing: neither does applying a rule twice, nor a clock that goes on or is set forward.
TEST(Retention, WithoutANewPointNothingMoreGoesHoweverLateItGets) {
  constexpr unsigned kFirst = 5'001, kLast = 5'500;
  std::printf("seeds %u to %u\n", kFirst, kLast);
  for (unsigned seed = kFirst; seed <= kLast; ++seed) {
    Any any(seed);
    std::erase_if(any.points, [](const PointSummary& p) { return p.finished.seconds > kNow; });
    auto once = left(apply_rule(any.points, any.rule, any.objective, {kNow, 0}));
    for (std::int64_t later : {std::int64_t{0}, kHour, 400 * kDay, 3'653 * kDay})
      EXPECT_EQ(left(apply_rule(once, any.rule, any.objective, {kNow + later, 0})).size(), once.size()) << "seed " << seed << ", " << later;
  }
}

// The example of docs/retention.md.
TEST(Retention, SaysEveryReason) {
  auto sunday_late = at(1, "2026-11-22T01:00:00Z"), sunday = at(2, "2026-11-22T00:00:00Z"), saturday = at(3, "2026-11-21T23:59:59Z"),
       monday = at(4, "2026-11-16T00:00:00Z"), week_before = at(5, "2026-11-15T23:59:59Z"), october = at(6, "2026-10-31T23:00:00Z"),
       last_year = at(7, "2025-12-31T23:59:59Z"), older = at(8, "2025-12-30T00:00:00Z");
  Rule rule{1, 2, 2, 2, 2, 2, Span{1, Span::Unit::days}};
  auto all = apply_rule({sunday, october, sunday_late, week_before, older, saturday, monday, last_year}, rule, std::nullopt, {kNow, 0});
  EXPECT_EQ(reasons(all, sunday_late), (Texts{"newest good point", "last 1 of 1", "hourly 1 of 2", "daily 1 of 2", "weekly 1 of 2", "monthly 1 of 2",
                                              "yearly 1 of 2", "within 1d"}));
  EXPECT_EQ(reasons(all, sunday), (Texts{"hourly 2 of 2", "within 1d"}));
  EXPECT_EQ(reasons(all, saturday), (Texts{"daily 2 of 2", "within 1d"}));
  EXPECT_EQ(reasons(all, monday), Texts{});
  EXPECT_EQ(reasons(all, week_before), Texts{"weekly 2 of 2"});
  EXPECT_EQ(reasons(all, october), Texts{"monthly 2 of 2"});
  EXPECT_EQ(reasons(all, last_year), Texts{"yearly 2 of 2"});
  EXPECT_EQ(reasons(all, older), Texts{});
  EXPECT_EQ(rule_text(rule), "last 1, hourly 2, daily 2, weekly 2, monthly 2, yearly 2, within 1d");
}

TEST(Retention, NeverTakesTheNewestGoodPointOrWhatPeopleMade) {
  auto good_one = at(1, "2026-01-01T00:00:00Z"), older = at(2, "2025-12-31T00:00:00Z"), failed = at(3, "2026-11-21T00:00:00Z"),
       failed_before = at(4, "2025-12-30T00:00:00Z"), by_hand = at(5, "2025-01-01T00:00:00Z", Origin::manual),
       imported = at(6, "2025-01-01T00:00:00Z", Origin::imported), pinned = at(7, "2025-01-01T00:00:00Z"), future = at(8, "2030-01-01T00:00:00Z"),
       damaged = at(9, "2026-11-20T00:00:00Z");
  failed.status = failed_before.status = PointStatus::incomplete;
  pinned.pinned = true;
  damaged.verification_failed = true;
  auto all = apply_rule({good_one, older, failed, failed_before, by_hand, imported, pinned, future, damaged}, {}, kDaily, {kNow, 0});
  for (const auto& p : {good_one, failed, by_hand, imported, pinned, future, damaged}) EXPECT_FALSE(reasons(all, p).empty()) << format_utc(p.finished);
  EXPECT_TRUE(reasons(all, older).empty());
  EXPECT_TRUE(reasons(all, failed_before).empty());
}

TEST(Retention, AnItemThatFailedInEveryNewerPointStays) {
  auto points = row(5, kDay, kNow);
  for (auto& p : points) p.items = {{"cmdb", "", "", repository::ItemStatus::complete, 0}, {"software-library", "", "", repository::ItemStatus::failed, 0}};
  points[3].items[1].status = points[4].items[1].status = repository::ItemStatus::complete;
  auto all = apply_rule(points, {1}, kDaily, {kNow, 0});
  EXPECT_EQ(reasons(all, points[3]), Texts{"newest with software-library"});
  EXPECT_EQ(left(all).size(), 2U);
  points[3].verification_failed = true;   // what is damaged cannot stand in
  EXPECT_EQ(reasons(apply_rule(points, {1}, kDaily, {kNow, 0}), points[4]), Texts{"newest with software-library"});
}

TEST(Retention, ANightlySectionDoesNotPushOutAWeeklyOne) {
  auto points = row(30, kDay, kNow - 60);
  auto library = point(100, kNow - 20 * kDay);
  for (auto& p : points) p.section = "database", p.scope = Scope::partial;
  library.section = "software-library", library.scope = Scope::partial;
  points.push_back(library);
  EXPECT_FALSE(reasons(apply_rule(points, {3, 0, 7}, kDaily, {kNow, 0}), library).empty());
}

// ---- clocks -------------------------------------------------------------------------------------------------------

TEST(RetentionClock, TenYearsBackEverythingIsToComeAndStays) {
  auto points = row(100, kDay, kNow);
  for (const Kept& k : apply_rule(points, {1}, kDaily, {kNow - 3'653 * kDay, 0})) EXPECT_EQ(k.reasons.front(), "dated in the future");
}

TEST(RetentionClock, FiveMinutesAheadAreTwoClocksAndMoreIsTheFuture) {
  auto near = point(1, kNow + 300), far = point(2, kNow + 301), before = point(3, kNow - kDay);
  auto all = apply_rule({near, far, before}, {1}, kDaily, {kNow, 0});
  EXPECT_EQ(reasons(all, near), (Texts{"newest good point", "last 1 of 1"}));
  EXPECT_EQ(reasons(all, far), Texts{"dated in the future"});
  EXPECT_EQ(reasons(all, before), Texts{});
}

// The clock is ten years ahead for a while, and backups are made and the rule applied. Each bogus point takes the places that a real
// one would have taken; `within` loses a day for the jump, not ten years. Set right again, bogus points are kept and count for nothing.
TEST(RetentionClock, AJumpOfTenYearsTakesOnePlaceOfEachRule) {
  const Rule rule{3, 4, 7, 4, 12, 3, Span{30, Span::Unit::days}};
  std::vector<PointSummary> points;
  for (unsigned day = 900; day-- > 0;) {
    points.push_back(point(day, kNow - static_cast<std::int64_t>(day) * kDay));
    points = left(apply_rule(points, rule, kDaily, points.back().finished));
  }
  const std::size_t settled = points.size();
  const std::int64_t ahead = kNow + 3'653 * kDay;
  auto bogus = point(2'000, ahead);
  points.push_back(bogus);
  auto all = apply_rule(points, rule, kDaily, {ahead, 0});
  // 30 days of points and the newest of them; one place of each calendar rule beyond that.
  EXPECT_GE(left(all).size() + 4, settled + 1);
  for (unsigned day = 0; day < 29; ++day) EXPECT_FALSE(reasons(all, point(day, kNow - static_cast<std::int64_t>(day) * kDay)).empty()) << day;
  auto right = apply_rule(points, rule, kDaily, {kNow, 0});
  EXPECT_EQ(reasons(right, bogus), Texts{"dated in the future"});
  EXPECT_EQ(left(right).size(), settled + 1);
}

TEST(RetentionClock, TheTimeZoneAndItsSummerTimeAreNotAskedFor) {
  // Both nights on which Berlin changes its clocks, an hour apart, and the day on which Samoa skipped one.
  std::vector<PointSummary> points = row(60, kHour, parse_utc("2026-03-30T12:00:00Z")->seconds);
  for (auto& p : row(60, kHour, parse_utc("2026-10-26T12:00:00Z")->seconds)) points.push_back(p), points.back().id.bytes[2] = 1;
  for (auto& p : row(60, kHour, parse_utc("2011-12-31T12:00:00Z")->seconds)) points.push_back(p), points.back().id.bytes[2] = 2;
  const Rule rule{0, 30, 5, 3, 2, 2, Span{2, Span::Unit::days}};
  const char* before_test = std::getenv("TZ");
  const std::string restored = before_test ? before_test : "";
  std::map<std::string, std::vector<Texts>> answers;
  for (const char* zone : {"UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia", "Asia/Kathmandu"}) {
    ::setenv("TZ", zone, 1);
    ::tzset();
    for (const Kept& k : apply_rule(points, rule, kDaily, {kNow, 0})) answers[zone].push_back(k.reasons);
  }
  before_test ? ::setenv("TZ", restored.c_str(), 1) : ::unsetenv("TZ");
  ::tzset();
  for (const auto& [zone, answer] : answers) EXPECT_EQ(answer, answers["UTC"]) << zone;
}

TEST(RetentionClock, MonthsAndYearsAreTheCalendars) {
  auto back = [](const char* from, const char* span) { return format_utc(before(parse_utc(from).value(), parse_span(span).value())); };
  EXPECT_EQ(back("2028-02-29T12:00:00Z", "1y"), "2027-02-28T12:00:00Z");
  EXPECT_EQ(back("2028-02-29T12:00:00Z", "4y"), "2024-02-29T12:00:00Z");
  EXPECT_EQ(back("2027-03-31T00:00:00Z", "1m"), "2027-02-28T00:00:00Z");
  EXPECT_EQ(back("2028-03-31T00:00:00Z", "1m"), "2028-02-29T00:00:00Z");
  EXPECT_EQ(back("2027-01-15T00:00:00Z", "13m"), "2025-12-15T00:00:00Z");
  EXPECT_EQ(back("2026-03-01T00:30:00Z", "1d"), "2026-02-28T00:30:00Z");
  EXPECT_EQ(back("2026-03-01T00:30:00Z", "2w"), "2026-02-15T00:30:00Z");
  EXPECT_EQ(back("2026-03-01T00:30:00Z", "1h"), "2026-02-28T23:30:00Z");
  for (const char* wrong : {"", "d", "7", "0d", "-1d", "+1d", "7D", "7 d", "1.5d", "100000d", "7dd", "99999999999999999999d"})
    EXPECT_FALSE(parse_span(wrong)) << wrong;
}

TEST(RetentionClock, WithinALeapYearKeepsTheDayAYearAgo) {
  auto newest = at(1, "2028-02-29T12:00:00Z"), year_ago = at(2, "2027-02-28T12:00:00Z"), a_second_more = at(3, "2027-02-28T11:59:59Z");
  std::vector<PointSummary> points{newest, year_ago, a_second_more};
  for (unsigned n = 10; n < 375; ++n) points.push_back(point(n, newest.finished.seconds - static_cast<std::int64_t>(n - 9) * kDay));
  Rule rule;
  rule.within = Span{1, Span::Unit::years};
  auto all = apply_rule(points, rule, kDaily, newest.finished);
  EXPECT_FALSE(reasons(all, year_ago).empty());
  EXPECT_TRUE(reasons(all, a_second_more).empty());
}

// ---- the objective ------------------------------------------------------------------------------------------------

TEST(RetentionObjective, NothingGoesWhileTheNewestGoodPointIsTooOld) {
  auto points = row(5, kHour, kNow);
  auto judged = [&](std::int64_t now) { return apply_rule(points, {2}, kDaily, {now, 0}); };
  EXPECT_EQ(late_for_objective(judged(kNow + kDay), kDaily, {kNow + kDay, 0}), "");
  EXPECT_NE(late_for_objective(judged(kNow + kDay + 1), kDaily, {kNow + kDay + 1, 0}), "");
  EXPECT_EQ(late_for_objective(judged(kNow + 100 * kDay), std::nullopt, {kNow + 100 * kDay, 0}), "");
  for (auto& p : points) p.verification_failed = true;
  EXPECT_EQ(late_for_objective(judged(kNow), kDaily, {kNow, 0}), "there is no good recovery point");
  EXPECT_NE(late_for_objective(judged(kNow - 10 * kDay), kDaily, {kNow - 10 * kDay, 0}), "");   // only points to come
}

}  // namespace
}  // namespace holdfast::backup
