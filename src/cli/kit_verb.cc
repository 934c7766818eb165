#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/context.h"
#include "cli/verbs.h"
#include "recovery/kit_note.h"
#include "recovery/recover.h"

namespace holdfast::cli {
namespace {

int run(const Arguments& a, Context& c) {
  platform::Path folder = std::filesystem::absolute(a.positional(0)).lexically_normal();
  repository::Repository& r = c.repository();
  repository::Point point = r.load(c.point(r, "latest"));
  if (a.has("--dry-run")) {
    c.output.answer("A kit for " + printable(point.system_name) + " would be written to " + folder.string() + ". Nothing was changed.");
    c.output.result(Json{{"dry_run", true}});
    return 0;
  }
  std::vector<std::string> addresses{std::filesystem::absolute(c.repository_location()).lexically_normal()};
  if (auto file = c.configuration_file(); file && c.world.files.exists(*file))
    for (const auto& copy : c.load_system().copies) addresses.push_back(copy.repository);
  recovery::Source source{r, c.adapters, c.world, c.output, c.cancel};
  auto report = recovery::write_kit(source, point, folder, c.options.program, addresses);
  recovery::remember_kit(c.world.files, c.state_folder(), point.system_id.hex(), folder);
  std::string text = "The kit is in " + folder.string() + ":\n";
  for (const auto& f : report.files) text += "  " + printable(f) + "\n";
  c.output.say(text + "It holds no secret. Keep it away from this server, with the recovery key beside it in an envelope.");
  c.output.result(Json{{"folder", folder.string()}, {"files", report.files}});
  return 0;
}

}  // namespace

Verb kit_verb() {
  Verb v;
  v.name = "kit";
  v.summary = "write what must lie elsewhere for the worst day";
  v.positionals = {{"FOLDER", "a folder on another disk"}};
  v.options = {{"--dry-run", "", "say what would be done, change nothing"}};
  v.details = "The program and its hash, the addresses of the repositories, the head code to compare with, and the recovery plan as text with boxes to "
              "tick. No secrets: password and recovery key are kept apart from it.";
  v.examples = {{"holdfast kit /mnt/usb/kit", "then print PLAN.txt"}};
  v.run = run;
  return v;
}

}  // namespace holdfast::cli
