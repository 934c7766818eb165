#include "service/access/tokens.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "service/access/users.h"

namespace holdfast::service {
namespace {

constexpr std::size_t kRandomBytes = 32;
constexpr std::string_view kColumns = "SELECT id, label, role, made_by, created, expires, expired FROM tokens ";

Token read_token(Statement& s) {
  return {s.integer(0), s.text(1), stored_role(s.text(2)), s.text(3), {s.integer(4), 0}, {s.integer(5), 0}, s.integer(6) != 0};
}

std::string described(const Token& token) {
  return "token " + std::to_string(token.id) + " \"" + token.label + "\"";
}

}  // namespace

Tokens::New Tokens::add(std::string_view label, Role role, Timestamp expires, const Actor& by) {
  const Timestamp now{clock_.now().seconds, 0};
  if (label.empty() || label.size() > kLongestLabel || printable(label) != label)
    throw Error(Code::usage, "a token needs a label of 1 to " + std::to_string(kLongestLabel) + " printable characters").safe("nothing was changed");
  if (expires.seconds <= now.seconds) throw Error(Code::usage, "a token must end in the future, not at " + format_utc(expires)).safe("nothing was changed");
  Bytes random(kRandomBytes);
  entropy_.fill(random);
  New made{{0, std::string(label), role, by.who, now, {expires.seconds, 0}, false}, std::string(kPrefix) + to_hex(random)};
  Transaction change = state_.change();
  if (change.number("SELECT count(*) FROM tokens") >= kMost)
    throw Error(Code::precondition, "there are " + std::to_string(kMost) + " tokens already").safe("nothing was changed").hint("remove those that have expired");
  change.run("INSERT INTO tokens (hash, label, role, made_by, created, expires) VALUES (?, ?, ?, ?, ?, ?)", crypto::sha256(as_bytes(made.text)), label,
             to_text(role), by.who, now.seconds, expires.seconds);
  made.token.id = change.last_insert();
  audit_.append(change, by, "token.add", described(made.token), "done", "role " + std::string(to_text(role)) + ", until " + format_utc(expires));
  change.commit();
  return made;
}

std::vector<Token> Tokens::list() {
  Transaction transaction = state_.read();
  Statement s = transaction.ask(std::string(kColumns) + "ORDER BY id");
  std::vector<Token> tokens;
  while (s.step()) tokens.push_back(read_token(s));
  return tokens;
}

void Tokens::remove(std::int64_t id, const Actor& by) {
  Transaction change = state_.change();
  std::optional<Token> token;
  {
    Statement s = change.ask(std::string(kColumns) + "WHERE id = ?", id);
    if (s.step()) token = read_token(s);
  }
  if (!token) throw Error(Code::not_found, "there is no token " + std::to_string(id)).safe("nothing was changed");
  change.run("DELETE FROM tokens WHERE id = ?", id);
  audit_.append(change, by, "token.remove", described(*token), "done");
  change.commit();
}

std::optional<Token> Tokens::find(std::string_view text) {
  if (text.size() != kPrefix.size() + 2 * kRandomBytes) return std::nullopt;
  std::optional<Token> token;
  {
    Transaction transaction = state_.read();
    Statement s = transaction.ask(std::string(kColumns) + "WHERE hash = ?", crypto::sha256(as_bytes(text)));
    if (s.step()) token = read_token(s);
  }
  if (!token || token->expired) return std::nullopt;
  if (std::max(clock_.now().seconds, time_.seconds()) < token->expires.seconds) return token;
  expire(*token);
  return std::nullopt;
}

void Tokens::expire(const Token& token) {
  Transaction change = state_.change();
  if (change.run("UPDATE tokens SET expired = 1 WHERE id = ? AND expired = 0", token.id) == 0) return;
  audit_.append(change, {"service", "service"}, "token.expire", described(token), "done", "it was used after " + format_utc(token.expires));
  change.commit();
}

}  // namespace holdfast::service
