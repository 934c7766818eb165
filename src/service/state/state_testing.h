// What the tests of this room share: a disk that fails, is killed or loses power under SQLite; the parts of the service over one state folder.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/bytes.h"
#include "base/testing.h"
#include "platform/testing.h"
#include "service/access/audit.h"
#include "service/jobs/jobs.h"
#include "service/access/passwords.h"
#include "service/access/sessions.h"
#include "service/access/sign_in.h"
#include "service/state/state_file.h"
#include "service/access/tokens.h"
#include "service/access/users.h"

namespace holdfast::service {

// A file system of SQLite's over the real one: counts every call that changes something and hits the Nth. Syncs are not passed on: what a test
// calls lost is lost by lose_power(). One at a time in a process; not thread-safe.
class Disk {
 public:
  Disk();
  ~Disk();
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;
  std::string name() const { return "holdfast-test-disk"; }

  // io_late_once: as io_once, but a file that was to be removed is gone all the same: a commit that fails and has happened.
  enum class Fault { full_once, full_from_then_on, io_once, io_from_then_on, killed, io_late_once };
  // The `nth` change from now: fails; or is the last thing that happens, done by half when it is a write.
  void strike(std::uint64_t nth, Fault fault);
  // No fault any more, counter at zero, what is there now is durable.
  void reset();
  std::uint64_t changes() const { return changes_; }
  std::uint64_t reads() const { return reads_; }   // pages that were read, since reset()
  bool struck() const { return struck_; }
  // What was not synced is lost; with a seed in part, sector by sector. No file may be open.
  void lose_power(std::optional<std::uint64_t> seed);

  // For the functions that SQLite calls.
  int change();              // SQLITE_OK, or what the call must return
  bool take_half_write();
  bool late() const { return fault_ == Fault::io_late_once; }
  void read() { ++reads_; }
  void synced(const std::string& path, Bytes content);
  void touched(const std::string& path);
  void removed(const std::string& path, bool durably);

 private:
  std::uint64_t changes_ = 0, in_ = 0, reads_ = 0;
  std::optional<Fault> fault_;
  bool struck_ = false, half_ = false;
  std::map<std::string, Bytes> durable_;
  std::set<std::string> touched_;
};

// A derivation that takes no time and counts.
struct CountingKdf {
  std::atomic<int> calls{0}, running{0}, most{0};
  Passwords::Kdf function();
};

// The service's parts as `serve` puts them together.
struct Parts {
  Parts(const platform::Path& folder, platform::Clock& clock, platform::Entropy& entropy, CountingKdf& kdf, StateFile::Use use = StateFile::Use::service,
        const std::string& vfs = "", platform::FileSystem& files = platform::real_file_system());
  StateFile state;
  Audit audit;
  Passwords passwords;
  Users users;
  Tokens tokens;
  Sessions sessions;
  SignIn sign_in;
  Jobs jobs;
};

inline const Actor kTester{"tester", "test"};
inline ByteView password(std::string_view text) { return as_bytes(text); }

// As a service that starts.
std::vector<Job> interrupt_unfinished(Parts& parts);

// Every row of every table, as text.
std::string dump(const platform::Path& folder);
// Runs SQL on the state file as a stranger would, with the audit log's triggers taken off.
void tamper(const platform::Path& folder, const std::string& sql);
// A copy of the folder's files.
void copy_folder(const platform::Path& from, const platform::Path& to);

}  // namespace holdfast::service
