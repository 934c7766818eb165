#include "base/span.h"

#include <charconv>
#include <chrono>

namespace holdfast {
namespace {

constexpr int kLongest = 99'999;
constexpr std::int64_t kHour = 3'600, kDay = 24 * kHour;

}  // namespace

std::optional<Span> parse_span(std::string_view text) {
  if (text.size() < 2 || text.front() < '0' || text.front() > '9') return std::nullopt;
  constexpr std::string_view kUnits = "hdwmy";
  const char unit = text.back();
  text.remove_suffix(1);
  int count = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{} || end != text.data() + text.size() || count < 1 || count > kLongest) return std::nullopt;
  if (kUnits.find(unit) == std::string_view::npos) return std::nullopt;
  return Span{count, static_cast<Span::Unit>(unit)};
}

std::string to_text(const Span& span) { return std::to_string(span.count) + static_cast<char>(span.unit); }

Timestamp before(Timestamp t, const Span& span) {
  using namespace std::chrono;
  if (span.unit == Span::Unit::hours || span.unit == Span::Unit::days || span.unit == Span::Unit::weeks)
    return {t.seconds - longest_seconds(span), t.nanoseconds};
  const sys_seconds point{seconds{t.seconds}};
  const auto day = floor<days>(point);
  year_month_day date{day};
  if (span.unit == Span::Unit::months) date -= months{span.count};
  else date -= years{span.count};
  if (!date.ok()) date = date.year() / date.month() / last;
  return {(sys_days{date} + (point - day)).time_since_epoch() / seconds{1}, t.nanoseconds};
}

std::int64_t longest_seconds(const Span& span) {
  switch (span.unit) {
    case Span::Unit::hours: return span.count * kHour;
    case Span::Unit::days: return span.count * kDay;
    case Span::Unit::weeks: return span.count * 7 * kDay;
    case Span::Unit::months: return span.count * 31 * kDay;
    case Span::Unit::years: return span.count * 366 * kDay;
  }
  return 0;
}

}  // namespace holdfast
