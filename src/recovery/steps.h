// Doing one step of a recovery plan. Each may be done again after a kill: the result is the same.
#pragma once

#include <string>
#include <vector>

#include "recovery/plan.h"

namespace holdfast::recovery {

struct StepContext {
  const Source& source;
  const Plan& plan;
  std::string suffix;                          // names what is set aside; the same in every resumed run
  Findings& findings;
  std::vector<item::CheckResult>& checks;      // filled by steps of kind `check`
  bool half_done = false;                      // an earlier run began this step and did not end it
};

// Sets state and detail (counts) of the step. Not for steps that a person does. Throws what goes wrong.
void run_step(PlannedStep& step, StepContext& context);

}  // namespace holdfast::recovery
