#include "schedule/expression.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/error.h"
#include "base/text.h"

namespace holdfast::schedule {
namespace {

// Every list with every number of its component written out once is shorter.
constexpr std::size_t kLongestText = 2'000;
constexpr std::array<std::string_view, 7> kWeekdays{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};

struct Shorthand { std::string_view name, meaning; };
// Names and meanings: systemd.time(7); the spellings with "anu" and "bi" are those that systemd accepts, too.
constexpr Shorthand kShorthands[] = {
    {"minutely", "*:*"},          {"hourly", "*:0"},         {"daily", "0:0"},
    {"weekly", "Mon"},            {"monthly", "*-1"},        {"quarterly", "1,4,7,10-1"},
    {"semiannually", "1,7-1"},    {"yearly", "1-1"},         {"annually", "1-1"},
    {"anually", "1-1"},           {"semi-annually", "1,7-1"}, {"biannually", "1,7-1"},
    {"bi-annually", "1,7-1"},
};

struct Kind { const char* name; const char* plural; int lowest, highest; bool is_year = false; bool from_end = false; };
constexpr Kind kYear{"a year", "years", kFirstYear, kLastYear, true};
constexpr Kind kMonth{"a month", "months", 1, 12};
constexpr Kind kDay{"a day", "days", 1, 31};
// 28: what every month has, and what systemd allows.
constexpr Kind kDayFromEnd{"a day from the end of the month", "days", 1, 28, false, true};
constexpr Kind kHour{"an hour", "hours", 0, 23};
constexpr Kind kMinute{"a minute", "minutes", 0, 59};
constexpr Kind kSecond{"a second", "seconds", 0, 59};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c | 32) >= 'a' && (c | 32) <= 'z'; }

// A list whose numbers are not checked yet: in `5-1` the first is a month, in `2026-5-1` a year.
struct Unchecked {
  struct Number { int value = 0; std::size_t at = 0; };
  struct Entry { Number first; Number last{-1, 0}; Number every{0, 0}; bool stepped = false; };
  std::vector<Entry> entries;   // empty: *
};

class Parser {
 public:
  Parser(std::string_view text, std::string_view whole) : text_(text), whole_(whole) {}

  Expression parse() {
    skip_spaces();
    if (at_end()) fail("a weekday, a date, a time or a word such as daily");
    if (const Shorthand* known = shorthand()) {
      Expression e = Parser(known->meaning, known->meaning).parse();
      zone(e, "a time zone or the end");
      return e;
    }
    Expression e;
    e.hours = e.minutes = e.seconds = {{0, -1, 0}};
    if (is_letter(peek())) weekdays(e);
    std::string expected = "a date such as *-*-01 or a time such as 02:30";
    if (word_is_date()) {
      date(e);
      expected = "a time such as 02:30, a time zone or the end";
    }
    if (word_is_time()) {
      time(e);
      expected = "a time zone or the end";
    }
    zone(e, expected);
    return e;
  }

 private:
  [[noreturn]] void fail(const std::string& expected) const { fail(expected, at_); }
  [[noreturn]] void fail(const std::string& expected, std::size_t at) const {
    throw Error(Code::config, "cannot understand calendar expression '" + printable(whole_) + "': column " + std::to_string(at + 1) +
                                  ": expected " + expected + "; for example 'Mon..Fri 02:30', '*:0/30' or '*-*-01 04:00 UTC'")
        .hint("docs/schedules.md has the whole language");
  }
  bool at_end() const { return at_ == text_.size(); }
  char peek() const { return at_end() ? ' ' : text_[at_]; }
  bool take(std::string_view what) {
    if (!text_.substr(at_).starts_with(what)) return false;
    at_ += what.size();
    return true;
  }
  void skip_spaces() { while (!at_end() && peek() == ' ') ++at_; }
  std::string_view word() const { return text_.substr(at_, text_.find(' ', at_) - at_); }
  // What the word here is meant to be, right or wrong: the first of its marks tells.
  bool begins_with_number() const { return is_digit(peek()) || peek() == '*'; }
  bool word_is_date() const { return begins_with_number() && word().find_first_of("-~") < word().find(':'); }
  bool word_is_time() const { return begins_with_number() && word().find(':') != std::string_view::npos; }
  void end_of_word(const std::string& expected) {
    if (!at_end() && peek() != ' ') fail(expected);
    skip_spaces();
  }

  const Shorthand* shorthand() {
    for (const Shorthand& s : kShorthands) {
      if (to_lower_ascii(word()) != s.name) continue;
      at_ += s.name.size();
      skip_spaces();
      return &s;
    }
    return nullptr;
  }

  std::size_t weekday() {
    std::size_t n = 0;
    while (at_ + n < text_.size() && is_letter(text_[at_ + n])) ++n;
    const std::string name = to_lower_ascii(text_.substr(at_, n));
    for (std::size_t i = 0; i < kWeekdays.size(); ++i) {
      const std::string full = to_lower_ascii(kWeekdays[i]);
      if (name != full && name != full.substr(0, 3)) continue;
      at_ += n;
      return i;
    }
    fail("a weekday (Mon, Tue, Wed, Thu, Fri, Sat, Sun)");
  }
  void weekdays(Expression& e) {
    e.weekdays = 0;
    do {
      const std::size_t begin = at_, first = weekday();
      const std::size_t last = take("..") || take("-") ? weekday() : first;
      if (last < first) fail("weekdays in the order of the week, Monday first", begin);
      for (std::size_t i = first; i <= last; ++i) e.weekdays |= 1U << i;
    } while (take(",") && peek() != ' ');
    end_of_word("a comma, '..' or a space after the weekday");
  }

  Unchecked::Number number(const Kind* known) {
    const std::size_t begin = at_;
    int v = 0;
    for (; is_digit(peek()); ++at_) v = std::min(v * 10 + (peek() - '0'), 99'999'999);
    if (at_ == begin) fail(known ? std::string(known->name) + range(*known) : "a number or *");
    return {v, begin};
  }
  Unchecked list(const Kind* known) {
    Unchecked out;
    if (take("*")) return out;
    do {
      Unchecked::Entry entry;
      entry.first = number(known);
      if (take("..")) entry.last = number(known);
      if (take("/")) {
        entry.every = number(nullptr);
        entry.stepped = true;
      }
      out.entries.push_back(entry);
    } while (take(","));
    return out;
  }

  static std::string range(const Kind& k) { return " from " + std::to_string(k.lowest) + " to " + std::to_string(k.highest); }
  int checked(const Unchecked::Number& n, const Kind& k) const {
    int v = n.value;
    if (k.is_year && v < 100) v += v < 70 ? 2'000 : 1'900;
    if (v < k.lowest || v > k.highest) fail(k.name + range(k), n.at);
    return v;
  }
  Expression::Numbers checked(const Unchecked::Entry& entry, const Kind& k) const {
    Expression::Numbers n{checked(entry.first, k), -1, entry.stepped ? entry.every.value : 0};
    const bool has_last = entry.last.value >= 0;
    if (has_last) {
      n.last = checked(entry.last, k);
      if (n.last < n.first) fail("a range that ascends", entry.first.at);
      if (!entry.stepped) n.every = 1;
    }
    if (entry.stepped) {
      const int room = has_last ? k.highest - k.lowest : k.from_end ? n.first - k.lowest : k.highest - n.first;
      if (n.every < 1 || n.every > room)
        fail(room < 1 ? "no step: nothing follows" : "a step from 1 to " + std::to_string(room) + " " + k.plural, entry.every.at);
    }
    if (has_last) n.last = n.first + (n.last - n.first) / n.every * n.every;
    if (n.last == n.first) n = {n.first, -1, 0};
    return n;
  }
  Expression::List checked(const Unchecked& list, const Kind& k) const {
    Expression::List out;
    for (const Unchecked::Entry& entry : list.entries) out.push_back(checked(entry, k));
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
  }

  void date(Expression& e) {
    std::array<Unchecked, 3> parts;
    std::size_t n = 0;
    parts[n++] = list(nullptr);
    while (n < 3 && !e.from_month_end) {
      e.from_month_end = take("~");
      if (!e.from_month_end && !take("-")) break;
      parts[n++] = list(nullptr);
    }
    end_of_word("a date: year-month-day or month-day, from the month's end month~day, then a space");
    if (n < 2) fail("a date: year-month-day or month-day");
    if (n == 3) e.years = checked(parts[0], kYear);
    e.months = checked(parts[n - 2], kMonth);
    e.days = checked(parts[n - 1], e.from_month_end ? kDayFromEnd : kDay);
    if (e.days.empty()) e.from_month_end = false;
  }

  void time(Expression& e) {
    e.hours = checked(list(&kHour), kHour);
    if (!take(":")) fail("':' and the minute after the hour");
    e.minutes = checked(list(&kMinute), kMinute);
    if (take(":")) e.seconds = checked(list(&kSecond), kSecond);
    end_of_word("a time: hour:minute or hour:minute:second, in whole seconds");
  }

  void zone(Expression& e, const std::string& expected) {
    if (at_end()) return;
    if (!is_letter(peek())) fail(expected);
    e.zone = std::string(word());
    if (to_lower_ascii(e.zone) == "utc") e.zone = "UTC";
    at_ += word().size();
    skip_spaces();
    if (!at_end()) fail("the end after the time zone");
  }

  std::string_view text_, whole_;
  std::size_t at_ = 0;
};

std::string padded(int value, int width) {
  std::array<char, 16> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%0*d", width, value);
  return buffer.data();
}

std::string list_text(const Expression::List& list, int width) {
  if (list.empty()) return "*";
  std::string out;
  for (const Expression::Numbers& n : list) {
    if (!out.empty()) out += ',';
    out += padded(n.first, width);
    if (n.last >= 0) out += ".." + padded(n.last, width);
    if (n.every > 1 || (n.every == 1 && n.last < 0)) out += "/" + std::to_string(n.every);
  }
  return out;
}

// Three and more in a row become a range.
std::string weekdays_text(unsigned weekdays) {
  std::string out;
  for (std::size_t first = 0; first < 7; ++first) {
    if (!(weekdays >> first & 1U)) continue;
    std::size_t last = first;
    while (last < 6 && (weekdays >> (last + 1) & 1U)) ++last;
    if (!out.empty()) out += ',';
    out += kWeekdays[first].substr(0, 3);
    if (last < first + 2) continue;
    out += "..";
    out += kWeekdays[last].substr(0, 3);
    first = last;
  }
  return out;
}

}  // namespace

Expression parse_expression(std::string_view text) {
  if (text.size() > kLongestText)
    throw Error(Code::config, "cannot understand a calendar expression of " + std::to_string(text.size()) + " characters: column " +
                                  std::to_string(kLongestText + 1) + ": expected its end; for example 'Mon..Fri 02:30'");
  return Parser(text, text).parse();
}

std::string Expression::normal_form() const {
  std::string out = weekdays == 0x7f ? "" : weekdays_text(weekdays) + " ";
  out += list_text(years, 4) + "-" + list_text(months, 2) + (from_month_end ? "~" : "-") + list_text(days, 2);
  out += " " + list_text(hours, 2) + ":" + list_text(minutes, 2) + ":" + list_text(seconds, 2);
  return zone.empty() ? out : out + " " + zone;
}

}  // namespace holdfast::schedule
