// Recovering: the plan with its checks, the run-book, recoveries that were begun, the installation package,
// what lies outside the server; what a restore would do, and what a backup file holds.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "backup/fit.h"
#include "backup/status.h"
#include "base/error.h"
#include "base/text.h"
#include "item/install_package/install_package.h"
#include "recovery/journal.h"
#include "recovery/kit_note.h"
#include "recovery/recover.h"
#include "report/json.h"
#include "repository/format/container.h"
#include "service/api/answer.h"
#include "service/api/job_request.h"
#include "service/api/routes.h"

namespace holdfast::service {
namespace {

using http::Method;
using http::Request;
using http::Response;

constexpr std::size_t kMostRecoveries = 20, kMostExports = 10, kJobsLookedAt = 1000;
constexpr std::size_t kLongestPassword = 1024;

// What the functions of the room recovery want beside a repository. Nothing here is long enough to show
// progress.
struct Quiet {
  NoProgress progress;
  Cancel cancel;
  recovery::Source source(Services& s, repository::Repository& repository) {
    return {repository, s.adapters, s.world, progress, cancel};
  }
};

repository::Point chosen_point(Services& s, const Archive::View& view, const Request& request) {
  if (const std::string text = text_of(request, "point"); !text.empty())
    return view.repository->load(s.point(view, text));
  if (const auto newest = backup::newest_recoverable(*view.points, backup::id_of(*s.system())))
    return view.repository->load(newest->id);
  throw Error(Code::not_found, "there is no recovery point in which every critical item is complete")
      .safe("nothing was changed")
      .hint("back up first");
}

std::string_view kind_of(system::Step::Kind kind) {
  using Kind = system::Step::Kind;
  switch (kind) {
    case Kind::confirm:
      return "confirm";
    case Kind::stop_services:
      return "stop_services";
    case Kind::start_services:
      return "start_services";
    case Kind::set_aside:
      return "set_aside";
    case Kind::restore:
      return "restore";
    case Kind::fixup:
      return "fixup";
    case Kind::install:
      return "install";
    case Kind::manual:
      return "manual";
    case Kind::check:
      return "check";
  }
  return "manual";
}

// Instructions are indented as the profile's author liked it.
std::string one_line(const std::string& text) {
  std::string out;
  for (const std::string& l : split(text, '\n')) out += (out.empty() ? "" : " ") + printable(trim(l));
  return out;
}

Json step_json(const recovery::PlannedStep& p) {
  Json out = report::to_json(p);
  out["group"] = p.step.group;
  out["kind"] = kind_of(p.step.kind);
  out["by_person"] = p.step.kind == system::Step::Kind::confirm || p.step.kind == system::Step::Kind::manual;
  out["deferrable"] = p.step.deferrable;
  out["instructions"] = one_line(p.step.instructions);
  out["after"] = p.step.after;
  return out;
}

Response plan(Services& s, Request& request) {
  const Archive::View view = s.archive.look();
  Quiet quiet;
  const recovery::Source source = quiet.source(s, *view.repository);
  const repository::Point point = chosen_point(s, view, request);
  const recovery::Plan plan = recovery::make_plan(source, point);
  const recovery::Preflight preflight = recovery::preflight(source, plan, "");
  Json steps = Json::array(), refusal = nullptr, unfinished = nullptr;
  for (const auto& p : plan.steps) steps.push_back(step_json(p));
  if (!preflight.passed()) {
    const Error error = recovery::refusal(preflight);
    refusal = problem_json(http::status_of(error), error);
  }
  if (const auto journal = recovery::Journal::find_unfinished(
          s.world.files, s.world.clock, s.state_folder / "recoveries", point.system_id.hex()))
    unfinished = printable(journal->file().stem().string());
  return json_answer({{"point", point.id.hex()},
                      {"time", format_utc(point.finished)},
                      {"install_first", plan.install_first},
                      {"steps", steps},
                      {"preflight", report::preflight_json(preflight)},
                      {"differences", report::differences_json(preflight)},
                      {"findings", report::to_json(preflight.findings)},
                      {"passed", preflight.passed()},
                      {"refusal", refusal},
                      {"unfinished", unfinished}});
}

Response run_book(Services& s, Request& request) {
  const Archive::View view = s.archive.look();
  Quiet quiet;
  const recovery::Plan plan = recovery::make_plan(quiet.source(s, *view.repository),
                                                  chosen_point(s, view, request), std::nullopt, true);
  return http::text_response(200, "text/plain; charset=utf-8", recovery::printable_plan(plan));
}

Response recoveries(Services& s, Request&) {
  Json out = Json::array();
  for (const auto& j : recovery::journals_in(s.world.files, s.state_folder / "recoveries", kMostRecoveries)) {
    Json steps = Json::array();
    for (const auto& step : j.steps)
      steps.push_back({{"step", printable(step.name)},
                       {"state", recovery::to_text(step.state)},
                       {"detail", one_line(step.detail)},
                       {"time", format_utc(step.time)}});
    out.push_back({{"name", printable(j.name)},
                   {"system", printable(j.system)},
                   {"point", printable(j.point)},
                   {"begun", format_utc(j.begun)},
                   {"finished", time_or_null(j.finished)},
                   {"complete", j.finished ? Json(j.complete) : Json(nullptr)},
                   {"steps", steps}});
  }
  return json_answer({{"recoveries", out}});
}

// 8.7.10 is newer than 8.7.9; what is no number is compared as text.
bool older(const std::string& a, const std::string& b) {
  const auto x = split(a, '.'), y = split(b, '.');
  return std::lexicographical_compare(
      x.begin(), x.end(), y.begin(), y.end(), [](const std::string& p, const std::string& q) {
        const bool numbers = p.find_first_not_of("0123456789") == std::string::npos &&
                             q.find_first_not_of("0123456789") == std::string::npos;
        return numbers && p.size() != q.size() ? p.size() < q.size() : p < q;
      });
}

struct CapturedPackage {
  repository::Point point;
  item::InstallPackage package;
};

std::optional<CapturedPackage> captured_package(Services& s, const Archive::View& view) {
  const auto system = s.system();
  for (const auto& i : system->items) {
    if (i.kind != "install_package" || i.excluded) continue;
    const auto newest = backup::newest_with_item(*view.points, backup::id_of(*system), i.name);
    if (!newest) continue;
    repository::Point point = view.repository->load(newest->id);
    if (auto package = item::stored_package(view.repository->open_item(point, i.name)))
      return CapturedPackage{std::move(point), std::move(*package)};
  }
  return std::nullopt;
}

// Side by side, by name: ids are written with and without braces.
Json product_lines(const std::vector<system::Product>& installed, const item::InstallPackage& package) {
  struct Line {
    std::string id, installed, package;
    bool here = false, there = false;
  };
  std::map<std::string, Line> lines;
  for (const auto& p : package.products)
    lines[printable(p.name)] = {printable(p.id), "", printable(p.version), false, true};
  for (const auto& p : installed) {
    Line& l = lines[printable(p.name)];
    l.id = printable(p.id);
    l.installed = printable(p.version);
    l.here = true;
  }
  Json out = Json::array();
  for (const auto& [name, l] : lines) {
    const char* state = !l.there                        ? "not_in_package"
                        : !l.here                       ? "not_installed"
                        : l.installed == l.package      ? "same"
                        : older(l.package, l.installed) ? "package_older"
                                                        : "package_newer";
    out.push_back({{"name", name},
                   {"id", l.id},
                   {"installed", l.here ? Json(l.installed) : Json(nullptr)},
                   {"package", l.there ? Json(l.package) : Json(nullptr)},
                   {"state", state}});
  }
  return out;
}

Response package(Services& s, Request&) {
  const Archive::View view = s.archive.look();
  const system::IdentityCard card = system::read_identity(*s.system(), s.world);
  const auto captured = captured_package(s, view);
  Json about = nullptr;
  Findings findings;
  if (captured) {
    about = {{"point", captured->point.id.hex()},
             {"time", format_utc(captured->point.finished)},
             {"made", printable(captured->package.made)},
             {"platform_version", printable(captured->package.platform_version)}};
    findings = backup::check_package(card, captured->point.items);
  }
  return json_answer(
      {{"installed", !card.products.empty()},
       {"package", about},
       {"products", product_lines(card.products, captured ? captured->package : item::InstallPackage{})},
       {"findings", report::to_json(findings)}});
}

Json kit_json(Services& s, const Findings& findings) {
  const auto note = recovery::known_kit(s.world.files, s.state_folder, s.system()->id);
  const bool stale =
      std::any_of(findings.begin(), findings.end(), [](const Finding& f) { return f.code == "stale_kit"; });
  return {{"folder", note ? Json(printable(note->folder)) : Json(nullptr)},
          {"written", note ? Json(format_utc(note->written)) : Json(nullptr)},
          {"reachable", note && s.world.files.info(note->folder).has_value()},
          {"stale", stale}};
}

bool copies_to(const Job& job, const std::string& name, bool only_one) {
  return job.kind == "copy" && (job.arguments.empty() ? only_one : job.arguments.back() == name);
}

Response kit(Services& s, Request&) {
  const Archive::View view = s.archive.look();
  const auto look = s.standing.look();
  Findings findings;
  if (look->status)
    for (const Finding& f : look->status->attention)
      if (f.code == "no_kit" || f.code == "stale_kit" || f.code == "same_disk") findings.push_back(f);
  const std::vector<Job> jobs = s.jobs.list(0, kJobsLookedAt);
  Json copies = Json::array(), exports = Json::array();
  for (const auto& c : look->system->copies) {
    Json last = nullptr, success = nullptr;
    for (const Job& job : jobs) {
      if (!copies_to(job, c.name, look->system->copies.size() == 1)) continue;
      if (last.is_null()) last = job_json(s, job, JobResult::without);
      if (success.is_null() && job.exit_code == 0) success = time_or_null(job.ended);
    }
    copies.push_back({{"name", c.name},
                      {"repository", printable(c.repository)},
                      {"last", last},
                      {"last_success", success}});
  }
  for (const Job& job : jobs)
    if (job.kind == "export" && exports.size() < kMostExports)
      exports.push_back(job_json(s, job, JobResult::without));
  return json_answer({{"kit", kit_json(s, findings)},
                      {"copies", copies},
                      {"exports", exports},
                      {"head", view.head},
                      {"findings", report::to_json(findings)}});
}

// A backup file, opened with its own password. Opening derives a key: one at a time is enough memory.
struct OpenedFile {
  std::unique_ptr<store::ObjectStore> store;
  std::unique_ptr<repository::Repository> repository;
};

OpenedFile open_file(Services& s, const std::string& file, const crypto::Secret& password) {
  static std::mutex one;
  std::lock_guard lock(one);
  OpenedFile opened;
  opened.store = repository::open_container(s.world.files, file);
  repository::inspect(*opened.store);
  const repository::Context context{
      *opened.store,          s.world.clock, s.world.entropy, nullptr, s.world.host.host_name(),
      "holdfast " + s.version};
  opened.repository = repository::open(context, repository::password_secret(password.view()));
  return opened;
}

Response review_restore(Services& s, Request& request) {
  Body body(request);
  body.text_or("kind", "restore", 64);
  Body parameters = body.object("parameters");
  body.finish();
  const RestoreParameters wanted = restore_parameters(parameters);
  parameters.finish();
  Quiet quiet;
  const auto answer = [&](repository::Repository& from, const repository::Point& point) {
    Json out{{"point", point.id.hex()}};
    out.update(report::to_json(recovery::review_restore(quiet.source(s, from), point, wanted.request)));
    return json_answer(out);
  };
  if (wanted.from.empty()) {
    const Archive::View view = s.archive.look();
    return answer(*view.repository, view.repository->load(s.point(view, wanted.point)));
  }
  s.audit.record(caller_of(request).actor(), "backup-file.open", wanted.from, "begun");
  const OpenedFile opened = open_file(s, wanted.from, wanted.file_password);
  return answer(*opened.repository, opened.repository->load(opened.repository->resolve(wanted.point)));
}

Response look_into_file(Services& s, Request& request) {
  Body body(request);
  const std::string file = absolute_path(body, "file");
  const crypto::Secret password =
      crypto::Secret::copy_of(as_bytes(body.text("file_password", kLongestPassword)));
  body.finish();
  s.audit.record(caller_of(request).actor(), "backup-file.open", file, "begun");
  const OpenedFile opened = open_file(s, file, password);
  Json points = Json::array();
  for (const auto& p : opened.repository->points()) {
    Json point = report::to_json(opened.repository->load(p.id));
    point["pinned"] = p.pinned;
    point["verified"] = report::verified_json(p);
    points.push_back(std::move(point));
  }
  return json_answer({{"points", points}});
}

}  // namespace

void add_recovery_routes(http::Router& router, Services& s) {
  const std::string see(to_text(Right::see)), recover(to_text(Right::recover));
  router.add(Method::get, "/api/v1/plan", see, s.long_looks([&s](Request& r) { return plan(s, r); }));
  router.add(Method::get, "/api/v1/plan/text", see,
             s.long_looks([&s](Request& r) { return run_book(s, r); }));
  router.add(Method::get, "/api/v1/recoveries", see, [&s](Request& r) { return recoveries(s, r); });
  router.add(Method::get, "/api/v1/package", see, s.long_looks([&s](Request& r) { return package(s, r); }));
  router.add(Method::get, "/api/v1/kit", see, [&s](Request& r) { return kit(s, r); });
  router.add(Method::post, "/api/v1/restore/review", recover,
             s.long_looks([&s](Request& r) { return review_restore(s, r); }));
  router.add(Method::post, "/api/v1/backup-file", recover,
             s.long_looks([&s](Request& r) { return look_into_file(s, r); }));
}

}  // namespace holdfast::service
