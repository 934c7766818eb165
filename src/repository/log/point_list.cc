#include "repository/log/point_list.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/text.h"

namespace holdfast::repository {
namespace {

constexpr std::size_t kShortestPrefix = 4, kIdDigits = 64;

// A forget counts wherever it stands: nobody can forget a point before it is there.
std::set<PointId> forgotten(const std::vector<std::shared_ptr<const Record>>& records) {
  std::set<PointId> ids;
  for (const auto& record : records) {
    if (record->type == RecordType::forget) ids.insert(record->body.points.begin(), record->body.points.end());
  }
  return ids;
}

void take_verification(PointSummary& point, const RecordBody& body) {
  point.verification_failed = !body.ok;
  if (body.ok) point.passed[body.level] = body.time;
  if (!body.ok || body.level < point.verified) return;
  point.verified = body.level;
  point.verified_at = body.time;
}

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isxdigit(c) != 0; });
}

}  // namespace

std::vector<PointSummary> list_points(const std::vector<std::shared_ptr<const Record>>& records,
                                      const std::set<PointId>& left_out) {
  std::set<PointId> gone = forgotten(records);
  std::map<PointId, PointSummary> points;
  for (const auto& record : records) {
    if (record->type != RecordType::point || !record->body.point) continue;
    for (const PointId& id : record->body.points) {
      if (gone.contains(id) || left_out.contains(id)) continue;
      PointSummary summary = *record->body.point;
      summary.id = id;
      summary.writer = record->writer;
      summary.number = record->number;
      points.emplace(id, std::move(summary));
    }
  }
  for (const auto& record : records) {
    for (const PointId& id : record->body.points) {
      auto it = points.find(id);
      if (it == points.end()) continue;
      if (record->type == RecordType::pin) it->second.pinned = true;
      if (record->type == RecordType::unpin) it->second.pinned = false;
      if (record->type == RecordType::verification) take_verification(it->second, record->body);
    }
  }
  std::vector<PointSummary> list;
  for (auto& [id, summary] : points) list.push_back(std::move(summary));
  std::sort(list.begin(), list.end(), [](const PointSummary& a, const PointSummary& b) {
    return a.finished != b.finished ? a.finished > b.finished : a.id < b.id;
  });
  return list;
}

const PointSummary* find_point(const std::vector<PointSummary>& points, const PointId& id) {
  auto it = std::find_if(points.begin(), points.end(), [&](const PointSummary& p) { return p.id == id; });
  return it == points.end() ? nullptr : &*it;
}

void throw_no_such_point(const std::string& text, const std::vector<PointSummary>& points) {
  throw Error(Code::not_found, "there is no recovery point " + printable(text))
      .safe("nothing was changed")
      .hint(points.empty() ? "the repository holds no recovery point yet" : "'holdfast points' lists them");
}

PointId resolve_point(const std::vector<PointSummary>& points, const std::string& text) {
  if (text == "latest") {
    auto it = std::find_if(points.begin(), points.end(), [](const PointSummary& p) { return p.status != PointStatus::incomplete; });
    if (it == points.end()) throw_no_such_point(text, points);
    return it->id;
  }
  std::string prefix = to_lower_ascii(text);
  if (prefix.size() < kShortestPrefix || prefix.size() > kIdDigits || !is_hex(prefix)) throw_no_such_point(text, points);
  std::vector<const PointSummary*> found;
  for (const PointSummary& p : points) {
    if (p.id.hex().starts_with(prefix)) found.push_back(&p);
  }
  if (found.empty()) throw_no_such_point(text, points);
  if (found.size() > 1) {
    throw Error(Code::usage, human_count(found.size()) + " recovery points start with " + prefix)
        .safe("nothing was changed")
        .hint("give more digits: " + short_id(found[0]->id) + " or " + short_id(found[1]->id));
  }
  return found.front()->id;
}

}  // namespace holdfast::repository
