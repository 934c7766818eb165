#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "item/install_package/install_package.h"
#include "recovery/parts.h"

namespace holdfast::recovery {
namespace {

using platform::Path;
using system::Step;

// Who this machine is, or will be: where nothing is installed, the installer is told path, account and database name of the
// lost server, and the products are those that the package installs.
system::IdentityCard card_here(const Source& source, const Plan& plan, const system::IdentityCard& lost, Preflight& out) {
  system::IdentityCard here = system::read_identity(plan.system, source.world);
  if (!here.install_path.empty()) return here;
  here.install_path = lost.install_path;
  here.application_identity = lost.application_identity;
  here.database_name = lost.database_name;
  for (const auto& i : plan.point.items) {
    if (i.kind != "install_package" || !i.root) continue;
    auto package = item::stored_package(source.repository.open_item(plan.point, i.name));
    if (!package) continue;
    here.products.clear();
    for (const auto& p : package->products) here.products.push_back({p.name, p.id, p.version});
    std::sort(here.products.begin(), here.products.end());
    return here;
  }
  // Without a package a person installs, told the exact versions: nothing to compare yet.
  here.products = lost.products;
  out.findings.push_back({"no_install_package", plan.system.name, "the recovery point holds no installation package: only the package guarantees that the new "
                          "installation matches the database", "install exactly the products and versions of the plan; the installer may have to be told to show all versions"});
  return here;
}

Path existing_parent(platform::FileSystem& files, Path p) {
  while (!p.empty() && p != p.root_path() && !files.exists(p)) p = p.parent_path();
  return p.empty() ? Path("/") : p;
}

// What the pending steps write, and where.
struct Write { const repository::StoredItem* stored; std::vector<Path> places; };

std::vector<Write> writes_of(const Source& source, const Plan& plan) {
  std::vector<Write> writes;
  for (const PlannedStep& p : plan.steps) {
    if (p.state != StepState::pending || p.step.kind != Step::Kind::restore) continue;
    for (const std::string& name : p.step.items) {
      const item::ItemSpec* spec = plan.system.find(name);
      const repository::StoredItem* stored = find_item(plan.point, name);
      const item::Adapter* adapter = spec ? source.adapters.find(spec->kind, spec->engine) : nullptr;
      if (adapter == nullptr || stored == nullptr || !stored->root) continue;
      auto places = adapter->covers(*spec);
      if (!places.empty()) writes.push_back({stored, std::move(places)});
    }
  }
  return writes;
}

// In each file system that is written to.
void check_space(const Source& source, const std::vector<Write>& writes, Preflight& out) {
  struct Need { Path place; std::uint64_t bytes = 0; };
  std::map<std::uint64_t, Need> needs;
  for (const Write& w : writes) {
    Path place = existing_parent(source.world.files, w.places.front());
    auto info = source.world.files.info(place);
    Need& need = needs[info ? info->device : 0];
    if (need.place.empty()) need.place = place;
    need.bytes += w.stored->bytes;
  }
  for (const auto& [device, need] : needs) {
    std::uint64_t free = source.world.files.free_bytes(need.place);
    out.checks.push_back({kThereIsRoom, free > need.bytes,
                          human_bytes(need.bytes) + " needed, " + human_bytes(free) + " free at " + printable(need.place.string())});
  }
}

// Every folder that a step will write to can be written.
void check_writable(const Source& source, const std::vector<Write>& writes, Preflight& out) {
  std::set<Path> folders;
  for (const Write& w : writes)
    for (const Path& place : w.places) folders.insert(existing_parent(source.world.files, place.parent_path()));
  std::vector<std::string> refused;
  for (const Path& folder : folders)
    if (!source.world.files.can_write(folder)) refused.push_back(printable(folder.string()));
  out.checks.push_back({"places can be written", refused.empty(), refused.empty() ? std::to_string(folders.size()) + " folders" : "no: " + join(refused, ", ")});
}

void check_steps(const Source& source, const Plan& plan, const system::IdentityCard& lost, const system::IdentityCard& here, Preflight& out) {
  bool other_system = !lost.operating_system.empty() && lost.operating_system != here.operating_system;
  for (const PlannedStep& p : plan.steps) {
    if (p.state != StepState::pending) continue;
    const Step& s = p.step;
    bool by_hand = s.kind == Step::Kind::confirm || s.kind == Step::Kind::manual;
    if (other_system && !by_hand)
      out.cannot_run.push_back(s.name + ": it needs " + printable(lost.operating_system) + ", this machine runs " + here.operating_system);
    for (const std::string& name : s.items) {
      const item::ItemSpec* spec = plan.system.find(name);
      if (spec != nullptr && source.adapters.find(spec->kind, spec->engine) == nullptr)
        out.cannot_run.push_back(s.name + ": this Holdfast knows no kind '" + printable(spec->kind) + "'");
      const repository::StoredItem* stored = find_item(plan.point, name);
      if (spec == nullptr || spec->excluded || s.kind != Step::Kind::restore || spec->criticality != item::Criticality::critical) continue;
      if (stored == nullptr || !stored->root)
        out.checks.push_back({"critical item " + name, false, "this recovery point does not hold it"});
      else if (stored->status == repository::ItemStatus::failed)
        out.checks.push_back({"critical item " + name, false, stored->findings.empty() ? "it failed" : printable(stored->findings.back().message)});
    }
    if (s.kind == Step::Kind::fixup) {
      const system::Fixup* f = find_fixup(plan.system, s.fixup);
      std::string version = f ? product_version(lost, f->product) : "";
      bool known = f != nullptr && knows_version(*f, version);
      out.checks.push_back({"fix-up " + s.fixup + " knows this version", known,
                            (f ? printable(f->product) : "?") + " " + (version.empty() ? "of unknown version" : printable(version))});
    }
  }
}

void check_head(const Source& source, const Plan& plan, const std::string& expected, Preflight& out) {
  for (const auto& c : source.repository.chain_findings()) out.checks.push_back({"history of the repository", false, printable(c.message)});
  if (!expected.empty()) {
    bool there = source.repository.contains_head(expected);
    out.checks.push_back({"the repository is not older than the head code given", there,
                          there ? printable(expected) : "it does not contain " + printable(expected) + ": it was rolled back, or the code is of another repository"});
    return;
  }
  out.findings.push_back({"head_not_checked", repository::short_id(plan.point.id),
                          "this recovery point is from " + format_utc(plan.point.finished) + "; whether the repository holds a newer one that was taken away is not "
                          "checked against a remembered head",
                          "compare the time with what you expect, or give --expect-head CODE (the code is in the kit)"});
}

}  // namespace

std::string product_version(const system::IdentityCard& card, const std::string& product) {
  for (const auto& p : card.products)
    if (p.name == product) return p.version;
  return "";
}

bool knows_version(const system::Fixup& f, const std::string& version) {
  return std::any_of(f.versions.begin(), f.versions.end(), [&](const std::string& v) { return !v.empty() && version.starts_with(v); });
}

bool Preflight::passed() const {
  return std::none_of(differences.begin(), differences.end(), [](const auto& d) { return d.blocking; }) && cannot_run.empty() &&
         std::all_of(checks.begin(), checks.end(), [](const auto& c) { return c.passed; });
}

Preflight preflight(const Source& source, const Plan& plan, const std::string& expect_head) {
  Preflight out;
  system::IdentityCard lost = system::IdentityCard::from_facts(plan.point.identity);
  system::IdentityCard here = card_here(source, plan, lost, out);
  out.differences = system::compare(lost, here);
  auto writes = writes_of(source, plan);
  check_space(source, writes, out);
  check_writable(source, writes, out);
  check_steps(source, plan, lost, here, out);
  check_head(source, plan, expect_head, out);
  return out;
}

}  // namespace holdfast::recovery
