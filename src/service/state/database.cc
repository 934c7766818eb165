#include "service/state/database.h"

#include <sqlite3.h>

#include <utility>

#include "base/text.h"

namespace holdfast::service {
namespace {

constexpr int kLockWait = 10'000;   // ms: the verbs and the service hold the file for milliseconds at a time

Code code_of(int result, int system) {
  switch (result & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return Code::busy;
    // Our statements are fixed and tested: one that cannot be understood means that a table is not what it was.
    case SQLITE_ERROR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return Code::damaged;
    case SQLITE_FULL: return Code::no_space;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY: return Code::permission;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN: return system != 0 ? code_of_errno(system) : Code::io;
    default: return Code::failed;
  }
}

}  // namespace

Statement::Statement(Database& database, std::string_view sql) : database_(&database) {
  check(sqlite3_prepare_v2(database.handle_, sql.data(), static_cast<int>(sql.size()), &statement_, nullptr));
}

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_), statement_(std::exchange(other.statement_, nullptr)) {}

Statement::~Statement() { sqlite3_finalize(statement_); }

void Statement::check(int result) {
  if (result != SQLITE_OK) database_->fail(result);
}

void Statement::bind(int at, std::string_view value) {
  check(sqlite3_bind_text64(statement_, at, value.data() == nullptr ? "" : value.data(), value.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}

void Statement::bind(int at, ByteView value) {
  check(sqlite3_bind_blob64(statement_, at, value.data() == nullptr ? reinterpret_cast<const std::uint8_t*>("") : value.data(), value.size(),
                            SQLITE_TRANSIENT));
}

void Statement::bind_integer(int at, std::int64_t value) { check(sqlite3_bind_int64(statement_, at, value)); }

bool Statement::step() {
  const int result = sqlite3_step(statement_);
  if (result != SQLITE_ROW && result != SQLITE_DONE) database_->fail(result);
  return result == SQLITE_ROW;
}

bool Statement::null(int column) { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

std::int64_t Statement::integer(int column) { return sqlite3_column_int64(statement_, column); }

std::string Statement::text(int column) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return text == nullptr ? "" : std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}

Bytes Statement::blob(int column) {
  const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
  return data == nullptr ? Bytes{} : Bytes(data, data + sqlite3_column_bytes(statement_, column));
}

Database::Database(const platform::Path& file, const std::string& vfs) : file_(file) {
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int result = sqlite3_open_v2(file.c_str(), &handle_, flags, vfs.empty() ? nullptr : vfs.c_str());
  try {
    if (result != SQLITE_OK) fail(result);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
    sqlite3_busy_timeout(handle_, kLockWait);
    // 512 KiB of pages: the whole of what is asked often.
    execute("PRAGMA cache_size=-512; PRAGMA temp_store=MEMORY; PRAGMA cell_size_check=ON; PRAGMA foreign_keys=ON; "
            "PRAGMA synchronous=EXTRA; PRAGMA secure_delete=ON");
  } catch (...) {
    sqlite3_close_v2(handle_);
    throw;
  }
}

Database::~Database() { sqlite3_close_v2(handle_); }

void Database::fail(int result) {
  const int system = handle_ != nullptr ? sqlite3_system_errno(handle_) : 0;
  const std::string why = handle_ != nullptr ? sqlite3_errmsg(handle_) : sqlite3_errstr(result);
  const Code code = code_of(result, system);
  Error error(code, "cannot use the service's state file " + printable(file_.native()) + ": " + printable(why));
  if (code == Code::damaged)
    error.safe("no backup is touched: recovery points do not need this file")
        .hint("put an older copy of it in its place, or move it away: 'holdfast user add NAME --role administrator' then begins a new one, without users, "
              "history and audit log");
  if (code == Code::busy) error.hint("another holdfast process holds it: try again");
  throw error;
}

void Database::execute(const std::string& sql) {
  const int result = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) fail(result);
}

std::int64_t Database::number(std::string_view sql) {
  Statement statement = ask(sql);
  return statement.step() ? statement.integer(0) : 0;
}

std::int64_t Database::changes() const { return sqlite3_changes64(handle_); }
std::int64_t Database::last_insert() const { return sqlite3_last_insert_rowid(handle_); }
bool Database::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

}  // namespace holdfast::service
