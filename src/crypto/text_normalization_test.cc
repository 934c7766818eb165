#include "crypto/text_normalization.h"

#include <random>

#include "crypto/testing.h"

namespace holdfast::crypto {
namespace {

void append_utf8(std::string& out, std::uint32_t point) {
  const auto byte = [&](std::uint32_t value) { out.push_back(static_cast<char>(value)); };
  if (point < 0x80) return byte(point);
  if (point < 0x800) return byte(0xc0 | point >> 6), byte(0x80 | (point & 63));
  if (point < 0x10000)
    return byte(0xe0 | point >> 12), byte(0x80 | (point >> 6 & 63)), byte(0x80 | (point & 63));
  byte(0xf0 | point >> 18), byte(0x80 | (point >> 12 & 63)), byte(0x80 | (point >> 6 & 63)),
      byte(0x80 | (point & 63));
}

std::string utf8(std::initializer_list<std::uint32_t> points) {
  std::string out;
  for (const std::uint32_t point : points) append_utf8(out, point);
  return out;
}

TEST(Nfc, ComposesReordersAndKeepsTheRest) {
  EXPECT_EQ(nfc(""), "");
  EXPECT_EQ(nfc("plain ASCII"), "plain ASCII");
  EXPECT_EQ(nfc(utf8({'u', 0x308})), utf8({0xfc}));
  EXPECT_EQ(nfc(utf8({0xfc})), utf8({0xfc}));
  EXPECT_EQ(nfc(utf8({0x212b})), utf8({0xc5})) << "Angstrom sign";
  EXPECT_EQ(nfc(utf8({0x1112, 0x1161, 0x11ab})), utf8({0xd55c})) << "Hangul";
  EXPECT_EQ(nfc(utf8({'a', 0x301, 0x323})), utf8({0x1ea1, 0x301})) << "marks are put in order";
  EXPECT_EQ(nfc(utf8({0x958})), utf8({0x915, 0x93c})) << "excluded from composition";
  EXPECT_EQ(nfc(utf8({0xfb01})), utf8({0xfb01})) << "a ligature is kept: compatibility forms differ";
  EXPECT_EQ(nfc(utf8({'u', 0, 0x308, 0x1f600})), utf8({'u', 0, 0x308, 0x1f600}));
}

TEST(Nfc, TwoSpellingsOfRandomTextMeetAndStay) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 300; ++round) {
    std::string composed, decomposed;
    for (int i = 0; i < 20; ++i) {
      // Letters with acute: each has one composed and one decomposed spelling (Unicode, Latin-1 block).
      constexpr std::pair<char, std::uint32_t> kAcute[] = {
          {'a', 0xe1}, {'e', 0xe9}, {'i', 0xed}, {'o', 0xf3}, {'u', 0xfa}};
      const auto& [base, point] = kAcute[random() % 5];
      append_utf8(composed, point);
      decomposed += base;
      append_utf8(decomposed, 0x301);
    }
    ASSERT_EQ(nfc(decomposed), composed);
    ASSERT_EQ(nfc(composed), composed);
  }
}

TEST(Nfc, RefusesWhatIsNotUtf8) {
  for (const std::string_view bad : {"\xff", "a\xc3", "\xed\xa0\x80", "\xc0\x80", "\xf4\x90\x80\x80"})
    EXPECT_EQ(code_of([&] { nfc(bad); }), Code::damaged) << to_hex(as_bytes(bad));
}

}  // namespace
}  // namespace holdfast::crypto
