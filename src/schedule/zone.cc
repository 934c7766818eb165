#include "schedule/zone.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <limits>

#include "base/error.h"
#include "base/text.h"
#include "base/wire.h"

namespace holdfast::schedule {
namespace {

constexpr std::int64_t kDay = 86'400;
// Far beyond every date, and near enough to zero to add an offset.
constexpr std::int64_t kEver = std::numeric_limits<std::int64_t>::max() / 4;
// The largest file of the 2025 data has 4 KiB.
constexpr std::uint64_t kLargestFile = 256 * 1024;

std::int64_t days_until(int year, int month, int day) {
  using namespace std::chrono;
  return sys_days{std::chrono::year{year} / month / day}.time_since_epoch().count();
}

int year_of(std::int64_t second) {
  using namespace std::chrono;
  return static_cast<int>(year_month_day{floor<days>(sys_seconds{seconds{second}})}.year());
}

std::uint64_t big_endian(ByteView bytes) {
  std::uint64_t v = 0;
  for (std::uint8_t b : bytes) v = v << 8 | b;
  return v;
}

// Counts of one header, in the order of RFC 8536.
struct Counts { std::size_t ut, standard, leap, time, type, characters; };

Counts read_header(Reader& in) {
  if (as_text(in.raw(4)) != "TZif") in.damaged("it is no time zone file");
  const char version = static_cast<char>(in.u8());
  if (version < '2') throw Error(Code::unsupported, "cannot read a time zone file of version 1: it ends in 2037")
      .hint("install the time zone data of the system again (package tzdata)");
  in.raw(15);
  Counts c{};
  for (std::size_t* n : {&c.ut, &c.standard, &c.leap, &c.time, &c.type, &c.characters}) *n = big_endian(in.raw(4));
  return c;
}

}  // namespace

// "CET-1CEST,M3.5.0,M10.5.0/3": a TZ string of POSIX with the extensions of RFC 8536 3.3.1.
class Zone::RuleParser {
 public:
  RuleParser(Reader& file, std::string_view text) : file_(file), rest_(text) {}

  Rule parse() {
    Rule rule;
    designation();
    rule.standard = -static_cast<std::int32_t>(time(24));
    if (rest_.empty()) return rule;
    designation();
    rule.daylight = rule.standard + 3'600;
    if (!rest_.empty() && rest_.front() != ',') rule.daylight = -static_cast<std::int32_t>(time(24));
    const Turn there = turn();
    rule.turns = {there, turn()};
    if (!rest_.empty()) wrong();
    return rule;
  }

 private:
  [[noreturn]] void wrong() const { file_.damaged("its last line is no rule"); }
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void designation() {
    std::size_t n = 0;
    if (take('<')) {
      n = rest_.find('>');
      if (n == std::string_view::npos) wrong();
      ++n;
    } else {
      while (n < rest_.size() && ((rest_[n] | 32) >= 'a' && (rest_[n] | 32) <= 'z')) ++n;
      if (n < 3) wrong();
    }
    rest_.remove_prefix(n);
  }
  int number(int lowest, int highest) {
    int v = 0;
    std::size_t n = 0;
    for (; n < rest_.size() && n < 3 && rest_[n] >= '0' && rest_[n] <= '9'; ++n) v = v * 10 + (rest_[n] - '0');
    if (n == 0 || v < lowest || v > highest) wrong();
    rest_.remove_prefix(n);
    return v;
  }
  // [+-]hh[:mm[:ss]]
  std::int64_t time(int most_hours) {
    const bool negative = take('-');
    if (!negative) take('+');
    std::int64_t seconds = number(0, most_hours) * 3'600;
    if (take(':')) seconds += number(0, 59) * 60;
    if (take(':')) seconds += number(0, 59);
    return negative ? -seconds : seconds;
  }
  Turn turn() {
    if (!take(',')) wrong();
    Turn t;
    if (take('J')) {
      t.kind = Turn::Kind::julian_without_leap_day;
      t.day = number(1, 365);
    } else if (take('M')) {
      t.kind = Turn::Kind::weekday_of_month;
      t.month = number(1, 12);
      if (!take('.')) wrong();
      t.week = number(1, 5);
      if (!take('.')) wrong();
      t.day = number(0, 6);
    } else {
      t.day = number(0, 365);
    }
    t.second = take('/') ? time(167) : 2 * 3'600;
    return t;
  }

  Reader& file_;
  std::string_view rest_;
};

std::int64_t Zone::Turn::local(int year) const {
  using namespace std::chrono;
  std::int64_t days = 0;
  if (kind == Kind::day_of_year) {
    days = days_until(year, 1, 1) + day;
  } else if (kind == Kind::julian_without_leap_day) {
    const bool after_leap_day = day >= 60 && std::chrono::year{year}.is_leap();
    days = days_until(year, 1, 1) + day - 1 + (after_leap_day ? 1 : 0);
  } else {
    const auto in = std::chrono::year{year} / month;
    const weekday wanted{static_cast<unsigned>(day)};
    const sys_days found = week == 5 ? sys_days{in / wanted[last]} : sys_days{in / wanted[static_cast<unsigned>(week)]};
    days = found.time_since_epoch().count();
  }
  return days * kDay + second;
}

Zone::Stretch Zone::Rule::at(std::int64_t instant) const {
  Stretch found{-kEver, kEver, standard};
  if (!turns) return found;
  // In the order of time: the turn back of one year may be at the instant of the turn there of the next, and then has no effect.
  std::array<std::pair<std::int64_t, std::int32_t>, 10> all;
  const int middle = year_of(instant);
  std::size_t n = 0;
  for (int year = middle - 2; year <= middle + 2; ++year) {   // a turn may be a week outside its year
    all[n++] = {(*turns)[0].local(year) - standard, daylight};
    all[n++] = {(*turns)[1].local(year) - daylight, standard};
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [begin, offset] : all) {
    if (begin > instant) {
      found.end = begin;
      break;
    }
    found.begin = begin;
    found.offset = offset;
  }
  return found;
}

Zone Zone::parse(ByteView file, const std::string& what) {
  Reader in(file, what);
  Counts c = read_header(in);
  in.raw(c.time * 5 + c.type * 6 + c.characters + c.leap * 8 + c.standard + c.ut);   // the same again with 32 bits
  c = read_header(in);
  if (c.leap != 0) throw Error(Code::unsupported, "cannot use " + what + ": it counts leap seconds")
      .hint("name the zone without 'right/'");
  const ByteView times = in.raw(c.time * 8), indexes = in.raw(c.time), types = in.raw(c.type * 6);
  in.raw(c.characters + c.standard + c.ut);
  if (c.type == 0) in.damaged("it has no local time");

  Zone zone;
  auto offset_of = [&](std::size_t type) {
    if (type >= c.type) in.damaged("it names a local time that it does not have");
    const auto offset = static_cast<std::int32_t>(big_endian(types.subspan(type * 6, 4)));
    if (offset < kLowestOffset || offset > kHighestOffset) in.damaged("an offset is more than a day");
    return offset;
  };
  zone.offsets_ = {offset_of(0)};
  for (std::size_t i = 0; i < c.time; ++i) {
    const auto begin = static_cast<std::int64_t>(big_endian(times.subspan(i * 8, 8)));
    if (!zone.begins_.empty() && begin <= zone.begins_.back()) in.damaged("its times do not ascend");
    if (begin < -kEver || begin > kEver) in.damaged("a time is beyond every date");
    zone.begins_.push_back(begin);
    zone.offsets_.push_back(offset_of(indexes[i]));
  }
  const std::string_view footer = as_text(in.raw(in.remaining()));
  if (footer.size() < 2 || footer.front() != '\n' || footer.find('\n', 1) != footer.size() - 1) in.damaged("its last line is missing");
  if (footer.size() > 2) zone.rule_ = RuleParser(in, footer.substr(1, footer.size() - 2)).parse();
  return zone;
}

Zone::Stretch Zone::at(std::int64_t instant) const {
  const auto next = std::upper_bound(begins_.begin(), begins_.end(), instant);
  const std::int64_t begin = next == begins_.begin() ? -kEver : *std::prev(next);
  if (next != begins_.end() || !rule_)
    return {begin, next == begins_.end() ? kEver : *next, offsets_[static_cast<std::size_t>(next - begins_.begin())]};
  Stretch found = rule_->at(instant);
  found.begin = std::max(found.begin, begin);
  return found;
}

std::int64_t Zone::first_instant(std::int64_t local) const {
  // Before it the wall shows less than `local`, whatever the offset.
  for (Stretch s = at(local - kHighestOffset - 1);; s = at(s.end)) {
    const std::int64_t instant = std::max(s.begin, local - s.offset);
    if (instant < s.end) return instant;
  }
}

std::int64_t Zone::latest_local(std::int64_t instant) const {
  Stretch s = at(instant);
  std::int64_t latest = instant + s.offset;
  // Earlier instants show less, whatever the offset.
  while (s.begin > instant - (kHighestOffset - kLowestOffset)) {
    s = at(s.begin - 1);
    latest = std::max(latest, s.end - 1 + s.offset);
  }
  return latest;
}

std::string Zone::text(Timestamp t) const {
  using namespace std::chrono;
  const std::int32_t offset = at(t.seconds).offset;
  const std::int64_t local = t.seconds + offset;
  const auto day = floor<days>(sys_seconds{seconds{local}});
  constexpr std::array kNames{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  std::string out = kNames[weekday{day}.c_encoding()];
  std::string stamp = format_utc({local, 0});
  stamp[stamp.find('T')] = ' ';
  stamp.pop_back();
  std::array<char, 32> tail{};
  std::snprintf(tail.data(), tail.size(), " %c%02d:%02d", offset < 0 ? '-' : '+', std::abs(offset) / 3'600, std::abs(offset) / 60 % 60);
  return out + " " + stamp + tail.data();
}

Zone ZoneFiles::named(const std::string& name) const {
  if (to_lower_ascii(name) == "utc") return {};
  const bool plain = !name.empty() && name.size() <= 64 && name.front() != '/' && name.find("..") == std::string::npos &&
                     std::all_of(name.begin(), name.end(), [](char c) {
                       return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') ||
                              std::string_view("/_+-").find(c) != std::string_view::npos;
                     });
  const auto found = plain ? files.info(folder / name) : std::nullopt;
  if (!found || found->kind != platform::FileInfo::Kind::file) {
    if (!files.exists(folder))
      throw Error(Code::unknown_name, "cannot use time zone '" + printable(name) + "': this machine has no time zone data (" +
                                          printable(folder.string()) + ")")
          .hint("install it (package tzdata), or write UTC");
    throw Error(Code::unknown_name, "cannot use time zone '" + printable(name) + "': there is none of this name below " +
                                        printable(folder.string()))
        .hint("write UTC or a name such as Europe/Berlin");
  }
  return Zone::parse(files.read_stream(folder / name, kLargestFile), "time zone '" + name + "'");
}

Zone ZoneFiles::machine() const {
  const auto found = files.info(local);
  if (!found) return {};
  if (found->kind != platform::FileInfo::Kind::file)
    throw Error(Code::precondition, "cannot read the machine's time zone: " + printable(local.string()) + " is no file")
        .hint("set the machine's time zone, or name one in the schedule");
  return Zone::parse(files.read_stream(local, kLargestFile), "the machine's time zone " + printable(local.string()));
}

}  // namespace holdfast::schedule
