// One SQLite connection: opening, statements, errors. Everything else of this folder goes through it.
//
// Every connection treats what is in the database as hostile (defensive, no trusted schema, no triggers, no views, cell sizes checked) and keeps
// temporary data in memory, so that nothing of it reaches a disk.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"
#include "platform/file_system.h"

struct sqlite3;

namespace holdfast::item {

class Connection {
 public:
  enum class Mode {
    read_only,    // with the locks of other processes respected
    immutable,    // no locks, no file made beside it: the caller makes sure that nobody writes
    read_write,
    scratch,      // read and write, creates; for virtual files
  };
  // `label` names the database in errors. `vfs`: "" is the operating system's. Errors: busy, damaged, permission, io, not_found.
  Connection(const platform::Path& path, Mode mode, std::string label, const std::string& vfs = "");

  void execute(const std::string& sql);
  using Row = std::vector<std::string>;                      // NULL is ""
  // Calls row() for every row of the one statement in `sql`. Error(config) when it is not one statement that only reads.
  void read(const std::string& sql, const std::function<void(const Row&)>& row);
  std::vector<Row> rows(const std::string& sql);
  std::uint64_t number(const std::string& sql);              // first column of the first row; 0 when there is none
  std::string text(const std::string& sql);
  // The one statement in `sql`, whatever it does; returns how many rows it changed. Error(config) when it is not one statement.
  std::uint64_t change(const std::string& sql);

  // Long statements stop with Error(interrupted) once `cancel` is raised; it must outlive the connection.
  void stop_on(const Cancel& cancel);
  void wait_for_locks(int milliseconds);
  sqlite3* handle() { return db_.get(); }
  const std::string& label() const { return label_; }
  // An Error for SQLite's result code: "cannot <doing> database <label>: <SQLite's words>".
  Error error(int result, const std::string& doing);

 private:
  struct Close { void operator()(sqlite3* db) const; };
  std::unique_ptr<sqlite3, Close> db_;
  std::string label_;
};

std::string quote_identifier(const std::string& name);       // "name" with quotes doubled

}  // namespace holdfast::item
