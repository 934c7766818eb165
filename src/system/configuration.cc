// Configuration files of protected servers. Keys: docs/configuration.md.
#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "system/item_options.h"
#include "system/settings_reader.h"
#include "system/system.h"
#include "system/toml_document.h"

namespace holdfast::system {
namespace {

using item::AdapterSet;

template <class List>
std::vector<std::string> names_of(const List& list) {
  std::vector<std::string> names;
  for (const auto& element : list) names.emplace_back(element.name);
  return names;
}

bool is_system_id(std::string_view text) {
  return text.size() == 32 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// A short name of a system: as a plain name, and capital letters and dots, because host names have them.
bool is_system_name(std::string_view name) {
  std::string lower = to_lower_ascii(name);
  std::replace(lower.begin(), lower.end(), '.', '-');
  return is_plain_name(lower);
}

class SystemParser {
 public:
  SystemParser(std::string_view text, const std::string& file, const Path& base, const AdapterSet& adapters)
      : file_(file), adapters_(adapters), document_(parse_toml(text, file)),
        top_(file_, document_, "the configuration file",
             {"system", "repository", "identity", "objectives", "retention", "services", "item", "excluded", "copy", "schedule", "service", "notify"}) {
    system_.source = std::string(text);
    system_.base = base;
  }

  System parse(const std::optional<std::string>& profile_text) {
    read_system(profile_text);
    read_repository();
    read_identity_source();
    read_objectives();
    read_retention();
    read_services();
    read_excluded();
    read_items();
    read_copies();
    check_places();
    system_.settings = read_settings(file_, top_, system_);
    return std::move(system_);
  }

 private:
  Path path(const TableReader& table, std::string_view key) const {
    return table.has(key) ? resolve_path(system_.base, table.required_text(key)) : Path();
  }

  // A folder becomes an absolute path; an address ("s3:https://...") stays as it is.
  std::string location(const TableReader& table, std::string_view key) const {
    const std::string text = table.required_text(key);
    return text.starts_with("s3:") ? text : resolve_path(system_.base, text).string();
  }

  void read_system(const std::optional<std::string>& profile_text) {
    top_.require("system");
    TableReader table(file_, *top_.table("system"), "[system]", {"name", "id", "title", "sample", "profile", "root"});
    system_.name = table.required_text("name");
    if (!is_system_name(system_.name))
      table.wrong(table.at("name"), "'" + printable(system_.name) + "' is no name of a system; expected letters, " +
                                        "digits, '-', '_' and '.', at most 64");
    system_.id = table.required_text("id");
    if (!is_system_id(system_.id))
      table.wrong(table.at("id"), "'id' in [system] is '" + printable(system_.id) +
                                      "'; expected 32 lower-case hex digits");
    system_.title = table.text("title");
    if (system_.title.empty()) system_.title = system_.name;
    system_.sample = table.flag("sample", false);
    system_.root = path(table, "root");
    if (profile_text) {
      table.required_text("profile");
      system_.profile = parse_profile(*profile_text, "the profile of " + file_, adapters_);
      return;
    }
    const std::string name = table.choice("profile", builtin_profile_names());
    system_.profile = parse_profile(*builtin_profile(name), "profiles/" + name + ".toml", adapters_);
  }

  void read_repository() {
    const TomlValue* value = top_.table("repository");
    if (!value) return;
    TableReader table(file_, *value, "[repository]", {"location"});
    table.require("location");
    system_.repository = location(table, "location");
  }

  void read_identity_source() {
    const TomlValue* value = top_.table("identity");
    if (!value) return;
    TableReader table(file_, *value, "[identity]", {"registry", "database"});
    system_.identity = {path(table, "registry"), path(table, "database")};
  }

  std::optional<Span> span(const TableReader& table, std::string_view key) const {
    if (!table.has(key)) return std::nullopt;
    const std::string text = table.required_text(key);
    auto read = parse_span(text);
    if (!read)
      table.wrong(table.at(key), "'" + std::string(key) + "' in " + table.what() + " is '" + printable(text) +
                                     "'; expected a whole number and h, d, w, m or y: \"24h\", \"7d\", \"2y\"");
    return read;
  }

  void read_objectives() {
    const TomlValue* value = top_.table("objectives");
    if (!value) return;
    TableReader table(file_, *value, "[objectives]", {"recovery_point", "recovery_time"});
    system_.recovery_point = span(table, "recovery_point");
    system_.recovery_time = span(table, "recovery_time");
  }

  void read_retention() {
    const TomlValue* value = top_.table("retention");
    if (!value) return;
    TableReader table(file_, *value, "[retention]", {"last", "hourly", "daily", "weekly", "monthly", "yearly", "within"});
    auto count = [&](std::string_view key) { return static_cast<int>(table.integer(key, 0, 10'000, 0)); };
    system_.retention = {count("last"), count("hourly"), count("daily"), count("weekly"), count("monthly"), count("yearly"), span(table, "within")};
    if (system_.retention.empty())
      table.wrong(value->at, "[retention] keeps nothing; expected at least one of: last, hourly, daily, weekly, monthly, yearly, above 0, or within");
    if (system_.recovery_point && !keeps_to(system_.retention, longest_seconds(*system_.recovery_point)))
      table.wrong(value->at, "[retention] keeps points farther apart than the recovery point objective of " + to_text(*system_.recovery_point) +
                                 "; expected last = 2 or more, within = \"" + to_text(*system_.recovery_point) +
                                 "\" or longer, or 2 or more of a period that is no longer than the objective");
  }

  // Whether the rule leaves, beside the newest point, one that is no farther from it than the objective. One of a period is the newest
  // point alone: should that one be damaged, the next could be anywhere.
  static bool keeps_to(const System::Retention& r, std::int64_t objective) {
    constexpr std::int64_t kHour = 3'600, kDay = 24 * kHour;
    const std::pair<int, std::int64_t> periods[] = {
        {r.hourly, kHour}, {r.daily, kDay}, {r.weekly, 7 * kDay}, {r.monthly, 31 * kDay}, {r.yearly, 366 * kDay}};
    return r.last >= 2 || (r.within && longest_seconds(*r.within) >= objective) ||
           std::any_of(std::begin(periods), std::end(periods), [&](const auto& p) { return p.first >= 2 && p.second <= objective; });
  }

  void read_services() {
    const TomlValue* value = top_.table("services");
    if (!value) return;
    std::vector<std::string> names;
    for (const TomlMember& member : value->members) names.push_back(member.key);
    TableReader table(file_, *value, "[services]", names);
    for (const TomlMember& member : value->members) {
      const bool safe = !member.key.empty() && member.key.front() != '-' &&
                        std::all_of(member.key.begin(), member.key.end(), [](unsigned char c) { return c > 0x20 && c != 0x7F; });
      if (!safe)
        table.wrong(member.at, "'" + printable(member.key) + "' is no name of a service; expected a name without spaces " +
                                   "that does not start with '-'");
      system_.services[member.key] = table.required_text(member.key);
    }
  }

  void read_excluded() {
    for (const TomlValue* value : top_.tables("excluded")) {
      TableReader table(file_, *value, "[[excluded]]", {"path", "reason"});
      table.require("path");
      System::Excluded excluded{path(table, "path"), table.required_text("reason")};
      take_place(table, "path", excluded.path, "[[excluded]]");
      system_.excluded.push_back(std::move(excluded));
    }
  }

  void read_items() {
    const TomlValue* items = top_.table("item");
    if (!items) mistake(file_, document_.at, "there is no [item.NAME]; expected one for each item of the profile");
    const std::vector<std::string> valid = names_of(system_.profile.items);
    for (const TomlMember& member : items->members) {
      if (std::find(valid.begin(), valid.end(), member.key) == valid.end())
        mistake(file_, member.at, "the profile '" + system_.profile.name + "' has no item '" + printable(member.key) +
                                      "'; " + expected_one_of(member.key, valid));
    }
    TableReader table(file_, *items, "[item]", valid);
    for (ItemSpec spec : system_.profile.items) {
      if (table.has(spec.name)) read_item(*table.table(spec.name), spec);
      const bool generated = spec.options.contains("generated");
      if (table.has(spec.name) || generated) system_.items.push_back(std::move(spec));
      else system_.not_configured.push_back(spec.name);
    }
  }

  void read_item(const TomlValue& value, ItemSpec& spec) {
    const std::string what = "[item." + spec.name + "]";
    read_engine(value, what, spec);
    const item::Adapter* adapter = adapters_.find(spec.kind, spec.engine);
    auto options = adapter ? adapter->options() : std::vector<item::OptionSpec>{};
    // Whether a record is made by Holdfast or kept by hand is the profile's to say; one kept by hand needs its place.
    std::erase_if(options, [](const item::OptionSpec& option) { return option.name == "generated"; });
    if (spec.options.contains("generated")) options.clear();
    else if (spec.kind == "record")
      for (item::OptionSpec& option : options) option.required |= option.name == "path";
    std::vector<std::string> keys = option_names(options);
    if (!adapters_.engines(spec.kind).empty()) keys.push_back("engine");
    keys.push_back("excluded");
    TableReader table(file_, value, what, keys);
    if (table.has("excluded")) spec.excluded = table.required_text("excluded");
    read_options(table, options, system_.base, spec);
    if (!spec.excluded) require_options(table, options, spec);
    if (const std::string place = spec.text("path"); !place.empty()) take_place(table, "path", place, what);
  }

  // Some kinds have engines; which one decides what other keys there are.
  void read_engine(const TomlValue& value, const std::string& what, ItemSpec& spec) {
    const std::vector<std::string> engines = adapters_.engines(spec.kind);
    if (engines.empty()) return;
    std::vector<std::string> any_key;
    for (const TomlMember& member : value.members) any_key.push_back(member.key);
    TableReader table(file_, value, what, any_key);
    if (table.has("engine")) spec.engine = table.choice("engine", engines);
    else if (!table.has("excluded")) table.require("engine", "one of: " + join(engines, ", "));
  }

  // Two items that take the same place are a mistake: one of them would be restored over the other.
  void take_place(const TableReader& table, std::string_view key, const Path& place, const std::string& owner) {
    auto [it, fresh] = places_.emplace(place, owner);
    if (!fresh)
      table.wrong(table.at(key), "'" + printable(place.string()) + "' is already the place of " + it->second +
                                     "; expected another path");
  }

  void read_copies() {
    const TomlValue* copies = top_.table("copy");
    if (!copies) return;
    for (const TomlMember& member : copies->members) {
      if (!is_plain_name(member.key))
        mistake(file_, member.at, "'" + printable(member.key) + "' is no name of a copy; expected a-z, 0-9, - and _, " +
                                      "at most 64 characters");
      TableReader table(file_, member.value, "[copy." + member.key + "]", {"repository"});
      table.require("repository");
      System::Copy copy{member.key, location(table, "repository")};
      if (copy.repository == system_.repository)
        table.wrong(table.at("repository"), "the copy is the repository itself; expected another place, in a " +
                                                std::string("different file system"));
      for (const System::Copy& other : system_.copies)
        if (other.repository == copy.repository)
          table.wrong(table.at("repository"), "'" + printable(copy.repository) + "' is already the place of [copy." +
                                                  other.name + "]; expected another path");
      system_.copies.push_back(std::move(copy));
    }
  }

  // The repository must not be an item's own place: a restore would overwrite the backups.
  void check_places() {
    auto it = places_.find(Path(system_.repository));
    if (system_.repository.empty() || it == places_.end() || it->second == "[[excluded]]") return;
    TableReader table(file_, *top_.table("repository"), "[repository]", {"location"});
    table.wrong(table.at("location"), "the repository is the place of " + it->second + "; expected another folder");
  }

  const std::string& file_;
  const AdapterSet& adapters_;
  TomlValue document_;
  TableReader top_;
  System system_;
  std::map<Path, std::string> places_;
};

}  // namespace

System parse_system(std::string_view text, const std::string& file, const Path& base, const AdapterSet& adapters,
                    const std::optional<std::string>& profile_text) {
  return SystemParser(text, file, base, adapters).parse(profile_text);
}

System load_system(platform::FileSystem& files, const Path& file, const AdapterSet& adapters) {
  const Path absolute = std::filesystem::absolute(file).lexically_normal();
  if (!files.exists(absolute))
    throw Error(Code::config, "cannot read configuration file " + printable(absolute.string()) + ": it does not exist")
        .safe("nothing was changed")
        .hint("give --config FILE, or make a sample with 'holdfast sample DIR'");
  const Bytes text = files.read_all(absolute, kLargestDocument);
  System system = parse_system(as_text(text), absolute.string(), absolute.parent_path(), adapters);
  system.file = absolute;
  return system;
}

const ItemSpec* System::find(const std::string& item) const {
  auto it = std::find_if(items.begin(), items.end(), [&](const ItemSpec& spec) { return spec.name == item; });
  return it == items.end() ? nullptr : &*it;
}

const ItemSpec& System::get(const std::string& item) const {
  if (const ItemSpec* spec = find(item)) return *spec;
  std::string message = "there is no item '" + printable(item) + "' in system '" + name + "'";
  if (std::find(not_configured.begin(), not_configured.end(), item) != not_configured.end())
    throw Error(Code::unknown_name, message + ": the profile has it, the configuration file gives it no place")
        .hint("add [item." + item + "] to " + (file.empty() ? "the configuration file" : printable(file.string())));
  const std::vector<std::string> valid = names_of(items);
  throw Error(Code::unknown_name, message).hint(expected_one_of(item, valid));
}

}  // namespace holdfast::system
