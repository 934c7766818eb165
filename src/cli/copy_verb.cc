#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/context.h"
#include "cli/verbs.h"

namespace holdfast::cli {
namespace {

// Where the copy goes: a name of the configuration, or a folder.
std::string place(const std::string& name, Context& c) {
  auto file = c.configuration_file();
  std::vector<std::string> names;
  if (file && c.world.files.exists(*file)) {
    system::System s = c.load_system();
    for (const auto& x : s.copies) {
      if (x.name == name || (name.empty() && s.copies.size() == 1)) return x.repository;
      names.push_back(x.name);
    }
  }
  if (name.find('/') != std::string::npos) return std::filesystem::absolute(name).lexically_normal();
  if (name.empty())
    throw Error(Code::usage, names.empty() ? "the configuration names no copy" : "there are several copies: " + join(names, ", "))
        .safe("nothing was changed").hint("add [copy.NAME] repository = \"FOLDER\", or give the folder: holdfast copy /other/disk/ns01");
  std::string near = nearest_name(name, names);
  throw Error(Code::unknown_name, "the configuration names no copy '" + printable(name) + "'")
      .safe("nothing was changed").hint(near.empty() ? "give a name from [copy.NAME], or a folder with its path" : "did you mean '" + near + "'?");
}

// A second copy on the same disk is lost with the first.
void refuse_same_file_system(const std::string& from, const std::string& to, Context& c) {
  std::filesystem::path existing(to);
  while (!existing.empty() && existing != existing.root_path() && !c.world.files.exists(existing)) existing = existing.parent_path();
  auto a = c.world.files.info(from), b = c.world.files.info(existing);
  if (!a || !b || a->device != b->device) return;
  throw Error(Code::precondition, to + " lies in the same file system as the repository " + from)
      .safe("nothing was changed")
      .hint("a copy protects only on another disk: choose a folder in another file system, or give --same-file-system to copy nevertheless");
}

int run(const Arguments& a, Context& c) {
  std::string from = c.repository_location(), to = place(a.positional(0), c);
  if (!a.has("--same-file-system")) refuse_same_file_system(from, to, c);
  if (a.has("--dry-run")) {
    c.output.answer("Recovery points of " + from + " would be copied to " + to + ". Nothing was changed.");
    c.output.result(Json{{"dry_run", true}, {"to", to}});
    return 0;
  }
  auto target = c.open_store(to, true);
  auto report = repository::copy(c.store(), *target, c.world.clock, c.world.entropy, {&c.output, &c.cancel, 0});
  c.output.end();
  c.output.say(to + " is up to date: " + human_count(report.objects) + " objects copied (" + human_bytes(report.bytes) + "), each checked by its hash; " +
               human_count(report.already_there) + " were there already. Nothing is ever deleted there.");
  c.output.result(Json{{"to", to}, {"objects", report.objects}, {"bytes", report.bytes}, {"already_there", report.already_there}});
  return 0;
}

}  // namespace

Verb copy_verb() {
  Verb v;
  v.name = "copy";
  v.summary = "bring a second repository up to date; never carries deletions over";
  v.positionals = {{"NAME", "a copy of the configuration ([copy.NAME]), or a folder with its path", false}};
  v.options = {{"--same-file-system", "", "copy although it lies in the same file system"},
               {"--dry-run", "", "say what would be done, change nothing"}};
  v.examples = {{"holdfast copy offsite", "to [copy.offsite] of the configuration"},
                {"holdfast copy /mnt/usb/ns01", "to a folder on another disk"}};
  v.details = "A copy holds the same points under the same keys and needs no password. It can be used in place of the repository with --repository.";
  v.run = run;
  return v;
}

}  // namespace holdfast::cli
