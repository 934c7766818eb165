#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/context.h"
#include "cli/describe.h"
#include "cli/restore_report.h"
#include "cli/source.h"
#include "cli/verbs.h"
#include "repository/format/container.h"

namespace holdfast::cli {

using repository::short_id;

namespace {

using platform::Path;

int to_file(const Arguments& a, Context& c, repository::Repository& from, const repository::PointId& id) {
  Path file = std::filesystem::absolute(a.value("--file"));
  if (c.world.files.exists(file)) throw Error(Code::already_exists, file.string() + " exists already").safe("nothing was changed").hint("choose another name");
  if (a.has("--dry-run")) {
    c.output.answer("Recovery point " + short_id(id) + " would be written to " + file.string() + ". Nothing was changed.");
    c.output.result(Json{{"dry_run", true}});
    return 0;
  }
  Bytes typed = c.secret(file_password(a), "New password for " + file.string(), true);
  auto container = repository::create_container(c.world.files, file);
  repository::Context context = c.repository_context(*container);
  context.state = nullptr;
  auto created = repository::create(context, repository::password_secret(typed));
  repository::transfer(from, id, a.values("--item"), *created.repository, {&c.output, &c.cancel, 0});
  created.repository.reset();
  container->finish();
  c.output.end();
  auto size = c.world.files.info(file);
  c.output.say("Recovery point " + short_id(id) + " was written to " + file.string() + " (" + human_bytes(size ? size->size : 0) +
               "). It has keys of its own: its password opens it, the repository's does not.\n\nIts recovery key, shown only now:\n\n" + created.recovery_key.text());
  c.output.result(Json{{"file", file.string()}, {"bytes", size ? size->size : 0}, {"recovery_key", created.recovery_key.text()}});
  return 0;
}

int run_export(const Arguments& a, Context& c) {
  if (a.has("--file") == a.has("--folder"))
    throw Error(Code::usage, "export takes either --file FILE or --folder FOLDER").safe("nothing was changed").hint("see 'holdfast export --help'");
  OpenedSource source = open_source(a, c);
  repository::PointId id = c.point(*source.repository, a.positional(0));
  if (a.has("--file")) return to_file(a, c, *source.repository, id);
  Path folder = std::filesystem::absolute(a.value("--folder"));
  repository::Point point = source.repository->load(id);
  if (a.has("--dry-run")) {
    c.output.answer("The items of recovery point " + short_id(id) + " would be written to " + folder.string() + " as plain files. Nothing was changed.");
    c.output.result(Json{{"dry_run", true}});
    return 0;
  }
  c.output.say("Plain files are not encrypted: whoever can read " + folder.string() + " can read keys and passwords in them.");
  recovery::Source from{*source.repository, c.adapters, c.world, c.output, c.cancel};
  std::optional<Code> failed;
  auto report = recovery::export_folder(from, point, a.values("--item"), folder, failed);
  c.output.end();
  return report_restore(c, id, report, failed, "exported to " + folder.string() + "; ORDER.txt tells what each file is and in which order it goes back");
}

int run_import(const Arguments& a, Context& c) {
  Arguments from = a;
  from.options["--from"] = {a.positional(0)};
  OpenedSource source = open_source(from, c);
  auto points = source.repository->points();
  if (points.empty()) throw Error(Code::damaged, source.location + " holds no recovery point").safe("nothing was changed");
  if (a.has("--dry-run")) {
    c.output.answer(std::to_string(points.size()) + " recovery point would be taken in from " + source.location + ". Nothing was changed.");
    c.output.result(Json{{"dry_run", true}});
    return 0;
  }
  Json imported = Json::array();
  for (const auto& p : points) {
    repository::PointId id = repository::transfer(*source.repository, p.id, {}, c.repository(), {&c.output, &c.cancel, 0});
    c.output.end();
    c.output.say("Recovery point " + short_id(p.id) + " of " + printable(p.system_name) + " from " + when(p.finished) + " was taken in as " + short_id(id) + ".");
    imported.push_back({{"from", p.id.hex()}, {"point", id.hex()}});
  }
  c.output.result(Json{{"imported", imported}});
  return 0;
}

}  // namespace

Verb export_verb() {
  Verb v;
  v.name = "export";
  v.summary = "write a point as one password-protected file, or as plain files";
  v.positionals = {{"POINT", "first digits of a point's id, or latest"}};
  v.options = {{"--file", "FILE", "one backup file with a password of its own (--file-password-...)"},
               {"--folder", "FOLDER", "plain files with meaningful names, and ORDER.txt"},
               {"--item", "NAME", "only this item", true}};
  for (Option& o : from_options()) v.options.push_back(std::move(o));
  v.options.push_back({"--dry-run", "", "say what would be done, change nothing"});
  v.examples = {{"holdfast export latest --file ns01.hfbackup", "to carry away; asks for a new password"},
                {"holdfast export latest --folder /mnt/plain", "for other tools and for a person who works by hand"}};
  v.run = run_export;
  return v;
}

Verb import_verb() {
  Verb v;
  v.name = "import";
  v.summary = "take a backup file into the repository";
  v.positionals = {{"FILE", "made by 'holdfast export --file'"}};
  for (Option& o : from_options())
    if (o.name != "--from") v.options.push_back(std::move(o));
  v.options.push_back({"--dry-run", "", "say what would be done, change nothing"});
  v.details = "The imported point keeps where it came from. Taking in the same file twice is exit 11.";
  v.examples = {{"holdfast import ns01.hfbackup", "asks for both passwords"}};
  v.run = run_import;
  return v;
}

}  // namespace holdfast::cli
