// Which settings must not be shown: facts, diffs and messages print neither their old nor their new value.
#pragma once

#include <string_view>

namespace holdfast::item {

// By the name ("DatabasePassword", "apiKey", "pwd") or because the value carries one ("…;Password=x;…"). Errs
// on the safe side.
bool looks_secret(std::string_view name, std::string_view value);

}  // namespace holdfast::item
