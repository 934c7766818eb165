#include "item/database/sqlite/sqlite.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <random>
#include <thread>

#include "item/testing/memory_tree.h"
#include "platform/clock.h"
#include "platform/source_tree.h"

namespace holdfast::item {
namespace {

namespace fs = std::filesystem;
using testing::MemoryTree;

// A raw connection, as the application has it.
class Application {
 public:
  explicit Application(const fs::path& path) {
    EXPECT_EQ(sqlite3_open(path.c_str(), &db_), SQLITE_OK);
    sqlite3_busy_timeout(db_, 10'000);
  }
  ~Application() { sqlite3_close(db_); }
  bool run(const std::string& sql) {
    char* words = nullptr;
    const bool ok = sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, &words) == SQLITE_OK;
    if (!ok) std::fprintf(stderr, "%s: %s\n", sql.c_str(), words);
    sqlite3_free(words);
    return ok;
  }
  std::int64_t number(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr), SQLITE_OK) << sqlite3_errmsg(db_);
    EXPECT_EQ(sqlite3_step(statement), SQLITE_ROW) << sqlite3_errmsg(db_);
    const std::int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
  }
  std::string text(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr), SQLITE_OK) << sqlite3_errmsg(db_);
    EXPECT_EQ(sqlite3_step(statement), SQLITE_ROW) << sqlite3_errmsg(db_);
    const std::string value = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return value;
  }

 private:
  sqlite3* db_ = nullptr;
};

class SqliteTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/holdfast-sqlite-XXXXXX";
    root_ = ::mkdtemp(name);
    fs::create_directory(root_ / "Database");
    use(root_ / "Database" / "Symantec_CMDB.db");
  }
  void TearDown() override { fs::remove_all(root_); }

  void use(const fs::path& path) {
    path_ = path;
    spec_.name = "cmdb";
    spec_.kind = "database";
    spec_.engine = "sqlite";
    spec_.options["path"] = path.string();
  }

  // Rows with random content and the tables of the fix-ups.
  void make_database(int rows = 300, const std::string& pragmas = "PRAGMA journal_mode=WAL;") {
    Application app(path_);
    ASSERT_TRUE(app.run(pragmas));
    ASSERT_TRUE(app.run(
        "CREATE TABLE Item(Guid TEXT PRIMARY KEY, Name TEXT, Data BLOB); CREATE INDEX ItemName ON Item(Name);"
        "CREATE TABLE \"odd \"\"name\"(a);"
        "CREATE TABLE TaskInstanceStatus(TaskInstanceGuid TEXT, InstanceStatus INTEGER);"
        "CREATE TABLE ServerTaskInstanceRequests(TaskInstanceGuid TEXT);"
        "INSERT INTO ServerTaskInstanceRequests VALUES('a'),('b');"
        "INSERT INTO TaskInstanceStatus VALUES('a',0),('b',1),('c',2),('d',3);"));
    ASSERT_TRUE(app.run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<" + std::to_string(rows) +
                        ") INSERT INTO Item SELECT hex(randomblob(16)), 'item '||i, randomblob(900) FROM n"));
  }
  // As on a server where nobody is writing.
  void let_it_rest() { std::this_thread::sleep_for(std::chrono::milliseconds(150)); }

  tree::NodePtr capture() {
    MemoryTree sink;
    facts_.clear();
    CaptureContext context = capture_context();
    adapter_.capture(spec_, sink, context);
    return sink.root();
  }
  CaptureContext capture_context() {
    return {world_, cancel_, progress_, [this](Finding f) { findings_.push_back(std::move(f)); }, facts_, {}, {}, {}};
  }
  void apply(const tree::NodePtr& stored, std::optional<fs::path> to = std::nullopt, bool replace = true) {
    ApplyContext context{world_, cancel_, progress_, [this](Finding f) { findings_.push_back(std::move(f)); },
                         {.owner = true, .privileged = false}, to, replace};
    adapter_.apply(spec_, stored, context);
  }
  Code code_of(const std::function<void()>& act) {
    try {
      act();
    } catch (const Error& e) {
      last_error_ = e.message();
      return e.code();
    }
    ADD_FAILURE() << "no error";
    return Code::defect;
  }
  std::string fact(const std::string& key) {
    for (const auto& [name, value] : facts_)
      if (name == key) return value;
    return "(none)";
  }
  static std::vector<std::string> names_in(const fs::path& folder) {
    return platform::open_source_directory(folder)->names();
  }
  static Bytes content_of(const tree::NodePtr& root) {
    Bytes content;
    root->children([&](tree::NodePtr child) { content = child->read_all(); return true; });
    return content;
  }
  static Bytes bytes_of(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return Bytes(std::istreambuf_iterator<char>(in), {});
  }
  fs::path write_out(const tree::NodePtr& stored, const std::string& name) {
    const Bytes content = content_of(stored);
    std::ofstream(root_ / name, std::ios::binary)
        .write(reinterpret_cast<const char*>(content.data()), static_cast<std::streamsize>(content.size()));
    return root_ / name;
  }
  const std::vector<FixupAction> cancel_tasks_ = {
      {"ServerTaskInstanceRequests", true, "", ""},
      {"TaskInstanceStatus", false, "InstanceStatus=3", "InstanceStatus<=1"},
  };

  SqliteAdapter adapter_;
  platform::World world_ = platform::real_world();
  Cancel cancel_;
  NoProgress progress_;
  Facts facts_;
  Findings findings_;
  ItemSpec spec_;
  fs::path root_, path_;
  std::string last_error_;
};

TEST_F(SqliteTest, capturing_a_quiet_database_leaves_no_trace) {
  make_database();
  let_it_rest();
  const Bytes before = bytes_of(path_);
  auto folder = platform::open_source_directory(path_.parent_path());
  const tree::Entry folder_before = folder->self();
  const tree::Entry file_before = *folder->status("Symantec_CMDB.db");
  tree::NodePtr stored = capture();
  EXPECT_EQ(bytes_of(path_), before);
  EXPECT_EQ(names_in(path_.parent_path()), std::vector<std::string>{"Symantec_CMDB.db"});
  EXPECT_EQ(folder->self().modified, folder_before.modified);
  EXPECT_EQ(folder->status("Symantec_CMDB.db")->modified, file_before.modified);
  EXPECT_EQ(folder->status("Symantec_CMDB.db")->changed, file_before.changed);
  EXPECT_EQ(fact("database"), "Symantec_CMDB");
  EXPECT_EQ(fact("rows.Item"), "300");
  EXPECT_EQ(fact("rows.odd \"name"), "0");
  EXPECT_EQ(fact("journal_mode"), "wal");
  EXPECT_EQ(fact("encoding"), "UTF-8");
  EXPECT_TRUE(findings_.empty());
}

TEST_F(SqliteTest, equal_states_give_equal_streams) {
  make_database();
  tree::NodePtr first = capture();
  let_it_rest();
  tree::NodePtr second = capture();   // read without locks this time
  EXPECT_EQ(content_of(first), content_of(second));
  // Only the counters of the header differ from the file itself.
  Bytes live = bytes_of(path_), stored = content_of(first);
  ASSERT_EQ(live.size(), stored.size());
  for (std::size_t counter : {24U, 40U, 92U, 96U})
    for (std::size_t i = 0; i < 4; ++i) live[counter + i] = stored[counter + i] = 0;
  EXPECT_EQ(live, stored);
}

TEST_F(SqliteTest, what_is_still_in_the_wal_is_captured) {
  make_database();
  Application app(path_);
  ASSERT_TRUE(app.run("PRAGMA wal_autocheckpoint=0; INSERT INTO Item VALUES('late','late',NULL)"));
  const auto names = names_in(path_.parent_path());
  ASSERT_EQ(names.size(), 3U);
  tree::NodePtr stored = capture();
  EXPECT_EQ(names_in(path_.parent_path()), names);
  EXPECT_EQ(fact("rows.Item"), "301");
  Application copy(write_out(stored, "copy.db"));
  EXPECT_EQ(copy.number("SELECT count(*) FROM Item WHERE Guid='late'"), 1);
}

// A process that moves amounts between two tables as fast as it can: the sum is the same in every state that ever was.
[[noreturn]] void write_for_ever(const fs::path& path, const std::string& pragmas) {
  ::alarm(60);
  Application app(path);
  app.run(pragmas);
  for (int i = 0;; ++i) {
    const std::string amount = std::to_string(i % 17 + 1), row = std::to_string(i % 50);
    const bool ok = app.run("BEGIN IMMEDIATE; UPDATE Paid SET n=n-" + amount + " WHERE id=" + row + "; UPDATE Due SET n=n+" + amount +
            " WHERE id=" + row + "; INSERT INTO Log VALUES(" + std::to_string(i) + ", randomblob(3000));" +
            (i % 100 == 99 ? "DELETE FROM Log WHERE i<" + std::to_string(i - 50) + ";" : "") + "COMMIT");
    if (!ok) ::_exit(1);
  }
}

class Writer {
 public:
  Writer(const fs::path& path, const std::string& pragmas) : child_(::fork()) {
    if (child_ == 0) write_for_ever(path, pragmas);
  }
  ~Writer() { kill(); }
  // How it ended; it must not have ended by itself.
  int kill() {
    if (child_ <= 0) return 0;
    int status = 0;
    ::kill(child_, SIGKILL);
    ::waitpid(child_, &status, 0);
    child_ = -1;
    return status;
  }

 private:
  pid_t child_;
};

TEST_F(SqliteTest, a_transaction_that_a_crash_cut_off_is_rolled_back_and_the_rest_is_captured) {
  make_database(2000, "PRAGMA journal_mode=DELETE;");
  const pid_t child = ::fork();
  if (child == 0) {
    Application app(path_);
    // The cache is too small for the transaction: changed pages are in the file already when the process dies.
    app.run("PRAGMA cache_size=5; BEGIN; UPDATE Item SET Name='half', Data=zeroblob(900);");
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(fs::exists(path_.string() + "-journal")) << "there is nothing to roll back: nothing is tested";
  Application copy(write_out(capture(), "copy.db"));
  EXPECT_EQ(copy.text("PRAGMA integrity_check"), "ok");
  EXPECT_EQ(copy.number("SELECT count(*) FROM Item WHERE Name='half'"), 0);
  EXPECT_EQ(copy.number("SELECT count(*) FROM Item"), 2000);
}

class WriterTest : public SqliteTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(WriterTest, capture_is_one_state_while_another_process_writes) {
  make_database(2000, std::string("PRAGMA journal_mode=") + GetParam() + ";");
  {
    Application app(path_);
    ASSERT_TRUE(app.run("CREATE TABLE Paid(id INTEGER PRIMARY KEY, n); CREATE TABLE Due(id INTEGER PRIMARY KEY, n);"
                        "CREATE TABLE Log(i, data);"
                        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i<49) "
                        "INSERT INTO Paid SELECT i, 1000 FROM n; INSERT INTO Due SELECT id, 0 FROM Paid;"));
  }
  Writer writer(path_, "PRAGMA synchronous=OFF; PRAGMA wal_autocheckpoint=50;");
  std::int64_t last = -1;
  int moved = 0;
  for (int i = 0; i < 12; ++i) {
    tree::NodePtr stored = capture();
    Application copy(write_out(stored, "copy.db"));
    EXPECT_EQ(copy.text("PRAGMA integrity_check"), "ok");
    EXPECT_EQ(copy.number("SELECT (SELECT sum(n) FROM Paid) + (SELECT sum(n) FROM Due)"), 50'000);
    const std::int64_t now = copy.number("SELECT ifnull(max(i),-1) FROM Log");
    EXPECT_GE(now, last);
    moved += now > last ? 1 : 0;
    last = now;
    EXPECT_EQ(std::to_string(copy.number("SELECT count(*) FROM Log")), fact("rows.Log"));
  }
  EXPECT_GT(moved, 2) << "the writer wrote nothing: nothing was tested";
  EXPECT_TRUE(WIFSIGNALED(writer.kill()));
  // A killed writer leaves a -wal or -journal behind: the next capture takes every committed row.
  capture();
  Application app(path_);
  EXPECT_EQ(std::to_string(app.number("SELECT count(*) FROM Log")), fact("rows.Log"));
}
INSTANTIATE_TEST_SUITE_P(modes, WriterTest, ::testing::Values("WAL", "DELETE"));

TEST_F(SqliteTest, every_page_size_and_layout_comes_back) {
  const std::uint32_t seed = std::random_device{}();
  std::mt19937 random(seed);
  for (int size = 512; size <= 65536; size *= 2) {
    SCOPED_TRACE("page size " + std::to_string(size) + ", seed " + std::to_string(seed));
    use(root_ / "Database" / ("p" + std::to_string(size) + ".db"));
    make_database(static_cast<int>(random() % 700), "PRAGMA page_size=" + std::to_string(size) + "; PRAGMA auto_vacuum=" +
                      std::to_string(random() % 3) + "; PRAGMA journal_mode=" + (random() % 2 ? "WAL" : "DELETE") + ";");
    { Application(path_).run("DELETE FROM Item WHERE rowid%3=0; CREATE TABLE Late AS SELECT * FROM Item LIMIT 5"); }
    tree::NodePtr stored = capture();
    Application live(path_), copy(write_out(stored, "copy.db"));
    EXPECT_EQ(copy.text("PRAGMA integrity_check"), "ok");
    for (const char* sql : {"SELECT count(*)||hex(sum(length(Data)))||group_concat(Guid) FROM Item", "PRAGMA journal_mode",
                            "PRAGMA auto_vacuum", "PRAGMA freelist_count", "PRAGMA page_count"})
      EXPECT_EQ(copy.text(sql), live.text(sql)) << sql;
    fs::remove(root_ / "copy.db");
  }
}

TEST_F(SqliteTest, the_page_of_the_lock_bytes_is_a_hole_of_zeros) {
  constexpr unsigned kAtGigabyte = 0x40000000;
  ASSERT_EQ(sqlite3_test_control(SQLITE_TESTCTRL_PENDING_BYTE, 0x20000), static_cast<int>(kAtGigabyte));
  make_database(1000);
  tree::NodePtr stored = capture();
  write_out(stored, "copy.db");
  {
    Application live(path_), copy(root_ / "copy.db");
    EXPECT_EQ(copy.text("PRAGMA integrity_check"), "ok");
    EXPECT_EQ(copy.number("SELECT count(*) FROM Item"), 1000);
    EXPECT_EQ(fs::file_size(root_ / "copy.db"), static_cast<std::uint64_t>(live.number("PRAGMA page_count")) * 4096);
  }
  sqlite3_test_control(SQLITE_TESTCTRL_PENDING_BYTE, kAtGigabyte);
}

TEST_F(SqliteTest, names_that_mean_something_in_a_uri_are_plain_names) {
  fs::create_directory(root_ / "a?b#c%41 \xC3\xA4");
  use(root_ / "a?b#c%41 \xC3\xA4" / "x?mode=rw&y%2f.db");
  make_database();
  tree::NodePtr stored = capture();
  EXPECT_EQ(fact("rows.Item"), "300");
  apply(stored);
  EXPECT_EQ(adapter_.query(spec_, world_, "SELECT count(*) FROM Item")[0][0], "300");
}

TEST_F(SqliteTest, a_damaged_database_is_not_captured) {
  make_database(2000);
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(40 * 4096);
  file.write(std::string(4096, 'x').data(), 4096);
  file.close();
  EXPECT_EQ(code_of([&] { capture(); }), Code::damaged);
  EXPECT_NE(last_error_.find("Symantec_CMDB.db"), std::string::npos) << last_error_;
  std::ofstream(path_, std::ios::trunc) << "this is no database, whatever its name says, and it is long enough to tell";
  EXPECT_EQ(code_of([&] { capture(); }), Code::damaged);
  fs::remove(path_);
  EXPECT_EQ(code_of([&] { capture(); }), Code::not_found);
  fs::create_symlink("/etc/passwd", path_);
  EXPECT_EQ(code_of([&] { capture(); }), Code::precondition);
}

TEST_F(SqliteTest, restored_with_every_attribute_and_journal_mode) {
  make_database();
  ASSERT_EQ(::chmod(path_.c_str(), 0640), 0);
  ASSERT_EQ(::chown(path_.c_str(), 1234, 2345), 0);
  const timespec times[2] = {{1'700'000'000, 5}, {1'600'000'000, 123'456'789}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path_.c_str(), times, 0), 0);
  ASSERT_EQ(::utimensat(AT_FDCWD, path_.parent_path().c_str(), times, 0), 0);
  tree::NodePtr stored = capture();
  for (bool in_place : {false, true}) {
    const fs::path folder = in_place ? path_.parent_path() : root_ / "elsewhere" / "deep";
    if (in_place) fs::remove_all(folder);
    apply(stored, in_place ? std::nullopt : std::optional<fs::path>(folder));
    EXPECT_EQ(names_in(folder), std::vector<std::string>{"Symantec_CMDB.db"});
    EXPECT_EQ(bytes_of(folder / "Symantec_CMDB.db"), content_of(stored));
    struct stat file{}, directory{};
    ASSERT_EQ(::stat((folder / "Symantec_CMDB.db").c_str(), &file), 0);
    ASSERT_EQ(::stat(folder.c_str(), &directory), 0);
    EXPECT_EQ(file.st_mode & 07777U, 0640U);
    EXPECT_EQ(file.st_uid, 1234U);
    EXPECT_EQ(file.st_gid, 2345U);
    EXPECT_EQ(file.st_mtim.tv_sec, 1'600'000'000);
    EXPECT_EQ(file.st_mtim.tv_nsec, 123'456'789);
    EXPECT_EQ(directory.st_mtim.tv_sec, 1'600'000'000);
    Application app(folder / "Symantec_CMDB.db");
    EXPECT_EQ(app.text("PRAGMA journal_mode"), "wal");
    EXPECT_EQ(app.number("SELECT count(*) FROM Item"), 300);
  }
  EXPECT_TRUE(findings_.empty());
}

TEST_F(SqliteTest, a_wal_of_another_database_is_never_combined_with_the_restored_one) {
  make_database();
  tree::NodePtr stored = capture();
  {
    Application app(path_);
    app.run("PRAGMA wal_autocheckpoint=0; DELETE FROM Item");
    fs::copy_file(path_.string() + "-wal", root_ / "kept-wal");
  }
  for (bool with_database : {true, false}) {
    if (!with_database) fs::remove(path_);
    fs::copy_file(root_ / "kept-wal", path_.string() + "-wal", fs::copy_options::overwrite_existing);
    std::ofstream(path_.string() + "-journal") << "left over";
    apply(stored);
    EXPECT_EQ(names_in(path_.parent_path()), std::vector<std::string>{"Symantec_CMDB.db"});
    EXPECT_EQ(bytes_of(path_), content_of(stored));
    EXPECT_EQ(Application(path_).number("SELECT count(*) FROM Item"), 300);
  }
}

TEST_F(SqliteTest, a_database_in_use_is_not_replaced_nor_set_aside) {
  make_database();
  tree::NodePtr stored = capture();
  Application app(path_);
  ASSERT_EQ(app.number("SELECT count(*) FROM Item"), 300);
  const Bytes before = bytes_of(path_);
  EXPECT_EQ(code_of([&] { apply(stored); }), Code::busy);
  EXPECT_EQ(code_of([&] { adapter_.set_aside(spec_, world_, "x"); }), Code::busy);
  EXPECT_EQ(bytes_of(path_), before);
  EXPECT_EQ(names_in(path_.parent_path()).size(), 3U);
  EXPECT_EQ(code_of([&] { apply(stored, std::nullopt, false); }), Code::already_exists);
}

TEST_F(SqliteTest, a_hostile_stored_item_touches_nothing) {
  make_database();
  const Bytes before = bytes_of(path_);
  tree::Entry folder, file, link;
  folder.kind = tree::Kind::directory;
  file.kind = tree::Kind::file;
  file.name = "Symantec_CMDB.db";
  link = file;
  link.kind = tree::Kind::symlink;
  link.target = "/etc/passwd";
  const Bytes garbage = to_bytes(std::string(8192, 'g'));
  auto with_content = [&](const std::string& name, const Bytes& content) {
    tree::Entry entry = file;
    entry.name = name;
    entry.size = content.size();
    return testing::make_file(entry, content);
  };
  EXPECT_EQ(code_of([&] { apply(testing::make_directory(folder, {})); }), Code::damaged);
  EXPECT_EQ(code_of([&] { apply(testing::make_directory(folder, {testing::make_node(link)})); }), Code::damaged);
  EXPECT_EQ(code_of([&] { apply(testing::make_directory(folder, {with_content("..", garbage)})); }), Code::damaged);
  EXPECT_EQ(code_of([&] { apply(testing::make_directory(folder, {with_content("../../x", garbage)}), root_ / "t"); }), Code::damaged);
  EXPECT_EQ(code_of([&] { apply(testing::make_directory(folder, {with_content("a", garbage), with_content("b", garbage)})); }), Code::damaged);
  EXPECT_EQ(code_of([&] { apply(with_content("a", garbage)); }), Code::damaged);
  EXPECT_EQ(code_of([&] { apply(testing::make_directory(folder, {with_content("Other.db", garbage)})); }), Code::precondition);
  EXPECT_EQ(code_of([&] { apply(testing::make_directory(folder, {with_content(file.name, garbage)})); }), Code::damaged);
  Bytes cut = before;
  cut.resize(cut.size() / 2);
  EXPECT_EQ(code_of([&] { apply(testing::make_directory(folder, {with_content(file.name, cut)})); }), Code::damaged);
  EXPECT_EQ(bytes_of(path_), before);
  EXPECT_EQ(names_in(path_.parent_path()), std::vector<std::string>{"Symantec_CMDB.db"});
}

TEST_F(SqliteTest, set_aside_renames_and_can_be_undone_and_repeated) {
  EXPECT_EQ(adapter_.live_name(spec_, world_), std::nullopt);
  EXPECT_EQ(adapter_.set_aside(spec_, world_, "2026"), "");
  make_database();
  EXPECT_EQ(adapter_.live_name(spec_, world_), "Symantec_CMDB");
  const Bytes before = bytes_of(path_);
  const fs::path aside = path_.parent_path() / "Symantec_CMDB.set-aside-2026.db";
  EXPECT_EQ(adapter_.set_aside(spec_, world_, "2026"), aside.string());
  EXPECT_EQ(names_in(path_.parent_path()), std::vector<std::string>{aside.filename().string()});
  EXPECT_EQ(bytes_of(aside), before);
  EXPECT_EQ(adapter_.set_aside(spec_, world_, "2026"), "");
  adapter_.undo_set_aside(spec_, world_, "2026");
  adapter_.undo_set_aside(spec_, world_, "2026");
  EXPECT_EQ(bytes_of(path_), before);
  EXPECT_EQ(code_of([&] { adapter_.set_aside(spec_, world_, "../x"); }), Code::usage);
  // Never over another one.
  std::ofstream(aside) << "something else";
  EXPECT_EQ(code_of([&] { adapter_.set_aside(spec_, world_, "2026"); }), Code::already_exists);
  EXPECT_EQ(bytes_of(path_), before);
  fs::remove(path_);
  fs::remove(aside);
  EXPECT_EQ(code_of([&] { adapter_.undo_set_aside(spec_, world_, "2026"); }), Code::not_found);
}

TEST_F(SqliteTest, setting_aside_a_broken_database_keeps_all_its_files_and_goes_on_after_a_kill) {
  std::ofstream(path_) << std::string(5000, 'b');
  std::ofstream(path_.string() + "-wal") << "w";
  std::ofstream(path_.string() + "-shm") << "s";
  // As a run leaves it that was killed between two renames.
  const std::string aside = (path_.parent_path() / "Symantec_CMDB.set-aside-1.db").string();
  fs::rename(path_.string() + "-wal", aside + "-wal");
  EXPECT_EQ(adapter_.set_aside(spec_, world_, "1"), aside);
  EXPECT_EQ(fs::file_size(aside), 5000U);
  EXPECT_EQ(bytes_of(aside + "-wal"), to_bytes("w"));
  EXPECT_EQ(bytes_of(aside + "-shm"), to_bytes("s"));
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(SqliteTest, fix_up_counts_then_changes_in_one_transaction_and_again_changes_nothing) {
  make_database();
  const timespec times[2] = {{1'600'000'000, 0}, {1'600'000'000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path_.parent_path().c_str(), times, 0), 0);
  auto counted = adapter_.count(spec_, world_, cancel_tasks_);
  ASSERT_EQ(counted.size(), 2U);
  EXPECT_EQ(counted[0].table, "ServerTaskInstanceRequests");
  EXPECT_EQ(counted[0].before, 2U);
  EXPECT_EQ(counted[1].before, 2U);
  EXPECT_EQ(counted[1].changed, 0U);
  auto changed = adapter_.fix_up(spec_, world_, cancel_tasks_);
  EXPECT_EQ(changed[0].changed, 2U);
  EXPECT_EQ(changed[1].changed, 2U);
  EXPECT_EQ(names_in(path_.parent_path()), std::vector<std::string>{"Symantec_CMDB.db"});
  EXPECT_EQ(platform::open_source_directory(path_.parent_path())->self().modified.seconds, 1'600'000'000);
  EXPECT_EQ(Application(path_).text("SELECT group_concat(InstanceStatus) FROM TaskInstanceStatus"), "3,3,2,3");
  changed = adapter_.fix_up(spec_, world_, cancel_tasks_);
  EXPECT_EQ(changed[0].before + changed[0].changed + changed[1].before + changed[1].changed, 0U);
}

TEST_F(SqliteTest, a_fix_up_that_fails_changes_nothing) {
  make_database();
  auto actions = cancel_tasks_;
  actions.push_back({"ClientTaskInstanceRequests", true, "", ""});
  EXPECT_EQ(code_of([&] { adapter_.count(spec_, world_, actions); }), Code::precondition);
  EXPECT_EQ(code_of([&] { adapter_.fix_up(spec_, world_, actions); }), Code::precondition);
  actions.back() = {"TaskInstanceStatus", false, "NoSuchColumn=1", ""};
  EXPECT_EQ(code_of([&] { adapter_.fix_up(spec_, world_, actions); }), Code::failed);
  actions.back() = {"TaskInstanceStatus", false, "InstanceStatus=1", "1=1; DROP TABLE Item"};
  EXPECT_EQ(code_of([&] { adapter_.fix_up(spec_, world_, actions); }), Code::config);
  Application app(path_);
  EXPECT_EQ(app.number("SELECT count(*) FROM ServerTaskInstanceRequests"), 2);
  EXPECT_EQ(app.number("SELECT count(*) FROM TaskInstanceStatus WHERE InstanceStatus<=1"), 2);
  EXPECT_EQ(app.number("SELECT count(*) FROM Item"), 300);
}

TEST_F(SqliteTest, triggers_and_views_of_a_hostile_database_do_not_run) {
  make_database();
  ASSERT_TRUE(Application(path_).run(
      "CREATE TRIGGER t1 AFTER DELETE ON ServerTaskInstanceRequests BEGIN DELETE FROM Item; END;"
      "CREATE TRIGGER t2 AFTER UPDATE ON TaskInstanceStatus BEGIN DELETE FROM Item; END;"
      "CREATE VIEW Endless AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT i FROM n;"));
  auto changed = adapter_.fix_up(spec_, world_, cancel_tasks_);
  EXPECT_EQ(changed[0].changed + changed[1].changed, 4U);
  EXPECT_EQ(Application(path_).number("SELECT count(*) FROM Item"), 300);
  EXPECT_EQ(code_of([&] { adapter_.query(spec_, world_, "SELECT count(*) FROM Endless"); }), Code::failed);
}

TEST_F(SqliteTest, queries_only_read) {
  make_database();
  auto rows = adapter_.query(spec_, world_, "SELECT InstanceStatus, NULL, hex(x'00ff') FROM TaskInstanceStatus LIMIT 1;");
  EXPECT_EQ(rows, (std::vector<std::vector<std::string>>{{"0", "", "00FF"}}));
  EXPECT_EQ(code_of([&] { adapter_.query(spec_, world_, "DELETE FROM Item"); }), Code::config);
  EXPECT_EQ(code_of([&] { adapter_.query(spec_, world_, "SELECT 1; DELETE FROM Item"); }), Code::config);
  EXPECT_EQ(code_of([&] { adapter_.query(spec_, world_, " "); }), Code::config);
  EXPECT_EQ(code_of([&] { adapter_.query(spec_, world_, "SELECT * FROM NoSuchTable"); }), Code::failed);
  EXPECT_EQ(Application(path_).number("SELECT count(*) FROM Item"), 300);
}

TEST_F(SqliteTest, diff_tells_schema_and_rows) {
  make_database();
  tree::NodePtr before = capture();
  EXPECT_TRUE(adapter_.diff(before, capture()).empty());
  EXPECT_EQ(adapter_.diff(nullptr, before).at(0).kind, Change::Kind::added);
  EXPECT_EQ(adapter_.diff(before, nullptr).at(0).kind, Change::Kind::removed);
  { Application(path_).run("UPDATE Item SET Name='x' WHERE rowid=1"); }
  tree::NodePtr touched = capture();
  ASSERT_EQ(adapter_.diff(before, touched).size(), 1U);
  EXPECT_EQ(adapter_.diff(before, touched)[0].where, "Symantec_CMDB.db");
  { Application(path_).run("CREATE TABLE New(a); DROP TABLE \"odd \"\"name\"; DELETE FROM Item WHERE rowid<=10"); }
  auto changes = adapter_.diff(before, capture());
  ASSERT_EQ(changes.size(), 3U);
  EXPECT_EQ(changes[0].where, "table odd \"name");
  EXPECT_EQ(changes[1].where, "table New");
  EXPECT_EQ(changes[2].where, "rows of Item");
  EXPECT_EQ(changes[2].before + ">" + changes[2].after, "300>290");
}

TEST_F(SqliteTest, check_compares_the_live_database_with_the_stored_one) {
  make_database();
  tree::NodePtr stored = capture();
  auto verdict = [&](const ItemSpec& spec) {
    CaptureContext context = capture_context();
    std::string text;
    for (const CheckResult& result : adapter_.check(spec, stored, context))
      text += std::string(result.passed ? "+" : "-") + result.name + ";";
    return text;
  };
  EXPECT_EQ(verdict(spec_), "+database name;+database opens and is whole;+every table has its rows;");
  adapter_.fix_up(spec_, world_, cancel_tasks_);
  EXPECT_EQ(verdict(spec_), "+database name;+database opens and is whole;-every table has its rows;");
  ItemSpec fixed = spec_;
  fixed.options[kFixedUpTables] = std::vector<std::string>{"ServerTaskInstanceRequests", "TaskInstanceStatus"};
  EXPECT_EQ(verdict(fixed), "+database name;+database opens and is whole;+every table has its rows;");
  { Application(path_).run("DELETE FROM Item WHERE rowid=7"); }
  EXPECT_EQ(verdict(fixed), "+database name;+database opens and is whole;-every table has its rows;");
  fs::remove(path_);
  EXPECT_EQ(verdict(fixed), "+database name;-database opens and is whole;");
}

TEST_F(SqliteTest, cancelling_stops_a_capture) {
  make_database();
  cancel_.raise();
  EXPECT_EQ(code_of([&] { capture(); }), Code::interrupted);
}

TEST_F(SqliteTest, places_and_names) {
  EXPECT_EQ(adapter_.covers(spec_).front(), path_);
  EXPECT_EQ(adapter_.export_name(spec_).first, "cmdb.Symantec_CMDB");
  make_database();
  EXPECT_EQ(adapter_.estimate(spec_, world_), fs::file_size(path_));
}

}  // namespace
}  // namespace holdfast::item
