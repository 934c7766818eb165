// Reads the keys of an item that its kind understands: OptionSpec lists decide which keys there are and of what type.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "item/adapter.h"
#include "system/toml_document.h"

namespace holdfast::system {

// Names of the options, for the list of valid keys.
std::vector<std::string> option_names(const std::vector<item::OptionSpec>& options);

// Fills spec.options with what `table` gives. Paths are taken from `base` and normalised.
void read_options(const TableReader& table, const std::vector<item::OptionSpec>& options,
                  const std::filesystem::path& base, item::ItemSpec& spec);

// A mistake for every required option that spec.options lacks, and where the table stands.
void require_options(const TableReader& table, const std::vector<item::OptionSpec>& options, const item::ItemSpec& spec);

// `text` from `base`, without "." and "..", without a separator at its end.
std::filesystem::path resolve_path(const std::filesystem::path& base, const std::string& text);

}  // namespace holdfast::system
