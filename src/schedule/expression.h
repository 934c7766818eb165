// A calendar expression as a person writes it: the language of systemd.time(7), section "CALENDAR EVENTS", and nothing that it
// does not have, so that `systemd-analyze calendar` can be asked what an expression means. What it means here: calendar.h.
//
//   [weekdays] [[year-]month-day] [hour:minute[:second]] [zone]         at least one of the first three
//   shorthand [zone]            minutely hourly daily weekly monthly quarterly semiannually yearly annually
//
// weekdays: Mon, Monday, Mon..Fri, Mon,Wed..Fri. Everything else is * or a list of numbers, ranges (1..5) and steps (0/15, 1..9/2).
// month~day counts from the end of the month: *-02~01 is the last day of February. Left out: fractions of seconds, and @ with
// seconds since 1970: both are mistakes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::schedule {

inline constexpr int kFirstYear = 1970, kLastYear = 2199;   // as systemd has them; nothing comes after

struct Expression {
  // first; or first..last; or first, first + every, … until `last` or the end of the component.
  struct Numbers {
    int first = 0;
    int last = -1;    // -1: none
    int every = 0;    // 0: `first` alone
    auto operator<=>(const Numbers&) const = default;
  };
  using List = std::vector<Numbers>;   // empty: *

  unsigned weekdays = 0x7f;            // bit 0 Monday … bit 6 Sunday
  List years, months, days, hours, minutes, seconds;
  bool from_month_end = false;         // `days` count from the last day: 1 is the last
  std::string zone;                    // "": the machine's local time

  // "Mon..Fri *-*-* 02:30:00": as `systemd-analyze calendar` prints it.
  std::string normal_form() const;
};

// Error(config): "… column 5: expected an hour from 0 to 23; for example …". Columns count from 1. The zone is not looked up.
Expression parse_expression(std::string_view text);

}  // namespace holdfast::schedule
