#include "item/settings/settings.h"

#include "base/text.h"
#include "item/registry/utf16.h"
#include "item/settings/secret_text.h"
#include "item/testing/fixture.h"

namespace holdfast::item {
namespace {

const std::string kGood = R"(<?xml version="1.0" encoding="utf-8"?>
<configuration>
  <customSettings>
    <!-- kept -->
    <customSetting key="Console.Title" type="local" value="A &lt;b&gt; &amp; Zürich" upgradeIf="lt" />
    <customSetting key="PkgSvrDwonloadFromNSOnly" type="registry" regKey="HKLM\SOFTWARE\Altiris" regValue="Only" regValueType="DWORD" defaultValue="0" />
    <customSetting key="ProxyPassword" type="local" value="GEHEIM" />
  </customSettings>
</configuration>
)";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  text.replace(text.find(from), from.size(), to);
  return text;
}

std::string damage(ByteView bytes) {
  try {
    parse_settings(bytes, "x.config");
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::damaged);
    EXPECT_TRUE(e.message().starts_with("cannot read x.config: line ")) << e.message();
    return e.message().substr(27);
  }
  return "no error";
}

TEST(Settings, ReadsLocalAndRegistrySettings) {
  const auto all = parse_settings(as_bytes(kGood), "x");
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].value, "A <b> & Zürich");
  EXPECT_EQ(all[0].upgrade_if, "lt");
  EXPECT_EQ(all[1].registry_key, "HKLM\\SOFTWARE\\Altiris");
  EXPECT_EQ(all[1].registry_value, "Only");
  EXPECT_EQ(all[1].registry_value_type, "DWORD");
  EXPECT_EQ(all[1].default_value, "0");
  EXPECT_EQ(parse_settings(as_bytes("\xEF\xBB\xBF" + kGood), "x"), all);
  Bytes wide = *to_utf16(kGood);
  wide.insert(wide.begin(), {0xFF, 0xFE});
  EXPECT_EQ(parse_settings(wide, "x"), all);
}

TEST(Settings, DamageNamesTheLine) {
  EXPECT_EQ(damage({}), "1: the file is empty");
  EXPECT_TRUE(damage(as_bytes(kGood.substr(0, kGood.size() / 2))).starts_with("6: "));
  EXPECT_TRUE(damage(as_bytes(kGood.substr(0, kGood.size() - 3))).starts_with("9: "));
  EXPECT_TRUE(damage(as_bytes("not xml at all")).starts_with("1: "));
  EXPECT_EQ(damage(as_bytes("<configuration/>")),
            "1: there is no customSetting: this is no core settings file");
  EXPECT_EQ(damage(as_bytes(replaced(kGood, "key=\"ProxyPassword\"", ""))),
            "7: a customSetting without 'key'");
  EXPECT_EQ(damage(as_bytes(replaced(kGood, "type=\"registry\"", ""))), "6: a customSetting without 'type'");
  EXPECT_EQ(damage(as_bytes(kGood + std::string(100, '\0'))), "10: a zero character");
  std::string deep;
  for (int i = 0; i < 200000; ++i) deep += "<a>";
  EXPECT_NE(damage(as_bytes(deep)), "no error");
}

TEST(Settings, EveryTruncationIsDamage) {
  const auto start = kGood.find("<customSettings>"), end = kGood.rfind('>');
  for (std::size_t size = start; size < end; ++size)
    ASSERT_NE(damage(as_bytes(kGood.substr(0, size))), "no error") << size;
}

TEST(Settings, SecretsAreKnownByNameAndByValue) {
  EXPECT_TRUE(looks_secret("SmtpPassword", ""));
  EXPECT_TRUE(looks_secret("pwd", ""));
  EXPECT_TRUE(looks_secret("ApiKey", ""));
  EXPECT_TRUE(looks_secret("Connection", "Server=x; Password = y;"));
  EXPECT_TRUE(looks_secret("Proxy", "http://me:secret@proxy:8080/"));
  EXPECT_FALSE(looks_secret("Proxy", "http://proxy:8080/"));
  EXPECT_FALSE(looks_secret("InstallPath", "C:\\Program Files"));
}

class SettingsItem : public testing::ItemTest {
 protected:
  tree::NodePtr stored(const std::string& text, mode_t mode = 0640) {
    write("s/CoreSettings.config", text, mode);
    return capture(adapter, spec);
  }
  SettingsAdapter adapter;
  ItemSpec spec = testing::spec_of("core-settings", "settings",
                                   {{"path", (folder.path() / "s/CoreSettings.config").string()}});
};

TEST_F(SettingsItem, ComesBackAsItWas) {
  expect_round_trip(adapter, spec, {write("s/CoreSettings.config", kGood)});
  EXPECT_EQ(codes(), "");
  EXPECT_EQ(fact("settings"), "3");
  EXPECT_EQ(fact("settings_local"), "2");
  EXPECT_EQ(fact("settings_registry"), "1");
  EXPECT_EQ(everything_said().find("GEHEIM"), std::string::npos);
}

TEST_F(SettingsItem, DamageFailsTheItem) {
  write("s/CoreSettings.config", kGood.substr(0, 300));
  EXPECT_EQ(error_of([&] { capture(adapter, spec); }).code(), Code::damaged);
}

TEST_F(SettingsItem, DoubtfulSettingsAreFindings) {
  stored(replaced(replaced(kGood, "\"ProxyPassword\"", "\"Console.Title\""), "regValue=\"Only\"", ""));
  EXPECT_EQ(codes(), "setting_incomplete setting_duplicate ");
}

TEST_F(SettingsItem, DifferenceIsByKeyAndShowsNoSecret) {
  const auto before = stored(kGood);
  auto changed = replaced(kGood, "A &lt;b", "B &lt;b");
  changed = replaced(changed, "defaultValue=\"0\"", "defaultValue=\"1\"");
  changed = replaced(changed, "GEHEIM", "ANDERS");
  changed =
      replaced(changed, "    <!-- kept -->",
               "    <customSetting key=\"New\" type=\"local\" value=\"" + std::string(1000, 'v') + "\"/>");
  const auto after = stored(changed, 0600);
  const std::string said = testing::text_of(adapter.diff(before, after));
  EXPECT_EQ(said,
            "~ Console.Title | \"A <b> & Zürich\" | \"B <b> & Zürich\"\n"
            "+ New |  | \"" + std::string(399, 'v') + "… (1.0 kB)\n"
            "~ PkgSvrDwonloadFromNSOnly | registry HKLM\\SOFTWARE\\Altiris\\Only DWORD, default \"0\" | "
            "registry HKLM\\SOFTWARE\\Altiris\\Only DWORD, default \"1\"\n"
            "~ ProxyPassword | (changed) | (changed)\n"
            "~ CoreSettings.config |  | mode 0640 -> 0600\n");
  EXPECT_TRUE(adapter.diff(before, before).empty());
}

TEST_F(SettingsItem, ADifferenceInNoKeyIsByFile) {
  const auto before = stored(kGood);
  const auto after = stored(replaced(kGood, "<!-- kept -->", "<!-- gone -->"));
  const auto changes = adapter.diff(before, after);
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].where, "CoreSettings.config");
}

}  // namespace
}  // namespace holdfast::item
