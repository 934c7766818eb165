// Changes single values of a holdfast.toml in their place: comments, order, blank lines and everything else stay byte for byte.
//
// What is written is exact or nothing: the new text is parsed, and it must hold the values of the old one with the changes and no
// other difference. A value that cannot be changed so is Error(unsupported), which says what a person does instead.
// Thread-safe: functions of their arguments.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "item/adapter.h"
#include "platform/file_system.h"
#include "system/toml_layout.h"

namespace holdfast::system {

struct Change {
  using Value = std::variant<bool, std::int64_t, std::string, std::vector<std::string>>;
  enum class Kind {
    set,         // a key to a value; its table is made when it is not there
    remove,      // a key, or a table with everything in it: its header, its keys, the tables below it, and the comments between them
    add_table,   // an empty one; already_exists when it is there
  };
  Kind kind = Kind::set;
  KeyPath path;           // {"schedule", "nightly", "enabled"}; not empty
  Value value = false;    // of `set`
};

// The text of `file` with the changes, one after the other. A comment behind a value stays behind it; in a list of several lines, those
// of the elements that stay. A new table comes after the last one of its kind, else at the end.
// Errors: config (the text is no TOML), not_found (nothing to remove), already_exists, unsupported, usage (a text that is not UTF-8).
std::string changed(std::string_view text, const std::string& file, std::span<const Change> changes);

// What differs between two texts, line by line, in order: for a review. `line` counts from 1: of the new text for '+', of the old for '-'.
struct LineChange { char sign; std::size_t line; std::string text; };
std::vector<LineChange> line_changes(std::string_view before, std::string_view after);

// Writes `after` in place of `before`, at once or not at all. The whole new text is checked first, as load_system() does; the file keeps
// its permissions, owner and group. Error(config): the new text is wrong, with the place; busy: the file does not hold `before` any more,
// or another process is writing it; those of the file system. Whatever is thrown, the file is as it was, or wholly new.
void replace_configuration(platform::FileSystem& files, const platform::Path& file, std::string_view before, std::string_view after,
                           const item::AdapterSet& adapters);

}  // namespace holdfast::system
