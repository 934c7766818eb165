// 'holdfast user': with real files and the real cost of a password.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/cancel.h"
#include "base/text.h"
#include "cli/run.h"
#include "platform/testing.h"
#include "service/access/sign_in.h"

namespace holdfast::cli {
namespace {

using nlohmann::json;

class UserVerbs : public ::testing::Test {
 protected:
  int words(std::vector<std::string> all) {
    terminal.printed.clear();
    terminal.printed_error.clear();
    terminal.secret_questions.clear();
    return run(all, "holdfast", world, adapters, cancel);
  }
  json result() {
    const auto lines = split(terminal.printed, '\n');
    return json::parse(lines.at(lines.size() - 2));
  }
  int add(const std::string& name, const std::string& role) {
    std::ofstream(folder.path() / "pw") << "a long enough one\n";
    return words({"user", "add", name, "--role", role, "--new-password-file", (folder.path() / "pw").string()});
  }
  bool signs_in(const std::string& name, std::string_view password) {
    service::StateFile state(world.files, world.entropy, state_folder, service::StateFile::Use::beside);
    service::Audit audit(state, world.clock);
    service::Passwords passwords(world.entropy);
    service::Sessions sessions(state, audit, world.clock, world.entropy);
    service::SignIn sign_in(state, audit, passwords, sessions, world.clock);
    return sign_in.try_password(name, as_bytes(password), "192.0.2.1").outcome == service::SignInAnswer::Outcome::signed_in;
  }

  platform::TemporaryFolder folder;
  platform::Path state_folder = folder.path() / "state";
  platform::ScriptedTerminal terminal;
  platform::FixedHost host;
  platform::World real = platform::real_world();
  platform::World world{real.files, real.clock, real.entropy, host, real.processes, terminal, {{"HOLDFAST_STATE", state_folder.string()}}};
  item::AdapterSet adapters;
  Cancel cancel;
};

TEST_F(UserVerbs, TheFirstAdministratorIsMadeAtATerminal) {
  EXPECT_EQ(words({"user", "list"}), 0);
  EXPECT_NE(terminal.printed.find("There are no users"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(state_folder)) << "looking makes nothing";
  terminal.answers = {"a long enough one", "a long enough two", "a long enough one", "a long enough one"};
  EXPECT_EQ(words({"user", "add", "Anna", "--role", "administrator"}), 0) << terminal.printed_error;
  EXPECT_EQ(terminal.secret_questions.size(), 4U) << "typed differently once";
  EXPECT_EQ((terminal.printed + terminal.printed_error).find("long enough"), std::string::npos);
  EXPECT_TRUE(signs_in("anna", "a long enough one"));
  EXPECT_FALSE(signs_in("anna", "a long enough two"));
  EXPECT_EQ(words({"user", "list", "--json"}), 0);
  const json listed = result();
  ASSERT_EQ(listed["users"].size(), 1U);
  EXPECT_EQ(listed["users"][0]["name"], "anna");
  EXPECT_EQ(listed["users"][0]["role"], "administrator");
}

TEST_F(UserVerbs, PasswordsAreChangedAndUsersRemoved) {
  ASSERT_EQ(add("anna", "administrator"), 0) << terminal.printed_error;
  ASSERT_EQ(add("otto", "viewer"), 0);
  terminal.answers = {"another long one", "another long one"};
  EXPECT_EQ(words({"user", "passwd", "OTTO"}), 0) << terminal.printed_error;
  EXPECT_FALSE(signs_in("otto", "a long enough one"));
  EXPECT_TRUE(signs_in("otto", "another long one"));
  terminal.answers = {"n"};
  EXPECT_EQ(words({"user", "remove", "otto"}), 0);
  EXPECT_TRUE(signs_in("otto", "another long one"));
  EXPECT_EQ(words({"user", "remove", "otto", "--yes", "--json"}), 0);
  EXPECT_EQ(result()["removed"], "otto");
  EXPECT_FALSE(signs_in("otto", "another long one"));
  EXPECT_EQ(words({"user", "remove", "anna", "--yes"}), 18) << "the last administrator";
  EXPECT_TRUE(signs_in("anna", "a long enough one"));
  service::StateFile state(world.files, world.entropy, state_folder, service::StateFile::Use::beside);
  service::Audit audit(state, world.clock);
  EXPECT_FALSE(audit.verify().broken);
  for (const auto& e : audit.entries(0, 100))
    if (e.action.starts_with("user.")) {
      EXPECT_EQ(e.actor.who + " " + e.actor.origin, "root command line");
    }
}

TEST_F(UserVerbs, RefusalsChangeNothing) {
  EXPECT_EQ(words({"user", "add", "anna"}), 2);
  EXPECT_EQ(words({"user", "add", "anna", "--role", "amdinistrator"}), 2);
  EXPECT_NE(terminal.printed_error.find("did you mean 'administrator'?"), std::string::npos) << terminal.printed_error;
  EXPECT_EQ(words({"user", "add", "an na", "--role", "viewer"}), 2);
  EXPECT_EQ(words({"user", "passwd", "anna"}), 10);
  EXPECT_EQ(words({"user", "remove", "anna", "--yes"}), 10);
  EXPECT_FALSE(std::filesystem::exists(state_folder));
  for (const char* weak : {"short", "anna"}) {
    terminal.answers = {weak, weak};
    EXPECT_EQ(words({"user", "add", "anna", "--role", "viewer"}), 2) << weak;
  }
  EXPECT_NE(terminal.printed_error.find("fewer than 12"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(state_folder));
  ASSERT_EQ(add("anna", "administrator"), 0);
  EXPECT_EQ(add("Anna", "viewer"), 11);
  terminal.input_terminal = false;
  EXPECT_EQ(words({"user", "passwd", "anna"}), 2) << "nobody can be asked";
  EXPECT_TRUE(signs_in("anna", "a long enough one"));
}

TEST_F(UserVerbs, ADryRunAsksNothingAndChangesNothing) {
  EXPECT_EQ(words({"user", "add", "anna", "--role", "administrator", "--dry-run", "--json"}), 0);
  EXPECT_EQ(result()["dry_run"], true);
  EXPECT_FALSE(std::filesystem::exists(state_folder));
  ASSERT_EQ(add("anna", "administrator"), 0);
  ASSERT_EQ(add("otto", "viewer"), 0);
  EXPECT_EQ(words({"user", "add", "anna", "--role", "viewer", "--dry-run"}), 11);
  EXPECT_EQ(words({"user", "passwd", "anna", "--dry-run"}), 0);
  EXPECT_EQ(words({"user", "remove", "otto", "--dry-run"}), 0);
  EXPECT_EQ(words({"user", "remove", "anna", "--dry-run"}), 18);
  EXPECT_TRUE(terminal.questions.empty());
  EXPECT_TRUE(signs_in("anna", "a long enough one"));
  EXPECT_TRUE(signs_in("otto", "a long enough one"));
}

}  // namespace
}  // namespace holdfast::cli
