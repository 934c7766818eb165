// SQLite as this room needs it: one connection, prepared statements, errors that name the file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "platform/file_system.h"

struct sqlite3;
struct sqlite3_stmt;

namespace holdfast::sample {

class Statement {
 public:
  Statement(sqlite3* database, const std::string& sql, const std::string& name);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // Binds all values from parameter 1 on and runs to the end. Views must live until it returns.
  template <class... Values>
  void run(const Values&... values) {
    start(values...);
    while (step()) {
    }
    reset();
  }
  // Binds and waits for step().
  template <class... Values>
  void start(const Values&... values) {
    reset();
    int at = 0;
    (bind(++at, values), ...);
  }
  bool step();  // true: a row is there
  void reset();
  std::int64_t integer(int column);
  std::string text(int column);

 private:
  void bind(int at, std::string_view value);
  void bind(int at, ByteView value);
  void bind(int at, const Bytes& value) { bind(at, ByteView(value)); }
  void bind(int at, std::int64_t value);
  void check(int result);
  sqlite3* database_;
  sqlite3_stmt* statement_ = nullptr;
  std::string name_;
};

class Sqlite {
 public:
  enum class Open { create, existing };
  Sqlite(const platform::Path& file, Open how);
  ~Sqlite();
  Sqlite(const Sqlite&) = delete;
  Sqlite& operator=(const Sqlite&) = delete;

  void execute(const std::string& sql);  // one or more statements, rows ignored
  Statement prepare(const std::string& sql) { return Statement(database_, sql, name_); }
  std::int64_t integer(const std::string& sql);  // first column of the first row; 0 when there is none
  std::int64_t changes() const;                  // rows of the last insert, update or delete

 private:
  sqlite3* database_ = nullptr;
  std::string name_;
};

}  // namespace holdfast::sample
