// Reading: capture, diff, check, queries. Writing is in sqlite_write.cc.
#include "item/database/sqlite/sqlite.h"

#include <algorithm>
#include <map>

#include "base/text.h"
#include "item/database/sqlite/snapshot.h"
#include "item/database/sqlite/stored.h"
#include "platform/source_tree.h"

namespace holdfast::item {
namespace {

constexpr std::size_t kHeader = 100;   // bytes; format: sqlite.org/fileformat.html, section 1.3
constexpr std::size_t kReadVersion = 19;

Path database_path(const ItemSpec& spec) { return spec.text("path"); }

struct LiveEntries { tree::Entry folder, file; };

LiveEntries live_entries(const Path& path) {
  auto folder = platform::open_source_directory(path.parent_path());
  const std::string name = path.filename().string();
  auto file = folder->status(name);
  if (!file) throw Error(Code::not_found, "cannot read database " + printable(path.string()) + ": it does not exist");
  if (file->kind != tree::Kind::file)
    throw Error(Code::precondition, "cannot read database " + printable(path.string()) + ": it is no regular file")
        .hint("name the file itself in the configuration");
  folder->read_attributes(name, *file);
  LiveEntries entries{folder->self(), *file};
  entries.folder.name.clear();
  return entries;
}

Facts describe(Connection& connection, const std::string& name) {
  Facts facts = {
      {"database", name},
      {"engine", "sqlite " + connection.text("SELECT sqlite_version()")},
      {"page_size", connection.text("PRAGMA page_size")},
      {"pages", connection.text("PRAGMA page_count")},
      {"encoding", connection.text("PRAGMA encoding")},
      {"schema_version", connection.text("PRAGMA schema_version")},
      {"user_version", connection.text("PRAGMA user_version")},
  };
  for (const auto& [table, rows] : row_counts(connection)) facts.emplace_back("rows." + table, std::to_string(rows));
  return facts;
}

class Capture {
 public:
  Capture(const Path& path, tree::TreeSink& sink, CaptureContext& context)
      : path_(path), sink_(sink), context_(context) {}

  void run() {
    // Before SQLite opens the file: closing another handle on it would take SQLite's locks away.
    LiveEntries entries = live_entries(path_);
    sink_.open_directory(entries.folder);
    try {
      with_snapshot(path_, [&](Connection& connection) { read(connection); });
    } catch (...) {
      if (file_) sink_.abandon_file();
      throw;
    }
    entries.file.size = bytes_;
    entries.file.sparse = false;
    entries.file.extents.clear();
    sink_.end_file(entries.file);
    sink_.close_directory();
    facts_.emplace_back("journal_mode", wal_ ? "wal" : "rollback");
    context_.facts.insert(context_.facts.end(), facts_.begin(), facts_.end());
    context_.progress.add(0, 1);
  }

 private:
  void read(Connection& connection) {
    if (file_) sink_.abandon_file();   // the second time: the first reading was disturbed
    file_ = nullptr;
    bytes_ = 0;
    connection.stop_on(context_.cancel);
    require_integrity(connection);
    facts_ = describe(connection, path_.stem().string());
    file_ = &sink_.begin_file(tree::Chunking::fixed);
    bytes_ = stream_pages(connection, context_.cancel, [&](ByteView data) { take(data); });
  }

  void take(ByteView data) {
    if (taken_at_start()) wal_ = data.size() > kHeader && data[kReadVersion] == 2;
    file_->write(data);
    bytes_ += data.size();
    context_.progress.add(data.size(), 0);
  }
  bool taken_at_start() const { return bytes_ == 0; }

  Path path_;
  tree::TreeSink& sink_;
  CaptureContext& context_;
  tree::FileWriter* file_ = nullptr;
  std::uint64_t bytes_ = 0;
  bool wal_ = false;
  Facts facts_;
};

std::uint64_t size_of(platform::World& world, const std::string& path) {
  const auto info = world.files.info(path);
  return info ? info->size : 0;
}

void compare_schemas(const Schema& before, const Schema& after, std::vector<Change>& changes) {
  for (const auto& [name, sql] : before) {
    auto it = after.find(name);
    if (it == after.end()) changes.push_back({Change::Kind::removed, printable(name), printable(sql), ""});
    else if (it->second != sql) changes.push_back({Change::Kind::changed, printable(name), printable(sql), printable(it->second)});
  }
  for (const auto& [name, sql] : after)
    if (!before.contains(name)) changes.push_back({Change::Kind::added, printable(name), "", printable(sql)});
}

void compare_rows(const RowCounts& before, const RowCounts& after, std::vector<Change>& changes) {
  for (const auto& [table, rows] : before) {
    auto it = after.find(table);
    if (it != after.end() && it->second != rows)
      changes.push_back({Change::Kind::changed, "rows of " + printable(table), std::to_string(rows), std::to_string(it->second)});
  }
}

CheckResult check_rows(const RowCounts& stored, const RowCounts& live, const std::vector<std::string>& fixed_up) {
  std::vector<std::string> wrong;
  std::uint64_t rows = 0;
  for (const auto& [table, count] : stored) {
    if (std::find(fixed_up.begin(), fixed_up.end(), table) != fixed_up.end()) continue;
    rows += count;
    auto it = live.find(table);
    if (it == live.end()) wrong.push_back(printable(table) + " is missing");
    else if (it->second != count)
      wrong.push_back(printable(table) + " has " + human_count(it->second) + " rows, not " + human_count(count));
  }
  const std::string right = human_count(stored.size()) + " tables, " + human_count(rows) + " rows" +
                            (fixed_up.empty() ? "" : " (not counting what was fixed up: " + join(fixed_up, ", ") + ")");
  return {"every table has its rows", wrong.empty(), wrong.empty() ? right : join(wrong, "; ")};
}

}  // namespace

std::vector<OptionSpec> SqliteAdapter::options() const {
  return {{"path", OptionSpec::Type::path, true, "the database file", {}}};
}

std::vector<Path> SqliteAdapter::covers(const ItemSpec& spec) const {
  const std::string path = spec.text("path");
  return {path, path + "-wal", path + "-shm", path + "-journal"};
}

std::uint64_t SqliteAdapter::estimate(const ItemSpec& spec, platform::World& world) const {
  return size_of(world, spec.text("path")) + size_of(world, spec.text("path") + "-wal");
}

std::pair<std::string, std::string> SqliteAdapter::export_name(const ItemSpec& spec) const {
  return {spec.name + "." + database_path(spec).stem().string(), "bak"};
}

void SqliteAdapter::capture(const ItemSpec& spec, tree::TreeSink& sink, CaptureContext& context) const {
  Capture(database_path(spec), sink, context).run();
}

std::vector<Change> SqliteAdapter::diff(tree::NodePtr before, tree::NodePtr after) const {
  if (!before && !after) return {};
  if (!before) return {{Change::Kind::added, stored_file(after)->entry().name, "", ""}};
  if (!after) return {{Change::Kind::removed, stored_file(before)->entry().name, "", ""}};
  const tree::NodePtr old_file = stored_file(before), new_file = stored_file(after);
  std::vector<Change> changes;
  if (old_file->entry().name != new_file->entry().name)
    changes.push_back({Change::Kind::changed, "name", printable(old_file->entry().name), printable(new_file->entry().name)});
  if (old_file->fingerprint() == new_file->fingerprint()) return changes;
  const StoredTables then = tables_of(old_file), now = tables_of(new_file);
  compare_schemas(then.schema, now.schema, changes);
  compare_rows(then.rows, now.rows, changes);
  if (changes.empty())
    changes.push_back({Change::Kind::changed, printable(new_file->entry().name), "",
                       "rows were changed; every table has as many as before"});
  return changes;
}

std::vector<CheckResult> SqliteAdapter::check(const ItemSpec& spec, tree::NodePtr stored, CaptureContext& context) const {
  const Path path = database_path(spec);
  const tree::NodePtr file = stored_file(stored);
  const Path stored_name = file->entry().name;
  std::vector<CheckResult> results;
  results.push_back({"database name", stored_name == path.filename(),
                     path.stem().string() + (stored_name == path.filename() ? "" : ", not " + printable(stored_name.stem().string()))});
  const RowCounts expected = tables_of(file).rows;
  RowCounts live;
  try {
    with_snapshot(path, [&](Connection& connection) {
      connection.stop_on(context.cancel);
      require_integrity(connection);
      live = row_counts(connection);
    });
    results.push_back({"database opens and is whole", true, "integrity check passed"});
    results.push_back(check_rows(expected, live, spec.list(kFixedUpTables)));
  } catch (const Error& e) {
    if (e.code() == Code::interrupted) throw;
    results.push_back({"database opens and is whole", false, e.message()});
  }
  return results;
}

std::optional<std::string> SqliteAdapter::live_name(const ItemSpec& spec, platform::World& world) const {
  const Path path = database_path(spec);
  const auto info = world.files.info(path);
  if (!info || info->kind != platform::FileInfo::Kind::file) return std::nullopt;
  return path.stem().string();
}

std::vector<std::vector<std::string>> SqliteAdapter::query(const ItemSpec& spec, platform::World&,
                                                           const std::string& sql) const {
  std::vector<std::vector<std::string>> rows;
  with_snapshot(database_path(spec), [&](Connection& connection) { rows = connection.rows(sql); });
  return rows;
}

}  // namespace holdfast::item
