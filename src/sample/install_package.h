// The sample's installation package: package.toml, setup and payload, as docs/sample.md says.
#pragma once

#include <cstdint>

#include "platform/world.h"
#include "sample/ground.h"

namespace holdfast::sample {

// Makes server/InstallationPackage; the folder `server` is there. `bytes`: of all content together, about.
void make_install_package(Ground& ground, std::uint64_t bytes, std::uint64_t seed);

// Runs its setup on `server`. failed: it ended with another code than 0; says what it said.
void run_setup(const platform::Path& server, platform::ProcessRunner& processes, const Cancel& cancel);

}  // namespace holdfast::sample
