#include "service/access/users.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace holdfast::service {
namespace {

constexpr std::size_t kLongestName = 64;
constexpr std::string_view kColumns = "SELECT name, role, created, password_changed FROM users ";

User read_user(Statement& s) { return {s.text(0), stored_role(s.text(1)), {s.integer(2), 0}, {s.integer(3), 0}}; }

std::optional<User> find_user(Transaction& transaction, const std::string& name) {
  Statement s = transaction.ask(std::string(kColumns) + "WHERE name = ?", name);
  if (!s.step()) return std::nullopt;
  return read_user(s);
}

User require_user(Transaction& transaction, const std::string& name) {
  if (auto user = find_user(transaction, name)) return *user;
  throw Error(Code::not_found, "there is no user " + printable(name)).safe("nothing was changed").hint("'holdfast user list' shows them");
}

bool is_only_administrator(Transaction& transaction, const User& user) {
  return user.role == Role::administrator && transaction.number("SELECT count(*) FROM users WHERE role = 'administrator'") == 1;
}

void require_other_administrator(Transaction& transaction, const User& user) {
  if (!is_only_administrator(transaction, user)) return;
  throw Error(Code::precondition, printable(user.name) + " is the last administrator: nobody could manage users any more")
      .safe("nothing was changed")
      .hint("make another one first: 'holdfast user add NAME --role administrator'");
}

void require_no_user(Transaction& transaction, const std::string& name) {
  if (find_user(transaction, name))
    throw Error(Code::already_exists, "there is a user " + printable(name) + " already").safe("nothing was changed").hint("'holdfast user passwd' gives a new password");
}

}  // namespace

Role stored_role(const std::string& name) {
  if (auto role = role_named(name)) return *role;
  throw Error(Code::damaged, "cannot use the service's state file: it names a role '" + printable(name) + "'").safe("nothing was changed");
}

std::string Users::valid_name(std::string_view name) {
  const std::string lower = to_lower_ascii(name);
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const bool valid = !lower.empty() && lower.size() <= kLongestName && letter(lower.front()) &&
                     std::all_of(lower.begin(), lower.end(), [&](char c) { return letter(c) || std::string_view("._-@").find(c) != std::string_view::npos; });
  if (!valid)
    throw Error(Code::usage, "'" + printable(name) + "' cannot be a user's name: it takes 1 to 64 letters, digits, . _ - or @, and begins with a letter or digit")
        .safe("nothing was changed");
  return lower;
}

std::vector<User> Users::list() {
  Transaction transaction = state_.read();
  Statement s = transaction.ask(std::string(kColumns) + "ORDER BY name");
  std::vector<User> users;
  while (s.step()) users.push_back(read_user(s));
  return users;
}

std::optional<User> Users::find(std::string_view name) {
  Transaction transaction = state_.read();
  return find_user(transaction, to_lower_ascii(name));
}

void Users::add(std::string_view name, Role role, ByteView password, const Actor& by) {
  const std::string valid = valid_name(name);
  {
    Transaction transaction = state_.read();
    require_no_user(transaction, valid);
  }
  const std::string hash = passwords_.hash(valid, password);
  Transaction change = state_.change();
  require_no_user(change, valid);
  const std::int64_t now = clock_.now().seconds;
  change.run("INSERT INTO users VALUES (?, ?, ?, ?, ?)", valid, to_text(role), hash, now, now);
  Failures::forget(change, failures_.of_user(valid));
  audit_.append(change, by, "user.add", valid, "done", "role " + std::string(to_text(role)));
  change.commit();
}

void Users::set_password(std::string_view name, ByteView password, const Actor& by, std::optional<Role> role) {
  const std::string lower = to_lower_ascii(name);
  {
    Transaction transaction = state_.read();
    require_user(transaction, lower);
  }
  const std::string hash = passwords_.hash(lower, password);
  Transaction change = state_.change();
  const User user = require_user(change, lower);
  if (role) change_role(change, user, *role, by);
  change.run("UPDATE users SET password = ?, password_changed = ? WHERE name = ?", hash, clock_.now().seconds, lower);
  const std::int64_t ended = change.run("DELETE FROM sessions WHERE user = ?", lower);
  Failures::forget(change, failures_.of_user(lower));
  audit_.append(change, by, "user.password", lower, "done", "sessions ended: " + std::to_string(ended));
  change.commit();
}

void Users::set_role(std::string_view name, Role role, const Actor& by) {
  Transaction change = state_.change();
  change_role(change, require_user(change, to_lower_ascii(name)), role, by);
  change.commit();
}

void Users::change_role(Transaction& change, const User& user, Role role, const Actor& by) {
  if (role != Role::administrator) require_other_administrator(change, user);
  change.run("UPDATE users SET role = ? WHERE name = ?", to_text(role), user.name);
  audit_.append(change, by, "user.role", user.name, "done", std::string(to_text(user.role)) + " -> " + std::string(to_text(role)));
}

void Users::remove(std::string_view name, const Actor& by) {
  Transaction change = state_.change();
  const User user = require_user(change, to_lower_ascii(name));
  require_other_administrator(change, user);
  const std::int64_t ended = change.run("DELETE FROM sessions WHERE user = ?", user.name);
  change.run("DELETE FROM users WHERE name = ?", user.name);
  audit_.append(change, by, "user.remove", user.name, "done", "role " + std::string(to_text(user.role)) + ", sessions ended: " + std::to_string(ended));
  change.commit();
}

bool Users::is_last_administrator(std::string_view name) {
  Transaction transaction = state_.read();
  return is_only_administrator(transaction, require_user(transaction, to_lower_ascii(name)));
}

}  // namespace holdfast::service
