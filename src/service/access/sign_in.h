// Signing in with a name and a password.
//
// - A wrong name and a wrong password have the same answer and the same work: one hash, two transactions.
// - Failures are counted by name and by address; after five each further try waits twice as long, up to 15 minutes (failures.h). A try is counted as
//   failed, durably, before its password is looked at and taken back when it was right: tries at the same time and a killed service gain nothing.
//   A try that comes too early is not looked at, whatever its password.
// - Each failure has its entry in the audit log, up to kEntriesAnHour; what goes beyond is counted and told in one entry, so that an attack does not
//   fill the disk.
// A second factor has its place here: as a further outcome, with a session that opens nothing until it was given.
// Thread-safe; takes as long as a password's hash, or as the wait for one (Passwords::turn).
#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>

#include "service/access/failures.h"
#include "service/access/passwords.h"
#include "service/access/sessions.h"

namespace holdfast::service {

struct SignInAnswer {
  enum class Outcome {
    signed_in,
    refused,    // wrong name or password
    wait,       // too early: not looked at
  };
  Outcome outcome = Outcome::refused;
  std::chrono::seconds wait{0};   // of `wait`: how long until a try is looked at
  std::string session, csrf;      // of `signed_in`
};

class SignIn {
 public:
  static constexpr std::int64_t kEntriesAnHour = 60;

  SignIn(StateFile& state, Audit& audit, Passwords& passwords, Sessions& sessions, platform::Clock& clock);
  // Error(unavailable): too many at a time, or no memory. Any error of writing (no_space): nobody was signed in.
  SignInAnswer try_password(std::string_view name, ByteView typed, const std::string& address);

 private:
  struct Try;
  std::chrono::seconds wait(Transaction& transaction, const Try& t);
  SignInAnswer succeed(Transaction& change, const Try& t);
  void fail(Transaction& change, const Try& t);
  void tell_untold(Transaction& change);

  StateFile& state_;
  Audit& audit_;
  Passwords& passwords_;
  Sessions& sessions_;
  platform::Clock& clock_;
  Failures failures_;
  PassedTime time_;
  std::atomic<std::int64_t> too_early_{0};   // tries since the last entry that were not looked at
};

}  // namespace holdfast::service
