// The made sample, looked at with other tools: sqlite3, openssl, an XML parser, the file system's own calls.
#include "sample/sample.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include <pugixml.hpp>
#include <set>
#include <thread>

#include "base/text.h"
#include "base/wire.h"
#include "crypto/aead.h"
#include "sample/catalogue.h"
#include "sample/random.h"
#include "sample/testing.h"

namespace holdfast::sample {
namespace {

Path under(const SampleReport& report, std::string_view path) { return report.server / path; }

// The registry file as UTF-8 with LF.
std::string registry_text(const SampleReport& report) {
  std::string text = output({"iconv", "-f", "UTF-16LE", "-t", "UTF-8", under(report, kRegistry).string()});
  EXPECT_EQ(text.substr(0, 3), "\xef\xbb\xbf");
  std::string lines;
  for (char c : text.substr(3)) {
    if (c != '\r') lines += c;
  }
  return lines;
}

std::map<std::string, std::string> kms_lines(const Path& file) {
  std::map<std::string, std::string> values;
  std::istringstream lines(read_file(file));
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(line, "HOLDFAST SAMPLE KMS KEY 1");
  while (std::getline(lines, line)) values[line.substr(0, line.find(':'))] = line.substr(line.find(':') + 2);
  return values;
}

TEST(Sample, DatabaseIsSoundAndHoldsEveryKindOfRow) {
  const auto& report = shared_sample();
  EXPECT_EQ(sql(report.database, "PRAGMA integrity_check"), std::vector<std::string>{"ok"});
  EXPECT_EQ(read_file(report.database).substr(18, 2), "\x02\x02");  // WAL mode, as the file format says
  EXPECT_FALSE(std::filesystem::exists(report.database.string() + "-wal"));

  std::uint64_t rows = 0;
  for (const auto& table : sql(report.database, "SELECT name FROM sqlite_master WHERE type = 'table'")) {
    const auto count = std::stoull(sql(report.database, "SELECT count(*) FROM " + table).at(0));
    EXPECT_GT(count, 0U) << table;
    rows += count;
  }
  EXPECT_EQ(rows, report.rows);
  EXPECT_GT(rows, 1800U);
  EXPECT_LT(rows, 2600U);
  EXPECT_EQ(sql(report.database, "SELECT DISTINCT InstanceStatus FROM TaskInstanceStatus ORDER BY 1"),
            (std::vector<std::string>{"0", "1", "2", "3"}));
  EXPECT_NE(sql(report.database, "SELECT count(*) FROM vComputer").at(0), "0");
  for (const auto& invariant : invariants()) {
    EXPECT_EQ(sql(report.database, std::string(invariant.query)), std::vector<std::string>{"1"})
        << invariant.name;
  }
  EXPECT_EQ(report.database_bytes, std::filesystem::file_size(report.database));
}

TEST(Sample, CancellingAllTasksKeepsTheInvariants) {
  TemporaryFolder folder;
  const Path copy = folder / "copy.db";
  std::filesystem::copy_file(shared_sample().database, copy);
  output({"sqlite3", copy.string(),
          "DELETE FROM ServerTaskInstanceRequests; DELETE FROM ServerTaskInstanceStates;"
          "DELETE FROM ClientTaskInstanceRequests; UPDATE TaskInstanceStatus SET InstanceStatus=3 WHERE "
          "InstanceStatus<=1"});
  for (const auto& invariant : invariants()) {
    EXPECT_EQ(sql(copy, std::string(invariant.query)), std::vector<std::string>{"1"}) << invariant.name;
  }
}

TEST(Sample, InvariantsNoticeHalfATransaction) {
  TemporaryFolder folder;
  const std::vector<std::string> harm = {
      "UPDATE Item SET State = State + 1 WHERE rowid = 5",
      "DELETE FROM TaskInstanceStatus WHERE rowid = 3",
      "DELETE FROM TaskInstanceResults WHERE rowid = 3",
      "INSERT INTO ServerTaskInstanceRequests SELECT TaskInstanceGuid, '', '' FROM TaskInstanceResults LIMIT "
      "1",
  };
  for (std::size_t i = 0; i < harm.size(); ++i) {
    const Path copy = folder / (std::to_string(i) + ".db");
    std::filesystem::copy_file(shared_sample().database, copy);
    output({"sqlite3", copy.string(), harm[i]});
    EXPECT_EQ(sql(copy, std::string(invariants()[i].query)), std::vector<std::string>{"0"})
        << invariants()[i].name;
  }
}

TEST(Sample, EncryptedColumnsOpenWithTheKeyFilesAlone) {
  const auto& report = shared_sample();
  std::map<std::string, std::string> keys;  // id -> key
  for (const auto& file : std::filesystem::directory_iterator(under(report, kKmsKeys))) {
    const auto lines = kms_lines(file.path());
    EXPECT_EQ(file.path().filename().string(), lines.at("name") + ".kms");
    EXPECT_EQ(std::filesystem::status(file).permissions(), std::filesystem::perms{0600});
    Bytes key(32);
    ASSERT_TRUE(from_hex(lines.at("key"), key));
    EXPECT_EQ(lines.at("check"), crypto::sha256(key).hex().substr(0, 16));
    keys[lines.at("id")] = lines.at("key");
  }
  EXPECT_EQ(keys.size(), 3U);

  std::size_t opened = 0;
  std::set<std::string> used, nonces;
  for (const auto& [table, column] :
       std::vector<std::pair<std::string, std::string>>{{"HierarchyCredential", "EncryptedPassword"},
                                                        {"RunAsAccount", "EncryptedPassword"},
                                                        {"WebServiceCredential", "EncryptedSecret"}}) {
    for (const auto& row : sql(report.database, "SELECT '" + table + "." + column + ":' || Guid, lower(hex(" +
                                                    column + ")) FROM " + table)) {
      const auto parts = split(row, '|');
      Bytes cell(parts.at(1).size() / 2), key(32);
      ASSERT_TRUE(from_hex(parts[1], cell));
      ASSERT_GT(cell.size(), 1 + 16 + 12 + 16U);
      EXPECT_EQ(cell[0], 1);
      const std::string id = to_hex(ByteView(cell).subspan(1, 16));
      ASSERT_TRUE(keys.contains(id)) << row;
      ASSERT_TRUE(from_hex(keys[id], key));
      crypto::Nonce nonce;
      std::copy_n(cell.begin() + 17, nonce.size(), nonce.begin());
      Bytes plain(cell.size() - 29 - 16);
      crypto::Aead aead(key);
      EXPECT_TRUE(aead.open(nonce, as_bytes(parts[0]), ByteView(cell).subspan(29), plain)) << row;
      EXPECT_FALSE(aead.open(nonce, as_bytes(parts[0] + "x"), ByteView(cell).subspan(29), plain)) << row;
      used.insert(id);
      nonces.insert(to_hex(nonce));
      ++opened;
    }
  }
  EXPECT_EQ(opened, 20U);
  EXPECT_EQ(used.size(), 3U);
  EXPECT_EQ(nonces.size(), opened);
}

TEST(Sample, CoreSettingsAndRegistryAreOneUnit) {
  const auto& report = shared_sample();
  pugi::xml_document document;
  ASSERT_TRUE(document.load_file(under(report, kCoreSettings).c_str()));
  const std::string registry = registry_text(report);
  std::set<std::string> types, upgrades, in_registry;
  for (const auto& found : document.select_nodes("//customSetting")) {
    const auto setting = found.node();
    EXPECT_FALSE(std::string(setting.attribute("key").value()).empty());
    types.insert(setting.attribute("type").value());
    if (setting.attribute("upgradeIf")) upgrades.insert(setting.attribute("upgradeIf").value());
    if (std::string(setting.attribute("type").value()) != "registry") continue;
    for (const char* needed : {"regKey", "regValue", "defaultValue", "regValueType"})
      EXPECT_TRUE(setting.attribute(needed));
    const std::string name = setting.attribute("regValue").value();
    in_registry.insert(name);
    const std::string key = std::string("HKEY_LOCAL_MACHINE") + (setting.attribute("regKey").value() + 4);
    const auto at = registry.find("[" + key + "]\n");
    ASSERT_NE(at, std::string::npos) << key;
    const auto end = registry.find("\n\n", at);
    EXPECT_NE(registry.substr(at, end - at).find("\n\"" + name + "\"="), std::string::npos) << name;
  }
  EXPECT_EQ(types, (std::set<std::string>{"local", "registry"}));
  EXPECT_EQ(upgrades, (std::set<std::string>{"gt", "lt", "ne"}));
  EXPECT_TRUE(in_registry.contains("PkgSvrDwonloadFromNSOnly"));
}

TEST(Sample, RegistryIsAnExportWithEveryValueType) {
  const auto& report = shared_sample();
  const std::string bytes = read_file(under(report, kRegistry));
  EXPECT_EQ(bytes.substr(0, 2), "\xff\xfe");
  EXPECT_EQ(bytes.size() % 2, 0U);
  for (std::size_t at = 2; at < bytes.size(); at += 2) {
    if (bytes[at] == '\n' && bytes[at + 1] == 0) {
      EXPECT_EQ(bytes[at - 2], '\r');
    }
  }
  const std::string text = registry_text(report);
  EXPECT_TRUE(text.starts_with(
      "Windows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Altiris\\eXpress\\"));
  for (const char* piece :
       {"=dword:", "=hex:", "=hex(0):", "=hex(2):", "=hex(7):", "=hex(b):", "\n@=\"", "=-\n",
        "\"Gateway \\\"primary\\\"\"=", "\"Path\\\\With\\\\Backslashes\"=", ",\\\n  ", "Zürich",
        "\"InstallPath\"=\"C:\\\\Program Files\\\\Altiris\\\\Notification Server\"",
        "\"DatabaseName\"=\"Symantec_CMDB\"", "\"user\"=\"EXAMPLE\\\\svc-altiris\"", "\"pwd\"=hex:"}) {
    EXPECT_NE(text.find(piece), std::string::npos) << piece;
  }
  for (const auto& line : split(text, '\n')) {
    if (line.find("hex") != std::string::npos || line.starts_with("  ")) {
      EXPECT_LE(line.size(), 80U) << line;
    }
  }
}

TEST(Sample, ProductsAreTheSameInRegistryDatabaseAndInstallationPackage) {
  const auto& report = shared_sample();
  const std::string registry = registry_text(report),
                    package = read_file(under(report, "InstallationPackage/package.toml"));
  const auto rows = sql(report.database, "SELECT ProductGuid, Name, Version FROM ProductVersion");
  EXPECT_EQ(rows.size(), 7U);
  for (const auto& row : rows) {
    const auto part = split(row, '|');
    EXPECT_NE(registry.find("\\ProductInstallation\\{" + part.at(0) + "}]\n\"Name\"=\"" + part.at(1) +
                            "\"\n\"Version\"=\"" + part.at(2) + "\"\n"),
              std::string::npos)
        << row;
    EXPECT_NE(
        package.find("name = \"" + part[1] + "\"\nid = \"" + part[0] + "\"\nversion = \"" + part[2] + "\"\n"),
        std::string::npos)
        << row;
  }
}

TEST(Sample, CertificatesFitTheirKeysTheRegistryAndTheWebConfiguration) {
  const auto& report = shared_sample();
  const Path folder = under(report, kCertificates);
  const std::string password = "file:" + (folder / "pkcs12.password").string();
  const auto sha1 = [&](const std::string& name) {
    std::string text = output({"openssl", "x509", "-noout", "-fingerprint", "-sha1", "-in",
                               (folder / (name + ".crt.pem")).string()});
    text = text.substr(text.find('=') + 1);
    std::erase_if(text, [](char c) { return c == ':' || c == '\n'; });
    return text;
  };
  for (const std::string name : {"ns-root", "site-server-root", "web"}) {
    const std::string certificate = (folder / (name + ".crt.pem")).string(),
                      key = (folder / (name + ".key.pem")).string();
    EXPECT_EQ(output({"openssl", "x509", "-noout", "-pubkey", "-in", certificate}),
              output({"openssl", "pkey", "-pubout", "-in", key}))
        << name;
    const auto p12 = output(
        {"openssl", "pkcs12", "-in", (folder / (name + ".p12")).string(), "-passin", password, "-nodes"});
    EXPECT_NE(p12.find("PRIVATE KEY"), std::string::npos);
    EXPECT_EQ(run({"openssl", "x509", "-noout", "-checkend", "31536000", "-in", certificate}).exit_code, 0)
        << name;
  }
  EXPECT_NE(
      run({"openssl", "pkcs12", "-in", (folder / "web.p12").string(), "-passin", "pass:wrong", "-nodes"})
          .exit_code,
      0);
  output({"openssl", "verify", "-CAfile", (folder / "ns-root.crt.pem").string(),
          (folder / "web.crt.pem").string()});
  EXPECT_EQ(std::filesystem::status(folder / "pkcs12.password").permissions(), std::filesystem::perms{0600});
  EXPECT_NE(registry_text(report).find("CA\\Agent]\n\"Thumbprint\"=\"" + sha1("ns-root") + "\"\n"),
            std::string::npos);

  pugi::xml_document web;
  ASSERT_TRUE(web.load_file(under(report, kWebConfig).c_str()));
  const auto sites = web.child("configuration").child("system.applicationHost").child("sites");
  const auto main = sites.find_child_by_attribute("site", "name", "Default Web Site");
  const auto agent = sites.find_child_by_attribute("site", "name", "Cloud-enabled Management Agent Site");
  EXPECT_EQ(std::string(main.find_child_by_attribute("application", "path", "/Altiris")
                            .attribute("enabledProtocols")
                            .value()),
            "http,https");
  EXPECT_TRUE(main.child("bindings").find_child_by_attribute("binding", "bindingInformation", "*:80:"));
  for (const auto& site : {main, agent}) {
    const auto https = site.child("bindings").find_child_by_attribute("binding", "protocol", "https");
    EXPECT_EQ(std::string(https.attribute("certificateHash").value()), sha1("web"));
    EXPECT_TRUE(https.attribute("sslFlags"));
  }
  EXPECT_TRUE(agent.child("bindings").find_child_by_attribute("binding", "bindingInformation", "*:4726:"));
}

TEST(Sample, EveryFileIsInThePlaceOfAnItemAndEveryFolderHasItsFixedTime) {
  const auto& report = shared_sample();
  const std::vector<std::string> places = {std::string(kProgramFolder) + "/",
                                           "Database/Symantec_CMDB.db",
                                           std::string(kCoreSettings),
                                           std::string(kRegistry),
                                           std::string(kWebConfig),
                                           "ProgramData/Symantec/SMP/Certificates/web.",
                                           "ProgramData/Symantec/SMP/Certificates/ns-root.",
                                           "ProgramData/Symantec/SMP/Certificates/site-server-root.",
                                           "ProgramData/Symantec/SMP/Certificates/pkcs12.password",
                                           std::string(kKmsKeys) + "/",
                                           std::string(kLicences) + "/",
                                           std::string(kDocuments) + "/cem-sheet.txt",
                                           std::string(kDocuments) + "/hierarchy-sheet.txt",
                                           std::string(kVendorBackup),
                                           std::string(kVendorBackupPassword),
                                           std::string(kShare),
                                           "SoftwareLibrary/{",
                                           "Packages/",
                                           "Patch Management/Packages/Updates/{",
                                           "InstallationPackage/"};
  std::set<std::string> used;
  std::uint64_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(report.server)) {
    const std::string path = entry.path().lexically_relative(report.server).string();
    if (entry.is_directory() && !entry.is_symlink()) {
      struct stat s {};
      ASSERT_EQ(lstat(entry.path().c_str(), &s), 0);
      EXPECT_EQ(s.st_mtim.tv_sec, kFolderTime.seconds) << path;
      EXPECT_EQ(s.st_mtim.tv_nsec, 0) << path;
      continue;
    }
    const auto place =
        std::find_if(places.begin(), places.end(), [&](const auto& p) { return path.starts_with(p); });
    EXPECT_NE(place, places.end()) << printable(path);
    if (place != places.end()) used.insert(*place);
    if (!entry.is_symlink()) ++files;
  }
  EXPECT_EQ(used.size(), places.size());
  EXPECT_EQ(files, report.files);
  EXPECT_EQ(describe(report.server).find("missing"), std::string::npos);
}

// A fresh sample's backup must have no finding about it: neither stale nor without its password.
TEST(Sample, TheVendorsBackupIsADayOldAndHasItsPasswordBesideIt) {
  const auto& report = shared_sample();
  const std::string password = read_file(under(report, kVendorBackupPassword));
  EXPECT_GT(password.size(), 20U);
  EXPECT_EQ(password.find('\n'), password.size() - 1);
  for (const auto& [path, mode] : {std::pair{kVendorBackup, 0640U}, std::pair{kVendorBackupPassword, 0600U}}) {
    struct stat s {};
    ASSERT_EQ(lstat(under(report, path).c_str(), &s), 0);
    EXPECT_EQ(s.st_mode & 07777, mode);
    const std::int64_t age = platform::real_world().clock.now().seconds - s.st_mtim.tv_sec;
    EXPECT_GE(age, 86'400);
    EXPECT_LT(age, 86'400 + 600);
  }
}

TEST(Sample, LibraryHoldsWhatAFileSystemCanDo) {
  const Path library = under(shared_sample(), kSoftwareLibrary);
  bool hard_link = false, symlink = false, empty = false, attribute = false, sparse = false,
       read_only = false, odd = false;
  std::uint64_t packages = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(library)) {
    struct stat s {};
    ASSERT_EQ(lstat(entry.path().c_str(), &s), 0);
    hard_link |= S_ISREG(s.st_mode) && s.st_nlink > 1;
    symlink |= S_ISLNK(s.st_mode) && std::filesystem::exists(entry.path());
    empty |= S_ISDIR(s.st_mode) && std::filesystem::is_empty(entry.path());
    attribute |= !xattrs_of(entry.path()).empty();
    sparse |= S_ISREG(s.st_mode) && s.st_blocks * 512 < s.st_size / 2;
    read_only |= S_ISREG(s.st_mode) && (s.st_mode & 0777) == 0444;
    odd |= !is_utf8(entry.path().filename().string());
    if (entry.path().filename() == "package.xml") {
      ++packages;
      pugi::xml_document manifest;
      ASSERT_TRUE(manifest.load_file(entry.path().c_str()));
      const auto package = manifest.child("package");
      EXPECT_EQ(package.attribute("guid").value(), entry.path().parent_path().filename().string());
      for (const auto& file : package.children("file")) {
        const std::string content = read_file(entry.path().parent_path() / file.attribute("name").value());
        EXPECT_EQ(crypto::sha256(as_bytes(content)).hex(), file.attribute("sha256").value());
      }
    }
  }
  EXPECT_EQ(packages, 12U);
  EXPECT_TRUE(hard_link && symlink && empty && attribute && sparse && read_only && odd)
      << hard_link << symlink << empty << attribute << sparse << read_only << odd;
}

TEST(Sample, ConfigurationFileIsTheExampleWithItsOwnNameAndId) {
  const auto& report = shared_sample();
  const std::string text = read_file(report.configuration);
  EXPECT_NE(text.find("\nname = \"" + report.system + "\" "), std::string::npos);
  EXPECT_EQ(text.find("0123456789abcdef0123456789abcdef"), std::string::npos);
  EXPECT_EQ(text.find("/tmp"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(report.repository));
  EXPECT_FALSE(std::filesystem::exists(report.configuration.parent_path() / ".holdfast-sample-unfinished"));
  for (const auto& line : split(text, '\n')) {  // every place that the file names is there
    const auto at = line.find("\"server/");
    if (at == std::string::npos) continue;
    const std::string path = line.substr(at + 1, line.rfind('"') - at - 1);
    EXPECT_TRUE(std::filesystem::exists(report.configuration.parent_path() / path)) << path;
  }
}

TEST(Sample, SameSeedGivesTheSameServerButFreshSecrets) {
  const auto& one = shared_sample();
  TemporaryFolder folder;
  const auto two = make_small(folder / "two");
  auto first = describe_tree(one.server), second = describe_tree(two.server);
  std::set<std::string> different;
  ASSERT_EQ(first.size(), second.size());
  for (const auto& [path, description] : first) {
    if (second.at(path) != description) different.insert(path);
  }
  for (const auto& path : different) {
    EXPECT_TRUE(path.starts_with("ProgramData/Symantec/SMP/Certificates/") ||
                path.starts_with("ProgramData/Symantec/SMP/KMS/") ||
                path.starts_with("ProgramData/Symantec/SMP/Backup/") ||
                path.starts_with("ProgramData/Symantec/SMP/Licenses/") || path == kRegistry ||
                path == kWebConfig || path == std::string(kDocuments) + "/cem-sheet.txt" ||
                path == "Database/Symantec_CMDB.db")
        << path;
  }
  for (const auto& file :
       std::filesystem::recursive_directory_iterator(under(one, "ProgramData/Symantec/SMP"))) {
    const std::string path = file.path().lexically_relative(one.server).string();
    if (path.find("/KMS/") != std::string::npos || path.find("/Certificates/") != std::string::npos) {
      EXPECT_TRUE(different.contains(path)) << path;
    }
  }
  EXPECT_NE(read_file(one.configuration), read_file(two.configuration));
  for (const char* query :
       {"SELECT * FROM Item", "SELECT Guid, Account FROM RunAsAccount", "SELECT * FROM TaskInstances"}) {
    EXPECT_EQ(sql(one.database, query), sql(two.database, query));
  }
  EXPECT_NE(sql(one.database, "SELECT hex(EncryptedPassword) FROM RunAsAccount"),
            sql(two.database, "SELECT hex(EncryptedPassword) FROM RunAsAccount"));
}

TEST(Sample, RefusesAFolderThatHoldsSomethingElse) {
  TemporaryFolder folder;
  const auto refused = [&](const Path& dir) {
    const auto before = describe_tree(folder.path());
    try {
      make_small(dir);
      ADD_FAILURE() << dir;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::already_exists);
      EXPECT_EQ(error.safe(), "nothing was changed");
    }
    EXPECT_EQ(before, describe_tree(folder.path()));
  };
  std::filesystem::create_directories(folder / "full/server");
  write_file(folder / "full/server/mine", "mine");
  refused(folder / "full");
  write_file(folder / "file", "x");
  refused(folder / "file");
  // A marker that is not ours, and ours with something beside it that a sample does not have.
  std::filesystem::create_directories(folder / "other/server");
  write_file(folder / "other/.holdfast-sample-unfinished", "something else");
  refused(folder / "other");
}

// Raises cancel at the nth call of add().
class StopAt final : public ProgressSink {
 public:
  StopAt(Cancel& cancel, int at) : cancel_(cancel), left_(at) {}
  void begin(const std::string&, std::uint64_t) override { count(); }
  void add(std::uint64_t, std::uint64_t) override { count(); }
  void end() override { count(); }

 private:
  void count() {
    if (--left_ == 0) cancel_.raise();
  }
  Cancel& cancel_;
  int left_;
};

TEST(Sample, InterruptedAnywhereItIsRecognisedAndMadeAnew) {
  TemporaryFolder folder;
  const Path dir = folder / "sample";
  auto world = platform::real_world();
  SampleOptions options;
  options.rows = 2000;
  for (const int at : {1, 60, 150}) {
    Cancel cancel;
    StopAt progress(cancel, at);
    EXPECT_THROW(make_sample(dir, options, world, progress, cancel), Error) << at;
    EXPECT_TRUE(std::filesystem::exists(dir / ".holdfast-sample-unfinished")) << at;
  }
  write_file(dir / "notes.txt", "somebody's notes");
  EXPECT_THROW(make_small(dir), Error);
  EXPECT_EQ(read_file(dir / "notes.txt"), "somebody's notes");
  std::filesystem::remove(dir / "notes.txt");

  const auto report = make_small(dir);
  EXPECT_TRUE(report.removed_unfinished);
  EXPECT_FALSE(std::filesystem::exists(dir / ".holdfast-sample-unfinished"));
  EXPECT_EQ(describe_tree(report.server).size(), describe_tree(shared_sample().server).size());
  EXPECT_THROW(make_small(dir), Error);  // finished now
}

void set_times(const Path& path, std::int64_t seconds, long nanoseconds) {
  const timespec times[2] = {{seconds, nanoseconds}, {seconds, nanoseconds}};
  ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
}

// An access ACL with one more user than the mode says: version 2, entries (tag, permissions, id).
Bytes acl_with_user(std::uint32_t uid) {
  Writer acl;
  acl.u32(2);
  const auto entry = [&](std::uint16_t tag, std::uint16_t permissions, std::uint32_t id) {
    acl.u16(tag).u16(permissions).u32(id);
  };
  entry(0x01, 6, 0xffffffff), entry(0x02, 4, uid), entry(0x04, 4, 0xffffffff), entry(0x10, 4, 0xffffffff),
      entry(0x20, 0, 0xffffffff);
  return acl.take();
}

TEST(Sample, CopiesALibraryWithEveryAttribute) {
  TemporaryFolder folder;
  const Path from = folder / "library";
  std::filesystem::create_directories(from / "deep/er/est");
  std::filesystem::create_directories(from / "empty");
  write_file(from / "a.bin", std::string(300'000, 'a'));
  write_file(from / "deep/er/b.txt", "b");
  write_file(from / "zero", "");
  write_file(from / "odd \xff\x01 name\n", "odd");
  std::filesystem::create_hard_link(from / "a.bin", from / "deep/er/est/again.bin");
  std::filesystem::create_symlink("../nowhere", from / "dangling");
  std::filesystem::create_symlink("/etc", from / "absolute");
  ASSERT_EQ(mkfifo((from / "pipe").c_str(), 0620), 0);
  ASSERT_EQ(mknod((from / "device").c_str(), S_IFCHR | 0600, makedev(1, 3)), 0);
  ASSERT_EQ(chown((from / "deep/er/b.txt").c_str(), 12345, 54321), 0);
  ASSERT_EQ(chmod((from / "deep/er/b.txt").c_str(), 06755), 0);
  ASSERT_EQ(lchown((from / "dangling").c_str(), 77, 78), 0);
  ASSERT_EQ(setxattr((from / "a.bin").c_str(), "user.note", "kept", 4, 0), 0);
  ASSERT_EQ(setxattr((from / "empty").c_str(), "user.folder", "too", 3, 0), 0);
  const Bytes acl = acl_with_user(4242);
  ASSERT_EQ(setxattr((from / "zero").c_str(), "system.posix_acl_access", acl.data(), acl.size(), 0), 0);
  {
    std::ofstream hole(from / "hole.img", std::ios::binary);
    hole.seekp(5 << 20);
    hole << "end";
  }
  ASSERT_EQ(truncate((from / "hole.img").c_str(), 9 << 20), 0);
  ASSERT_EQ(chmod((from / "empty").c_str(), 01777), 0);
  for (const char* name : {"a.bin", "deep/er/b.txt", "zero", "dangling", "pipe", "device", "hole.img",
                           "empty", "deep/er/est", "deep/er", "deep"}) {
    set_times(from / name, 1'600'000'000 - static_cast<std::int64_t>(std::string_view(name).size()),
              123'456'789);
  }

  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);  // the one thing that cannot be copied
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = (from / "socket").string();
  ASSERT_LT(path.size(), sizeof address.sun_path);
  std::copy(path.begin(), path.end(), address.sun_path);
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  close(fd);
  set_times(from, 1'500'000'000, 987'654'321);

  SampleOptions options;
  options.library = from;
  const auto report = make_small(folder / "sample", options);
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_EQ(report.findings[0].code, "socket_skipped");
  auto expected = describe_tree(from);
  expected.erase("socket");
  EXPECT_EQ(report.library.parent_path(), under(report, kSoftwareLibrary));
  EXPECT_EQ(expected, describe_tree(report.library));
  EXPECT_TRUE(
      std::filesystem::equivalent(report.library / "a.bin", report.library / "deep/er/est/again.bin"));
  struct stat s {};
  ASSERT_EQ(stat((report.library / "hole.img").c_str(), &s), 0);
  EXPECT_LT(s.st_blocks * 512, 1 << 20);
}

TEST(Sample, RefusesALibraryThatHoldsTheSampleOrTheOtherWayRound) {
  TemporaryFolder folder;
  std::filesystem::create_directories(folder / "library/inside");
  for (const auto& [library, dir] :
       std::vector<std::pair<Path, Path>>{{folder / "library", folder / "library/inside/sample"},
                                          {folder / "library/inside", folder / "library"},
                                          {folder / "missing", folder / "sample"}}) {
    SampleOptions options;
    options.library = library;
    try {
      make_small(dir, options);
      ADD_FAILURE() << library;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::usage);
    }
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder / "library/inside"));
}

TEST(Sample, WriterKeepsEveryInvariantAtEveryMoment) {
  TemporaryFolder folder;
  const Path database = folder / "live.db";
  std::filesystem::copy_file(shared_sample().database, database);
  const auto versions = sql(database, "SELECT count(*) FROM ItemVersions");
  Cancel cancel;
  std::uint64_t transactions = 0;
  std::thread writer([&] { transactions = run_writer(database, std::chrono::seconds(60), cancel); });
  std::string all;
  for (const auto& invariant : invariants()) all += std::string(invariant.query) + ";";
  for (int i = 0; i < 25; ++i)
    EXPECT_EQ(sql(database, "BEGIN;" + all, true), std::vector<std::string>(invariants().size(), "1"));
  cancel.raise();
  writer.join();
  EXPECT_GT(transactions, 10U);
  EXPECT_NE(sql(database, "SELECT count(*) FROM ItemVersions", true), versions);
  EXPECT_EQ(sql(database, "PRAGMA integrity_check", true), std::vector<std::string>{"ok"});
}

TEST(Random, DependsOnSeedAndPurposeOnly) {
  Random random(1, "test");
  EXPECT_EQ(random.guid().size(), 36U);
  Random again(1, "test"), other(1, "other");
  Random first(1, "test");
  EXPECT_EQ(first.next(), again.next());
  EXPECT_NE(first.next(), other.next());
}

}  // namespace
}  // namespace holdfast::sample
