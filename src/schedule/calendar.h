// When a calendar expression comes next. An expression (expression.h) names local times; this is where they become instants.
//
// Local times and clocks that change:
//  - A local time that does not exist, because clocks go forward past it, comes at the first instant after the gap: with
//    `02:30 Europe/Berlin` on the last Sunday of March that is 03:00 CEST. (systemd leaves that night out.)
//  - A local time that exists twice, because clocks go back, comes once, the first time. So `*:0/30` pauses in the repeated hour;
//    who wants even distances writes UTC.
//  - Several local times that fall on one instant are one slot.
// The same rules hold for every change of a zone: half an hour, or a day that a country leaves out.
//
// A Calendar is a value and never changes: any thread may use it. It has the zone's data of the time at which it was made; a service
// that runs for long makes it again now and then (each start and each change of the configuration will do).
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "schedule/expression.h"
#include "schedule/zone.h"

namespace holdfast::schedule {

class Calendar {
 public:
  Calendar(Expression expression, Zone zone);
  // Error(config): the text; unknown_name and others: the zone (ZoneFiles).
  static Calendar parse(std::string_view text, const ZoneFiles& zones);

  // The first slot later than `t`, in whole seconds; nullopt: it never comes again (`*-02-30`, a year that is over, after 2199).
  // Takes microseconds, also when it never comes.
  std::optional<Timestamp> next_after(Timestamp t) const;

  std::string normal_form() const { return expression_.normal_form(); }
  const Zone& zone() const { return zone_; }   // for showing a slot as local time

 private:
  std::optional<std::int64_t> next_local(std::int64_t from) const;
  std::optional<std::int64_t> next_second_of_day(std::int64_t from) const;
  std::uint64_t days_in(int year, int month) const;

  Expression expression_;
  Zone zone_;
  // Which numbers of each component match; bit n stands for n, of a year for kFirstYear + n.
  std::bitset<kLastYear - kFirstYear + 1> years_;
  std::uint64_t months_, days_, hours_, minutes_, seconds_;
};

}  // namespace holdfast::schedule
