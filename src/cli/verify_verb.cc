#include <charconv>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/context.h"
#include "cli/describe.h"
#include "cli/verbs.h"

namespace holdfast::cli {

using repository::short_id;

namespace {

using repository::Level;

Level level_of(const std::string& text) {
  std::vector<std::string> names;
  for (Level l : {Level::exists, Level::bytes, Level::content}) {
    if (text == repository::to_text(l)) return l;
    names.emplace_back(repository::to_text(l));
  }
  if (text == repository::to_text(Level::restore))
    throw Error(Code::unsupported, "level 'restore' is reached by a drill, which is not built in this version").safe("nothing was changed");
  std::string near = nearest_name(text, names);
  throw Error(Code::unknown_name, "there is no level '" + printable(text) + "'").hint(near.empty() ? "levels: " + join(names, ", ") : "did you mean '" + near + "'?");
}

int finish(Context& c, const std::string& what, const repository::CheckReport& report, Json result) {
  c.output.end();
  c.output.answer(what + ": " + describe(report));
  if (!report.damaged.empty()) {
    const auto& d = report.damaged.front();
    throw Error(Code::damaged, std::to_string(report.damaged.size()) + " objects of " + what + " are damaged or missing, first " + d.name + ": " + d.what)
        .safe("recovery points that are not named above are whole")
        .hint("bring the named objects back from a copy of the repository, or run 'holdfast backup' while the server is there: it stores again what is missing");
  }
  result.update(to_json(report));
  c.output.result(result);
  return 0;
}

int run_verify(const Arguments& a, Context& c) {
  Level level = a.has("--level") ? level_of(a.value("--level")) : Level::content;
  repository::Repository& r = c.repository();
  std::vector<repository::PointId> ids;
  if (a.has("--all")) {
    for (const auto& p : r.points()) ids.push_back(p.id);
  } else {
    ids.push_back(c.point(r, a.positional(0).empty() ? "latest" : a.positional(0)));
  }
  if (a.has("--dry-run")) {
    std::string text;
    Json which = Json::array();
    for (const auto& id : ids) {
      text += "Recovery point " + short_id(id) + " would be verified at level '" + std::string(repository::to_text(level)) + "', and that recorded.\n";
      which.push_back({{"point", id.hex()}});
    }
    c.output.answer(text + "Nothing was changed.");
    c.output.result(Json{{"level", repository::to_text(level)}, {"points", which}, {"dry_run", true}});
    return 0;
  }
  repository::CheckReport all;
  Json points = Json::array();
  for (const auto& id : ids) {
    repository::CheckOptions options;
    options.level = level;
    options.run = {&c.output, &c.cancel, 0};
    auto report = r.verify(id, options);
    all.objects += report.objects;
    all.bytes += report.bytes;
    for (auto& d : report.damaged) all.damaged.push_back(std::move(d));
    points.push_back({{"point", id.hex()}, {"level", repository::to_text(level)}, {"whole", report.damaged.empty()}});
  }
  return finish(c, ids.size() == 1 ? "recovery point " + short_id(ids.front()) : std::to_string(ids.size()) + " recovery points", all,
                Json{{"level", repository::to_text(level)}, {"points", points}});
}

double share_of(const std::string& text) {
  if (text.empty()) return 1.0;
  double percent = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), percent);
  if (error != std::errc{} || (end != text.data() + text.size() && std::string_view(end) != "%") || !(percent > 0 && percent <= 100))
    throw Error(Code::usage, "--read-data takes a share like 5%, not '" + printable(text) + "'").safe("nothing was changed");
  return percent / 100;
}

int run_check(const Arguments& a, Context& c) {
  repository::CheckOptions options;
  options.run = {&c.output, &c.cancel, 0};
  options.level = a.has("--read-data") ? Level::bytes : Level::exists;
  options.share = share_of(a.value("--read-data"));
  // With a key the packs are decoded as well; without one their bytes are compared with their names.
  bool key = c.has_secret_source(c.password_source()) || !c.options.key_file.empty();
  repository::CheckReport report;
  if (key && options.level == Level::bytes) {
    options.level = Level::content;
    report = c.repository().check(options);
  } else {
    repository::inspect(c.store());
    report = repository::check_objects(c.store(), options);
  }
  return finish(c, "repository " + c.repository_location(), report, Json{{"level", repository::to_text(options.level)}, {"share", options.share}});
}

}  // namespace

Verb verify_verb() {
  Verb v;
  v.name = "verify";
  v.summary = "raise a point's verification level";
  v.positionals = {{"POINT", "first digits of a point's id, or latest", false}};
  v.options = {{"--all", "", "every point"}, {"--level", "LEVEL", "exists, bytes (SHA-256 of every object) or content (decoded and compared; the default)"},
               {"--dry-run", "", "say what would be done, change nothing"}};
  v.examples = {{"holdfast verify latest", "decode everything that the newest point needs"}, {"holdfast verify --all --level exists", "a quick look"}};
  v.run = run_verify;
  return v;
}

Verb check_verb() {
  Verb v;
  v.name = "check";
  v.summary = "check the repository itself";
  v.options = {{"--read-data", "[=SHARE]", "read every object, or that share of the packs (5%); needs no password (with one, everything is decoded as well)"}};
  v.details = "Without --read-data: is everything there that the points need, and has it the right size? Leftovers of stopped runs are information, not an error.";
  v.examples = {{"holdfast check", "quick, needs no password"}, {"holdfast check --read-data=5%", "a sample"}};
  v.run = run_check;
  return v;
}

}  // namespace holdfast::cli
