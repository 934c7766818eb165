// Retention against a model that counts days one by one, and the examples of docs/retention.md.
#include "backup/retention.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "base/bytes.h"

namespace holdfast::backup {
namespace {

using repository::Origin;
using repository::PointStatus;
using repository::PointSummary;
using repository::Scope;
using Rule = system::System::Retention;

constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kNow = 1'795'312'800;   // 2026-11-22T02:00:00Z, a Sunday

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

std::vector<std::string> reasons(const std::vector<Kept>& all, const PointSummary& p) {
  for (const Kept& k : all)
    if (k.point.id == p.id) return k.reasons;
  ADD_FAILURE() << "the point is not in the answer";
  return {};
}

// ---- the model ----------------------------------------------------------------------------------------------------

// Year, month, day and week, counted day by day from 1970-01-01 (a Thursday).
struct Day { int year = 1970, month = 1, day = 1, week = 0; };

const Day& day_of(std::int64_t seconds) {
  static const int kLengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  static std::vector<Day> days{Day{}};
  while (days.size() <= static_cast<std::size_t>(seconds / kDay)) {
    Day d = days.back();
    if ((days.size() + 3) % 7 == 0) ++d.week;   // Monday
    bool leap = d.year % 4 == 0 && (d.year % 100 != 0 || d.year % 400 == 0);
    if (++d.day > kLengths[d.month - 1] + (d.month == 2 && leap ? 1 : 0)) d.day = 1, ++d.month;
    if (d.month == 13) d.month = 1, ++d.year;
    days.push_back(d);
  }
  return days[static_cast<std::size_t>(seconds / kDay)];
}

bool good(const PointSummary& p) { return p.status != PointStatus::incomplete && !p.verification_failed; }
bool newer(const PointSummary& a, const PointSummary& b) {
  return a.finished != b.finished ? a.finished > b.finished : a.id < b.id;
}

// A point is kept by `daily N` when it is the newest of its day and fewer than N later days have a point; and so on.
bool kept(const PointSummary& p, const std::vector<PointSummary>& all, const Rule& rule) {
  if (p.origin != Origin::scheduled || p.pinned || p.finished.seconds > kNow) return true;
  std::vector<PointSummary> series, ruled;
  for (const auto& x : all)
    if (x.section == p.section && x.scope == p.scope) series.push_back(x);
  bool a_newer_good = false;
  for (const auto& x : series) {
    a_newer_good = a_newer_good || (good(x) && x.finished.seconds <= kNow && newer(x, p));
    if (good(x) && x.finished.seconds <= kNow && x.origin == Origin::scheduled) ruled.push_back(x);
  }
  if (!a_newer_good) return true;
  if (!good(p)) return false;
  using Key = std::tuple<int, int, int>;
  auto by = [&](int count, auto key) {
    std::set<Key> later;
    for (const auto& x : ruled) {
      if (!newer(x, p)) continue;
      if (key(x) == key(p)) return false;
      later.insert(key(x));
    }
    return static_cast<int>(later.size()) < count;
  };
  int later = 0;
  for (const auto& x : ruled) later += newer(x, p) ? 1 : 0;
  return later < rule.last ||
         by(rule.daily, [](const auto& x) { const Day& d = day_of(x.finished.seconds); return Key(d.year, d.month, d.day); }) ||
         by(rule.weekly, [](const auto& x) { return Key(day_of(x.finished.seconds).week, 0, 0); }) ||
         by(rule.monthly, [](const auto& x) { const Day& d = day_of(x.finished.seconds); return Key(d.year, d.month, 0); });
}

TEST(Retention, EqualsTheModelForAnyPoints) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937 random(seed);
    auto up_to = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n + 1)); };
    Rule rule{up_to(4), up_to(8), up_to(5), up_to(14)};
    std::vector<PointSummary> points;
    for (unsigned n = 0; n < 120; ++n) {
      PointSummary p = point(n, kNow - static_cast<std::int64_t>(random() % (731U * kDay)) + (up_to(20) == 0 ? 731 * kDay : 0));
      if (up_to(9) == 0) p.origin = up_to(1) == 0 ? Origin::manual : Origin::imported;
      p.pinned = up_to(15) == 0;
      if (up_to(7) == 0) p.status = PointStatus::incomplete;
      p.verification_failed = up_to(15) == 0;
      if (up_to(3) == 0) p.section = "software-library", p.scope = Scope::partial;
      points.push_back(p);
    }
    auto all = apply_rule(points, rule, {kNow, 0});
    ASSERT_EQ(all.size(), points.size());
    for (std::size_t i = 0; i + 1 < all.size(); ++i) EXPECT_TRUE(newer(all[i].point, all[i + 1].point));
    for (const Kept& k : all)
      EXPECT_EQ(!k.reasons.empty(), kept(k.point, points, rule)) << "seed " << seed << ", " << format_utc(k.point.finished);
  }
}

TEST(Retention, SaysEveryReason) {
  auto sunday_late = at(1, "2026-11-22T01:00:00Z"), sunday = at(2, "2026-11-22T00:00:00Z"), saturday = at(3, "2026-11-21T23:59:59Z"),
       monday = at(4, "2026-11-16T00:00:00Z"), week_before = at(5, "2026-11-15T23:59:59Z"), october = at(6, "2026-10-31T23:00:00Z");
  auto all = apply_rule({sunday, october, sunday_late, week_before, saturday, monday}, {1, 2, 2, 2}, {kNow, 0});
  using Texts = std::vector<std::string>;
  EXPECT_EQ(reasons(all, sunday_late), (Texts{"newest good point", "last 1 of 1", "daily 1 of 2", "weekly 1 of 2", "monthly 1 of 2"}));
  EXPECT_EQ(reasons(all, sunday), Texts{});
  EXPECT_EQ(reasons(all, saturday), Texts{"daily 2 of 2"});
  EXPECT_EQ(reasons(all, monday), Texts{});
  EXPECT_EQ(reasons(all, week_before), Texts{"weekly 2 of 2"});
  EXPECT_EQ(reasons(all, october), Texts{"monthly 2 of 2"});
}

TEST(Retention, NeverTakesTheNewestGoodPointOrWhatPeopleMade) {
  auto good_one = at(1, "2026-01-01T00:00:00Z"), older = at(2, "2025-12-31T00:00:00Z"), failed = at(3, "2026-11-21T00:00:00Z"),
       failed_before = at(4, "2025-12-30T00:00:00Z"), by_hand = at(5, "2025-01-01T00:00:00Z", Origin::manual),
       imported = at(6, "2025-01-01T00:00:00Z", Origin::imported), pinned = at(7, "2025-01-01T00:00:00Z"), future = at(8, "2030-01-01T00:00:00Z"),
       damaged = at(9, "2026-11-20T00:00:00Z");
  failed.status = failed_before.status = PointStatus::incomplete;
  pinned.pinned = true;
  damaged.verification_failed = true;
  auto all = apply_rule({good_one, older, failed, failed_before, by_hand, imported, pinned, future, damaged}, {}, {kNow, 0});
  for (const auto& p : {good_one, failed, by_hand, imported, pinned, future, damaged}) EXPECT_FALSE(reasons(all, p).empty()) << format_utc(p.finished);
  EXPECT_TRUE(reasons(all, older).empty());
  EXPECT_TRUE(reasons(all, failed_before).empty());
}

TEST(Retention, ANightlySectionDoesNotPushOutAWeeklyOne) {
  std::vector<PointSummary> points;
  for (unsigned n = 0; n < 30; ++n) points.push_back(point(n, kNow - static_cast<std::int64_t>(n) * kDay - 60));
  auto library = point(100, kNow - 20 * kDay);
  for (auto& p : points) p.section = "database", p.scope = Scope::partial;
  library.section = "software-library", library.scope = Scope::partial;
  points.push_back(library);
  EXPECT_FALSE(reasons(apply_rule(points, {3, 7, 0, 0}, {kNow, 0}), library).empty());
}

}  // namespace
}  // namespace holdfast::backup
