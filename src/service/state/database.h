// SQLite as this room needs it: one connection, statements, errors that name the file. Not thread-safe: StateFile (state_file.h) guards it.
//
// Errors of every function, by code: busy (another process holds the file), damaged, no_space, permission, io, failed.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "platform/file_system.h"

struct sqlite3;
struct sqlite3_stmt;

namespace holdfast::service {

class Database;

// One statement with its values bound, before its first row. NULL reads as 0, "" and no bytes; ask null() where it matters.
class Statement {
 public:
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  Statement& operator=(Statement&&) = delete;

  bool step();   // true: a row is there
  bool null(int column);
  std::int64_t integer(int column);
  std::string text(int column);
  Bytes blob(int column);

 private:
  friend class Database;
  Statement(Database& database, std::string_view sql);
  void bind(int at, std::string_view value);
  void bind(int at, ByteView value);
  void bind(int at, const Bytes& value) { bind(at, ByteView(value)); }
  template <std::integral T>
  void bind(int at, T value) { bind_integer(at, static_cast<std::int64_t>(value)); }
  template <class T>
  void bind(int at, const std::optional<T>& value) {
    if (value) bind(at, *value);   // without a value it stays NULL
  }
  template <std::size_t N, class Tag>
  void bind(int at, const FixedId<N, Tag>& value) { bind(at, value.view()); }
  void bind_integer(int at, std::int64_t value);
  void check(int result);

  Database* database_;
  sqlite3_stmt* statement_ = nullptr;
};

class Database {
 public:
  // `file` exists. Settings: a rollback journal, every commit durable (synchronous=EXTRA), no trust in the schema, deleted content overwritten.
  // `vfs`: "" is the operating system's.
  Database(const platform::Path& file, const std::string& vfs);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void execute(const std::string& sql);   // one or more statements, rows ignored
  // Copies what it binds: the values need not outlive the call.
  template <class... Values>
  Statement ask(std::string_view sql, const Values&... values) {
    Statement statement(*this, sql);
    int at = 0;
    (statement.bind(++at, values), ...);
    return statement;
  }
  // To the end, rows ignored; how many rows it changed.
  template <class... Values>
  std::int64_t run(std::string_view sql, const Values&... values) {
    Statement statement = ask(sql, values...);
    while (statement.step()) {
    }
    return changes();
  }
  std::int64_t number(std::string_view sql);   // first column of the first row; 0 when there is none
  std::int64_t last_insert() const;
  bool in_transaction() const;
  [[noreturn]] void fail(int result);

 private:
  friend class Statement;
  std::int64_t changes() const;
  sqlite3* handle_ = nullptr;
  platform::Path file_;
};

}  // namespace holdfast::service
