// Every state of a protocol, breadth first: so a violation is told by one of the shortest ways to it.
//
// States are remembered by 64 bits of hash: among ten million the chance that any two are taken for one is about 3 in a million.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "protocol_model.h"

namespace holdfast::model {

struct Explored {
  std::size_t states = 0, steps = 0;
  std::string violation;                         // "" : none
  std::vector<std::string> way;                  // the steps to it
  bool complete = true;                          // false: stopped at `most_states`
};

Explored explore(const Protocol& protocol, std::size_t most_states);

}  // namespace holdfast::model
