#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/context.h"
#include "cli/describe.h"
#include "cli/verbs.h"
#include "schedule/calendar.h"
#include "system/configuration_edit.h"

namespace holdfast::cli {
namespace {

using schedule::Calendar;
using schedule::Zone;
using schedule::ZoneFiles;
using system::Change;
using system::ScheduleSettings;

constexpr std::size_t kRunsShown = 5;
const std::string kOnlyTheService = "Nothing of this runs unless the service runs: holdfast serve.";

std::vector<Timestamp> next_runs(const Calendar& calendar, Timestamp now) {
  std::vector<Timestamp> runs;
  for (auto next = calendar.next_after(now); next && runs.size() < kRunsShown; next = calendar.next_after(*next)) runs.push_back(*next);
  return runs;
}

std::string describe(const std::vector<Timestamp>& runs, const Zone& here, const std::string& before) {
  std::string text;
  for (Timestamp t : runs) text += "\n" + (text.empty() ? before : std::string(before.size(), ' ')) + here.text(t);
  return runs.empty() ? "\n" + before + "never comes" : text;
}

std::vector<const ScheduleSettings*> backups_of(const system::System& s, const std::string& section) {
  std::vector<const ScheduleSettings*> all;
  for (const ScheduleSettings& x : s.settings.schedules)
    if (x.run == ScheduleSettings::Run::backup && x.section == section) all.push_back(&x);
  return all;
}

int list(const Arguments&, Context& c) {
  const system::System s = c.load_system();
  const ZoneFiles zones{c.world.files};
  const Zone here = zones.machine();
  Json schedules = Json::array(), without = Json::array();
  std::string text;
  for (const ScheduleSettings& x : s.settings.schedules) {
    Json row = to_json(x);
    text += (text.empty() ? "" : "\n\n") + x.name + ": " + (x.enabled ? "on" : "off") + "\n" + wrap(to_text(x), kTextWidth, "  ");
    try {
      const Calendar calendar = Calendar::parse(x.calendar, zones);
      const std::vector<Timestamp> runs = next_runs(calendar, c.world.clock.now());
      text += "\n  " + calendar.normal_form() + describe(runs, here, x.enabled ? "  next  " : "  would run  ");
      row["normal_form"] = calendar.normal_form();
      row["next"] = report::runs_json(runs, here);
    } catch (const Error& e) {   // its time zone is not on this machine
      text += "\n  " + printable(x.calendar);
      row["normal_form"] = nullptr;
      row["next"] = Json::array();
      c.output.finding({"calendar_unusable", "[schedule." + x.name + "]", e.message(), e.hint()});
    }
    schedules.push_back(row);
  }
  std::string missing;
  for (const system::Section& section : s.profile.sections) {
    if (!backups_of(s, section.name).empty()) continue;
    missing += (missing.empty() ? "" : ", ") + section.name;
    without.push_back(section.name);
  }
  if (text.empty()) text = "There is no schedule in " + printable(s.file.string()) + ".";
  if (!missing.empty()) text += "\n\n" + wrap("Sections without a schedule of their own: " + missing + ". 'holdfast schedule on SECTION --calendar \"Mon..Fri 02:30\"' makes one.", kTextWidth, "");
  c.output.answer(text + "\n\n" + kOnlyTheService);
  c.output.result(Json{{"schedules", schedules}, {"sections_without", without}});
  return c.output.findings() == 0 ? 0 : 3;
}

// What is to be switched: a schedule of that name, or the one that backs up the section of that name; nullptr: the section has none.
const ScheduleSettings* meant(const system::System& s, const std::string& name) {
  if (const ScheduleSettings* schedule = s.settings.find_schedule(name)) return schedule;
  std::vector<std::string> names, of_section;
  for (const ScheduleSettings* x : backups_of(s, name)) of_section.push_back(x->name);
  if (of_section.size() == 1) return s.settings.find_schedule(of_section.front());
  if (of_section.size() > 1)
    throw Error(Code::usage, "section '" + printable(name) + "' has several schedules: " + join(of_section, ", ")).safe("nothing was changed").hint("name one of them");
  for (const ScheduleSettings& x : s.settings.schedules) names.push_back(x.name);
  for (const system::Section& section : s.profile.sections) {
    if (section.name == name) return nullptr;
    names.push_back(section.name);
  }
  const std::string near = nearest_name(name, names);
  throw Error(Code::unknown_name, "there is no schedule and no section '" + printable(name) + "'")
      .safe("nothing was changed")
      .hint(near.empty() ? "there are: " + join(names, ", ") : "did you mean '" + near + "'?");
}

Calendar usable(const std::string& text, const ZoneFiles& zones) {
  try {
    return Calendar::parse(text, zones);
  } catch (Error& e) {
    e.safe("nothing was changed");
    throw;
  }
}

std::vector<Change> changes_for(const ScheduleSettings* schedule, const std::string& section, bool enabled, const std::string& calendar) {
  const std::string name = schedule ? schedule->name : section;
  auto set = [&](const char* key, Change::Value value) { return Change{Change::Kind::set, {"schedule", name, key}, std::move(value)}; };
  std::vector<Change> changes;
  if (!schedule) changes = {set("run", "backup"), set("section", section)};
  if (!calendar.empty()) changes.push_back(set("calendar", calendar));
  if (!schedule || schedule->enabled != enabled) changes.push_back(set("enabled", enabled));
  return changes;
}

std::string review(const system::System& s, const std::vector<system::LineChange>& lines) {
  std::string text = "Review: " + printable(s.file.string()) + "\n";
  for (const auto& l : lines) text += "\n  " + std::string(1, l.sign) + " " + printable(l.text);
  return text;
}

int switch_to(bool enabled, const std::string& calendar, const Arguments& a, Context& c) {
  const system::System s = c.load_system();
  const std::string asked = a.positional(0);
  const ScheduleSettings* schedule = meant(s, asked);
  if (!schedule && calendar.empty())
    throw Error(Code::usage, "section '" + asked + "' has no schedule")
        .safe("nothing was changed")
        .hint(enabled ? "say when: holdfast schedule on " + asked + " --calendar \"Mon..Fri 02:30\"" : "there is nothing to switch off");
  const std::string name = schedule ? schedule->name : asked;
  const ZoneFiles zones{c.world.files};
  // Also of one that stands there: a schedule whose time zone is not here is not switched on.
  std::vector<Timestamp> runs;
  if (enabled) runs = next_runs(usable(calendar.empty() ? schedule->calendar : calendar, zones), c.world.clock.now());
  const std::string after = system::changed(s.source, s.file.string(), changes_for(schedule, asked, enabled, calendar));
  const auto lines = system::line_changes(s.source, after);
  const bool dry = a.has("--dry-run");
  Json result{{"schedule", name}, {"enabled", enabled}, {"changed", !lines.empty() && !dry}, {"file", printable(s.file.string())}, {"lines", Json::array()}};
  for (const auto& l : lines) result["lines"].push_back(std::string(1, l.sign) + " " + printable(l.text));
  if (enabled) result["next"] = report::runs_json(runs, zones.machine());
  if (dry) result["dry_run"] = true;
  std::string ending = "Schedule '" + name + "' is " + (enabled ? "on." + describe(runs, zones.machine(), "  next  ") + "\n" + kOnlyTheService : "off.");
  if (lines.empty()) {
    c.output.say("Nothing to change. " + ending);
    c.output.result(result);
    return 0;
  }
  c.output.answer(review(s, lines));
  if (dry || !c.confirm("Change " + printable(s.file.string()) + "?")) {
    result["changed"] = false;
    c.output.say("Nothing was changed.");
    c.output.result(result);
    return 0;
  }
  system::replace_configuration(c.world.files, s.file, s.source, after, c.adapters);
  c.output.say(ending);
  c.output.result(result);
  return 0;
}

int on(const Arguments& a, Context& c) {
  if (a.has("--calendar") && trim(a.value("--calendar")).empty())
    throw Error(Code::usage, "--calendar is empty").safe("nothing was changed").hint("for example --calendar \"Mon..Fri 02:30\"; docs/schedules.md has the whole language");
  return switch_to(true, a.value("--calendar"), a, c);
}
int off(const Arguments& a, Context& c) { return switch_to(false, "", a, c); }

}  // namespace

std::vector<Verb> schedule_verbs() {
  const Option dry{"--dry-run", "", "say what would be changed, change nothing"};
  const std::string in_place = "Changes the value in the configuration file and leaves everything else there as it is; the changed lines are shown first. ";
  Verb l;
  l.name = "schedule list";
  l.summary = "what runs by itself, and when it comes next";
  l.details = "Every schedule with its calendar in normal form and its next five runs in this machine's time. Schedules run only while the service runs.";
  l.examples = {{"holdfast schedule list", "those that are off, too"}};
  l.run = list;
  Verb y;
  y.name = "schedule on";
  y.summary = "switch a schedule on";
  y.positionals = {{"SECTION", "a schedule's name, or a section that one schedule backs up"}};
  y.options = {{"--calendar", "EXPRESSION", "when, as in systemd: \"Mon..Fri 02:30\"; makes the schedule of a section that has none"}, dry};
  y.details = in_place + "Runs that were due before it was switched on are not caught up.";
  y.examples = {{"holdfast schedule on retention", ""}, {"holdfast schedule on database --calendar \"Mon..Fri 02:30\" --yes", "for a script"}};
  y.run = on;
  Verb n;
  n.name = "schedule off";
  n.summary = "switch a schedule off";
  n.positionals = {{"SECTION", "a schedule's name, or a section that one schedule backs up"}};
  n.options = {dry};
  n.details = in_place + "A run that goes on is not stopped.";
  n.examples = {{"holdfast schedule off database --dry-run", "which line would change"}};
  n.run = off;
  return {l, y, n};
}

}  // namespace holdfast::cli
