#include "backup/status.h"

#include <algorithm>
#include <map>
#include <set>

#include "backup/fit.h"
#include "backup/retention.h"
#include "base/error.h"
#include "base/text.h"
#include "store/local_store.h"
#include "store/open_store.h"

namespace holdfast::backup {
namespace {

using repository::ItemStatus;
using repository::PointSummary;

constexpr std::int64_t kDay = 24 * 60 * 60;
// A point older than this is stale where no objective is stated. Two days: a nightly backup may be missed once before a person is asked to look.
constexpr std::int64_t kStaleAfter = 2 * kDay;
// A kit older than a month may name a repository, plan or program that is no longer in use.
constexpr std::int64_t kKitStaleAfter = 30 * kDay;
constexpr std::int64_t kCertificateSoon = 60 * kDay;

std::string age(std::int64_t seconds) { return human_seconds(static_cast<double>(seconds < 0 ? 0 : seconds)) + " ago"; }

// Who may look into the repository, and where it is.
void look_at_places(const system::System& s, const std::string& repository, platform::World& world, Findings& out) {
  if (store::is_folder_location(repository) && store::open_to_others(world.files, repository))
    out.push_back({"open_to_others", repository, "others than its owner may look into the folder of the repository",
                   "chmod 700 " + printable(repository)});
  if (auto finding = same_disk(s, repository, world)) out.push_back(std::move(*finding));
}

void look_at_certificates(const std::vector<repository::StoredItem>& items, Timestamp now, Findings& out) {
  for (const auto& i : items) {
    std::set<std::string> told;   // a web configuration names one certificate several times
    for (const auto& [key, value] : i.facts) {
      auto until = key == "not_after" ? parse_utc(value) : std::nullopt;
      if (!until || !told.insert(value).second) continue;
      std::int64_t left = until->seconds - now.seconds;
      if (left < 0)
        out.push_back({"certificate_expired", i.name, "its certificate expired on " + format_utc(*until), "renew it, then back up"});
      else if (left < kCertificateSoon)
        out.push_back({"certificate_expires", i.name, "its certificate expires on " + format_utc(*until), "renew it, then back up"});
    }
  }
}

void look_at_points(const std::vector<PointSummary>& points, const std::optional<PointSummary>& good, const system::System& s,
                    const repository::SystemId& id, Timestamp now, Findings& out) {
  for (const PointSummary& p : points)
    if (p.system_id == id && p.verification_failed)
      out.push_back({"point_damaged", repository::short_id(p.id), "its newest verification found damage",
                     "'holdfast verify " + repository::short_id(p.id) + "' says what; run 'holdfast backup'"});
  if (!good) {
    out.push_back({"nothing_to_recover", s.name, "no recovery point holds every critical item", "run 'holdfast backup'"});
    return;
  }
  std::int64_t seconds = now.seconds - good->finished.seconds;
  if (s.recovery_point ? good->finished < before(now, *s.recovery_point) : seconds > kStaleAfter)
    out.push_back({"stale", s.name, "the newest good recovery point is from " + age(seconds) +
                                        (s.recovery_point ? "; the objective is to lose no more than " + to_text(*s.recovery_point) : ""),
                   "run 'holdfast backup'"});
  if (seconds < -kClockTolerance)
    out.push_back({"dated_in_future", s.name, "the newest recovery point is dated in the future; is the clock right?", ""});
  if (good->verified < repository::Level::content)
    out.push_back({"not_proven", repository::short_id(good->id), "the newest good point was never read back and compared",
                   "run 'holdfast verify latest --level content'"});
}

// One line for each item, and what the newest points that hold them say about them.
std::vector<repository::StoredItem> look_at_items(const std::vector<PointSummary>& points, const system::System& s,
                                                  const repository::SystemId& id, repository::Repository& repository, Status& out) {
  std::vector<repository::StoredItem> stored;
  std::map<repository::PointId, repository::Point> loaded;
  for (const auto& i : s.items) {
    if (i.excluded) {
      out.excluded.push_back({i.name, *i.excluded});
      continue;
    }
    ItemStatusLine line{&i, std::nullopt, {}, "never captured"};
    if (auto p = newest_with_item(points, id, i.name)) {
      line.point = p->id;
      line.taken = p->finished;
      auto tried = std::find_if(points.begin(), points.end(), [&](const PointSummary& x) {
        return x.system_id == id && std::any_of(x.items.begin(), x.items.end(), [&](const auto& y) { return y.name == i.name; });
      });
      line.problem = tried->id == p->id ? "" : "failed in the newest point that tried it";
      auto point = loaded.find(p->id);
      if (point == loaded.end()) point = loaded.emplace(p->id, repository.load(p->id)).first;
      for (const auto& x : point->second.items)
        if (x.name == i.name) stored.push_back(x);
    }
    if (!line.problem.empty())
      out.attention.push_back({"item_missing", i.name, line.problem + (i.if_lost.empty() ? "" : ". If lost: " + i.if_lost),
                               "run 'holdfast backup --item " + i.name + "'"});
    out.items.push_back(line);
  }
  return stored;
}

void look_at_kit(const system::System& s, const std::string& kit, platform::World& world, Findings& out) {
  if (kit.empty()) {
    out.push_back({"no_kit", s.name, "no kit was written: what a person needs on the worst day lies only here",
                   "run 'holdfast kit FOLDER' and keep the folder elsewhere"});
    return;
  }
  // A kit that was carried away cannot be looked at, which is as it should be.
  auto info = world.files.info(kit);
  std::int64_t seconds = info ? world.clock.now().seconds - info->modified.seconds : 0;
  if (seconds > kKitStaleAfter)
    out.push_back({"stale_kit", kit, "the kit is from " + age(seconds), "run 'holdfast kit FOLDER' again"});
}

}  // namespace

repository::SystemId id_of(const system::System& system) {
  repository::SystemId id;
  if (!from_hex(system.id, id.bytes)) throw Error(Code::config, "the system's id is not 32 hex digits");
  return id;
}

std::optional<Finding> same_disk(const system::System& s, const std::string& repository, platform::World& world) {
  if (!store::is_folder_location(repository)) return std::nullopt;
  auto device_of = [&](const platform::Path& path) -> std::optional<std::uint64_t> {
    auto info = path.empty() ? std::nullopt : world.files.info(path);
    return info ? std::optional(info->device) : std::nullopt;
  };
  auto root = device_of(s.root);
  if (!root || device_of(repository) != root) return std::nullopt;
  for (const auto& c : s.copies) {
    if (!store::is_folder_location(c.repository)) return std::nullopt;   // an address is another place
    auto there = device_of(c.repository);
    if (there && there != root) return std::nullopt;
  }
  return Finding{"same_disk", repository, "the repository lies on the protected server's own disk and there is no copy elsewhere",
                 "add [copy.NAME] with a folder in another file system, then 'holdfast copy'"};
}

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
  std::string location = repository.store().location();
  auto points = repository.points();
  auto add = [&](Findings found) {
    for (Finding& f : found) out.attention.push_back(std::move(f));
  };

  out.newest_good = newest_recoverable(points, id);
  look_at_points(points, out.newest_good, s, id, now, out.attention);
  auto newest = look_at_items(points, s, id, repository, out);
  for (const auto& x : s.excluded) out.excluded.push_back({x.path.string(), x.reason});
  add(uncovered(s, adapters, world, own_places(s, location)));
  add(check_package(system::read_identity(s, world), newest));
  add(check_agent_authority(newest));
  look_at_certificates(newest, now, out.attention);
  for (const auto& c : repository.chain_findings())
    out.attention.push_back({"history", location, c.message, "see docs/recovery.md, 'An older repository'"});
  look_at_places(s, location, world, out.attention);
  look_at_kit(s, kit, world, out.attention);
  out.outside = s.profile.outside;
  return out;
}

}  // namespace holdfast::backup
