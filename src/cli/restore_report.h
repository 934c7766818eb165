// The end of a restore or plain-file export, said the same way by both.
#pragma once

#include <optional>
#include <string>

#include "cli/context.h"
#include "recovery/restore.h"

namespace holdfast::cli {

// Prints findings and totals and the result line; exit code 0 or 3. Throws when an item failed: Error with the first code.
int report_restore(Context& context, const repository::PointId& point, const recovery::RestoreReport& report, std::optional<Code> failed,
                   const std::string& done);

}  // namespace holdfast::cli
