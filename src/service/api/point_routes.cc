// Recovery points: the list, what they hold, what differs between two, one file, pinning; what the retention
// rule says of them.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "backup/retention.h"
#include "base/error.h"
#include "base/text.h"
#include "recovery/difference.h"
#include "report/json.h"
#include "service/api/answer.h"
#include "service/api/routes.h"
#include "service/api/stored_file.h"

namespace holdfast::service {
namespace {

using http::Method;
using http::Request;
using http::Response;
using repository::PointSummary;

constexpr std::size_t kMostPoints = 10'000, kMostEntries = 1000, kMostChanges = 1000;
constexpr std::size_t kPiece = 32 * 1024;  // of a list, while it is sent

// The page of a list as it is sent: a point is made into text when the client has taken those before it.
struct PointPage {
  std::shared_ptr<const Archive::Points> points;
  std::vector<std::size_t> chosen;
  report::Items items = report::Items::with;
  std::string ending;
  std::size_t at = 0;

  std::string next() {
    std::string text;
    if (at == 0 && !ending.empty()) text = "{\"points\":[";
    while (at < chosen.size() && text.size() < kPiece) {
      if (at != 0) text += ',';
      text += report::to_json((*points)[chosen[at++]], items)
                  .dump(-1, ' ', false, Json::error_handler_t::replace);
    }
    if (at == chosen.size() && text.size() < kPiece) text += std::exchange(ending, "");
    return text;
  }
};

bool fits(const Request& r, const PointSummary& p, const std::optional<Timestamp>& since,
          const std::optional<Timestamp>& until) {
  const auto origin = r.parameter("origin"), status = r.parameter("status");
  return (!origin || *origin == repository::to_text(p.origin)) &&
         (!status || *status == repository::to_text(p.status)) && (!since || p.finished >= *since) &&
         (!until || p.finished < *until);
}

Response list(Services& s, Request& request) {
  const std::size_t limit = limit_of(request, kMostPoints);
  const std::string after = text_of(request, "after");
  const auto since = time_of(request, "since"), until = time_of(request, "until");
  auto page = std::make_shared<PointPage>();
  page->items = flag_of(request, "items", true) ? report::Items::with : report::Items::without;
  const Archive::View view = s.archive.look();
  page->points = view.points;
  std::size_t total = 0;
  bool reached = after.empty(), more = false;
  for (std::size_t i = 0; i < view.points->size(); ++i) {
    const PointSummary& p = (*view.points)[i];
    if (fits(request, p, since, until)) {
      ++total;
      if (reached && page->chosen.size() < limit)
        page->chosen.push_back(i);
      else if (reached)
        more = true;
    }
    if (!reached && p.id.hex() == after) reached = true;
  }
  if (!reached)
    throw Error(Code::not_found, "the point after which the list goes on is not there any more")
        .safe("nothing was changed")
        .hint("begin the list anew");
  const Json next = more ? Json((*view.points)[page->chosen.back()].id.hex()) : Json(nullptr);
  page->ending = "],\"next\":" + next.dump() + ",\"total\":" + std::to_string(total) +
                 ",\"head\":" + Json(view.head).dump() + "}";
  Response response;
  response.headers = {{"Content-Type", "application/json"}};
  response.body = http::SourcedBody{[page] { return page->next(); }, std::nullopt};
  return response;
}

const PointSummary* summary(const Archive::View& view, const repository::PointId& id) {
  for (const PointSummary& p : *view.points)
    if (p.id == id) return &p;
  return nullptr;
}

Response show(Services& s, Request& request) {
  const Archive::View view = s.archive.look();
  const repository::PointId id = s.point(view, request.part("id"));
  Json out = report::to_json(view.repository->load(id));
  const PointSummary* p = summary(view, id);
  out["pinned"] = p != nullptr && p->pinned;
  out["verified"] = p != nullptr ? report::verified_json(*p) : Json(nullptr);
  return json_answer(out);
}

Response files(Services& s, Request& request) {
  const std::size_t limit = limit_of(request, kMostEntries);
  const std::string path = text_of(request, "path"), after = text_of(request, "after");
  const Archive::View view = s.archive.look();
  const repository::Point point = view.repository->load(s.point(view, request.part("id")));
  const std::string& item = request.part("item");
  const tree::NodePtr node = node_at(view.repository->open_item(point, item), path);
  Json entries = Json::array();
  std::string last;
  bool more = false, reached = after.empty();
  auto add = [&](const tree::Entry& e) {
    const std::string segment = report::path_segment(e.name);
    if (!reached) {
      reached = segment == after;
      return true;
    }
    more = entries.size() == limit;
    if (more) return false;
    entries.push_back(report::to_json(e));
    last = segment;
    return true;
  };
  if (node->entry().kind == tree::Kind::directory)
    node->children([&](tree::NodePtr child) { return add(child->entry()); });
  else
    add(node->entry());
  return json_answer({{"point", point.id.hex()},
                      {"item", item},
                      {"path", printable(path)},
                      {"fingerprint", to_hex(node->fingerprint())},
                      {"entries", entries},
                      {"next", more ? Json(last) : Json(nullptr)}});
}

Response content(Services& s, Request& request) {
  const std::string path = text_of(request, "path");
  const Archive::View view = s.archive.look();
  const repository::Point point = view.repository->load(s.point(view, request.part("id")));
  const std::string& item = request.part("item");
  const tree::NodePtr root = view.repository->open_item(point, item);
  Response response = file_answer(root, node_at(root, path), view.repository);
  s.audit.record(caller_of(request).actor(), "file.download",
                 repository::short_id(point.id) + " " + item + "/" + path, "done");
  return response;
}

Response diff(Services& s, Request& request) {
  const std::string only = text_of(request, "item");
  const Archive::View view = s.archive.look();
  const repository::Point before = view.repository->load(s.point(view, request.part("a"))),
                          after = view.repository->load(s.point(view, request.part("b")));
  Json items = Json::array();
  for (const auto& d : recovery::compare_points(*view.repository, before, after, s.adapters, only)) {
    Json changes = Json::array();
    const std::size_t shown = std::min(d.changes.size(), kMostChanges);
    for (std::size_t i = 0; i < shown; ++i) changes.push_back(report::to_json(d.changes[i]));
    items.push_back({{"item", d.item}, {"changes", changes}, {"omitted", d.changes.size() - shown}});
  }
  return json_answer({{"before", before.id.hex()}, {"after", after.id.hex()}, {"items", items}});
}

Response set_pinned(Services& s, Request& request, bool pinned) {
  const Archive::View view = s.archive.look();
  const repository::PointId id = s.point(view, request.part("id"));
  s.audit.record(caller_of(request).actor(), pinned ? "point.pin" : "point.unpin", repository::short_id(id),
                 "begun");
  view.repository->pin(id, pinned);
  s.archive.changed();
  s.changed("points");
  return json_answer({{"point", id.hex()}, {"pinned", pinned}});
}

Response retention(Services& s, Request&) {
  const auto system = s.system();
  const Timestamp now = s.world.clock.now();
  const auto all = backup::judge(*s.archive.look().points, *system, now);
  const bool forgets =
      std::any_of(all.begin(), all.end(), [](const backup::Kept& k) { return k.reasons.empty(); });
  const std::string late = forgets ? backup::late_for_objective(all, system->recovery_point, now) : "";
  Json out = report::retention_json(*system, all);
  out["applied"] = false;
  out["forgotten"] = Json::array();
  out["refused"] = late.empty() ? Json(nullptr) : Json(late);
  return json_answer(out);
}

}  // namespace

void add_point_routes(http::Router& router, Services& s) {
  const std::string see(to_text(Right::see)), operate(to_text(Right::operate)),
      recover(to_text(Right::recover));
  router.add(Method::get, "/api/v1/points", see, [&s](Request& r) { return list(s, r); });
  router.add(Method::get, "/api/v1/points/{id}", see, [&s](Request& r) { return show(s, r); });
  router.add(Method::get, "/api/v1/points/{id}/items/{item}/files", see,
             [&s](Request& r) { return files(s, r); });
  router.add(Method::get, "/api/v1/points/{id}/items/{item}/content", recover,
             [&s](Request& r) { return content(s, r); });
  router.add(Method::get, "/api/v1/points/{a}/diff/{b}", see, [&s](Request& r) { return diff(s, r); });
  router.add(Method::put, "/api/v1/points/{id}/pin", operate,
             [&s](Request& r) { return set_pinned(s, r, true); });
  router.add(Method::del, "/api/v1/points/{id}/pin", operate,
             [&s](Request& r) { return set_pinned(s, r, false); });
  router.add(Method::get, "/api/v1/retention", see, [&s](Request& r) { return retention(s, r); });
}

}  // namespace holdfast::service
