// Reads items again for a repair of the repository: what is unchanged at the source takes the place of what was lost.
#pragma once

#include "backup/backup.h"
#include "repository/upkeep/mending.h"

namespace holdfast::backup {

// Gives the items that are wanted and that the system has to `mending`. Changes nothing at the source. Findings: items that cannot
// be read, or are not there any more.
Findings reread(const system::System& system, const item::AdapterSet& adapters, platform::World& world,
                const std::string& repository, ProgressSink& progress, const Cancel& cancel, repository::Mending& mending);

}  // namespace holdfast::backup
