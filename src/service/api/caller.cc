#include "service/api/caller.h"

#include <chrono>

#include "base/error.h"
#include "base/text.h"
#include "crypto/secret.h"

namespace holdfast::service {
namespace {

constexpr std::string_view kBearer = "Bearer ";

bool changes_something(http::Method method) {
  return method != http::Method::get && method != http::Method::head && method != http::Method::options;
}

// As what it is: hint() alone would throw the Error in it, and lose its status.
[[noreturn]] void refuse(int status, const std::string& what, const std::string& hint) {
  http::Refusal refusal(status, what,
                        status == 401 ? http::Fields{{"WWW-Authenticate", "Bearer"}} : http::Fields{});
  refusal.hint(hint);
  throw refusal;
}

std::optional<Right> right_named(std::string_view name) {
  for (Right right : all_rights())
    if (to_text(right) == name) return right;
  return std::nullopt;
}

}  // namespace

Guard::Guard(Sessions& sessions, Tokens& tokens, Audit& audit, platform::Clock& clock)
    : sessions_(sessions), tokens_(tokens), audit_(audit), clock_(clock) {}

Caller Guard::caller_of(const http::Request& request) {
  Caller caller;
  caller.address = request.peer;
  if (const auto sent = request.header("Authorization")) {
    if (!sent->starts_with(kBearer))
      refuse(401, "cannot sign in: Authorization is not 'Bearer TOKEN'", "POST /api/v1/tokens makes a token");
    caller.credential = trim(sent->substr(kBearer.size()));
    const auto token = tokens_.find(caller.credential);
    if (!token)
      refuse(401, "cannot sign in: there is no such token, or it has expired",
             "an administrator makes another one");
    caller.who = token->label;
    caller.by_token = true;
    caller.role = token->role;
    return caller;
  }
  const auto cookie = request.cookie(kSessionCookie);
  const auto session = cookie ? sessions_.find(*cookie) : std::nullopt;
  if (!session) refuse(401, "not signed in, or the session has ended", "sign in again");
  if (changes_something(request.method)) {
    const auto csrf = request.header(kCsrfHeader);
    if (!csrf || !crypto::equal(as_bytes(*csrf), as_bytes(session->csrf)))
      refuse(403, "the header " + std::string(kCsrfHeader) + " is missing or wrong",
             "GET /api/v1/session tells its value");
  }
  caller.who = session->user;
  caller.role = session->role;
  caller.credential = *cookie;
  caller.csrf = session->csrf;
  caller.seconds_left = session->seconds_left;
  return caller;
}

void Guard::operator()(http::Request& request, const http::Route& route) {
  if (route.right == kNoSignIn) return;
  Caller caller = caller_of(request);
  if (route.right != kAnySignIn && route.right != kByKind) {
    const auto right = right_named(route.right);
    if (!right)
      throw Error(Code::defect,
                  "the route " + route.pattern + " names the unknown right '" + route.right + "'");
    require(caller, *right, std::string(http::to_text(request.method)) + " " + route.pattern);
  }
  request.caller = std::move(caller);
}

bool Guard::still(const Caller& caller, Right right) {
  if (caller.by_token) {
    const auto token = tokens_.find(caller.credential);
    return token && may(token->role, right);
  }
  const auto session = sessions_.peek(caller.credential);
  return session && may(session->role, right);
}

void Guard::require(const Caller& caller, Right right, std::string_view what) {
  if (may(caller.role, right)) return;
  write_down(caller, what, to_text(right));
  refuse(403, "this needs the right '" + std::string(to_text(right)) + "'", "ask an administrator");
}

void Guard::write_down(const Caller& caller, std::string_view what, std::string_view right) {
  std::string detail = "needs the right " + std::string(right);
  {
    std::lock_guard lock(mutex_);
    const auto now = clock_.elapsed();
    if (now - hour_began_ >= std::chrono::hours(1)) {
      hour_began_ = now;
      entries_ = 0;
    }
    if (++entries_ > kEntriesAnHour) {
      ++untold_;
      return;
    }
    if (untold_ != 0) detail += "; " + std::to_string(untold_) + " refusals before it have no entry";
    untold_ = 0;
  }
  audit_.record(caller.actor(), "access", what, "refused", detail);
}

const Caller& caller_of(const http::Request& request) {
  const auto* caller = std::any_cast<Caller>(&request.caller);
  if (caller == nullptr)
    throw Error(Code::defect, "a handler asks for the caller of a route without sign-in");
  return *caller;
}

}  // namespace holdfast::service
