#include "base/time.h"

#include <array>
#include <chrono>
#include <cstdio>

namespace holdfast {
namespace {

struct Fields { int y; unsigned mo, d, h, mi, s; };

Fields split(Timestamp t) {
  using namespace std::chrono;
  sys_seconds tp{seconds{t.seconds}};
  auto day = floor<days>(tp);
  year_month_day ymd{day};
  auto rest = static_cast<unsigned>((tp - day).count());
  return {static_cast<int>(ymd.year()), static_cast<unsigned>(ymd.month()), static_cast<unsigned>(ymd.day()),
          rest / 3600, rest / 60 % 60, rest % 60};
}

}  // namespace

std::string format_utc(Timestamp t) {
  Fields f = split(t);
  std::array<char, 64> buf{};
  std::snprintf(buf.data(), buf.size(), "%04d-%02u-%02uT%02u:%02u:%02uZ", f.y, f.mo, f.d, f.h, f.mi, f.s);
  return buf.data();
}

std::string format_utc_compact(Timestamp t) {
  Fields f = split(t);
  std::array<char, 64> buf{};
  std::snprintf(buf.data(), buf.size(), "%04d-%02u-%02uT%02u%02uZ", f.y, f.mo, f.d, f.h, f.mi);
  return buf.data();
}

std::optional<Timestamp> parse_utc(std::string_view text) {
  auto digits = [&](std::size_t at, std::size_t n) -> std::optional<unsigned> {
    if (at + n > text.size()) return std::nullopt;
    unsigned v = 0;
    for (std::size_t i = at; i < at + n; ++i) {
      if (text[i] < '0' || text[i] > '9') return std::nullopt;
      v = v * 10 + static_cast<unsigned>(text[i] - '0');
    }
    return v;
  };
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' ||
      text[16] != ':' || text.back() != 'Z')
    return std::nullopt;
  auto y = digits(0, 4), mo = digits(5, 2), d = digits(8, 2), h = digits(11, 2), mi = digits(14, 2),
       s = digits(17, 2);
  if (!y || !mo || !d || !h || !mi || !s || *h > 23 || *mi > 59 || *s > 59) return std::nullopt;
  using namespace std::chrono;
  year_month_day ymd{year{static_cast<int>(*y)}, month{*mo}, day{*d}};
  if (!ymd.ok()) return std::nullopt;
  Timestamp t{(sys_days{ymd} + hours{*h} + minutes{*mi} + seconds{*s}).time_since_epoch() / seconds{1}, 0};
  if (text.size() > 20) {
    if (text[19] != '.' || text.size() < 22 || text.size() > 30) return std::nullopt;
    auto n = digits(20, text.size() - 21);
    if (!n) return std::nullopt;
    std::uint64_t nanos = *n;
    for (std::size_t i = text.size() - 21; i < 9; ++i) nanos *= 10;
    t.nanoseconds = static_cast<std::uint32_t>(nanos);
  }
  return t;
}

}  // namespace holdfast
