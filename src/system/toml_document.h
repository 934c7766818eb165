// A TOML text as values that know where they stand in it, and a reader of tables that finds every mistake.
//
// Not a general TOML library: what Holdfast's files do not use (dates, floats) is Kind::other, which no key accepts.
// A mistake is Error(config) with "file:line:column: what is wrong; expected what". Lines and columns count from 1.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::system {

// Larger files are refused before they are parsed: a configuration has a few KiB, and one out of a backup may be hostile.
constexpr std::size_t kLargestDocument = std::size_t{1} << 20;

struct Position { std::uint32_t line = 1, column = 1; };

struct TomlMember;

struct TomlValue {
  enum class Kind { table, array, text, integer, boolean, other };
  Kind kind = Kind::table;
  Position at;
  std::string text;
  std::int64_t integer = 0;
  bool boolean = false;
  std::vector<TomlValue> elements;   // of an array
  std::vector<TomlMember> members;   // of a table, in the order of the text
};

struct TomlMember { std::string key; Position at; TomlValue value; };

TomlValue parse_toml(std::string_view text, const std::string& file);

// "expected one of: a, b" and, when one is near to `name`, "; did you mean 'a'?".
std::string expected_one_of(std::string_view name, std::span<const std::string> valid);

[[noreturn]] void mistake(const std::string& file, Position at, const std::string& what);

// One table, read key by key. Texts are checked to hold no control characters (a text of several lines may have newlines).
class TableReader {
 public:
  // `what` names the table in mistakes: "[item.cmdb]". Unknown keys are found here.
  TableReader(const std::string& file, const TomlValue& table, std::string what, std::vector<std::string> valid_keys);

  const TomlValue* find(std::string_view key) const;                      // nullptr: not given
  bool has(std::string_view key) const { return find(key) != nullptr; }
  Position at(std::string_view key) const;                                // of the value; of the table when not given
  void require(std::string_view key, std::string_view help = "") const;   // mistake at the table when missing

  std::string text(std::string_view key, bool several_lines = false) const;   // "" when not given
  std::string required_text(std::string_view key, bool several_lines = false) const;
  std::string choice(std::string_view key, std::span<const std::string> valid) const;   // required
  bool flag(std::string_view key, bool otherwise) const;
  std::int64_t integer(std::string_view key, std::int64_t lowest, std::int64_t highest, std::int64_t otherwise) const;
  std::vector<std::string> texts(std::string_view key) const;             // empty when not given
  const TomlValue* table(std::string_view key) const;                     // nullptr: not given
  std::vector<const TomlValue*> tables(std::string_view key) const;       // [[key]]; empty when not given

  [[noreturn]] void wrong(Position at, const std::string& what) const { mistake(file_, at, what); }
  const std::string& what() const { return what_; }
  const TomlValue& value() const { return table_; }

 private:
  const TomlValue* find(std::string_view key, TomlValue::Kind kind, std::string_view expected) const;
  std::string clean(const TomlValue& value, std::string_view key, bool several_lines) const;

  const std::string& file_;
  const TomlValue& table_;
  std::string what_;
};

// A name in Holdfast's files: 1 to 64 of a-z 0-9 - _, starting with a letter or digit ("cmdb", "cancel-tasks").
bool is_plain_name(std::string_view name);

}  // namespace holdfast::system
