// Unicode normalization form C, so that a password typed as "u + combining dots" on one keyboard opens what
// was locked with "ü" on another. Unicode 15 tables (utf8proc); what Unicode has once assigned never
// normalizes differently later.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::crypto {

// Any characters, NUL too. Throws Error(damaged) when `utf8` is not UTF-8: ask is_utf8() first.
// The text may be a password: no copy of it is left behind but the result, which the caller wipes.
std::string nfc(std::string_view utf8);

}  // namespace holdfast::crypto
