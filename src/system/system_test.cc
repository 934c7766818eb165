#include "system/system.h"

#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "item/registry/reg_file.h"
#include "system/system_testing.h"
#include "system/toml_document.h"

namespace holdfast::system {
namespace {

const std::string& itms() { return *builtin_profile("itms"); }
std::string profile_mistake(const std::string& text) {
  return mistake_in([&] { parse_profile(text, "p.toml", adapters()); });
}

TEST(ProfileTest, itms_is_complete) {
  const Profile profile = parse_profile(itms(), "itms", adapters());
  std::set<std::string> names;
  for (const item::ItemSpec& item : profile.items) {
    names.insert(item.name);
    EXPECT_TRUE(item.if_lost.ends_with(".")) << item.name;
  }
  EXPECT_EQ(names, (std::set<std::string>{
                       "cmdb", "core-settings", "registry", "web-config", "root-certificate", "site-server-root-certificate",
                       "kms-keys", "software-library", "software-library-share", "software-packages", "install-package",
                       "patch-packages", "identity", "product-list", "licences", "cem-sheet", "hierarchy-sheet", "vendor-backup"}));
  EXPECT_EQ(builtin_profile_names(), std::vector<std::string>{"itms"});
  EXPECT_EQ(builtin_profile("nonsense"), nullptr);
  EXPECT_EQ(profile.source, itms());
  ASSERT_EQ(profile.fixups.size(), 1U);
  EXPECT_EQ(profile.fixups[0].actions.size(), 4U);
  EXPECT_EQ(profile.fixups[0].actions[3].where, "InstanceStatus<=1");
  EXPECT_EQ(profile.key_checks.size(), 1U);
}

const Step* step(const Profile& profile, const std::string& name) {
  for (const Step& s : profile.steps)
    if (s.name == name) return &s;
  return nullptr;
}
bool waits_for(const Profile& profile, const std::string& name, const std::string& other) {
  const auto& after = step(profile, name)->after;
  return std::any_of(after.begin(), after.end(),
                     [&](const std::string& a) { return a == other || waits_for(profile, a, other); });
}

TEST(ProfileTest, itms_steps_are_in_the_order_of_the_process) {
  const Profile profile = parse_profile(itms(), "itms", adapters());
  for (const char* name : {"set-aside-database", "install"}) EXPECT_TRUE(waits_for(profile, name, "confirm-old-server-off"));
  EXPECT_TRUE(waits_for(profile, "cancel-tasks", "set-aside-database"));
  EXPECT_TRUE(waits_for(profile, "install", "restore-install-package"));
  EXPECT_TRUE(waits_for(profile, "restore-registry", "restore-kms-keys"));
  EXPECT_TRUE(waits_for(profile, "start-services", "cancel-tasks"));
  for (const Step& a : profile.steps)   // groups 1 and 2 in either order
    for (const Step& b : profile.steps)
      if (a.group + b.group == 3 && a.group != 0 && b.group != 0) {
        EXPECT_FALSE(waits_for(profile, a.name, b.name)) << a.name << " waits for " << b.name;
      }
  for (const Step& s : profile.steps)
    if (s.group == 3 && s.kind == Step::Kind::restore) {
      EXPECT_TRUE(waits_for(profile, s.name, "install")) << s.name;
      EXPECT_TRUE(waits_for(profile, "start-services", s.name)) << s.name;
    }
  EXPECT_TRUE(step(profile, "reconfigure-cem")->deferrable);
  EXPECT_FALSE(waits_for(profile, "check-server", "reconfigure-cem"));
}

TEST(ProfileTest, every_mistake_says_where_and_what) {
  expect_mistakes("p.toml", itms(),
                  {
                      {"main_product =", "main_produkt =", "main_produkt", "unknown key 'main_produkt' in [profile]"},
                      {"kind = \"database\"", "kind = \"datbase\"", "\"datbase\"", "did you mean 'database'?"},
                      {"criticality = \"critical\"", "criticality = \"high\"", "\"high\"", "expected one of: critical, recommended, optional"},
                      {"section = \"database\"", "section = \"databse\"", "\"databse\"", "did you mean 'database'?"},
                      {"proven_on = \"stand-in\"", "proven_on = 3", "3\n\n[[item]]\nname = \"core-settings\"", "wrong type; expected a text"},
                      {"order = 40", "order = -1", "-1\nif_lost", "expected a whole number from 0 to 1000000"},
                      {"name = \"registry\"", "name = \"cmdb\"", "\"cmdb\"\ntitle = \"Notification Server registry", "second time"},
                      {"item = \"cmdb\"", "item = \"cmbd\"", "\"cmbd\"", "did you mean 'cmdb'?"},
                      {"item = \"cmdb\"", "item = \"registry\"", "\"registry\"\nproduct", "is not a database"},
                      {"items = [\"licences\"]", "items = [\"licenses\"]", "[\"licenses\"]", "did you mean 'licences'?"},
                      {"fixup = \"cancel-tasks\"", "fixup = \"cancel-task\"", "\"cancel-task\"\n", "did you mean 'cancel-tasks'?"},
                      {"after = [\"set-aside-database\"]", "after = [\"set-aside-databas\"]", "[\"set-aside-databas\"]", "did you mean 'set-aside-database'?"},
                      {"after = [\"set-aside-database\"]", "after = [\"cancel-tasks\"]", "[\"cancel-tasks\"]", "without a circle"},
                      {"kind = \"set_aside\"\nitems = [\"cmdb\"]\n", "kind = \"set_aside\"\n", "[[step]]\nname = \"set-aside-database\"", "has no 'items'"},
                      {"kind = \"set_aside\"\n", "kind = \"set_aside\"\nfixup = \"x\"\n", "fixup = \"x\"", "unknown key 'fixup' in [[step]] of kind 'set_aside'"},
                      {"truncate = true", "truncate = false", "[[fixup.action]]", "empty the table or update it"},
                      {"items = [\"vendor-backup\"]", "items = [\"licences\"]", "\"vendor-backup\"", "no step restores the item"},
                      {"kind = \"database\"", "kind = \"database\"\ngenerated = \"x\"", "\"x\"", "expected 'generated' on kind 'record' only"},
                      {"if_lost = \"All", "if_lost = \"\\u001b[31mAll", "\"\\u001b", "control character"},
                  },
                  profile_mistake);
}

TEST(SystemTest, the_example_is_right_and_complete) {
  const System system = parse_system(example(), "example", "/srv/ns", adapters());
  EXPECT_EQ(system.name, "ns01");
  EXPECT_TRUE(system.sample);
  EXPECT_TRUE(system.not_configured.empty());
  EXPECT_EQ(system.items.size(), system.profile.items.size());
  EXPECT_EQ(system.get("cmdb").text("path"), "/srv/ns/server/Database/Symantec_CMDB.db");
  EXPECT_EQ(system.get("cmdb").engine, "sqlite");
  EXPECT_EQ(system.repository, "/srv/ns/repository");
  EXPECT_EQ(system.root, "/srv/ns/server");
  EXPECT_EQ(system.retention.monthly, 12);
  EXPECT_EQ(system.recovery_point, (Span{24, Span::Unit::hours}));
  EXPECT_EQ(system.source, example());
  EXPECT_TRUE(std::is_sorted(system.items.begin(), system.items.end(),
                             [](const auto& a, const auto& b) { return a.order < b.order; }));
  for (const item::ItemSpec& item : system.items) EXPECT_NE(adapters().find(item.kind, item.engine), nullptr) << item.name;
}

// A rule is taken when it leaves, beside the newest point, one that is no farther away than the objective.
TEST(SystemTest, a_rule_that_keeps_to_the_objective_is_taken) {
  auto takes = [](const std::string& objective, const std::string& rule) {
    std::string text = example();
    auto replace = [&](const std::string& from, const std::string& to) { text.replace(text.find(from), from.size(), to); };
    replace("recovery_point = \"24h\"", objective);
    replace("last = 3\ndaily = 7\nweekly = 4\nmonthly = 12", rule);
    try {
      parse_system(text, "ns01.toml", "/srv/ns", adapters());
      return true;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::config);
      return false;
    }
  };
  const std::string day = "recovery_point = \"24h\"", hour = "recovery_point = \"1h\"", week = "recovery_point = \"1w\"", none;
  for (const char* rule : {"last = 2", "hourly = 2", "daily = 2", "within = \"1d\"", "within = \"24h\"", "last = 2\nmonthly = 12"}) EXPECT_TRUE(takes(day, rule)) << rule;
  for (const char* rule : {"last = 1", "hourly = 1", "daily = 1", "weekly = 52", "monthly = 2", "yearly = 9", "within = \"23h\""}) EXPECT_FALSE(takes(day, rule)) << rule;
  for (const char* rule : {"hourly = 2", "last = 2", "within = \"1h\""}) EXPECT_TRUE(takes(hour, rule)) << rule;
  EXPECT_FALSE(takes(hour, "daily = 7"));
  EXPECT_TRUE(takes(week, "weekly = 2"));
  for (const char* rule : {"last = 1", "monthly = 1", "within = \"1h\""}) EXPECT_TRUE(takes(none, rule)) << rule;
}

TEST(SystemTest, every_mistake_says_where_and_what) {
  expect_mistakes(
      "ns01.toml", example(),
      {
          {"[retention]", "[retentoin]", "retentoin", "did you mean 'retention'?"},
          {"daily = 7", "dayly = 7", "dayly", "did you mean 'daily'?"},
          {"daily = 7", "daily = \"7\"", "\"7\"", "expected a whole number from 0 to 10000"},
          {"daily = 7", "daily = 10001", "10001", "expected a whole number from 0 to 10000"},
          {"last = 3\ndaily = 7\nweekly = 4\nmonthly = 12", "last = 0", "[retention]", "keeps nothing"},
          {"last = 3\ndaily = 7\nweekly = 4\nmonthly = 12", "last = 1\ndaily = 1\nweekly = 4", "[retention]", "farther apart than the recovery point objective of 24h"},
          {"last = 3\ndaily = 7\nweekly = 4\nmonthly = 12", "within = \"23h\"", "[retention]", "within = \"24h\" or longer"},
          {"last = 3", "within = \"7 days\"", "\"7 days\"", "expected a whole number and h, d, w, m or y"},
          {"last = 3", "within = 7", "7\ndaily", "expected a text in quotes"},
          {"recovery_point = \"24h\"", "recovery_point = \"0h\"", "\"0h\"", "expected a whole number and h, d, w, m or y"},
          {"recovery_point = \"24h\"", "recovery_piont = \"1h\"", "recovery_piont", "did you mean 'recovery_point'?"},
          {"[item.cmdb]", "[item.cmbd]", "cmbd", "did you mean 'cmdb'?"},
          {"engine = \"sqlite\"", "engine = \"sqlit\"", "\"sqlit\"", "did you mean 'sqlite'?"},
          {"engine = \"sqlite\"\n", "", "[item.cmdb]", "has no 'engine'"},
          {"[item.licences]\npath", "[item.licences]\npaht", "paht", "did you mean 'path'?"},
          {"[item.cem-sheet]\npath", "[item.cem-sheet]\n#", "[item.cem-sheet]", "has no 'path'"},
          {"[item.software-packages]\npath = \"server/Packages\"", "[item.software-packages]", "[item.software-packages]", "has no 'path'"},
          {"path = \"server/Packages\"", "path = \"server/./x/../SoftwareLibrary/\"", "\"server/./x", "already the place of [item.software-library]"},
          {"path = \"server/Packages\"", "path = true", "true\n\n[item.patch", "wrong type; expected a text"},
          {"path = \"server/Packages\"", "path = \"\"", "\"\"", "is empty; expected a text"},
          {"path = \"server/Packages\"", "path = \"a\\u0000b\"", "\"a\\u0000b\"", "control character"},
          {"files = [\n", "files = [ 7,\n", "7,\n", "expected a list of texts"},
          {"id = \"0123456789abcdef", "id = \"0123456789ABCDEF", "\"0123456789ABC", "expected 32 lower-case hex digits"},
          {"name = \"ns01\"", "name = \"../ns01\"", "\"../ns01\"", "is no name of a system"},
          {"name = \"ns01\"", "# ", "[system]", "has no 'name'"},
          {"profile = \"itms\"", "profile = \"itsm\"", "\"itsm\"", "did you mean 'itms'?"},
          {"sample = true", "sample = 1", "1   ", "expected true or false"},
          {"[repository]\nlocation = \"repository\"", "[repository]\nlocation = \"server/Packages\"", "\"server/Packages\"", "the repository is the place of [item.software-packages]"},
          {"[retention]", "[copy.B]\nrepository = \"x\"\n[retention]", "B]", "is no name of a copy"},
          {"[retention]", "[copy.b]\nrepository = \"./repository/\"\n[retention]", "\"./repository/\"", "the copy is the repository itself"},
          {"[retention]", "[[excluded]]\npath = \"x\"\n[retention]", "[[excluded]]", "has no 'reason'"},
          {"[retention]", "[services]\n\"-x\" = \"systemctl\"\n[retention]", "\"-x\"", "is no name of a service"},
          {"[retention]", "x = = 1\n[retention]", "= 1\n[retention]", "expected valid TOML"},
          {"[retention]", "[system]\n[retention]", "[system]\n[retention]", "expected valid TOML"},
      },
      system_mistake);
  EXPECT_EQ(system_mistake(std::string(kLargestDocument + 1, ' ')).find("ns01.toml:1:1: the file has "), 0U);
  EXPECT_NE(system_mistake("x = " + std::string(5000, '[')), "(no mistake)");
  std::string deep = "\nx";
  while (deep.size() < kLargestDocument - 10) deep += ".x";
  EXPECT_EQ(system_mistake(deep + " = 1").find("ns01.toml:2:1: the line has more than 500 dots"), 0U);
  for (const char* letter : {"\u00e2", "\u00df", "\u0416", "\u0498", "\u3042"})   // in a key without quotes
    EXPECT_NE(system_mistake("pr" + std::string(letter) + "fix = 1\n").find("expected valid TOML"), std::string::npos) << letter;
  EXPECT_EQ(system_mistake("").find("ns01.toml:1:1: the configuration file has no 'system'"), 0U) << system_mistake("");
}

TEST(SystemTest, places_exclusions_and_what_is_not_configured) {
  std::string text = with(example(), "[item.patch-packages]\npath =", "[item.patch-packages]\nexcluded = \"downloaded again\"\n#");
  text = with(text, "[item.licences]\npath = \"server/ProgramData/Symantec/SMP/Licenses\"", "");
  text += "[[excluded]]\npath = \"/var/tmp/../cache/\"\nreason = \"cache\"\n[copy.vault]\nrepository = \"s3:https://h/b\"\n"
          "[services]\naltiris = \"systemctl\"\n";
  const System system = parse_system(text, "f", "/srv", adapters());
  EXPECT_EQ(system.get("patch-packages").excluded, "downloaded again");
  EXPECT_EQ(system.not_configured, std::vector<std::string>{"licences"});
  EXPECT_EQ(system.excluded.at(0).path, "/var/cache");
  EXPECT_EQ(system.copies.at(0).repository, "s3:https://h/b");
  EXPECT_EQ(system.services.at("altiris"), "systemctl");
  EXPECT_EQ(system.find("licences"), nullptr);
  EXPECT_NE(system.find("identity"), nullptr);
  try {
    system.get("cmbd");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::unknown_name);
    EXPECT_NE(e.hint().find("did you mean 'cmdb'?"), std::string::npos) << e.hint();
  }
}

TEST(SystemTest, the_profile_of_a_recovery_point_counts_when_given) {
  const std::string stored = with(itms(), "title = \"Configuration Management Database\"", "title = \"As it was\"");
  EXPECT_EQ(parse_system(example(), "f", "/srv", adapters(), stored).get("cmdb").title, "As it was");
  EXPECT_NE(mistake_in([&] { parse_system(example(), "f", "/srv", adapters(), "[profile]\nname = \"\\u001b\""); }), "(no mistake)");
}

TEST(SystemTest, loading_starts_paths_at_the_folder_of_the_file) {
  char name[] = "/tmp/holdfast-system-XXXXXX";
  const fs::path folder = ::mkdtemp(name);
  std::ofstream(folder / "holdfast.toml") << example();
  const System system = load_system(platform::real_file_system(), folder / "." / "holdfast.toml", adapters());
  EXPECT_EQ(system.file, folder / "holdfast.toml");
  EXPECT_EQ(system.get("software-library").text("path"), (folder / "server/SoftwareLibrary").string());
  EXPECT_NE(mistake_in([&] { load_system(platform::real_file_system(), folder / "no.toml", adapters()); }), "(no mistake)");
  fs::remove_all(folder);
}

IdentityCard card() {
  return {"ns01", "corp.example", "windows", "Windows Server 2022", "C:\\Program Files\\Altiris\\Notification Server",
          "CORP\\svc-altiris", "Symantec_CMDB",
          {{"Patch Management", "{B}", "8.7.1"}, {"Symantec Management Platform", "{A}", "8.7.1253.0"}}};
}

TEST(IdentityTest, facts_hold_the_whole_card) {
  const IdentityCard back = IdentityCard::from_facts(card().to_facts());
  EXPECT_EQ(back.to_facts(), card().to_facts());
  EXPECT_EQ(back.products, card().products);
  EXPECT_TRUE(compare(card(), back).empty());
  EXPECT_TRUE(IdentityCard::from_facts({{"x", "y"}}).products.empty());
}

TEST(IdentityTest, comparing_tells_every_difference) {
  auto difference = [](const std::function<void(IdentityCard&)>& change) {
    IdentityCard here = card();
    change(here);
    std::string text;
    for (const IdentityDifference& d : compare(card(), here))
      text += d.what + "|" + d.lost + "|" + d.here + (d.blocking ? "|blocking" : "|told") + ";";
    return text;
  };
  EXPECT_EQ(difference([](IdentityCard& c) { c.host_name = "NS01"; }), "");
  EXPECT_EQ(difference([](IdentityCard& c) { c.host_name = "ns02"; }), "server name|ns01|ns02|blocking;");
  EXPECT_EQ(difference([](IdentityCard& c) { c.domain = ""; }), "domain|corp.example||blocking;");
  EXPECT_EQ(difference([](IdentityCard& c) { c.install_path = "c:\\program files\\altiris\\notification server"; }), "");
  EXPECT_EQ(difference([](IdentityCard& c) { c.install_path = "D:\\Altiris"; }),
            "installation path|C:\\Program Files\\Altiris\\Notification Server|D:\\Altiris|blocking;");
  EXPECT_EQ(difference([](IdentityCard& c) { c.application_identity = "corp\\SVC-altiris"; }), "");
  EXPECT_EQ(difference([](IdentityCard& c) { c.database_name = "symantec_cmdb"; }), "database name|Symantec_CMDB|symantec_cmdb|blocking;");
  EXPECT_EQ(difference([](IdentityCard& c) { c.operating_system = "linux"; }), "operating system|windows|linux|blocking;");
  EXPECT_EQ(difference([](IdentityCard& c) { c.operating_system_version = "Windows Server 2025"; }),
            "operating system version|Windows Server 2022|Windows Server 2025|told;");
  EXPECT_EQ(difference([](IdentityCard& c) { c.products[1].version = "8.7.1253.1"; }),
            "product Symantec Management Platform|8.7.1253.0|8.7.1253.1|blocking;");
  EXPECT_EQ(difference([](IdentityCard& c) { c.products.erase(c.products.begin()); }), "product Patch Management|8.7.1||blocking;");
  EXPECT_EQ(difference([](IdentityCard& c) { c.products.push_back({"New", "{C}", "1"}); }), "product New||1|blocking;");
  IdentityCard lost = card(), here = card();
  lost.install_path = here.install_path = "/opt/A";
  here.install_path = "/opt/a";
  EXPECT_EQ(compare(lost, here).size(), 1U);
}

TEST(IdentityTest, read_from_the_registry_file) {
  char name[] = "/tmp/holdfast-identity-XXXXXX";
  const fs::path folder = ::mkdtemp(name);
  platform::World world = platform::real_world();
  System system;
  system.identity = {folder / "r.reg", folder / "Fallback.db"};
  IdentityCard nothing = read_identity(system, world);
  EXPECT_EQ(nothing.install_path + nothing.application_identity + nothing.database_name, "");
  EXPECT_EQ(nothing.host_name, world.host.host_name());
  const std::string key = "HKEY_LOCAL_MACHINE\\SOFTWARE\\Altiris\\eXpress\\Notification Server";
  auto sz = [](const std::string& n, const std::string& text) { return item::RegValue{n, false, item::RegType::sz, item::reg_sz(text)}; };
  auto write = [&](const Bytes& bytes) {
    std::ofstream(folder / "r.reg", std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  };
  write(item::write_reg_file({{{key, false, {sz("InstallPath", "C:\\A"), sz("DatabaseName", "CMDB_eu")}},
                               {key + "\\AppIdentity", false, {sz("user", "CORP\\svc")}},
                               {key + "\\ProductInstallation\\{2}", false, {sz("Name", "B product"), sz("Version", "1.2")}},
                               {key + "\\ProductInstallation\\{1}", false, {sz("Name", "A product"), sz("Version", "8.7.1")}}}}));
  const IdentityCard read = read_identity(system, world);
  EXPECT_EQ(read.install_path, "C:\\A");
  EXPECT_EQ(read.database_name, "CMDB_eu");
  EXPECT_EQ(read.application_identity, "CORP\\svc");
  EXPECT_EQ(read.products, (std::vector<Product>{{"A product", "{1}", "8.7.1"}, {"B product", "{2}", "1.2"}}));
  EXPECT_NE(products_text(read).find("A product\t8.7.1\t{1}\n"), std::string::npos);
  EXPECT_NE(identity_text(read).find("Installation path: C:\\A\n"), std::string::npos);
  write(to_bytes("not a registry file"));
  EXPECT_TRUE(read_identity(system, world).products.empty());
  fs::remove_all(folder);
}

}  // namespace
}  // namespace holdfast::system
