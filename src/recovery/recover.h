// Running the plan: journalled, so that a recovery that was killed anywhere goes on with --resume.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "recovery/plan.h"

namespace holdfast::recovery {

struct RecoverOptions {
  bool dry_run = false;                        // plan and preflight only
  bool resume = false;
  std::string only;                            // one step; "" = all
  std::map<std::string, std::string> skip;     // step -> reason (recorded)
  std::set<std::string> acknowledged;          // manual steps that a person says are done
  std::string expect_head;
  platform::Path journal_folder;               // where journals live (local state)
};

// The person, or a script in their place.
class Person {
 public:
  enum class Answer { done, defer, stop };
  virtual ~Person() = default;
  // Once, after preflight and before anything is touched: the review. false = stop, nothing was changed.
  virtual bool approve(const Plan& plan, const Preflight& preflight) = 0;
  // A confirm or manual step that was not acknowledged beforehand.
  virtual Answer perform(const PlannedStep& step) = 0;
  virtual void started(const PlannedStep& step) = 0;
  virtual void finished(const PlannedStep& step) = 0;
};

struct RecoverReport {
  std::vector<PlannedStep> steps;              // with their final states and counts
  Preflight preflight;
  std::vector<item::CheckResult> checks;       // of the last group
  Findings findings;
  std::vector<std::string> left_for_you;       // what a person must still do
  platform::Path journal;
  double seconds = 0;
  bool complete() const;                       // every step done, skipped with a reason, or deferred, and every check passed
};

// Why a recovery with this preflight, which did not pass, cannot begin; nothing was changed. A dry run ends with the same error.
// precondition (another machine, a step that cannot run here), unsupported (a fix-up does not know the version), no_space.
Error refusal(const Preflight& preflight);

// Errors: refusal(), busy (an unfinished recovery of this system lies there: resume it),
// not_found (--resume with nothing to resume), unknown_name (--only/--skip/--acknowledge with the nearest step), interrupted, and what
// a step throws; the journal then says where it stopped, and the report is in `report` as far as it came.
void recover(const Source& source, const repository::PointId& point, const RecoverOptions& options, Person& person,
             RecoverReport& report);

// What must lie elsewhere for the worst day: program, its hash, addresses, the plan as text; no secrets. Overwrites an older kit
// in `folder` only when it is one. `program`: path of the running program; `addresses`: repositories.
struct KitReport { std::vector<std::string> files; };
KitReport write_kit(const Source& source, const repository::Point& point, const platform::Path& folder,
                    const platform::Path& program, const std::vector<std::string>& addresses);

}  // namespace holdfast::recovery
