#include "cli/help.h"

#include "base/error.h"
#include "base/text.h"
#include "cli/output.h"
#include "cli/run.h"

namespace holdfast::cli {
namespace {

constexpr std::size_t kWidth = 100;

std::string option_label(const Option& o) { return o.value.empty() || o.value_is_optional() ? o.name + o.value : o.name + " " + o.value; }

std::string option_table(const std::vector<Option>& options) {
  std::vector<std::vector<std::string>> rows;
  for (const Option& o : options) rows.push_back({option_label(o) + (o.repeatable ? "..." : ""), o.help});
  return table(rows);
}

// A man page's text: '-' and backslash are special, and a line must not begin with a dot.
std::string roff(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '\\') out += "\\e";
    else if (c == '-') out += "\\-";
    else if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) out += std::string("\\&") + c;
    else out += c;
  }
  return out;
}

}  // namespace

std::string usage_line(const Verb& v) {
  std::string text = "holdfast " + v.name;
  for (const Positional& p : v.positionals) {
    std::string name = p.name + (p.repeatable ? "..." : "");
    text += p.required ? " " + name : " [" + name + "]";
  }
  for (const Option& o : v.options) text += " [" + option_label(o) + "]" + (o.repeatable ? "..." : "");
  return text;
}

std::string general_help() {
  std::string text =
      "Holdfast " + version() + ": backs up an IT-management server and brings it back after a disaster.\n\n"
      "  holdfast [OPTIONS] VERB ...        'holdfast VERB --help' shows options and examples\n\nVerbs\n";
  std::vector<std::vector<std::string>> rows;
  for (const Verb& v : all_verbs()) rows.push_back({v.name, v.summary});
  text += table(rows) + "\n\nOptions before or after any verb\n" + option_table(global_options()) + "\n\n";
  text += wrap("Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 done with findings, 10 not found, 11 already exists, "
               "12 wrong password or key, 13 permission, 14 busy, 15 unavailable, 17 out of space, 18 precondition, 19 unsupported, "
               "20 damaged, 70 defect, 130 interrupted. 'holdfast explain CODE' tells more.", kWidth, "") + "\n\n";
  text += "First steps\n" + table({{"holdfast sample /tmp/ns", "make a sample server to try things on"},
                                   {"holdfast init --config /tmp/ns/holdfast.toml", "create its repository"},
                                   {"holdfast backup --config /tmp/ns/holdfast.toml", "back it up, with questions"},
                                   {"holdfast recover --repository /tmp/ns/repository", "bring it back from nothing else"}}) + "\n";
  return text;
}

std::string verb_help(const Verb& v) {
  std::string text = v.summary + "\n\n  " + usage_line(v) + "\n";
  if (!v.details.empty()) text += "\n" + wrap(v.details, kWidth, "") + "\n";
  if (!v.positionals.empty()) {
    std::vector<std::vector<std::string>> rows;
    for (const Positional& p : v.positionals) rows.push_back({p.name, p.help});
    text += "\n" + table(rows) + "\n";
  }
  if (!v.options.empty()) text += "\nOptions\n" + option_table(v.options) + "\n";
  text += "\nOptions before or after any verb\n" + option_table(global_options()) + "\n";
  if (!v.examples.empty()) {
    text += "\nExamples\n";
    std::vector<std::vector<std::string>> rows;
    for (const Example& e : v.examples) rows.push_back({e.command, e.explains});
    text += table(rows) + "\n";
  }
  return text;
}

std::string bash_completion() {
  std::string text = "# bash completion for holdfast; made by 'holdfast completion'\n_holdfast() {\n"
                     "  local word=${COMP_WORDS[COMP_CWORD]} verb= i\n"
                     "  for ((i = 1; i < COMP_CWORD; ++i)); do [[ ${COMP_WORDS[i]} != -* ]] && { verb=${COMP_WORDS[i]}; break; }; done\n"
                     "  local global='";
  for (const Option& o : global_options()) text += o.name + " ";
  text += "--help'\n  case $verb in\n";
  std::string verbs;
  std::vector<std::string> families;
  for (const Verb& v : all_verbs()) {
    std::string first = split(v.name, ' ').front();
    if (families.empty() || families.back() != first) { families.push_back(first); verbs += first + " "; }
  }
  for (const std::string& family : families) {
    std::string words;
    for (const Verb& v : all_verbs()) {
      auto parts = split(v.name, ' ');
      if (parts.front() != family) continue;
      if (parts.size() > 1) words += parts[1] + " ";
      for (const Option& o : v.options) words += o.name + " ";
    }
    text += "    " + family + ") COMPREPLY=($(compgen -W \"" + words + "$global\" -- \"$word\"));;\n";
  }
  text += "    *) COMPREPLY=($(compgen -W \"" + verbs + "$global\" -- \"$word\"));;\n  esac\n"
          "  [[ ${#COMPREPLY[@]} -gt 0 ]] || COMPREPLY=($(compgen -f -- \"$word\"))\n}\ncomplete -o filenames -F _holdfast holdfast\n";
  return text;
}

std::string man_page() {
  std::string text = ".TH HOLDFAST 1 \"\" \"Holdfast " + version() + "\" \"User Commands\"\n.SH NAME\nholdfast \\- back up an IT\\-management server and "
                     "bring it back after a disaster\n.SH SYNOPSIS\n.B holdfast\n[OPTIONS] VERB ...\n.SH VERBS\n";
  for (const Verb& v : all_verbs()) {
    text += ".SS " + roff(v.name) + "\n" + roff(v.summary) + ".\n.PP\n.B " + roff(usage_line(v)) + "\n";
    if (!v.details.empty()) text += ".PP\n" + roff(v.details) + "\n";
    for (const Option& o : v.options) text += ".TP\n.B " + roff(option_label(o)) + "\n" + roff(o.help) + "\n";
    for (const Example& e : v.examples) text += ".PP\n.RS\n.nf\n" + roff(e.command) + "\n.fi\n.RE\n" + roff(e.explains) + ".\n";
  }
  text += ".SH OPTIONS\nThese stand before or after any verb.\n";
  for (const Option& o : global_options()) text += ".TP\n.B " + roff(option_label(o)) + "\n" + roff(o.help) + "\n";
  text += ".SH EXIT STATUS\n0 done, 3 done with findings; any other code is a failure:\n";
  for (const CodeInfo& c : all_codes())
    text += ".TP\n.B " + std::to_string(c.exit_code) + " " + roff(c.name) + "\n" + roff(c.meaning) + " " + roff(c.advice) + "\n";
  return text;
}

}  // namespace holdfast::cli
