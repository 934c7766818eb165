#include "service/access/passwords.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "crypto/text_normalization.h"

namespace holdfast::service {
namespace {

std::string_view first_line(ByteView typed) {
  std::string_view text = as_text(typed);
  const std::size_t end = text.find('\n');
  text = text.substr(0, end);
  if (end != std::string_view::npos && text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

// nullopt: it can be nobody's password.
std::optional<crypto::Secret> normalized(ByteView typed) {
  const std::string_view text = first_line(typed);
  if (text.size() > Passwords::kLongest || !is_utf8(text)) return std::nullopt;
  std::string normal = crypto::nfc(text);
  crypto::Secret secret = crypto::Secret::copy_of(as_bytes(normal));
  crypto::wipe({reinterpret_cast<std::uint8_t*>(normal.data()), normal.size()});
  return secret;
}

std::size_t characters(std::string_view utf8) {
  return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

crypto::Secret argon2id(ByteView password, ByteView salt16, crypto::Argon2Cost cost) { return crypto::argon2id(password, salt16, cost); }

[[noreturn]] void refuse(const std::string& why) {
  throw Error(Code::usage, "cannot take this password: " + why).safe("nothing was changed").hint("several words that do not belong together are easy to keep in mind");
}

crypto::Secret good_password(std::string_view user, ByteView typed) {
  std::optional<crypto::Secret> password = normalized(typed);
  if (!password) refuse("it is longer than " + std::to_string(Passwords::kLongest) + " bytes or not UTF-8");
  const std::string_view text = as_text(password->view());
  if (characters(text) < Passwords::kShortest) refuse("it has fewer than " + std::to_string(Passwords::kShortest) + " characters");
  if (to_lower_ascii(text) == to_lower_ascii(user)) refuse("it is the user's name");
  return std::move(*password);
}

}  // namespace

Passwords::Passwords(platform::Entropy& entropy, crypto::Argon2Cost cost, Kdf kdf)
    : entropy_(entropy), cost_(cost), kdf_(kdf ? std::move(kdf) : Kdf(argon2id)) {
  crypto::PasswordHash nobody{cost_, {}, {}};
  entropy_.fill(nobody.salt);
  entropy_.fill(nobody.hash);
  nobody_ = nobody.text();
}

Passwords::Turn::~Turn() {
  std::lock_guard lock(passwords_.mutex_);
  --passwords_.working_;
  passwords_.given_up_.notify_one();
}

Passwords::Turn Passwords::turn() {
  std::unique_lock lock(mutex_);
  if (working_ >= kAtATime && waiting_ >= kMostWaiting)
    throw Error(Code::unavailable, "cannot check a password now: too many sign-ins at a time").safe("nothing was changed").hint("try again in some seconds");
  ++waiting_;
  given_up_.wait(lock, [&] { return working_ < kAtATime; });
  --waiting_;
  ++working_;
  return Turn(*this);
}

void Passwords::check(std::string_view user, ByteView typed) { good_password(user, typed); }

std::string Passwords::hash(std::string_view user, ByteView typed) {
  const crypto::Secret password = good_password(user, typed);
  const Turn working = turn();
  crypto::PasswordHash made{cost_, {}, {}};
  entropy_.fill(made.salt);
  const crypto::Secret hash = kdf_(password.view(), made.salt, cost_);
  std::copy(hash.view().begin(), hash.view().end(), made.hash.begin());
  return made.text();
}

bool Passwords::matches(const Turn&, const std::optional<std::string>& kept, ByteView typed) {
  const std::optional<crypto::Secret> password = normalized(typed);
  const bool possible = kept && password;
  const crypto::PasswordHash hash = crypto::PasswordHash::parse(possible ? *kept : nobody_);
  const crypto::Secret derived = kdf_(password ? password->view() : ByteView{}, hash.salt, hash.cost);
  return crypto::equal(derived.view(), hash.hash) && possible;
}

}  // namespace holdfast::service
