// The installer of the sample, run as an administrator runs it.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <set>

#include "base/text.h"
#include "sample/catalogue.h"
#include "sample/testing.h"

namespace holdfast::sample {
namespace {

Path package() { return shared_sample().server / kInstallPackage; }

std::vector<std::string> command(const Path& root, std::vector<std::string> more = {}) {
  std::vector<std::string> argv = {(package() / "setup").string(),
                                   "--root",
                                   root.string(),
                                   "--install-path",
                                   std::string(kInstallPath),
                                   "--application-identity",
                                   std::string(kApplicationIdentity),
                                   "--database",
                                   std::string(kDatabaseName)};
  argv.insert(argv.end(), more.begin(), more.end());
  return argv;
}

int setup(const Path& root, std::vector<std::string> more = {}) {
  return run(command(root, std::move(more))).exit_code;
}

std::string registry_of(const Path& root) {
  return output({"iconv", "-f", "UTF-16LE", "-t", "UTF-8", (root / kRegistry).string()});
}

// A clean server to compare with, made once.
const std::map<std::string, std::string>& clean_server() {
  static const TemporaryFolder folder;
  static const auto tree = [] {
    EXPECT_EQ(setup(folder / "server"), 0);
    return describe_tree(folder / "server");
  }();
  return tree;
}

TEST(Setup, CleanServerHoldsNothingOfAnotherServer) {
  TemporaryFolder folder;
  const Path root = folder / "server";
  ASSERT_EQ(setup(root), 0);
  std::set<std::string> hashes;  // of everything that makes the full server this one
  const Path full = shared_sample().server;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(full)) {
    const std::string path = entry.path().lexically_relative(full).string();
    if (entry.is_symlink() || !entry.is_regular_file()) continue;
    if (path.starts_with(kProgramFolder) || path.starts_with(kInstallPackage)) continue;
    hashes.insert(crypto::sha256(as_bytes(read_file(entry.path()))).hex());
  }
  std::set<std::string> own;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (!entry.is_regular_file()) continue;
    const std::string path = entry.path().lexically_relative(root).string();
    EXPECT_FALSE(hashes.contains(crypto::sha256(as_bytes(read_file(entry.path()))).hex())) << path;
    if (!path.starts_with(kProgramFolder)) own.insert(path);
  }
  EXPECT_EQ(own, (std::set<std::string>{"Database/Symantec_CMDB.db", std::string(kCoreSettings),
                                        std::string(kRegistry), std::string(kWebConfig)}));
  const Path database = root / "Database/Symantec_CMDB.db";
  EXPECT_EQ(read_file(database).substr(18, 2), "\x02\x02");  // WAL mode, as the file format says
  const auto tables = sql(database, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1");
  EXPECT_EQ(tables,
            sql(shared_sample().database, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1"));
  for (const auto& table : tables)
    EXPECT_EQ(sql(database, "SELECT count(*) FROM " + table).at(0), "0") << table;
  const std::string registry = registry_of(root);
  for (const char* foreign : {"Thumbprint", "pwd", "TrustedProxies", "PkgSvr"}) {
    EXPECT_EQ(registry.find(foreign), std::string::npos) << foreign;
  }
  EXPECT_EQ(read_file(root / kWebConfig).find("certificateHash"), std::string::npos);
  EXPECT_EQ(read_file(root / kCoreSettings).find("example.test"), std::string::npos);
}

TEST(Setup, FoldersAndProgramsAreTheLostServers) {
  const auto& clean = clean_server();
  const auto full = describe_tree(shared_sample().server);
  for (const auto& [path, description] : clean) {
    const bool program = path.starts_with("Program Files");
    const bool folder = description.starts_with("4");
    if (program || folder) {
      EXPECT_EQ(description, full.at(path)) << path;
    }
  }
  for (const auto& folder : server_folders())
    EXPECT_TRUE(clean.contains(std::string(folder.path))) << folder.path;
}

TEST(Setup, RefusesAnInstalledServerAndRepairsItWhenTold) {
  TemporaryFolder folder;
  const Path root = folder / "server";
  ASSERT_EQ(setup(root), 0);
  EXPECT_EQ(describe_tree(root), clean_server());
  const auto again = run(command(root));
  EXPECT_EQ(again.exit_code, 11);
  EXPECT_NE(again.error_output.find("already has an installation"), std::string::npos);
  EXPECT_EQ(describe_tree(root), clean_server());

  write_file(root / kCoreSettings, "<configuration/>");
  output({"sqlite3", (root / "Database/Symantec_CMDB.db").string(),
          "INSERT INTO ItemClass VALUES ('1', 'kept')"});
  const std::string registry = read_file(root / kRegistry);
  std::filesystem::remove_all(root / kProgramFolder / "Bin");
  std::filesystem::remove_all(root / kDocuments);
  EXPECT_EQ(setup(root, {"--repair"}), 0);
  EXPECT_TRUE(std::filesystem::exists(root / kProgramFolder / "Bin/AeXSvc.exe"));
  EXPECT_TRUE(std::filesystem::exists(root / kDocuments));
  EXPECT_EQ(read_file(root / kCoreSettings), "<configuration/>");
  EXPECT_EQ(read_file(root / kRegistry), registry);
  EXPECT_EQ(sql(root / "Database/Symantec_CMDB.db", "SELECT Name FROM ItemClass"),
            std::vector<std::string>{"kept"});

  std::filesystem::remove_all(root / "Program Files");  // the registry alone still says: an installation
  EXPECT_EQ(setup(root), 11);
  EXPECT_EQ(setup(root, {"--repair"}), 0);
  EXPECT_EQ(setup(root), 11);
}

TEST(Setup, FinishesAfterAFailedStep) {
  for (const bool repair : {false, true}) {
    TemporaryFolder folder;
    const Path root = folder / "server";
    const Path in_the_way = root / (std::string(kRegistry) + ".setup-new");
    std::filesystem::create_directories(in_the_way);
    EXPECT_EQ(setup(root), 1);
    EXPECT_FALSE(std::filesystem::exists(root / kRegistry));
    EXPECT_TRUE(std::filesystem::exists(root / "Database/Symantec_CMDB.db"));
    std::filesystem::remove(in_the_way);
    EXPECT_EQ(setup(root, repair ? std::vector<std::string>{"--repair"} : std::vector<std::string>{}), 0);
    EXPECT_EQ(describe_tree(root), clean_server());
  }
}

// Starts setup, kills it with everything that it started after `delay`; true: it was killed.
bool killed_setup(const Path& root, std::chrono::milliseconds delay) {
  const auto argv = command(root);
  const pid_t child = fork();
  if (child == 0) {
    setpgid(0, 0);
    std::vector<char*> arguments;
    for (const auto& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    execv(arguments[0], arguments.data());
    _exit(127);
  }
  setpgid(child, child);
  usleep(static_cast<useconds_t>(delay.count()) * 1000);
  kill(-child, SIGKILL);
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFSIGNALED(status);
}

TEST(Setup, FinishesAfterBeingKilledAtAnyMoment) {
  const auto start = std::chrono::steady_clock::now();
  TemporaryFolder timing;
  ASSERT_EQ(setup(timing / "server"), 0);
  const auto whole =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
  int killed = 0;
  for (int part = 1; part <= 12; ++part) {
    TemporaryFolder folder;
    const Path root = folder / "server";
    if (!killed_setup(root, whole * part / 12)) continue;
    ++killed;
    EXPECT_EQ(setup(root), 0) << part;
    EXPECT_EQ(describe_tree(root), clean_server()) << part;
  }
  EXPECT_GE(killed, 4);
}

TEST(Setup, KeepsADatabaseThatWasBroughtBackBefore) {
  TemporaryFolder folder;
  const Path root = folder / "server";
  std::filesystem::create_directories(root / kDatabaseFolder);
  std::filesystem::copy_file(shared_sample().database, root / "Database/Symantec_CMDB.db");
  ASSERT_EQ(setup(root), 0);
  EXPECT_EQ(read_file(root / "Database/Symantec_CMDB.db"), read_file(shared_sample().database));
}

TEST(Setup, TakesNamesAsTheyAre) {
  TemporaryFolder folder;
  const Path root = folder / "a server & more";
  const std::vector<std::string> argv = {(package() / "setup").string(),
                                         "--root",
                                         root.string(),
                                         "--install-path",
                                         R"(D:\Tools & "Co" | 50%\NS)",
                                         "--application-identity",
                                         R"(Zürich\svc&|/\1)",
                                         "--database",
                                         "CMDB_2"};
  ASSERT_EQ(run(argv).exit_code, 0);
  const std::string registry = registry_of(root);
  EXPECT_NE(registry.find("\"InstallPath\"=\"D:\\\\Tools & \\\"Co\\\" | 50%\\\\NS\"\r\n"), std::string::npos);
  EXPECT_NE(registry.find("\"user\"=\"Zürich\\\\svc&|/\\\\1\"\r\n"), std::string::npos);
  EXPECT_NE(registry.find("\"DatabaseName\"=\"CMDB_2\"\r\n"), std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(root / "Tools & \"Co\" | 50%/NS/Bin/AeXSvc.exe"));
  EXPECT_TRUE(std::filesystem::exists(root / "Database/CMDB_2.db"));
}

TEST(Setup, RefusesWrongUsageWithoutTouchingAnything) {
  TemporaryFolder folder;
  const Path root = folder / "server";
  const std::string program = (package() / "setup").string();
  EXPECT_EQ(run({program}).exit_code, 2);
  EXPECT_EQ(setup(root, {"--force"}), 2);
  EXPECT_EQ(setup(root, {"--database", "../x"}), 2);
  EXPECT_EQ(setup(root, {"--database", ""}), 2);
  EXPECT_EQ(setup(root, {"--database"}), 2);
  EXPECT_EQ(setup(root, {"--install-path", R"(C:\..\..\etc)"}), 2);
  EXPECT_EQ(setup(root, {"--install-path", R"(C:\)"}), 2);
  EXPECT_EQ(setup(root, {"--application-identity", "a\nb"}), 2);
  EXPECT_FALSE(std::filesystem::exists(root));
}

TEST(Setup, WritesNothingThroughALink) {
  TemporaryFolder folder;
  const Path root = folder / "server";
  std::filesystem::create_directories(folder / "elsewhere");
  std::filesystem::create_directories(root);
  std::filesystem::create_directory_symlink(folder / "elsewhere", root / "Database");
  EXPECT_EQ(setup(root), 1);
  EXPECT_TRUE(std::filesystem::is_empty(folder / "elsewhere"));
}

TEST(Setup, NeedsTheWholePackage) {
  TemporaryFolder folder;
  std::filesystem::copy(package(), folder / "package", std::filesystem::copy_options::recursive);
  std::filesystem::remove(folder / "package/payload/database/empty.db");
  auto argv = command(folder / "server");
  argv[0] = (folder / "package/setup").string();
  EXPECT_EQ(run(argv).exit_code, 1);
  EXPECT_FALSE(std::filesystem::exists(folder / "server"));
}

}  // namespace
}  // namespace holdfast::sample
