// Recovery points: the list, what they hold, what differs between two, one file, pinning; what the retention
// rule says of them.
#include <algorithm>
#include <array>
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
constexpr std::size_t kMostChangedBytes = 512 * 1024;  // of all changes that one answer tells
constexpr std::array<std::string_view, 3> kOrigins{"manual", "scheduled", "imported"},
    kStatuses{"complete", "complete_with_findings", "incomplete"};

Response list(Services& s, Request& request) {
  const std::size_t limit = limit_of(request, kMostPoints);
  const std::string after = text_of(request, "after");
  const auto since = time_of(request, "since"), until = time_of(request, "until");
  const auto origin = word_of(request, "origin", kOrigins), status = word_of(request, "status", kStatuses);
  const auto with = flag_of(request, "items", false) ? report::Items::with : report::Items::without;
  const auto fits = [&](const PointSummary& p) {
    return (!origin || *origin == repository::to_text(p.origin)) &&
           (!status || *status == repository::to_text(p.status)) && (!since || p.finished >= *since) &&
           (!until || p.finished < *until);
  };
  const Archive::View view = s.archive.look();
  std::vector<std::size_t> chosen;
  std::size_t total = 0;
  bool reached = after.empty(), more = false;
  for (std::size_t i = 0; i < view.points->size(); ++i) {
    const PointSummary& p = (*view.points)[i];
    if (fits(p)) {
      ++total;
      if (reached && chosen.size() < limit)
        chosen.push_back(i);
      else if (reached)
        more = true;
    }
    if (!reached && p.id.hex() == after) reached = true;
  }
  if (!reached)
    throw Error(Code::not_found, "the point after which the list goes on is not there any more")
        .safe("nothing was changed")
        .hint("begin the list anew");
  const Json next = more ? Json((*view.points)[chosen.back()].id.hex()) : Json(nullptr);
  const std::size_t rows = chosen.size();
  return LongAnswer()
      .list("points", rows,
            [points = view.points, chosen = std::move(chosen), with](std::size_t i) {
              return report::to_json((*points)[chosen[i]], with);
            })
      .answer({{"next", next}, {"total", total}, {"head", view.head}});
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
  Page entries(limit);
  std::string last;
  bool more = false, reached = after.empty();
  auto add = [&](const tree::Entry& e) {
    std::string segment = report::path_segment(e.name);
    if (!reached) {
      reached = segment == after;
      return true;
    }
    more = !entries.add(report::to_json(e));
    if (!more) last = std::move(segment);
    return !more;
  };
  if (node->entry().kind == tree::Kind::directory)
    node->children([&](tree::NodePtr child) { return add(child->entry()); });
  else
    add(node->entry());
  if (!reached)
    throw Error(Code::not_found, "there is no '" + printable(after) + "' after which the list goes on")
        .safe("nothing was changed");
  return entries.answer("entries", {{"point", point.id.hex()},
                                    {"item", item},
                                    {"path", printable(path)},
                                    {"fingerprint", to_hex(node->fingerprint())},
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
  std::size_t bytes = 0;
  for (const auto& d : recovery::compare_points(*view.repository, before, after, s.adapters, only)) {
    Json changes = Json::array();
    for (const item::Change& c : d.changes) {
      bytes += c.where.size() + c.before.size() + c.after.size();
      if (changes.size() == kMostChanges || bytes > kMostChangedBytes) break;
      changes.push_back(report::to_json(c));
    }
    const std::size_t omitted = d.changes.size() - changes.size();
    items.push_back({{"item", d.item}, {"changes", std::move(changes)}, {"omitted", omitted}});
  }
  return json_answer({{"before", before.id.hex()}, {"after", after.id.hex()}, {"items", items}});
}

Response set_pinned(Services& s, Request& request, bool pinned) {
  const Archive::View view = s.archive.look();
  const repository::PointId id = s.point(view, request.part("id"));
  s.audit.record(caller_of(request).actor(), pinned ? "point.pin" : "point.unpin", repository::short_id(id),
                 "begun");
  view.repository->pin(id, pinned);
  s.changed("points");
  return json_answer({{"point", id.hex()}, {"pinned", pinned}});
}

Response retention(Services& s, Request&) {
  const auto system = s.system();
  const Timestamp now = s.world.clock.now();
  auto all = backup::judge(*s.archive.look().points, *system, now);
  const bool forgets =
      std::any_of(all.begin(), all.end(), [](const backup::Kept& k) { return k.reasons.empty(); });
  const std::string late = forgets ? backup::late_for_objective(all, system->recovery_point, now) : "";
  Json out = report::retention_rule_json(*system);
  out["applied"] = false;
  out["forgotten"] = Json::array();
  out["refused"] = late.empty() ? Json(nullptr) : Json(late);
  const std::size_t rows = all.size();
  return LongAnswer()
      .list("points", rows, [all = std::move(all)](std::size_t i) { return report::to_json(all[i]); })
      .answer(out);
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
  router.add(Method::get, "/api/v1/points/{a}/diff/{b}", see,
             s.long_looks([&s](Request& r) { return diff(s, r); }));
  router.add(Method::put, "/api/v1/points/{id}/pin", operate,
             [&s](Request& r) { return set_pinned(s, r, true); });
  router.add(Method::del, "/api/v1/points/{id}/pin", operate,
             [&s](Request& r) { return set_pinned(s, r, false); });
  router.add(Method::get, "/api/v1/retention", see, [&s](Request& r) { return retention(s, r); });
}

}  // namespace holdfast::service
