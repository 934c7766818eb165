#include "system/toml_document.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "base/toml.h"

namespace holdfast::system {
namespace {

Position position(const toml::source_region& region) {
  return {static_cast<std::uint32_t>(region.begin.line), static_cast<std::uint32_t>(region.begin.column)};
}

TomlValue convert(const toml::node& node) {
  TomlValue value;
  value.at = position(node.source());
  if (const auto* table = node.as_table()) {
    for (const auto& [key, child] : *table)
      value.members.push_back({std::string(key.str()), position(key.source()), convert(child)});
    std::sort(value.members.begin(), value.members.end(), [](const TomlMember& a, const TomlMember& b) {
      return std::pair(a.at.line, a.at.column) < std::pair(b.at.line, b.at.column);
    });
  } else if (const auto* array = node.as_array()) {
    value.kind = TomlValue::Kind::array;
    for (const auto& child : *array) value.elements.push_back(convert(child));
  } else if (const auto* text = node.as_string()) {
    value.kind = TomlValue::Kind::text;
    value.text = text->get();
  } else if (const auto* number = node.as_integer()) {
    value.kind = TomlValue::Kind::integer;
    value.integer = number->get();
  } else if (const auto* boolean = node.as_boolean()) {
    value.kind = TomlValue::Kind::boolean;
    value.boolean = boolean->get();
  } else {
    value.kind = TomlValue::Kind::other;
  }
  return value;
}

// The parts of a dotted key stand in one line, and each is a table within the one before: the parser takes them down one inside the
// other and would use up the stack. With values nested 16 deep (base/toml.h) this makes 8,000 tables at most, some MiB of stack.
constexpr std::ptrdiff_t kMostDotsInALine = 500;

void refuse_deep_keys(std::string_view text, const std::string& file) {
  std::uint32_t line = 1;
  for (std::size_t begin = 0; begin < text.size(); ++line) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (std::count(text.begin() + static_cast<std::ptrdiff_t>(begin), text.begin() + static_cast<std::ptrdiff_t>(end), '.') > kMostDotsInALine)
      mistake(file, {line, 1}, "the line has more than " + std::to_string(kMostDotsInALine) + " dots; expected keys of a few parts, and long lists in several lines");
    begin = end + 1;
  }
}

}  // namespace

TomlValue parse_toml(std::string_view text, const std::string& file) {
  if (text.size() > kLargestDocument)
    mistake(file, {}, "the file has " + human_bytes(text.size()) + "; expected at most " +
                          human_bytes(kLargestDocument));
  refuse_deep_keys(text, file);
  try {
    return convert(toml::parse(text, file));
  } catch (const toml::parse_error& e) {
    mistake(file, position(e.source()), printable(e.description()) + "; expected valid TOML");
  }
}

std::string expected_one_of(std::string_view name, std::span<const std::string> valid) {
  if (valid.empty()) return "expected nothing here";
  std::string text = (valid.size() == 1 ? "expected " : "expected one of: ") + join(valid, ", ");
  std::string nearest = nearest_name(name, valid);
  if (!nearest.empty()) text += "; did you mean '" + nearest + "'?";
  return text;
}

void mistake(const std::string& file, Position at, const std::string& what) {
  throw Error(Code::config, printable(file) + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) + ": " +
                                what)
      .safe("nothing was changed");
}

TableReader::TableReader(const std::string& file, const TomlValue& table, std::string what,
                         std::vector<std::string> valid_keys)
    : file_(file), table_(table), what_(std::move(what)) {
  if (table.kind != TomlValue::Kind::table) wrong(table.at, what_ + " is not a table; expected " + what_ + " with keys");
  for (const TomlMember& member : table.members) {
    if (std::find(valid_keys.begin(), valid_keys.end(), member.key) == valid_keys.end())
      wrong(member.at, "unknown key '" + printable(member.key) + "' in " + what_ + "; " +
                           expected_one_of(member.key, valid_keys));
  }
}

const TomlValue* TableReader::find(std::string_view key) const {
  for (const TomlMember& member : table_.members)
    if (member.key == key) return &member.value;
  return nullptr;
}

Position TableReader::at(std::string_view key) const {
  const TomlValue* value = find(key);
  return value ? value->at : table_.at;
}

void TableReader::require(std::string_view key, std::string_view help) const {
  if (has(key)) return;
  std::string text = what_ + " has no '" + std::string(key) + "'; expected " + std::string(key) + " = ...";
  if (!help.empty()) text += " (" + std::string(help) + ")";
  wrong(table_.at, text);
}

const TomlValue* TableReader::find(std::string_view key, TomlValue::Kind kind, std::string_view expected) const {
  const TomlValue* value = find(key);
  if (value && value->kind != kind)
    wrong(value->at, "'" + std::string(key) + "' in " + what_ + " has a value of the wrong type; expected " +
                         std::string(expected));
  return value;
}

std::string TableReader::clean(const TomlValue& value, std::string_view key, bool several_lines) const {
  for (char c : value.text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && !(several_lines && c == '\n')) || byte == 0x7F)
      wrong(value.at, "'" + std::string(key) + "' in " + what_ + " holds a control character; expected plain text");
  }
  return value.text;
}

std::string TableReader::text(std::string_view key, bool several_lines) const {
  const TomlValue* value = find(key, TomlValue::Kind::text, "a text in quotes");
  return value ? clean(*value, key, several_lines) : "";
}

std::string TableReader::required_text(std::string_view key, bool several_lines) const {
  require(key);
  std::string value = text(key, several_lines);
  if (value.empty()) wrong(at(key), "'" + std::string(key) + "' in " + what_ + " is empty; expected a text");
  return value;
}

std::string TableReader::choice(std::string_view key, std::span<const std::string> valid) const {
  std::string value = required_text(key);
  if (std::find(valid.begin(), valid.end(), value) == valid.end())
    wrong(at(key), "'" + std::string(key) + "' in " + what_ + " is '" + printable(value) + "'; " +
                       expected_one_of(value, valid));
  return value;
}

bool TableReader::flag(std::string_view key, bool otherwise) const {
  const TomlValue* value = find(key, TomlValue::Kind::boolean, "true or false");
  return value ? value->boolean : otherwise;
}

std::int64_t TableReader::integer(std::string_view key, std::int64_t lowest, std::int64_t highest,
                                  std::int64_t otherwise) const {
  const std::string range = "a whole number from " + std::to_string(lowest) + " to " + std::to_string(highest);
  const TomlValue* value = find(key, TomlValue::Kind::integer, range);
  if (!value) return otherwise;
  if (value->integer < lowest || value->integer > highest)
    wrong(value->at, "'" + std::string(key) + "' in " + what_ + " is " + std::to_string(value->integer) +
                         "; expected " + range);
  return value->integer;
}

std::vector<std::string> TableReader::texts(std::string_view key) const {
  const TomlValue* value = find(key, TomlValue::Kind::array, "a list of texts: [\"...\", \"...\"]");
  std::vector<std::string> all;
  if (!value) return all;
  for (const TomlValue& element : value->elements) {
    if (element.kind != TomlValue::Kind::text || element.text.empty())
      wrong(element.at, "'" + std::string(key) + "' in " + what_ + " holds something that is not a text; expected " +
                            "a list of texts: [\"...\", \"...\"]");
    all.push_back(clean(element, key, false));
  }
  return all;
}

const TomlValue* TableReader::table(std::string_view key) const {
  return find(key, TomlValue::Kind::table, "a table: [" + std::string(key) + "]");
}

std::vector<const TomlValue*> TableReader::tables(std::string_view key) const {
  const std::string expected = "tables: [[" + std::string(key) + "]]";
  std::vector<const TomlValue*> all;
  if (const TomlValue* value = find(key, TomlValue::Kind::array, expected)) {
    for (const TomlValue& element : value->elements) {
      if (element.kind != TomlValue::Kind::table)
        wrong(element.at, "'" + std::string(key) + "' in " + what_ + " holds something else; expected " + expected);
      all.push_back(&element);
    }
  }
  return all;
}

bool is_plain_name(std::string_view name) {
  auto alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !name.empty() && name.size() <= 64 && alphanumeric(name.front()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return alphanumeric(c) || c == '-' || c == '_'; });
}

}  // namespace holdfast::system
