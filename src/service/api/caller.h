// Who sends a request, and whether they may: the guard in front of every route of the API.
//
// A request is signed in by a bearer token (programs) or by a session's cookie (browsers). Whatever changes
// something needs the session's CSRF token in X-Holdfast-CSRF as well; a token needs none, because no browser
// sends it by itself. A token that is sent counts alone, whatever the cookie says. Thread-safe.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string>

#include "http/router.h"
#include "service/access/audit.h"
#include "service/access/passed_time.h"
#include "service/access/rights.h"
#include "service/access/sessions.h"
#include "service/access/tokens.h"

namespace holdfast::service {

inline constexpr std::string_view kSessionCookie = "__Host-holdfast", kCsrfHeader = "X-Holdfast-CSRF";

// Rights of routes that are none of the table: no sign-in; anyone who is signed in; the right of the job's
// kind, which the handler looks at (require()).
inline constexpr std::string_view kNoSignIn = "none", kAnySignIn = "any", kByKind = "by-kind";

struct Caller {
  std::string who;  // a user's name, or a token's label
  bool by_token = false;
  Role role = Role::viewer;
  std::string address;
  std::string credential;  // name of the session, or the token
  std::string csrf;
  std::int64_t seconds_left = 0;
  Actor actor() const { return {by_token ? "token " + who : who, address}; }
};

class Guard {
 public:
  Guard(Sessions& sessions, Tokens& tokens, Audit& audit, platform::Clock& clock);
  // For http::Router. Refusal(401): not signed in. Refusal(403): no right, or the CSRF token is missing or
  // wrong.
  void operator()(http::Request& request, const http::Route& route);
  // Whether who began something that lasts is still signed in and has the right. Counts as no use of a session.
  bool still(const Caller& caller, Right right);
  // Refusal(403), with its entry in the audit log.
  void require(const Caller& caller, Right right, std::string_view what);

 private:
  static constexpr int kEntriesAnHour = 60;  // of refusals, so that one who may sign in cannot fill the disk;
                                             // what goes beyond is told as a number

  Caller caller_of(const http::Request& request);
  void write_down(const Caller& caller, std::string_view what, std::string_view right);

  Sessions& sessions_;
  Tokens& tokens_;
  Audit& audit_;
  platform::Clock& clock_;
  std::mutex mutex_;
  std::chrono::nanoseconds hour_began_{};
  int entries_ = 0, untold_ = 0;
};

// Of a request that came through the guard with a sign-in. Error(defect): it did not.
const Caller& caller_of(const http::Request& request);

}  // namespace holdfast::service
