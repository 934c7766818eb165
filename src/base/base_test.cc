#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "base/bytes.h"
#include "base/cancel.h"
#include "base/checksum.h"
#include "base/error.h"
#include "base/parallel.h"
#include "base/testing.h"
#include "base/text.h"
#include "base/time.h"
#include "base/wire.h"

namespace holdfast {
namespace {

using namespace std::string_literals;

// --- bytes

TEST(Hex, KnownValues) {
  EXPECT_EQ(to_hex({}), "");
  EXPECT_EQ(to_hex(as_bytes("\x00\x01\xab\xff"s)), "0001abff");
  Bytes out(4);
  EXPECT_TRUE(from_hex("0001abff", out));
  EXPECT_EQ(out, to_bytes("\x00\x01\xab\xff"s));
  EXPECT_TRUE(from_hex("0001ABFF", out));
  EXPECT_EQ(out, to_bytes("\x00\x01\xab\xff"s));
  EXPECT_TRUE(from_hex("", MutableBytes{}));
}

TEST(Hex, RefusesAnythingElse) {
  Bytes out(2);
  for (const char* text : {"", "abc", "abcde", "abcdef", "abcg", "0x12", " 123", "ab-1", "\xff\xff\xff\xff"})
    EXPECT_FALSE(from_hex(text, out)) << text;
}

struct TestTag;
using TestId = FixedId<16, TestTag>;

TEST(FixedId, ComparesAndPrints) {
  TestId zero, one;
  one.bytes[15] = 1;
  EXPECT_TRUE(zero.is_zero());
  EXPECT_FALSE(one.is_zero());
  EXPECT_LT(zero, one);
  EXPECT_EQ(one.hex(), "00000000000000000000000000000001");
  EXPECT_EQ(TestId::from(one.view()), one);
}

// --- wire

TEST(Wire, KnownBytes) {
  Writer w;
  w.u8(1)
      .u16(0x0203)
      .u32(0x04050607)
      .u64(0x08090a0b0c0d0e0f)
      .i64(-2)
      .varint(300)
      .text("hi")
      .field_u64(5, 128);
  EXPECT_EQ(to_hex(w.bytes()),
            "01"
            "0302"
            "07060504"
            "0f0e0d0c0b0a0908"
            "feffffffffffffff"
            "ac02"
            "026869"
            "05028001");
}

TEST(Wire, RandomValuesRoundTrip) {
  constexpr std::uint64_t kSeed = 1;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  std::mt19937_64 random(kSeed);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::pair<int, std::uint64_t>> values;
    Writer w;
    for (std::uint64_t n = random() % 20; n > 0; --n) {
      int kind = static_cast<int>(random() % 7);
      std::uint64_t v = random() >> (random() % 64);  // every length of number
      values.emplace_back(kind, v);
      switch (kind) {
        case 0:
          w.u8(static_cast<std::uint8_t>(v));
          break;
        case 1:
          w.u16(static_cast<std::uint16_t>(v));
          break;
        case 2:
          w.u32(static_cast<std::uint32_t>(v));
          break;
        case 3:
          w.u64(v);
          break;
        case 4:
          w.i64(static_cast<std::int64_t>(v));
          break;
        case 5:
          w.varint(v);
          break;
        default:
          w.text(std::to_string(v));
      }
    }
    Reader r(w.bytes(), "test");
    for (auto [kind, v] : values) {
      switch (kind) {
        case 0:
          ASSERT_EQ(r.u8(), static_cast<std::uint8_t>(v));
          break;
        case 1:
          ASSERT_EQ(r.u16(), static_cast<std::uint16_t>(v));
          break;
        case 2:
          ASSERT_EQ(r.u32(), static_cast<std::uint32_t>(v));
          break;
        case 3:
          ASSERT_EQ(r.u64(), v);
          break;
        case 4:
          ASSERT_EQ(r.i64(), static_cast<std::int64_t>(v));
          break;
        case 5:
          ASSERT_EQ(r.varint(), v);
          break;
        default:
          ASSERT_EQ(r.text(), std::to_string(v));
      }
    }
    ASSERT_TRUE(r.at_end());
    r.expect_end();
  }
}

TEST(Wire, VarintAtItsLimits) {
  for (std::uint64_t v : {UINT64_C(0), UINT64_C(127), UINT64_C(128), UINT64_C(16383), UINT64_C(16384),
                          UINT64_MAX - 1, UINT64_MAX}) {
    Writer w;
    w.varint(v);
    EXPECT_LE(w.size(), 10U);
    Reader r(w.bytes(), "test");
    EXPECT_EQ(r.varint(), v);
    EXPECT_TRUE(r.at_end());
  }
}

TEST(Wire, HostileNumbersAreDamaged) {
  for (std::string bytes :
       {""s, "\x80"s, "\x80\x00"s, "\xff\x00"s, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"s,
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"s}) {
    EXPECT_EQ(code_of([&] { Reader(as_bytes(bytes), "test").varint(); }), Code::damaged)
        << to_hex(as_bytes(bytes));
  }
}

TEST(Wire, LengthsBeyondTheInputAreDamaged) {
  // 5 bytes announced and 4 there; 2^64 - 1 announced: nothing may be allocated or wrap around.
  for (std::string bytes : {"\x05"
                            "1234"s,
                            "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
                            "1234"s}) {
    EXPECT_EQ(code_of([&] { Reader(as_bytes(bytes), "test").blob(); }), Code::damaged);
    EXPECT_EQ(code_of([&] { Reader(as_bytes(bytes), "test").text(); }), Code::damaged);
    EXPECT_EQ(code_of([&] { Reader(as_bytes("\x01" + bytes), "test").field(); }), Code::damaged);
  }
  Bytes three(3);
  EXPECT_EQ(code_of([&] { Reader(three, "test").u32(); }), Code::damaged);
  EXPECT_EQ(code_of([&] { Reader(three, "test").u64(); }), Code::damaged);
  EXPECT_EQ(code_of([&] { Reader(three, "test").raw(4); }), Code::damaged);
  EXPECT_EQ(code_of([&] { Reader(three, "test").raw(SIZE_MAX); }), Code::damaged);
  EXPECT_EQ(code_of([&] { Reader(three, "test").id<TestId>(); }), Code::damaged);
}

TEST(Wire, CountsAreCheckedBeforeMemoryIsTaken) {
  Bytes hundred(100);
  Reader r(hundred, "list of test");
  EXPECT_NO_THROW(r.expect_count(0, 10));
  EXPECT_NO_THROW(r.expect_count(10, 10));
  EXPECT_EQ(code_of([&] { r.expect_count(11, 10); }), Code::damaged);
  EXPECT_EQ(code_of([&] { r.expect_count(UINT64_MAX, 1); }), Code::damaged);
  EXPECT_EQ(code_of([&] { r.expect_count(UINT64_MAX / 5, 10); }), Code::damaged)
      << "the product must not wrap";
}

TEST(Wire, FieldsKeepTheirOrderAndMayRepeat) {
  Writer w;
  w.field_text(1, "a").field_u64(7, UINT64_MAX).field_text(1, "").field(4'000'000'000U, as_bytes("x"));
  Reader r(w.bytes(), "test");
  EXPECT_EQ(to_text(r.field()->value), "a");
  auto number = r.field();
  EXPECT_EQ(number->tag, 7U);
  EXPECT_EQ(field_u64(*number, "test"), UINT64_MAX);
  EXPECT_TRUE(r.field()->value.empty());
  EXPECT_EQ(r.field()->tag, 4'000'000'000U);
  EXPECT_FALSE(r.field());
  EXPECT_FALSE(r.field());
}

TEST(Wire, HostileFieldsAreDamaged) {
  Writer large_tag;
  large_tag.varint(UINT64_C(1) << 32).blob({});
  EXPECT_EQ(code_of([&] { Reader(large_tag.bytes(), "test").field(); }), Code::damaged);
  Bytes two_numbers{1, 2};
  EXPECT_EQ(code_of([&] { field_u64({1, two_numbers}, "test"); }), Code::damaged) << "bytes after the number";
  EXPECT_EQ(code_of([&] { field_u64({1, {}}, "test"); }), Code::damaged);
}

TEST(Wire, WhatIsLeftOverIsDamagedAndNamed) {
  Bytes one(1);
  try {
    Reader(one, "tree of item cmdb").expect_end();
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::damaged);
    EXPECT_NE(e.message().find("tree of item cmdb"), std::string::npos);
  }
}

TEST(Wire, AnyBytesAreReadOrDamaged) {
  constexpr std::uint64_t kSeed = 2;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  std::mt19937_64 random(kSeed);
  for (int round = 0; round < 3000; ++round) {
    Bytes bytes(random() % 40);
    for (std::uint8_t& b : bytes) b = static_cast<std::uint8_t>(random() % 3 == 0 ? random() : random() % 6);
    Reader r(bytes, "test");
    std::size_t total = 0;
    try {
      while (auto f = r.field()) total += f->value.size();
      EXPECT_LT(total, bytes.size() + 1);
    } catch (const Error& e) {
      ASSERT_EQ(e.code(), Code::damaged);
    }
  }
}

// --- time

TEST(Time, KnownValues) {
  const std::map<std::int64_t, std::string> known{
      {0, "1970-01-01T00:00:00Z"},
      {-1, "1969-12-31T23:59:59Z"},
      {951782399, "2000-02-28T23:59:59Z"},
      {951782400, "2000-02-29T00:00:00Z"},   // 2000 is a leap year
      {4107542400, "2100-03-01T00:00:00Z"},  // 2100 is none: the day after 28 February
      {1709164800, "2024-02-29T00:00:00Z"},
      {1795312805, "2026-11-22T02:00:05Z"},
      {2147483648, "2038-01-19T03:14:08Z"},
      {-2208988800, "1900-01-01T00:00:00Z"},
      {253402300799, "9999-12-31T23:59:59Z"},
      {-62167219200, "0000-01-01T00:00:00Z"},
  };
  for (const auto& [seconds, text] : known) {
    EXPECT_EQ(format_utc({seconds, 999'999'999}), text);
    EXPECT_EQ(parse_utc(text), (Timestamp{seconds, 0})) << text;
  }
  EXPECT_EQ(format_utc_compact({1795312805, 0}), "2026-11-22T0200Z");
}

TEST(Time, Fractions) {
  EXPECT_EQ(parse_utc("1970-01-01T00:00:00.5Z"), (Timestamp{0, 500'000'000}));
  EXPECT_EQ(parse_utc("1970-01-01T00:00:00.000000001Z"), (Timestamp{0, 1}));
  EXPECT_EQ(parse_utc("1969-12-31T23:59:59.123456789Z"), (Timestamp{-1, 123'456'789}));
}

TEST(Time, OtherTextsAreNotTimes) {
  for (const char* text : {"",
                           "Z",
                           "2026-11-22",
                           "2026-11-22T02:00:05",
                           "2026-11-22T02:00:05z",
                           "2026-11-22 02:00:05Z",
                           "2026-11-22T02:00:05+01:00",
                           "2026-13-01T00:00:00Z",
                           "2026-00-01T00:00:00Z",
                           "2026-02-29T00:00:00Z",
                           "2100-02-29T00:00:00Z",
                           "2026-04-31T00:00:00Z",
                           "2026-11-22T24:00:00Z",
                           "2026-11-22T02:60:05Z",
                           "2026-11-22T02:00:60Z",
                           "2026-11-22T02:00:05.Z",
                           "2026-11-22T02:00:05.1234567891Z",
                           "2026-11-22T02:00:05.12a4Z",
                           "-026-11-22T02:00:05Z",
                           "2026-11-2xT02:00:05Z"})
    EXPECT_FALSE(parse_utc(text)) << text;
}

TEST(Time, RandomTimesRoundTrip) {
  constexpr std::uint64_t kSeed = 3;
  std::mt19937_64 random(kSeed);
  std::uniform_int_distribution<std::int64_t> seconds(-62167219200, 253402300799);  // years 0 to 9999
  for (int i = 0; i < 2000; ++i) {
    Timestamp t{seconds(random), 0};
    ASSERT_EQ(parse_utc(format_utc(t)), t) << "seed " << kSeed << ": " << t.seconds;
  }
}

TEST(Time, OrderIsThatOfTime) {
  EXPECT_LT((Timestamp{-1, 999'999'999}), (Timestamp{0, 0}));
  EXPECT_LT((Timestamp{5, 1}), (Timestamp{5, 2}));
}

// --- text

TEST(Text, NearestName) {
  std::vector<std::string> verbs{"backup", "restore", "recover", "points", "status", "sample", "cmdb"};
  EXPECT_EQ(nearest_name("bakcup", verbs), "backup");
  EXPECT_EQ(nearest_name("statu", verbs), "status");
  EXPECT_EQ(nearest_name("restor", verbs), "restore");
  EXPECT_EQ(nearest_name("cmbd", verbs), "cmdb");
  EXPECT_EQ(nearest_name("database", verbs), "") << "too far to be meant";
  EXPECT_EQ(nearest_name("x", {}), "");
}

TEST(Text, SizesForPeople) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(812), "812 B");
  EXPECT_EQ(human_bytes(999), "999 B");
  EXPECT_EQ(human_bytes(1000), "1.0 kB");
  EXPECT_EQ(human_bytes(1'400'000'000), "1.4 GB");
  EXPECT_EQ(human_bytes(999'999), "1.0 MB");
  EXPECT_EQ(human_bytes(12'345'678), "12 MB");
  EXPECT_EQ(human_bytes(UINT64_MAX), "18 EB");
}

TEST(Text, DurationsForPeople) {
  EXPECT_EQ(human_seconds(0.4), "0.4 s");
  EXPECT_EQ(human_seconds(12), "12 s");
  EXPECT_EQ(human_seconds(200), "3 min 20 s");
  EXPECT_EQ(human_seconds(7500), "2 h 05 min");
  EXPECT_EQ(human_seconds(59.7), "1 min 00 s");
}

TEST(Text, CountsForPeople) {
  EXPECT_EQ(human_count(0), "0");
  EXPECT_EQ(human_count(999), "999");
  EXPECT_EQ(human_count(1000), "1,000");
  EXPECT_EQ(human_count(1'234'567), "1,234,567");
  EXPECT_EQ(human_count(UINT64_MAX), "18,446,744,073,709,551,615");
}

TEST(Text, HostileNamesAreMadeHarmless) {
  EXPECT_EQ(printable("plain Ä € 😀"), "plain Ä € 😀");
  EXPECT_EQ(printable("\x1b[2J"), "\\x1b[2J");
  EXPECT_EQ(printable("a\nb\rc\td\x7f"), "a\\x0ab\\x0dc\\x09d\\x7f");
  EXPECT_EQ(printable("\0"s), "\\x00");
  EXPECT_EQ(printable("\xc2\x9b"), "\\xc2\\x9b") << "a control sequence to some terminals";
  EXPECT_EQ(printable("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf") << "overlong";
}

TEST(Text, IsCutWhereACharacterBegins) {
  EXPECT_EQ(shortened("", 0), "");
  EXPECT_EQ(shortened("abc", 3), "abc");
  EXPECT_EQ(shortened("abcd", 3), "abc…");
  EXPECT_EQ(shortened("äöü", 4), "äö…");
  EXPECT_EQ(shortened("äöü", 3), "ä…");
  EXPECT_EQ(shortened("😀", 3), "…");
  const std::string text = "a ä € 😀 and more";
  for (std::size_t most = 0; most <= text.size(); ++most) {
    const std::string cut = shortened(text, most);
    EXPECT_TRUE(is_utf8(cut)) << most;
    EXPECT_LE(cut.size(), most + 3) << most;
    EXPECT_EQ(shortened(cut, most), cut) << most;
  }
}

TEST(Text, Utf8IsStrict) {
  for (std::string good : {""s, "a"s, "\x7f"s, "\xc2\x80"s, "\xdf\xbf"s, "\xe0\xa0\x80"s, "\xed\x9f\xbf"s,
                           "\xee\x80\x80"s, "\xf0\x90\x80\x80"s, "\xf4\x8f\xbf\xbf"s})
    EXPECT_TRUE(is_utf8(good)) << to_hex(as_bytes(good));
  for (std::string bad : {"\x80"s, "\xc1\xbf"s, "\xc2"s, "\xe0\x9f\xbf"s, "\xed\xa0\x80"s, "\xe2\x82"s,
                          "\xf0\x8f\xbf\xbf"s, "\xf4\x90\x80\x80"s, "\xf5\x80\x80\x80"s, "a\xff"s})
    EXPECT_FALSE(is_utf8(bad)) << to_hex(as_bytes(bad));
}

TEST(Text, AnyBytesBecomePrintable) {
  constexpr std::uint64_t kSeed = 4;
  std::mt19937_64 random(kSeed);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes(random() % 12, '\0');
    for (char& c : bytes) c = static_cast<char>(random() % 2 == 0 ? random() : random() % 64 + 0xC0);
    std::string shown = printable(bytes);
    ASSERT_TRUE(is_utf8(shown)) << "seed " << kSeed << ": " << to_hex(as_bytes(bytes));
    for (char c : shown) ASSERT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  }
}

TEST(Text, SplitTrimJoin) {
  EXPECT_EQ(split("a,b,,c", ','), (std::vector<std::string>{"a", "b", "", "c"}));
  EXPECT_EQ(split("", ','), std::vector<std::string>{""});
  EXPECT_EQ(split(",", ','), (std::vector<std::string>{"", ""}));
  EXPECT_EQ(trim(" \t a b \r\n"), "a b");
  EXPECT_EQ(trim(" \n "), "");
  EXPECT_EQ(join(std::vector<std::string>{"a", "b", "c"}, ", "), "a, b, c");
  EXPECT_EQ(join({}, ", "), "");
  EXPECT_EQ(to_lower_ascii("AbZ-9Ä"), "abz-9Ä");
}

// --- errors

TEST(ErrorTable, EveryCodeHasAUniqueNameAndWords) {
  std::set<std::string_view> names;
  for (const CodeInfo& c : all_codes()) {
    EXPECT_TRUE(names.insert(c.name).second) << c.name;
    EXPECT_EQ(&info(c.code), &c);
    EXPECT_EQ(find_code(c.name), &c);
    EXPECT_FALSE(c.meaning.empty() || c.advice.empty()) << c.name;
    EXPECT_GE(c.http_status, 400) << c.name;
    EXPECT_LT(c.http_status, 600) << c.name;
  }
  EXPECT_EQ(find_code("no_such_code"), nullptr);
  EXPECT_EQ(find_code(""), nullptr);
}

TEST(ErrorTable, ExitCodesAreThoseOfTheContract) {
  const std::map<std::string_view, int> contract{
      {"failed", 1},       {"usage", 2},           {"config", 2},     {"unknown_name", 2},
      {"not_found", 10},   {"already_exists", 11}, {"wrong_key", 12}, {"permission", 13},
      {"busy", 14},        {"unavailable", 15},    {"no_space", 17},  {"precondition", 18},
      {"unsupported", 19}, {"damaged", 20},        {"outside", 20},   {"io", 1},
      {"defect", 70},      {"interrupted", 130}};
  EXPECT_EQ(all_codes().size(), contract.size());
  for (const CodeInfo& c : all_codes()) EXPECT_EQ(c.exit_code, contract.at(c.name)) << c.name;
}

TEST(ErrorTable, ErrnoFindsItsCode) {
  const std::map<int, Code> known{{EACCES, Code::permission},
                                  {EPERM, Code::permission},
                                  {EROFS, Code::permission},
                                  {ENOSPC, Code::no_space},
                                  {EDQUOT, Code::no_space},
                                  {ENOENT, Code::not_found},
                                  {EEXIST, Code::already_exists},
                                  {EBUSY, Code::busy},
                                  {ESTALE, Code::unavailable},
                                  {ENOTCONN, Code::unavailable},
                                  {ETIMEDOUT, Code::unavailable},
                                  {EHOSTUNREACH, Code::unavailable},
                                  {EINTR, Code::interrupted},
                                  {EIO, Code::io},
                                  {EINVAL, Code::io}};
  for (auto [number, code] : known) EXPECT_EQ(code_of_errno(number), code) << number;
}

TEST(ErrorParts, AreKeptAndShown) {
  Error e = Error(Code::no_space, "cannot store x in /backup")
                .safe("earlier points are whole")
                .hint("free some space")
                .os(ENOSPC);
  EXPECT_EQ(e.code(), Code::no_space);
  EXPECT_EQ(e.message(), "cannot store x in /backup");
  EXPECT_EQ(e.safe(), "earlier points are whole");
  EXPECT_EQ(e.hint(), "free some space");
  EXPECT_EQ(e.os_error(), ENOSPC);
  EXPECT_STREQ(e.what(), "cannot store x in /backup: No space left on device");
  EXPECT_STREQ(os_error("cannot read /x", EACCES).what(), "cannot read /x: Permission denied");
  EXPECT_STREQ(Error(Code::io, "plain").what(), "plain");
}

// XXH3-64 with seed 0: published values, and one way of computing it against the other, over every size.
TEST(Checksum, IsXxh3HoweverItIsComputed) {
  EXPECT_EQ(checksum({}), 0x2d06800538d394c2);
  Bytes bytes(3000);
  std::mt19937 random(7);
  for (std::uint8_t& b : bytes) b = static_cast<std::uint8_t>(random());
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    const ByteView some = ByteView(bytes).first(size);
    const std::uint64_t sum = checksum(some);
    ASSERT_EQ(sum, checksum(Bytes(some.begin(), some.end())));
    ASSERT_EQ(sum, detail::checksum_portable(some)) << size;
    if (size == 0) continue;
    bytes[size / 2] ^= 0x10;
    ASSERT_NE(checksum(some), sum) << size;
    bytes[size / 2] ^= 0x10;
  }
}

TEST(InParallel, DoesEachOnce) {
  for (std::size_t threads : {1U, 2U, 8U}) {
    for (std::size_t count : {0U, 1U, 3U, 100U}) {
      std::vector<std::atomic<int>> done(count);
      in_parallel(count, threads, [&](std::size_t i) { ++done[i]; });
      for (const auto& times : done) EXPECT_EQ(times, 1);
    }
  }
}

TEST(InParallel, ThrowsTheFirstErrorAfterAllHaveEnded) {
  std::atomic<int> running = 0, begun = 0;
  try {
    in_parallel(10'000, 4, [&](std::size_t i) {
      ++running, ++begun;
      std::this_thread::sleep_for(std::chrono::microseconds(100));
      --running;
      if (i == 5) throw Error(Code::no_space, "full");
    });
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::no_space);
    EXPECT_EQ(running, 0);
    EXPECT_LT(begun, 1000);
  }
}

TEST(CancelRequest, StopsAtTheNextCheck) {
  Cancel cancel;
  EXPECT_NO_THROW(cancel.check());
  cancel.raise();
  EXPECT_TRUE(cancel.raised());
  EXPECT_EQ(code_of([&] { cancel.check(); }), Code::interrupted);
}

}  // namespace
}  // namespace holdfast
