#include "recovery/recover.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "recovery/journal.h"
#include "recovery/parts.h"
#include "recovery/steps.h"

namespace holdfast::recovery {
namespace {

using system::Step;

bool by_person(const Step& s) { return s.kind == Step::Kind::confirm || s.kind == Step::Kind::manual; }

void check_names(const Plan& plan, const RecoverOptions& options) {
  std::vector<std::string> names;
  for (const PlannedStep& p : plan.steps) names.push_back(p.step.name);
  auto check = [&](const std::string& name) {
    if (std::find(names.begin(), names.end(), name) != names.end()) return;
    std::string near = nearest_name(name, names);
    throw Error(Code::unknown_name, "the recovery plan has no step '" + printable(name) + "'")
        .safe("nothing was changed")
        .hint(near.empty() ? "its steps: " + printable(join(names, ", ")) : "did you mean '" + near + "'?");
  };
  if (!options.only.empty()) check(options.only);
  for (const auto& [step, reason] : options.skip) {
    check(step);
    if (trim(reason).empty())
      throw Error(Code::usage, "step '" + step + "' is to be skipped without a reason").safe("nothing was changed").hint("give --reason TEXT; it is recorded");
  }
  for (const std::string& step : options.acknowledged) {
    check(step);
    auto p = std::find_if(plan.steps.begin(), plan.steps.end(), [&](const PlannedStep& x) { return x.step.name == step; });
    if (!by_person(p->step) && p->step.kind != Step::Kind::install)
      throw Error(Code::usage, "step '" + step + "' is none that a person does: it cannot be acknowledged")
          .safe("nothing was changed")
          .hint("--skip " + step + " --reason TEXT leaves it out");
  }
}

// The steps of this run: what an earlier run finished and what is skipped is marked, before the preflight looks.
void settle(Plan& plan, const RecoverOptions& options, const std::string& only, const Journal* journal) {
  if (!only.empty()) std::erase_if(plan.steps, [&](const PlannedStep& p) { return p.step.name != only; });
  for (PlannedStep& p : plan.steps) {
    StepState s = journal ? journal->state(p.step.name) : StepState::pending;
    // Left for a person: asked again. Failed: tried again. Checks are always made anew.
    if ((s == StepState::done && p.step.kind != Step::Kind::check) || s == StepState::skipped) {
      p.state = s;
      p.detail = journal->detail(p.step.name);
    } else if (auto skipped = options.skip.find(p.step.name); skipped != options.skip.end()) {
      p.state = StepState::skipped;
      p.detail = skipped->second;
    }
  }
}

}  // namespace

Error refusal(const Preflight& pre) {
  std::string text;
  for (const auto& d : pre.differences)
    if (d.blocking) text += "\n  " + d.what + ": the lost server had '" + printable(d.lost) + "', here it is '" + printable(d.here) + "'";
  for (const auto& c : pre.checks)
    if (!c.passed) text += "\n  " + c.name + ": " + printable(c.detail);
  for (const auto& c : pre.cannot_run) text += "\n  cannot run here: " + printable(c);
  bool other_machine = std::any_of(pre.differences.begin(), pre.differences.end(), [](const auto& d) { return d.blocking; });
  bool version = std::any_of(pre.checks.begin(), pre.checks.end(), [](const auto& c) { return !c.passed && c.name.starts_with("fix-up "); });
  bool room = std::any_of(pre.checks.begin(), pre.checks.end(), [](const auto& c) { return !c.passed && c.name == kThereIsRoom; });
  Code code = other_machine || !pre.cannot_run.empty() ? Code::precondition : version ? Code::unsupported : room ? Code::no_space : Code::precondition;
  return Error(code, (other_machine ? "this machine is not the server that was lost:" : "the recovery cannot begin:") + text)
      .safe("nothing was changed")
      .hint("make this machine what it must be, or use 'holdfast export POINT --folder FOLDER': it gives the files and their order");
}

namespace {

// Everything from the first change on.
class Runner {
 public:
  Runner(const Source& source, Plan& plan, const RecoverOptions& options, Person& person, Journal& journal, RecoverReport& report)
      : source_(source), plan_(plan), options_(options), person_(person), journal_(journal), report_(report) {}

  void run() {
    for (PlannedStep& p : plan_.steps) {
      if (p.state != StepState::pending && p.state == journal_.state(p.step.name)) continue;
      source_.cancel.check();
      require_earlier(p);
      one(p);
    }
  }

 private:
  // What a step builds on must be behind it; what a person may do later does not hold anything up.
  void require_earlier(const PlannedStep& p) {
    for (const std::string& name : p.step.after) {
      auto earlier = std::find_if(plan_.steps.begin(), plan_.steps.end(), [&](const PlannedStep& x) { return x.step.name == name; });
      if (earlier == plan_.steps.end() || earlier->state != StepState::left_to_person || by_person(earlier->step)) continue;
      throw Error(Code::precondition, "step '" + p.step.name + "' needs '" + name + "', which was left to a person: " + earlier->detail)
          .safe("what was restored before stays restored; the journal knows where it stopped")
          .hint("do it, then 'holdfast recover --resume --acknowledge " + name + "'");
    }
  }

  void one(PlannedStep& p) {
    if (p.state == StepState::skipped) {
      report_.findings.push_back({"step_skipped", p.step.name, "skipped: " + p.detail, ""});
    } else if (options_.acknowledged.contains(p.step.name)) {
      p.state = StepState::done;
      p.detail = "acknowledged by a person";
    } else if (by_person(p.step)) {
      ask(p);
    } else {
      bool half_done = journal_.tried(p.step.name);
      person_.started(p);
      journal_.step_started(p.step.name);
      StepContext context{source_, plan_, journal_.begun().suffix, report_.findings, report_.checks, half_done};
      try {
        run_step(p, context);
      } catch (const Error& e) {
        p.state = StepState::failed;
        p.detail = e.what();
        if (e.code() != Code::interrupted) journal_.step_ended(p);
        person_.finished(p);
        throw;
      }
    }
    journal_.step_ended(p);
    person_.finished(p);
  }

  void ask(PlannedStep& p) {
    switch (person_.perform(p)) {
      case Person::Answer::done:
        p.state = StepState::done;
        p.detail = "done by a person";
        return;
      case Person::Answer::defer:
        p.state = p.step.deferrable ? StepState::deferred : StepState::left_to_person;
        p.detail = p.step.instructions;
        return;
      case Person::Answer::stop:
        throw Error(Code::interrupted, "stopped by a person at step '" + p.step.name + "'")
            .safe("what was restored before stays restored; the journal knows where it stopped")
            .hint("'holdfast recover --resume' goes on");
    }
  }

  const Source& source_;
  Plan& plan_;
  const RecoverOptions& options_;
  Person& person_;
  Journal& journal_;
  RecoverReport& report_;
};

void sum_up(RecoverReport& report) {
  for (const PlannedStep& p : report.steps) {
    if (p.state != StepState::left_to_person && p.state != StepState::deferred) continue;
    std::string what = p.step.title + (p.detail.empty() ? "" : ": " + p.detail);
    report.left_for_you.push_back(what);
    report.findings.push_back({"left_to_person", p.step.name, "still to be done by a person", "do it, then 'holdfast recover --resume --acknowledge " + p.step.name + "'"});
  }
  for (const auto& c : report.checks)
    if (!c.passed) report.findings.push_back({"check_failed", c.name, c.detail, ""});
}

}  // namespace

bool RecoverReport::complete() const {
  auto settled = [](const PlannedStep& p) { return p.state == StepState::done || p.state == StepState::skipped || p.state == StepState::deferred; };
  return std::all_of(steps.begin(), steps.end(), settled) && std::all_of(checks.begin(), checks.end(), [](const auto& c) { return c.passed; });
}

void recover(const Source& source, const repository::PointId& id, const RecoverOptions& options, Person& person, RecoverReport& report) {
  auto started = source.world.clock.elapsed();
  repository::Point point = source.repository.load(id);
  auto unfinished = Journal::find_unfinished(source.world.files, source.world.clock, options.journal_folder, point.system_id.hex());
  if (options.resume) {
    if (!unfinished)
      throw Error(Code::not_found, "there is no unfinished recovery of " + printable(point.system_name) + " to go on with").safe("nothing was changed").hint("'holdfast recover' begins one");
    point = source.repository.load(source.repository.resolve(unfinished->begun().point));
  } else if (unfinished && !options.dry_run) {
    throw Error(Code::busy, "a recovery of " + printable(point.system_name) + " was begun at " + format_utc(unfinished->begun().time) + " and is not finished")
        .safe("nothing was changed")
        .hint("'holdfast recover --resume' goes on with it; to begin anew, remove " + unfinished->file().string());
  }
  const Journal* journal_before = options.resume ? &*unfinished : nullptr;
  std::string only = options.only.empty() && journal_before ? journal_before->begun().only : options.only;
  Plan plan = make_plan(source, point, std::nullopt, journal_before ? std::optional(journal_before->begun().install_first) : std::nullopt);
  check_names(plan, options);
  settle(plan, options, only, journal_before);
  report.preflight = preflight(source, plan, options.expect_head);
  report.steps = plan.steps;
  report.findings = report.preflight.findings;
  if (!options.dry_run && !report.preflight.passed()) throw refusal(report.preflight);
  if (options.dry_run) return;
  if (!person.approve(plan, report.preflight))
    throw Error(Code::interrupted, "stopped by a person before anything was done").safe("nothing was changed").hint("'holdfast recover --dry-run' shows the plan again");

  Journal journal = unfinished ? *unfinished : Journal::begin(source.world.files, source.world.clock, options.journal_folder, plan, only);
  report.journal = journal.file();
  auto keep = [&] {
    report.steps = plan.steps;
    report.seconds = std::chrono::duration<double>(source.world.clock.elapsed() - started).count();
  };
  try {
    Runner(source, plan, options, person, journal, report).run();
  } catch (...) {
    keep();
    throw;
  }
  keep();
  sum_up(report);
  // A step that failed or waits for a person keeps the journal open, so that --resume can go on with it; so do the other steps
  // of a recovery in which a resumed run was asked for one of them.
  bool open_steps = only != journal.begun().only || std::any_of(plan.steps.begin(), plan.steps.end(), [](const PlannedStep& p) {
    return p.state == StepState::left_to_person || p.state == StepState::deferred || p.state == StepState::failed;
  });
  if (!open_steps) journal.finished(report.complete());
}

}  // namespace holdfast::recovery
