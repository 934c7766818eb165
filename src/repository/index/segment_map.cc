#include "repository/index/segment_map.h"

#include <utility>

namespace holdfast::repository {

SegmentMap::Number SegmentMap::add(const Segment& segment) {
  std::lock_guard lock(mutex_);
  content_.segments.push_back(segment);
  known_.insert(segment.hash);
  return static_cast<Number>(content_.segments.size() - 1);
}

void SegmentMap::supersede(const std::vector<crypto::Sha256>& segments) {
  std::lock_guard lock(mutex_);
  content_.superseded.insert(segments.begin(), segments.end());
}

void SegmentMap::list(PackNumber pack, Number segment) {
  std::lock_guard lock(mutex_);
  std::map<PackNumber, Range>& ranges = content_.ranges;
  auto after = ranges.upper_bound(pack);
  if (after != ranges.begin()) {
    auto range = std::prev(after);
    if (pack < range->second.end) {
      if (!content_.superseded.contains(content_.segments[range->second.segment].hash)) return;
      Range old = range->second;  // cut the pack out of it
      if (range->first == pack)
        ranges.erase(range);
      else
        range->second.end = pack;
      if (pack + 1 < old.end) ranges[pack + 1] = old;
      after = ranges.upper_bound(pack);
    }
  }
  if (after != ranges.begin()) {
    Range& before = std::prev(after)->second;
    if (before.end == pack && before.segment == segment) {
      before.end = pack + 1;
      return;
    }
  }
  ranges[pack] = {pack + 1, segment};
}

std::optional<SegmentMap::Segment> SegmentMap::segment_of(PackNumber pack) const {
  std::lock_guard lock(mutex_);
  auto after = content_.ranges.upper_bound(pack);
  if (after == content_.ranges.begin()) return std::nullopt;
  const Range& range = std::prev(after)->second;
  if (pack >= range.end) return std::nullopt;
  return content_.segments[range.segment];
}

bool SegmentMap::knows(const crypto::Sha256& segment) const {
  std::lock_guard lock(mutex_);
  return known_.contains(segment);
}

SegmentMap::Content SegmentMap::content() const {
  std::lock_guard lock(mutex_);
  return content_;
}

void SegmentMap::restore(Content content) {
  std::lock_guard lock(mutex_);
  content_ = std::move(content);
  for (const Segment& segment : content_.segments) known_.insert(segment.hash);
}

}  // namespace holdfast::repository
