// What a repair does with the password: puts together again what the repository still holds, and takes in what is still the same
// at the source. docs/repair.md. Adds objects and changes none: chunks go into new packs, and maps say what stands in for what.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "repository/data/data.h"
#include "repository/format/point_object.h"
#include "repository/log/log.h"
#include "tree/streams.h"

namespace holdfast::repository {

// Not thread-safe. Writes nothing before the first chunk is given to it or finish() has something to write.
class Mending {
 public:
  virtual ~Mending() = default;

  // By item the files that hold lost chunks, by their path in it. What a capture of the item gives is compared with them.
  virtual const std::map<std::string, std::set<std::string>>& wanted() const = 0;
  // Takes a capture of that item as it is now: keeps the chunks that are missing and nothing else. Files that are not wanted are
  // "reused", so that nobody reads them. Until the next reread() or finish().
  virtual tree::TreeSink& reread(const std::string& item) = 0;
  // Stores what was found and what can still be read of damaged packs, makes index segments and inventory pages again, and maps
  // what is whole again elsewhere. Once. The objects that others stand in for now.
  virtual std::vector<std::string> finish() = 0;
};

struct MendingParts {
  DataContext data;   // its cache is not used
  std::vector<PointSummary> points;
  std::function<Point(const PointId&)> load;   // damaged
  std::function<LogWriter()> writer;           // asked when something is written; the key must outlive the Mending
  RunOptions run;
};
// `damage`: what a check of level bytes found. Reads trees.
std::unique_ptr<Mending> begin_mending(MendingParts parts, const CheckReport& damage);

}  // namespace holdfast::repository
