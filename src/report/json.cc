#include "report/json.h"

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace holdfast::report {

using repository::to_text;

namespace {

Json or_null(const std::optional<Span>& span) { return span ? Json(to_text(*span)) : Json(nullptr); }

template <class Values>
Json array_of(const Values& values) {
  Json out = Json::array();
  for (const auto& v : values) out.push_back(to_json(v));
  return out;
}

Json facts_json(const repository::Facts& facts) {
  Json out = Json::object();
  for (const auto& [key, value] : facts) out[printable(key)] = printable(value);
  return out;
}

// As docs/repository-format.md calls them.
std::string_view type_of(tree::Kind kind) {
  switch (kind) {
    case tree::Kind::directory:
      return "directory";
    case tree::Kind::file:
      return "file";
    case tree::Kind::symlink:
      return "symlink";
    case tree::Kind::fifo:
      return "fifo";
    case tree::Kind::char_device:
      return "character_device";
    case tree::Kind::block_device:
      return "block_device";
    case tree::Kind::hard_link:
      return "hard_link";
    case tree::Kind::socket:
      break;  // never stored
  }
  return "unknown";
}

std::string_view word(item::Change::Kind kind) {
  switch (kind) {
    case item::Change::Kind::added:
      return "added";
    case item::Change::Kind::removed:
      return "removed";
    case item::Change::Kind::changed:
      return "changed";
  }
  return "changed";
}

}  // namespace

std::string printable_lines(std::string_view text, std::string_view between) {
  std::string out;
  for (const std::string& l : split(text, '\n'))
    out += (out.empty() ? "" : std::string(between)) + printable(l);
  return out;
}

Json to_json(const Finding& f) {
  return {{"code", f.code},
          {"object", printable(f.object)},
          {"message", printable(f.message)},
          {"hint", printable(f.hint)}};
}

Json to_json(const Findings& findings) { return array_of(findings); }

Json excluded_json(const std::vector<backup::Review::Reason>& excluded) {
  Json out = Json::array();
  for (const auto& x : excluded)
    out.push_back({{"what", printable(x.what)}, {"reason", printable(x.reason)}});
  return out;
}

Json to_json(const backup::Review& r) {
  Json items = Json::array(), left = Json::array();
  for (const auto& l : r.chosen)
    items.push_back({{"name", l.item->name},
                     {"criticality", item::to_text(l.item->criticality)},
                     {"bytes", l.bytes},
                     {"title", l.item->title},
                     {"if_lost", l.item->if_lost},
                     {"proven_on", l.item->proven_on}});
  for (const auto* i : r.left_out) left.push_back(i->name);
  return {{"items", items},
          {"left_out", left},
          {"excluded", excluded_json(r.excluded)},
          {"not_covered", to_json(r.not_covered)},
          {"outside", r.outside},
          {"bytes", r.bytes}};
}

Json to_json(const repository::StoredItem& i) {
  return {{"name", i.name},
          {"kind", i.kind},
          {"section", i.section},
          {"criticality", i.criticality},
          {"status", to_text(i.status)},
          {"bytes", i.bytes},
          {"files", i.files},
          {"seconds", static_cast<double>(i.milliseconds) / 1000},
          {"facts", facts_json(i.facts)},
          {"findings", to_json(i.findings)}};
}

Json to_json(const backup::Report& r) {
  return {{"point", r.point.hex()},     {"status", to_text(r.status)}, {"scope", to_text(r.scope)},
          {"items", array_of(r.items)}, {"bytes_read", r.bytes_read},  {"bytes_stored", r.bytes_stored},
          {"seconds", r.seconds}};
}

Json verified_json(const repository::PointSummary& p) {
  if (p.verified == repository::Level::none && !p.verification_failed) return nullptr;
  return {
      {"level", to_text(p.verified)}, {"time", format_utc(p.verified_at)}, {"failed", p.verification_failed}};
}

Json to_json(const repository::PointSummary& p, Items with) {
  Json out{{"id", p.id.hex()},
           {"time", format_utc(p.finished)},
           {"system", p.system_name},
           {"origin", to_text(p.origin)},
           {"status", to_text(p.status)},
           {"scope", to_text(p.scope)},
           {"verified", verified_json(p)},
           {"bytes", p.bytes()}};
  if (with == Items::with) {
    Json& items = out["items"] = Json::array();
    for (const auto& i : p.items)
      items.push_back(
          {{"name", i.name}, {"kind", i.kind}, {"status", to_text(i.status)}, {"bytes", i.bytes}});
  }
  out["pinned"] = p.pinned;
  out["label"] = p.label;
  return out;
}

Json to_json(const repository::Point& p) {
  return {{"id", p.id.hex()},
          {"system", p.system_name},
          {"started", format_utc(p.started)},
          {"time", format_utc(p.finished)},
          {"origin", to_text(p.origin)},
          {"status", to_text(p.status)},
          {"scope", to_text(p.scope)},
          {"label", p.label},
          {"tool_version", p.tool_version},
          {"items", array_of(p.items)},
          {"identity", facts_json(p.identity)},
          {"findings", to_json(p.findings)},
          {"provenance", facts_json(p.provenance)}};
}

std::string path_segment(std::string_view name) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain)
      out += c;
    else
      (out += '%') += {kHex[byte >> 4], kHex[byte & 15]};
  }
  return out;
}

Json to_json(const tree::Entry& e) {
  return {{"name", printable(e.name)},
          {"segment", path_segment(e.name)},
          {"kind", static_cast<int>(e.kind)},
          {"type", type_of(e.kind)},
          {"mode", e.mode},
          {"uid", e.uid},
          {"gid", e.gid},
          {"size", e.size},
          {"modified", format_utc(e.modified)},
          {"target", printable(e.target)}};
}

Json to_json(const item::Change& x) {
  return {{"kind", word(x.kind)},
          {"where", printable(x.where)},
          {"before", printable(x.before)},
          {"after", printable(x.after)}};
}

Json to_json(const repository::CheckReport& r) {
  Json damaged = Json::array();
  for (const auto& d : r.damaged) {
    Json points = Json::array();
    for (const auto& p : d.affects) points.push_back(p.hex());
    damaged.push_back({{"object", d.name}, {"what", d.what}, {"points", points}});
  }
  return {{"objects", r.objects}, {"bytes", r.bytes}, {"leftovers", r.leftovers}, {"damaged", damaged}};
}

Json to_json(const backup::Status& st, const system::System& s) {
  Json items = Json::array();
  for (const auto& l : st.items)
    items.push_back({{"item", l.item->name},
                     {"title", l.item->title},
                     {"section", l.item->section},
                     {"criticality", item::to_text(l.item->criticality)},
                     {"point", l.point ? Json(l.point->hex()) : Json(nullptr)},
                     {"time", l.point ? Json(format_utc(l.taken)) : Json(nullptr)},
                     {"problem", printable(l.problem)},
                     {"if_lost", l.item->if_lost},
                     {"proven_on", l.item->proven_on}});
  return {{"system", s.name},
          {"sample", s.sample},
          {"newest_good", st.newest_good ? to_json(*st.newest_good) : Json(nullptr)},
          {"objective", or_null(s.recovery_point)},
          {"items", items},
          {"attention", to_json(st.attention)},
          {"excluded", excluded_json(st.excluded)},
          {"outside", st.outside}};
}

Json to_json(const backup::Kept& k) {
  return {{"id", k.point.id.hex()},
          {"time", format_utc(k.point.finished)},
          {"keep", !k.reasons.empty()},
          {"reasons", k.reasons}};
}

Json retention_rule_json(const system::System& s) {
  const auto& r = s.retention;
  return {{"rule",
           {{"last", r.last},
            {"hourly", r.hourly},
            {"daily", r.daily},
            {"weekly", r.weekly},
            {"monthly", r.monthly},
            {"yearly", r.yearly},
            {"within", or_null(r.within)}}},
          {"objective", or_null(s.recovery_point)}};
}

Json retention_json(const system::System& s, const std::vector<backup::Kept>& points) {
  Json out = retention_rule_json(s);
  out["points"] = array_of(points);
  return out;
}

Json to_json(const item::CheckResult& c) {
  return {{"name", printable(c.name)}, {"passed", c.passed}, {"detail", printable(c.detail)}};
}

Json to_json(const recovery::PlannedStep& p) {
  Json does = Json::array();
  for (const auto& l : p.lines) does.push_back(printable(l));
  return {{"name", printable(p.step.name)},
          {"title", printable(p.step.title)},
          {"state", recovery::to_text(p.state)},
          {"detail", printable_lines(p.detail, " ")},
          {"does", does}};
}

Json preflight_json(const recovery::Preflight& pre) {
  Json out = array_of(pre.checks);
  for (const auto& x : pre.cannot_run)
    out.push_back({{"name", printable(x)}, {"passed", false}, {"detail", "cannot run here"}});
  return out;
}

Json differences_json(const recovery::Preflight& pre) {
  Json out = Json::array();
  for (const auto& d : pre.differences)
    out.push_back({{"what", printable(d.what)},
                   {"lost", printable(d.lost)},
                   {"here", printable(d.here)},
                   {"blocking", d.blocking}});
  return out;
}

Json to_json(const recovery::RestoreReview& r) {
  Json items = Json::array();
  for (const auto& l : r.lines)
    items.push_back({{"item", printable(l.item)},
                     {"title", printable(l.title)},
                     {"bytes", l.bytes},
                     {"place", printable(l.place)},
                     {"replaces", l.replaces}});
  return {{"items", items},
          {"bytes", r.bytes},
          {"free_bytes", r.free_bytes ? Json(*r.free_bytes) : Json(nullptr)}};
}

Json to_json(const system::ScheduleSettings& s) {
  Json out{{"name", s.name},
           {"enabled", s.enabled},
           {"run", to_text(s.run)},
           {"does", to_text(s)},
           {"calendar", printable(s.calendar)}};
  if (!s.section.empty()) out["section"] = s.section;
  if (!s.export_folder.empty()) out["export"] = printable(s.export_folder.string());
  if (!s.level.empty()) out["level"] = s.level;
  if (s.share) out["share"] = *s.share;
  if (!s.copy.empty()) out["copy"] = s.copy;
  return out;
}

Json runs_json(std::span<const Timestamp> runs, const schedule::Zone& here) {
  Json out = Json::array();
  for (Timestamp t : runs) out.push_back({{"time", format_utc(t)}, {"local", here.text(t)}});
  return out;
}

}  // namespace holdfast::report
