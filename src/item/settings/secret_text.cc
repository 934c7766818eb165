#include "item/settings/secret_text.h"

#include <array>
#include <string>

#include "base/text.h"

namespace holdfast::item {
namespace {

constexpr std::array<std::string_view, 14> kSecretNames{
    "password", "passwd", "passphrase", "pwd",    "secret",     "token",         "apikey",
    "api_key",  "api-key", "credential", "private", "cryptokey", "encryptionkey", "accesskey"};
constexpr std::array<std::string_view, 4> kSecretValues{"password=", "pwd=", "password:", "-----begin"};

// "scheme://user:password@host": a user part with a colon in it.
bool url_with_password(std::string_view value) {
  for (std::size_t at = value.find("://"); at != std::string_view::npos; at = value.find("://", at + 3)) {
    std::string_view authority = value.substr(at + 3);
    authority = authority.substr(0, authority.find_first_of("/ \t\r\n"));
    std::size_t user_end = authority.rfind('@');
    if (user_end != std::string_view::npos &&
        authority.substr(0, user_end).find(':') != std::string_view::npos)
      return true;
  }
  return false;
}

}  // namespace

bool looks_secret(std::string_view name, std::string_view value) {
  const std::string low_name = to_lower_ascii(name);
  for (std::string_view word : kSecretNames)
    if (low_name.find(word) != std::string::npos) return true;
  std::string low_value = to_lower_ascii(value);
  std::erase(low_value, ' ');
  for (std::string_view word : kSecretValues)
    if (low_value.find(word) != std::string::npos) return true;
  return url_with_password(value);
}

}  // namespace holdfast::item
