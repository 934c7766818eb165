#include "cli/describe.h"

#include "base/text.h"
#include "cli/damage.h"

namespace holdfast::cli {

using repository::short_id;

std::string when(Timestamp t) {
  std::string s = format_utc(t);
  return s.substr(0, 10) + " " + s.substr(11, 5) + " UTC";
}

std::string system_title(const system::System& s) {
  std::string title = s.title.empty() ? s.name : printable(s.title) + ", " + s.name;
  if (s.sample && to_lower_ascii(title).find("sample") == std::string::npos) title = "sample: " + title;
  return title;
}

std::string describe(const backup::Review& r, const system::System& system, const std::string& repository) {
  std::string text = "Review: backup of " + system_title(system) + "\n  to " + printable(repository) + "\n\n";
  std::vector<std::vector<std::string>> rows;
  for (const auto& l : r.chosen)
    rows.push_back({l.item->name, std::string(item::to_text(l.item->criticality)), l.bytes == 0 ? "" : human_bytes(l.bytes), l.item->title});
  text += table(rows) + "\n\n  " + counted(r.chosen.size(), "item") + ", " + human_bytes(r.bytes) + " to read\n";
  if (!r.left_out.empty()) {
    text += "\nNot in this backup\n";
    rows.clear();
    for (const auto* i : r.left_out) rows.push_back({i->name, i->if_lost});
    text += table(rows) + "\n";
  }
  if (!r.excluded.empty()) {
    text += "\nExcluded on purpose\n";
    rows.clear();
    for (const auto& x : r.excluded) rows.push_back({printable(x.what), printable(x.reason)});
    text += table(rows) + "\n";
  }
  text += "\nNot covered\n";
  rows.clear();
  for (const auto& f : r.not_covered) rows.push_back({printable(f.object), printable(f.message)});
  if (rows.empty()) rows.push_back({"nothing below the server's folder is left uncovered"});
  text += table(rows) + "\n";
  if (!r.outside.empty()) {
    text += "\nOutside Holdfast, to be brought back by other means\n";
    for (const auto& o : r.outside) text += wrap("- " + o, kTextWidth, "  ") + "\n";
  }
  return text;
}

std::string describe(const backup::Report& r) {
  std::string text;
  switch (r.status) {
    case repository::PointStatus::complete: text = "Recovery point " + short_id(r.point) + " is complete"; break;
    case repository::PointStatus::complete_with_findings: text = "Recovery point " + short_id(r.point) + " is complete, with findings"; break;
    case repository::PointStatus::incomplete:
      text = "Recovery point " + short_id(r.point) + " is INCOMPLETE: a critical item failed; it is kept, and never chosen by default";
  }
  text += ": " + counted(r.items.size(), "item") + ", " + human_bytes(r.bytes_read) + " read, " + human_bytes(r.bytes_stored) +
          " new in the repository, " + human_seconds(r.seconds) + "; everything new was decoded again and compared.";
  text = wrap(text, kTextWidth, "");
  for (const auto& i : r.items)
    if (i.status == repository::ItemStatus::failed) text += "\n  failed: " + i.name;
  return text;
}

std::string describe(const repository::CheckReport& r) {
  std::string text = human_count(r.objects) + " objects, " + human_bytes(r.bytes) + " checked";
  if (r.leftovers != 0) text += "; " + human_count(r.leftovers) + " left over from runs that were stopped (no harm; a later run uses or removes them)";
  return text + "\n" + (r.damaged.empty() ? "The repository is whole." : describe_damage(r));
}

}  // namespace holdfast::cli
