#include "cli/recover_person.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "cli/describe.h"

namespace holdfast::cli {

using recovery::PlannedStep;
using recovery::StepState;

namespace {

// Instructions come from a profile, or from the profile in a backup: wrapped, and made printable.
std::string instructions(const PlannedStep& step) {
  std::string text;
  for (const std::string& l : split(step.step.instructions, '\n')) text += (text.empty() ? "" : " ") + printable(trim(l));
  return wrap(text, kTextWidth, "      ");
}

std::string title(const PlannedStep& step) { return printable(step.step.title.empty() ? step.step.name : step.step.title); }

}  // namespace

std::string describe(const repository::Point& p) {
  std::string text = "Recovery point " + repository::short_id(p.id) + " of " + printable(p.system_name) + ", taken " + when(p.finished) + " (" +
                     std::string(repository::to_text(p.status)) + ")\n";
  std::vector<std::vector<std::string>> rows;
  for (const auto& [key, value] : p.identity) rows.push_back({printable(key), printable(value)});
  return text + table(rows, "    ") + "\n";
}

std::string describe(const recovery::Preflight& pre) {
  std::string text = "\nThis machine and the lost server\n";
  std::vector<std::vector<std::string>> rows;
  for (const auto& d : pre.differences)
    rows.push_back({d.blocking ? "DIFFERS" : "differs", printable(d.what), "lost: " + printable(d.lost), "here: " + printable(d.here)});
  if (rows.empty()) rows.push_back({"no difference"});
  text += table(rows) + "\n\nChecked before anything is touched\n";
  rows.clear();
  for (const auto& c : pre.checks) rows.push_back({c.passed ? "ok" : "FAILED", printable(c.name), printable(c.detail)});
  text += table(rows) + "\n";
  for (const auto& c : pre.cannot_run) text += "  cannot run here: " + printable(c) + "\n";
  return text;
}

std::string describe(const std::vector<PlannedStep>& steps) {
  std::string text = "\nThe plan\n";
  std::size_t n = 0;
  for (const PlannedStep& p : steps) {
    ++n;
    text += (n < 10 ? "   " : "  ") + std::to_string(n) + ". " + title(p) + "  [" + printable(p.step.name) + "]\n";
    for (const std::string& l : p.lines) text += wrap(printable(l), kTextWidth, "        ") + "\n";
  }
  return text;
}

bool RecoveryPerson::approve(const recovery::Plan& plan, const recovery::Preflight& preflight) {
  for (const PlannedStep& p : plan.steps) steps_.push_back(p.step.name);
  context_.output.say(describe(plan.point) + describe(preflight) + describe(plan.steps));
  return context_.confirm("Recover this server now?");
}

recovery::Person::Answer RecoveryPerson::perform(const PlannedStep& step) {
  context_.output.say(number(step) + title(step) + "\n" + instructions(step));
  if (context_.options.yes || !context_.can_ask()) return Answer::defer;
  while (true) {
    std::string answer = to_lower_ascii(trim(context_.world.terminal.ask("      done, later or stop? ")));
    if (answer == "done" || answer == "d") return Answer::done;
    if (answer == "later" || answer == "l") return Answer::defer;
    if (answer == "stop" || answer == "s") return Answer::stop;
    context_.output.say("      Answer done when it is done, later to leave it for after the recovery, stop to go on another time.");
  }
}

void RecoveryPerson::started(const PlannedStep& step) { context_.output.say(number(step) + title(step)); }

void RecoveryPerson::finished(const PlannedStep& step) {
  context_.output.end();
  bool by_person = step.step.kind == system::Step::Kind::confirm || step.step.kind == system::Step::Kind::manual;
  if (by_person && step.state != StepState::done) {
    context_.output.say("      left to a person");
    return;
  }
  std::string detail = printable(step.detail);
  context_.output.say("      " + std::string(recovery::to_text(step.state)) + (detail.empty() ? "" : ": " + detail));
}

std::string RecoveryPerson::number(const PlannedStep& step) const {
  auto at = std::find(steps_.begin(), steps_.end(), step.step.name);
  return "[" + std::to_string(at - steps_.begin() + 1) + "/" + std::to_string(steps_.size()) + "] ";
}

}  // namespace holdfast::cli
