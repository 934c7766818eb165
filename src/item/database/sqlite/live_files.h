// The files of a live SQLite database as the file system sees them: renaming it aside, putting another in its place.
#pragma once

#include <string>

#include "platform/world.h"

namespace holdfast::item {

// Brings everything pending into the database file, so that it stands alone. A file that is no whole database is left as
// it is. Error(busy) when another program has it open: a -wal file that stays behind, or a lock.
void settle(const platform::Path& database);

// Removes -wal, -shm and -journal files without a database of their own: combined with another database file they would
// destroy it. Precondition: nothing is at `database`.
void remove_orphans(platform::World& world, const platform::Path& database);

// "<Name>.set-aside-<suffix>.db". Error(usage) when the suffix is no part of a file name.
platform::Path set_aside_path(const platform::Path& database, const std::string& suffix);

// Renames the database and what stands beside it; going on where a killed run stopped. Existing targets: already_exists.
void rename_database(platform::World& world, const platform::Path& from, const platform::Path& to);

}  // namespace holdfast::item
