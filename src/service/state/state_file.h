// The service's state: one SQLite file, STATE/service.sqlite (mode 0600), and the key of the audit log beside it, STATE/service.key.
//
// What it holds: users, sessions, tokens, the audit log, jobs with their logs, since when schedules are on (schema.cc). No backup
// needs it. What is written is durable when commit() returns, after a killed process and after a power failure: a rollback journal,
// so that all of the state is in one file whenever nobody writes, and nothing is mapped into memory.
//
// One process owns it as the service (STATE/service.lock). Verbs may change it beside that; each transaction sees what others
// committed before it began, so nothing of it is kept in memory between two of them.
//
// A file that is damaged, of a newer version or readable by others stops with an Error and stays as it is. A new one is made under another
// name and gets its name when it is whole; a file of an older version is brought up to date in one transaction, by the service or while none runs.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "crypto/secret.h"
#include "platform/entropy.h"
#include "platform/file_system.h"
#include "service/state/database.h"

namespace holdfast::service {

class StateFile;

// All or nothing. Holds the state for this thread alone until it goes: a thread has one at a time, and does nothing slow in it.
// Without commit() nothing has happened. If commit() throws, the file holds the old state or the new one, whole.
class Transaction {
 public:
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  template <class... Values>
  Statement ask(std::string_view sql, const Values&... values) { return database_.ask(sql, values...); }
  template <class... Values>
  std::int64_t run(std::string_view sql, const Values&... values) { return database_.run(sql, values...); }
  std::int64_t number(std::string_view sql) { return database_.number(sql); }
  std::int64_t last_insert() const { return database_.last_insert(); }
  void commit();

 private:
  friend class StateFile;
  Transaction(Database& database, std::mutex& mutex, const char* begin);
  std::unique_lock<std::mutex> lock_;
  Database& database_;
};

class StateFile {
 public:
  enum class Use {
    service,   // the one owner: Error(busy) when another process is that. Checks the whole file.
    beside,    // a verb
  };
  // Makes `folder` and the files when they are missing. Blocks up to 10 s while another process makes them. `vfs`: SQLite's
  // name of the file system, "" for the operating system's.
  // Errors: busy, damaged, unsupported (a newer version), permission, no_space, io.
  StateFile(platform::FileSystem& files, platform::Entropy& entropy, platform::Path folder, Use use, const std::string& vfs = "");

  // Whether there is one in `folder`, without making it.
  static bool exists(platform::FileSystem& files, const platform::Path& folder);

  // Thread-safe; wait for the transaction of another thread, and up to 10 s for one of another process.
  Transaction read();
  Transaction change();

  // Key for one use, derived from STATE/service.key: "audit", "sign-in".
  crypto::Secret key(std::string_view use) const;
  const platform::Path& folder() const { return folder_; }

 private:
  void load_key();
  void make(const std::string& vfs);
  void bring_up_to_date();
  void check_whole();
  int version() const;

  platform::FileSystem& files_;
  platform::Entropy& entropy_;
  platform::Path folder_, file_;
  std::unique_ptr<platform::FileLock> owner_;
  crypto::Secret key_;
  std::unique_ptr<Database> database_;
  std::mutex mutex_;
};

}  // namespace holdfast::service
