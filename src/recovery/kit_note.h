// This machine remembers where a system's kit was last written, so that `status` can say when it is stale.
#pragma once

#include <string>

#include "cli/context.h"

namespace holdfast::cli {

// Folder of the last kit of the system (id in hex); "" = none is known.
std::string known_kit(Context& context, const std::string& system_id);
void remember_kit(Context& context, const std::string& system_id, const platform::Path& folder);

}  // namespace holdfast::cli
