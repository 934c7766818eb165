// Deleting what no point needs, beside anything else that runs. docs/concurrency.md "A prune" is the protocol step by step;
// repository.h has the options and the report.
#pragma once

#include <functional>
#include <set>
#include <vector>

#include "repository/data/engine.h"
#include "repository/format/point_object.h"
#include "repository/log/condemned.h"
#include "repository/repository.h"

namespace holdfast::repository {

// What a prune works with; all must outlive it.
struct PruneContext {
  store::ObjectStore& store;
  RepositoryId repository;
  Keyring& keyring;
  platform::Entropy& entropy;
  platform::Clock& clock;
  Engine& engine;

  struct View {
    Records records;
    Ground ground;
    std::vector<PointSummary> points;   // that exist
    std::set<PointId> void_points;
    std::vector<ChainFinding> findings;
  };
  std::function<View()> view;           // lists the logs
  std::function<LogWriter()> writer;
  std::function<Record(RecordType, RecordBody)> append;
  std::function<ReadPoint(const PointId&)> read;
};

PruneReport prune(const PruneContext& context, const PruneOptions& options);

}  // namespace holdfast::repository
