// What a verb of the command line is: data for help, completion and man page, and the function that does it.
// One file a verb (or a family: key_verbs.cc); verbs.cc lists them all. cli.md's contract is docs/commands.md.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace holdfast::cli {

class Context;

// What stood on the command line for one verb.
class Arguments {
 public:
  bool has(const std::string& option) const { return options.contains(option); }
  // The last value of the option; "" when it was not given.
  std::string value(const std::string& option) const;
  std::vector<std::string> values(const std::string& option) const;
  // By position; "" when it was not given.
  std::string positional(std::size_t index) const { return index < positionals.size() ? positionals[index] : ""; }

  std::map<std::string, std::vector<std::string>> options;   // "--item" -> values; a flag has an empty list
  std::vector<std::string> positionals;
};

struct Option {
  std::string name;           // "--item"
  std::string value;          // "NAME"; "" = a flag; "[=SHARE]" = may have a value, given with =
  std::string help;
  bool repeatable = false;
  bool value_is_optional() const { return value.starts_with("["); }
};

struct Positional {
  std::string name;           // "POINT"
  std::string help;
  bool required = true;
  bool repeatable = false;    // last one only
};

struct Example { std::string command, explains; };

struct Verb {
  std::string name;           // "backup", "key list"
  std::string summary;        // one line, no full stop
  std::vector<Positional> positionals;
  std::vector<Option> options;
  std::vector<Example> examples;
  std::string details;        // a paragraph for --help, may be empty
  int (*run)(const Arguments&, Context&) = nullptr;   // exit code 0, 1 or 3; everything else is an Error
};

// "5%", "0.5%", "5": of a hundred, as a fraction. usage when `text` is something else, or 0 and that makes no sense.
enum class Zero : bool { refused, allowed };
double share_of(const std::string& option, const std::string& text, Zero zero = Zero::refused);

// Every verb that is built, in the order of the contract.
const std::vector<Verb>& all_verbs();
// Options that stand before or after any verb.
const std::vector<Option>& global_options();
// Verbs of the contract that this version has not built: exit 19, not in --help.
const std::vector<std::string>& reserved_verbs();

}  // namespace holdfast::cli
