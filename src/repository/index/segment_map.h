// Which index segment lists which pack. Packs of one segment are numbered one after another, mostly: it takes
// memory by segment, not by pack. Thread-safe; calls nothing.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

#include "repository/index/index_run.h"

namespace holdfast::repository {

class SegmentMap {
 public:
  struct Segment {
    crypto::Sha256 hash;
    std::uint64_t size = 0;
  };
  using Number = std::uint32_t;

  Number add(const Segment& segment);
  void supersede(const std::vector<crypto::Sha256>& segments);
  // A pack keeps the first segment that lists it until that one is superseded.
  void list(PackNumber pack, Number segment);
  std::optional<Segment> segment_of(PackNumber pack) const;
  bool knows(const crypto::Sha256& segment) const;

  // All of it, to be kept.
  struct Range {
    PackNumber end = 0;  // the first one behind
    Number segment = 0;
  };
  struct Content {
    std::vector<Segment> segments;
    std::set<crypto::Sha256> superseded;
    std::map<PackNumber, Range> ranges;  // by first pack; do not overlap
  };
  Content content() const;
  // Precondition: numbers in `content` are right.
  void restore(Content content);

 private:
  mutable std::mutex mutex_;
  Content content_;
  std::set<crypto::Sha256> known_;
};

}  // namespace holdfast::repository
