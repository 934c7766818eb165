#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/context.h"
#include "cli/prune_report.h"
#include "cli/verbs.h"

namespace holdfast::cli {
namespace {

using repository::PruneOptions;
using repository::PruneReport;

Json to_json(const PruneReport::Amount& amount) { return {{"objects", amount.objects}, {"bytes", amount.bytes}}; }

std::string in_words(const PruneReport::Amount& amount) { return counted(amount.objects, "object") + " (" + human_bytes(amount.bytes) + ")"; }

std::chrono::seconds seconds_of(const std::string& option, const std::string& text) {
  static constexpr std::pair<char, std::int64_t> kUnits[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
  std::string digits = text;
  std::int64_t unit = 1;
  for (auto [letter, seconds] : kUnits) {
    if (!text.ends_with(letter)) continue;
    unit = seconds;
    digits.pop_back();
  }
  bool number = !digits.empty() && digits.size() <= 9 && digits.find_first_not_of("0123456789") == std::string::npos;
  if (number) return std::chrono::seconds(std::stoll(digits) * unit);
  throw Error(Code::usage, "'" + printable(text) + "' is not a time").safe("nothing was changed").hint("give a number with a unit: " + option + " 24h");
}

int run(const Arguments& a, Context& c) {
  PruneOptions options;
  options.dry_run = a.has("--dry-run");
  if (a.has("--max-unused")) options.most_unused = share_of("--max-unused", a.value("--max-unused"), Zero::allowed);
  if (a.has("--unused-for")) options.unused_for = seconds_of("--unused-for", a.value("--unused-for"));
  if (a.has("--wait")) options.wait = seconds_of("--wait", a.value("--wait"));
  options.run = {&c.output, &c.cancel, 0};
  PruneReport report = c.repository().prune(options);
  c.output.end();
  tell_pruned(c, report, options.dry_run);
  return report.damaged.empty() ? 0 : 3;
}

}  // namespace

void tell_pruned(Context& c, const PruneReport& report, bool dry_run) {
  std::string text;
  bool nothing = report.deleted.objects == 0;
  if (nothing) {
    text = dry_run ? "Nothing would be deleted." : "Nothing was deleted: no point was forgotten that left anything behind.";
  } else {
    text = in_words(report.deleted) + (dry_run ? " would be deleted." : report.deleted.objects == 1 ? " was deleted." : " were deleted.");
    if (report.rewritten.objects != 0) {
      text += "\nOf these, " + in_words(report.rewritten) + (dry_run ? " would be rewritten: what points need of them goes into new ones."
                                                                   : " were rewritten: what points need of them is now in " + in_words(report.written) + ".");
    }
  }
  if (report.void_points != 0)
    text += "\n" + counted(report.void_points, "point") + " of backups that were killed before they ended " + (dry_run ? "would be" : "were") + " taken off the list.";
  if (report.unused_bytes != 0) text += "\nKept: " + human_bytes(report.unused_bytes) + " that nothing needs, inside packs of which the rest is needed (--max-unused).";
  if (report.waiting.objects != 0)
    text += "\nLeft alone: " + in_words(report.waiting) + " that no point names yet, of a backup that runs or was interrupted (--unused-for).";
  if (report.spared.objects != 0) text += "\nSpared: " + in_words(report.spared) + ", needed by a point that came meanwhile.";
  c.output.answer(text);
  for (const std::string& what : report.damaged)
    c.output.finding({"prune_kept_damaged", "repository", what, "run 'holdfast check --read-data', then 'holdfast repair'"});
  Json result{{"deleted", to_json(report.deleted)}, {"rewritten", to_json(report.rewritten)}, {"written", to_json(report.written)},
              {"waiting", to_json(report.waiting)}, {"spared", to_json(report.spared)}, {"unused_bytes", report.unused_bytes},
              {"void_points", report.void_points}};
  if (dry_run) result["dry_run"] = true;
  c.output.result(result);
}

Verb prune_verb() {
  Verb v;
  v.name = "prune";
  v.summary = "free the space of what was forgotten";
  v.options = {{"--max-unused", "SHARE", "packs are rewritten until at most this share of the repository is unused (default 5%)"},
               {"--unused-for", "TIME", "leave alone what no point names yet for that long (default 24h; 30m, 2d)"},
               {"--wait", "TIME", "between deciding and deleting, for readers of a point that was just forgotten (default 0)"},
               {"--dry-run", "", "say what would be deleted, change nothing"}};
  v.examples = {{"holdfast prune --dry-run", "what would go, and why the rest stays"},
                {"holdfast prune --max-unused 0", "as small as it gets"}};
  v.details = "Deletes what no recovery point needs any more. Backups, copies and other prunes may run at the same time, also from other "
              "machines; a prune that was stopped or killed anywhere is finished by the next one. A copy is never pruned.";
  v.run = run;
  return v;
}

}  // namespace holdfast::cli
