#include "crypto/password_hash.h"

#include <sodium.h>

#include <charconv>

#include "base/error.h"

namespace holdfast::crypto {
namespace {

constexpr int kVariant = sodium_base64_VARIANT_ORIGINAL_NO_PADDING;

std::string base64(ByteView bytes) {
  std::string text(sodium_base64_ENCODED_LEN(bytes.size(), kVariant), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(), kVariant);
  text.pop_back();   // libsodium's NUL
  return text;
}

[[noreturn]] void damaged() { throw Error(Code::damaged, "cannot check a password: what is kept of it is not an Argon2id hash"); }

// Takes `word` off the front.
void expect(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) damaged();
  text.remove_prefix(word.size());
}

std::uint32_t number(std::string_view& text) {
  std::uint32_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) damaged();
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

void unbase64(std::string_view text, MutableBytes out) {
  std::size_t size = 0;
  if (sodium_base642bin(out.data(), out.size(), text.data(), text.size(), nullptr, &size, nullptr, kVariant) != 0 || size != out.size()) damaged();
}

}  // namespace

std::string PasswordHash::text() const {
  return "$argon2id$v=19$m=" + std::to_string(cost.memory_kib) + ",t=" + std::to_string(cost.passes) + ",p=1$" + base64(salt) + "$" + base64(hash);
}

PasswordHash PasswordHash::parse(std::string_view text) {
  PasswordHash parsed;
  expect(text, "$argon2id$v=19$m=");
  parsed.cost.memory_kib = number(text);
  expect(text, ",t=");
  parsed.cost.passes = number(text);
  expect(text, ",p=1$");
  const std::size_t end = text.find('$');
  if (end == std::string_view::npos) damaged();
  unbase64(text.substr(0, end), parsed.salt);
  unbase64(text.substr(end + 1), parsed.hash);
  return parsed;
}

}  // namespace holdfast::crypto
