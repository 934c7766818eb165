#include "item/database/sqlite/live_files.h"

#include <array>

#include "base/error.h"
#include "base/text.h"
#include "item/database/sqlite/connection.h"
#include "tree/entry.h"

namespace holdfast::item {
namespace {

using platform::Path;

constexpr std::array kBeside = {"-wal", "-shm", "-journal"};
constexpr int kBriefWait = 2'000;   // ms; services are stopped by now, so that a lock means that one is not

Path beside(const Path& database, const char* suffix) { return database.string() + suffix; }

Error in_use(const Path& database) {
  return Error(Code::busy, "database " + printable(database.string()) + " is in use by another program")
      .safe("the database was not touched")
      .hint("stop the services that use it, then go on with the same command");
}

}  // namespace

void settle(const Path& database) {
  try {
    Connection connection(database, Connection::Mode::read_write, printable(database.string()));
    connection.wait_for_locks(kBriefWait);
    connection.execute("BEGIN EXCLUSIVE");
    connection.execute("COMMIT");
    // Closing the last connection writes the -wal file back and removes it.
  } catch (const Error& e) {
    if (e.code() == Code::busy) throw in_use(database);
    if (e.code() != Code::damaged) throw;
    return;
  }
  std::error_code ignored;
  if (std::filesystem::exists(beside(database, "-wal"), ignored)) throw in_use(database);
}

void remove_orphans(platform::World& world, const Path& database) {
  for (const char* suffix : kBeside)
    if (world.files.exists(beside(database, suffix))) world.files.remove(beside(database, suffix));
}

Path set_aside_path(const Path& database, const std::string& suffix) {
  if (!tree::is_safe_name(suffix) || suffix.find('\\') != std::string::npos)
    throw Error(Code::usage, "'" + printable(suffix) + "' cannot be part of a file name");
  return database.parent_path() /
         (database.stem().string() + ".set-aside-" + suffix + database.extension().string());
}

void rename_database(platform::World& world, const Path& from, const Path& to) {
  if (world.files.exists(to))
    throw Error(Code::already_exists, "cannot rename database " + printable(from.string()) + ": " +
                                          printable(to.filename().string()) + " is there already")
        .safe("nothing was renamed")
        .hint("move that file elsewhere");
  // The database last: as long as it has its old name, a run that was killed here is simply run again.
  for (const char* suffix : kBeside)
    if (world.files.exists(beside(from, suffix))) world.files.rename(beside(from, suffix), beside(to, suffix));
  world.files.rename(from, to);
  world.files.sync_directory(from.parent_path());
}

}  // namespace holdfast::item
