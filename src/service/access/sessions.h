// Sessions of signed-in users: a random 256-bit name that only the browser has (the file keeps its hash), 12 hours at most, 30 minutes without use.
//
// What a session may is its user's role at the time of the request. It ends when the user signs out, is removed or has a new password (users.h).
// Its CSRF token follows from its name, so that it is nowhere kept. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "platform/entropy.h"
#include "service/access/audit.h"
#include "service/access/passed_time.h"
#include "service/access/rights.h"

namespace holdfast::service {

struct Session {
  std::string user;
  Role role = Role::viewer;
  std::string csrf;           // what X-Holdfast-CSRF must be: compare with crypto::equal
  std::int64_t seconds_left;  // until it ends although it is used
};

class Sessions {
 public:
  static constexpr std::int64_t kLife = 12 * 3600, kIdle = 30 * 60;   // seconds
  static constexpr std::int64_t kSeenEvery = 60;                      // seconds: a request does not write each time
  static constexpr int kOfOneUser = 32;                               // more end the oldest

  // Ends the sessions that are dated ahead of the clock: it was set back, and nobody knows how long they were idle.
  Sessions(StateFile& state, Audit& audit, platform::Clock& clock, platform::Entropy& entropy);

  struct New { std::string name, csrf; };
  // Part of signing in; the caller writes the entry and commits.
  New begin(Transaction& change, const std::string& user, const std::string& origin);
  // nullopt: there is none of this name, or it has ended. Counts as a use; where that cannot be written (a full disk) the session stays
  // good until kIdle after the last use that could.
  std::optional<Session> find(std::string_view name);
  // The same, and counts as no use: for what lasts by itself while nobody does anything.
  std::optional<Session> peek(std::string_view name);
  // Signing out. Nothing happens when there is no such session.
  void end(std::string_view name, const std::string& origin);

 private:
  struct Found { Session session; std::int64_t last; };   // used last
  std::optional<Found> found(std::string_view name, std::int64_t now);
  void seen(ByteView hash, std::int64_t now);

  StateFile& state_;
  Audit& audit_;
  platform::Entropy& entropy_;
  PassedTime time_;
};

}  // namespace holdfast::service
