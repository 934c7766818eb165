// Who is told, what was sent, and what could not be.
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
using system::NotifySettings;

constexpr std::size_t kMostDeliveries = 1000;

Json delivery_json(const Notification& n) {
  const bool waits = n.state == Notification::State::waiting;
  return {{"id", n.id},
          {"channel", n.target},
          {"event", to_text(n.event.kind)},
          {"subject", printable(n.event.headline)},
          {"job", n.event.job ? Json(*n.event.job) : Json(nullptr)},
          {"queued", format_utc(n.queued)},
          {"state", waits                                       ? "waiting"
                    : n.state == Notification::State::delivered ? "delivered"
                                                                : "given_up"},
          {"attempts", n.tries},
          {"next", waits ? Json(format_utc(n.next_try)) : Json(nullptr)},
          {"ended", waits ? Json(nullptr) : time_or_null(n.last_try)},
          {"error", printable(n.error)},
          {"missing", n.missing},
          {"acknowledged", n.acknowledged}};
}

Json channel_json(const NotifySettings& c, const std::vector<Notification>& newest) {
  Json on = Json::array(), last = nullptr, error = nullptr;
  for (const auto& [told, name] : {std::pair{c.on.failure, "failure"},
                                   {c.on.overdue, "overdue"},
                                   {c.on.finding, "finding"},
                                   {c.on.success, "success"}})
    if (told) on.push_back(name);
  std::int64_t waiting = 0, given_up = 0;
  for (const Notification& n : newest) {
    if (n.target != c.name) continue;
    waiting += n.state == Notification::State::waiting ? 1 : 0;
    given_up += n.state == Notification::State::given_up && !n.acknowledged ? 1 : 0;
    if (n.state == Notification::State::delivered && last.is_null()) last = time_or_null(n.last_try);
    if (!n.error.empty() && error.is_null()) error = printable(n.error);
  }
  return {{"name", c.name},
          {"url", printable(c.url)},
          {"to", c.to},
          {"on", on},
          {"waiting", waiting},
          {"given_up", given_up},
          {"last_delivered", last},
          {"last_error", error}};
}

Response list(Services& s, Request& request) {
  const std::size_t limit = limit_of(request, kMostDeliveries);
  const std::vector<Notification> newest = s.notifications.list(0, kMostDeliveries);
  const std::vector<Notification> page = s.notifications.list(number_of(request, "after", 0), limit);
  Json channels = Json::array();
  Page deliveries(limit);
  std::int64_t last = 0;
  bool more = page.size() == limit;
  for (const NotifySettings& c : s.system()->settings.notifications)
    channels.push_back(channel_json(c, newest));
  for (const Notification& n : page) {
    if (!deliveries.add(delivery_json(n))) {
      more = true;
      break;
    }
    last = n.id;
  }
  return deliveries.answer("deliveries",
                           {{"channels", channels}, {"next", more ? Json(std::to_string(last)) : Json(nullptr)}});
}

Response delivery(Services& s, std::int64_t id, int status) {
  const auto n = s.notifications.find(id);
  if (!n)
    throw Error(Code::not_found, "there is no notification " + std::to_string(id))
        .safe("nothing was changed");
  return json_answer(delivery_json(*n), status);
}

Response test(Services& s, Request& request) {
  const std::string& name = request.part("name");
  const auto system = s.system();
  for (const NotifySettings& c : system->settings.notifications) {
    if (c.name != name) continue;
    const std::int64_t id = s.notifications.test(c, caller_of(request).actor());
    s.courier.wake();
    return delivery(s, id, 202);
  }
  throw Error(Code::not_found, "there is no [notify." + printable(name) + "]").safe("nothing was sent");
}

}  // namespace

void add_notification_routes(http::Router& router, Services& s) {
  const std::string settings(to_text(Right::settings));
  router.add(Method::get, "/api/v1/notifications", settings, [&s](Request& r) { return list(s, r); });
  router.add(Method::post, "/api/v1/notifications/{name}/test", settings,
             [&s](Request& r) { return test(s, r); });
  router.add(Method::get, "/api/v1/deliveries/{delivery}", settings,
             [&s](Request& r) { return delivery(s, part_number(r, "delivery"), 200); });
  router.add(Method::post, "/api/v1/deliveries/{delivery}/acknowledge", settings, [&s](Request& r) {
    const std::int64_t id = part_number(r, "delivery");
    s.notifications.acknowledge(id, caller_of(r).actor());
    s.changed("alerts");
    return delivery(s, id, 200);
  });
}

}  // namespace holdfast::service
