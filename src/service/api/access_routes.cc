// Users, tokens and the audit log.
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

constexpr std::size_t kLongestName = 64;

Json to_json(const User& u) {
  return {{"name", u.name},
          {"role", to_text(u.role)},
          {"created", format_utc(u.created)},
          {"password_changed", format_utc(u.password_changed)}};
}

Json to_json(const Token& t) {
  return {{"id", t.id},
          {"label", t.label},
          {"role", to_text(t.role)},
          {"made_by", t.made_by},
          {"created", format_utc(t.created)},
          {"expires", format_utc(t.expires)},
          {"expired", t.expired}};
}

Json to_json(const AuditHead& head) { return {{"number", head.number}, {"hash", head.hash.hex()}}; }

Json to_json(const AuditEntry& e) {
  return {{"number", e.number},       {"time", format_utc(e.time)}, {"who", e.actor.who},
          {"origin", e.actor.origin}, {"action", e.action},         {"object", e.object},
          {"outcome", e.outcome},     {"detail", e.detail}};
}

Role role_of(Body& body) {
  const std::string name = body.text("role", kLongestName);
  const auto role = role_named(name);
  if (!role)
    throw Error(Code::usage, "there is no role '" + printable(name) + "'")
        .safe("nothing was changed")
        .hint("roles: viewer, operator, recovery, administrator");
  return *role;
}

User require_user(Services& s, const std::string& name) {
  auto user = s.users.find(name);
  if (!user)
    throw Error(Code::not_found, "there is no user '" + printable(name) + "'").safe("nothing was changed");
  return *user;
}

Response add_user(Services& s, Request& request) {
  Body body(request);
  const std::string name = Users::valid_name(body.text("name", kLongestName));
  const Role role = role_of(body);
  const std::string password = body.text("password", Passwords::kLongest);
  body.finish();
  s.users.add(name, role, as_bytes(password), caller_of(request).actor());
  return json_answer(to_json(require_user(s, name)), 201);
}

Response change_user(Services& s, Request& request) {
  const std::string& name = request.part("name");
  const User user = require_user(s, name);
  Body body(request);
  std::optional<Role> role;
  if (body.has("role")) role = role_of(body);
  std::optional<std::string> password;
  if (body.has("password")) password = body.text("password", Passwords::kLongest);
  body.finish();
  const Actor by = caller_of(request).actor();
  if (role == user.role) role.reset();
  if (password)
    s.users.set_password(user.name, as_bytes(*password), by, role);
  else if (role)
    s.users.set_role(user.name, *role, by);
  return json_answer(to_json(require_user(s, name)));
}

Response add_token(Services& s, Request& request) {
  Body body(request);
  const std::string label = body.text("label", Tokens::kLongestLabel);
  const Role role = role_of(body);
  const auto expires = parse_utc(body.text("expires", kLongestName));
  body.finish();
  if (!expires)
    throw Error(Code::usage, "'expires' takes a time like 2026-11-22T02:00:05Z").safe("nothing was changed");
  const Tokens::New made = s.tokens.add(label, role, *expires, caller_of(request).actor());
  return json_answer({{"token", to_json(made.token)}, {"text", made.text}}, 201);
}

Response audit_page(Services& s, Request& request) {
  const std::size_t limit = limit_of(request, 1000);
  const std::int64_t after = number_of(request, "after", 0);
  const auto entries = s.audit.entries(static_cast<std::uint64_t>(std::max<std::int64_t>(after, 0)), limit);
  Page out(limit);
  std::uint64_t last = 0;
  for (const AuditEntry& e : entries) {
    if (!out.add(to_json(e))) break;
    last = e.number;
  }
  return out.answer("entries", {{"next", last > 1 ? Json(std::to_string(last)) : Json(nullptr)},
                                {"head", to_json(s.audit.head())}});
}

Response verify_audit(Services& s, Request& request) {
  std::optional<AuditHead> remembered;
  if (request.parameter("number") || request.parameter("hash")) {
    remembered.emplace();
    const std::int64_t number = number_of(request, "number", 0);
    if (number < 1 || !from_hex(text_of(request, "hash"), remembered->hash.bytes))
      throw Error(Code::usage, "an entry that was remembered has a number from 1 and a hash of 64 hex digits")
          .safe("nothing was changed");
    remembered->number = static_cast<std::uint64_t>(number);
  }
  const AuditCheck check = s.audit.verify(remembered);
  return json_answer({{"entries", check.entries},
                      {"broken", check.broken ? Json(*check.broken) : Json(nullptr)},
                      {"why", check.why},
                      {"head", to_json(check.head)}});
}

template <class Values>
Json list_of(const Values& values) {
  Json out = Json::array();
  for (const auto& v : values) out.push_back(to_json(v));
  return out;
}

}  // namespace

void add_access_routes(http::Router& router, Services& s) {
  const std::string users(to_text(Right::users)), audit(to_text(Right::audit));
  router.add(Method::get, "/api/v1/users", users, [&s](Request&) {
    return json_answer({{"users", list_of(s.users.list())}});
  });
  router.add(Method::post, "/api/v1/users", users, [&s](Request& r) { return add_user(s, r); });
  router.add(Method::put, "/api/v1/users/{name}", users, [&s](Request& r) { return change_user(s, r); });
  router.add(Method::del, "/api/v1/users/{name}", users, [&s](Request& r) {
    s.users.remove(require_user(s, r.part("name")).name, caller_of(r).actor());
    return no_content();
  });
  router.add(Method::get, "/api/v1/tokens", users, [&s](Request&) {
    return json_answer({{"tokens", list_of(s.tokens.list())}});
  });
  router.add(Method::post, "/api/v1/tokens", users, [&s](Request& r) { return add_token(s, r); });
  router.add(Method::del, "/api/v1/tokens/{token}", users, [&s](Request& r) {
    s.tokens.remove(part_number(r, "token"), caller_of(r).actor());
    return no_content();
  });
  router.add(Method::get, "/api/v1/audit", audit, [&s](Request& r) { return audit_page(s, r); });
  router.add(Method::get, "/api/v1/audit/verify", audit,
             s.long_looks([&s](Request& r) { return verify_audit(s, r); }));
}

}  // namespace holdfast::service
