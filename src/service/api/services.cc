#include "service/api/services.h"

#include "backup/status.h"
#include "base/error.h"
#include "repository/log/point_list.h"
#include "service/api/job_request.h"

namespace holdfast::service {

http::Handler LongLooks::operator()(http::Handler handler) {
  return [this, handler = std::move(handler)](http::Request& request) {
    struct Turn {
      std::atomic<int>& running;
      const int before = running.fetch_add(1);
      ~Turn() { --running; }
    } const turn{running_};
    if (turn.before >= kAtATime)
      throw http::Refusal(503, "cannot answer now: others look at the server or the repository already",
                          {{"Retry-After", "5"}});
    return handler(request);
  };
}

repository::PointId Services::point(const Archive::View& view, const std::string& text) const {
  check_point(text);
  if (text != "latest") return repository::resolve_point(*view.points, text);
  const repository::SystemId own = backup::id_of(*system());
  for (const auto& p : *view.points)
    if (p.system_id == own && p.status != repository::PointStatus::incomplete) return p.id;
  throw Error(Code::not_found, "there is no complete recovery point of this system")
      .safe("nothing was changed")
      .hint("back up first");
}

void Services::changed(std::string_view what) const {
  if (what == "points") archive.changed();
  standing.changed();
  topics.changed(what);
}

}  // namespace holdfast::service
