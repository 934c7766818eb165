// Repairing a repository: a plan first, which changes nothing, then what it says. docs/repair.md.
//
// A damaged object is only ever replaced by the right bytes under its own name (hashed before they are put, and again after they
// were read back), or left as it is. Nothing is deleted. So a file that could be restored before can be restored afterwards, and
// a repair that is killed anywhere can be run again. One thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "repository/repository.h"
#include "repository/upkeep/mending.h"
#include "repository/upkeep/take_over.h"

namespace holdfast::repository {

struct RepairSetup {
  store::ObjectStore& store;
  // Opens the repository; called again when what opening rests on was put back. Empty: no key, only copies help.
  std::function<std::unique_ptr<Repository>()> open;
  std::vector<store::ObjectStore*> copies;   // searched in this order
  RunOptions run;
};

struct RepairPlan {
  CheckReport damage;                        // at level bytes; with a key the lost files too
  std::vector<ChainFinding> chain;           // with a key
  std::string closed;                        // why the repository cannot be opened; "": it was, or there is no key
  std::vector<TakeOver> from_copies;
  std::vector<std::string> made_again;       // index segments and inventory pages, from what is there
  // By item the lost files that no copy brings back: what is unchanged at the source does.
  std::map<std::string, std::set<std::string>> to_read;
  bool anything_to_do() const { return !from_copies.empty() || !made_again.empty() || !to_read.empty() || rescue; }
  bool rescue = false;                       // damaged packs that no copy has: what can be read of them is stored anew
};

struct RepairResult {
  std::vector<std::string> from_copies;      // objects that are whole again under their names
  std::vector<std::string> replaced;         // objects that others stand in for now
  Findings problems;                         // object, what went wrong with it
  CheckReport left;                          // what is damaged still; it is looked at as in the plan
  std::vector<ChainFinding> chain;
};

class Repair {
 public:
  explicit Repair(RepairSetup setup) : setup_(std::move(setup)) {}

  // Reads every object. precondition: a copy that is of another repository.
  RepairPlan plan();
  // Does what the plan says. `source`: is given the Mending to reread() items that are wanted; may be empty.
  RepairResult apply(const RepairPlan& plan, const std::function<void(Mending&)>& source);
  // Newest first; none without a key.
  std::vector<PointSummary> points() { return repository_ ? repository_->points() : std::vector<PointSummary>(); }

 private:
  CheckReport look(const std::function<void(const AffectedFile&)>& affected);
  void open(std::string& closed);
  bool records_missing(), rolled_back();
  void take_all(const RepairPlan& plan, CheckReport& damage, RepairResult& result);

  RepairSetup setup_;
  std::unique_ptr<Repository> repository_;   // nullptr: without a key
};

}  // namespace holdfast::repository
