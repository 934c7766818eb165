#include "backup/retention.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/context.h"
#include "cli/describe.h"
#include "cli/verbs.h"

namespace holdfast::cli {

using repository::short_id;

namespace {

using repository::to_text;

// What a person reads before anything goes, and what is left afterwards.
std::string describe(const system::System& s, const std::vector<backup::Kept>& all) {
  std::vector<std::vector<std::string>> rows{{"POINT", "TIME", "ORIGIN", "KEPT BECAUSE"}};
  for (const auto& k : all)
    rows.push_back({short_id(k.point.id), when(k.point.finished), std::string(to_text(k.point.origin)),
                    k.reasons.empty() ? "(would be forgotten)" : join(k.reasons, "; ")});
  std::string text = "Rule: " + backup::rule_text(s.retention);
  if (s.recovery_point) text += "\nObjective: lose no more than " + to_text(*s.recovery_point);
  return text + "\n\n" + table(rows, "");
}

Json result_of(const system::System& s, const std::vector<backup::Kept>& all, const std::vector<repository::PointId>& forgotten) {
  Json gone = Json::array();
  for (const auto& id : forgotten) gone.push_back(id.hex());
  Json result = report::retention_json(s, all);
  result["applied"] = !forgotten.empty();
  result["forgotten"] = gone;
  return result;
}

std::vector<repository::PointId> to_forget(const std::vector<backup::Kept>& all) {
  std::vector<repository::PointId> gone;
  for (const auto& k : all)
    if (k.reasons.empty()) gone.push_back(k.point.id);
  return gone;
}

int show(const Arguments&, Context& c) {
  system::System s = c.load_system();
  auto all = backup::judge(c.repository().points(), s, c.world.clock.now());
  std::string late = to_forget(all).empty() ? "" : backup::late_for_objective(all, s.recovery_point, c.world.clock.now());
  std::string text = describe(s, all);
  if (s.retention.empty()) text += "\nNo rule is set: 'retention apply' forgets nothing.";
  if (!late.empty()) text += "\n" + wrap("'retention apply' would refuse now: " + late + ".", kTextWidth, "");
  c.output.answer(text);
  Json result = result_of(s, all, {});
  result["refused"] = late.empty() ? Json(nullptr) : Json(late);
  c.output.result(result);
  return 0;
}

int apply(const Arguments& a, Context& c) {
  system::System s = c.load_system();
  if (s.retention.empty())
    throw Error(Code::config, "no retention rule is set: " + printable(s.file.string()) + " has no [retention]")
        .safe("nothing was forgotten")
        .hint("add [retention] with last, hourly, daily, weekly, monthly, yearly or within");
  auto all = backup::judge(c.repository().points(), s, c.world.clock.now());
  auto gone = to_forget(all);
  std::string late = gone.empty() ? "" : backup::late_for_objective(all, s.recovery_point, c.world.clock.now());
  if (!late.empty())
    throw Error(Code::precondition, "cannot apply the retention rule: " + late)
        .safe("nothing was forgotten")
        .hint("is the clock right? Then back up first: late backups never drive a deletion");
  c.output.answer(describe(s, all));
  if (gone.empty() || a.has("--dry-run") ||
      !c.confirm("Forget " + std::to_string(gone.size()) + " of " + counted(all.size(), "recovery point") + "?")) {
    c.output.say(gone.empty() ? "The rule keeps every point." : "Nothing was forgotten.");
    Json result = result_of(s, all, {});
    if (a.has("--dry-run")) result["dry_run"] = true;
    c.output.result(result);
    return 0;
  }
  c.repository().forget(gone, "retention: " + backup::rule_text(s.retention));
  c.output.say(std::to_string(gone.size()) + " forgotten. Their space is freed by a later 'prune'; copies keep them.");
  c.output.result(result_of(s, all, gone));
  return 0;
}

int forget(const Arguments& a, Context& c) {
  repository::Repository& r = c.repository();
  auto points = r.points();
  std::vector<repository::PointId> ids;
  for (const std::string& text : a.positionals) {
    repository::PointId id = r.resolve(text);
    for (const auto& p : points)
      if (p.id == id && p.pinned)
        throw Error(Code::precondition, "recovery point " + short_id(id) + " is pinned").safe("nothing was forgotten").hint("'holdfast unpin " + short_id(id) + "' first");
    ids.push_back(id);
  }
  std::size_t good = 0, good_gone = 0;
  for (const auto& p : points) {
    bool is_good = p.status != repository::PointStatus::incomplete;
    good += is_good ? 1 : 0;
    for (const auto& id : ids) good_gone += is_good && p.id == id ? 1 : 0;
  }
  std::string question = "Forget " + std::to_string(ids.size()) + (ids.size() == 1 ? " recovery point?" : " recovery points?");
  if (good != 0 && good == good_gone) question = "After this NO good recovery point is left. " + question;
  if (a.has("--dry-run") || !c.confirm(question)) {
    c.output.say("Nothing was forgotten.");
    c.output.result(Json{{"forgotten", Json::array()}});
    return 0;
  }
  r.forget(ids, "by hand");
  Json gone = Json::array();
  for (const auto& id : ids) gone.push_back(id.hex());
  c.output.say(std::to_string(ids.size()) + " forgotten. Their space is freed by a later 'prune'; copies keep them.");
  c.output.result(Json{{"forgotten", gone}});
  return 0;
}

int set_pinned(const Arguments& a, Context& c, bool pinned) {
  repository::Repository& r = c.repository();
  repository::PointId id = c.point(r, a.positional(0));
  if (a.has("--dry-run")) {
    c.output.answer("Recovery point " + short_id(id) + (pinned ? " would be pinned" : " would no longer be pinned") + ". Nothing was changed.");
    c.output.result(Json{{"point", id.hex()}, {"pinned", pinned}, {"dry_run", true}});
    return 0;
  }
  r.pin(id, pinned);
  c.output.say("Recovery point " + short_id(id) + (pinned ? " is pinned: no rule removes it." : " is no longer pinned."));
  c.output.result(Json{{"point", id.hex()}, {"pinned", pinned}});
  return 0;
}

int pin(const Arguments& a, Context& c) { return set_pinned(a, c, true); }
int unpin(const Arguments& a, Context& c) { return set_pinned(a, c, false); }

}  // namespace

std::vector<Verb> retention_verbs() {
  const Option dry{"--dry-run", "", "say what would be done, change nothing"};
  const std::string never = "Never forgotten: points made by hand or imported, pinned ones, the newest good point, incomplete ones that are newer, the newest "
                            "point that holds an item complete, and points dated in the future. docs/retention.md says what each rule means.";
  Verb sh;
  sh.name = "retention show";
  sh.summary = "which points the rule keeps, and why";
  sh.details = never;
  sh.examples = {{"holdfast retention show", "the reason for every point"}};
  sh.run = show;
  Verb ap;
  ap.name = "retention apply";
  ap.summary = "forget the scheduled points that the rule does not keep";
  ap.options = {dry};
  ap.details = never + " Refused (18) while the newest good point is older than the recovery point objective.";
  ap.examples = {{"holdfast retention apply --dry-run", "what would go"}, {"holdfast retention apply --yes", "for a script"}};
  ap.run = apply;
  Verb fo;
  fo.name = "forget";
  fo.summary = "take points off the list";
  fo.positionals = {{"POINT", "first digits of a point's id", true, true}};
  fo.options = {dry};
  fo.examples = {{"holdfast forget 3f2a9c01b2c3", "asks before it forgets"}};
  fo.run = forget;
  Verb pi;
  pi.name = "pin";
  pi.summary = "keep a point whatever a rule says";
  pi.positionals = {{"POINT", "first digits of a point's id, or latest"}};
  pi.options = {dry};
  pi.examples = {{"holdfast pin latest", "before an upgrade"}};
  pi.run = pin;
  Verb un;
  un.name = "unpin";
  un.summary = "let the rules decide again";
  un.positionals = {{"POINT", "first digits of a point's id, or latest"}};
  un.options = {dry};
  un.examples = {{"holdfast unpin 3f2a9c01b2c3", ""}};
  un.run = unpin;
  return {sh, ap, fo, pi, un};
}

}  // namespace holdfast::cli
