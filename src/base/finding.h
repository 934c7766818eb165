// Something a person must know about a run that nevertheless went on: not covered, skipped, changed while
// read, not proven, left to a person. Findings make exit code 3; nothing is ever swallowed.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace holdfast {

struct Finding {
  std::string code;     // stable, for scripts: "socket_skipped", "not_covered", "changed_while_read" (docs/findings.md)
  std::string object;   // what it is about: a path, an item, a step. May hold bytes that are not UTF-8.
  std::string message;  // one sentence for people
  std::string hint;     // what to do, may be empty
  bool operator==(const Finding&) const = default;
};

using Findings = std::vector<Finding>;
using FindingSink = std::function<void(Finding)>;

}  // namespace holdfast
