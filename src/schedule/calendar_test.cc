#include "schedule/calendar.h"

#include <gtest/gtest.h>

#include <ctime>

#include "base/error.h"
#include "base/text.h"
#include "platform/testing.h"

namespace holdfast::schedule {
namespace {

const ZoneFiles kMachine{platform::real_file_system()};
const Timestamp kStart{1'795'312'805, 0};   // 2026-11-22T02:00:05Z, a Sunday

Calendar calendar(const std::string& text) { return Calendar::parse(text, kMachine); }

std::string next(const Calendar& c, Timestamp t, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) {
    const auto slot = c.next_after(t);
    if (!slot) break;
    EXPECT_GT(*slot, t);
    t = *slot;
    out += (out.empty() ? "" : " ") + format_utc(t);
  }
  return out;
}
std::string next(const std::string& text, const char* after, int count) { return next(calendar(text), *parse_utc(after), count); }

struct Expected { const char* text; const char* normal; const char* next; };

// The answers are those of systemd-analyze (systemd 252), with " UTC" at the end where the text names no zone.
constexpr Expected kExpected[] = {
    {"Mon..Fri 02:30", "Mon..Fri *-*-* 02:30:00", "2026-11-23T02:30:00Z 2026-11-24T02:30:00Z 2026-11-25T02:30:00Z"},
    {"hourly", "*-*-* *:00:00", "2026-11-22T03:00:00Z 2026-11-22T04:00:00Z 2026-11-22T05:00:00Z"},
    {"*:0/30", "*-*-* *:00/30:00", "2026-11-22T02:30:00Z 2026-11-22T03:00:00Z 2026-11-22T03:30:00Z"},
    {"minutely", "*-*-* *:*:00", "2026-11-22T02:01:00Z 2026-11-22T02:02:00Z 2026-11-22T02:03:00Z"},
    {"daily", "*-*-* 00:00:00", "2026-11-23T00:00:00Z 2026-11-24T00:00:00Z 2026-11-25T00:00:00Z"},
    {"weekly", "Mon *-*-* 00:00:00", "2026-11-23T00:00:00Z 2026-11-30T00:00:00Z 2026-12-07T00:00:00Z"},
    {"monthly", "*-*-01 00:00:00", "2026-12-01T00:00:00Z 2027-01-01T00:00:00Z 2027-02-01T00:00:00Z"},
    {"quarterly", "*-01,04,07,10-01 00:00:00", "2027-01-01T00:00:00Z 2027-04-01T00:00:00Z 2027-07-01T00:00:00Z"},
    {"semiannually", "*-01,07-01 00:00:00", "2027-01-01T00:00:00Z 2027-07-01T00:00:00Z 2028-01-01T00:00:00Z"},
    {"yearly", "*-01-01 00:00:00", "2027-01-01T00:00:00Z 2028-01-01T00:00:00Z 2029-01-01T00:00:00Z"},
    {"annually", "*-01-01 00:00:00", "2027-01-01T00:00:00Z 2028-01-01T00:00:00Z 2029-01-01T00:00:00Z"},
    {"DAILY utc", "*-*-* 00:00:00 UTC", "2026-11-23T00:00:00Z 2026-11-24T00:00:00Z 2026-11-25T00:00:00Z"},
    {"Sat,Thu,Mon..Wed,Sat..Sun", "Mon..Thu,Sat,Sun *-*-* 00:00:00", "2026-11-23T00:00:00Z 2026-11-24T00:00:00Z 2026-11-25T00:00:00Z"},
    {"Mon,Sun 28-*-* 2,1:23", "Mon,Sun 2028-*-* 01,02:23:00", "2028-01-02T01:23:00Z 2028-01-02T02:23:00Z 2028-01-03T01:23:00Z"},
    {"Wed *-1", "Wed *-*-01 00:00:00", "2027-09-01T00:00:00Z 2027-12-01T00:00:00Z 2028-03-01T00:00:00Z"},
    {"Wed..Wed,Wed *-1", "Wed *-*-01 00:00:00", "2027-09-01T00:00:00Z 2027-12-01T00:00:00Z 2028-03-01T00:00:00Z"},
    {"Wed, 17:48", "Wed *-*-* 17:48:00", "2026-11-25T17:48:00Z 2026-12-02T17:48:00Z 2026-12-09T17:48:00Z"},
    {"*-*-7 0:0:0", "*-*-07 00:00:00", "2026-12-07T00:00:00Z 2027-01-07T00:00:00Z 2027-02-07T00:00:00Z"},
    {"10-15", "*-10-15 00:00:00", "2027-10-15T00:00:00Z 2028-10-15T00:00:00Z 2029-10-15T00:00:00Z"},
    {"monday *-12-* 17:00", "Mon *-12-* 17:00:00", "2026-12-07T17:00:00Z 2026-12-14T17:00:00Z 2026-12-21T17:00:00Z"},
    {"Mon,Fri *-*-3,1,2 *:30:45", "Mon,Fri *-*-01,02,03 *:30:45", "2027-01-01T00:30:45Z 2027-01-01T01:30:45Z 2027-01-01T02:30:45Z"},
    {"12,14,13,12:20,10,30", "*-*-* 12,13,14:10,20,30:00", "2026-11-22T12:10:00Z 2026-11-22T12:20:00Z 2026-11-22T12:30:00Z"},
    {"12..14:10,20,30", "*-*-* 12..14:10,20,30:00", "2026-11-22T12:10:00Z 2026-11-22T12:20:00Z 2026-11-22T12:30:00Z"},
    {"mon,fri *-1/2-1,3 *:30:45", "Mon,Fri *-01/2-01,03 *:30:45", "2027-01-01T00:30:45Z 2027-01-01T01:30:45Z 2027-01-01T02:30:45Z"},
    {"03-05 08:05:40", "*-03-05 08:05:40", "2027-03-05T08:05:40Z 2028-03-05T08:05:40Z 2029-03-05T08:05:40Z"},
    {"05:40", "*-*-* 05:40:00", "2026-11-22T05:40:00Z 2026-11-23T05:40:00Z 2026-11-24T05:40:00Z"},
    {"Sat,Sun 12-05 08:05:40", "Sat,Sun *-12-05 08:05:40", "2026-12-05T08:05:40Z 2027-12-05T08:05:40Z 2032-12-05T08:05:40Z"},
    {"2028-02..04-05", "2028-02..04-05 00:00:00", "2028-02-05T00:00:00Z 2028-03-05T00:00:00Z 2028-04-05T00:00:00Z"},
    {"*-02~03", "*-02~03 00:00:00", "2027-02-26T00:00:00Z 2028-02-27T00:00:00Z 2029-02-26T00:00:00Z"},
    {"Mon *-05~07/1", "Mon *-05~07/1 00:00:00", "2027-05-31T00:00:00Z 2028-05-29T00:00:00Z 2029-05-28T00:00:00Z"},
    {"*-*~01 22:00", "*-*~01 22:00:00", "2026-11-30T22:00:00Z 2026-12-31T22:00:00Z 2027-01-31T22:00:00Z"},
    {"*~1..7/2", "*-*~01..07/2 00:00:00", "2026-11-24T00:00:00Z 2026-11-26T00:00:00Z 2026-11-28T00:00:00Z"},
    {"*~6/2", "*-*~06/2 00:00:00", "2026-11-25T00:00:00Z 2026-11-27T00:00:00Z 2026-11-29T00:00:00Z"},
    {"*-02-29", "*-02-29 00:00:00", "2028-02-29T00:00:00Z 2032-02-29T00:00:00Z 2036-02-29T00:00:00Z"},
    {"*-02-29 12:00:30", "*-02-29 12:00:30", "2028-02-29T12:00:30Z 2032-02-29T12:00:30Z 2036-02-29T12:00:30Z"},
    {"*-02-30", "*-02-30 00:00:00", ""},
    {"Mon..Sun", "*-*-* 00:00:00", "2026-11-23T00:00:00Z 2026-11-24T00:00:00Z 2026-11-25T00:00:00Z"},
    {"*:1..5/4", "*-*-* *:01..05/4:00", "2026-11-22T02:01:00Z 2026-11-22T02:05:00Z 2026-11-22T03:01:00Z"},
    {"*:1..5/5", "*-*-* *:01:00", "2026-11-22T02:01:00Z 2026-11-22T03:01:00Z 2026-11-22T04:01:00Z"},
    {"*:2/3", "*-*-* *:02/3:00", "2026-11-22T02:02:00Z 2026-11-22T02:05:00Z 2026-11-22T02:08:00Z"},
    {"*:5/20,5,5..9,5/10", "*-*-* *:05,05/10,05/20,05..09:00", "2026-11-22T02:05:00Z 2026-11-22T02:06:00Z 2026-11-22T02:07:00Z"},
    {"*-*-* *:*:*", "*-*-* *:*:*", "2026-11-22T02:00:06Z 2026-11-22T02:00:07Z 2026-11-22T02:00:08Z"},
    {"*:*:0/20", "*-*-* *:*:00/20", "2026-11-22T02:00:20Z 2026-11-22T02:00:40Z 2026-11-22T02:01:00Z"},
    {"2026/2-1-1", "2026/2-01-01 00:00:00", "2028-01-01T00:00:00Z 2030-01-01T00:00:00Z 2032-01-01T00:00:00Z"},
    {"70-1-1", "1970-01-01 00:00:00", ""},
    {"69-1-1", "2069-01-01 00:00:00", "2069-01-01T00:00:00Z"},
    {"2199-12-31 23:59:59", "2199-12-31 23:59:59", "2199-12-31T23:59:59Z"},
    {"*-1,01,001-1", "*-01-01 00:00:00", "2027-01-01T00:00:00Z 2028-01-01T00:00:00Z 2029-01-01T00:00:00Z"},
    {"Fri *-*-13", "Fri *-*-13 00:00:00", "2027-08-13T00:00:00Z 2028-10-13T00:00:00Z 2029-04-13T00:00:00Z"},
    {"Sun *-*~7/1 04:15", "Sun *-*~07/1 04:15:00", "2026-11-29T04:15:00Z 2026-12-27T04:15:00Z 2027-01-31T04:15:00Z"},
    {"*-4,6,9,11-31", "*-04,06,09,11-31 00:00:00", ""},
    {"Mon-Fri 9..17:0/15", "Mon..Fri *-*-* 09..17:00/15:00", "2026-11-23T09:00:00Z 2026-11-23T09:15:00Z 2026-11-23T09:30:00Z"},
    {"0000005:1", "*-*-* 05:01:00", "2026-11-22T05:01:00Z 2026-11-23T05:01:00Z 2026-11-24T05:01:00Z"},
    {"2026-1~*", "2026-01-* 00:00:00", ""},
    {"23:59:59", "*-*-* 23:59:59", "2026-11-22T23:59:59Z 2026-11-23T23:59:59Z 2026-11-24T23:59:59Z"},
    {"*-*-31", "*-*-31 00:00:00", "2026-12-31T00:00:00Z 2027-01-31T00:00:00Z 2027-03-31T00:00:00Z"},
};

TEST(Calendar, NormalFormAndNextSlotsAreThoseOfSystemd) {
  for (const Expected& e : kExpected) {
    const Expression expression = parse_expression(e.text);
    EXPECT_EQ(expression.normal_form(), e.normal) << e.text;
    EXPECT_EQ(parse_expression(expression.normal_form()).normal_form(), e.normal) << e.text;
    EXPECT_EQ(next(Calendar(expression, Zone()), kStart, 3), e.next) << e.text;
  }
}

TEST(Calendar, ZonesAndNormalForm) {
  EXPECT_EQ(calendar("daily utc").normal_form(), "*-*-* 00:00:00 UTC");
  EXPECT_EQ(calendar("Mon Pacific/Auckland").normal_form(), "Mon *-*-* 00:00:00 Pacific/Auckland");
  EXPECT_EQ(next("weekly Europe/Berlin", "2026-11-22T02:00:05Z", 2), "2026-11-22T23:00:00Z 2026-11-29T23:00:00Z");
  EXPECT_EQ(next("05:45 Asia/Kathmandu", "2026-11-22T00:00:00Z", 1), "2026-11-23T00:00:00Z");
  // A slot is later than the instant asked about, fractions of a second included.
  EXPECT_EQ(format_utc(*calendar("hourly UTC").next_after({kStart.seconds - 6, 999'999'999})), "2026-11-22T02:00:00Z");
  EXPECT_EQ(format_utc(*calendar("hourly UTC").next_after({kStart.seconds - 5, 0})), "2026-11-22T03:00:00Z");

  platform::MemoryFileSystem bare;
  EXPECT_EQ(next(Calendar::parse("02:30", {bare}), kStart, 1), "2026-11-22T02:30:00Z");
  bare.make_directories("/etc");
  bare.replace("/etc/localtime", platform::real_file_system().read_stream("/usr/share/zoneinfo/Europe/Berlin", 1 << 20));
  EXPECT_EQ(next(Calendar::parse("02:30", {bare}), kStart, 1), "2026-11-23T01:30:00Z");
  EXPECT_EQ(Calendar::parse("02:30", {bare}).normal_form(), "*-*-* 02:30:00");
  EXPECT_THROW(Calendar::parse("02:30 Europe/Berlin", {bare}), Error);
}

TEST(Calendar, LocalTimesThatAreMissingComeAfterTheGap) {
  EXPECT_EQ(next("02:30 Europe/Berlin", "2026-03-28T00:00:00Z", 3), "2026-03-28T01:30:00Z 2026-03-29T01:00:00Z 2026-03-30T00:30:00Z");
  // 02:00, 02:30 and 03:00 are one slot.
  EXPECT_EQ(next("*:0/30 Europe/Berlin", "2026-03-29T00:00:00Z", 3), "2026-03-29T00:30:00Z 2026-03-29T01:00:00Z 2026-03-29T01:30:00Z");
  EXPECT_EQ(next("02:15 Australia/Lord_Howe", "2026-10-03T00:00:00Z", 2), "2026-10-03T15:30:00Z 2026-10-04T15:15:00Z");
  EXPECT_EQ(next("Fri 2011-12-30 Pacific/Apia", "2011-12-01T00:00:00Z", 2), "2011-12-30T10:00:00Z");
  // Where midnight is what is missing.
  EXPECT_EQ(next("daily America/Santiago", "2026-09-05T12:00:00Z", 2), "2026-09-06T04:00:00Z 2026-09-07T03:00:00Z");
}

TEST(Calendar, LocalTimesThatAreThereTwiceComeOnce) {
  EXPECT_EQ(next("02:30 Europe/Berlin", "2026-10-24T12:00:00Z", 2), "2026-10-25T00:30:00Z 2026-10-26T01:30:00Z");
  EXPECT_EQ(next("hourly Europe/Berlin", "2026-10-24T23:00:00Z", 3), "2026-10-25T00:00:00Z 2026-10-25T02:00:00Z 2026-10-25T03:00:00Z");
  EXPECT_EQ(next("01:45 Australia/Lord_Howe", "2026-04-04T00:00:00Z", 2), "2026-04-04T14:45:00Z 2026-04-05T15:15:00Z");
  // Asked in the middle of the repeated hour.
  EXPECT_EQ(next("02:30 Europe/Berlin", "2026-10-25T01:00:00Z", 1), "2026-10-26T01:30:00Z");
}

TEST(Calendar, AMistakeSaysWhereAndWhatIsExpected) {
  struct Mistake { const char* text; const char* where; };
  for (const Mistake& m : std::initializer_list<Mistake>{
           {"", "column 1: expected a weekday, a date, a time or a word such as daily; for example 'Mon..Fri 02:30', "},
           {"5", "column 1: expected a date such as *-*-01 or a time such as 02:30; "},
           {"Mond", "column 1: expected a weekday (Mon, Tue, Wed, Thu, Fri, Sat, Sun); "},
           {"Mon..", "column 6: expected a weekday "},
           {"Sat..Mon", "column 1: expected weekdays in the order of the week, Monday first; "},
           {"Mon,,Fri", "column 5: expected a weekday "},
           {"Mon, Fri 12:00", "column 10: expected the end after the time zone; "},
           {"Mon..Fri 25:30", "column 10: expected an hour from 0 to 23; "},
           {"Mon..Fri 02:60", "column 13: expected a minute from 0 to 59; "},
           {"02:30:60", "column 7: expected a second from 0 to 59; "},
           {"02:30:00.5", "column 9: expected a time: hour:minute or hour:minute:second, in whole seconds; "},
           {"*:*/5", "column 4: expected a time: "},
           {"*:", "column 3: expected a minute from 0 to 59; "},
           {":5", "column 1: expected a date such as "},
           {"1,*:30", "column 3: expected an hour from 0 to 23; "},
           {"*:5..1", "column 3: expected a range that ascends; "},
           {"*:0/0", "column 5: expected a step from 1 to 59 minutes; "},
           {"*:30/45", "column 6: expected a step from 1 to 29 minutes; "},
           {"*:59/1", "column 6: expected no step: nothing follows; "},
           {"*-13-01", "column 3: expected a month from 1 to 12; "},
           {"*-*-0", "column 5: expected a day from 1 to 31; "},
           {"*-*~29", "column 5: expected a day from the end of the month from 1 to 28; "},
           {"100-1-1", "column 1: expected a year from 1970 to 2199; "},
           {"2200-1-1", "column 1: expected a year from 1970 to 2199; "},
           {"1-2-3-4", "column 6: expected a date: year-month-day or month-day, from the month's end month~day, then a space; "},
           {"99999999999999999999999:00", "column 1: expected an hour from 0 to 23; "},
           {"02:30 2026-01-01", "column 7: expected a time zone or the end; "},
           {"daily 02:30", "column 7: expected a time zone or the end; "},
           {"2026-01-01T02:30", "column 11: expected a date: "},
           {"2026-01-01 5", "column 12: expected a time such as 02:30, a time zone or the end; "},
           {"Mon 5", "column 5: expected a date such as *-*-01 or a time such as 02:30; "},
           {"@1795312805", "column 1: expected a date "},
           {"daily\nUTC", "column 1: expected a weekday "},
           {"*-*-* 02:30 Europe/Berlin x", "column 27: expected the end after the time zone; "},
       }) {
    try {
      parse_expression(m.text);
      ADD_FAILURE() << m.text << " is accepted";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::config);
      EXPECT_NE(e.message().find(m.where), std::string::npos) << m.text << " -> " << e.message();
      EXPECT_NE(e.message().find("'" + printable(m.text) + "'"), std::string::npos) << e.message();
      EXPECT_NE(e.message().find("for example "), std::string::npos) << e.message();
    }
  }
}

TEST(Calendar, HostileExpressionsEndQuickly) {
  const std::clock_t begin = std::clock();
  std::string list = "0";
  for (int i = 1; i < 900; ++i) list += "," + std::to_string(i % 10);
  EXPECT_EQ(parse_expression("*:" + list).normal_form(), "*-*-* *:00,01,02,03,04,05,06,07,08,09:00");
  for (const std::string& text : {std::string(10'000'000, '1'), "*:" + list + list, std::string(1'999, '*'), std::string(1'999, ','),
                                  std::string(1'999, '9') + ":00", std::string(1'999, '-'), "Mon" + std::string(1'900, ' ') + ":"})
    EXPECT_THROW(parse_expression(text), Error);
  for (const char* text : {"*-02-30 *:*:*", "*-4,6,9,11-31", "Mon 2026-11-22", "1970-1-1", "*-02~28 UTC"}) {
    const Calendar c(parse_expression(text), kMachine.named("Europe/Berlin"));
    for (std::int64_t t : {INT64_MIN, INT64_C(-1), INT64_C(0), kStart.seconds, INT64_C(7'258'118'399), INT64_MAX}) c.next_after({t, 999'999'999});
  }
  EXPECT_LT(std::clock() - begin, 2 * CLOCKS_PER_SEC);
}

TEST(Calendar, TheEndsOfTime) {
  EXPECT_EQ(format_utc(*calendar("daily UTC").next_after({INT64_MIN, 0})), "1970-01-01T00:00:00Z");
  EXPECT_EQ(format_utc(*calendar("daily Asia/Tokyo").next_after({INT64_MIN, 0})), "1969-12-31T15:00:00Z");
  EXPECT_EQ(next("daily UTC", "2199-12-30T12:00:00Z", 3), "2199-12-31T00:00:00Z");
  EXPECT_EQ(next("daily America/New_York", "2199-12-30T12:00:00Z", 3), "2199-12-31T05:00:00Z");
  EXPECT_EQ(calendar("daily UTC").next_after({INT64_MAX, 0}), std::nullopt);
  EXPECT_EQ(next("*-02-29 UTC", "2096-03-01T00:00:00Z", 1), "2104-02-29T00:00:00Z");   // 2100 has none
}

TEST(Calendar, ASearchTakesMicroseconds) {
  for (const char* text : {"Mon..Fri 02:30", "*:0/30", "*-02-29", "*-02-30", "*-4,6,9,11-31 *:*:*", "2199-12-31"}) {
    const Calendar c(parse_expression(text), kMachine.named("Europe/Berlin"));
    constexpr int kTimes = 2'000;
    const std::clock_t begin = std::clock();   // of the processor: others may be busy
    for (int i = 0; i < kTimes; ++i) c.next_after({kStart.seconds + i * 100'000, 0});
    const double each = static_cast<double>(std::clock() - begin) * 1e6 / CLOCKS_PER_SEC / kTimes;
    std::printf("%-20s %.1f us\n", text, each);
    EXPECT_LT(each, 3'000) << text;
  }
}

}  // namespace
}  // namespace holdfast::schedule
