#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/context.h"
#include "cli/help.h"
#include "cli/verbs.h"

namespace holdfast::cli {
namespace {

int explain(const Arguments& a, Context& c) {
  std::string name = to_lower_ascii(a.positional(0));
  std::string text;
  Json codes = Json::array();
  std::vector<std::string> names;
  for (const CodeInfo& k : all_codes()) {
    names.emplace_back(k.name);
    if (name != k.name && name != std::to_string(k.exit_code)) continue;
    text += (text.empty() ? "" : "\n\n") + std::string(k.name) + " (exit " + std::to_string(k.exit_code) + ")\n" + wrap(k.meaning, kTextWidth, "  ") + "\n" +
            wrap(k.advice, kTextWidth, "  ");
    codes.push_back({{"code", k.name}, {"exit", k.exit_code}, {"http", k.http_status}, {"retry", k.retry}, {"meaning", k.meaning}, {"advice", k.advice}});
  }
  if (name == "0" || name == "3") {
    text = name == "0" ? "0: done." : "3: done, with findings: something was not covered, skipped, failed that is not critical, or left to a person. Each was named.";
    codes.push_back({{"exit", name == "0" ? 0 : 3}, {"meaning", text}});
  }
  if (text.empty()) {
    std::string near = nearest_name(name, names);
    throw Error(Code::unknown_name, "there is no code '" + printable(a.positional(0)) + "'").hint(near.empty() ? "codes: " + join(names, ", ") : "did you mean '" + near + "'?");
  }
  c.output.answer(text);
  c.output.result(Json{{"codes", codes}});
  return 0;
}

int completion(const Arguments&, Context& c) {
  c.output.answer(bash_completion());
  return 0;
}

int man(const Arguments&, Context& c) {
  c.output.answer(man_page());
  return 0;
}

int accept_older(const Arguments& a, Context& c) {
  repository::Repository& r = c.repository();
  auto findings = r.chain_findings();
  if (findings.empty()) {
    c.output.say("The repository is not older than what this machine remembers: there is nothing to accept.");
    c.output.result(Json{{"accepted", false}});
    return 0;
  }
  for (const auto& f : findings) c.output.say("  " + printable(f.message));
  if (a.has("--dry-run")) {
    c.output.answer("The repository would be accepted as it is now. Nothing was changed.");
    c.output.result(Json{{"accepted", false}, {"dry_run", true}});
    return 0;
  }
  if (!c.confirm("Accept the repository as it is now? What is missing above is then no longer looked for.")) {
    c.output.say("Nothing was changed.");
    c.output.result(Json{{"accepted", false}});
    return 0;
  }
  r.accept_older(a.value("--note"));
  c.output.say("Accepted and recorded in the repository.");
  c.output.result(Json{{"accepted", true}});
  return 0;
}

}  // namespace

std::vector<Verb> help_verbs() {
  Verb e;
  e.name = "explain";
  e.summary = "what an error code or exit code means and what to do";
  e.positionals = {{"CODE", "for example wrong_key, or 12"}};
  e.examples = {{"holdfast explain 18", ""}, {"holdfast explain damaged", ""}};
  e.run = explain;
  Verb co;
  co.name = "completion";
  co.summary = "print the completion script for bash";
  co.examples = {{"holdfast completion > /etc/bash_completion.d/holdfast", ""}};
  co.run = completion;
  Verb m;
  m.name = "man";
  m.summary = "print the man page";
  m.examples = {{"holdfast man | man -l -", "read it"}};
  m.run = man;
  return {e, co, m};
}

Verb accept_older_verb() {
  Verb v;
  v.name = "accept-older";
  v.summary = "go on with an older copy of the repository that was brought back on purpose";
  v.options = {{"--note", "TEXT", "why, kept in the repository"}, {"--dry-run", "", "say what would be done, change nothing"}};
  v.examples = {{"holdfast accept-older --note \"restored from tape after the disk failure\"", ""}};
  v.details = "Holdfast remembers the newest record of every repository that this machine has used, and refuses to write to one that has become older. "
              "This verb is for the person who knows why.";
  v.run = accept_older;
  return v;
}

}  // namespace holdfast::cli
