#include "schedule/calendar.h"

#include <algorithm>
#include <bit>
#include <chrono>

namespace holdfast::schedule {
namespace {

constexpr std::int64_t kDay = 86'400;

std::int64_t days_until(int year, int month) {
  using namespace std::chrono;
  return sys_days{std::chrono::year{year} / month / 1}.time_since_epoch().count();
}

// Calls see(n) for every number of the list.
template <class See>
void each(const Expression::List& list, int lowest, int highest, See see) {
  if (list.empty())
    for (int n = lowest; n <= highest; ++n) see(n);
  for (const Expression::Numbers& numbers : list) {
    const int last = numbers.last >= 0 ? numbers.last : numbers.every > 0 ? highest : numbers.first;
    for (int n = numbers.first; n <= last; n += std::max(numbers.every, 1)) see(n);
  }
}

std::uint64_t bits(const Expression::List& list, int lowest, int highest) {
  std::uint64_t out = 0;
  each(list, lowest, highest, [&](int n) { out |= UINT64_C(1) << n; });
  return out;
}

// The same counted from the month's end: `~7/2` is the seventh last day, the fifth last, … to the end.
std::uint64_t bits_from_end(Expression::List days) {
  for (Expression::Numbers& n : days) {
    if (n.last >= 0 || n.every == 0) continue;
    n.last = n.first;
    n.first = (n.first - 1) % n.every + 1;
  }
  return bits(days, 1, 31);
}

// The lowest number in the set that is `from` or more; 64: none.
int next_bit(std::uint64_t set, std::int64_t from) {
  return from > 63 ? 64 : std::countr_zero(set >> from << from);
}

}  // namespace

Calendar::Calendar(Expression expression, Zone zone)
    : expression_(std::move(expression)),
      zone_(std::move(zone)),
      months_(bits(expression_.months, 1, 12)),
      days_(expression_.from_month_end ? bits_from_end(expression_.days) : bits(expression_.days, 1, 31)),
      hours_(bits(expression_.hours, 0, 23)),
      minutes_(bits(expression_.minutes, 0, 59)),
      seconds_(bits(expression_.seconds, 0, 59)) {
  each(expression_.years, kFirstYear, kLastYear, [this](int n) { years_.set(static_cast<std::size_t>(n - kFirstYear)); });
}

Calendar Calendar::parse(std::string_view text, const ZoneFiles& zones) {
  Expression expression = parse_expression(text);
  Zone zone = expression.zone.empty() ? zones.machine() : zones.named(expression.zone);
  return {std::move(expression), std::move(zone)};
}

std::optional<Timestamp> Calendar::next_after(Timestamp t) const {
  static const std::int64_t kFirst = days_until(kFirstYear, 1) * kDay, kEnd = days_until(kLastYear + 1, 1) * kDay;
  if (t.seconds >= kEnd - kLowestOffset) return std::nullopt;
  // first_instant() never falls as local times rise, and is later than t exactly for those that the wall has not shown until t.
  const std::int64_t shown = zone_.latest_local(std::max(t.seconds, kFirst - 2 * kHighestOffset));
  const auto local = next_local(std::max(shown + 1, kFirst));
  if (!local) return std::nullopt;
  return Timestamp{zone_.first_instant(*local), 0};
}

// The first matching local time at `from` or later.
std::optional<std::int64_t> Calendar::next_local(std::int64_t from) const {
  using namespace std::chrono;
  const auto today = floor<days>(sys_seconds{seconds{from}});
  const year_month_day date{today};
  const auto first_month = static_cast<int>(static_cast<unsigned>(date.month()));
  for (int year = static_cast<int>(date.year()); year <= kLastYear; ++year) {
    if (!years_[static_cast<std::size_t>(year - kFirstYear)]) continue;
    const bool this_year = year == static_cast<int>(date.year());
    for (int month = next_bit(months_, this_year ? first_month : 1); month <= 12; month = next_bit(months_, month + 1)) {
      const bool this_month = this_year && month == first_month;
      const std::uint64_t matching = days_in(year, month);
      const std::int64_t before_first = days_until(year, month) - 1;
      for (int day = next_bit(matching, this_month ? static_cast<unsigned>(date.day()) : 1); day <= 31; day = next_bit(matching, day + 1)) {
        const std::int64_t begin = (before_first + day) * kDay;
        if (const auto second = next_second_of_day(std::max<std::int64_t>(from - begin, 0))) return begin + *second;
      }
    }
  }
  return std::nullopt;
}

std::optional<std::int64_t> Calendar::next_second_of_day(std::int64_t from) const {
  std::int64_t hour = from / 3'600, minute = from / 60 % 60, second = next_bit(seconds_, from % 60);
  const bool minute_left = minutes_ >> minute & 1U && second < 64;
  if (!minute_left) {
    minute = next_bit(minutes_, minute + 1);
    second = std::countr_zero(seconds_);
  }
  if (!(hours_ >> hour & 1U) || minute >= 64) {
    hour = next_bit(hours_, hour + 1);
    minute = std::countr_zero(minutes_);
    second = std::countr_zero(seconds_);
  }
  if (hour >= 64) return std::nullopt;
  return hour * 3'600 + minute * 60 + second;
}

// The days of a month that match, by date and weekday: bits 1 to 31.
std::uint64_t Calendar::days_in(int year, int month) const {
  using namespace std::chrono;
  const std::int64_t first = days_until(year, month);
  const int length = static_cast<int>((month == 12 ? days_until(year + 1, 1) : days_until(year, month + 1)) - first);
  std::uint64_t out = 0;
  for (int n = next_bit(days_, 1); n <= length; n = next_bit(days_, n + 1)) {
    const int day = expression_.from_month_end ? length - n + 1 : n;
    const unsigned weekday_of = weekday{sys_days{days{first + day - 1}}}.iso_encoding() - 1;   // Monday 0
    if (expression_.weekdays >> weekday_of & 1U) out |= UINT64_C(1) << day;
  }
  return out;
}

}  // namespace holdfast::schedule
