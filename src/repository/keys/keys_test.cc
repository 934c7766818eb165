// What people type and keep: passwords, recovery keys, machine key files.
#include "repository/keys/keys.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/testing.h"
#include "platform/testing.h"

namespace holdfast::repository {
namespace {

TEST(RecoveryKey, ForgivesFormAndFindsEveryTypingMistake) {
  platform::SeededEntropy entropy(3);
  RecoveryKey key{crypto::Secret(32)};
  entropy.fill(key.bytes.bytes());
  std::string text = key.text();
  auto same = [&](std::string_view typed) { return crypto::equal(parse_recovery_key(typed).bytes.view(), key.bytes.view()); };
  EXPECT_TRUE(same(text));
  std::string lower, bare, flat;
  for (char c : text) {
    lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    flat += c == '\n' ? ' ' : c;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '-' || text[i] == ' ' || text[i] == '\n' || text[i] == ':' || (i + 1 < text.size() && text[i + 1] == ':')) continue;
    bare += text[i];
  }
  EXPECT_EQ(bare.size(), 80u);
  EXPECT_TRUE(same(lower));
  EXPECT_TRUE(same(flat));
  EXPECT_TRUE(same(bare));
  EXPECT_TRUE(looks_like_recovery_key(text));
  EXPECT_TRUE(looks_like_recovery_key(flat));
  EXPECT_FALSE(looks_like_recovery_key("correct horse battery staple"));
  std::size_t start = 0;
  for (int line = 1; line <= 8; ++line) {
    for (std::size_t at : {3, 6, 8, 11, 13, 14}) {   // "1: XXXX-XXXX-XX"
      std::string bad = text;
      bad[start + at] = bad[start + at] == '7' ? '8' : '7';
      try {
        parse_recovery_key(bad);
        FAIL() << bad;
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::wrong_key);
        EXPECT_NE(error.message().find("in line " + std::to_string(line)), std::string::npos) << error.message();
      }
    }
    start = text.find('\n', start) + 1;
  }
  std::string swapped = text.substr(16, 16) + text.substr(0, 16) + text.substr(32);   // lines 1 and 2
  EXPECT_EQ(code_of([&] { parse_recovery_key(swapped); }), Code::wrong_key);
  EXPECT_EQ(code_of([&] { parse_recovery_key(text.substr(0, 112)); }), Code::wrong_key);
  EXPECT_EQ(code_of([&] { parse_recovery_key(""); }), Code::wrong_key);
}

TEST(Password, FollowsTheRules) {
  auto bytes = [](std::string_view typed) { return holdfast::to_text(password_secret(as_bytes(typed)).bytes.view()); };
  EXPECT_EQ(bytes("secret\r\nrest"), "secret");
  EXPECT_EQ(bytes("a b \t"), "a b \t");
  EXPECT_EQ(bytes("u\xCC\x88"), "\xC3\xBC");       // NFC
  EXPECT_EQ(bytes("\xff\xfe\n"), "\xff\xfe");      // not UTF-8: as it is
  EXPECT_EQ(code_of([&] { bytes(""); }), Code::wrong_key);
  EXPECT_EQ(code_of([&] { bytes("\r\n"); }), Code::wrong_key);
  EXPECT_EQ(code_of([&] { bytes(std::string((1U << 20) + 1, 'x')); }), Code::wrong_key);
  EXPECT_EQ(bytes(std::string(1U << 20, 'x') + "\n").size(), 1U << 20);
}

TEST(MachineKey, RoundTripAndDamage) {
  Bytes key(32, 9);
  std::string file = machine_key_file(key);
  EXPECT_TRUE(crypto::equal(parse_machine_key(as_bytes(file)).bytes.view(), key));
  file[30] = 'x';
  EXPECT_EQ(code_of([&] { parse_machine_key(as_bytes(file)); }), Code::damaged);
  EXPECT_EQ(code_of([&] { parse_machine_key(as_bytes("")); }), Code::damaged);
}

}  // namespace
}  // namespace holdfast::repository
