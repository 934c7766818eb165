#include "system/item_options.h"

#include <algorithm>

#include "base/text.h"

namespace holdfast::system {

using item::OptionSpec;
using item::OptionValue;
using Type = item::OptionSpec::Type;

std::vector<std::string> option_names(const std::vector<OptionSpec>& options) {
  std::vector<std::string> names;
  for (const OptionSpec& option : options) names.push_back(option.name);
  return names;
}

std::filesystem::path resolve_path(const std::filesystem::path& base, const std::string& text) {
  std::filesystem::path path = (base / std::filesystem::path(text)).lexically_normal();
  return path.has_filename() || !path.has_relative_path() ? path : path.parent_path();
}

namespace {

std::vector<std::string> read_list(const TableReader& table, const OptionSpec& option) {
  const TomlValue* value = table.find(option.name);
  if (value->kind == TomlValue::Kind::text) return {table.required_text(option.name)};
  std::vector<std::string> all = table.texts(option.name);
  if (all.empty())
    table.wrong(value->at, "'" + option.name + "' in " + table.what() + " is an empty list; expected at least one text");
  return all;
}

std::vector<std::string> resolve_list(const TableReader& table, const OptionSpec& option,
                                      const std::filesystem::path& base) {
  std::vector<std::string> all;
  for (const std::string& text : read_list(table, option)) {
    std::string path = resolve_path(base, text).string();
    if (std::find(all.begin(), all.end(), path) != all.end())
      table.wrong(table.at(option.name), "'" + option.name + "' in " + table.what() + " names '" + printable(text) +
                                             "' twice; expected each path once");
    all.push_back(path);
  }
  return all;
}

OptionValue read_option(const TableReader& table, const OptionSpec& option, const std::filesystem::path& base) {
  switch (option.type) {
    case Type::boolean: return table.flag(option.name, false);
    case Type::integer: return table.integer(option.name, INT64_MIN, INT64_MAX, 0);
    case Type::text: return option.choices.empty() ? table.required_text(option.name)
                                                   : table.choice(option.name, option.choices);
    case Type::path: return resolve_path(base, table.required_text(option.name)).string();
    case Type::text_list: return read_list(table, option);
    case Type::path_list: return resolve_list(table, option, base);
  }
  return false;
}

}  // namespace

void read_options(const TableReader& table, const std::vector<OptionSpec>& options, const std::filesystem::path& base,
                  item::ItemSpec& spec) {
  for (const OptionSpec& option : options)
    if (table.has(option.name)) spec.options[option.name] = read_option(table, option, base);
}

void require_options(const TableReader& table, const std::vector<OptionSpec>& options, const item::ItemSpec& spec) {
  for (const OptionSpec& option : options)
    if (option.required && !spec.options.contains(option.name)) table.require(option.name, option.help);
}

}  // namespace holdfast::system
