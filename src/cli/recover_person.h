// Who answers during a recovery: the person at the terminal, or --yes in their place. Also how plan and checks are shown.
#pragma once

#include <string>
#include <vector>

#include "cli/context.h"
#include "recovery/recover.h"

namespace holdfast::cli {

// With --yes reviews are approved and manual steps are left to a person; else each is asked.
class RecoveryPerson final : public recovery::Person {
 public:
  explicit RecoveryPerson(Context& context) : context_(context) {}
  bool approve(const recovery::Plan& plan, const recovery::Preflight& preflight) override;
  Answer perform(const recovery::PlannedStep& step) override;
  void started(const recovery::PlannedStep& step) override;
  void finished(const recovery::PlannedStep& step) override;

 private:
  std::string number(const recovery::PlannedStep& step) const;   // "[3/22]"
  Context& context_;
  std::vector<std::string> steps_;   // names, in order
};

// Point and identity card: what would come back.
std::string describe(const repository::Point& point);
// Differences to the lost server, what was checked, what cannot run here.
std::string describe(const recovery::Preflight& preflight);
// The steps with what each will do on this machine.
std::string describe(const std::vector<recovery::PlannedStep>& steps);

}  // namespace holdfast::cli
