#include "backup/status.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/context.h"
#include "cli/describe.h"
#include "cli/verbs.h"
#include "recovery/kit_note.h"
#include "service/jobs/scheduler.h"

namespace holdfast::cli {

using repository::short_id;

namespace {

// What the service says of its schedules, seen without it: also that it does not run.
Findings schedules(Context& c, const system::System& s) {
  const schedule::ZoneFiles zones{c.world.files};
  const Timestamp now = c.world.clock.now();
  try {
    if (!service::StateFile::exists(c.world.files, c.state_folder())) return schedule_findings(service::schedule_states(s.settings, nullptr, zones, now), now);
    service::StateFile file(c.world.files, c.world.entropy, c.state_folder(), service::StateFile::Use::beside);
    service::Audit audit(file, c.world.clock);
    service::Jobs jobs(file, audit, c.world.clock);
    return schedule_findings(service::schedule_states(s.settings, &jobs, zones, now), now);
  } catch (const Error& e) {
    return {{"schedules_not_seen", "the service", std::string("whether schedules are overdue cannot be told: ") + e.what(), e.hint()}};
  }
}

int run(const Arguments&, Context& c) {
  system::System s = c.load_system();
  const auto kit = recovery::known_kit(c.world.files, c.state_folder(), s.id);
  backup::Status st = backup::status(s, c.adapters, c.world, c.repository(), kit ? kit->folder : "");
  for (Finding& f : schedules(c, s)) st.attention.push_back(std::move(f));
  std::string text = system_title(s) + "\n\nIf this server burns now\n";
  if (st.newest_good) {
    const auto& p = *st.newest_good;
    text += table({{"comes back", "the server as of " + when(p.finished) + " (recovery point " + short_id(p.id) + ")"},
                   {"proven", p.verified == repository::Level::none ? "never read back" : std::string(repository::to_text(p.verified)) + ", " + when(p.verified_at)}}) + "\n";
  } else {
    text += "  nothing comes back: there is no recovery point with every critical item\n";
  }
  if (s.recovery_point) text += table({{"objective", "lose no more than " + to_text(*s.recovery_point)}}) + "\n";
  text += "\nItems\n";
  std::vector<std::vector<std::string>> rows;
  for (const auto& l : st.items) {
    rows.push_back({l.item->name, std::string(item::to_text(l.item->criticality)), l.point ? when(l.taken) : "never",
                    "proven on: " + l.item->proven_on, l.problem});
  }
  text += table(rows) + "\n";
  if (!st.excluded.empty()) {
    text += "\nExcluded on purpose\n";
    rows.clear();
    for (const auto& x : st.excluded) rows.push_back({printable(x.what), printable(x.reason)});
    text += table(rows) + "\n";
  }
  text += st.attention.empty() ? "\nNothing needs attention.\n" : "\nNeeds attention\n";
  for (const auto& f : st.attention) {
    text += wrap("- " + printable(f.object) + ": " + printable(f.message), kTextWidth, "  ") + "\n";
    if (!f.hint.empty()) text += wrap(printable(f.hint), kTextWidth, "      ") + "\n";
  }
  if (!st.outside.empty()) {
    text += "\nOutside Holdfast\n";
    for (const auto& o : st.outside) text += wrap("- " + o, kTextWidth, "  ") + "\n";
  }
  c.output.answer(text);
  if (c.output.json())
    for (const auto& f : st.attention) c.output.finding(f);
  c.output.result(to_json(st, s));
  return st.attention.empty() && c.output.findings() == 0 ? 0 : 3;
}

}  // namespace

Verb status_verb() {
  Verb v;
  v.name = "status";
  v.summary = "what would come back now, from when, proven when; what needs attention";
  v.details = "Exit 0: all is good. Exit 3: something needs attention, each thing is named.";
  v.examples = {{"holdfast status", "the home page as text"}};
  v.run = run;
  return v;
}

}  // namespace holdfast::cli
