// Signing in and out, and who one is.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "service/api/answer.h"
#include "service/api/routes.h"

namespace holdfast::service {
namespace {

using http::Method;
using http::Request;
using http::Response;

constexpr std::size_t kLongestName = 256;  // bytes; a name that a user can have is shorter

Json session_json(const Caller& caller) {
  Json rights = Json::array();
  for (Right right : all_rights())
    if (may(caller.role, right)) rights.push_back(to_text(right));
  return {{"who", caller.who},
          {"kind", caller.by_token ? "token" : "session"},
          {"role", to_text(caller.role)},
          {"rights", rights},
          {"csrf", caller.by_token ? Json(nullptr) : Json(caller.csrf)},
          {"seconds_left", caller.by_token ? Json(nullptr) : Json(caller.seconds_left)},
          {"next", nullptr}};
}

std::string cookie(const std::string& value, std::int64_t seconds) {
  return std::string(kSessionCookie) + "=" + value + "; Path=/; Max-Age=" + std::to_string(seconds) +
         "; HttpOnly; Secure; SameSite=Strict";
}

// Another site's page can send this request, and would sign its victim in as somebody else. Programs send
// neither header.
void refuse_other_sites(const Request& request) {
  const auto site = request.header("Sec-Fetch-Site");
  const auto origin = request.header("Origin"), host = request.header("Host");
  const bool foreign_origin =
      origin &&
      (!host || (*origin != "https://" + std::string(*host) && *origin != "http://" + std::string(*host)));
  if ((site && *site != "same-origin" && *site != "none") || (!site && foreign_origin))
    throw http::Refusal(403, "cannot sign in: the request comes from another site");
}

[[noreturn]] void refuse_sign_in(const SignInAnswer& answer) {
  if (answer.outcome == SignInAnswer::Outcome::wait)
    throw http::Refusal(
        429, "too many failures: the next try is looked at in " + std::to_string(answer.wait.count()) + " s",
        {{"Retry-After", std::to_string(answer.wait.count())}});
  throw http::Refusal(401, "cannot sign in: wrong name or password");
}

Response sign_in(Services& s, Request& request) {
  refuse_other_sites(request);
  Body body(request);
  const std::string user = body.text("user", kLongestName),
                    password = body.text("password", Passwords::kLongest);
  body.finish();
  const SignInAnswer answer = s.sign_in.try_password(user, as_bytes(password), request.peer);
  if (answer.outcome != SignInAnswer::Outcome::signed_in) refuse_sign_in(answer);
  const auto session = s.sessions.find(answer.session);
  if (!session) throw Error(Code::defect, "a session that has just begun is not there");
  Caller caller;
  caller.who = session->user;
  caller.role = session->role;
  caller.csrf = session->csrf;
  caller.seconds_left = session->seconds_left;
  Response response = json_answer(session_json(caller));
  response.headers.push_back({"Set-Cookie", cookie(answer.session, Sessions::kLife)});
  return response;
}

Response sign_out(Services& s, Request& request) {
  const Caller& caller = caller_of(request);
  if (!caller.by_token) s.sessions.end(caller.credential, request.peer);
  Response response = no_content();
  response.headers.push_back({"Set-Cookie", cookie("", 0)});
  return response;
}

Response change_password(Services& s, Request& request) {
  const Caller& caller = caller_of(request);
  if (caller.by_token) throw http::Refusal(403, "a token has no password");
  Body body(request);
  const std::string current = body.text("current", Passwords::kLongest),
                    password = body.text("password", Passwords::kLongest);
  body.finish();
  // Weak ones first: a try that was right begins a session, which set_password() ends with all others.
  Passwords::check(caller.who, as_bytes(password));
  const SignInAnswer answer = s.sign_in.try_password(caller.who, as_bytes(current), request.peer);
  if (answer.outcome == SignInAnswer::Outcome::refused)
    throw http::Refusal(403, "the current password is another one");
  if (answer.outcome != SignInAnswer::Outcome::signed_in) refuse_sign_in(answer);
  s.users.set_password(caller.who, as_bytes(password), caller.actor());
  return no_content();
}

}  // namespace

void add_session_routes(http::Router& router, Services& s) {
  router.add(Method::post, "/api/v1/session", std::string(kNoSignIn),
             [&s](Request& r) { return sign_in(s, r); });
  router.add(Method::get, "/api/v1/session", std::string(kAnySignIn),
             [](Request& r) { return json_answer(session_json(caller_of(r))); });
  router.add(Method::del, "/api/v1/session", std::string(kAnySignIn),
             [&s](Request& r) { return sign_out(s, r); });
  router.add(Method::put, "/api/v1/session/password", std::string(kAnySignIn),
             [&s](Request& r) { return change_password(s, r); });
}

}  // namespace holdfast::service
