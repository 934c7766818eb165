#include "service/api/settings_change.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "service/api/settings_edit.h"

namespace holdfast::service {

system::System settings_file(Services& s) {
  return system::load_system(s.world.files, s.system()->file, s.adapters);
}

SettingsChanged change_settings(Services& s, const Actor& by, const std::function<void(Json&)>& edit,
                                const std::string& if_match, Writing writing,
                                const std::function<void(const std::vector<system::Change>&)>& allowed) {
  const system::System now = settings_file(s);
  if (!if_match.empty() && if_match != entity_tag(now.source))
    throw Error(Code::precondition,
                now.file.string() + " is not what was looked at: it was changed meanwhile")
        .safe("nothing was changed")
        .hint("look at the settings again, then change them");
  Json settings = settings_json(now);
  edit(settings);
  const std::vector<system::Change> changes = settings_changes(now, std::move(settings));
  if (allowed) allowed(changes);
  SettingsChanged out{system::changed(now.source, now.file.string(), changes), {}, false, false};
  std::string touched;
  for (const system::Change& c : changes) {
    touched += (touched.empty() ? "" : ", ") + join(c.path, ".");
    out.restart = out.restart || c.path.front() == "service";
  }
  for (const auto& l : system::line_changes(now.source, out.text))
    out.lines.push_back(std::string(1, l.sign) + " " + printable(l.text));
  // Also of a dry run: it must say what would be wrong.
  system::parse_system(out.text, now.file.string(), now.file.parent_path(), s.adapters);
  if (writing == Writing::dry || out.text == now.source) return out;
  s.audit.record(by, "settings.change", now.file.string(), "begun", touched);
  system::replace_configuration(s.world.files, now.file, now.source, out.text, s.adapters);
  out.written = true;
  s.configuration.refresh();
  s.scheduler.wake();
  s.changed("settings");
  return out;
}

}  // namespace holdfast::service
