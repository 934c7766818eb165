#include "backup/status.h"

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "base/text.h"

namespace holdfast::backup {
namespace {

using repository::ItemStatus;
using repository::PointSummary;

constexpr std::int64_t kDay = 24 * 60 * 60;
// A point older than this is stale. Two days: a nightly backup may be missed once before a person is asked to look.
constexpr std::int64_t kStaleAfter = 2 * kDay;
// A kit older than a month may name a repository, plan or program that is no longer in use.
constexpr std::int64_t kKitStaleAfter = 30 * kDay;
constexpr std::int64_t kCertificateSoon = 60 * kDay;

repository::SystemId id_of(const system::System& system) {
  repository::SystemId id;
  if (!from_hex(system.id, id.bytes)) throw Error(Code::config, "the system's id is not 32 hex digits");
  return id;
}

std::string age(std::int64_t seconds) { return human_seconds(static_cast<double>(seconds < 0 ? 0 : seconds)) + " ago"; }

// Where the backups are, compared with where the server is.
void look_at_places(const system::System& s, platform::World& world, Findings& out) {
  if (s.repository.empty() || s.root.empty()) return;
  auto repository = world.files.info(s.repository), root = world.files.info(s.root);
  bool same_disk = repository && root && repository->device == root->device;
  bool copy_elsewhere = false;
  for (const auto& c : s.copies) {
    auto there = world.files.info(c.repository);
    copy_elsewhere = copy_elsewhere || (there && root && there->device != root->device);
  }
  if (same_disk && !copy_elsewhere)
    out.push_back({"same_disk", s.repository, "the repository lies on the protected server's own disk and there is no copy elsewhere",
                   "add [copy.NAME] with a folder in another file system, then 'holdfast copy'"});
}

void look_at_certificates(const repository::Point& point, Timestamp now, Findings& out) {
  for (const auto& i : point.items) {
    auto until = parse_utc(repository::fact(i.facts, "not_after"));
    if (!until) continue;
    std::int64_t left = until->seconds - now.seconds;
    if (left < 0)
      out.push_back({"certificate_expired", i.name, "its certificate expired on " + format_utc(*until), "renew it, then back up"});
    else if (left < kCertificateSoon)
      out.push_back({"certificate_expires", i.name, "its certificate expires on " + format_utc(*until), "renew it, then back up"});
  }
}

}  // namespace

std::optional<PointSummary> newest_recoverable(const std::vector<PointSummary>& points, const repository::SystemId& system) {
  for (const PointSummary& p : points) {
    if (p.system_id != system || p.status == repository::PointStatus::incomplete || p.scope != repository::Scope::full) continue;
    if (p.verification_failed) continue;
    return p;
  }
  return std::nullopt;
}

std::optional<PointSummary> newest_with_item(const std::vector<PointSummary>& points, const repository::SystemId& system,
                                             const std::string& item) {
  for (const PointSummary& p : points) {
    if (p.system_id != system) continue;
    for (const auto& i : p.items)
      if (i.name == item && i.status != ItemStatus::failed) return p;
  }
  return std::nullopt;
}

Status status(const system::System& s, const item::AdapterSet& adapters, platform::World& world,
              repository::Repository& repository, const std::string& kit) {
  Status out;
  Timestamp now = world.clock.now();
  repository::SystemId id = id_of(s);
  auto points = repository.points();
  out.newest_good = newest_recoverable(points, id);

  if (!out.newest_good) {
    out.attention.push_back({"nothing_to_recover", s.name, "no recovery point holds every critical item", "run 'holdfast backup'"});
  } else {
    std::int64_t seconds = now.seconds - out.newest_good->finished.seconds;
    if (seconds > kStaleAfter)
      out.attention.push_back({"stale", s.name, "the newest good recovery point is from " + age(seconds), "run 'holdfast backup'"});
    if (seconds < -300)
      out.attention.push_back({"dated_in_future", s.name, "the newest recovery point is dated in the future; is the clock right?", ""});
    if (out.newest_good->verified < repository::Level::content)
      out.attention.push_back({"not_proven", repository::short_id(out.newest_good->id),
                               "the newest good point was never read back and compared",
                               "run 'holdfast verify latest --level content'"});
  }
  for (const auto& i : s.items) {
    if (i.excluded) { out.excluded.push_back({i.name, *i.excluded}); continue; }
    ItemStatusLine line{&i, std::nullopt, {}, ""};
    if (auto p = newest_with_item(points, id, i.name)) {
      line.point = p->id;
      line.taken = p->finished;
      auto newest = std::find_if(points.begin(), points.end(), [&](const PointSummary& x) {
        return x.system_id == id && std::any_of(x.items.begin(), x.items.end(), [&](const auto& y) { return y.name == i.name; });
      });
      if (newest != points.end() && newest->id != p->id) line.problem = "failed in the newest point that tried it";
    } else {
      line.problem = "never captured";
    }
    if (!line.problem.empty())
      out.attention.push_back({"item_missing", i.name, line.problem + (i.if_lost.empty() ? "" : ". If lost: " + i.if_lost),
                               "run 'holdfast backup --item " + i.name + "'"});
    out.items.push_back(line);
  }
  for (const auto& x : s.excluded) out.excluded.push_back({x.path.string(), x.reason});

  std::vector<platform::Path> own;
  if (!s.repository.empty()) own.push_back(std::filesystem::absolute(s.repository));
  for (Finding& f : uncovered(s, adapters, world, own)) out.attention.push_back(std::move(f));
  for (const auto& c : repository.chain_findings())
    out.attention.push_back({"history", repository.store().location(), c.message, "see docs/recovery.md, 'An older repository'"});
  look_at_places(s, world, out.attention);
  if (out.newest_good) look_at_certificates(repository.load(out.newest_good->id), now, out.attention);

  if (kit.empty()) {
    out.attention.push_back({"no_kit", s.name, "no kit was written: what a person needs on the worst day lies only here",
                             "run 'holdfast kit FOLDER' and keep the folder elsewhere"});
  } else if (auto info = world.files.info(kit); info && now.seconds - info->modified.seconds > kKitStaleAfter) {
    out.attention.push_back({"stale_kit", kit, "the kit is from " + age(now.seconds - info->modified.seconds), "run 'holdfast kit FOLDER' again"});
  }
  out.outside = s.profile.outside;
  return out;
}

}  // namespace holdfast::backup
