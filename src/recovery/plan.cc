#include "recovery/plan.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "item/database/database.h"
#include "item/install_package/install_package.h"
#include "recovery/parts.h"

namespace holdfast::recovery {
namespace {

using platform::Path;
using system::Step;

// Groups 1 and 2 may be done in either order. Where nothing is installed, the installation comes first: the database that it
// makes is then the clean one that is set aside.
int rank(int group, bool install_first) {
  if (install_first && group == 1) return 2;
  if (install_first && group == 2) return 1;
  return group;
}

std::vector<PlannedStep> in_order(const std::vector<Step>& steps, bool install_first) {
  std::vector<const Step*> wanted;
  for (const Step& s : steps) wanted.push_back(&s);
  std::stable_sort(wanted.begin(), wanted.end(),
                   [&](const Step* a, const Step* b) { return rank(a->group, install_first) < rank(b->group, install_first); });
  std::vector<PlannedStep> ordered;
  std::set<std::string> placed;
  while (!wanted.empty()) {
    auto ready = std::find_if(wanted.begin(), wanted.end(), [&](const Step* s) {
      return std::all_of(s->after.begin(), s->after.end(), [&](const std::string& a) { return placed.contains(a); });
    });
    if (ready == wanted.end())
      throw Error(Code::config, "the profile's recovery steps cannot be ordered: '" + printable(wanted.front()->name) + "' waits for a step that waits for it, or that is not there");
    ordered.push_back({**ready, StepState::pending, "", {}});
    placed.insert((*ready)->name);
    wanted.erase(ready);
  }
  return ordered;
}

// Holdfast's own configuration file is not an item; it lies in every point and comes back with the configuration.
void add_configuration_file(std::vector<PlannedStep>& steps, const system::System& system) {
  Step own;
  own.name = kConfigurationFileStep;
  own.title = "Put Holdfast's own configuration file back";
  own.group = 3;
  own.kind = Step::Kind::restore;
  auto last = std::find_if(steps.rbegin(), steps.rend(), [](const PlannedStep& s) { return s.step.group == 3 && s.step.kind == Step::Kind::restore; });
  auto place = last != steps.rend() ? last.base() : std::find_if(steps.begin(), steps.end(), [](const PlannedStep& s) { return s.step.group > 3; });
  steps.insert(place, {own, StepState::pending, "", {"to " + printable(system.file.string())}});
}

// What a step does on this machine, in sentences.
std::vector<std::string> lines_of(const PlannedStep& p, const Plan& plan, const Source& source) {
  std::vector<std::string> lines = p.lines;
  for (const std::string& name : p.step.items) {
    const repository::StoredItem* stored = find_item(plan.point, name);
    const item::ItemSpec* spec = plan.system.find(name);
    if (spec == nullptr) continue;
    if (stored == nullptr || !stored->root) {
      lines.push_back(name + ": not in this recovery point" + (spec->if_lost.empty() ? "" : ". " + spec->if_lost));
      continue;
    }
    if (p.step.kind == Step::Kind::install) {
      lines.push_back("run: " + printable((Path(spec->text("path")) / "setup").string()) + ", which lays the server down in " +
                      printable(spec->text("install_root")));
    } else {
      const item::Adapter* adapter = source.adapters.find(spec->kind, spec->engine);
      std::string places = adapter ? places_text(*adapter, *spec) : "";
      lines.push_back(name + ": " + human_bytes(stored->bytes) + (places.empty() ? "" : " to " + places));
    }
  }
  bool stops = p.step.kind == Step::Kind::stop_services, starts = p.step.kind == Step::Kind::start_services;
  if (stops || starts)
    for (const auto& [name, command] : plan.system.services)
      lines.push_back("run: " + printable(join(service_command(command, stops ? "stop" : "start", name), " ")));
  if (const system::Fixup* f = find_fixup(plan.system, p.step.fixup))
    for (const auto& a : f->actions)
      lines.push_back(a.truncate ? "empty table " + a.table : "in table " + a.table + " set " + a.set + " where " + a.where);
  return lines;
}

}  // namespace

std::string_view to_text(StepState s) {
  switch (s) {
    case StepState::pending: return "pending";
    case StepState::done: return "done";
    case StepState::skipped: return "skipped";
    case StepState::deferred: return "deferred";
    case StepState::left_to_person: return "left_to_person";
    case StepState::failed: return "failed";
    case StepState::cannot_run_here: return "cannot_run_here";
  }
  return "?";
}

const repository::StoredItem* find_item(const repository::Point& point, const std::string& name) {
  for (const auto& i : point.items)
    if (i.name == name) return &i;
  return nullptr;
}

const system::Fixup* find_fixup(const system::System& system, const std::string& name) {
  for (const auto& f : system.profile.fixups)
    if (f.name == name) return &f;
  return nullptr;
}

std::string places_text(const item::Adapter& adapter, const item::ItemSpec& spec) {
  std::string text;
  for (const Path& p : adapter.covers(spec)) text += (text.empty() ? "" : ", ") + printable(p.string());
  return text;
}

Plan make_plan(const Source& source, const repository::Point& point, const std::optional<Path>& base, std::optional<bool> install_first) {
  Plan plan{point, system_of(point, source.adapters, base), {}};
  plan.install_first = install_first ? *install_first : system::read_identity(plan.system, source.world).install_path.empty();
  plan.steps = in_order(plan.system.profile.steps, plan.install_first);
  add_configuration_file(plan.steps, plan.system);
  for (PlannedStep& p : plan.steps) p.lines = lines_of(p, plan, source);
  return plan;
}

namespace {

// A profile's text has line breaks of its own.
std::string one_line(const std::string& text) {
  std::string out;
  for (const std::string& l : split(text, '\n')) out += (out.empty() ? "" : " ") + printable(trim(l));
  return out;
}

std::string boxed(const std::string& words) {
  std::string text = wrap_lines(words, "      ");
  text[2] = '[';
  text[4] = ']';
  return text;
}

}  // namespace

std::string printable_plan(const Plan& plan) {
  static constexpr const char* kGroups[] = {"Before anything", "Step 1: Database", "Step 2: Re-installation", "Step 3: Configuration and content", "Checks"};
  std::string text = "RECOVERY PLAN\n" + printable(plan.system.title.empty() ? plan.system.name : plan.system.title) + "\nrecovery point " +
                     plan.point.id.hex() + "\ntaken " + format_utc(plan.point.finished) + "\n\nThe new server must be\n";
  for (const auto& [key, value] : plan.point.identity)
    if (key != "configuration_file") text += wrap_lines(printable(key) + ": " + printable(value), "  ");
  int group = -1;
  for (const PlannedStep& p : plan.steps) {
    if (p.step.group != group) {
      group = p.step.group;
      text += "\n" + std::string(group >= 0 && group <= 4 ? kGroups[group] : "Further steps") + "\n";
    }
    text += boxed(printable(p.step.title) + " (" + printable(p.step.name) + ")" + (p.step.deferrable ? ", may be done last" : ""));
    if (!p.step.instructions.empty()) text += wrap_lines(one_line(p.step.instructions), "        ");
    for (const std::string& l : p.lines) text += wrap_lines("- " + l, "        ");
  }
  if (!plan.system.profile.outside.empty()) {
    text += "\nNot done by Holdfast\n";
    for (const std::string& o : plan.system.profile.outside) text += wrap_lines("- " + printable(o), "  ");
  }
  return text;
}

std::vector<std::string> service_command(const std::string& command, const std::string& verb, const std::string& name) {
  std::vector<std::string> words;
  for (std::string& w : split(command, ' '))
    if (!w.empty()) words.push_back(std::move(w));
  words.push_back(verb);
  words.push_back(name);
  return words;
}

std::string wrap_lines(const std::string& words, const std::string& indent) {
  constexpr std::size_t kWidth = 80;
  std::string out, line;
  for (const std::string& word : split(words, ' ')) {
    if (!line.empty() && indent.size() + line.size() + 1 + word.size() > kWidth) {
      out += indent + line + "\n";
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  return out + indent + line + "\n";
}

}  // namespace holdfast::recovery
