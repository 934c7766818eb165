// The rules of docs/retention.md once more, counted day by day and point by point: what the tests hold the real ones against.
#pragma once

#include <algorithm>
#include <set>
#include <tuple>
#include <vector>

#include "backup/retention.h"

namespace holdfast::backup::model {

using repository::PointSummary;
using Rule = system::System::Retention;

constexpr std::int64_t kDay = 86'400;

// Year, month, day and week, counted day by day from 1970-01-01 (a Thursday).
struct Day { int year = 1970, month = 1, day = 1, week = 0; };

inline std::int64_t number_of_day(std::int64_t seconds) { return seconds / kDay; }

inline const Day& day_number(std::int64_t number) {
  static const int kLengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  static std::vector<Day> days{Day{}};
  while (days.size() <= static_cast<std::size_t>(number)) {
    Day d = days.back();
    if ((days.size() + 3) % 7 == 0) ++d.week;   // Monday
    bool leap = d.year % 4 == 0 && (d.year % 100 != 0 || d.year % 400 == 0);
    if (++d.day > kLengths[d.month - 1] + (d.month == 2 && leap ? 1 : 0)) d.day = 1, ++d.month;
    if (d.month == 13) d.month = 1, ++d.year;
    days.push_back(d);
  }
  return days[static_cast<std::size_t>(number)];
}

// Goes back day by day until the calendar shows the date that is meant, or the last one before it.
inline std::int64_t earlier(std::int64_t seconds, const Span& span) {
  switch (span.unit) {
    case Span::Unit::hours: return seconds - span.count * 3600LL;
    case Span::Unit::days: return seconds - span.count * kDay;
    case Span::Unit::weeks: return seconds - span.count * 7 * kDay;
    default: break;
  }
  const Day from = day_number(number_of_day(seconds));
  int months = from.year * 12 + from.month - 1 - span.count * (span.unit == Span::Unit::years ? 12 : 1);
  std::int64_t number = number_of_day(seconds);
  while (true) {
    const Day& d = day_number(--number);
    if (d.year * 12 + d.month - 1 == months && d.day <= from.day) return number * kDay + seconds % kDay;
  }
}

inline bool good(const PointSummary& p) { return p.status != repository::PointStatus::incomplete && !p.verification_failed; }
inline bool newer(const PointSummary& a, const PointSummary& b) {
  return a.finished != b.finished ? a.finished > b.finished : a.id < b.id;
}

// What the others of its series say about `p`; `ruled` and whether a newer good one is there are what they come from.
inline bool a_rule_names(const PointSummary& p, std::vector<PointSummary> ruled, const Rule& rule, const std::optional<Span>& objective) {
  using Key = std::tuple<int, int, std::int64_t>;
  auto by = [&](int count, auto key) {   // the newest of its period, and fewer than `count` later periods have a point
    std::set<Key> later;
    for (const auto& x : ruled) {
      if (!newer(x, p)) continue;
      if (key(x) == key(p)) return false;
      later.insert(key(x));
    }
    return static_cast<int>(later.size()) < count;
  };
  auto day = [](const PointSummary& x) -> const Day& { return day_number(number_of_day(x.finished.seconds)); };
  int later = 0;
  for (const auto& x : ruled) later += newer(x, p) ? 1 : 0;
  if (later < rule.last) return true;
  if (by(rule.hourly, [](const auto& x) { return Key(0, 0, x.finished.seconds / 3600); })) return true;
  if (by(rule.daily, [&](const auto& x) { return Key(day(x).year, day(x).month, day(x).day); })) return true;
  if (by(rule.weekly, [&](const auto& x) { return Key(day(x).week, 0, 0); })) return true;
  if (by(rule.monthly, [&](const auto& x) { return Key(day(x).year, day(x).month, 0); })) return true;
  if (by(rule.yearly, [&](const auto& x) { return Key(day(x).year, 0, 0); })) return true;
  if (!rule.within) return false;
  // Every gap between it and the newest counts, a long one as the longest that counts.
  std::int64_t longest = !objective ? 31 * kDay : std::max(kDay, longest_seconds(*objective));
  std::sort(ruled.begin(), ruled.end(), [](const auto& a, const auto& b) { return newer(b, a); });
  std::int64_t age = 0;
  for (std::size_t i = 1; i < ruled.size(); ++i)
    if (!newer(p, ruled[i - 1])) age += std::min(longest, ruled[i].finished.seconds - ruled[i - 1].finished.seconds);
  return ruled.back().finished.seconds - age >= earlier(ruled.back().finished.seconds, *rule.within);
}

inline bool kept(const PointSummary& p, const std::vector<PointSummary>& all, const Rule& rule, const std::optional<Span>& objective, std::int64_t now) {
  auto future = [&](const PointSummary& x) { return x.finished.seconds > now + 300; };
  if (p.origin != repository::Origin::scheduled || p.pinned || future(p)) return true;
  std::vector<PointSummary> ruled;
  bool a_newer_good = false;
  for (const auto& x : all) {
    if (x.section != p.section || x.scope != p.scope || !good(x) || future(x)) continue;
    a_newer_good = a_newer_good || newer(x, p);
    if (x.origin == repository::Origin::scheduled) ruled.push_back(x);
  }
  if (!a_newer_good) return true;
  for (const auto& item : p.items) {   // nothing newer has it
    bool elsewhere = p.verification_failed || item.status == repository::ItemStatus::failed;
    for (const auto& x : all)
      for (const auto& other : x.items)
        elsewhere = elsewhere || (newer(x, p) && !future(x) && !x.verification_failed && other.name == item.name && other.status != repository::ItemStatus::failed);
    if (!elsewhere) return true;
  }
  return good(p) && a_rule_names(p, ruled, rule, objective);
}

}  // namespace holdfast::backup::model
