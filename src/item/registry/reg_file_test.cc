#include "item/registry/reg_file.h"

#include <gtest/gtest.h>

#include <random>

#include "base/error.h"
#include "base/text.h"
#include "item/registry/utf16.h"

namespace holdfast::item {
namespace {

Bytes utf16_file(std::string_view body) {
  Bytes bytes = *to_utf16("Windows Registry Editor Version 5.00\r\n" + std::string(body));
  bytes.insert(bytes.begin(), {0xFF, 0xFE});
  return bytes;
}

RegFile parse(std::string_view body) { return parse_reg_file(utf16_file(body), "test.reg"); }

// "LINE: message" of the Error(damaged).
std::string damage(ByteView bytes) {
  try {
    parse_reg_file(bytes, "test.reg");
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::damaged);
    constexpr std::string_view kStart = "cannot read registry file test.reg: line ";
    EXPECT_TRUE(e.message().starts_with(kStart)) << e.message();
    return e.message().substr(std::min(kStart.size(), e.message().size()));
  }
  return "no error";
}
std::string damage(std::string_view body) { return damage(ByteView(utf16_file(body))); }

TEST(RegFile, ReadsEveryFormOfAValue) {
  const RegFile file = parse(
      "; exported by hand\r\n"
      "\r\n"
      "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Altiris]\r\n"
      "@=\"default \\\"quoted\\\"\"\r\n"
      "\"Path \\\\ name\"=\"C:\\\\Program Files\"  ; where\r\n"
      "\"Number\"=dword:0000000A\r\n"
      "\"Bytes\"=hex:01,ff,\\\r\n  80\r\n"
      "\"Expand\"=hex(2):25,00,00,00\r\n"
      "\"Multi\"=hex(7):61,00,00,00,62,00,63,00,00,00,00,00\r\n"
      "\"Big\"=hex(b):01,00,00,00,00,00,00,80\r\n"
      "\"None\"=hex(0):\r\n"
      "\"Odd\"=hex(20001):07\r\n"
      "\"Gone\"=-\r\n"
      "[-HKEY_LOCAL_MACHINE\\SOFTWARE\\Old [1]]\r\n");
  ASSERT_EQ(file.keys.size(), 2U);
  const std::string key = "hkey_local_machine\\software\\ALTIRIS";
  EXPECT_EQ(find_reg_text(file, key, ""), "default \"quoted\"");
  EXPECT_EQ(find_reg_text(file, key, "path \\ NAME"), "C:\\Program Files");
  EXPECT_EQ(reg_number(*file.find(key, "Number")), 10U);
  EXPECT_EQ(file.find(key, "Bytes")->data, (Bytes{0x01, 0xFF, 0x80}));
  EXPECT_EQ(find_reg_text(file, key, "Expand"), "%");
  EXPECT_EQ(reg_texts(*file.find(key, "Multi")), (std::vector<std::string>{"a", "bc"}));
  EXPECT_EQ(reg_number(*file.find(key, "Big")), 0x8000000000000001U);
  EXPECT_EQ(file.find(key, "None")->type, RegType::none);
  EXPECT_EQ(static_cast<unsigned>(file.find(key, "Odd")->type), 0x20001U);
  EXPECT_EQ(file.find(key, "Gone"), nullptr);
  EXPECT_TRUE(file.keys[0].values.back().deleted);
  EXPECT_TRUE(file.keys[1].deleted);
  EXPECT_EQ(file.keys[1].path, "HKEY_LOCAL_MACHINE\\SOFTWARE\\Old [1]");
}

TEST(RegFile, ReadsUtf8AndUtf16WithAndWithoutMark) {
  const std::string text = "Windows Registry Editor Version 5.00\n[HKEY_USERS\\Zürich 😀]\n\"a\"=\"ß\"\n";
  const RegFile expected = parse_reg_file(as_bytes(text), "u");
  EXPECT_EQ(expected.keys.at(0).path, "HKEY_USERS\\Zürich 😀");
  EXPECT_EQ(parse_reg_file(as_bytes("\xEF\xBB\xBF" + text), "u"), expected);
  Bytes wide = *to_utf16(text);
  EXPECT_EQ(parse_reg_file(wide, "u"), expected);
  wide.insert(wide.begin(), {0xFF, 0xFE});
  EXPECT_EQ(parse_reg_file(wide, "u"), expected);
}

TEST(RegFile, ATextMayHoldLineBreaks) {
  const RegFile file = parse("[HKEY_USERS\\a]\r\n\"x\"=\"one\r\ntwo\"\r\n\"y\"=dword:1\r\n");
  EXPECT_EQ(find_reg_text(file, "HKEY_USERS\\a", "x"), "one\r\ntwo");
  EXPECT_EQ(reg_number(*file.find("HKEY_USERS\\a", "y")), 1U);
}

TEST(RegFile, LooksUpWhatAnImportWouldLeave) {
  const RegFile file = parse(
      "[HKEY_USERS\\a]\n\"x\"=dword:1\n\"y\"=dword:1\n"
      "[HKEY_USERS\\A]\n\"X\"=dword:2\n\"y\"=-\n"
      "[HKEY_USERS\\a\\p\\deep]\n[HKEY_USERS\\a\\P]\n[HKEY_USERS\\a\\q]\n[HKEY_USERS\\ab]\n"
      "[-HKEY_USERS\\a\\q]\n");
  EXPECT_EQ(reg_number(*file.find("HKEY_USERS\\a", "x")), 2U);
  EXPECT_EQ(file.find("HKEY_USERS\\a", "y"), nullptr);
  EXPECT_EQ(file.subkeys("HKEY_USERS\\A"), std::vector<std::string>{"p"});
  EXPECT_EQ(parse("[HKEY_USERS\\a]\n\"x\"=dword:1\n[-HKEY_USERS]\n").find("HKEY_USERS\\a", "x"), nullptr);
}

TEST(RegFile, DamageNamesTheLine) {
  EXPECT_EQ(damage(Bytes{}), "1: the file is empty");
  EXPECT_EQ(damage(Bytes{0xFF, 0xFE}), "1: the file is empty");
  EXPECT_EQ(damage(as_bytes("REGEDIT4\n")),
            "1: the first line is not 'Windows Registry Editor Version 5.00'");
  EXPECT_EQ(damage(as_bytes("Windows Registry Editor Version 5.00\n\xFF\n")),
            "1: the text is neither UTF-16 nor UTF-8");
  Bytes odd = utf16_file("[HKEY_USERS\\a]");
  odd.pop_back();
  EXPECT_EQ(damage(ByteView(odd)), "1: half a UTF-16 character at the end: the file is cut off");
  EXPECT_EQ(damage("\"x\"=dword:1"), "2: a value that belongs to no key");
  EXPECT_EQ(damage("[-HKEY_USERS\\a]\n\"x\"=dword:1"), "3: a value that belongs to no key");
  EXPECT_EQ(damage("[HKEY_USERS\\a"), "2: a key without its closing bracket");
  EXPECT_EQ(damage("[a]"), "2: a key that does not start with HKEY_");
  EXPECT_EQ(damage("[]"), "2: a key that does not start with HKEY_");
  EXPECT_EQ(damage("[HKEY_USERS\\\\a]"), "2: a key with an empty name");
  EXPECT_EQ(damage("[HKEY_USERS\\]"), "2: a key with an empty name");
  const std::string key = "[HKEY_USERS\\a]\r\n";
  EXPECT_EQ(damage(key + "garbage"), "3: neither a key, a value nor a comment");
  EXPECT_EQ(damage(key + "\"x\""), "3: a value without '='");
  EXPECT_EQ(damage(key + "\"x\"=\"abc\r\n\r\n"), "3: a quote that is never closed");
  EXPECT_EQ(damage(key + "\"x\"=\"a\\bc\""), "3: a backslash that escapes nothing");
  EXPECT_EQ(damage(key + "\"x\"=\"a\" b"), "3: text after the value");
  EXPECT_EQ(damage(key + "\"x\"=dword:"), "3: a number without digits");
  EXPECT_EQ(damage(key + "\"x\"=dword:123456789"), "3: a number of more than 8 digits");
  EXPECT_EQ(damage(key + "\"x\"=qword:1"), "3: a value of unknown form");
  EXPECT_EQ(damage(key + "\"x\"=hex(2:00"), "3: a type without its closing bracket");
  EXPECT_EQ(damage(key + "\"x\"=hex:01 02"), "3: text after the value");
  EXPECT_EQ(damage(key + "\"x\"=hex:012"), "3: text after the value");
  EXPECT_EQ(damage(key + "\"x\"=hex:01,\\\r\n"), "4: a list of bytes that ends with a comma");
  EXPECT_EQ(damage(key + "\"x\"=hex:01,\\"), "3: a continued line without its continuation");
  EXPECT_EQ(damage(key + "\"x\"=hex:01,\\\r\n\r\n"), "4: a list of bytes that ends with a comma");
  EXPECT_EQ(damage(key + "\"x\"=hex:01,\r\n"), "3: a list of bytes that ends with a comma");
  EXPECT_EQ(damage(key + std::string(40, '\0')), "3: neither a key, a value nor a comment");
  EXPECT_EQ(damage(key + "\"" + std::string(60000, 'n') + "\"=-"), "3: a value's name is too long");
  EXPECT_EQ(damage("[HKEY_USERS\\" + std::string(500000, 'k') + "]"), "2: a key's path is too long");
}

class RandomRegistry {
 public:
  explicit RandomRegistry(std::uint64_t seed) : random_(seed) {}

  RegFile file() {
    RegFile f;
    for (std::size_t n = up_to(6); n-- > 0;) {
      RegKey k{"HKEY_LOCAL_MACHINE\\" + text("\\", 1), up_to(8) == 0, {}};
      if (!k.deleted)
        for (std::size_t v = up_to(6); v-- > 0;) k.values.push_back(value());
      f.keys.push_back(std::move(k));
    }
    return f;
  }
  std::size_t up_to(std::size_t n) { return random_() % (n + 1); }

 private:
  // Characters that the format has to escape or encode; lone surrogates too. None of `without`.
  std::string text(std::string_view without, std::size_t least) {
    static const std::vector<std::string> kPieces{"a",
                                                  "Z",
                                                  " ",
                                                  "\\",
                                                  "\"",
                                                  "]",
                                                  "[",
                                                  ";",
                                                  "@",
                                                  "=",
                                                  "-",
                                                  ",",
                                                  "\t",
                                                  "ü",
                                                  "€",
                                                  "😀",
                                                  "\xED\xA0\x80x",
                                                  "hex:",
                                                  "dword:"};
    std::string t;
    for (std::size_t n = least + up_to(12); n-- > 0;) {
      const std::string& piece = kPieces[random_() % kPieces.size()];
      if (piece != without) t += piece;
    }
    return t.empty() ? "k" : t;
  }
  RegValue value() {
    RegValue v;
    v.name = up_to(4) == 0 ? "" : text("", 1);
    static constexpr std::uint32_t kTypes[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x20001, 0xFFFFFFFF};
    if (up_to(9) == 0) {
      v.deleted = true;
      return v;
    }
    v.type = static_cast<RegType>(kTypes[random_() % std::size(kTypes)]);
    switch (up_to(3)) {
      case 0: v.data = reg_sz(text("", 0)); break;
      case 1: v.data = reg_multi_sz({text("", 0), "line\r\nbreak"}); break;
      case 2: v.data = reg_dword(static_cast<std::uint32_t>(random_())); break;
      default:
        v.data.resize(up_to(70));
        for (auto& b : v.data) b = static_cast<std::uint8_t>(random_());
    }
    return v;
  }
  std::mt19937_64 random_;
};

TEST(RegFile, WhatIsWrittenIsReadBack) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  RandomRegistry random(seed);
  for (int i = 0; i < 1500; ++i) {
    const RegFile file = random.file();
    const Bytes bytes = write_reg_file(file);
    ASSERT_EQ(parse_reg_file(bytes, "random"), file) << from_utf16(bytes);
  }
}

// A file that was cut off or hit by a few wrong bytes is read or refused; it never does anything else.
TEST(RegFile, DamagedFilesAreReadOrRefused) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  RandomRegistry random(seed);
  std::size_t refused = 0;
  for (int i = 0; i < 3000; ++i) {
    Bytes bytes = write_reg_file(random.file());
    for (std::size_t n = random.up_to(3); n-- > 0;)
      bytes[random.up_to(bytes.size() - 1)] = static_cast<std::uint8_t>(random.up_to(255));
    if (random.up_to(2) == 0) bytes.resize(random.up_to(bytes.size()));
    try {
      parse_reg_file(bytes, "hostile");
    } catch (const Error& e) {
      ASSERT_EQ(e.code(), Code::damaged) << e.message();
      ASSERT_EQ(printable(e.message()), e.message());
      ++refused;
    }
  }
  EXPECT_GT(refused, 300U);
}

TEST(RegFile, RefusesToWriteWhatTheFormatCannotSay) {
  EXPECT_THROW(write_reg_file({{{"HKEY_USERS\\a\nb", false, {}}}}), Error);
  EXPECT_THROW(write_reg_file({{{"HKEY_USERS\\a", false, {{std::string("a\0b", 3), true, {}, {}}}}}}), Error);
}

TEST(RegFile, DescribesValuesForPeople) {
  auto value = [](RegType type, Bytes data) { return RegValue{"n", false, type, std::move(data)}; };
  EXPECT_EQ(describe(value(RegType::sz, reg_sz("C:\\a\x1B"))), "\"C:\\a\\x1b\"");
  EXPECT_EQ(describe(value(RegType::dword, reg_dword(10))), "10 (0x0000000a)");
  EXPECT_EQ(describe(value(RegType::qword, reg_qword(1))), "1 (0x0000000000000001)");
  EXPECT_EQ(describe(value(RegType::multi_sz, reg_multi_sz({"a", "b"}))), "[a, b]");
  EXPECT_EQ(describe(value(RegType::binary, Bytes{1, 0xAB})), "2 bytes: 01 ab");
  EXPECT_EQ(describe(value(RegType::dword, Bytes{1})), "1 byte: 01");   // malformed: shown as it is
  EXPECT_EQ(reg_type_name(static_cast<RegType>(0x20001)), "hex(20001)");
}

}  // namespace
}  // namespace holdfast::item
