#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/context.h"
#include "cli/describe.h"
#include "cli/source.h"
#include "cli/verbs.h"
#include "recovery/difference.h"

namespace holdfast::cli {

using repository::short_id;

namespace {

using repository::to_text;

// One line of a listing: "drwxr-xr-x 0:0 2026-11-22 02:00 UTC 4.1 kB name".
std::vector<std::string> row(const tree::Entry& e) {
  static constexpr char kLetters[] = "?dflpcbh";
  std::string mode(1, kLetters[static_cast<std::size_t>(e.kind) <= 7 ? static_cast<std::size_t>(e.kind) : 0]);
  if (mode == "f") mode = "-";
  for (int shift : {6, 3, 0}) {
    unsigned bits = (e.mode >> shift) & 7;
    mode += (bits & 4) ? 'r' : '-';
    mode += (bits & 2) ? 'w' : '-';
    mode += (bits & 1) ? 'x' : '-';
  }
  if (e.mode & 04000) mode[3] = 's';
  if (e.mode & 02000) mode[6] = 's';
  if (e.mode & 01000) mode[9] = 't';
  std::string name = printable(e.name);
  if (e.kind == tree::Kind::symlink || e.kind == tree::Kind::hard_link) name += " -> " + printable(e.target);
  return {mode, std::to_string(e.uid) + ":" + std::to_string(e.gid), when(e.modified), e.kind == tree::Kind::file ? human_bytes(e.size) : "", name};
}

void show_inside(Context& c, repository::Repository& repository, const repository::Point& point, const std::string& item, const std::string& path) {
  tree::NodePtr node = tree::find(repository.open_item(point, item), path);
  if (!node)
    throw Error(Code::not_found, "there is nothing at '" + printable(path) + "' in item " + printable(item) + " of point " + short_id(point.id))
        .hint("'holdfast show " + short_id(point.id) + " " + printable(item) + "' lists what is inside");
  Json entries = Json::array();
  std::vector<std::vector<std::string>> rows;
  auto add = [&](const tree::Entry& e) {
    rows.push_back(row(e));
    entries.push_back(to_json(e));
  };
  if (node->entry().kind == tree::Kind::directory)
    node->children([&](tree::NodePtr child) {
      add(child->entry());
      return true;
    });
  else add(node->entry());
  c.output.answer(rows.empty() ? "(empty)" : table(rows, ""));
  c.output.result(Json{{"point", point.id.hex()}, {"item", item}, {"path", printable(path)}, {"fingerprint", to_hex(node->fingerprint())}, {"entries", entries}});
}

void show_point(Context& c, const repository::Point& p) {
  std::string text = "Recovery point " + p.id.hex() + "\n";
  text += table({{"system", printable(p.system_name)}, {"taken", when(p.started) + " to " + when(p.finished)}, {"origin", std::string(to_text(p.origin))},
                 {"status", std::string(to_text(p.status)) + ", " + std::string(to_text(p.scope))}, {"label", printable(p.label)},
                 {"made by", printable(p.tool_version)}}) + "\n\nItems\n";
  std::vector<std::vector<std::string>> rows;
  for (const auto& i : p.items) {
    rows.push_back({printable(i.name), printable(i.kind), std::string(to_text(i.status)), human_bytes(i.bytes), human_count(i.files) + " files"});
  }
  text += table(rows) + "\n\nIdentity card\n";
  rows.clear();
  for (const auto& [k, v] : p.identity) {
    rows.push_back({printable(k), printable(v)});
  }
  text += table(rows) + "\n";
  rows.clear();
  for (const auto& i : p.items)
    for (const auto& [k, v] : i.facts) rows.push_back({printable(i.name), printable(k), printable(v)});
  if (!rows.empty()) text += "\nWhat was understood\n" + table(rows) + "\n";
  rows.clear();
  for (const auto& f : p.findings) rows.push_back({printable(f.object), printable(f.message)});
  for (const auto& i : p.items)
    for (const auto& f : i.findings) rows.push_back({printable(i.name) + ": " + printable(f.object), printable(f.message)});
  if (!rows.empty()) text += "\nFindings\n" + table(rows) + "\n";
  c.output.answer(text);
  c.output.result(to_json(p));
}

int run(const Arguments& a, Context& c) {
  OpenedSource source = open_source(a, c);
  repository::Point point = source.repository->load(c.point(*source.repository, a.positional(0)));
  if (a.positionals.size() > 1) show_inside(c, *source.repository, point, a.positional(1), a.positional(2));
  else show_point(c, point);
  return 0;
}

std::string word(item::Change::Kind kind) {
  switch (kind) {
    case item::Change::Kind::added: return "added";
    case item::Change::Kind::removed: return "removed";
    case item::Change::Kind::changed: return "changed";
  }
  return "?";
}

int run_diff(const Arguments& a, Context& c) {
  repository::Repository& r = c.repository();
  repository::Point before = r.load(c.point(r, a.positional(0))), after = r.load(c.point(r, a.positional(1)));
  Json items = Json::array();
  std::string text;
  for (const recovery::ItemDifference& d : recovery::compare_points(r, before, after, c.adapters)) {
    Json changes = Json::array();
    std::vector<std::vector<std::string>> rows;
    for (const item::Change& x : d.changes) {
      rows.push_back({word(x.kind), printable(x.where), x.before.empty() && x.after.empty() ? "" : printable(x.before) + " -> " + printable(x.after)});
      changes.push_back(to_json(x));
    }
    if (!rows.empty()) text += (text.empty() ? "" : "\n") + printable(d.item) + "\n" + table(rows) + "\n";
    items.push_back({{"item", d.item}, {"changes", changes}});
  }
  c.output.answer(text.empty() ? "Nothing changed between the two points." : text);
  c.output.result(Json{{"before", before.id.hex()}, {"after", after.id.hex()}, {"items", items}});
  return 0;
}

}  // namespace

Verb show_verb() {
  Verb v;
  v.name = "show";
  v.summary = "what a recovery point holds";
  v.positionals = {{"POINT", "first digits of a point's id, or latest"}, {"ITEM", "look inside this item", false}, {"PATH", "at this path", false}};
  v.options = from_options();
  v.examples = {{"holdfast show latest", "items, sizes, identity card, findings"},
                {"holdfast show latest software-library", "the folders inside"},
                {"holdfast show latest --from ns01.hfbackup", "what a backup file holds"}};
  v.run = run;
  return v;
}

Verb diff_verb() {
  Verb v;
  v.name = "diff";
  v.summary = "what changed between two recovery points, item by item";
  v.positionals = {{"POINT", "the earlier one"}, {"POINT", "the later one"}};
  v.examples = {{"holdfast diff 3f2a9c01 latest", "settings by key, registry by value, folders by file"}};
  v.run = run_diff;
  return v;
}

}  // namespace holdfast::cli
