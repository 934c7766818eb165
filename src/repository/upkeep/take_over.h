// Whole objects from copies of the same repository, in the place of damaged or missing ones. Needs no key: names are hashes.
#pragma once

#include <string>
#include <vector>

#include "repository/repository.h"

namespace holdfast::repository {

struct TakeOver {
  std::string name;
  std::uint64_t size = 0;
  store::ObjectStore* from = nullptr;
};

// For each damaged or missing object of `report` a copy that has it whole (it is read and hashed), in the order in which they must
// be put. Where the name of what is missing is not known (records left out of a log, the last slot), the copy's objects that fill
// the gap. `records_missing`: the logs are known to be shorter than they were, so newer records are taken as well.
// precondition: a copy that holds another repository.
std::vector<TakeOver> find_in_copies(store::ObjectStore& store, const CheckReport& report, bool records_missing,
                                     const std::vector<store::ObjectStore*>& copies, const RunOptions& run);

// Puts the object and reads it back. "": it is whole now; else what went wrong with it. Nothing but the hashed bytes is ever put.
std::string take_over(store::ObjectStore& store, const TakeOver& object);

}  // namespace holdfast::repository
