// Points in time (UTC) as they are stored: signed seconds since 1970 and nanoseconds.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast {

struct Timestamp {
  std::int64_t seconds = 0;
  std::uint32_t nanoseconds = 0;  // 0 .. 999'999'999, also before 1970
  auto operator<=>(const Timestamp&) const = default;
};

// "2026-11-22T02:00:05Z" (whole seconds).
std::string format_utc(Timestamp t);
// "2026-11-22T0200Z": for file names.
std::string format_utc_compact(Timestamp t);
// "2026-11-22T02:00:05Z" or "…05.123456789Z"; nullopt when it is something else.
std::optional<Timestamp> parse_utc(std::string_view text);

}  // namespace holdfast
