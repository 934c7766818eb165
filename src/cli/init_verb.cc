#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/context.h"
#include "cli/verbs.h"

namespace holdfast::cli {
namespace {

// With a terminal: one line of the recovery key is typed back, so that it is known to be written down.
void confirm_recovery_key(const repository::RecoveryKey& key, Context& c) {
  if (c.options.yes || !c.can_ask() || c.output.json()) return;
  auto lines = split(key.text(), '\n');
  std::uint8_t random[1];
  c.world.entropy.fill(random);
  std::size_t line = random[0] % 8;
  auto bare = [](std::string_view text) {
    std::string out;
    for (char ch : text.substr(text.find(':') == std::string_view::npos ? 0 : text.find(':') + 1))
      if (ch != '-' && ch != ' ') out += ch;
    return to_lower_ascii(out);
  };
  auto typed = [&] {
    try {
      return c.world.terminal.ask("Type line " + std::to_string(line + 1) + " of the recovery key to show that you have it: ");
    } catch (Error& e) {
      e.safe("the repository was made; its recovery key stands above and is not shown again");
      throw;
    }
  };
  while (bare(typed()) != bare(lines.at(line)))
    c.world.terminal.out("That is not line " + std::to_string(line + 1) + ".\n");
}

// A folder that is not there yet holds no repository; it is made only when one is created in it.
bool is_repository(const std::string& location, Context& c) {
  try {
    repository::inspect(*c.open_store(location, false));
    return true;
  } catch (const Error& e) {
    if (e.code() != Code::not_found) throw;
    return false;
  }
}

int run(const Arguments& a, Context& c) {
  std::string location = c.repository_location();
  if (is_repository(location, c))
    throw Error(Code::already_exists, "there is a repository at " + location).safe("it was not touched").hint("'holdfast key list' shows the ways into it");
  if (a.has("--dry-run")) {
    c.output.answer("A repository would be created at " + location + ". Nothing was changed.");
    c.output.result(Json{{"repository", location}, {"dry_run", true}});
    return 0;
  }
  SecretSource fresh{a.value("--new-password-file"), a.value("--new-password-command"), a.value("--new-password-fd"), "", ""};
  const SecretSource& source = c.has_secret_source(fresh) ? fresh : c.password_source();
  Bytes typed = c.secret(source, "New password for " + location, true);
  repository::SlotSecret password;
  try {
    password = repository::password_secret(typed);
  } catch (const Error& e) {   // an empty or impossible password at init is wrong usage: there is nothing that it fails to open
    throw Error(Code::usage, e.message()).safe("nothing was changed").hint("give a password that is not empty");
  }
  auto where = c.open_store(location, true);
  auto created = repository::create(c.repository_context(*where), password);
  std::string key = created.recovery_key.text();
  c.output.say("Repository " + created.repository->id().hex() + " was created at " + location + ".\n");
  c.output.answer("Recovery key: print it or write it down, and keep it away from this server. It opens the repository when\nthe password is lost, and it is shown only now.\n\n" + key);
  confirm_recovery_key(created.recovery_key, c);
  c.output.say("No schedule is on: nothing runs by itself. Next: holdfast backup");
  c.output.result(Json{{"repository", location}, {"id", created.repository->id().hex()}, {"recovery_key", key}});
  return 0;
}

}  // namespace

Verb init_verb() {
  Verb v;
  v.name = "init";
  v.summary = "create the repository and its ways in";
  v.options = {{"--new-password-file", "FILE", "read the new password from FILE"},
               {"--new-password-command", "COMMAND", "take the new password from what COMMAND prints"},
               {"--new-password-fd", "N", "read the new password from the open file N"},
               {"--dry-run", "", "say what would be done, change nothing"}};
  v.examples = {{"holdfast init --config /etc/holdfast/holdfast.toml", "asks for the password twice and shows the recovery key once"},
                {"holdfast init --repository /backup/ns01 --password-file /root/pw --yes", "without questions"}};
  v.details = "Two ways into the repository are made: your password, and a recovery key that is shown once. Without --new-password-... the password's own sources are used.";
  v.run = run;
  return v;
}

}  // namespace holdfast::cli
