// The recovery plan: the profile's steps made concrete for one point and this machine. Data that can be printed and reviewed.
#pragma once

#include <string>
#include <vector>

#include "recovery/restore.h"

namespace holdfast::recovery {

enum class StepState { pending, done, skipped, deferred, left_to_person, failed, cannot_run_here };
std::string_view to_text(StepState state);

struct PlannedStep {
  system::Step step;
  StepState state = StepState::pending;
  std::string detail;                // counts, "11 tables rows 4,210 -> 0"; why skipped; what the person must do
  std::vector<std::string> lines;    // what this step will do here, one sentence each (for printing and review)
};

struct Plan {
  repository::Point point;
  system::System system;
  std::vector<PlannedStep> steps;    // in the order in which they will run
  bool install_first = false;        // group 2 before group 1
};

// Orders the steps: group 0; groups 1 and 2 in either order (re-installation first when nothing is installed here, so that the
// clean database that it makes is the one that is set aside); group 3; group 4. `after` is always kept.
// Error(config) when a profile's steps cannot be ordered. `install_first`: the order of groups 1 and 2 as it was decided before (a
// resumed recovery keeps its order) or is known (a kit is for a bare machine); nullopt: by what is installed here.
Plan make_plan(const Source& source, const repository::Point& point, const std::optional<platform::Path>& base = std::nullopt,
               std::optional<bool> install_first = std::nullopt);

// Everything that can be known before anything is touched. Looks at the steps that are pending; who this machine is counts for all.
struct Preflight {
  std::vector<system::IdentityDifference> differences;   // who this machine is not
  std::vector<item::CheckResult> checks;                 // room, writable places, critical items, versions known, history
  std::vector<std::string> cannot_run;                   // steps that cannot run here, with the reason
  Findings findings;                                     // "head_not_checked", …
  bool passed() const;                                   // no blocking difference, no failed check
};
Preflight preflight(const Source& source, const Plan& plan, const std::string& expect_head);

// The plan on paper: steps with boxes to tick. Plain text, 80 columns.
std::string printable_plan(const Plan& plan);

}  // namespace holdfast::recovery
