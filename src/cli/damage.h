// Damage of a repository, as check and repair tell it.
#pragma once

#include <string>

#include "cli/output.h"
#include "repository/repository.h"

namespace holdfast::cli {

// Objects, what their damage means, points, and with a key the first files of each and how many more.
std::string describe_damage(const repository::CheckReport& report);
// To scripts: {"type":"finding"} lines, "object_damaged" with all that is known of it, and "file_affected".
void tell(Output& output, const repository::CheckReport& report);
void tell(Output& output, const repository::AffectedFile& file);

}  // namespace holdfast::cli
