// The plain files of the newest point, in a folder that is theirs: a schedule writes them after each backup. Only the newest are kept;
// the earlier ones are in the repository.
#pragma once

#include "recovery/restore.h"

namespace holdfast::recovery {

// export_folder into `folder`. What is there from the last time stays until the new files are whole, and when an item fails; a run
// that was killed leaves it there, or beside it as FOLDER.before, until the next one. Error(already_exists): something else is there.
RestoreReport export_newest(const Source& source, const repository::Point& point, const platform::Path& folder, std::optional<Code>& failed);

}  // namespace holdfast::recovery
