#include <algorithm>
#include <array>
#include <charconv>

#include "base/error.h"
#include "base/text.h"
#include "schedule/expression.h"
#include "system/item_options.h"
#include "system/settings_reader.h"
#include "system/web_address.h"

namespace holdfast::system {
namespace {

using Run = ScheduleSettings::Run;

const std::vector<std::string> kRuns{"backup", "verify", "check", "copy", "retention", "prune"};   // in the order of the enum
const std::vector<std::string> kLevels{"exists", "bytes", "content", "restore"};
const std::vector<std::string> kEvents{"failure", "overdue", "finding", "success"};

template <class List>
std::vector<std::string> names_of(const List& list) {
  std::vector<std::string> names;
  for (const auto& element : list) names.push_back(element.name);
  return names;
}

std::vector<std::string> keys_of(const TomlValue& table) {
  std::vector<std::string> keys;
  for (const TomlMember& member : table.members) keys.push_back(member.key);
  return keys;
}

bool is_inside(const platform::Path& path, const platform::Path& folder) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first == folder.end();
}

class SettingsReader {
 public:
  SettingsReader(const std::string& file, const TableReader& top, const System& system) : file_(file), top_(top), system_(system) {}

  Settings read() {
    Settings all;
    each("schedule", [&](const std::string& name, const TomlValue& value) { all.schedules.push_back(schedule(name, value)); });
    if (const TomlValue* value = top_.table("service")) all.service = service(*value);
    each("notify", [&](const std::string& name, const TomlValue& value) { all.notifications.push_back(notify(name, value)); });
    return all;
  }

 private:
  template <class See>
  void each(const std::string& kind, See see) {
    const TomlValue* tables = top_.table(kind);
    if (!tables) return;
    for (const TomlMember& member : tables->members) {
      if (!is_plain_name(member.key))
        mistake(file_, member.at, "'" + printable(member.key) + "' is no name for [" + kind + ".NAME]; expected a-z, 0-9, - and _, at most 64 characters");
      see(member.key, member.value);
    }
  }

  ScheduleSettings schedule(const std::string& name, const TomlValue& value) {
    std::string what = "[schedule." + name + "]";
    if (value.kind != TomlValue::Kind::table) mistake(file_, value.at, what + " is not a table; expected " + what + " with keys");
    const std::string run = TableReader(file_, value, what, keys_of(value)).choice("run", kRuns);
    ScheduleSettings s;
    s.name = name;
    s.run = static_cast<Run>(std::find(kRuns.begin(), kRuns.end(), run) - kRuns.begin());
    std::vector<std::string> keys{"run", "calendar", "enabled"};
    if (s.run == Run::backup) keys.insert(keys.end(), {"section", "export"});
    if (s.run == Run::verify) keys.insert(keys.end(), {"level", "share"});
    if (s.run == Run::check) keys.push_back("share");
    if (s.run == Run::copy) keys.push_back("copy");
    TableReader table(file_, value, what + " of run '" + run + "'", keys);
    s.calendar = calendar(table);
    s.enabled = table.flag("enabled", false);
    if (table.has("section")) s.section = table.choice("section", names_of(system_.profile.sections));
    if (table.has("export")) s.export_folder = export_folder(table);
    if (s.run == Run::verify) s.level = table.has("level") ? table.choice("level", kLevels) : "content";
    if (table.has("share")) s.share = share(table);
    if (s.share && s.level == "exists")
      table.wrong(table.at("share"), "'share' in " + what + ": level 'exists' reads nothing that could be shared out; expected another level, or no share");
    if (s.run == Run::copy) s.copy = copy(table);
    return s;
  }

  std::string calendar(const TableReader& table) {
    std::string text = table.required_text("calendar");
    try {
      schedule::parse_expression(text);
    } catch (const Error& e) {
      table.wrong(table.at("calendar"), "'calendar' in " + table.what() + ": " + e.message());
    }
    return text;
  }

  // Plain files inside a protected place would be in the next backup; inside a repository they would be in its way.
  platform::Path export_folder(const TableReader& table) {
    platform::Path folder = resolve_path(system_.base, table.required_text("export"));
    auto refuse = [&](const std::string& where) {
      table.wrong(table.at("export"), "'" + printable(folder.string()) + "' lies inside " + where + "; expected a folder outside of what is backed up and of repositories");
    };
    for (const ItemSpec& item : system_.items)
      if (const std::string place = item.text("path"); !item.excluded && !place.empty() && is_inside(folder, place)) refuse("[item." + item.name + "]");
    if (!system_.repository.empty() && is_inside(folder, system_.repository)) refuse("[repository]");
    for (const System::Copy& copy : system_.copies)
      if (is_inside(folder, copy.repository)) refuse("[copy." + copy.name + "]");
    return folder;
  }

  double share(const TableReader& table) {
    const std::string text = table.required_text("share");
    double percent = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), percent);
    if (error != std::errc{} || std::string_view(end, static_cast<std::size_t>(text.data() + text.size() - end)) != "%" || !(percent > 0 && percent <= 100))
      table.wrong(table.at("share"), "'share' in " + table.what() + " is '" + printable(text) + "'; expected a share above 0 to 100 of a hundred: \"5%\"");
    return percent / 100;
  }

  std::string copy(const TableReader& table) {
    table.require("copy", "the name of a [copy.NAME]");
    if (system_.copies.empty())
      table.wrong(table.at("copy"), "'copy' in " + table.what() + ": the file has no copy; expected a table [copy.NAME] with its repository");
    return table.choice("copy", names_of(system_.copies));
  }

  platform::Path path(const TableReader& table, std::string_view key) {
    return table.has(key) ? resolve_path(system_.base, table.required_text(key)) : platform::Path();
  }

  ServiceSettings service(const TomlValue& value) {
    TableReader table(file_, value, "[service]", {"listen", "certificate", "key"});
    ServiceSettings s;
    if (table.has("listen")) {
      const std::string text = table.required_text("listen");
      const auto place = split_host_and_port(text);
      const bool address = place && (is_ipv4(place->host) || (text.starts_with('[') && is_ipv6(place->host)));
      if (!address || !place->port)
        table.wrong(table.at("listen"), "'listen' in [service] is '" + printable(text) +
                                            "'; expected the address of this machine and a port: \"127.0.0.1:8443\", \"[::1]:8443\", \"0.0.0.0:8443\" for every address");
      s.address = place->host;
      s.port = *place->port;
    }
    s.certificate = path(table, "certificate");
    s.key = path(table, "key");
    if (s.certificate.empty() != s.key.empty()) table.require(s.key.empty() ? "key" : "certificate", "certificate and key belong together");
    return s;
  }

  NotifySettings notify(const std::string& name, const TomlValue& value) {
    const std::string what = "[notify." + name + "]";
    if (value.kind != TomlValue::Kind::table) mistake(file_, value.at, what + " is not a table; expected " + what + " with keys");
    NotifySettings n;
    n.name = name;
    TableReader any(file_, value, what, keys_of(value));
    n.url = any.required_text("url");
    read_url(any, n);
    const bool mail = n.scheme == NotifySettings::Scheme::smtps || n.scheme == NotifySettings::Scheme::smtp;
    std::vector<std::string> keys{"url", "on", "password_file"};
    if (mail) keys.insert(keys.end(), {"to", "from"});
    TableReader table(file_, value, what + (mail ? " of mail" : " of a web address"), keys);
    if (mail) read_addresses(table, n);
    n.password_file = path(table, "password_file");
    if (mail && !n.user.empty()) table.require("password_file", "the url has a user");
    if (mail && n.user.empty() && !n.password_file.empty())
      table.wrong(table.at("password_file"), "'password_file' in " + what + " belongs to a user, and the url has none; expected url = \"smtps://USER@HOST\"");
    if (table.has("on")) n.on = events(table);
    return n;
  }

  void read_url(const TableReader& table, NotifySettings& n) {
    const auto refuse = [&](const std::string& why) {
      table.wrong(table.at("url"), "'url' in " + table.what() + " cannot be used: " + why);   // not the url itself: a secret may stand in it
    };
    const auto url = split_web_address(n.url);
    if (!url) refuse("it is no address; expected smtps://HOST, smtp://HOST or https://HOST/PATH");
    if (url->has_password) refuse("it holds a password, which everybody sees who sees this file; expected the user alone, and password_file = \"FILE\"");
    struct Known { std::string_view name; NotifySettings::Scheme scheme; std::uint16_t port; };
    // Ports: RFC 8314 (submissions), RFC 6409 (submission), RFC 9110.
    constexpr std::array<Known, 4> kKnown{{{"smtps", NotifySettings::Scheme::smtps, 465},
                                           {"smtp", NotifySettings::Scheme::smtp, 587},
                                           {"https", NotifySettings::Scheme::https, 443},
                                           {"http", NotifySettings::Scheme::http, 80}}};
    const auto* known = std::find_if(kKnown.begin(), kKnown.end(), [&](const Known& k) { return k.name == url->scheme; });
    if (known == kKnown.end()) refuse("the program cannot send by '" + url->scheme + "'; expected smtps://, smtp:// or https://");
    n.scheme = known->scheme;
    n.user = url->user;
    n.host = url->host;
    n.port = url->port.value_or(known->port);
    if (n.scheme == NotifySettings::Scheme::http && !is_this_machine(n.host))
      refuse("http is neither encrypted nor does it prove who receives; expected https://, or http://127.0.0.1 for a program on this machine");
    const bool mail = n.scheme == NotifySettings::Scheme::smtps || n.scheme == NotifySettings::Scheme::smtp;
    if (mail && !url->rest.empty() && url->rest != "/") refuse("a mail server has no path; expected smtps://HOST:PORT");
    if (!mail && !n.user.empty()) refuse("a web address has no user here; expected https://HOST/PATH, and a token in password_file");
  }

  // What ends up in the headers of a mail.
  static bool is_mail_address(std::string_view text) {
    const std::size_t at = text.find('@');
    return at != 0 && at + 1 < text.size() && at != std::string_view::npos && text.find('@', at + 1) == std::string_view::npos && text.size() <= 254 &&
           std::all_of(text.begin(), text.end(), [](unsigned char c) { return c > 0x20 && c < 0x7F && std::string_view("<>(),;:\"\\[]").find(static_cast<char>(c)) == std::string_view::npos; });
  }

  void read_addresses(const TableReader& table, NotifySettings& n) {
    table.require("to", "a list of mail addresses");
    n.to = table.texts("to");
    if (n.to.empty()) table.wrong(table.at("to"), "'to' in " + table.what() + " is an empty list; expected at least one mail address");
    n.from = table.has("from") ? table.required_text("from") : n.to.front();
    for (const std::string& address : n.to) check_address(table, "to", address);
    check_address(table, "from", n.from);
  }

  static void check_address(const TableReader& table, const std::string& key, const std::string& address) {
    if (!is_mail_address(address))
      table.wrong(table.at(key), "'" + printable(address) + "' in '" + key + "' of " + table.what() + " is no mail address; expected one such as it@example.org, without a name or brackets");
  }

  static NotifySettings::Events events(const TableReader& table) {
    NotifySettings::Events on{false, false, false, false};
    const std::vector<std::string> names = table.texts("on");
    if (names.empty()) table.wrong(table.at("on"), "'on' in " + table.what() + " is an empty list; expected at least one of: " + join(kEvents, ", "));
    for (const std::string& name : names) {
      bool* flags[] = {&on.failure, &on.overdue, &on.finding, &on.success};   // in the order of kEvents
      const auto at = std::find(kEvents.begin(), kEvents.end(), name);
      if (at == kEvents.end()) table.wrong(table.at("on"), "'on' in " + table.what() + " names '" + printable(name) + "'; " + expected_one_of(name, kEvents));
      *flags[at - kEvents.begin()] = true;
    }
    return on;
  }

  const std::string& file_;
  const TableReader& top_;
  const System& system_;
};

}  // namespace

std::string percent(double share) {
  std::array<char, 32> digits{};
  const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), share * 100, std::chars_format::general, 6);
  return std::string(digits.data(), written.ptr) + "%";
}

Settings read_settings(const std::string& file, const TableReader& top, const System& system) { return SettingsReader(file, top, system).read(); }

const ScheduleSettings* Settings::find_schedule(std::string_view name) const {
  auto it = std::find_if(schedules.begin(), schedules.end(), [&](const ScheduleSettings& s) { return s.name == name; });
  return it == schedules.end() ? nullptr : &*it;
}

std::string_view to_text(ScheduleSettings::Run run) { return kRuns.at(static_cast<std::size_t>(run)); }

std::string to_text(const ScheduleSettings& s) {
  const std::string run(to_text(s.run));
  switch (s.run) {
    case Run::backup:
      return run + (s.section.empty() ? " of every item" : " of section " + s.section) +
             (s.export_folder.empty() ? "" : ", exported to " + printable(s.export_folder.string()));
    case Run::verify: return run + " to level " + s.level + (s.share ? ", " + percent(*s.share) + " a run" : "");
    case Run::check: return run + " of the repository" + (s.share ? ", reading " + percent(*s.share) : "");
    case Run::copy: return run + " to " + s.copy;
    case Run::retention: return run + ": forget scheduled points by the rule";
    case Run::prune: return run + ": free the space of what was forgotten";
  }
  return run;
}

}  // namespace holdfast::system
