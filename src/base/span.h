// A length of time as people write it: "12h", "7d", "4w", "6m" (months), "2y". Days and weeks are 24 hours and 7 of them, months and
// years are those of the calendar, in UTC.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace holdfast {

struct Span {
  enum class Unit : char { hours = 'h', days = 'd', weeks = 'w', months = 'm', years = 'y' };
  int count = 0;
  Unit unit = Unit::days;
  bool operator==(const Span&) const = default;
};

// A whole number from 1 to 99,999 and one of h d w m y; nullopt when it is something else.
std::optional<Span> parse_span(std::string_view text);
std::string to_text(const Span& span);   // as it was written
// So long before `t`. A day that the month does not have becomes its last one: one month before 31 March is 28 or 29 February.
Timestamp before(Timestamp t, const Span& span);
// Months as 31 days, years as 366: never less than the calendar's.
std::int64_t longest_seconds(const Span& span);

}  // namespace holdfast
