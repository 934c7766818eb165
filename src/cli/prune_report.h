// What a prune says, wherever it was asked for: 'prune' and 'key rotate --rewrite'.
#pragma once

#include "cli/context.h"

namespace holdfast::cli {

// Text, findings and the result line.
void tell_pruned(Context& context, const repository::PruneReport& report, bool dry_run);

}  // namespace holdfast::cli
