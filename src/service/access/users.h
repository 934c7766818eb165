// The users of the service: made, changed and removed, each together with its entry in the audit log. Signing in: sign_in.h.
//
// A change of the password and a removal end the user's sessions; a new role holds from the next request on. There is always an administrator
// once there was one. Thread-safe; add() and set_password() take as long as a password's hash.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/access/audit.h"
#include "service/access/failures.h"
#include "service/access/passwords.h"
#include "service/access/rights.h"

namespace holdfast::service {

struct User {
  std::string name;
  Role role = Role::viewer;
  Timestamp created, password_changed;
  bool operator==(const User&) const = default;
};

class Users {
 public:
  Users(StateFile& state, Audit& audit, Passwords& passwords, platform::Clock& clock)
      : state_(state), audit_(audit), passwords_(passwords), clock_(clock), failures_(state) {}

  // The name as it is kept: lower case. Error(usage): not 1 to 64 of a-z 0-9 . _ - @, the first a letter or digit.
  static std::string valid_name(std::string_view name);

  std::vector<User> list();                             // by name
  std::optional<User> find(std::string_view name);

  // Error(already_exists); Error(usage): the name, or a weak password (Passwords::hash).
  void add(std::string_view name, Role role, ByteView password, const Actor& by);
  // Error(not_found) for all of these. Also ends the waiting after failures. With a role: both or none.
  void set_password(std::string_view name, ByteView password, const Actor& by, std::optional<Role> role = {});
  // Error(precondition): the last administrator.
  void set_role(std::string_view name, Role role, const Actor& by);
  void remove(std::string_view name, const Actor& by);
  // Whether remove() would be refused as that of the last administrator.
  bool is_last_administrator(std::string_view name);

 private:
  void change_role(Transaction& change, const User& user, Role role, const Actor& by);

  StateFile& state_;
  Audit& audit_;
  Passwords& passwords_;
  platform::Clock& clock_;
  Failures failures_;
};

// The role that a row of the state file names. Error(damaged): there is no such role.
Role stored_role(const std::string& name);

}  // namespace holdfast::service
