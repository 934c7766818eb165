#include "backup/retention.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <set>

namespace holdfast::backup {
namespace {

using repository::Origin;
using repository::PointStatus;
using repository::PointSummary;

std::chrono::sys_days day_of(Timestamp t) {
  return std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds{std::chrono::seconds{t.seconds}});
}

std::int64_t day_key(Timestamp t) { return day_of(t).time_since_epoch().count(); }

// ISO weeks begin on Monday; 1970-01-05 was one.
std::int64_t week_key(Timestamp t) {
  std::int64_t since_monday = day_key(t) - 4;
  return since_monday >= 0 ? since_monday / 7 : -((-since_monday + 6) / 7);
}

std::int64_t month_key(Timestamp t) {
  std::chrono::year_month_day d{day_of(t)};
  return static_cast<int>(d.year()) * 12LL + static_cast<unsigned>(d.month()) - 1;
}

// Damaged points are as little good as incomplete ones: a newer one of them must not push out what can be recovered.
bool is_good(const PointSummary& p) { return p.status != PointStatus::incomplete && !p.verification_failed; }

// Points of one series, newest first. The rules look at scheduled, good points that are not in the future: nothing else may
// use up a place.
void judge_series(const std::vector<Kept*>& series, const system::System::Retention& rule, Timestamp now) {
  auto newest_good = std::find_if(series.begin(), series.end(),
                                  [&](const Kept* k) { return is_good(k->point) && k->point.finished <= now; });
  std::vector<Kept*> ruled;
  for (auto it = series.begin(); it != series.end(); ++it) {
    const PointSummary& p = (*it)->point;
    auto keep = [&](const char* reason) { (*it)->reasons.push_back(reason); };
    if (p.origin == Origin::manual) keep("made by hand");
    if (p.origin == Origin::imported) keep("imported");
    if (p.pinned) keep("pinned");
    if (p.finished > now) keep("dated in the future");
    if (it == newest_good) keep("newest good point");
    if (!is_good(p) && it < newest_good) keep("newer than the newest good point");
    if (p.origin == Origin::scheduled && is_good(p) && p.finished <= now) ruled.push_back(*it);
  }

  for (std::size_t i = 0; i < ruled.size() && static_cast<int>(i) < rule.last; ++i)
    ruled[i]->reasons.push_back("last " + std::to_string(i + 1) + " of " + std::to_string(rule.last));
  auto calendar = [&](const char* word, int count, const std::function<std::int64_t(Timestamp)>& key) {
    std::set<std::int64_t> seen;
    for (Kept* k : ruled) {
      if (static_cast<int>(seen.size()) >= count) break;
      if (seen.insert(key(k->point.finished)).second)
        k->reasons.push_back(std::string(word) + " " + std::to_string(seen.size()) + " of " + std::to_string(count));
    }
  };
  calendar("daily", rule.daily, day_key);
  calendar("weekly", rule.weekly, week_key);
  calendar("monthly", rule.monthly, month_key);
}

}  // namespace

std::vector<Kept> apply_rule(const std::vector<PointSummary>& points, const system::System::Retention& rule,
                             Timestamp now) {
  std::vector<Kept> all;
  for (const PointSummary& p : points) all.push_back({p, {}});
  std::stable_sort(all.begin(), all.end(), [](const Kept& a, const Kept& b) {
    return a.point.finished != b.point.finished ? a.point.finished > b.point.finished : a.point.id < b.point.id;
  });
  std::map<std::pair<std::string, repository::Scope>, std::vector<Kept*>> series;
  for (Kept& k : all) series[{k.point.section, k.point.scope}].push_back(&k);
  for (const auto& [_, members] : series) judge_series(members, rule, now);
  return all;
}

}  // namespace holdfast::backup
