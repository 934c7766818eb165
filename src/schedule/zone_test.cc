#include "schedule/zone.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <random>

#include "base/error.h"
#include "platform/testing.h"
#include "schedule/wall_clock_testing.h"

namespace holdfast::schedule {
namespace {

const ZoneFiles kMachine{platform::real_file_system()};
constexpr std::int64_t kYear2200 = 7'258'118'400;

Bytes file_of(const std::string& name) {
  return platform::real_file_system().read_stream(kMachine.folder / name, 1 << 20);
}

std::vector<std::string> all_names() {
  std::vector<std::string> names{"UTC", "Etc/GMT+12", "Etc/GMT-14", "Europe/Kyiv"};
  std::ifstream table(kMachine.folder / "zone1970.tab");
  for (std::string line; std::getline(table, line);) {
    if (line.empty() || line[0] == '#') continue;
    const auto begin = line.find('\t', line.find('\t') + 1) + 1;
    names.push_back(line.substr(begin, line.find('\t', begin) - begin));
  }
  return names;
}

TEST(Zone, EveryZoneOfTheSystemShowsWhatTheCLibraryShows) {
  constexpr std::uint64_t kSeed = 20261123;
  std::printf("seed %llu\n", static_cast<unsigned long long>(kSeed));
  std::mt19937_64 random(kSeed);
  const auto names = all_names();
  ASSERT_GT(names.size(), 250U) << "the tests need the package tzdata";
  for (const std::string& name : names) {
    const Zone zone = kMachine.named(name);
    const WallClock wall(name);
    for (int i = 0; i < 200; ++i) {
      // Half of them until 2040, where the tables are; beyond, the last line of the file decides.
      const std::int64_t until = i % 2 ? kYear2200 : 2'208'988'800;
      const auto t = std::uniform_int_distribution<std::int64_t>(0, until)(random);
      const auto stretch = zone.at(t);
      ASSERT_EQ(t + stretch.offset, wall.local(t)) << name << " at " << t;
      ASSERT_LE(stretch.begin, t);
      ASSERT_GT(stretch.end, t);
      for (std::int64_t near : {stretch.begin, stretch.end - 1})
        if (near > 0 && near < kYear2200) { ASSERT_EQ(near + stretch.offset, wall.local(near)) << name << " at " << near; }
    }
  }
}

TEST(Zone, LocalTimesThatAreMissingOrThereTwice) {
  const Zone berlin = kMachine.named("Europe/Berlin");
  auto local = [](const char* text) { return parse_utc(text)->seconds; };
  auto utc = [](std::int64_t t) { return format_utc({t, 0}); };
  EXPECT_EQ(utc(berlin.first_instant(local("2026-03-29T01:59:59Z"))), "2026-03-29T00:59:59Z");
  EXPECT_EQ(utc(berlin.first_instant(local("2026-03-29T02:00:00Z"))), "2026-03-29T01:00:00Z");
  EXPECT_EQ(utc(berlin.first_instant(local("2026-03-29T02:59:59Z"))), "2026-03-29T01:00:00Z");
  EXPECT_EQ(utc(berlin.first_instant(local("2026-03-29T03:00:01Z"))), "2026-03-29T01:00:01Z");
  EXPECT_EQ(utc(berlin.first_instant(local("2026-10-25T02:30:00Z"))), "2026-10-25T00:30:00Z");
  EXPECT_EQ(utc(berlin.first_instant(local("2026-10-25T03:00:00Z"))), "2026-10-25T02:00:00Z");
  // In the second pass of the hour the latest that was shown is the end of the first one.
  EXPECT_EQ(utc(berlin.latest_local(local("2026-10-25T01:10:00Z"))), "2026-10-25T02:59:59Z");
  EXPECT_EQ(utc(berlin.latest_local(local("2026-10-25T02:10:00Z"))), "2026-10-25T03:10:00Z");
  // Samoa went over the date line: its 30 December 2011 never was.
  EXPECT_EQ(utc(kMachine.named("Pacific/Apia").first_instant(local("2011-12-30T12:00:00Z"))), "2011-12-30T10:00:00Z");
  EXPECT_EQ(berlin.text({local("2026-10-25T00:30:00Z"), 5}), "Sun 2026-10-25 02:30:00 +02:00");
  EXPECT_EQ(kMachine.named("America/St_Johns").text({0, 0}), "Wed 1969-12-31 20:30:00 -03:30");
}

// A file with no table: only a last line.
Bytes file_with_rule(const std::string& rule, std::uint8_t version = '3', std::uint8_t leap_seconds = 0) {
  Bytes out;
  for (int half = 0; half < 2; ++half) {
    for (char c : std::string("TZif")) out.push_back(static_cast<std::uint8_t>(c));
    out.push_back(version);
    out.insert(out.end(), 15 + 8, 0);                        // reserved; no ut, standard
    out.insert(out.end(), {0, 0, 0, leap_seconds, 0, 0, 0, 0});   // no time
    for (const std::uint8_t n : std::initializer_list<std::uint8_t>{1, 4}) out.insert(out.end(), {0, 0, 0, n});   // one type, four characters
    out.insert(out.end(), 6, 0);
    for (char c : std::string("LMT")) out.push_back(static_cast<std::uint8_t>(c));
    out.insert(out.end(), 1 + leap_seconds * (half == 0 ? 8U : 12U), 0);
  }
  for (char c : "\n" + rule + "\n") out.push_back(static_cast<std::uint8_t>(c));
  return out;
}

TEST(Zone, TheLastLineInEveryForm) {
  constexpr std::uint64_t kSeed = 7;
  std::printf("seed %llu\n", static_cast<unsigned long long>(kSeed));
  std::mt19937_64 random(kSeed);
  for (const char* rule : {"CET-1CEST,M3.5.0,M10.5.0/3", "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "IST-1GMT0,M10.5.0,M3.5.0/1", "EST5",
                           "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "AAA3BBB,J60/0,J300", "AAA-2:30:15BBB,59/1,300/25:10:05", "ABC+5DEF,J59,M11.1.2"}) {
    const Zone zone = Zone::parse(file_with_rule(rule), "a rule");
    const WallClock wall(rule);
    for (int i = 0; i < 2'000; ++i) {
      const auto t = std::uniform_int_distribution<std::int64_t>(0, kYear2200)(random);
      ASSERT_EQ(t + zone.at(t).offset, wall.local(t)) << rule << " at " << t;
    }
  }
  // Daylight saving time all year, as RFC 8536 writes it: the turn back is at the instant of the next turn there.
  const Zone always = Zone::parse(file_with_rule("XXX3EDT4,0/0,J365/23"), "a rule");
  for (std::int64_t t = 0; t < 400 * 86'400; t += 1'800) ASSERT_EQ(always.at(t).offset, -4 * 3'600) << t;
}

TEST(Zone, RefusesWhatItDoesNotUnderstand) {
  auto code = [](const Bytes& file) {
    try {
      Zone::parse(file, "a file");
    } catch (const Error& e) {
      return e.code();
    }
    return Code::defect;
  };
  EXPECT_EQ(code({}), Code::damaged);
  EXPECT_EQ(code(file_with_rule("EST5", 0)), Code::unsupported);
  EXPECT_EQ(code(file_with_rule("EST5", '2', 1)), Code::unsupported);
  for (const char* rule : {"X5", "EST", "EST25", "EST5EDT", "EST5EDT,M3.5.0", "EST5EDT,M13.5.0,M1.1.1", "EST5EDT,M3.6.0,M1.1.1", "EST5EDT,M3.5.7,M1.1.1",
                           "EST5EDT,J0,J1", "EST5EDT,366,1", "EST5EDT,1/168,1", "EST5EDT,1,1,1", "<EST5", "EST5\n", "EST5EDT,M3.5.0,M1.1.1/2:60"})
    EXPECT_EQ(code(file_with_rule(rule)), Code::damaged) << rule;
  const Bytes whole = file_of("Europe/Berlin");
  for (std::size_t n = 0; n < whole.size(); ++n) ASSERT_EQ(code(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n))), Code::damaged) << n;
}

TEST(Zone, BytesThatLieEndInAnErrorOrAZone) {
  constexpr std::uint64_t kSeed = 99;
  std::printf("seed %llu\n", static_cast<unsigned long long>(kSeed));
  std::mt19937_64 random(kSeed);
  const Bytes whole = file_of("America/New_York");
  int read = 0, refused = 0;
  for (int i = 0; i < 5'000; ++i) {
    Bytes file = whole;
    for (int n = 0; n < 1 + i % 3; ++n) file[random() % file.size()] = static_cast<std::uint8_t>(random());
    try {
      const Zone zone = Zone::parse(file, "a file");
      ++read;
      for (int n = 0; n < 5; ++n) {
        const auto t = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(kYear2200));
        const std::int64_t instant = zone.first_instant(t);
        ASSERT_LT(zone.latest_local(instant - 1), t);
        ASSERT_GE(zone.latest_local(instant), t);
      }
    } catch (const Error&) {
      ++refused;
    }
  }
  std::printf("read %d, refused %d\n", read, refused);
  EXPECT_GT(read, 100);
  EXPECT_GT(refused, 100);
}

TEST(ZoneFiles, NamesAndAMachineWithoutZones) {
  auto error = [](const ZoneFiles& zones, const std::string& name) {
    try {
      zones.named(name);
    } catch (const Error& e) {
      return std::string(info(e.code()).name) + ": " + e.message();
    }
    return std::string();
  };
  EXPECT_EQ(error(kMachine, "utc"), "");
  platform::TemporaryFolder folder;
  std::filesystem::create_symlink(kMachine.folder / "Asia/Tokyo", folder.path() / "Link");
  EXPECT_EQ((ZoneFiles{platform::real_file_system(), folder.path(), folder.path() / "Link"}.named("Link").text({0, 0})),
            "Thu 1970-01-01 09:00:00 +09:00");
  EXPECT_EQ((ZoneFiles{platform::real_file_system(), folder.path(), folder.path() / "Link"}.machine().text({0, 0})),
            "Thu 1970-01-01 09:00:00 +09:00");
  std::filesystem::create_directory(folder.path() / "localtime");
  EXPECT_THROW((ZoneFiles{platform::real_file_system(), folder.path(), folder.path() / "localtime"}.machine()), Error);
  for (const char* name : {"Europe/Nowhere", "Europe", "", "../zoneinfo/UTC", "/etc/localtime", "tzdata.zi", "A\x1b[31m", "Europe/Berlin/"})
    EXPECT_EQ(error(kMachine, name).substr(0, 14), "unknown_name: ") << name;
  EXPECT_NE(error(kMachine, "A\x1b[31m").find("\\x1b"), std::string::npos);

  platform::MemoryFileSystem bare;
  const ZoneFiles none{bare};
  EXPECT_EQ(error(none, "UTC"), "");
  EXPECT_EQ(error(none, "Europe/Berlin"),
            "unknown_name: cannot use time zone 'Europe/Berlin': this machine has no time zone data (/usr/share/zoneinfo)");
  EXPECT_EQ(none.machine().text({0, 0}), "Thu 1970-01-01 00:00:00 +00:00");

  bare.make_directories("/etc");
  bare.replace("/etc/localtime", file_of("Asia/Kathmandu"));
  EXPECT_EQ(none.machine().text({0, 0}), "Thu 1970-01-01 05:30:00 +05:30");
  EXPECT_EQ(none.machine().text({1'795'312'800, 0}), "Sun 2026-11-22 07:45:00 +05:45");
}

}  // namespace
}  // namespace holdfast::schedule
