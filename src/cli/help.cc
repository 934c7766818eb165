#include "cli/help.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "cli/output.h"
#include "cli/run.h"

namespace holdfast::cli {
namespace {

std::string option_label(const Option& o) { return o.value.empty() || o.value_is_optional() ? o.name + o.value : o.name + " " + o.value; }

struct Definition { std::string term, text; };

// Terms with their texts beside them, wrapped; under them where a term is long.
std::string definitions(const std::vector<Definition>& all) {
  constexpr std::size_t kLongTerm = 26;
  std::size_t widest = 0;
  for (const Definition& d : all)
    if (d.term.size() <= kLongTerm) widest = std::max(widest, d.term.size());
  std::string out;
  for (const Definition& d : all) {
    const std::string indent(2 + widest + 2, ' ');
    std::string text = d.text.empty() ? "" : wrap(d.text, kTextWidth, indent);
    if (d.term.size() > widest) out += "  " + d.term + (text.empty() ? "" : "\n" + text);
    else out += "  " + d.term + (text.empty() ? "" : text.substr(2 + d.term.size()));
    out += "\n";
  }
  return out;
}

std::string option_table(const std::vector<Option>& options) {
  std::vector<Definition> all;
  for (const Option& o : options) all.push_back({option_label(o) + (o.repeatable ? "..." : ""), o.help});
  return definitions(all);
}

// The usage line cut between options, never inside one.
std::string wrapped_usage(const Verb& v) {
  constexpr char kInside = '\x01';
  std::string text = usage_line(v);
  int depth = 0;
  for (char& c : text) {
    depth += c == '[' ? 1 : c == ']' ? -1 : 0;
    if (c == ' ' && depth != 0) c = kInside;
  }
  std::string lines = wrap(text, kTextWidth - 6, "  ");
  for (std::size_t at = 0; (at = lines.find("\n  ", at)) != std::string::npos; at += 3) lines.insert(at + 1, 6, ' ');
  std::replace(lines.begin(), lines.end(), kInside, ' ');
  return lines;
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
      "Holdfast " + version() + ": backs up an IT-management server and brings it back\nafter a disaster.\n\n"
      "  holdfast [OPTIONS] VERB ...\n  holdfast VERB --help            options and examples of a verb\n\nVerbs\n";
  std::vector<Definition> verbs;
  for (const Verb& v : all_verbs()) verbs.push_back({v.name, v.summary});
  text += definitions(verbs) + "\nOptions before or after any verb\n" + option_table(global_options()) + "\n";
  text += wrap("Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 done with findings, 10 not found, 11 already exists, "
               "12 wrong password or key, 13 permission, 14 busy, 15 unavailable, 17 out of space, 18 precondition, 19 unsupported, "
               "20 damaged, 70 defect, 130 interrupted. 'holdfast explain CODE' tells more.", kTextWidth, "") + "\n\n";
  text += "First steps\n" + definitions({{"holdfast sample /tmp/ns", "make a sample server to try things on"},
                                   {"holdfast init --config /tmp/ns/holdfast.toml", "create its repository"},
                                   {"holdfast backup --config /tmp/ns/holdfast.toml", "back it up, with questions"},
                                   {"holdfast recover --repository /tmp/ns/repository", "bring it back from nothing else"}});
  return text;
}

std::string verb_help(const Verb& v) {
  std::string text = v.summary + "\n\n" + wrapped_usage(v) + "\n";
  if (!v.details.empty()) text += "\n" + wrap(v.details, kTextWidth, "") + "\n";
  if (!v.positionals.empty()) {
    std::vector<Definition> all;
    for (const Positional& p : v.positionals) all.push_back({p.name, p.help});
    text += "\n" + definitions(all);
  }
  if (!v.options.empty()) text += "\nOptions\n" + option_table(v.options);
  text += "\nOptions before or after any verb\n" + option_table(global_options());
  if (!v.examples.empty()) {
    text += "\nExamples\n";
    for (const Example& e : v.examples) text += "  " + e.command + "\n" + (e.explains.empty() ? "" : wrap(e.explains, kTextWidth, "      ") + "\n");
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
    for (const Example& e : v.examples) text += ".PP\n.RS\n.nf\n" + roff(e.command) + "\n.fi\n.RE\n" + (e.explains.empty() ? "" : roff(e.explains) + ".\n");
  }
  text += ".SH OPTIONS\nThese stand before or after any verb.\n";
  for (const Option& o : global_options()) text += ".TP\n.B " + roff(option_label(o)) + "\n" + roff(o.help) + "\n";
  text += ".SH EXIT STATUS\n0 done, 3 done with findings; any other code is a failure:\n";
  for (const CodeInfo& c : all_codes())
    text += ".TP\n.B " + std::to_string(c.exit_code) + " " + roff(c.name) + "\n" + roff(c.meaning) + " " + roff(c.advice) + "\n";
  return text;
}

}  // namespace holdfast::cli
