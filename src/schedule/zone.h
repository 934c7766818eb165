// A time zone: what a clock on the wall shows at an instant.
//
// Read from a TZif file (RFC 8536, version 2 and later) as the operating system has it below /usr/share/zoneinfo; why not by the C
// library: docs/decisions/0005-time-zones.md. Instants and local times are whole seconds since 1970-01-01T00:00:00; a local time is
// counted as if it were UTC. A zone is a value that never changes: any thread may use it, and newer zone data needs a new one.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "platform/file_system.h"

namespace holdfast::schedule {

// The bounds that RFC 8536 recommends for an offset: -25 h and +26 h, exclusive. A file that goes beyond is refused.
inline constexpr std::int64_t kLowestOffset = -89'999, kHighestOffset = 93'599;

class Zone {
 public:
  Zone() = default;   // UTC
  // `what` names the file in errors. Error(damaged); Error(unsupported): version 1, or one that counts leap seconds.
  static Zone parse(ByteView file, const std::string& what);

  // The instants from `begin` until before `end` have this offset: local = instant + offset. The neighbours may have the same.
  struct Stretch { std::int64_t begin, end; std::int32_t offset; };
  Stretch at(std::int64_t instant) const;

  // The first instant at which the wall shows `local` or later. A local time that exists twice: its first time. One that does not
  // exist, as clocks went forward past it: the first instant after the gap.
  std::int64_t first_instant(std::int64_t local) const;
  // The latest that the wall has ever shown until `instant`: later than what it shows in the hour after clocks went back.
  std::int64_t latest_local(std::int64_t instant) const;

  // "Mon 2026-11-23 02:30:00 +01:00"
  std::string text(Timestamp t) const;

 private:
  // The day and the second of it at which one half of the year begins, by the clock until then.
  struct Turn {
    enum class Kind { julian_without_leap_day, day_of_year, weekday_of_month };
    Kind kind = Kind::day_of_year;
    int month = 0, week = 0, day = 0;
    std::int64_t second = 0;
    std::int64_t local(int year) const;
  };
  struct Rule {                       // the footer of the file: every year after its table
    std::int32_t standard = 0, daylight = 0;
    std::optional<std::array<Turn, 2>> turns;   // to daylight saving time and back; nullopt: there is none
    Stretch at(std::int64_t instant) const;
  };
  class RuleParser;

  std::vector<std::int64_t> begins_;    // of the table's stretches, but the first; ascending
  std::vector<std::int32_t> offsets_{0};   // one more than begins_
  std::optional<Rule> rule_;            // holds from begins_.back() on; nullopt: the last offset stays
};

// Where zones come from.
struct ZoneFiles {
  platform::FileSystem& files;
  platform::Path folder = "/usr/share/zoneinfo";
  platform::Path local = "/etc/localtime";   // missing: the machine's time is UTC, as for the C library

  // `name`: "UTC", which needs no file, or "Europe/Berlin". Error(unknown_name): no such zone, or no zone data on this machine;
  // those of Zone::parse and of reading a file.
  Zone named(const std::string& name) const;
  // The machine's. The variable TZ is not asked: the service and a person at a terminal must mean the same.
  Zone machine() const;
};

}  // namespace holdfast::schedule
