#include "service/access/sign_in.h"

#include <algorithm>

#include "base/text.h"

namespace holdfast::service {
namespace {

constexpr std::int64_t kHour = 3600;

std::int64_t stored(Transaction& transaction, std::string_view name) {
  Statement s = transaction.ask("SELECT value FROM meta WHERE name = ?", name);
  return s.step() ? s.integer(0) : 0;
}

void store(Transaction& change, std::string_view name, std::int64_t value) {
  change.run("INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2", name, value);
}

std::optional<std::string> stored_hash(Transaction& transaction, const std::string& user) {
  Statement s = transaction.ask("SELECT password FROM users WHERE name = ?", user);
  if (!s.step()) return std::nullopt;
  return s.text(0);
}

}  // namespace

struct SignIn::Try {
  std::string user, address;
  Failures::Bucket of_user, of_address;
  std::int64_t failures = 0;           // of the user, with this one
  std::optional<std::string> kept;     // the hash of the user's password
};

SignIn::SignIn(StateFile& state, Audit& audit, Passwords& passwords, Sessions& sessions, platform::Clock& clock)
    : state_(state), audit_(audit), passwords_(passwords), sessions_(sessions), clock_(clock), failures_(state), time_(clock, PassedTime::Rule::at_most) {
  Transaction change = state_.change();
  Failures::no_later_than(change, time_.seconds());
  change.commit();
}

SignInAnswer SignIn::try_password(std::string_view name, ByteView typed, const std::string& address) {
  Try t{to_lower_ascii(name), address, failures_.of_user(name), failures_.of_address(address), 0, {}};
  const auto too_early = [&](Transaction& transaction) {
    SignInAnswer answer{SignInAnswer::Outcome::wait, wait(transaction, t), {}, {}};
    if (answer.wait.count() > 0) ++too_early_;
    return answer;
  };
  {
    Transaction transaction = state_.read();
    if (auto answer = too_early(transaction); answer.wait.count() > 0) return answer;
  }
  const Passwords::Turn turn = passwords_.turn();
  {
    Transaction change = state_.change();
    if (auto answer = too_early(change); answer.wait.count() > 0) return answer;
    const std::int64_t now = time_.seconds();
    t.failures = Failures::add(change, t.of_user, now);
    Failures::add(change, t.of_address, now);
    t.kept = stored_hash(change, t.user);
    change.commit();
  }
  const bool right = passwords_.matches(turn, t.kept, typed);
  Transaction change = state_.change();
  // Meanwhile the user may have gone, or have another password.
  if (right && stored_hash(change, t.user) == t.kept) return succeed(change, t);
  fail(change, t);
  return {};
}

std::chrono::seconds SignIn::wait(Transaction& transaction, const Try& t) {
  const std::int64_t now = time_.seconds();
  return std::max(Failures::wait(transaction, t.of_user, now), Failures::wait(transaction, t.of_address, now));
}

SignInAnswer SignIn::succeed(Transaction& change, const Try& t) {
  Failures::forget(change, t.of_user);
  Failures::take_back(change, t.of_address);
  const Sessions::New session = sessions_.begin(change, t.user, t.address);
  tell_untold(change);
  audit_.append(change, {t.user, t.address}, "sign-in", t.user, "done");
  change.commit();
  return {SignInAnswer::Outcome::signed_in, {}, session.name, session.csrf};
}

void SignIn::fail(Transaction& change, const Try& t) {
  const std::int64_t hour = clock_.now().seconds / kHour;
  if (stored(change, "sign-in hour") != hour) {
    store(change, "sign-in hour", hour);
    store(change, "sign-in entries", 0);
    Failures::forget_old(change, time_.seconds());
    tell_untold(change);
  }
  const std::int64_t entries = stored(change, "sign-in entries");
  if (entries < kEntriesAnHour) {
    store(change, "sign-in entries", entries + 1);
    // A name that nobody has may be a password that was typed into the wrong field.
    const std::string who = t.kept ? t.user : "unknown";
    audit_.append(change, {who, t.address}, "sign-in", who, "refused",
                  t.kept ? "wrong password, failures in a row: " + std::to_string(t.failures) : "there is no user of this name");
  } else {
    store(change, "sign-in untold", stored(change, "sign-in untold") + 1);
  }
  change.commit();
}

void SignIn::tell_untold(Transaction& change) {
  const std::int64_t untold = stored(change, "sign-in untold"), early = too_early_.exchange(0);
  if (untold == 0 && early == 0) return;
  store(change, "sign-in untold", 0);
  audit_.append(change, {"unknown", "several"}, "sign-in", "several", "refused",
                "failures without an entry of their own: " + std::to_string(untold) + "; tries that came too early and were not looked at: " +
                    std::to_string(early));
}

}  // namespace holdfast::service
