// What prunes have condemned, and which points are void because of it, as one view of the logs tells it. docs/concurrency.md
// has the rules and the reason for each. Objects are named as in the store.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "repository/log/log.h"

namespace holdfast::repository {

// Reason of the forget with which a writer takes a point back that it has not acknowledged.
inline constexpr const char* kWithdrawn = "withdrawn";

using Records = std::vector<std::shared_ptr<const Record>>;

class Condemned {
 public:
  explicit Condemned(Records records);

  // No new point may use it: a fence names it, or an intent whose fence is not there.
  bool contains(const std::string& name) const { return condemned_.contains(name); }
  bool empty() const { return condemned_.empty(); }
  // Any intent or fence names it, whatever became of it.
  bool was_named(const std::string& name) const { return named_.contains(name); }

 private:
  Records records_;
  std::unordered_set<std::string_view> condemned_, named_;   // into records_
};

// Whether a point needs one of those objects, by its inventory. What cannot be read of it counts as not needing them.
bool needs_any(store::ObjectStore& store, const RepositoryId& repository, const PointId& point, const std::set<std::string>& names);

// Finds the points that nobody acknowledged and whose objects may be gone. Remembers what it found out. Not thread-safe.
class VoidPoints {
 public:
  // Whether the point needs any object of `names`.
  using Needs = std::function<bool(const PointId& point, const std::set<std::string>& names)>;
  explicit VoidPoints(Needs needs) : needs_(std::move(needs)) {}
  // Of the points that no record forgets.
  std::set<PointId> among(const Records& records);

 private:
  Needs needs_;
  std::map<PointId, std::pair<std::set<crypto::Sha256>, bool>> known_;   // fences it is not settled with, whether it is void
};

}  // namespace holdfast::repository
