// Profiles: what a product's server consists of, as data. Keys: docs/configuration.md, section "Profiles".
#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "base/text.h"
#include "system/item_options.h"
#include "system/system.h"
#include "system/toml_document.h"

namespace holdfast::system {
namespace {

using item::AdapterSet;

const std::vector<std::string> kCriticalities = {"critical", "recommended", "optional"};
const std::vector<std::string> kProven = {"sample", "stand-in", "real"};

struct StepKind {
  std::string_view name;
  Step::Kind kind;
  std::vector<std::string> keys;   // beyond name, title, group, kind, after; the first is required
};
const std::vector<StepKind>& step_kinds() {
  static const std::vector<StepKind> kinds = {
      {"confirm", Step::Kind::confirm, {"instructions"}},
      {"stop_services", Step::Kind::stop_services, {}},
      {"start_services", Step::Kind::start_services, {}},
      {"set_aside", Step::Kind::set_aside, {"items"}},
      {"restore", Step::Kind::restore, {"items"}},
      {"fixup", Step::Kind::fixup, {"fixup"}},
      {"install", Step::Kind::install, {"items"}},
      {"manual", Step::Kind::manual, {"instructions", "deferrable"}},
      {"check", Step::Kind::check, {"items"}},
  };
  return kinds;
}

template <class List>
std::vector<std::string> names_of(const List& list) {
  std::vector<std::string> names;
  for (const auto& element : list) names.emplace_back(element.name);
  return names;
}

template <class List>
auto* find_named(List& list, const std::string& name) {
  auto it = std::find_if(list.begin(), list.end(), [&](const auto& element) { return element.name == name; });
  return it == list.end() ? nullptr : &*it;
}

// The name of a new thing: plain, and not in `taken` yet.
std::string new_name(const TableReader& table, const std::vector<std::string>& taken) {
  std::string name = table.required_text("name");
  if (!is_plain_name(name))
    table.wrong(table.at("name"), "'" + printable(name) + "' is no name; expected a-z, 0-9, - and _, at most 64 characters");
  if (std::find(taken.begin(), taken.end(), name) != taken.end())
    table.wrong(table.at("name"), "the name '" + name + "' stands here for the second time; expected another name");
  return name;
}

// A mistake where `key` stands when `name` is none of `valid`.
void expect_known(const TableReader& table, std::string_view key, const std::string& name,
                  const std::vector<std::string>& valid) {
  if (std::find(valid.begin(), valid.end(), name) == valid.end())
    table.wrong(table.at(key), "'" + std::string(key) + "' in " + table.what() + " names '" + printable(name) +
                                   "', which this profile does not have; " + expected_one_of(name, valid));
}

class ProfileParser {
 public:
  ProfileParser(std::string_view text, const std::string& file, const AdapterSet& adapters)
      : file_(file), adapters_(adapters), document_(parse_toml(text, file)),
        top_(file_, document_, "the profile",
             {"profile", "section", "item", "fixup", "key_check", "step"}) {
    profile_.source = std::string(text);
  }

  Profile parse() {
    read_head();
    for (const TomlValue* table : top_.tables("section")) read_section(*table);
    for (const TomlValue* table : top_.tables("item")) read_item(*table);
    for (const TomlValue* table : top_.tables("fixup")) read_fixup(*table);
    for (const TomlValue* table : top_.tables("key_check")) read_key_check(*table);
    const auto step_tables = top_.tables("step");
    for (const TomlValue* table : step_tables) read_step(*table);
    for (std::size_t i = 0; i < step_tables.size(); ++i) check_order(*step_tables[i], profile_.steps[i]);
    check_every_item_comes_back();
    std::stable_sort(profile_.items.begin(), profile_.items.end(),
                     [](const ItemSpec& a, const ItemSpec& b) { return a.order < b.order; });
    return std::move(profile_);
  }

 private:
  void read_head() {
    top_.require("profile");
    TableReader head(file_, *top_.table("profile"), "[profile]",
                     {"name", "title", "main_product", "products_known", "outside", "fit_queries"});
    profile_.name = new_name(head, {});
    profile_.title = head.required_text("title");
    profile_.main_product = head.text("main_product");
    profile_.products_known = head.texts("products_known");
    profile_.outside = head.texts("outside");
    profile_.fit_queries = head.texts("fit_queries");
  }

  void read_section(const TomlValue& value) {
    TableReader table(file_, value, "[[section]]", {"name", "title"});
    Section section{new_name(table, names_of(profile_.sections)), ""};
    section.title = table.required_text("title");
    profile_.sections.push_back(std::move(section));
  }

  void read_item(const TomlValue& value) {
    const std::vector<std::string> common = {"name", "title", "kind", "section", "criticality", "order", "if_lost",
                                             "proven_on", "generated"};
    TableReader table(file_, value, "[[item]]", common);
    ItemSpec spec;
    spec.name = new_name(table, names_of(profile_.items));
    spec.title = table.required_text("title");
    spec.kind = table.choice("kind", adapters_.kinds());
    spec.section = table.choice("section", names_of(profile_.sections));
    const std::string criticality = table.choice("criticality", kCriticalities);
    spec.criticality = criticality == "critical"      ? item::Criticality::critical
                       : criticality == "recommended" ? item::Criticality::recommended
                                                      : item::Criticality::optional;
    spec.if_lost = table.required_text("if_lost");
    spec.proven_on = table.choice("proven_on", kProven);
    table.require("order");
    spec.order = static_cast<int>(table.integer("order", 0, 1'000'000, 0));
    if (table.has("generated")) {
      if (spec.kind != "record")
        table.wrong(table.at("generated"), "an item of kind '" + spec.kind + "' is read from the server; expected " +
                                               "'generated' on kind 'record' only");
      spec.options["generated"] = table.required_text("generated");
    }
    profile_.items.push_back(std::move(spec));
  }

  void read_fixup(const TomlValue& value) {
    TableReader table(file_, value, "[[fixup]]", {"name", "title", "item", "product", "versions", "action"});
    Fixup fixup;
    fixup.name = new_name(table, names_of(profile_.fixups));
    fixup.title = table.required_text("title");
    fixup.item = database_item(table, "item");
    fixup.product = table.text("product");
    fixup.versions = table.texts("versions");
    table.require("action");
    for (const TomlValue* action : table.tables("action")) fixup.actions.push_back(read_action(*action));
    profile_.fixups.push_back(std::move(fixup));
  }

  item::FixupAction read_action(const TomlValue& value) {
    TableReader table(file_, value, "[[fixup.action]]", {"table", "truncate", "set", "where"});
    item::FixupAction action;
    action.table = table.required_text("table");
    action.truncate = table.flag("truncate", false);
    action.set = table.text("set");
    action.where = table.text("where");
    if (action.truncate == !action.set.empty())
      table.wrong(value.at, "[[fixup.action]] must either empty the table or update it; expected one of: " +
                                std::string("truncate = true, set = \"...\""));
    if (action.truncate && !action.where.empty())
      table.wrong(table.at("where"), "'where' in [[fixup.action]] has no meaning with truncate; expected none");
    return action;
  }

  // Value of `key`: an item of kind database.
  std::string database_item(const TableReader& table, std::string_view key) {
    std::string name = table.required_text(key);
    expect_known(table, key, name, names_of(profile_.items));
    if (find_named(profile_.items, name)->kind != "database")
      table.wrong(table.at(key), "the item '" + name + "' is not a database; expected an item of kind 'database'");
    return name;
  }

  void read_key_check(const TomlValue& value) {
    TableReader table(file_, value, "[[key_check]]", {"name", "keys_item", "database_item", "query"});
    KeyCheck check;
    check.name = new_name(table, names_of(profile_.key_checks));
    check.keys_item = table.required_text("keys_item");
    expect_known(table, "keys_item", check.keys_item, names_of(profile_.items));
    check.database_item = database_item(table, "database_item");
    check.query = table.required_text("query", true);
    profile_.key_checks.push_back(std::move(check));
  }

  void read_step(const TomlValue& value) {
    const StepKind& kind = kind_of_step(value);
    std::vector<std::string> keys = {"name", "title", "group", "kind", "after"};
    keys.insert(keys.end(), kind.keys.begin(), kind.keys.end());
    TableReader table(file_, value, "[[step]] of kind '" + std::string(kind.name) + "'", keys);
    Step step;
    step.kind = kind.kind;
    step.name = new_name(table, names_of(profile_.steps));
    step.title = table.required_text("title");
    table.require("group");
    step.group = static_cast<int>(table.integer("group", 0, 4, 0));
    step.after = table.texts("after");
    if (!kind.keys.empty()) table.require(kind.keys.front());
    step.items = table.texts("items");
    for (const std::string& name : step.items) expect_known(table, "items", name, names_of(profile_.items));
    step.instructions = table.text("instructions", true);
    step.deferrable = table.flag("deferrable", false);
    if (table.has("fixup")) {
      step.fixup = table.required_text("fixup");
      expect_known(table, "fixup", step.fixup, names_of(profile_.fixups));
    }
    profile_.steps.push_back(std::move(step));
  }

  const StepKind& kind_of_step(const TomlValue& value) {
    std::vector<std::string> every_key = {"name", "title", "group", "kind", "after"};
    for (const StepKind& kind : step_kinds()) every_key.insert(every_key.end(), kind.keys.begin(), kind.keys.end());
    TableReader table(file_, value, "[[step]]", every_key);
    const std::string name = table.choice("kind", names_of(step_kinds()));
    return *find_named(step_kinds(), name);
  }

  // Steps may wait for steps further down, but no step may wait for itself.
  void check_order(const TomlValue& value, const Step& step) {
    TableReader table(file_, value, "[[step]] '" + step.name + "'", names_of(value));
    for (const std::string& name : step.after) expect_known(table, "after", name, names_of(profile_.steps));
    std::set<std::string> seen;
    std::function<bool(const Step&)> waits = [&](const Step& other) {
      for (const std::string& name : other.after) {
        if (name == step.name) return true;
        const Step* before = find_named(profile_.steps, name);
        if (before && seen.insert(name).second && waits(*before)) return true;
      }
      return false;
    };
    if (waits(step))
      table.wrong(table.at("after"), "the step '" + step.name + "' waits for itself; expected steps without a circle");
  }

  static std::vector<std::string> names_of(const TomlValue& table) {
    std::vector<std::string> keys;
    for (const TomlMember& member : table.members) keys.push_back(member.key);
    return keys;
  }
  template <class List>
  static std::vector<std::string> names_of(const List& list) { return system::names_of(list); }

  // An item that is backed up and that no step restores would be lost silently on the worst day.
  void check_every_item_comes_back() {
    for (const TomlValue* value : top_.tables("item")) {
      TableReader table(file_, *value, "[[item]]", names_of(*value));
      const std::string name = table.text("name");
      const bool restored = std::any_of(profile_.steps.begin(), profile_.steps.end(), [&](const Step& step) {
        return step.kind == Step::Kind::restore &&
               std::find(step.items.begin(), step.items.end(), name) != step.items.end();
      });
      if (!restored && !table.has("generated"))
        table.wrong(table.at("name"), "no step restores the item '" + name + "'; expected a [[step]] of kind 'restore' " +
                                          "that names it");
    }
  }

  const std::string& file_;
  const AdapterSet& adapters_;
  TomlValue document_;
  TableReader top_;
  Profile profile_;
};

}  // namespace

Profile parse_profile(std::string_view text, const std::string& file, const AdapterSet& adapters) {
  return ProfileParser(text, file, adapters).parse();
}

}  // namespace holdfast::system
