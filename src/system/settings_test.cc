#include "system/settings.h"

#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "system/system_testing.h"
#include "system/web_address.h"

namespace holdfast::system {
namespace {

const std::string kAll = R"(
[copy.nas]
repository = "/mnt/nas/ns01"

[schedule.configuration]
run = "backup"
section = "configuration"
calendar = "Mon..Fri 02:30"
enabled = true
export = "/srv/plain"

[schedule.everything]
run = "backup"
calendar = "Sun 01:00 UTC"

[schedule.proof]
run = "verify"
level = "bytes"
share = "5%"
calendar = "daily"

[schedule.deep]
run = "verify"
calendar = "monthly"

[schedule.sample]
run = "check"
share = "0.5%"
calendar = "hourly"

[schedule.offsite]
run = "copy"
copy = "nas"
calendar = "daily"

[schedule.keep]
run = "retention"
calendar = "Sun 04:00"

[schedule.space]
run = "prune"
calendar = "Sun 05:00"

[service]
listen = "[::1]:9443"
certificate = "web.crt"
key = "web.key"

[notify.mail]
url = "smtps://it@mail.example.org"
password_file = "mail.password"
to = ["it@example.org", "chief@example.org"]
from = "holdfast@example.org"
on = ["failure", "success"]

[notify.relay]
url = "smtp://10.0.0.1:25"
to = ["it@example.org"]

[notify.web]
url = "https://alerts.example.org/hook?x=1"

[notify.here]
url = "http://127.0.0.1:8080/hook"
password_file = "token"
)";
// The example with settings of our own in place of its own ones.
std::string base() {
  std::string text = example();
  for (std::string begin : {"\n[schedule.", "\n[service]", "\n[notify."})
    for (std::size_t at; (at = text.find(begin)) != std::string::npos;) text.erase(at, std::min(text.find("\n[", at + 1), text.size()) - at);
  return text;
}
std::string all() { return base() + kAll; }

TEST(SettingsTest, EveryKeyIsRead) {
  const System system = parse_system(with(all(), "recovery_point = \"24h\"", "recovery_point = \"24h\"\nrecovery_time = \"8h\""), "f", "/base", adapters());
  EXPECT_EQ(system.recovery_time, (Span{8, Span::Unit::hours}));
  const Settings& s = system.settings;
  std::string schedules;
  for (const ScheduleSettings& x : s.schedules) schedules += x.name + (x.enabled ? " on: " : " off: ") + x.calendar + ": " + to_text(x) + "\n";
  EXPECT_EQ(schedules,
            "configuration on: Mon..Fri 02:30: backup of section configuration, exported to /srv/plain\n"
            "everything off: Sun 01:00 UTC: backup of every item\n"
            "proof off: daily: verify to level bytes, 5% a run\n"
            "deep off: monthly: verify to level content\n"
            "sample off: hourly: check of the repository, reading 0.5%\n"
            "offsite off: daily: copy to nas\n"
            "keep off: Sun 04:00: retention: forget scheduled points by the rule\n"
            "space off: Sun 05:00: prune: free the space of what was forgotten\n");
  EXPECT_EQ(s.find_schedule("proof")->share, 0.05);
  EXPECT_EQ(s.find_schedule("deep")->share, std::nullopt);
  EXPECT_EQ(s.find_schedule("none"), nullptr);
  EXPECT_EQ(s.service.address, "::1");
  EXPECT_EQ(s.service.port, 9443);
  EXPECT_EQ(s.service.certificate, "/base/web.crt");
  EXPECT_EQ(s.service.key, "/base/web.key");
  ASSERT_EQ(s.notifications.size(), 4U);
  const NotifySettings &mail = s.notifications[0], &relay = s.notifications[1], &web = s.notifications[2], &here = s.notifications[3];
  EXPECT_EQ(mail.user + " " + mail.host + " " + std::to_string(mail.port) + " " + mail.from, "it mail.example.org 465 holdfast@example.org");
  EXPECT_EQ(mail.password_file, "/base/mail.password");
  EXPECT_EQ(mail.to.size(), 2U);
  EXPECT_TRUE(mail.on.failure && mail.on.success && !mail.on.overdue && !mail.on.finding);
  EXPECT_EQ(relay.host + " " + std::to_string(relay.port) + " " + relay.from, "10.0.0.1 25 it@example.org");
  EXPECT_TRUE(relay.on.failure && relay.on.overdue && relay.on.finding && !relay.on.success);
  EXPECT_EQ(web.url + " " + web.host + " " + std::to_string(web.port), "https://alerts.example.org/hook?x=1 alerts.example.org 443");
  EXPECT_EQ(here.host + " " + std::to_string(here.port), "127.0.0.1 8080");
  EXPECT_EQ(here.password_file, "/base/token");
}

TEST(SettingsTest, WithoutTheTablesNothingRunsAndTheServiceListensHere) {
  const Settings s = parse_system(base(), "f", "/base", adapters()).settings;
  EXPECT_TRUE(s.schedules.empty());
  EXPECT_TRUE(s.notifications.empty());
  EXPECT_EQ(s.service.address, "127.0.0.1");
  EXPECT_EQ(s.service.port, 8443);
  EXPECT_TRUE(s.service.certificate.empty());
}

TEST(SettingsTest, TheExampleHasOneScheduleForEverythingAndAllAreOff) {
  const System system = parse_system(example(), "f", "/base", adapters());
  std::set<std::string> sections, runs;
  for (const ScheduleSettings& s : system.settings.schedules) {
    EXPECT_FALSE(s.enabled) << s.name;
    runs.insert(std::string(to_text(s.run)));
    if (!s.section.empty()) sections.insert(s.section);
  }
  EXPECT_EQ(sections.size(), system.profile.sections.size());
  EXPECT_EQ(runs, (std::set<std::string>{"backup", "verify", "retention", "prune"}));
}

TEST(SettingsTest, every_mistake_says_where_and_what) {
  expect_mistakes(
      "ns01.toml", all(),
      {
          {"[schedule.keep]", "[shedule.keep]", "shedule", "did you mean 'schedule'?"},
          {"[schedule.keep]", "[schedule.Keep]", "Keep", "is no name for [schedule.NAME]"},
          {"[schedule.keep]", "[schedule]\nx = 1\n[schedule.keep]", "1\n[schedule.keep]", "[schedule.x] is not a table"},
          {"run = \"retention\"\n", "", "[schedule.keep]", "has no 'run'"},
          {"run = \"retention\"", "run = \"retain\"", "\"retain\"", "expected one of: backup, verify, check, copy, retention, prune"},
          {"run = \"retention\"", "run = \"bakcup\"", "\"bakcup\"", "did you mean 'backup'?"},
          {"run = \"retention\"", "run = \"retention\"\nsection = \"database\"", "section = \"database\"", "unknown key 'section' in [schedule.keep] of run 'retention'"},
          {"run = \"prune\"", "run = \"prune\"\nlevel = \"bytes\"", "level = \"bytes\"\ncalendar = \"Sun 05", "of run 'prune'"},
          {"run = \"copy\"", "run = \"copy\"\nshare = \"5%\"", "share = \"5%\"\ncopy", "of run 'copy'"},
          {"run = \"check\"", "run = \"check\"\nexport = \"x\"", "export = \"x\"", "of run 'check'"},
          {"calendar = \"Sun 04:00\"", "calender = \"Sun 04:00\"", "calender", "did you mean 'calendar'?"},
          {"calendar = \"Sun 04:00\"", "", "[schedule.keep]", "has no 'calendar'"},
          {"calendar = \"Sun 04:00\"", "calendar = \"Sun 24:00\"", "\"Sun 24:00\"", "column 5: expected an hour from 0 to 23"},
          {"calendar = \"Sun 04:00\"", "calendar = \"Sun 04:00\"\nenabled = \"yes\"", "\"yes\"", "expected true or false"},
          {"section = \"configuration\"", "section = \"configuratoin\"", "\"configuratoin\"", "did you mean 'configuration'?"},
          {"export = \"/srv/plain\"", "export = \"server/Packages/plain\"", "\"server/Packages/plain\"", "lies inside [item.software-packages]"},
          {"export = \"/srv/plain\"", "export = \"server/Packages\"", "\"server/Packages\"\n\n[schedule.e", "lies inside [item.software-packages]"},
          {"export = \"/srv/plain\"", "export = \"x/../repository\"", "\"x/../repository\"", "lies inside [repository]"},
          {"export = \"/srv/plain\"", "export = \"/mnt/nas/ns01/plain\"", "\"/mnt/nas/ns01/plain\"", "lies inside [copy.nas]"},
          {"level = \"bytes\"", "level = \"byte\"", "\"byte\"", "did you mean 'bytes'?"},
          {"level = \"bytes\"\nshare = \"5%\"", "level = \"exists\"\nshare = \"5%\"", "\"5%\"", "reads nothing that could be shared out"},
          {"share = \"5%\"", "share = \"5\"", "\"5\"", "expected a share above 0 to 100"},
          {"share = \"5%\"", "share = \"0%\"", "\"0%\"", "expected a share above 0 to 100"},
          {"share = \"5%\"", "share = \"nan%\"", "\"nan%\"", "expected a share above 0 to 100"},
          {"share = \"5%\"", "share = 5", "5\ncalendar", "expected a text in quotes"},
          {"copy = \"nas\"\n", "", "[schedule.offsite]", "has no 'copy'"},
          {"copy = \"nas\"", "copy = \"nsa\"", "\"nsa\"", "expected nas"},
          {"[copy.nas]\nrepository = \"/mnt/nas/ns01\"\n", "", "\"nas\"", "the file has no copy; expected a table [copy.NAME]"},
          {"listen = \"[::1]:9443\"", "listen = \"8443\"", "\"8443\"", "expected the address of this machine and a port"},
          {"listen = \"[::1]:9443\"", "listen = \"[::1]\"", "\"[::1]\"", "expected the address of this machine and a port"},
          {"listen = \"[::1]:9443\"", "listen = \"ns01:9443\"", "\"ns01:9443\"", "expected the address of this machine and a port"},
          {"listen = \"[::1]:9443\"", "listen = \"127.0.0.1:0\"", "\"127.0.0.1:0\"", "expected the address of this machine and a port"},
          {"listen = \"[::1]:9443\"", "lisen = \"[::1]:9443\"", "lisen", "did you mean 'listen'?"},
          {"key = \"web.key\"\n", "", "[service]", "certificate and key belong together"},
          {"certificate = \"web.crt\"\n", "", "[service]", "certificate and key belong together"},
          {"url = \"smtps://it@mail.example.org\"\n", "", "[notify.mail]", "has no 'url'"},
          {"smtps://it@mail", "smtps://it:secret@mail", "\"smtps://it:", "it holds a password"},
          {"smtps://it@mail", "imaps://it@mail", "\"imaps://", "cannot send by 'imaps'; expected smtps://, smtp:// or https://"},
          {"smtps://it@mail.example.org", "mail.example.org", "\"mail.example.org\"", "it is no address"},
          {"smtps://it@mail.example.org", "smtps://it@mail.example.org/x", "\"smtps://", "a mail server has no path"},
          {"smtps://it@mail", "smtps://mail", "\"mail.password\"", "belongs to a user, and the url has none"},
          {"password_file = \"mail.password\"\n", "", "[notify.mail]", "has no 'password_file'"},
          {"password_file = \"mail.password\"", "password = \"secret\"", "password = ", "unknown key 'password' in [notify.mail] of mail; expected one of: url, on, password_file, to, from"},
          {"https://alerts", "http://alerts", "\"http://alerts", "http is neither encrypted"},
          {"https://alerts", "https://it@alerts", "\"https://it@", "a token in password_file"},
          {"[notify.web]", "[notify.web]\nto = [\"a@b\"]", "to = [\"a@b\"]", "unknown key 'to' in [notify.web] of a web address"},
          {"to = [\"it@example.org\"]", "", "[notify.relay]", "has no 'to'"},
          {"to = [\"it@example.org\"]", "to = []", "[]", "is an empty list"},
          {"to = [\"it@example.org\"]", "to = [\"IT <it@example.org>\"]", "[\"IT <", "is no mail address"},
          {"from = \"holdfast@example.org\"", "from = \"holdfast\"", "\"holdfast\"\non", "is no mail address"},
          {"on = [\"failure\", \"success\"]", "on = [\"failures\"]", "[\"failures\"]", "did you mean 'failure'?"},
          {"on = [\"failure\", \"success\"]", "on = []", "[]", "expected at least one of: failure, overdue, finding, success"},
      },
      system_mistake);
}

TEST(SettingsTest, AMistakeInAnAddressDoesNotRepeatIt) {
  for (const char* url : {"smtps://it:secret@mail.example.org", "ftp://it:secret@x", "http://x/secret", "https://x y/secret"})
    EXPECT_EQ(system_mistake(with(all(), "smtps://it@mail.example.org", url)).find("secret"), std::string::npos) << url;
}

TEST(WebAddressTest, WhatIsAnAddress) {
  for (const char* good : {"0.0.0.0", "127.0.0.1", "255.255.255.255"}) EXPECT_TRUE(is_ipv4(good)) << good;
  for (const char* bad : {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.", "a.b.c.d", "1.2.3.-4", "1.2.3.4 "}) EXPECT_FALSE(is_ipv4(bad)) << bad;
  for (const char* good : {"::", "::1", "1::", "fe80::1:2", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::"}) EXPECT_TRUE(is_ipv6(good)) << good;
  for (const char* bad : {"", ":", ":::", "1", "1::2::3", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "12345::", "g::", "1:2:3:4:5:6:7:"}) EXPECT_FALSE(is_ipv6(bad)) << bad;
  EXPECT_EQ(split_host_and_port("[::1]:80")->host, "::1");
  EXPECT_EQ(split_host_and_port("h:65535")->port, 65'535);
  EXPECT_EQ(split_host_and_port("h")->port, std::nullopt);
  for (const char* bad : {"", ":80", "h:", "h:0", "h:65536", "h:+1", "h:80x", "[::1", "[x]:80", "[::1]80", "a b:80", "-h:80"}) EXPECT_FALSE(split_host_and_port(bad)) << bad;
  const auto full = split_web_address("HTTPS://it:x@[::1]:8443/a?b=c@d");
  ASSERT_TRUE(full);
  EXPECT_EQ(full->scheme + " " + full->user + " " + full->host + " " + full->rest, "https it ::1 /a?b=c@d");
  EXPECT_TRUE(full->has_password);
  for (const char* bad : {"", "https:", "https://", "://h", "https://h#x", "https://h y", "https://h\n", "ht+tp://h", "https://:1", "https://\xC3\xBC"}) EXPECT_FALSE(split_web_address(bad)) << bad;
  for (const char* here : {"localhost", "LOCALHOST", "127.9.9.9", "::1"}) EXPECT_TRUE(is_this_machine(here)) << here;
  for (const char* elsewhere : {"127.example.org", "localhost.example.org", "10.0.0.1", "::2", ""}) EXPECT_FALSE(is_this_machine(elsewhere)) << elsewhere;
}

}  // namespace
}  // namespace holdfast::system
