// One backup run: items -> trees -> repository -> recovery point -> report.
#pragma once

#include <string>
#include <vector>

#include "backup/review.h"
#include "base/cancel.h"
#include "base/progress.h"
#include "repository/repository.h"

namespace holdfast::backup {

struct Request {
  Selection selection;
  std::string label;
  repository::Origin origin = repository::Origin::manual;
  // What progress is measured by: Review::bytes. 0: not known.
  std::uint64_t expected_bytes = 0;
};

struct Report {
  repository::PointId point;
  repository::PointStatus status{};
  repository::Scope scope{};
  std::vector<repository::StoredItem> items;   // without their roots
  Findings findings;                           // of the point; those of items are in the items
  std::uint64_t bytes_read = 0, bytes_stored = 0;
  double seconds = 0;
  bool has_findings() const;                   // anywhere
};

struct Environment {
  const system::System& system;
  const item::AdapterSet& adapters;
  platform::World& world;
  repository::Repository& repository;
  ProgressSink& progress;
  const Cancel& cancel;
  unsigned workers = 0;
};

// Makes a recovery point. An item that cannot be read is kept as failed (a critical one makes the point `incomplete`); an error
// of the repository, a full disk and an interruption end the run without a point (Error), and the next run goes on from there.
Report run(const Request& request, Environment& environment);

}  // namespace holdfast::backup
