#include "recovery/steps.h"

#include <algorithm>
#include <filesystem>

#include "backup/key_check.h"
#include "base/error.h"
#include "base/text.h"
#include "item/database/database.h"
#include "item/install_package/install_package.h"
#include "recovery/parts.h"

namespace holdfast::recovery {
namespace {

using item::DatabaseAdapter;
using item::ItemSpec;
using platform::Path;
using system::Step;

const DatabaseAdapter& database_adapter(const Source& source, const ItemSpec& spec) {
  if (const auto* d = dynamic_cast<const DatabaseAdapter*>(&source.adapters.get(spec))) return *d;
  throw Error(Code::config, "item '" + spec.name + "' is no database, and a recovery step treats it as one");
}

FindingSink collect(StepContext& c, const std::string& item) {
  return [&c, item](Finding f) {
    f.object = f.object.empty() || f.object == item ? item : item + ": " + f.object;
    c.findings.push_back(std::move(f));
  };
}

void run_services(PlannedStep& p, StepContext& c, const char* verb) {
  std::vector<std::string> done;
  for (const auto& [name, command] : c.plan.system.services) {
    platform::ProcessOptions how;
    how.cancel = &c.source.cancel;
    auto result = c.source.world.processes.run(service_command(command, verb, name), how);
    if (result.exit_code != 0)
      throw Error(Code::failed, "service " + name + " did not " + verb + " (exit " + std::to_string(result.exit_code) + "): " + printable(result.error_output))
          .safe("what was restored before stays restored; the journal knows where it stopped")
          .hint("look after the service, then 'holdfast recover --resume'");
    done.push_back(name);
  }
  p.detail = done.empty() ? "no services are configured" : join(done, ", ");
}

void set_aside(PlannedStep& p, StepContext& c) {
  std::vector<std::string> names;
  for (const std::string& name : p.step.items) {
    const ItemSpec& spec = c.plan.system.get(name);
    std::string renamed = database_adapter(c.source, spec).set_aside(spec, c.source.world, c.suffix);
    names.push_back(renamed.empty() ? "there was no database of that name" : "the database that was there is now " + printable(renamed));
  }
  p.detail = join(names, "; ");
}

void restore_configuration_file(PlannedStep& p, StepContext& c) {
  const Path& file = c.plan.system.file;
  c.source.world.files.make_directories(file.parent_path());
  c.source.world.files.replace(file, c.plan.point.configuration);
  p.detail = printable(file.string());
}

void restore_items(PlannedStep& p, StepContext& c) {
  std::uint64_t bytes = 0, files = 0;
  std::vector<std::string> missing;
  for (const std::string& name : p.step.items) {
    c.source.cancel.check();
    const ItemSpec& spec = c.plan.system.get(name);
    const repository::StoredItem* stored = find_item(c.plan.point, name);
    if (stored == nullptr || !stored->root) {
      missing.push_back(name);
      if (!spec.excluded)
        c.findings.push_back({"not_in_point", name, "this recovery point does not hold it. " + spec.if_lost, "'holdfast restore latest --item " + name + " --in-place' takes an older point"});
      continue;
    }
    item::ApplyContext context{c.source.world, c.source.cancel, c.source.progress, collect(c, name), {}, std::nullopt, true};
    context.attributes.owner = context.attributes.privileged = c.source.world.host.is_administrator();
    c.source.adapters.get(spec).apply(spec, c.source.repository.open_item(c.plan.point, name), context);
    bytes += stored->bytes;
    files += stored->files;
  }
  p.detail = human_count(files) + (files == 1 ? " file, " : " files, ") + human_bytes(bytes);
  if (!missing.empty()) p.detail += "; not in this point: " + join(missing, ", ");
}

void fix_up(PlannedStep& p, StepContext& c) {
  const system::Fixup* f = find_fixup(c.plan.system, p.step.fixup);
  if (f == nullptr) throw Error(Code::config, "the profile has no fix-up '" + p.step.fixup + "'");
  std::string version = product_version(system::IdentityCard::from_facts(c.plan.point.identity), f->product);
  if (!knows_version(*f, version))
    throw Error(Code::unsupported, "fix-up '" + f->name + "' does not know " + f->product + " " + (version.empty() ? "of unknown version" : printable(version)))
        .safe("the restored database was not changed by it")
        .hint("do it by hand as the vendor says for that version, then 'holdfast recover --resume --skip " + p.step.name + " --reason \"done by hand\"'");
  const ItemSpec& spec = c.plan.system.get(f->item);
  std::vector<std::string> counts;
  for (const auto& n : database_adapter(c.source, spec).fix_up(spec, c.source.world, f->actions))
    counts.push_back(n.table + " " + human_count(n.changed) + " of " + human_count(n.before) + " rows");
  p.detail = join(counts, ", ");
}

void install(PlannedStep& p, StepContext& c) {
  const ItemSpec* package = nullptr;
  for (const std::string& name : p.step.items) {
    const repository::StoredItem* stored = find_item(c.plan.point, name);
    const ItemSpec* spec = c.plan.system.find(name);
    if (spec && spec->kind == "install_package" && stored && stored->root) package = spec;
  }
  system::IdentityCard lost = system::IdentityCard::from_facts(c.plan.point.identity);
  system::IdentityCard here = system::read_identity(c.plan.system, c.source.world);
  // An installer that was stopped may have said so in the registry before everything was there.
  bool installed = !here.install_path.empty() && here.products == lost.products && here.install_path == lost.install_path;
  if (installed && !(c.half_done && package != nullptr)) {
    p.detail = "already installed: " + std::to_string(here.products.size()) + " products at the versions of the lost server";
    return;
  }
  if (package == nullptr) {
    p.state = StepState::left_to_person;
    p.detail = "no installation package: install exactly these products, showing all versions if need be: " + printable(system::products_text(lost));
    return;
  }
  item::InstallArguments arguments{lost.install_path, lost.application_identity, lost.database_name, !here.install_path.empty()};
  item::install(*package, arguments, c.source.world, c.source.cancel);
  here = system::read_identity(c.plan.system, c.source.world);
  if (here.products != lost.products)
    throw Error(Code::precondition, "after the installation the products are not those of the lost server")
        .safe("nothing of the lost server was restored over it yet").hint("compare 'holdfast show " + repository::short_id(c.plan.point.id) + "' with what is installed");
  p.detail = std::to_string(here.products.size()) + " products at the versions of the lost server";
}

// Tables that the plan's fix-ups changed cannot equal the point; everything else must.
ItemSpec spec_after_fixups(const ItemSpec& spec, const Plan& plan) {
  ItemSpec out = spec;
  std::vector<std::string> tables;
  for (const auto& f : plan.system.profile.fixups)
    if (f.item == spec.name)
      for (const auto& a : f.actions) tables.push_back(a.table);
  if (!tables.empty()) out.options[item::kFixedUpTables] = tables;
  return out;
}

// Skipped with a reason: told as that, and not as files that are missing.
bool is_skipped(const std::string& item, const Plan& plan) {
  return std::any_of(plan.steps.begin(), plan.steps.end(), [&](const PlannedStep& p) {
    return p.state == StepState::skipped && p.step.kind == system::Step::Kind::restore &&
           std::find(p.step.items.begin(), p.step.items.end(), item) != p.step.items.end();
  });
}

void check_all(PlannedStep& p, StepContext& c) {
  std::size_t before = c.checks.size();
  for (const auto& stored : c.plan.point.items) {
    if (is_skipped(stored.name, c.plan)) continue;
    const ItemSpec* spec = c.plan.system.find(stored.name);
    bool wanted = p.step.items.empty() || std::find(p.step.items.begin(), p.step.items.end(), stored.name) != p.step.items.end();
    if (spec == nullptr || !stored.root || !wanted) continue;
    c.source.cancel.check();
    item::Facts facts;
    item::CaptureContext context{c.source.world, c.source.cancel, c.source.progress, collect(c, stored.name), facts, {}, {}, {}};
    ItemSpec adjusted = spec_after_fixups(*spec, c.plan);
    for (item::CheckResult& r : c.source.adapters.get(adjusted).check(adjusted, c.source.repository.open_item(c.plan.point, stored.name), context)) {
      r.name = stored.name + ": " + r.name;
      c.checks.push_back(std::move(r));
    }
  }
  for (backup::KeyFit& fit : backup::check_keys_live(c.plan.system, c.source.adapters, c.source.world)) c.checks.push_back(std::move(fit.result));
  std::size_t passed = 0;
  for (std::size_t i = before; i < c.checks.size(); ++i) passed += c.checks[i].passed ? 1 : 0;
  p.detail = std::to_string(passed) + " of " + std::to_string(c.checks.size() - before) + " checks passed";
  if (passed != c.checks.size() - before) p.state = StepState::failed;
}

}  // namespace

void run_step(PlannedStep& p, StepContext& c) {
  p.state = StepState::done;
  c.source.progress.begin(p.step.title, 0);
  switch (p.step.kind) {
    case Step::Kind::stop_services: run_services(p, c, "stop"); break;
    case Step::Kind::start_services: run_services(p, c, "start"); break;
    case Step::Kind::set_aside: set_aside(p, c); break;
    case Step::Kind::restore:
      if (p.step.name == kConfigurationFileStep) restore_configuration_file(p, c);
      else restore_items(p, c);
      break;
    case Step::Kind::fixup: fix_up(p, c); break;
    case Step::Kind::install: install(p, c); break;
    case Step::Kind::check: check_all(p, c); break;
    case Step::Kind::confirm:
    case Step::Kind::manual:
      throw Error(Code::defect, "step '" + p.step.name + "' is a person's");
  }
  c.source.progress.end();
}

}  // namespace holdfast::recovery
