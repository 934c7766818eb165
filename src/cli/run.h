// The command line as a function of its world: main() hands the real one, tests their own.
#pragma once

#include <string>
#include <vector>

#include "base/cancel.h"
#include "item/adapter.h"
#include "platform/world.h"

namespace holdfast::cli {

// argv without the program's name. Never throws; returns the exit code of the contract.
int run(const std::vector<std::string>& arguments, const std::string& program, platform::World& world,
        const item::AdapterSet& adapters, Cancel& cancel);

// "0.1.0"
std::string version();

}  // namespace holdfast::cli
