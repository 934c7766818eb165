#include <algorithm>
#include <nlohmann/json.hpp>

#include "backup/status.h"
#include "base/error.h"
#include "base/text.h"
#include "cli/context.h"
#include "cli/describe.h"
#include "cli/recover_person.h"
#include "cli/source.h"
#include "cli/verbs.h"
#include "recovery/recover.h"

namespace holdfast::cli {

using repository::short_id;

namespace {

using recovery::RecoverReport;
using recovery::StepState;

repository::PointId choose_point(Context& c, repository::Repository& from, const std::string& text) {
  if (!text.empty() && text != "latest") return from.resolve(text);
  auto system = c.system_id(from);
  if (system)
    if (auto p = backup::newest_recoverable(from.points(), *system)) return p->id;
  throw Error(Code::not_found, "there is no recovery point in which every critical item is complete")
      .safe("nothing was changed")
      .hint("'holdfast points' lists what is there; 'holdfast recover POINT --dry-run' says what a point lacks");
}

recovery::RecoverOptions options_of(const Arguments& a, Context& c) {
  recovery::RecoverOptions o;
  o.dry_run = a.has("--dry-run");
  o.resume = a.has("--resume");
  o.only = a.value("--only");
  o.expect_head = a.value("--expect-head");
  for (const std::string& step : a.values("--acknowledge")) o.acknowledged.insert(step);
  auto skipped = a.values("--skip"), reasons = a.values("--reason");
  if (skipped.size() != reasons.size())
    throw Error(Code::usage, "each --skip STEP needs its --reason TEXT, and there are " + std::to_string(skipped.size()) + " and " + std::to_string(reasons.size()))
        .safe("nothing was changed")
        .hint("for example --skip restore-patch-packages --reason \"downloaded again later\"");
  for (std::size_t i = 0; i < skipped.size(); ++i) o.skip[skipped[i]] = reasons[i];
  o.journal_folder = c.state_folder() / "recoveries";
  return o;
}

Json report_json(const repository::PointId& point, const RecoverReport& r) {
  Json steps = Json::array(), checks = Json::array(), left = Json::array();
  for (const auto& p : r.steps) steps.push_back(to_json(p));
  for (const auto& x : r.checks) checks.push_back(to_json(x));
  for (const auto& l : r.left_for_you) left.push_back(printable(l));
  return {{"point", point.hex()}, {"steps", steps}, {"preflight", report::preflight_json(r.preflight)}, {"checks", checks},
          {"differences", report::differences_json(r.preflight)},
          {"left_for_you", left}, {"complete", r.complete()}, {"journal", r.journal.empty() ? Json(nullptr) : Json(r.journal.string())}, {"seconds", r.seconds}};
}

int dry_run(Context& c, const repository::Point& point, const RecoverReport& report) {
  c.output.answer(describe(point) + describe(report.preflight) + describe(report.steps));
  for (const Finding& f : report.findings) c.output.finding(f);
  if (!report.preflight.passed()) throw recovery::refusal(report.preflight);
  c.output.answer("\nThis was a dry run: nothing was changed.");
  Json result = report_json(point.id, report);
  result["dry_run"] = true;
  c.output.result(result);
  return 0;
}

int finish(Context& c, const repository::PointId& point, const RecoverReport& report) {
  std::string text;
  if (!report.checks.empty()) {
    text += "\nChecked after the recovery\n";
    std::vector<std::vector<std::string>> rows;
    for (const auto& x : report.checks) rows.push_back({x.passed ? "ok" : "FAILED", printable(x.name), printable(x.detail)});
    text += table(rows) + "\n";
  }
  if (!report.left_for_you.empty()) {
    text += "\nLeft for you\n";
    for (const std::string& l : report.left_for_you) {
      std::string one;
      for (const std::string& part : split(l, '\n')) one += (one.empty() ? "" : " ") + printable(trim(part));
      text += wrap("[ ] " + one, kTextWidth, "  ") + "\n";
    }
  }
  c.output.say(text);
  for (const Finding& f : report.findings) c.output.finding(f);
  c.output.say((report.complete() ? "The server is back as of recovery point " : "Recovery point ") + short_id(point) +
               (report.complete() ? "" : " was recovered as far as told above") + ", in " + human_seconds(report.seconds) + ".\nWhat was done: " +
               report.journal.string());
  c.output.result(report_json(point, report));
  if (std::any_of(report.checks.begin(), report.checks.end(), [](const auto& x) { return !x.passed; })) return 1;
  return report.complete() && c.output.findings() == 0 ? 0 : 3;
}

int run(const Arguments& a, Context& c) {
  recovery::RecoverOptions options = options_of(a, c);
  OpenedSource opened = open_source(a, c);
  repository::PointId id = choose_point(c, *opened.repository, a.positional(0));
  recovery::Source source{*opened.repository, c.adapters, c.world, c.output, c.cancel};
  RecoveryPerson person(c);
  RecoverReport report;
  try {
    recovery::recover(source, id, options, person, report);
  } catch (Error& e) {
    c.output.end();
    if (report.journal.empty()) {
      if (e.safe().empty()) e.safe("nothing was changed");
    } else {
      if (e.safe().empty()) e.safe("what was restored before stays restored; what was done: " + report.journal.string());
      if (e.hint().empty()) e.hint("repair the cause, then 'holdfast recover --resume' goes on where it stopped");
    }
    throw;
  }
  c.output.end();
  if (options.dry_run) return dry_run(c, opened.repository->load(id), report);
  return finish(c, id, report);
}

}  // namespace

Verb recover_verb() {
  Verb v;
  v.name = "recover";
  v.summary = "bring the lost server back: run the recovery plan";
  v.positionals = {{"POINT", "first digits of a point's id (default: the newest one with every critical item)", false}};
  v.options = {{"--dry-run", "", "print the plan and run every check, change nothing"},
               {"--resume", "", "go on with the recovery that was stopped"},
               {"--only", "STEP", "only this step"},
               {"--skip", "STEP", "leave this step out; needs --reason", true},
               {"--reason", "TEXT", "why the step before it is skipped; recorded", true},
               {"--acknowledge", "STEP", "a manual step that a person has done", true},
               {"--expect-head", "CODE", "the repository must contain this head (the code is in the kit)"}};
  for (Option& o : from_options()) v.options.push_back(std::move(o));
  v.details = "Needs no configuration file and no earlier state: the address of the repository and a password are enough. Compares this machine with the identity card "
              "of the lost server before anything is touched (exit 18 when it is another one), shows the plan, asks, and goes through the steps. What a person "
              "must do is shown with instructions. A recovery that was stopped or killed goes on with --resume. With --yes, steps for a person are left to do "
              "(exit 3) unless --acknowledge names them.";
  v.examples = {{"holdfast recover --repository /mnt/backup/ns01 --dry-run", "what would be done, and whether it can be"},
                {"holdfast recover --repository /mnt/backup/ns01", "on the new machine"},
                {"holdfast recover --from ns01.hfbackup", "from a backup file"},
                {"holdfast recover --resume --acknowledge reconfigure-cem", "go on; that step is done"}};
  v.run = run;
  return v;
}

}  // namespace holdfast::cli
