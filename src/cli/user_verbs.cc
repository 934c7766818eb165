// Users of the service's console. The first administrator is made here, before anybody can sign in.
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/context.h"
#include "cli/describe.h"
#include "cli/verbs.h"
#include "service/access/users.h"

namespace holdfast::cli {
namespace {

// What the verbs need of the service, opened beside it: it may run meanwhile.
struct State {
  explicit State(Context& c)
      : file(c.world.files, c.world.entropy, c.state_folder(), service::StateFile::Use::beside),
        audit(file, c.world.clock),
        passwords(c.world.entropy),
        users(file, audit, passwords, c.world.clock) {}
  service::StateFile file;
  service::Audit audit;
  service::Passwords passwords;
  service::Users users;
};

service::Actor actor(Context& c) {
  const std::string user = c.world.host.is_administrator() ? "root" : platform::get(c.world.environment, "USER").value_or("somebody");
  return {user, "command line"};
}

Json to_json(const service::User& user) {
  return {{"name", user.name}, {"role", service::to_text(user.role)}, {"created", format_utc(user.created)},
          {"password_changed", format_utc(user.password_changed)}};
}

// Looking does not make a state file.
std::vector<service::User> users_there(Context& c) {
  if (!service::StateFile::exists(c.world.files, c.state_folder())) return {};
  return State(c).users.list();
}

service::User require_user(Context& c, const std::string& name) {
  for (const service::User& user : users_there(c))
    if (user.name == to_lower_ascii(name)) return user;
  throw Error(Code::not_found, "there is no user " + printable(name)).safe("nothing was changed").hint("'holdfast user list' shows them");
}

service::Role role(const Arguments& a) {
  if (!a.has("--role"))
    throw Error(Code::usage, "'holdfast user add' needs --role").safe("nothing was changed").hint("--role viewer, operator, recovery or administrator");
  if (auto named = service::role_named(a.value("--role"))) return *named;
  std::vector<std::string> names;
  for (service::Role r : service::all_roles()) names.emplace_back(service::to_text(r));
  const std::string near = nearest_name(a.value("--role"), names);
  throw Error(Code::unknown_name, "there is no role '" + printable(a.value("--role")) + "'")
      .safe("nothing was changed")
      .hint(near.empty() ? "the roles are " + join(names, ", ") : "did you mean '" + near + "'?");
}

crypto::Secret new_password(const Arguments& a, Context& c, const std::string& user) {
  const SecretSource source{a.value("--new-password-file"), a.value("--new-password-command"), a.value("--new-password-fd"), "", ""};
  Bytes typed = c.secret(source, "New password of " + user, true);
  crypto::Secret secret = crypto::Secret::copy_of(typed);
  crypto::wipe(typed);
  service::Passwords::check(user, secret.view());   // before a state file is made for it
  return secret;
}

void done(Context& c, const std::string& text, const Json& result) {
  c.output.say(text);
  c.output.result(result);
}

int add(const Arguments& a, Context& c) {
  const service::Role as = role(a);
  const std::string name = service::Users::valid_name(a.positional(0));
  for (const service::User& user : users_there(c))
    if (user.name == name)
      throw Error(Code::already_exists, "there is a user " + name + " already").safe("nothing was changed").hint("'holdfast user passwd' gives a new password");
  const std::string with_role = " with the role " + std::string(service::to_text(as));
  if (a.has("--dry-run")) {
    c.output.answer("User " + name + " would be added" + with_role + ". Nothing was changed.");
    c.output.result(Json{{"name", name}, {"role", service::to_text(as)}, {"dry_run", true}});
    return 0;
  }
  const crypto::Secret password = new_password(a, c, name);
  State state(c);
  state.users.add(name, as, password.view(), actor(c));
  done(c, "User " + name + " was added" + with_role + ".", to_json(*state.users.find(name)));
  return 0;
}

int passwd(const Arguments& a, Context& c) {
  const service::User user = require_user(c, a.positional(0));
  if (a.has("--dry-run")) {
    c.output.answer("User " + user.name + " would get a new password, and be signed out everywhere. Nothing was changed.");
    c.output.result(Json{{"name", user.name}, {"dry_run", true}});
    return 0;
  }
  const crypto::Secret password = new_password(a, c, user.name);
  State state(c);
  state.users.set_password(user.name, password.view(), actor(c));
  done(c, "User " + user.name + " has a new password, and is signed out everywhere.", to_json(*state.users.find(user.name)));
  return 0;
}

int list(const Arguments&, Context& c) {
  const std::vector<service::User> users = users_there(c);
  std::vector<std::vector<std::string>> rows{{"NAME", "ROLE", "SINCE", "PASSWORD SINCE"}};
  Json all = Json::array();
  for (const service::User& user : users) {
    rows.push_back({user.name, std::string(service::to_text(user.role)), when(user.created), when(user.password_changed)});
    all.push_back(to_json(user));
  }
  c.output.answer(users.empty() ? "There are no users. 'holdfast user add NAME --role administrator' makes the first one." : table(rows, ""));
  c.output.result(Json{{"users", all}});
  return 0;
}

int remove(const Arguments& a, Context& c) {
  const service::User user = require_user(c, a.positional(0));
  State state(c);
  if (state.users.is_last_administrator(user.name))
    throw Error(Code::precondition, user.name + " is the last administrator: nobody could manage users any more")
        .safe("nothing was changed")
        .hint("make another one first: 'holdfast user add NAME --role administrator'");
  c.output.say("User " + user.name + ", " + std::string(service::to_text(user.role)) + ", since " + when(user.created) +
               ".\nTokens of programs stay, also those that this user made.");
  if (a.has("--dry-run") || !c.confirm("Remove the user?")) {
    c.output.say("Nothing was changed.");
    c.output.result(Json{{"removed", nullptr}, {"dry_run", a.has("--dry-run")}});
    return 0;
  }
  state.users.remove(user.name, actor(c));
  done(c, "User " + user.name + " was removed, and is signed out everywhere.", Json{{"removed", user.name}});
  return 0;
}

}  // namespace

std::vector<Verb> user_verbs() {
  const std::vector<Option> fresh{{"--new-password-file", "FILE", "read the new password from FILE"},
                                  {"--new-password-command", "COMMAND", "take the new password from what COMMAND prints"},
                                  {"--new-password-fd", "N", "read the new password from the open file N"},
                                  {"--dry-run", "", "say what would be done, change nothing"}};
  const Positional name{"NAME", "the user's name: letters, digits, . _ - @"};
  Verb ad;
  ad.name = "user add";
  ad.summary = "add a user of the console; the first administrator is made here";
  ad.positionals = {name};
  ad.options = fresh;
  ad.options.insert(ad.options.begin(), {"--role", "ROLE", "viewer, operator, recovery or administrator"});
  ad.details = "A viewer sees; an operator also starts backups and verifications; recovery also downloads, restores and recovers; an administrator also "
               "changes retention, schedules, settings and users. A password has at least 12 characters.";
  ad.examples = {{"holdfast user add anna --role administrator", "asks for the password twice"},
                 {"holdfast user add shift --role operator --new-password-file pw", "takes it from a file"}};
  ad.run = add;
  Verb pa;
  pa.name = "user passwd";
  pa.summary = "give a user a new password; ends the user's sessions";
  pa.positionals = {name};
  pa.options = fresh;
  pa.details = "Also ends the waiting after failed sign-ins. For an administrator who has forgotten the password, too.";
  pa.examples = {{"holdfast user passwd anna", "asks for the new password twice"}};
  pa.run = passwd;
  Verb li;
  li.name = "user list";
  li.summary = "show the users of the console and their roles";
  li.examples = {{"holdfast user list", "name, role, since when"}};
  li.run = list;
  Verb re;
  re.name = "user remove";
  re.summary = "remove a user; the last administrator stays";
  re.positionals = {name};
  re.options = {{"--dry-run", "", "say what would be done, change nothing"}};
  re.examples = {{"holdfast user remove shift", "asks before it removes"}};
  re.run = remove;
  return {ad, pa, li, re};
}

}  // namespace holdfast::cli
