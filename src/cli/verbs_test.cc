// The table of verbs and what is made from it: help, completion, man page; and what the command line refuses.
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "base/cancel.h"
#include "base/error.h"
#include "base/text.h"
#include "cli/help.h"
#include "cli/run.h"
#include "cli/verb.h"
#include "platform/testing.h"

namespace holdfast::cli {
namespace {

class CommandLine : public ::testing::Test {
 protected:
  int run_words(const std::vector<std::string>& words) {
    terminal.printed.clear();
    terminal.printed_error.clear();
    return run(words, "holdfast", world, adapters, cancel);
  }

  platform::ScriptedTerminal terminal;
  platform::FixedHost host;
  platform::World real = platform::real_world();
  platform::World world{real.files, real.clock, real.entropy, host, real.processes, terminal, {}};
  item::AdapterSet adapters;
  Cancel cancel;
};

int shell(const std::string& command) {
  auto result = platform::real_world().processes.run({"/bin/bash", "-c", command}, {});
  EXPECT_EQ(result.output + result.error_output, "") << command;
  return result.exit_code;
}

TEST_F(CommandLine, HelpOfEveryVerbNamesEveryOptionAndHasAnExample) {
  for (const Verb& v : all_verbs()) {
    EXPECT_NE(v.run, nullptr) << v.name;
    ASSERT_FALSE(v.examples.empty()) << v.name;
    for (const Example& e : v.examples) EXPECT_TRUE(e.command.starts_with("holdfast " + v.name)) << e.command;
    auto words = split(v.name, ' ');
    words.push_back("--help");
    EXPECT_EQ(run_words(words), 0);
    EXPECT_EQ(terminal.printed, verb_help(v));
    for (const Option& o : v.options) EXPECT_NE(terminal.printed.find("\n  " + o.name), std::string::npos) << v.name << " " << o.name;
    for (const Option& o : global_options()) EXPECT_NE(terminal.printed.find("\n  " + o.name), std::string::npos) << v.name << " " << o.name;
    for (const Positional& p : v.positionals) EXPECT_NE(terminal.printed.find("\n  " + p.name), std::string::npos) << v.name << " " << p.name;
    EXPECT_NE(general_help().find("\n  " + v.name + "  "), std::string::npos) << v.name;
  }
}

TEST_F(CommandLine, HelpFitsATerminalOfEightyColumns) {
  std::string all = general_help();
  for (const Verb& v : all_verbs()) all += verb_help(v);
  for (const std::string& line : split(all, '\n')) EXPECT_LE(line.size(), 80U) << line;
}

// docs/commands.md, "Verbs": nothing of the contract is unknown, built or not.
TEST_F(CommandLine, EveryVerbOfTheContractIsBuiltOrReserved) {
  std::set<std::string> built;
  for (const Verb& v : all_verbs()) EXPECT_TRUE(built.insert(v.name).second) << v.name;
  for (const char* name :
       {"sample", "init", "backup", "points", "show", "diff", "restore", "export", "import", "recover", "kit", "drill", "evidence", "verify", "check",
        "repair", "retention show", "retention apply", "forget", "pin", "unpin", "prune", "copy", "key list", "key add", "key remove", "key change",
        "key rotate", "key test", "accept-older", "package", "schedule list", "schedule on", "schedule off", "schedule run", "status", "serve", "user add", "user passwd", "user list", "user remove", "doctor", "explain"}) {
    if (built.contains(name)) continue;
    auto words = split(name, ' ');
    EXPECT_EQ(run_words(words), 19) << name;
    EXPECT_NE(terminal.printed_error.find("code: unsupported"), std::string::npos);
    EXPECT_EQ(general_help().find("\n  " + std::string(name) + " "), std::string::npos) << name;
  }
}

TEST_F(CommandLine, EveryVerbThatWritesHasADryRun) {
  const std::set<std::string> only_reads{"points", "show", "diff", "check", "retention show", "key list", "key test", "schedule list", "status", "user list", "explain", "completion", "man"};
  for (const Verb& v : all_verbs()) {
    bool dry = std::any_of(v.options.begin(), v.options.end(), [](const Option& o) { return o.name == "--dry-run"; });
    EXPECT_EQ(dry, !only_reads.contains(v.name)) << v.name;
  }
}

TEST_F(CommandLine, UnknownWordsOfferTheNearest) {
  EXPECT_EQ(run_words({"bakcup"}), 2);
  EXPECT_NE(terminal.printed_error.find("did you mean 'backup'?"), std::string::npos) << terminal.printed_error;
  EXPECT_EQ(run_words({"backup", "--lable", "x"}), 2);
  EXPECT_NE(terminal.printed_error.find("did you mean '--label'?"), std::string::npos) << terminal.printed_error;
  EXPECT_EQ(run_words({"backup", "--dryrun"}), 2);
  EXPECT_NE(terminal.printed_error.find("did you mean '--dry-run'?"), std::string::npos) << terminal.printed_error;
  EXPECT_EQ(run_words({"zzzzzzzzzz\x1b[2J"}), 2);
  EXPECT_EQ(terminal.printed_error.find('\x1b'), std::string::npos);
  EXPECT_EQ(run_words({}), 2);
}

TEST_F(CommandLine, TheCompletionIsValidBashAndCompletes) {
  platform::TemporaryFolder folder;
  std::string file = (folder.path() / "completion").string();
  std::ofstream(file) << bash_completion();
  EXPECT_EQ(shell("bash -n " + file), 0);
  EXPECT_EQ(shell("source " + file + "; COMP_WORDS=(holdfast rest); COMP_CWORD=1; _holdfast; [[ ${COMPREPLY[*]} == restore ]]"), 0);
  EXPECT_EQ(shell("source " + file + "; COMP_WORDS=(holdfast key rem); COMP_CWORD=2; _holdfast; [[ ${COMPREPLY[*]} == remove ]]"), 0);
  EXPECT_EQ(shell("source " + file + "; COMP_WORDS=(holdfast backup --lab); COMP_CWORD=2; _holdfast; [[ ${COMPREPLY[*]} == --label ]]"), 0);
}

TEST_F(CommandLine, TheManPageHasItsSectionsAndNoLineThatIsTakenForARequest) {
  const std::set<std::string> requests{".TH", ".SH", ".SS", ".PP", ".TP", ".B", ".RS", ".RE", ".nf", ".fi"};
  std::string page = man_page();
  for (const char* section : {".TH HOLDFAST 1", "\n.SH NAME\n", "\n.SH SYNOPSIS\n", "\n.SH VERBS\n", "\n.SH OPTIONS\n", "\n.SH EXIT STATUS\n"})
    EXPECT_NE(page.find(section), std::string::npos) << section;
  for (const std::string& line : split(page, '\n')) {
    EXPECT_TRUE(!line.starts_with(".") || requests.contains(split(line, ' ').front())) << line;
    EXPECT_FALSE(line.starts_with("'")) << line;
  }
}

}  // namespace
}  // namespace holdfast::cli
