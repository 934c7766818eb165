#include "cli/run.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <memory>
#include <new>

#include "base/error.h"
#include "base/text.h"
#include "cli/context.h"
#include "cli/help.h"
#include "cli/verb.h"

namespace holdfast::cli {
namespace {

// Storage of one option while CLI11 parses.
struct Parsed { const Option* option; std::vector<std::string> values; CLI::Option* handle = nullptr; };

void add_options(CLI::App& app, const std::vector<Option>& options, std::vector<std::unique_ptr<Parsed>>& out) {
  for (const Option& o : options) {
    auto p = std::make_unique<Parsed>();
    p->option = &o;
    if (o.value.empty()) {
      p->handle = app.add_flag(o.name);
    } else if (o.value_is_optional()) {
      p->handle = app.add_flag(o.name, p->values);   // "--x" gives "true", "--x=5%" gives "5%"
    } else {
      p->handle = app.add_option(o.name, p->values)->allow_extra_args(false)->type_size(1);
      p->handle->expected(o.repeatable ? -1 : 1);
      if (o.repeatable) p->handle->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)->expected(1, 1 << 20)->allow_extra_args(false);
    }
    out.push_back(std::move(p));
  }
}

// The verb that the words name ("key list" before "key"); nullptr when they name none.
const Verb* find_verb(const std::vector<std::string>& words, std::size_t at, std::size_t& used) {
  const Verb* found = nullptr;
  for (const Verb& v : all_verbs()) {
    auto parts = split(v.name, ' ');
    if (at + parts.size() > words.size()) continue;
    if (!std::equal(parts.begin(), parts.end(), words.begin() + static_cast<std::ptrdiff_t>(at))) continue;
    if (found == nullptr || parts.size() > used) { found = &v; used = parts.size(); }
  }
  return found;
}

[[noreturn]] void unknown_verb(const std::string& word, const std::string& next) {
  std::vector<std::string> names;
  for (const Verb& v : all_verbs()) names.push_back(v.name);
  for (const std::string& r : reserved_verbs())
    if (r == word || r == word + " " + next)
      throw Error(Code::unsupported, "'holdfast " + r + "' is not built in this version").safe("nothing was changed").hint("'holdfast --help' lists what is");
  std::vector<std::string> family;
  for (const std::string& n : names)
    if (n.starts_with(word + " ")) family.push_back(n.substr(word.size() + 1));
  if (!family.empty())
    throw Error(next.empty() ? Code::usage : Code::unknown_name,
                "'holdfast " + word + "' needs one of: " + join(family, ", ") + (next.empty() ? "" : "; not '" + printable(next) + "'"))
        .safe("nothing was changed")
        .hint("see 'holdfast --help'");
  std::string near = nearest_name(word, names);
  throw Error(Code::unknown_name, "there is no verb '" + printable(word) + "'")
      .safe("nothing was changed")
      .hint(near.empty() ? "'holdfast --help' lists the verbs" : "did you mean '" + near + "'?");
}

struct CommandLine {
  const Verb* verb = nullptr;
  Arguments arguments, globals;
  bool help = false, version = false;
};

bool takes_value(const std::string& word, const std::vector<Option>& options) {
  return std::any_of(options.begin(), options.end(), [&](const Option& o) { return o.name == word && !o.value.empty(); });
}

CommandLine parse(const std::vector<std::string>& words) {
  CommandLine line;
  // The verb is the first word that is neither an option nor the value of a global one.
  std::size_t at = 0;
  while (at < words.size() && words[at].starts_with("-")) at += takes_value(words[at], global_options()) ? 2 : 1;
  std::size_t used = 0;
  std::vector<std::string> rest(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(std::min(at, words.size())));
  if (at < words.size()) {
    line.verb = find_verb(words, at, used);
    if (line.verb == nullptr) unknown_verb(words[at], at + 1 < words.size() ? words[at + 1] : "");
    rest.insert(rest.end(), words.begin() + static_cast<std::ptrdiff_t>(at + used), words.end());
  }
  CLI::App app;
  app.set_help_flag();
  app.prefix_command(false);
  bool help = false, show_version = false;
  app.add_flag("-h,--help", help);
  app.add_flag("--version", show_version);
  std::vector<std::unique_ptr<Parsed>> globals, options;
  add_options(app, global_options(), globals);
  std::vector<std::string> positionals;
  if (line.verb != nullptr) {
    add_options(app, line.verb->options, options);
    if (!line.verb->positionals.empty()) app.add_option("arguments", positionals)->expected(0, 1 << 20);
  }
  try {
    std::reverse(rest.begin(), rest.end());
    app.parse(rest);
  } catch (const CLI::ParseError& e) {
    std::vector<std::string> known;
    for (const auto& p : globals) known.push_back(p->option->name);
    for (const auto& p : options) known.push_back(p->option->name);
    for (const std::string& w : words) {
      std::string name = w.substr(0, w.find('='));
      if (!name.starts_with("--") || name == "--" || std::find(known.begin(), known.end(), name) != known.end()) continue;
      std::string near = nearest_name(name, known);
      throw Error(Code::unknown_name, "there is no option '" + printable(name) + "'" + (line.verb ? " for 'holdfast " + line.verb->name + "'" : ""))
          .safe("nothing was changed")
          .hint(near.empty() ? "see 'holdfast --help'" : "did you mean '" + near + "'?");
    }
    throw Error(Code::usage, "the command line cannot be understood: " + printable(e.what())).safe("nothing was changed").hint(
        line.verb ? "see 'holdfast " + line.verb->name + " --help'" : "see 'holdfast --help'");
  }
  auto take = [](const std::vector<std::unique_ptr<Parsed>>& from, Arguments& to) {
    for (const auto& p : from) {
      if (p->handle->count() == 0) continue;
      bool no_value = p->option->value_is_optional() && p->values == std::vector<std::string>{"true"};
      to.options[p->option->name] = no_value ? std::vector<std::string>{} : p->values;
    }
  };
  take(globals, line.globals);
  take(options, line.arguments);
  line.arguments.positionals = std::move(positionals);
  line.help = help;
  line.version = show_version;
  return line;
}

void check_positionals(const Verb& verb, const Arguments& a) {
  std::size_t required = 0;
  for (const Positional& p : verb.positionals) required += p.required ? 1 : 0;
  bool open_ended = !verb.positionals.empty() && verb.positionals.back().repeatable;
  if (a.positionals.size() < required)
    throw Error(Code::usage, "'holdfast " + verb.name + "' needs " + verb.positionals[a.positionals.size()].name)
        .safe("nothing was changed").hint("see 'holdfast " + verb.name + " --help'");
  if (!open_ended && a.positionals.size() > verb.positionals.size())
    throw Error(Code::usage, "'holdfast " + verb.name + "' does not take '" + printable(a.positionals[verb.positionals.size()]) + "'")
        .safe("nothing was changed").hint("see 'holdfast " + verb.name + " --help'");
}

int dispatch(const CommandLine& line, const std::string& program, platform::World& world, const item::AdapterSet& adapters,
             const Cancel& cancel, Output& output) {
  if (line.version) { world.terminal.out("holdfast " + version() + "\n"); return 0; }
  if (line.help || line.verb == nullptr) {
    world.terminal.out(line.verb ? verb_help(*line.verb) : general_help());
    if (line.help) return 0;
    throw Error(Code::usage, "no verb was given").safe("nothing was changed").hint("see 'holdfast --help'");
  }
  check_positionals(*line.verb, line.arguments);
  const Arguments& g = line.globals;
  GlobalOptions options;
  options.config = g.value("--config");
  options.repository = g.value("--repository");
  options.system = g.value("--system");
  options.key_file = g.value("--key-file");
  options.program = program;
  options.yes = g.has("--yes");
  SecretSource password{g.value("--password-file"), g.value("--password-command"), g.value("--password-fd"), "HOLDFAST_PASSWORD_FILE",
                        "HOLDFAST_PASSWORD_COMMAND"};
  Context context(world, adapters, cancel, output, options, password);
  return line.verb->run(line.arguments, context);
}

}  // namespace

std::string version() { return HOLDFAST_VERSION; }

std::string Arguments::value(const std::string& option) const {
  auto it = options.find(option);
  return it == options.end() || it->second.empty() ? "" : it->second.back();
}

std::vector<std::string> Arguments::values(const std::string& option) const {
  auto it = options.find(option);
  return it == options.end() ? std::vector<std::string>{} : it->second;
}

int run(const std::vector<std::string>& arguments, const std::string& program, platform::World& world,
        const item::AdapterSet& adapters, Cancel& cancel) {
  auto flag = [&](const char* name) { return std::find(arguments.begin(), arguments.end(), name) != arguments.end(); };
  Output output(world.terminal, world.clock, flag("--json"), flag("--quiet"));
  auto fail = [&](const Error& e) {
    output.error(e);
    return info(e.code()).exit_code;
  };
  try {
    int code = dispatch(parse(arguments), program, world, adapters, cancel, output);
    if (!output.unheard()) return code;
    throw Error(Code::io, "cannot write to standard output").safe("what was to be done is done; only its report is lost").hint("'holdfast points' shows what is there");
  } catch (const Error& e) {
    return fail(e);
  } catch (const std::bad_alloc&) {
    return fail(Error(Code::failed, "out of memory").safe("earlier recovery points were not touched").hint("free some memory and run it again"));
  } catch (const std::exception& e) {
    return fail(Error(Code::defect, std::string("unexpected: ") + e.what()));
  }
}

}  // namespace holdfast::cli
