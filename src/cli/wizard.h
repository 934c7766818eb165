// The dialogues of `backup` and `restore` at a terminal: the pages of the vendor's process, one question at a time.
#pragma once

#include "backup/backup.h"
#include "cli/context.h"
#include "recovery/restore.h"

namespace holdfast::cli {

// Back up: location, password, items to tick, review, go.
int backup_wizard(Context& context);
// Restore: location or backup file, password, point, what is in it, where to, review, go.
int restore_wizard(Context& context);

// Review, question, run, report: the part of a backup that wizard and verb share. In backup_verb.cc. `plain`: a folder for the point's
// plain files; "": none.
int backup_reviewed(Context& context, const system::System& system, backup::Request request, const backup::Review& review, const platform::Path& plain = {});

// The same for a restore. In restore_verb.cc. Error(no_space) before anything is written when it cannot fit.
int restore_reviewed(Context& context, repository::Repository& from, const repository::Point& point, const recovery::RestoreRequest& request,
                     bool dry_run);

}  // namespace holdfast::cli
