// Writing: apply, setting aside, fix-ups. Reading is in sqlite.cc.
#include "base/text.h"
#include "item/database/sqlite/live_files.h"
#include "item/database/sqlite/snapshot.h"
#include "item/database/sqlite/sqlite.h"
#include "item/database/sqlite/stored.h"
#include "item/database/sqlite/virtual_file.h"
#include "platform/contained_tree.h"
#include "platform/source_tree.h"

namespace holdfast::item {
namespace {

Path database_path(const ItemSpec& spec) { return spec.text("path"); }

Path require_database(const ItemSpec& spec, platform::World& world) {
  const Path path = database_path(spec);
  if (!world.files.exists(path))
    throw Error(Code::not_found, "there is no database " + printable(path.string()))
        .hint("restore it first, or start the application once");
  return path;
}

// Writes the stored file under `name` in `tree` and proves that what is on the disk is a whole database.
void write_proven(platform::ContainedTree& tree, const std::string& name, const tree::NodePtr& stored,
                  ApplyContext& context) {
  const std::uint64_t size = stored->entry().size;
  auto file = tree.create(name);
  try {
    file->reserve(size);
    stored->read(0, size, [&](std::uint64_t offset, ByteView data) {
      context.cancel.check();
      file->write_at(offset, data);
      context.progress.add(data.size(), 0);
    });
    file->sync();
  } catch (...) {
    tree.abandon(name);
    throw;
  }
  tree.publish(name);
  const auto written = context.world.files.open(tree.root() / name);
  ReadOnlyDatabase database(
      written->size(), [&](std::uint64_t offset, MutableBytes out) { return written->read_at(offset, out); },
      printable((tree.root() / name).string()));
  try {
    database.with([&](Connection& connection) {
      connection.stop_on(context.cancel);
      require_integrity(connection);
    });
  } catch (...) {
    tree.remove(name);
    throw;
  }
}

// The live database at `path` makes room. Its -wal, -shm and -journal files go after it: until then they belong to it,
// afterwards they would be taken for parts of the new one.
void make_room(platform::World& world, const Path& path) {
  if (world.files.exists(path)) {
    settle(path);
    world.files.remove(path);
  }
  remove_orphans(world, path);
}

void tell_not_taken(const std::vector<std::string>& sentences, const Path& path, ApplyContext& context) {
  for (const std::string& sentence : sentences)
    context.finding({"attribute_not_restored", path.string(), sentence, ""});
}

// What the statements of a fix-up do to the folder's times is no change of the server.
class KeptFolder {
 public:
  explicit KeptFolder(const Path& folder)
      : folder_(folder), entry_(platform::open_source_directory(folder)->self()) { entry_.name.clear(); }
  void put_back() { platform::open_contained_tree(folder_)->apply("", entry_, {}); }

 private:
  Path folder_;
  tree::Entry entry_;
};

std::string condition(const FixupAction& action) { return action.where.empty() ? "" : " WHERE " + action.where; }

std::vector<FixupCount> count_rows(Connection& connection, const std::vector<FixupAction>& actions) {
  const RowCounts tables = row_counts(connection);
  std::vector<FixupCount> counts;
  for (const FixupAction& action : actions) {
    if (!tables.contains(action.table))
      throw Error(Code::precondition, "database " + connection.label() + " has no table '" + printable(action.table) +
                                          "', which the fix-up needs")
          .safe("nothing was changed")
          .hint("the profile may not know this product version; compare it with the table names in the database");
    counts.push_back({action.table,
                      connection.number("SELECT count(*) FROM " + quote_identifier(action.table) + condition(action)), 0});
  }
  return counts;
}

std::string statement(const FixupAction& action) {
  const std::string table = quote_identifier(action.table);
  return action.truncate ? "DELETE FROM " + table : "UPDATE " + table + " SET " + action.set + condition(action);
}

}  // namespace

void SqliteAdapter::apply(const ItemSpec& spec, tree::NodePtr stored, ApplyContext& context) const {
  const tree::NodePtr file = stored_file(stored);
  const Path own = database_path(spec);
  const std::string name = file->entry().name;
  if (!context.to && own.filename() != Path(name))
    throw Error(Code::precondition, "cannot restore database '" + printable(name) + "' as '" +
                                        printable(own.filename().string()) + "': a database comes back under its own name")
        .safe("nothing was changed")
        .hint("correct the path in the configuration, or restore with --to FOLDER");
  const Path folder = context.to ? *context.to : own.parent_path();
  const Path target = folder / name;
  platform::World& world = context.world;
  if (!context.replace_existing && world.files.exists(target))
    throw Error(Code::already_exists, "cannot restore database " + printable(target.string()) + ": there is one already")
        .safe("nothing was changed");
  if (world.files.exists(target)) settle(target);   // in use: say so before anything is written
  world.files.make_directories(folder);

  const auto tree = platform::open_contained_tree(folder);
  const std::string temporary = name + ".restoring";
  write_proven(*tree, temporary, file, context);
  tell_not_taken(tree->apply(temporary, file->entry(), context.attributes), target, context);
  make_room(world, target);
  tree->rename(temporary, name);
  tree->sync_directory("");
  tell_not_taken(tree->apply("", stored->entry(), context.attributes), folder, context);
  context.progress.add(0, 1);
}

std::string SqliteAdapter::set_aside(const ItemSpec& spec, platform::World& world, const std::string& suffix) const {
  const Path path = database_path(spec);
  const Path aside = set_aside_path(path, suffix);
  if (!world.files.exists(path)) return "";
  settle(path);
  rename_database(world, path, aside);
  return aside.string();
}

void SqliteAdapter::undo_set_aside(const ItemSpec& spec, platform::World& world, const std::string& suffix) const {
  const Path path = database_path(spec);
  const Path aside = set_aside_path(path, suffix);
  if (!world.files.exists(aside)) {
    if (world.files.exists(path)) return;   // undone already
    throw Error(Code::not_found, "there is no database " + printable(aside.string()) + " to give its name back to");
  }
  rename_database(world, aside, path);
}

std::vector<FixupCount> SqliteAdapter::count(const ItemSpec& spec, platform::World& world,
                                             const std::vector<FixupAction>& actions) const {
  std::vector<FixupCount> counts;
  with_snapshot(require_database(spec, world), [&](Connection& connection) { counts = count_rows(connection, actions); });
  return counts;
}

std::vector<FixupCount> SqliteAdapter::fix_up(const ItemSpec& spec, platform::World& world,
                                              const std::vector<FixupAction>& actions) const {
  const Path path = require_database(spec, world);
  KeptFolder folder(path.parent_path());
  std::vector<FixupCount> counts;
  {
    Connection connection(path, Connection::Mode::read_write, printable(path.string()));
    connection.execute("PRAGMA synchronous=FULL");
    connection.execute("BEGIN IMMEDIATE");   // leaving without COMMIT rolls everything back
    counts = count_rows(connection, actions);
    for (std::size_t i = 0; i < actions.size(); ++i) counts[i].changed = connection.change(statement(actions[i]));
    connection.execute("COMMIT");
  }
  folder.put_back();
  return counts;
}

}  // namespace holdfast::item
