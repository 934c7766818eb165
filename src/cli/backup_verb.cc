#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "backup/backup.h"
#include "base/error.h"
#include "cli/describe.h"
#include "cli/context.h"
#include "cli/verbs.h"
#include "cli/wizard.h"
#include "recovery/newest_export.h"

namespace holdfast::cli {
namespace {

// One folder a section: several schedules may export into the same place.
platform::Path plain_folder(const Arguments& a, const system::System& system) {
  if (!a.has("--export")) return {};
  if (a.value("--export").empty()) throw Error(Code::usage, "--export needs the name of a folder").safe("nothing was changed");
  if (a.has("--item"))
    throw Error(Code::usage, "backup takes either --item or --export").safe("nothing was changed").hint("'holdfast export POINT --folder FOLDER --item NAME' writes single items");
  const std::string section = a.value("--section");
  return std::filesystem::absolute(a.value("--export")) / (system.name + "-" + (section.empty() ? "all" : section));
}

// The point is made: that its plain files could not be written is a finding.
void export_plain(Context& c, const backup::Report& report, const platform::Path& folder) {
  std::string why = "the recovery point is incomplete", hint = "see why its items failed";
  if (report.status != repository::PointStatus::incomplete) try {
      recovery::Source from{c.repository(), c.adapters, c.world, c.output, c.cancel};
      std::optional<Code> failed;
      const auto written = recovery::export_newest(from, c.repository().load(report.point), folder, failed);
      for (const Finding& f : written.findings) c.output.finding(f);
      if (!failed) return;
      const auto line = std::find_if(written.lines.begin(), written.lines.end(), [](const auto& l) { return !l.error.empty(); });
      why = line->item + ": " + line->error;
      hint = "'holdfast check --read-data' tells whether the repository is whole";
    } catch (const Error& e) {
      if (e.code() == Code::interrupted) throw;
      why = e.what();
      hint = e.hint();
    }
  c.output.end();
  c.output.finding({"export_failed", folder.string(), "the plain files were not written, those of the last time are left: " + why, hint});
}

int run(const Arguments& a, Context& c) {
  // At a terminal without further options the program asks its way through, as the process does.
  if (a.options.empty() && !c.options.yes && c.can_ask() && !c.output.json()) return backup_wizard(c);
  system::System system = c.load_system();
  backup::Request request;
  request.selection.items = a.values("--item");
  request.selection.section = a.value("--section");
  request.label = a.value("--label");
  if (a.has("--scheduled")) request.origin = repository::Origin::scheduled;
  const platform::Path plain = plain_folder(a, system);
  std::string location = c.repository_location();
  // Nobody sees the sizes of a quiet run without questions: the walk that finds them out is left out.
  bool unseen = c.output.quiet() && c.options.yes && !a.has("--dry-run");
  backup::Review review = backup::review(system, request.selection, c.adapters, c.world,
                                         unseen ? backup::Sizes::no : backup::Sizes::yes);
  if (a.has("--dry-run")) {
    c.output.answer(describe(review, system, location) + "\nNothing was changed.");
    Json result = to_json(review);
    result["dry_run"] = true;
    c.output.result(result);
    return 0;
  }
  return backup_reviewed(c, system, request, review, plain);
}

}  // namespace

int backup_reviewed(Context& c, const system::System& system, backup::Request request, const backup::Review& review, const platform::Path& plain) {
  request.expected_bytes = review.bytes;
  c.output.say(describe(review, system, c.repository_location()));
  repository::Repository& repository = c.repository();
  if (!c.confirm("Back up now?")) {
    c.output.say("Nothing was done.");
    c.output.result(Json{{"point", nullptr}, {"cancelled", true}});
    return 0;
  }
  backup::Environment environment{system, c.adapters, c.world, repository, c.output, c.cancel};
  backup::Report report = backup::run(request, environment);
  for (const auto& i : report.items)
    for (Finding f : i.findings) {
      if (f.object != i.name) f.object = i.name + ": " + f.object;
      c.output.finding(f);
    }
  for (const Finding& f : report.findings) c.output.finding(f);
  if (!plain.empty()) export_plain(c, report, plain);
  c.output.say(describe(report));
  c.output.result(to_json(report));
  if (report.status == repository::PointStatus::incomplete) return 1;
  return report.has_findings() || c.output.findings() != 0 ? 3 : 0;
}

Verb backup_verb() {
  Verb v;
  v.name = "backup";
  v.summary = "make a recovery point";
  v.options = {{"--item", "NAME", "only this item", true},
               {"--section", "NAME", "only the items of this section"},
               {"--label", "TEXT", "a remark kept with the point, for example \"before the upgrade\""},
               {"--scheduled", "", "count it as made by a schedule: retention rules may remove it"},
               {"--export", "FOLDER", "its items as plain files, too: into FOLDER/SYSTEM-SECTION, in place of those of the last time"},
               {"--dry-run", "", "show the review, change nothing"}};
  v.examples = {{"holdfast backup", "at a terminal: asks what, where and the password, shows the review, then runs"},
                {"holdfast backup --yes --password-file /root/pw", "everything, without questions"},
                {"holdfast backup --section configuration --scheduled --export /srv/plain --yes", "what a schedule does"},
               {"holdfast backup --item kms-keys --label \"new hierarchy password\" --yes", "one item"}};
  v.details = "Points made with this verb count as made by hand, unless --scheduled says otherwise: no retention rule ever removes them. Exit 3: the point is good and something was left "
              "out or needs attention, each named as a finding. Exit 1: a critical item failed; the point is kept as incomplete.";
  v.run = run;
  return v;
}

}  // namespace holdfast::cli
