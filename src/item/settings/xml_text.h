// XML files of Windows products as UTF-8, with the line numbers that error messages need.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"

namespace holdfast::item {

// UTF-8 of a file in UTF-8 or UTF-16LE (by its BOM), BOM dropped; other bytes stay as they are. `what` names
// the file. Error(damaged): empty, an odd number of bytes in UTF-16, a zero character (what a power loss
// leaves behind).
std::string xml_text(ByteView bytes, std::string_view what);

// Throws Error(damaged) "cannot read WHAT: line N: WHY" for the character at `offset`.
[[noreturn]] void xml_damaged(std::string_view what, std::string_view text, std::size_t offset,
                              const std::string& why);

}  // namespace holdfast::item
