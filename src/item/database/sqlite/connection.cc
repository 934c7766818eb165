#include "item/database/sqlite/connection.h"

#include <sqlite3.h>

#include <string_view>

#include "base/text.h"

namespace holdfast::item {
namespace {

constexpr int kLockWait = 10'000;         // ms: longer than any statement of a well-behaved application holds the lock
constexpr int kStepsBetweenChecks = 4096; // virtual machine steps, well under a millisecond

Code code_of(int result) {
  switch (result & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return Code::busy;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return Code::damaged;
    case SQLITE_FULL: return Code::no_space;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY: return Code::permission;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN: return Code::io;
    case SQLITE_INTERRUPT: return Code::interrupted;
    default: return Code::failed;
  }
}

// A path as a URI: SQLite decodes %XX, so every byte that could mean something else is written that way.
std::string file_uri(const platform::Path& path, std::string_view parameters) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string uri = "file:";
  for (char c : path.generic_string()) {
    const auto byte = static_cast<unsigned char>(c);
    if (kPlain.find(c) != std::string_view::npos) uri += c;
    else uri += {'%', kHex[byte >> 4], kHex[byte & 15]};
  }
  return uri + "?" + std::string(parameters);
}

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

Statement prepare(Connection& connection, const std::string& sql) {
  sqlite3_stmt* raw = nullptr;
  const char* tail = nullptr;
  int result = sqlite3_prepare_v2(connection.handle(), sql.data(), static_cast<int>(sql.size()), &raw, &tail);
  Statement statement(raw);
  if (result != SQLITE_OK) throw connection.error(result, "ask");
  const std::string_view rest = trim(std::string_view(tail, static_cast<std::size_t>(sql.data() + sql.size() - tail)));
  if (!statement || !(rest.empty() || rest == ";"))
    throw Error(Code::config, "cannot ask database " + connection.label() + ": this is not one SQL statement: " +
                                  printable(sql));
  return statement;
}

int raised(void* cancel) { return static_cast<const Cancel*>(cancel)->raised() ? 1 : 0; }

}  // namespace

void Connection::Close::operator()(sqlite3* db) const { sqlite3_close_v2(db); }

Connection::Connection(const platform::Path& path, Mode mode, std::string label, const std::string& vfs)
    : label_(std::move(label)) {
  int flags = SQLITE_OPEN_READONLY;
  if (mode == Mode::read_write) flags = SQLITE_OPEN_READWRITE;
  if (mode == Mode::scratch) flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  flags |= SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const std::string uri = file_uri(path, mode == Mode::immutable ? "immutable=1" : "");
  sqlite3* raw = nullptr;
  int result = sqlite3_open_v2(uri.c_str(), &raw, flags, vfs.empty() ? nullptr : vfs.c_str());
  db_.reset(raw);
  if (result != SQLITE_OK) throw error(result, "open");
  // Defensive forbids to go without a journal, which is what a scratch database is for.
  if (mode != Mode::scratch) sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  // Of a hostile database they could go on for ever, or change more than was asked for. TRUNCATE of other engines runs none either.
  for (int what : {SQLITE_DBCONFIG_ENABLE_TRIGGER, SQLITE_DBCONFIG_ENABLE_VIEW}) sqlite3_db_config(raw, what, 0, nullptr);
  wait_for_locks(kLockWait);
  execute("PRAGMA temp_store=MEMORY");
  execute("PRAGMA cell_size_check=ON");
}

Error Connection::error(int result, const std::string& doing) {
  // The connection knows more words, when it is the one that failed (a backup fails for two).
  const bool own = db_ && (sqlite3_errcode(db_.get()) & 0xFF) == (result & 0xFF);
  const char* words = own ? sqlite3_errmsg(db_.get()) : sqlite3_errstr(result);
  const Code code = code_of(result);
  Error e(code, "cannot " + doing + " database " + label_ + ": " + printable(words));
  if (code == Code::busy) return std::move(e).hint("stop the programs that use it, or try again when they are idle");
  return e;
}

void Connection::execute(const std::string& sql) {
  int result = sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) throw error(result, "use");
}

void Connection::read(const std::string& sql, const std::function<void(const Row&)>& row) {
  Statement statement = prepare(*this, sql);
  if (!sqlite3_stmt_readonly(statement.get()))
    throw Error(Code::config, "cannot ask database " + label_ + ": this statement would change it: " + printable(sql));
  const int columns = sqlite3_column_count(statement.get());
  int result;
  while ((result = sqlite3_step(statement.get())) == SQLITE_ROW) {
    Row values;
    for (int i = 0; i < columns; ++i) {
      const void* data = sqlite3_column_blob(statement.get(), i);
      values.emplace_back(static_cast<const char*>(data ? data : ""),
                          static_cast<std::size_t>(sqlite3_column_bytes(statement.get(), i)));
    }
    row(values);
  }
  if (result != SQLITE_DONE) throw error(result, "read");
}

std::vector<Connection::Row> Connection::rows(const std::string& sql) {
  std::vector<Row> all;
  read(sql, [&](const Row& row) { all.push_back(row); });
  return all;
}

std::string Connection::text(const std::string& sql) {
  const std::vector<Row> all = rows(sql);
  return all.empty() || all.front().empty() ? "" : all.front().front();
}

std::uint64_t Connection::number(const std::string& sql) {
  Statement statement = prepare(*this, sql);
  int result = sqlite3_step(statement.get());
  if (result == SQLITE_DONE) return 0;
  if (result != SQLITE_ROW) throw error(result, "read");
  const sqlite3_int64 value = sqlite3_column_int64(statement.get(), 0);
  return value < 0 ? 0 : static_cast<std::uint64_t>(value);
}

std::uint64_t Connection::change(const std::string& sql) {
  Statement statement = prepare(*this, sql);
  int result;
  while ((result = sqlite3_step(statement.get())) == SQLITE_ROW) {}
  if (result != SQLITE_DONE) throw error(result, "change");
  return static_cast<std::uint64_t>(sqlite3_changes64(db_.get()));
}

void Connection::stop_on(const Cancel& cancel) {
  sqlite3_progress_handler(db_.get(), kStepsBetweenChecks, raised, const_cast<Cancel*>(&cancel));
}

void Connection::wait_for_locks(int milliseconds) { sqlite3_busy_timeout(db_.get(), milliseconds); }

std::string quote_identifier(const std::string& name) {
  std::string quoted = "\"";
  for (char c : name) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

}  // namespace holdfast::item
