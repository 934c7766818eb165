// next_after() against a model that walks through time minute by minute (second by second over short stretches), looks at the C
// library's wall clock and compares each of its numbers with a plain set.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "schedule/calendar.h"
#include "schedule/wall_clock_testing.h"

namespace holdfast::schedule {
namespace {

using Random = std::mt19937_64;
int pick(Random& random, int lowest, int highest) { return std::uniform_int_distribution<int>(lowest, highest)(random); }

// A random list of a component as text, and what it means.
struct RandomList { std::string text; std::set<int> numbers; };

RandomList random_list(Random& random, int lowest, int highest) {
  RandomList out;
  if (pick(random, 0, 2) == 0) {
    out.text = "*";
    for (int n = lowest; n <= highest; ++n) out.numbers.insert(n);
    return out;
  }
  for (int entries = pick(random, 1, 3); entries > 0; --entries) {
    const int first = pick(random, lowest, highest);
    int last = first, every = 1;
    std::string text = std::to_string(first);
    const int form = pick(random, 0, 3);
    if (form == 1 || form == 2) {
      last = pick(random, first, highest);
      text += ".." + std::to_string(last);
    }
    if (form >= 2 && first < highest) {
      every = pick(random, 1, std::min(highest - first, 25));
      text += "/" + std::to_string(every);
      if (form == 3) last = highest;
    }
    for (int n = first; n <= last; n += every) out.numbers.insert(n);
    out.text += (out.text.empty() ? "" : ",") + text;
  }
  return out;
}

struct Model {
  std::string text;
  std::set<int> weekdays, months, days, hours, minutes, seconds;
  bool from_end = false;

  Model(Random& random, bool with_seconds) {
    constexpr const char* kNames[] = {"Mon", "Tuesday", "wed", "THU", "Fri", "Saturday", "Sun"};
    if (pick(random, 0, 3) == 0) {
      const int first = pick(random, 0, 6), last = pick(random, first, 6);
      for (int n = first; n <= last; ++n) weekdays.insert(n);
      text = std::string(kNames[first]) + ".." + kNames[last] + " ";
    }
    const RandomList month = random_list(random, 1, 12), hour = random_list(random, 0, 23), minute = random_list(random, 0, 59);
    from_end = pick(random, 0, 4) == 0;
    RandomList day = random_list(random, 1, 31);
    if (from_end) {   // single days and ranges; steps from the end are in the table of calendar_test.cc
      const int first = pick(random, 1, 28), last = pick(random, first, 28);
      day = {std::to_string(first) + ".." + std::to_string(last), {}};
      for (int n = first; n <= last; ++n) day.numbers.insert(n);
    }
    const RandomList second = with_seconds ? random_list(random, 0, 59) : RandomList{"0", {0}};
    text += month.text + (from_end ? "~" : "-") + day.text + " " + hour.text + ":" + minute.text + (with_seconds ? ":" + second.text : "");
    months = month.numbers, days = day.numbers, hours = hour.numbers, minutes = minute.numbers, seconds = second.numbers;
  }

  bool matches(std::int64_t local) const {
    const time_t t = local;
    tm p{};
    ::gmtime_r(&t, &p);
    if (!minutes.count(p.tm_min) || !hours.count(p.tm_hour) || !seconds.count(p.tm_sec)) return false;
    int day = p.tm_mday;
    if (from_end) {   // the last day is 1
      day = 0;
      time_t following = local;
      for (tm q = p; q.tm_mon == p.tm_mon; ++day) {
        following += 86'400;
        ::gmtime_r(&following, &q);
      }
    }
    return (weekdays.empty() || weekdays.count((p.tm_wday + 6) % 7)) && months.count(p.tm_mon + 1) && days.count(day);
  }
};

// The slots in (begin, end]: a local time belongs to the first instant at which the wall shows it or a later one.
std::vector<std::int64_t> slots(const Model& model, const WallClock& wall, std::int64_t begin, std::int64_t end, std::int64_t step) {
  std::vector<std::int64_t> out;
  const std::int64_t early = begin - 4 * 3'600;   // changes before are over by `begin`, later ones are seen on the way
  std::int64_t shown = wall.local(early);
  for (std::int64_t t = early; t <= end; t += step) {
    bool found = false;
    for (const std::int64_t now = wall.local(t); shown < now;) {
      shown += step;
      found = (t > begin && model.matches(shown)) || found;
    }
    if (found) out.push_back(t);
  }
  return out;
}

// The number of slots that were compared.
std::size_t compare(Random& random, const Model& model, const Calendar& calendar, const WallClock& wall, std::int64_t begin,
                    std::int64_t end, std::int64_t step) {
  std::vector<std::int64_t> ours;
  std::optional<Timestamp> slot = Timestamp{begin, 0};
  while ((slot = calendar.next_after(*slot)) && slot->seconds <= end) {
    if (!ours.empty() && slot->seconds <= ours.back()) break;   // and is not equal below
    ours.push_back(slot->seconds);
  }
  const std::vector<std::int64_t> theirs = slots(model, wall, begin, end, step);
  EXPECT_EQ(ours, theirs) << model.text << " from " << format_utc({begin, 0});
  // Asked at any time, not only at a slot: in the repeated hour, too.
  for (int i = 0; i < 100; ++i) {
    const std::int64_t t = std::uniform_int_distribution<std::int64_t>(begin, end)(random);
    const auto expected = std::upper_bound(theirs.begin(), theirs.end(), t);
    const auto found = calendar.next_after({t, 0});
    EXPECT_EQ(found && found->seconds <= end ? found->seconds : 0, expected == theirs.end() ? 0 : *expected) << model.text << " after " << t;
  }
  return ours.size();
}

// Some instant of the years 2020 to 2060; mostly one near to a change of the clocks, if the zone has any.
std::int64_t random_instant(Random& random, const WallClock& wall) {
  const std::int64_t t = 1'577'836'800 + static_cast<std::int64_t>(random() % (40 * 365)) * 86'400;
  for (std::int64_t day = t; day < t + 366 * 86'400 && pick(random, 0, 999) > 0; day += 86'400)
    if (wall.local(day + 86'400) - wall.local(day) != 86'400) return day;
  return t;
}

void compare_in_zone(const char* zone, int rounds) {
  constexpr std::uint64_t kSeed = 1'795'312'800;
  std::printf("seed %llu\n", static_cast<unsigned long long>(kSeed));
  Random random(kSeed);
  const WallClock wall(zone);
  const ZoneFiles machine{platform::real_file_system()};
  std::size_t compared = 0;
  for (int i = 0; i < rounds && !testing::Test::HasFailure(); ++i) {
    const std::int64_t t = random_instant(random, wall);
    const bool with_seconds = i % 4 == 0;
    const Model model(random, with_seconds);
    const Calendar calendar = Calendar::parse(model.text + " " + zone, machine);
    const std::int64_t begin = t + pick(random, -720, 720) * 60;
    if (with_seconds) {
      // Two hours around the change itself.
      std::int64_t change = t;
      while (change < t + 86'400 && wall.local(change + 1'800) - wall.local(change) == 1'800) change += 1'800;
      compared += compare(random, model, calendar, wall, change - 1'800, change + 5'400, 1);
    } else {
      compared += compare(random, model, calendar, wall, begin, begin + 3 * 86'400, 60);
    }
  }
  std::printf("%zu slots\n", compared);
  EXPECT_GT(compared, 1'000U);
}

TEST(CalendarModel, Utc) { compare_in_zone("UTC", 40); }
TEST(CalendarModel, Berlin) { compare_in_zone("Europe/Berlin", 80); }
TEST(CalendarModel, NewYork) { compare_in_zone("America/New_York", 80); }
TEST(CalendarModel, LordHoweWithHalfAnHour) { compare_in_zone("Australia/Lord_Howe", 80); }
TEST(CalendarModel, Kathmandu) { compare_in_zone("Asia/Kathmandu", 40); }
TEST(CalendarModel, SantiagoAtMidnight) { compare_in_zone("America/Santiago", 60); }
TEST(CalendarModel, CasablancaInRamadan) { compare_in_zone("Africa/Casablanca", 60); }

// Whole years in a zone with daylight saving time: leap days, ends of months, every change.
TEST(CalendarModel, FourYearsInBerlin) {
  constexpr std::uint64_t kSeed = 4;
  std::printf("seed %llu\n", static_cast<unsigned long long>(kSeed));
  Random random(kSeed);
  const WallClock wall("Europe/Berlin");
  const ZoneFiles machine{platform::real_file_system()};
  constexpr std::int64_t kBegin = 1'798'761'600;   // 2027-01-01
  const Model model(random, false);
  const Calendar calendar = Calendar::parse(model.text + " Europe/Berlin", machine);
  const std::size_t compared = compare(random, model, calendar, wall, kBegin, kBegin + (4 * 365 + 1) * 86'400, 60);
  std::printf("%s: %zu slots\n", model.text.c_str(), compared);
  EXPECT_GT(compared, 100U);
}

}  // namespace
}  // namespace holdfast::schedule
