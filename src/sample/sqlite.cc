#include "sample/sqlite.h"

#include <sqlite3.h>

#include "base/error.h"
#include "base/text.h"

namespace holdfast::sample {

namespace {

[[noreturn]] void fail(sqlite3* database, int result, const std::string& name) {
  const int system = database ? sqlite3_system_errno(database) : 0;
  const std::string why = database ? sqlite3_errmsg(database) : sqlite3_errstr(result);
  Code code = Code::failed;
  switch (result & 0xff) {
    case SQLITE_FULL:
      code = Code::no_space;
      break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      code = Code::busy;
      break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      code = Code::damaged;
      break;
    case SQLITE_CANTOPEN:
      code = system ? code_of_errno(system) : Code::not_found;
      break;
    case SQLITE_PERM:
    case SQLITE_READONLY:
      code = Code::permission;
      break;
    case SQLITE_IOERR:
      code = system ? code_of_errno(system) : Code::io;
      break;
    default:
      break;
  }
  throw Error(code, "cannot work on database " + printable(name) + ": " + why);
}

}  // namespace

Statement::Statement(sqlite3* database, const std::string& sql, const std::string& name)
    : database_(database), name_(name) {
  check(sqlite3_prepare_v2(database, sql.data(), static_cast<int>(sql.size()), &statement_, nullptr));
}

Statement::~Statement() { sqlite3_finalize(statement_); }

void Statement::check(int result) {
  if (result != SQLITE_OK) fail(database_, result, name_);
}

void Statement::bind(int at, std::string_view value) {
  check(sqlite3_bind_text(statement_, at, value.data(), static_cast<int>(value.size()), SQLITE_STATIC));
}

void Statement::bind(int at, ByteView value) {
  check(sqlite3_bind_blob(statement_, at, value.data(), static_cast<int>(value.size()), SQLITE_STATIC));
}

void Statement::bind(int at, std::int64_t value) { check(sqlite3_bind_int64(statement_, at, value)); }

bool Statement::step() {
  const int result = sqlite3_step(statement_);
  if (result != SQLITE_ROW && result != SQLITE_DONE) fail(database_, result, name_);
  return result == SQLITE_ROW;
}

void Statement::reset() { sqlite3_reset(statement_); }

std::int64_t Statement::integer(int column) { return sqlite3_column_int64(statement_, column); }

std::string Statement::text(int column) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return text ? std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)))
              : std::string();
}

Sqlite::Sqlite(const platform::Path& file, Open how) : name_(file.string()) {
  const int flags = SQLITE_OPEN_READWRITE | (how == Open::create ? SQLITE_OPEN_CREATE : 0);
  const int result = sqlite3_open_v2(name_.c_str(), &database_, flags, nullptr);
  if (result == SQLITE_OK) {
    sqlite3_busy_timeout(database_, 10'000);
    return;
  }
  try {
    fail(database_, result, name_);
  } catch (...) {
    sqlite3_close_v2(database_);
    throw;
  }
}

Sqlite::~Sqlite() { sqlite3_close_v2(database_); }

void Sqlite::execute(const std::string& sql) {
  const int result = sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) fail(database_, result, name_);
}

std::int64_t Sqlite::integer(const std::string& sql) {
  Statement statement = prepare(sql);
  return statement.step() ? statement.integer(0) : 0;
}

std::int64_t Sqlite::changes() const { return sqlite3_changes64(database_); }

}  // namespace holdfast::sample
