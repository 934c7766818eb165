// The settings in holdfast.toml.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "service/api/answer.h"
#include "service/api/routes.h"
#include "service/api/settings_change.h"
#include "service/api/settings_edit.h"

namespace holdfast::service {
namespace {

using http::Method;
using http::Request;
using http::Response;

Response answer(const system::System& system, const SettingsChanged& change) {
  Json lines = Json::array();
  for (const std::string& l : change.lines) lines.push_back(l);
  Response response = json_answer({{"file", printable(system.file.string())},
                                   {"settings", settings_json(system)},
                                   {"changed", change.written},
                                   {"lines", lines},
                                   {"restart", change.restart}});
  response.headers.push_back({"ETag", entity_tag(change.text)});
  return response;
}

Response show(Services& s, Request&) {
  const system::System now = settings_file(s);
  return answer(now, {now.source, {}, false, false});
}

Response put(Services& s, Request& request) {
  const auto match = request.header("If-Match");
  if (!match || match->empty())
    throw http::Refusal(428, "the header If-Match is missing: it says which state of the file is changed");
  const Writing writing = flag_of(request, "dry_run", false) ? Writing::dry : Writing::really;
  Body body(request);
  Json wanted = Json::object();
  for (const std::string& key : body.names()) wanted[key] = body.take(key);
  const Caller& caller = caller_of(request);
  const auto allowed = [&](const std::vector<system::Change>& changes) {
    const bool retention = std::any_of(changes.begin(), changes.end(),
                                       [](const system::Change& c) { return c.path.front() == "retention"; });
    if (retention) s.guard.require(caller, Right::retention, "settings: retention");
  };
  const SettingsChanged change = change_settings(
      s, caller.actor(), [&](Json& settings) { settings = wanted; }, std::string(*match), writing, allowed);
  system::System then = system::parse_system(change.text, s.system()->file.string(),
                                             s.system()->file.parent_path(), s.adapters);
  then.file = s.system()->file;
  return answer(then, change);
}

}  // namespace

void add_settings_routes(http::Router& router, Services& s) {
  const std::string settings(to_text(Right::settings));
  router.add(Method::get, "/api/v1/settings", settings, [&s](Request& r) { return show(s, r); });
  router.add(Method::put, "/api/v1/settings", settings, [&s](Request& r) { return put(s, r); });
}

}  // namespace holdfast::service
