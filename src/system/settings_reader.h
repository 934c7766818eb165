// Reads the tables of holdfast.toml that settings.h describes, for configuration.cc. Error(config) as everything there.
#pragma once

#include "system/settings.h"
#include "system/system.h"
#include "system/toml_document.h"

namespace holdfast::system {

// `top` is the whole document, `system` what was read of it so far: profile, items, repository and copies must be there.
Settings read_settings(const std::string& file, const TableReader& top, const System& system);

}  // namespace holdfast::system
