#include "service/api/settings_edit.h"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "crypto/hash.h"

namespace holdfast::service {
namespace {

using system::Change;
using system::KeyPath;
using system::NotifySettings;
using system::ScheduleSettings;
using system::System;

constexpr std::size_t kLongestText = 4096, kMostNames = 1000;
constexpr int kMostPoints = 10'000;  // of a retention rule; docs/configuration.md
constexpr std::array<std::string_view, 6> kCounts{"last", "hourly", "daily", "weekly", "monthly", "yearly"};
constexpr std::array<std::string_view, 3> kToldUnlessSaid{"failure", "overdue", "finding"};

Json or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(printable(text)); }
Json or_null(const std::optional<Span>& span) { return span ? Json(to_text(*span)) : Json(nullptr); }

Json notify_json(const NotifySettings& n) {
  Json out{{"url", printable(n.url)}};
  if (!n.to.empty()) out["to"] = n.to;
  if (!n.from.empty() && (n.to.empty() || n.from != n.to.front())) out["from"] = n.from;
  if (!n.password_file.empty()) out["password_file"] = printable(n.password_file.string());
  Json& on = out["on"] = Json::array();
  for (const auto& [told, name] : {std::pair{n.on.failure, "failure"},
                                   {n.on.overdue, "overdue"},
                                   {n.on.finding, "finding"},
                                   {n.on.success, "success"}})
    if (told) on.push_back(name);
  return out;
}

// Every value with its place in the file. What a setting is when nobody says it is said, so that only real
// differences are changes.
using Values = std::map<KeyPath, Change::Value>;

void take_text(Body& from, std::string_view name, KeyPath path, Values& out) {
  if (from.has(name))
    out[std::move(path)] = from.text(name, kLongestText);
  else
    from.take(name);
}

void take_schedule(const std::string& name, Body s, Values& out) {
  const auto at = [&](std::string_view key) { return KeyPath{"schedule", name, std::string(key)}; };
  const std::string run = s.text("run", kLongestText);
  out[at("run")] = run;
  out[at("calendar")] = s.text("calendar", kLongestText);
  out[at("enabled")] = s.flag_or("enabled", false);
  for (std::string_view key : {"section", "export", "copy"}) take_text(s, key, at(key), out);
  if (run == "verify")
    out[at("level")] = s.text_or("level", "content", kLongestText);
  else
    take_text(s, "level", at("level"), out);
  if (const auto share = s.number("share", 0, 1)) out[at("share")] = system::percent(*share);
  s.finish();
}

void take_notify(const std::string& name, Body n, Values& out) {
  const auto at = [&](std::string_view key) { return KeyPath{"notify", name, std::string(key)}; };
  for (std::string_view key : {"url", "from", "password_file"}) take_text(n, key, at(key), out);
  if (n.has("to"))
    out[at("to")] = n.texts("to", kMostNames, kLongestText);
  else
    n.take("to");
  std::vector<std::string> on =
      n.has("on") ? n.texts("on", kMostNames, kLongestText)
                  : std::vector<std::string>(kToldUnlessSaid.begin(), kToldUnlessSaid.end());
  n.take("on");
  std::sort(on.begin(), on.end());
  out[at("on")] = on;
  n.finish();
}

void take_retention(Body r, Values& out) {
  for (std::string_view key : kCounts) {
    const double count = r.number(key, 0, kMostPoints).value_or(0);
    const auto whole = static_cast<std::int64_t>(count);
    if (static_cast<double>(whole) != count)
      throw Error(Code::usage, "'retention." + std::string(key) + "' must be a whole number")
          .safe("nothing was changed");
    out[{"retention", std::string(key)}] = whole;
  }
  take_text(r, "within", {"retention", "within"}, out);
  r.finish();
}

Values values_of(Json settings) {
  Body body(std::move(settings), "");
  Values out;
  take_text(body, "repository", {"repository", "location"}, out);
  Body objectives = body.object("objectives"), service = body.object("service"),
       copies = body.object("copies"), schedules = body.object("schedules"), notify = body.object("notify");
  for (std::string_view key : {"recovery_point", "recovery_time"})
    take_text(objectives, key, {"objectives", std::string(key)}, out);
  for (const std::string& name : copies.names())
    out[{"copy", name, "repository"}] = copies.text(name, kLongestText);
  if (body.has("retention"))
    take_retention(body.object("retention"), out);
  else
    body.take("retention");
  for (const std::string& name : schedules.names()) take_schedule(name, schedules.object(name), out);
  const system::ServiceSettings otherwise;
  out[{"service", "listen"}] =
      service.text_or("listen", otherwise.address + ":" + std::to_string(otherwise.port), kLongestText);
  for (std::string_view key : {"certificate", "key"})
    take_text(service, key, {"service", std::string(key)}, out);
  for (const std::string& name : notify.names()) take_notify(name, notify.object(name), out);
  for (const Body* part : {&body, &objectives, &service, &copies, &schedules, &notify}) part->finish();
  return out;
}

// What goes when none of its values is wanted any more: the table of a schedule, a copy, a channel, or the
// whole rule of retention.
KeyPath table_of(const KeyPath& path) {
  return path.front() == "retention" ? KeyPath{"retention"} : KeyPath(path.begin(), path.end() - 1);
}

bool has_table(const Values& values, const KeyPath& table) {
  return std::any_of(values.begin(), values.end(), [&](const auto& v) { return table_of(v.first) == table; });
}

}  // namespace

Json schedule_settings_json(const ScheduleSettings& s) {
  Json out{{"run", to_text(s.run)}, {"calendar", printable(s.calendar)}, {"enabled", s.enabled}};
  if (!s.section.empty()) out["section"] = s.section;
  if (!s.export_folder.empty()) out["export"] = printable(s.export_folder.string());
  if (!s.level.empty()) out["level"] = s.level;
  if (s.share) out["share"] = *s.share;
  if (!s.copy.empty()) out["copy"] = s.copy;
  return out;
}

Json settings_json(const System& s) {
  Json copies = Json::object(), schedules = Json::object(), notify = Json::object();
  for (const auto& c : s.copies) copies[c.name] = printable(c.repository);
  for (const auto& x : s.settings.schedules) schedules[x.name] = schedule_settings_json(x);
  for (const auto& n : s.settings.notifications) notify[n.name] = notify_json(n);
  Json retention = nullptr;
  const auto& r = s.retention;
  if (!r.empty())
    retention = {
        {"last", r.last},       {"hourly", r.hourly}, {"daily", r.daily},           {"weekly", r.weekly},
        {"monthly", r.monthly}, {"yearly", r.yearly}, {"within", or_null(r.within)}};
  const auto& service = s.settings.service;
  const std::string host =
      service.address.find(':') == std::string::npos ? service.address : "[" + service.address + "]";
  return {{"repository", or_null(s.repository)},
          {"objectives",
           {{"recovery_point", or_null(s.recovery_point)}, {"recovery_time", or_null(s.recovery_time)}}},
          {"copies", copies},
          {"retention", retention},
          {"schedules", schedules},
          {"service",
           {{"listen", host + ":" + std::to_string(service.port)},
            {"certificate", or_null(service.certificate.string())},
            {"key", or_null(service.key.string())}}},
          {"notify", notify}};
}

std::vector<Change> settings_changes(const System& now, Json wanted) {
  const Values before = values_of(settings_json(now)), after = values_of(std::move(wanted));
  std::vector<Change> changes;
  std::vector<KeyPath> gone;
  for (const auto& [path, value] : before) {
    if (after.contains(path)) continue;
    const KeyPath table = table_of(path);
    const bool whole = path.size() > 2 || path.front() == "retention";
    if (!whole || has_table(after, table))
      changes.push_back({Change::Kind::remove, path, false});
    else if (std::find(gone.begin(), gone.end(), table) == gone.end())
      gone.push_back(table);
  }
  for (const KeyPath& table : gone) changes.push_back({Change::Kind::remove, table, false});
  for (const auto& [path, value] : after) {
    const auto old = before.find(path);
    const bool nothing = path.front() == "retention" && old == before.end() &&
                         value == Change::Value(std::int64_t{0});  // of a rule that is new
    if (!nothing && (old == before.end() || old->second != value))
      changes.push_back({Change::Kind::set, path, value});
  }
  return changes;
}

std::string entity_tag(std::string_view text) {
  return "\"" + crypto::sha256(as_bytes(text)).hex().substr(0, 32) + "\"";
}

}  // namespace holdfast::service
