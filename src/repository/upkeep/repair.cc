#include "repository/upkeep/repair.h"

#include <algorithm>

#include "base/error.h"
#include "repository/format/envelope.h"
#include "repository/log/log.h"

namespace holdfast::repository {
namespace {

constexpr int kMostRounds = 8;   // an object that comes back may tell of others that are missing

bool is_of(const std::string& name, ObjectType type) { return name.starts_with(std::string(folder_of(type)) + "/"); }

bool rests_on_packs(const std::string& name) { return is_of(name, ObjectType::pack) || is_of(name, ObjectType::index); }

}  // namespace

void Repair::open(std::string& closed) {
  repository_.reset();
  closed.clear();
  if (!setup_.open) return;
  try {
    repository_ = setup_.open();
  } catch (const Error& error) {
    if (error.code() != Code::damaged && error.code() != Code::not_found) throw;
    closed = error.message();
  }
}

// The logs are known to be shorter than they were, and nobody wrote on where they end.
bool Repair::records_missing() {
  if (!repository_) return false;
  std::vector<ChainFinding> findings = repository_->chain_findings();
  auto is = [](ChainFinding::Kind kind) { return [kind](const ChainFinding& f) { return f.kind == kind; }; };
  if (std::any_of(findings.begin(), findings.end(), is(ChainFinding::Kind::fork))) return false;
  return std::any_of(findings.begin(), findings.end(), is(ChainFinding::Kind::rollback)) ||
         std::any_of(findings.begin(), findings.end(), is(ChainFinding::Kind::gap));
}

bool Repair::rolled_back() {
  std::vector<ChainFinding> findings = repository_->chain_findings();
  return std::any_of(findings.begin(), findings.end(), is_rollback_or_fork);
}

CheckReport Repair::look(const std::function<void(const AffectedFile&)>& affected) {
  CheckOptions options;
  options.level = Level::bytes;
  options.run = setup_.run;
  options.affected = affected;
  return repository_ ? repository_->check(options) : check_objects(setup_.store, options);
}

RepairPlan Repair::plan() {
  RepairPlan plan;
  open(plan.closed);
  std::map<std::string, std::vector<AffectedFile>> lost;   // by object
  plan.damage = look([&](const AffectedFile& file) {
    if (!file.listing) lost[file.object].push_back(file);
  });
  if (repository_) plan.chain = repository_->chain_findings();
  plan.from_copies = find_in_copies(setup_.store, plan.damage, records_missing(), setup_.copies, setup_.run);
  std::set<std::string> back;
  for (const TakeOver& object : plan.from_copies) back.insert(object.name);
  bool packs_left = false;
  for (const DamagedObject& object : plan.damage.damaged) {
    if (back.contains(object.name) || !repository_) continue;
    packs_left = packs_left || is_of(object.name, ObjectType::pack);
    if (is_of(object.name, ObjectType::index) || is_of(object.name, ObjectType::inventory)) plan.made_again.push_back(object.name);
  }
  plan.rescue = packs_left;
  for (const auto& [object, files] : lost) {
    if (back.contains(object)) continue;
    for (const AffectedFile& file : files) plan.to_read[file.item].insert(file.path);
  }
  return plan;
}

void Repair::take_all(const RepairPlan& plan, CheckReport& damage, RepairResult& result) {
  std::vector<TakeOver> objects = plan.from_copies;
  std::set<std::string> tried;
  for (int round = 0; round < kMostRounds && !objects.empty(); ++round) {
    bool more_may_show = false;
    for (const TakeOver& object : objects) {
      if (setup_.run.cancel) setup_.run.cancel->check();
      tried.insert(object.name);
      more_may_show = more_may_show || !rests_on_packs(object.name);
      if (std::string problem = take_over(setup_.store, object); !problem.empty()) {
        result.problems.push_back({"not_repaired", object.name, problem, ""});
      } else {
        result.from_copies.push_back(object.name);
        std::erase_if(damage.damaged, [&](const DamagedObject& d) { return d.name == object.name; });
      }
    }
    if (!more_may_show) return;
    std::string closed;
    open(closed);
    damage = look({});
    objects = find_in_copies(setup_.store, damage, records_missing(), setup_.copies, setup_.run);
    std::erase_if(objects, [&](const TakeOver& object) { return tried.contains(object.name); });
  }
}

RepairResult Repair::apply(const RepairPlan& plan, const std::function<void(Mending&)>& source) {
  RepairResult result;
  CheckReport damage = plan.damage;
  take_all(plan, damage, result);
  if (repository_ && rolled_back()) {
    result.problems.push_back({"not_repaired", setup_.store.location(), "the repository is not the one that was last seen: nothing is written to it",
                               "if an older state was put back on purpose: 'holdfast accept-older', then repair again"});
  } else if (repository_ && !damage.damaged.empty()) {
    std::unique_ptr<Mending> mending = repository_->begin_mending(damage, setup_.run);
    if (source) source(*mending);
    result.replaced = mending->finish();
  }
  std::string closed;
  open(closed);   // nothing remembered of what was
  result.left = look({});
  if (repository_) result.chain = repository_->chain_findings();
  return result;
}

}  // namespace holdfast::repository
