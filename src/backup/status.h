// "If this server burns now, what comes back, from when?": the home page as data.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "backup/review.h"
#include "repository/repository.h"

namespace holdfast::backup {

struct ItemStatusLine {
  const item::ItemSpec* item = nullptr;
  std::optional<repository::PointId> point;    // newest point in which it is complete
  Timestamp taken;                             // of that point
  std::string problem;                         // "never captured", "failed in the newest point: …", ""
};

struct Status {
  std::optional<repository::PointSummary> newest_good;   // what `recover` would take: every critical item complete
  std::vector<ItemStatusLine> items;
  Findings attention;        // not covered, stale, unproven, no copy elsewhere: empty = good
  std::vector<Review::Reason> excluded;
  std::vector<std::string> outside;
};

// `kit`: where the kit was last written, to tell when it is stale; "" = none is known.
Status status(const system::System& system, const item::AdapterSet& adapters, platform::World& world,
              repository::Repository& repository, const std::string& kit);

// Its id as points have it. Error(config): it is none.
repository::SystemId id_of(const system::System& system);

// Finding same_disk: the repository lies in the file system of the protected server, and no copy of the configuration lies elsewhere.
std::optional<Finding> same_disk(const system::System& system, const std::string& repository, platform::World& world);

// Newest point of the system in which every critical item of its own list is complete; nullopt when there is none.
std::optional<repository::PointSummary> newest_recoverable(const std::vector<repository::PointSummary>& points,
                                                           const repository::SystemId& system);
// Newest point in which the item is complete.
std::optional<repository::PointSummary> newest_with_item(const std::vector<repository::PointSummary>& points,
                                                         const repository::SystemId& system, const std::string& item);

}  // namespace holdfast::backup
