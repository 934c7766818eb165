// A hostile database file: opened where it lies in a repository, tested, counted, queried; then fixed up as a recovery does.
#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "fuzz.h"
#include "item/database/sqlite/snapshot.h"
#include "item/database/sqlite/sqlite.h"
#include "item/database/sqlite/stored.h"
#include "item/database/sqlite/virtual_file.h"
#include "item/testing/memory_tree.h"
#include "platform/testing.h"

using namespace holdfast;
using namespace holdfast::fuzz;

namespace {

// Every value of the fix-up exists in the seeds; what a trigger or a view of a hostile database does with it is its own business, as
// long as nothing but that database changes.
const std::vector<item::FixupAction> kActions = {{"ServerTaskInstanceRequests", true, "", ""},
                                                 {"TaskInstanceStatus", false, "InstanceStatus=3", "InstanceStatus<=1"}};

constexpr std::initializer_list<Code> kRefusals = {Code::damaged, Code::precondition, Code::config, Code::failed, Code::io, Code::busy,
                                                   Code::not_found, Code::permission};

struct Ground {
  platform::TemporaryFolder folder;
  platform::ManualClock clock;
  platform::ScriptedTerminal terminal;
  platform::World world{platform::real_file_system(), clock,    platform::real_entropy(), platform::real_host(),
                        platform::real_process_runner(), terminal, {}};
  item::SqliteAdapter adapter;
};

void look_at_stored(ByteView bytes) {
  tree::Entry entry;
  entry.name = "Symantec_CMDB.db";
  entry.size = bytes.size();
  tree::NodePtr file = item::testing::make_file(entry, bytes);
  accepted(kRefusals, [&] { item::tables_of(file); });   // `failed`: a format that SQLite does not know
  accepted(kRefusals, [&] {
    item::ReadOnlyDatabase database(file, "fuzz");
    database.with([&](item::Connection& connection) { item::require_integrity(connection); });
  });
  accepted(kRefusals, [&] {
    item::ReadOnlyDatabase database(file, "fuzz");
    database.with([&](item::Connection& connection) { connection.rows("SELECT Id, Name FROM Item"); });
  });
}

void recover(ByteView bytes) {
  static Ground ground;
  const platform::Path folder = ground.folder.path() / "database", path = folder / "Symantec_CMDB.db";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directory(folder);
  std::ofstream(path, std::ios::binary) << as_text(bytes);
  item::ItemSpec spec;
  spec.name = "cmdb";
  spec.kind = "database";
  spec.engine = "sqlite";
  spec.options["path"] = path.string();
  accepted(kRefusals, [&] { ground.adapter.fix_up(spec, ground.world, kActions); });
  for (const auto& entry : std::filesystem::directory_iterator(ground.folder.path()))
    require(entry.path() == folder, "nothing but the database's folder is written to");
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    require(entry.path().filename().string().starts_with("Symantec_CMDB.db"), "no file of another name is made");
}

Bytes database(const std::string& sql) {
  sqlite3* db = nullptr;
  require(sqlite3_open(":memory:", &db) == SQLITE_OK, "a database in memory");
  const std::string all = "PRAGMA page_size=512;" + sql;
  char* message = nullptr;
  if (sqlite3_exec(db, all.c_str(), nullptr, nullptr, &message) != SQLITE_OK) broken(message);
  sqlite3_int64 size = 0;
  unsigned char* bytes = sqlite3_serialize(db, "main", &size, 0);
  Bytes copy(bytes, bytes + size);
  sqlite3_free(bytes);
  sqlite3_close(db);
  return copy;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  look_at_stored({data, size});
  recover({data, size});
  return 0;
}

std::vector<Bytes> fuzz_seeds() {
  const std::string tables =
      "CREATE TABLE Item(Id INTEGER PRIMARY KEY, Name TEXT); INSERT INTO Item VALUES(1,'a'),(2,NULL);"
      "CREATE TABLE ServerTaskInstanceRequests(Id INTEGER, Data BLOB); INSERT INTO ServerTaskInstanceRequests VALUES(1,zeroblob(700));"
      "CREATE TABLE TaskInstanceStatus(Id INTEGER, InstanceStatus INTEGER); INSERT INTO TaskInstanceStatus VALUES(1,0),(2,5);";
  return {database(tables), database(tables + "CREATE TRIGGER t AFTER DELETE ON ServerTaskInstanceRequests BEGIN DELETE FROM Item; END;"),
          database(tables + "CREATE TRIGGER t AFTER UPDATE ON TaskInstanceStatus BEGIN INSERT INTO TaskInstanceStatus VALUES(9,1); END;"),
          database(tables + "DROP TABLE Item; CREATE VIEW Item AS WITH RECURSIVE c(Id,Name) AS (SELECT 1,'x' UNION ALL SELECT Id+1,Name FROM c "
                            "LIMIT 100) SELECT Id, Name FROM c;"),
          database(tables + "DROP TABLE TaskInstanceStatus; CREATE VIEW TaskInstanceStatus AS SELECT 1 AS InstanceStatus;"),
          database("CREATE TABLE Item(Id,Name); INSERT INTO Item VALUES(1,x'00ff');"), database("VACUUM;")};
}
