#include "service/notify/notification_text.h"

#include <gtest/gtest.h>

#include <iostream>
#include <nlohmann/json.hpp>
#include <random>

#include "base/text.h"
#include "platform/process.h"
#include "platform/testing.h"

namespace holdfast::service {
namespace {

const Sender kSender{"ns01", "server.example.test"};

Notification sample() {
  Notification n;
  n.id = 5;
  n.target = "mail";
  n.queued = {1'795'312'800, 0};   // 2026-11-22T02:00:00Z
  n.event = {.kind = Event::Kind::failure, .headline = "backup failed (exit 17)", .happened = "cannot write /backup/x: no space left on device",
             .safe = "Earlier recovery points are whole.", .next = "Free some space.", .job = 17, .job_kind = "backup", .time = n.queued};
  n.head.number = 42;
  n.head.hash.bytes[0] = 0xAB;
  return n;
}

// What Python's own mail parser makes of a mail: another program than ours reads it. Header values, then the text.
nlohmann::json parsed(const std::string& mail) {
  platform::TemporaryFolder folder;
  const auto file = folder.path() / "mail";
  platform::real_file_system().replace(file, as_bytes(mail));
  const std::string script =
      "import email, email.policy, json, sys\n"
      "m = email.message_from_bytes(open(sys.argv[1], 'rb').read(), policy=email.policy.default)\n"
      "print(json.dumps({'headers': [k for k in m.keys()], 'values': {k: str(m[k]) for k in m.keys()}, 'text': m.get_content().replace('\\r\\n', '\\n'), 'defects': [str(d) for d in m.defects],\n"
      "                  'to': [a.addr_spec for a in m['To'].addresses], 'from': [a.addr_spec for a in m['From'].addresses], 'when': m['Date'].datetime.isoformat()}))\n";
  const auto result = platform::real_process_runner().run({"python3", "-c", script, file.string()});
  EXPECT_EQ(result.exit_code, 0) << result.error_output;
  return nlohmann::json::parse(result.output, nullptr, false);
}

const std::vector<std::string> kHeaders{"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"};

TEST(NotificationText, TheSubjectSaysWhatHappened) { EXPECT_EQ(subject_of(sample(), kSender), "Holdfast ns01: backup failed (exit 17)"); }

TEST(NotificationText, AnotherProgramReadsTheMail) {
  const std::vector<std::string> to{"it@example.org", "second@example.org"};
  const auto mail = parsed(mail_of(sample(), kSender, "holdfast@example.org", to));
  ASSERT_TRUE(mail.is_object());
  EXPECT_EQ(mail["headers"], kHeaders);
  EXPECT_EQ(mail["defects"].size(), 0U);
  EXPECT_EQ(mail["values"]["Subject"], "Holdfast ns01: backup failed (exit 17)");
  EXPECT_EQ(mail["to"], to);
  EXPECT_EQ(mail["from"], std::vector<std::string>{"holdfast@example.org"});
  EXPECT_EQ(mail["when"], "2026-11-22T02:00:00+00:00");
  EXPECT_EQ(mail["values"]["Message-ID"], "<holdfast.5.1795312800@server.example.test>");
  const std::string text = mail["text"];
  for (const char* part : {"What happened\n  cannot write /backup/x: no space left on device", "What is still safe\n  Earlier recovery points are whole.",
                           "What to do next\n  Free some space.", "Job 17, 2026-11-22T02:00:00Z", "Audit log: entry 42, ab00"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
}

TEST(NotificationText, UnicodeAndLongTextsComeThroughAsTheyWere) {
  Notification n = sample();
  n.event.headline = "Sicherung von „Büro Köln“ – 備份失敗 – " + std::string(120, 'x') + " 🛟 end = ?= =?UTF-8?Q?no?=";
  n.event.happened = "Pfad = /srv/Ä/ö, " + std::string(500, 'y') + " " + std::string(300, ' ') + "=20 .";
  const std::string mail = mail_of(n, kSender, "holdfast@example.org", std::vector<std::string>{"it@example.org"});
  for (const std::string& line : split(mail, '\n')) EXPECT_LE(line.size(), 77U) << line;   // 76 and the CR
  for (const char c : mail) EXPECT_TRUE(c == '\r' || c == '\n' || (c >= 0x20 && c < 0x7F));
  const auto read = parsed(mail);
  ASSERT_TRUE(read.is_object());
  EXPECT_EQ(read["values"]["Subject"], "Holdfast ns01: " + n.event.headline);
  EXPECT_NE(read["text"].get<std::string>().find(n.event.happened), std::string::npos);
}

// Texts as they come out of the queue are escaped; this is the second wall: whatever is in them, no line of the header begins that is not ours.
TEST(NotificationText, NoTextBecomesAHeader) {
  const std::vector<std::string> hostile{"x\r\nBcc: evil@example.org", "x\nBcc: evil@example.org", "x\r\n\r\nbody", "\r\n.\r\nMAIL FROM:<a@b>", "=?UTF-8?Q?=0D=0ABcc:_evil?=",
                                         std::string("nul\0x", 5), "\xff\xfe\x80 no utf-8", "\xc2\x85next line", "\xe2\x80\xa8line separator"};
  int tried = 0;
  for (const std::string& text : hostile)
    for (int where = 0; where < 6; ++where, ++tried) {
      Notification n = sample();
      Sender sender = kSender;
      std::string* places[] = {&n.event.headline, &n.event.happened, &n.event.safe, &n.event.next, &sender.system, &sender.host};
      *places[where] = text;
      const std::string mail = mail_of(n, sender, "holdfast@example.org", std::vector<std::string>{"it@example.org"});
      const std::string head = mail.substr(0, mail.find("\r\n\r\n"));
      std::vector<std::string> names;
      for (const std::string& line : split(head, '\n'))
        if (!line.starts_with(' ')) names.push_back(line.substr(0, line.find(':')));
      EXPECT_EQ(names, kHeaders) << printable(text) << " in " << where;
      for (std::size_t i = 0; i < mail.size(); ++i) {
        EXPECT_TRUE(mail[i] == '\r' || mail[i] == '\n' || (mail[i] >= 0x20 && mail[i] < 0x7F)) << where;
        EXPECT_EQ(mail[i] == '\n', i > 0 && mail[i - 1] == '\r') << where;
      }
      EXPECT_TRUE(nlohmann::json::accept(json_of(n, sender))) << printable(text);
    }
  std::cout << "hostile texts: " << tried << "\n";
}

TEST(NotificationText, JsonHasEverythingForAProgram) {
  const auto json = nlohmann::json::parse(json_of(sample(), kSender));
  EXPECT_EQ(json["schema"], 1);
  EXPECT_EQ(json["id"], "5.1795312800");
  EXPECT_EQ(json["system"], "ns01");
  EXPECT_EQ(json["event"], "failure");
  EXPECT_EQ(json["subject"], "Holdfast ns01: backup failed (exit 17)");
  EXPECT_EQ(json["text"], "Holdfast ns01: backup failed (exit 17)\ncannot write /backup/x: no space left on device");
  EXPECT_EQ(json["next"], "Free some space.");
  EXPECT_EQ(json["time"], "2026-11-22T02:00:00Z");
  EXPECT_EQ(json["job"], 17);
  EXPECT_EQ(json["audit"]["number"], 42);
  EXPECT_EQ(json["audit"]["hash"], sample().head.hash.hex());
}

}  // namespace
}  // namespace holdfast::service
