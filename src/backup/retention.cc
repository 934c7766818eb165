#include "backup/retention.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>

#include "backup/status.h"
#include "base/text.h"

namespace holdfast::backup {
namespace {

using repository::Origin;
using repository::PointStatus;
using repository::PointSummary;
using Rule = system::System::Retention;

constexpr std::int64_t kHour = 3'600, kDay = 24 * kHour;
// A longer gap between two points counts as one of this length: a day, or the objective when it is longer; a month without an objective.
constexpr std::int64_t kGap = kDay, kGapWithoutObjective = 31 * kDay;

std::chrono::sys_days day_of(Timestamp t) {
  return std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds{std::chrono::seconds{t.seconds}});
}

std::int64_t floor_divide(std::int64_t a, std::int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

std::int64_t hour_key(Timestamp t) { return floor_divide(t.seconds, kHour); }
std::int64_t day_key(Timestamp t) { return day_of(t).time_since_epoch().count(); }
// ISO weeks begin on Monday; 1970-01-05 was one.
std::int64_t week_key(Timestamp t) { return floor_divide(day_key(t) - 4, 7); }
std::int64_t year_key(Timestamp t) { return static_cast<int>(std::chrono::year_month_day{day_of(t)}.year()); }
std::int64_t month_key(Timestamp t) {
  return year_key(t) * 12 + static_cast<unsigned>(std::chrono::year_month_day{day_of(t)}.month()) - 1;
}

struct Calendar {
  const char* word;
  int Rule::*count;
  std::int64_t (*key)(Timestamp);
};
constexpr Calendar kCalendar[] = {{"hourly", &Rule::hourly, hour_key},
                                  {"daily", &Rule::daily, day_key},
                                  {"weekly", &Rule::weekly, week_key},
                                  {"monthly", &Rule::monthly, month_key},
                                  {"yearly", &Rule::yearly, year_key}};

// Damaged points are as little good as incomplete ones: a newer one of them must not push out what can be recovered.
bool is_good(const PointSummary& p) { return p.status != PointStatus::incomplete && !p.verification_failed; }

Timestamp latest_present(Timestamp now) { return {now.seconds + kClockTolerance, now.nanoseconds}; }

void keep_counted(const std::vector<Kept*>& ruled, const Rule& rule) {
  for (std::size_t i = 0; i < ruled.size() && static_cast<int>(i) < rule.last; ++i)
    ruled[i]->reasons.push_back("last " + std::to_string(i + 1) + " of " + std::to_string(rule.last));
  for (const Calendar& c : kCalendar) {
    const int count = rule.*c.count;
    int taken = 0;
    std::optional<std::int64_t> period;
    for (Kept* k : ruled) {   // newest first, so the points of a period stand together
      const std::int64_t key = c.key(k->point.finished);
      if (period == key) continue;
      if (++taken > count) break;
      period = key;
      k->reasons.push_back(std::string(c.word) + " " + std::to_string(taken) + " of " + std::to_string(count));
    }
  }
}

// Gaps that are longer than `longest_gap` count as one of that length, so that a clock that was set forward for a day makes nothing
// look years old.
void keep_within(const std::vector<Kept*>& ruled, const Span& span, std::int64_t longest_gap) {
  if (ruled.empty()) return;
  const Timestamp newest = ruled.front()->point.finished, oldest = before(newest, span);
  std::int64_t left_out = 0;
  for (std::size_t i = 0; i < ruled.size(); ++i) {
    const Timestamp t = ruled[i]->point.finished;
    if (i != 0) left_out += std::max<std::int64_t>(0, ruled[i - 1]->point.finished.seconds - t.seconds - longest_gap);
    if (Timestamp{t.seconds + left_out, t.nanoseconds} < oldest) break;
    ruled[i]->reasons.push_back("within " + to_text(span));
  }
}

// Points of one series, newest first. The rules look at scheduled, good points that are not in the future: nothing else may
// use up a place.
void judge_series(const std::vector<Kept*>& series, const Rule& rule, std::int64_t longest_gap, Timestamp now) {
  const Timestamp present = latest_present(now);
  auto newest_good = std::find_if(series.begin(), series.end(),
                                  [&](const Kept* k) { return is_good(k->point) && k->point.finished <= present; });
  std::vector<Kept*> ruled;
  for (auto it = series.begin(); it != series.end(); ++it) {
    const PointSummary& p = (*it)->point;
    auto keep = [&](const char* reason) { (*it)->reasons.push_back(reason); };
    if (p.origin == Origin::manual) keep("made by hand");
    if (p.origin == Origin::imported) keep("imported");
    if (p.pinned) keep("pinned");
    if (p.finished > present) keep("dated in the future");
    if (it == newest_good) keep("newest good point");
    if (!is_good(p) && it < newest_good) keep("newer than the newest good point");
    if (p.origin == Origin::scheduled && is_good(p) && p.finished <= present) ruled.push_back(*it);
  }
  keep_counted(ruled, rule);
  if (rule.within) keep_within(ruled, *rule.within, longest_gap);
}

// What 'restore latest --item NAME' would take: an item that failed in every newer point must not go with an old point.
void keep_newest_of_items(std::vector<Kept>& all, Timestamp now) {
  std::set<std::string> seen;
  for (Kept& k : all) {
    if (k.point.finished > latest_present(now) || k.point.verification_failed) continue;
    std::vector<std::string> newest;
    for (const auto& i : k.point.items)
      if (i.status != repository::ItemStatus::failed && seen.insert(i.name).second) newest.push_back(printable(i.name));
    // What a rule or a person keeps anyway needs no more reasons.
    if (k.reasons.empty() && !newest.empty()) k.reasons.push_back("newest with " + join(newest, ", "));
  }
}

}  // namespace

std::vector<Kept> apply_rule(const std::vector<PointSummary>& points, const Rule& rule, const std::optional<Span>& objective,
                             Timestamp now) {
  std::vector<Kept> all;
  for (const PointSummary& p : points) all.push_back({p, {}});
  std::stable_sort(all.begin(), all.end(), [](const Kept& a, const Kept& b) {
    return a.point.finished != b.point.finished ? a.point.finished > b.point.finished : a.point.id < b.point.id;
  });
  const std::int64_t longest_gap = objective ? std::max(kGap, longest_seconds(*objective)) : kGapWithoutObjective;
  std::map<std::pair<std::string, repository::Scope>, std::vector<Kept*>> series;
  for (Kept& k : all) series[{k.point.section, k.point.scope}].push_back(&k);
  for (const auto& [_, members] : series) judge_series(members, rule, longest_gap, now);
  keep_newest_of_items(all, now);
  return all;
}

std::vector<Kept> judge(const std::vector<PointSummary>& points, const system::System& system, Timestamp now) {
  const repository::SystemId id = id_of(system);
  std::vector<PointSummary> own;
  for (const PointSummary& p : points)
    if (p.system_id == id) own.push_back(p);
  return apply_rule(own, system.retention, system.recovery_point, now);
}

std::string late_for_objective(const std::vector<Kept>& judged, const std::optional<Span>& objective, Timestamp now) {
  if (!objective) return "";
  for (const Kept& k : judged) {
    if (k.reasons.empty() || !is_good(k.point) || k.point.finished > latest_present(now)) continue;
    if (k.point.finished >= before(now, *objective)) return "";
    return "the newest good recovery point is of " + format_utc(k.point.finished) + ", older than the objective of " + to_text(*objective);
  }
  return "there is no good recovery point";
}

std::string rule_text(const Rule& rule) {
  std::vector<std::string> parts;
  if (rule.last != 0) parts.push_back("last " + std::to_string(rule.last));
  for (const Calendar& c : kCalendar)
    if (rule.*c.count != 0) parts.push_back(std::string(c.word) + " " + std::to_string(rule.*c.count));
  if (rule.within) parts.push_back("within " + to_text(*rule.within));
  return parts.empty() ? "none" : join(parts, ", ");
}

}  // namespace holdfast::backup
