#include "service/access/sessions.h"

#include "base/error.h"
#include "crypto/hash.h"
#include "service/access/users.h"

namespace holdfast::service {
namespace {

constexpr std::size_t kNameBytes = 32;

crypto::Sha256 hash_of(std::string_view name) { return crypto::sha256(as_bytes(name)); }

std::string csrf_of(std::string_view name) { return crypto::sha256(as_bytes("holdfast v1 csrf " + std::string(name))).hex(); }

}  // namespace

Sessions::Sessions(StateFile& state, Audit& audit, platform::Clock& clock, platform::Entropy& entropy)
    : state_(state), audit_(audit), entropy_(entropy), time_(clock, PassedTime::Rule::at_least) {
  Transaction change = state_.change();
  change.run("DELETE FROM sessions WHERE began > ?1 OR seen > ?1", time_.seconds());
  change.commit();
}

Sessions::New Sessions::begin(Transaction& change, const std::string& user, const std::string& origin) {
  Bytes random(kNameBytes);
  entropy_.fill(random);
  const std::string name = to_hex(random);
  const std::int64_t now = time_.seconds();
  change.run("DELETE FROM sessions WHERE began <= ? OR seen <= ?", now - kLife, now - kIdle);
  change.run("DELETE FROM sessions WHERE hash IN (SELECT hash FROM sessions WHERE user = ? ORDER BY began DESC LIMIT -1 OFFSET ?)", user, kOfOneUser - 1);
  change.run("INSERT INTO sessions VALUES (?, ?, ?, ?, ?)", hash_of(name), user, origin, now, now);
  return {name, csrf_of(name)};
}

std::optional<Sessions::Found> Sessions::found(std::string_view name, std::int64_t now) {
  if (name.size() != 2 * kNameBytes) return std::nullopt;
  Transaction transaction = state_.read();
  Statement s = transaction.ask("SELECT user, role, began, seen FROM sessions JOIN users ON users.name = sessions.user WHERE hash = ?", hash_of(name));
  if (!s.step()) return std::nullopt;
  Found found{{s.text(0), stored_role(s.text(1)), csrf_of(name), s.integer(2) + kLife - now}, s.integer(3)};
  if (found.session.seconds_left <= 0 || now - found.last >= kIdle) return std::nullopt;
  return found;
}

std::optional<Session> Sessions::find(std::string_view name) {
  const std::int64_t now = time_.seconds();
  const auto found = this->found(name, now);
  if (!found) return std::nullopt;
  if (now - found->last >= kSeenEvery) seen(hash_of(name).view(), now);
  return found->session;
}

std::optional<Session> Sessions::peek(std::string_view name) {
  const auto found = this->found(name, time_.seconds());
  return found ? std::optional(found->session) : std::nullopt;
}

void Sessions::seen(ByteView hash, std::int64_t now) {
  try {
    Transaction change = state_.change();
    change.run("UPDATE sessions SET seen = ? WHERE hash = ?", now, hash);
    change.commit();
  } catch (const Error&) {
    // Somebody must be able to look at a server whose disk is full. The session only ends earlier for it.
  }
}

void Sessions::end(std::string_view name, const std::string& origin) {
  const crypto::Sha256 hash = hash_of(name);
  Transaction change = state_.change();
  std::string user;
  {
    Statement s = change.ask("DELETE FROM sessions WHERE hash = ? RETURNING user", hash);
    if (!s.step()) return;
    user = s.text(0);
  }
  audit_.append(change, {user, origin}, "sign-out", user, "done");
  change.commit();
}

}  // namespace holdfast::service
