#include <charconv>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/context.h"
#include "cli/verbs.h"
#include "sample/sample.h"

namespace holdfast::cli {
namespace {

std::uint64_t number(const std::string& text, const char* option) {
  std::uint64_t n = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || end != text.data() + text.size())
    throw Error(Code::usage, std::string(option) + " takes a whole number, not '" + printable(text) + "'").safe("nothing was changed");
  return n;
}

int run(const Arguments& a, Context& c) {
  platform::Path folder = std::filesystem::absolute(a.positional(0)).lexically_normal();
  if (a.has("--live")) {
    platform::Path database = folder / "server/Database/Symantec_CMDB.db";
    if (!c.world.files.exists(database)) throw Error(Code::not_found, "there is no sample server in " + folder.string()).safe("nothing was changed");
    auto seconds = number(a.value("--live"), "--live");
    c.output.say("changing " + database.string() + " for " + human_seconds(static_cast<double>(seconds)));
    sample::run_writer(database, std::chrono::seconds(seconds), c.cancel);
    c.output.result(Json{{"database", database.string()}, {"seconds", seconds}});
    return 0;
  }
  sample::SampleOptions options;
  if (a.has("--library")) options.library = std::filesystem::absolute(a.value("--library"));
  if (a.has("--rows")) options.rows = number(a.value("--rows"), "--rows");
  if (a.has("--dry-run")) {
    c.output.answer("A sample Notification Server would be made in " + folder.string() + ". Nothing was changed.");
    c.output.result(Json{{"dry_run", true}});
    return 0;
  }
  auto report = sample::make_sample(folder, options, c.world, c.output, c.cancel);
  c.output.end();
  c.output.say("Sample Notification Server (made by Holdfast, no ITMS here) in " + report.server.string() + ": database of " +
               human_bytes(report.database_bytes) + ", " + human_count(report.files) + " files, made in " + human_seconds(report.seconds) +
               "\nNext: holdfast init --config " + report.configuration.string());
  c.output.result(Json{{"server", report.server.string()}, {"configuration", report.configuration.string()},
                       {"repository", report.repository.string()}, {"database_bytes", report.database_bytes}, {"rows", report.rows},
                       {"files", report.files}, {"seconds", report.seconds}});
  return 0;
}

}  // namespace

Verb sample_verb() {
  Verb v;
  v.name = "sample";
  v.summary = "make a sample Notification Server to try things on";
  v.positionals = {{"DIR", "an empty or missing folder"}};
  v.options = {{"--library", "FOLDER", "put FOLDER's whole tree, unchanged with every attribute, inside the software library"},
               {"--rows", "N", "rows of the database (default about 200 MB)"},
               {"--live", "SECONDS", "keep changing the database of the sample in DIR for so long"},
               {"--dry-run", "", "say what would be done, change nothing"}};
  v.examples = {{"holdfast sample /tmp/ns", "a server in /tmp/ns/server, its configuration in /tmp/ns/holdfast.toml"},
                {"holdfast sample /tmp/ns --library /usr/share/doc", "with real files in the software library"},
                {"holdfast sample /tmp/ns --live 60", "a busy server for a minute, in another terminal"}};
  v.run = run;
  return v;
}

}  // namespace holdfast::cli
