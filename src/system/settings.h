// What holdfast.toml says about the service: [schedule.NAME], [service], [notify.NAME]. Values, as docs/configuration.md has them;
// whether a job is due is schedule/due.h, the history of runs is the service's.
//
// Secrets are never here: only the file in which one stands.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/file_system.h"

namespace holdfast::system {

struct ScheduleSettings {
  enum class Run { backup, verify, check, copy, retention, prune };
  std::string name;                  // of the table
  Run run = Run::backup;
  std::string calendar;              // as written; a right expression (schedule/expression.h), but its zone is not looked up
  bool enabled = false;
  std::string section;               // backup: a section of the profile; "": every item
  platform::Path export_folder;      // backup: plain files go there as well; "": they do not
  std::string level;                 // verify: exists, bytes, content or restore
  std::optional<double> share;       // verify, check: above 0 to 1; nullopt: verify reads everything that is due, check no content
  std::string copy;                  // copy: the name of a [copy.NAME]
};

struct ServiceSettings {
  std::string address = "127.0.0.1"; // IPv4 or IPv6, without brackets
  std::uint16_t port = 8443;
  platform::Path certificate, key;   // both or none
};

struct NotifySettings {
  enum class Scheme { smtps, smtp, https, http };   // http: to this machine only
  struct Events { bool failure = true, overdue = true, finding = true, success = false; };
  std::string name;
  Scheme scheme = Scheme::smtps;
  std::string url;                   // as written; holds no password
  std::string user, host;            // of the url; host without brackets
  std::uint16_t port = 0;            // the scheme's own when the url has none
  std::vector<std::string> to;       // of mail: addresses, at least one
  std::string from;                  // of mail
  platform::Path password_file;      // ""; or of mail the user's password, of a web address the token
  Events on;
};

struct Settings {
  std::vector<ScheduleSettings> schedules;   // in the order of the file, as are the others
  ServiceSettings service;
  std::vector<NotifySettings> notifications;
  const ScheduleSettings* find_schedule(std::string_view name) const;   // nullptr: no such schedule
};

std::string_view to_text(ScheduleSettings::Run run);         // as in the file: "backup"
// "backup of section configuration, exported to /srv/plain": one line for lists, logs and messages, safe to print.
std::string to_text(const ScheduleSettings& schedule);
std::string percent(double share);                           // of 1, as in the file: 0.05 is "5%"

}  // namespace holdfast::system
