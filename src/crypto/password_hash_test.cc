#include "crypto/password_hash.h"

#include <gtest/gtest.h>
#include <sodium.h>

#include "crypto/testing.h"

namespace holdfast::crypto {
namespace {

constexpr Argon2Cost kSmall{64, 2};

PasswordHash made(std::string_view password) {
  PasswordHash made{kSmall, {}, {}};
  for (std::size_t i = 0; i < made.salt.size(); ++i) made.salt[i] = static_cast<std::uint8_t>(i * 7);
  const Secret hash = argon2id(as_bytes(password), made.salt, kSmall);
  std::copy(hash.view().begin(), hash.view().end(), made.hash.begin());
  return made;
}

TEST(PasswordHash, LibsodiumAcceptsItsTextForThePasswordAlone) {
  const std::string text = made("correct horse battery").text();
  EXPECT_EQ(text.find("$argon2id$v=19$m=64,t=2,p=1$"), 0U) << text;
  initialize();
  EXPECT_EQ(crypto_pwhash_str_verify(text.c_str(), "correct horse battery", 21), 0);
  EXPECT_NE(crypto_pwhash_str_verify(text.c_str(), "correct horse batterz", 21), 0);
}

TEST(PasswordHash, ReadsWhatLibsodiumWrites) {
  initialize();
  char text[crypto_pwhash_STRBYTES];
  ASSERT_EQ(crypto_pwhash_str(text, "correct horse battery", 21, 2, 64 * 1024), 0);
  const PasswordHash parsed = PasswordHash::parse(text);
  const Secret hash = argon2id(as_bytes("correct horse battery"), parsed.salt, parsed.cost);
  EXPECT_TRUE(equal(hash.view(), parsed.hash));
  EXPECT_EQ(parsed.text(), text);
}

TEST(PasswordHash, EveryShorterAndEveryChangedTextIsDamagedOrAnotherHash) {
  const PasswordHash right = made("x");
  const std::string text = right.text();
  for (std::size_t n = 0; n < text.size(); ++n)
    EXPECT_EQ(code_of([&] { PasswordHash::parse(text.substr(0, n)); }), Code::damaged) << n;
  EXPECT_EQ(code_of([&] { PasswordHash::parse(text + "A"); }), Code::damaged);
  for (std::size_t n = 0; n < text.size(); ++n) {
    std::string changed = text;
    changed[n] = changed[n] == '3' ? '4' : '3';
    try {
      EXPECT_NE(PasswordHash::parse(changed).text(), text) << n;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::damaged) << n;
    }
  }
  EXPECT_EQ(code_of([&] { PasswordHash::parse("$argon2id$v=19$m=99999999999,t=2,p=1$AAAA$AAAA"); }), Code::damaged);
}

}  // namespace
}  // namespace holdfast::crypto
