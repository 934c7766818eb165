#include "service/notify/delivery.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "base/text.h"
#include "platform/testing.h"
#include "service/notify/delivery_testing.h"

namespace holdfast::service {
namespace {

using namespace std::chrono_literals;
using Scheme = system::NotifySettings::Scheme;

constexpr std::int64_t kDay = 86'400;

Timestamp today() { return {std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count(), 0}; }

class Deliveries : public ::testing::Test {
 protected:
  Deliveries() {
    trusted_authority();
    n.id = 5;
    n.queued = {1'795'312'800, 0};
    n.event = {.kind = Event::Kind::failure, .headline = "backup failed (exit 17)", .happened = "no room", .safe = "the rest", .next = "free some", .job = 17,
               .job_kind = "backup", .time = n.queued};
  }

  std::vector<RefusedRecipient> deliver(const system::NotifySettings& target, std::chrono::milliseconds limit = 20s) {
    return Delivery(platform::real_file_system(), {"ns01", "server.example.test"}, limit).deliver(target, n, stop);
  }
  // The Error; a test failure without one.
  Error error_of(const system::NotifySettings& target, std::chrono::milliseconds limit = 20s) {
    try {
      deliver(target, limit);
    } catch (const Error& e) {
      EXPECT_EQ(std::string(e.what()).find(kPassword), std::string::npos) << e.what();
      EXPECT_EQ(e.hint().find(kPassword), std::string::npos) << e.hint();
      return e;
    }
    ADD_FAILURE() << "nothing was thrown";
    return Error(Code::defect, "");
  }
  platform::Path file(const std::string& content) {
    const auto path = folder.path() / ("secret" + std::to_string(++files));
    platform::real_file_system().replace(path, as_bytes(content));
    return path;
  }
  static bool says(const Error& e, const std::string& part) { return std::string(e.what()).find(part) != std::string::npos; }

  static constexpr const char* kPassword = "correct horse=battery\\staple";
  platform::TemporaryFolder folder;
  Notification n;
  Cancel stop;
  int files = 0;
};

// --- mail

TEST_F(Deliveries, AMailIsBroughtOverTls) {
  MailReceiver server({.tls_at_once = true});
  EXPECT_TRUE(deliver(mail_target("mail", Scheme::smtps, server.port(), {"it@example.org", "second@example.org"})).empty());
  ASSERT_EQ(server.mails().size(), 1U);
  const auto mail = server.mails().front();
  EXPECT_EQ(mail.from, "holdfast@example.org");
  EXPECT_EQ(mail.to, (std::vector<std::string>{"it@example.org", "second@example.org"}));
  EXPECT_NE(mail.text.find("\r\nSubject: Holdfast ns01: backup failed (exit 17)\r\n"), std::string::npos) << mail.text;
  EXPECT_TRUE(server.commands(false).empty());
  EXPECT_EQ(server.commands(true).front(), "EHLO server.example.test");
  EXPECT_EQ(server.commands(true).back(), "QUIT");
}

TEST_F(Deliveries, NothingButTheRequestForTlsIsSaidBeforeIt) {
  MailReceiver server({.user = "holdfast", .password = kPassword});
  auto target = mail_target("mail", Scheme::smtp, server.port());
  target.user = "holdfast";
  target.password_file = file(std::string(kPassword) + "\r\nsecond line\n");
  EXPECT_TRUE(deliver(target).empty());
  EXPECT_EQ(server.commands(false), (std::vector<std::string>{"EHLO server.example.test", "STARTTLS"}));
  EXPECT_EQ(server.commands(true)[1], "AUTH PLAIN");
  ASSERT_EQ(server.mails().size(), 1U);
  EXPECT_EQ(server.mails().front().user, "holdfast");
}

TEST_F(Deliveries, WithoutTlsNothingIsSent) {
  for (auto rules : {MailRules{.offers_tls = false}, MailRules{.instead = {{"STARTTLS", "454 not now\r\n"}}}, MailRules{.instead = {{"STARTTLS", "220 go\r\n250 not TLS\r\n"}}},
                     MailRules{.behind_starttls = "250 evil\r\n"}}) {
    MailReceiver server(rules);
    EXPECT_EQ(error_of(mail_target("mail", Scheme::smtp, server.port())).code(), Code::failed);
    for (const std::string& command : server.commands(false)) EXPECT_TRUE(command.starts_with("EHLO") || command == "STARTTLS") << command;
    EXPECT_TRUE(server.commands(true).empty());
    EXPECT_TRUE(server.mails().empty());
  }
}

TEST_F(Deliveries, SignsInByLoginWhereThatIsAllThereIs) {
  MailReceiver server({.tls_at_once = true, .mechanisms = "XOAUTH2 LOGIN", .user = "user@example.org", .password = kPassword});
  auto target = mail_target("mail", Scheme::smtps, server.port());
  target.user = "user@example.org";
  target.password_file = file(kPassword);
  EXPECT_TRUE(deliver(target).empty());
  EXPECT_EQ(server.mails().size(), 1U);
  server.change([](MailRules& r) { r.mechanisms = "XOAUTH2 GSSAPI"; });
  EXPECT_TRUE(says(error_of(target), "offers neither"));
}

TEST_F(Deliveries, AWrongPasswordIsToldWithoutIt) {
  MailReceiver server({.tls_at_once = true, .user = "holdfast", .password = kPassword});
  auto target = mail_target("mail", Scheme::smtps, server.port());
  target.user = "other";   // the server's answer repeats the password in the clear
  target.password_file = file(kPassword);
  const Error e = error_of(target);
  EXPECT_TRUE(says(e, "535")) << e.what();
  EXPECT_TRUE(says(e, "repeats the password")) << e.what();
  EXPECT_TRUE(server.mails().empty());
}

TEST_F(Deliveries, WhomTheServerRefusesIsNamedAndTheOthersHaveTheMail) {
  MailReceiver server({.tls_at_once = true, .refused = {"gone@example.org", "left@example.org"}});
  auto target = mail_target("mail", Scheme::smtps, server.port(), {"gone@example.org", "it@example.org", "left@example.org"});
  const auto refused = deliver(target);
  ASSERT_EQ(refused.size(), 2U);
  EXPECT_EQ(refused[0].address, "gone@example.org");
  EXPECT_TRUE(says(refused[0].why, "550 5.1.1 nobody here")) << refused[0].why.what();
  ASSERT_EQ(server.mails().size(), 1U);
  EXPECT_EQ(server.mails()[0].to, std::vector<std::string>{"it@example.org"});

  n.missing = {"gone@example.org", "left@example.org"};
  EXPECT_TRUE(says(error_of(target), "550"));
  server.change([](MailRules& r) { r.refused = {"left@example.org"}; });
  EXPECT_EQ(deliver(target).size(), 1U);
  EXPECT_EQ(server.mails().back().to, std::vector<std::string>{"gone@example.org"});
  target.to = {"it@example.org"};   // the others were taken out of the configuration
  const int before = server.connections();
  EXPECT_TRUE(deliver(target).empty());
  EXPECT_EQ(server.connections(), before);
}

TEST_F(Deliveries, ARefusalAtAnyStepIsAnErrorWithTheServersWords) {
  for (const char* step : {"", "EHLO", "MAIL", "DATA", "."}) {
    MailReceiver server({.tls_at_once = true, .instead = {{step, "554-no\r\n554 \x1b[31mservice\r\n"}}});
    const Error e = error_of(mail_target("mail", Scheme::smtps, server.port()), 2s);
    EXPECT_EQ(e.code(), Code::failed) << step;
    EXPECT_TRUE(says(e, "554 no \\x1b[31mservice")) << e.what();
    EXPECT_TRUE(server.mails().empty());
  }
  MailReceiver server({.tls_at_once = true, .instead = {{"QUIT", "500 never\r\n"}}});
  EXPECT_TRUE(deliver(mail_target("mail", Scheme::smtps, server.port())).empty());   // it has the mail
}

TEST_F(Deliveries, LinesThatBeginWithADotComeThrough) {
  MailReceiver server({.tls_at_once = true});
  n.event.happened = std::string(72, 'a') + ".\r\n.\r\nQUIT";
  n.event.next = "..";
  deliver(mail_target("mail", Scheme::smtps, server.port()));
  ASSERT_EQ(server.mails().size(), 1U);
  EXPECT_EQ(server.mails()[0].text, mail_of(n, {"ns01", "server.example.test"}, "holdfast@example.org", std::vector<std::string>{"it@example.org"}));
}

// A mail server that others wrote (Debian's python3-aiosmtpd): it takes one mail from whoever signs in over TLS, and prints what it took.
constexpr const char* kIndependentServer = R"py(
import asyncio, json, ssl, sys
from aiosmtpd.smtp import SMTP, AuthResult

taken = asyncio.Event()

class Handler:
    async def handle_DATA(self, server, session, envelope):
        print(json.dumps({"from": envelope.mail_from, "to": envelope.rcpt_tos, "text": envelope.content.decode("ascii"), "signed in": session.authenticated}), flush=True)
        taken.set()
        return "250 taken"

def sign_in(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == (b"holdfast", sys.argv[4].encode()), handled=False)

async def main():
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    at_once = sys.argv[3] == "smtps"
    make = lambda: SMTP(Handler(), hostname="mail.test", tls_context=None if at_once else context, require_starttls=not at_once,
                        authenticator=sign_in, auth_required=True, auth_require_tls=not at_once)
    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0, ssl=context if at_once else None)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.wait_for(taken.wait(), 30)
    await asyncio.sleep(0.2)

asyncio.run(main())
)py";

TEST_F(Deliveries, AMailServerThatOthersWroteTakesIt) {
  const auto script = file(kIndependentServer), certificate = file(good_certificate().certificate_pem), key = file(good_certificate().key_pem);
  for (const Scheme scheme : {Scheme::smtps, Scheme::smtp}) {
    // By its path: another Python that comes first in PATH does not have Debian's modules.
    const std::string command = "exec /usr/bin/python3 " + script.string() + " " + certificate.string() + " " + key.string() + (scheme == Scheme::smtps ? " smtps" : " smtp") + " a-password";
    std::unique_ptr<FILE, int (*)(FILE*)> server(::popen(command.c_str(), "r"), ::pclose);
    ASSERT_TRUE(server);
    const auto line = [&] {
      std::array<char, 16384> text{};
      return std::string(std::fgets(text.data(), static_cast<int>(text.size()), server.get()) == nullptr ? "" : text.data());
    };
    const std::string port = line();
    ASSERT_FALSE(port.empty()) << "the server did not start: is python3-aiosmtpd there?";
    auto target = mail_target("mail", scheme, static_cast<std::uint16_t>(std::stoul(port)), {"it@example.org", "second@example.org"});
    target.user = "holdfast";
    target.password_file = file("a-password");
    n.event.next = ".\n..\nx";
    EXPECT_TRUE(deliver(target).empty());
    const auto taken = nlohmann::json::parse(line(), nullptr, false);
    ASSERT_TRUE(taken.is_object());
    EXPECT_EQ(taken["from"], "holdfast@example.org");
    EXPECT_EQ(taken["to"], target.to);
    EXPECT_EQ(taken["signed in"], true);
    EXPECT_EQ(taken["text"], mail_of(n, {"ns01", "server.example.test"}, "holdfast@example.org", target.to));
  }
}

// --- web

TEST_F(Deliveries, AWebAddressGetsJsonWithItsToken) {
  WebReceiver server({http_answer(200)});
  auto target = web_target("hook", Scheme::https, server.port(), "/services/x?y=1");
  target.password_file = file("token-123\n");
  deliver(target);
  ASSERT_EQ(server.requests().size(), 1U);
  const auto r = server.requests()[0];
  EXPECT_EQ(r.line, "POST /services/x?y=1 HTTP/1.1");
  EXPECT_EQ(r.headers.at("authorization"), "Bearer token-123");
  EXPECT_EQ(r.headers.at("host"), "127.0.0.1:" + std::to_string(server.port()));
  EXPECT_EQ(r.headers.at("content-type"), "application/json");
  EXPECT_EQ(nlohmann::json::parse(r.body)["subject"], "Holdfast ns01: backup failed (exit 17)");
}

TEST_F(Deliveries, ADeadMansSwitchIsCalledAndToldNothing) {
  WebReceiver server({http_answer(204)});
  auto target = web_target("ping", Scheme::https, server.port(), "");
  target.on = {false, false, false, true};
  deliver(target);
  ASSERT_EQ(server.requests().size(), 1U);
  EXPECT_EQ(server.requests()[0].line, "GET / HTTP/1.1");
  EXPECT_EQ(server.requests()[0].body, "");
  EXPECT_FALSE(server.requests()[0].headers.contains("authorization"));
}

TEST_F(Deliveries, AProgramOnThisMachineIsToldWithoutTls) {
  WebReceiver server({"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.0 202\r\n\r\n"}, nullptr);
  deliver(web_target("hook", Scheme::http, server.port()));
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(Deliveries, EveryOtherStatusIsAnError) {
  for (const int status : {300, 400, 401, 403, 404, 410, 429, 500, 503, 599}) {
    WebReceiver server({http_answer(status)});
    const Error e = error_of(web_target("hook", Scheme::https, server.port()));
    EXPECT_EQ(e.code(), Code::failed);
    EXPECT_TRUE(says(e, "answers " + std::to_string(status))) << e.what();
  }
}

TEST_F(Deliveries, ARedirectIsToldAndNotFollowed) {
  WebReceiver elsewhere({http_answer(200)}, nullptr);
  for (const int status : {301, 302, 303, 307, 308}) {
    WebReceiver server({http_answer(status, "Location: http://127.0.0.1:" + std::to_string(elsewhere.port()) + "/x\x1b\r\n")});
    const Error e = error_of(web_target("hook", Scheme::https, server.port()));
    EXPECT_NE(e.hint().find("http://127.0.0.1:" + std::to_string(elsewhere.port()) + "/x\\x1b"), std::string::npos) << e.hint();
  }
  EXPECT_TRUE(elsewhere.requests().empty());
}

// --- certificates

TEST_F(Deliveries, ACertificateThatIsNotRightIsNeverSpokenTo) {
  const auto stranger = crypto::make_certificate({.common_name = "stranger", .organization = "test", .dns_names = {}, .not_before = {today().seconds - kDay, 0}, .days = 30,
                                                  .authority = true, .key = crypto::NewCertificate::Key::ec_p256}, nullptr);
  const std::vector<std::string> us{"localhost", "127.0.0.1"};
  const Timestamp yesterday{today().seconds - kDay, 0};
  const std::pair<const char*, crypto::CertificateAndKey> bad[] = {
      {"of an authority that nobody trusts", certificate_for(us, &stranger, yesterday, 10)},
      {"its own authority", certificate_for(us, nullptr, yesterday, 10)},
      {"for another name", certificate_for({"mail.example.org", "127.0.0.2"}, &trusted_authority(), yesterday, 10)},
      {"for the name alone, not the address", certificate_for({"localhost"}, &trusted_authority(), yesterday, 10)},
      {"over", certificate_for(us, &trusted_authority(), {today().seconds - 20 * kDay, 0}, 10)},
      {"not yet begun", certificate_for(us, &trusted_authority(), {today().seconds + kDay, 0}, 10)},
  };
  int refused = 0;
  for (const auto& [what, pair] : bad) {
    MailReceiver at_once({.certificate = pair, .tls_at_once = true}), later({.certificate = pair});
    WebReceiver web({http_answer(200)}, &pair);
    for (const auto& target : {mail_target("mail", Scheme::smtps, at_once.port()), mail_target("mail", Scheme::smtp, later.port()), web_target("hook", Scheme::https, web.port())}) {
      const Error e = error_of(target);
      EXPECT_EQ(e.code(), Code::failed) << what;
      EXPECT_TRUE(says(e, "its certificate is not right")) << what << ": " << e.what();
      ++refused;
    }
    EXPECT_TRUE(at_once.commands(true).empty() && later.commands(true).empty() && web.requests().empty()) << what;
  }
  EXPECT_EQ(refused, 18);
}

TEST_F(Deliveries, ANameIsAskedForAndChecked) {
  const auto pair = certificate_for({"localhost"}, &trusted_authority(), {today().seconds - kDay, 0}, 10);
  WebReceiver server({http_answer(200)}, &pair);
  auto target = web_target("hook", Scheme::https, server.port());
  target.host = "localhost";
  deliver(target);
  EXPECT_EQ(server.requests().size(), 1U);
}

// --- servers that do not answer, or by half

TEST_F(Deliveries, NobodyThereIsToldAtOnce) {
  for (const auto& target : {mail_target("mail", Scheme::smtps, closed_port()), web_target("hook", Scheme::https, closed_port())}) {
    const Error e = error_of(target);
    EXPECT_EQ(e.code(), Code::unavailable);
    EXPECT_NE(e.os_error(), 0);
  }
  auto target = web_target("hook", Scheme::https, 443);
  target.host = std::string(64, 'a') + ".invalid";   // longer than a name's part can be: no name server is asked
  EXPECT_EQ(error_of(target).code(), Code::unavailable);
}

// Silent after 0, 1, 2, … lines of what it would say: the limit ends it each time.
TEST_F(Deliveries, AServerThatFallsSilentIsLeft) {
  for (const char* step : {"", "EHLO", "STARTTLS", "MAIL", "RCPT", "DATA", "."}) {
    MailReceiver server({.instead = {{step, "250-half"}}});
    EXPECT_EQ(error_of(mail_target("mail", Scheme::smtp, server.port()), 300ms).code(), Code::unavailable) << step;
    EXPECT_TRUE(server.mails().empty());
  }
  LoopbackServer silent([](Peer& peer) { peer.wait_for_end(); });   // also in the middle of TLS
  EXPECT_EQ(error_of(web_target("hook", Scheme::https, silent.port()), 300ms).code(), Code::unavailable);
  for (const char* half : {"", "HTTP/1.1 20", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"}) {
    WebReceiver server({half}, nullptr);
    EXPECT_EQ(error_of(web_target("hook", Scheme::http, server.port()), 300ms).code(), Code::unavailable) << half;
  }
}

// Each byte that the server says is the last one, once: only after the whole answer to the whole mail it counts as delivered.
TEST_F(Deliveries, AConversationCutAtAnyByteIsNoDelivery) {
  const std::string said[] = {"220 mail.test ready\r\n", "250-mail.test\r\n250 SIZE 1\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n", "250 taken\r\n"};
  std::size_t total = 0;
  for (const std::string& s : said) total += s.size();
  int failed = 0, delivered = 0;
  for (std::size_t cut = 0; cut <= total; ++cut) {
    LoopbackServer server([&](Peer& peer) {
      peer.start_tls(good_certificate());
      std::size_t left = cut;
      for (std::size_t i = 0; i < std::size(said); ++i) {
        if (i == 5)
          while (peer.line() != ".") {
          }
        else if (i > 0) peer.line();
        peer.say(said[i].substr(0, left));
        if (left < said[i].size()) return;   // closes
        left -= said[i].size();
      }
    });
    try {
      deliver(mail_target("mail", Scheme::smtps, server.port()));
      ++delivered;
      EXPECT_GE(cut, total - 1) << "delivered after " << cut << " bytes of " << total;   // without the last LF it is no line
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::unavailable) << cut << ": " << e.what();
      ++failed;
    }
  }
  std::cout << "cut " << total + 1 << ": failed " << failed << ", delivered " << delivered << "\n";
  EXPECT_EQ(delivered, 1);
}

TEST_F(Deliveries, ARequestToStopEndsAWait) {
  std::atomic<bool> connected{false};
  LoopbackServer silent([&](Peer& peer) {
    connected = true;
    peer.wait_for_end();
  });
  std::thread stopper([&] {
    while (!connected) std::this_thread::sleep_for(1ms);
    stop.raise();
  });
  EXPECT_EQ(error_of(mail_target("mail", Scheme::smtps, silent.port()), 10min).code(), Code::interrupted);
  stopper.join();
}

// Answers made of what servers say, cut and mixed and broken: an Error or a delivery, never more than the limits of memory and lines allow.
TEST_F(Deliveries, HostileAnswersEndInAnError) {
  const std::uint64_t seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  const std::string pieces[] = {"220 ", "250-", "250 ", "354 ", "HTTP/1.1 ", "200 OK", "301 x", "\r\n", "\r", "\n", "Location: ", "999", "-1 ", "\xff\x80", std::string(1, '\0'), "AUTH PLAIN", std::string(3000, 'x')};
  int errors = 0, runs = 0;
  for (; runs < 300; ++runs) {
    std::string answer;
    for (std::size_t k = random() % 30; k > 0; --k) answer += pieces[random() % std::size(pieces)];
    const bool mail = runs % 2 == 0;
    LoopbackServer server([&](Peer& peer) {
      if (mail) peer.start_tls(good_certificate());
      peer.say(answer);
    });
    try {
      deliver(mail ? mail_target("mail", Scheme::smtps, server.port()) : web_target("hook", Scheme::http, server.port()));
      EXPECT_FALSE(mail) << printable(answer);   // no mail without its conversation
      EXPECT_NE(answer.find("HTTP/1.1 2"), std::string::npos);
    } catch (const Error& e) {
      EXPECT_TRUE(e.code() == Code::failed || e.code() == Code::unavailable) << e.what();
      ++errors;
    }
  }
  std::cout << "hostile answers " << runs << ", errors " << errors << "\n";
}

TEST_F(Deliveries, AnswersWithoutEndAreLeft) {
  for (const bool lines : {false, true})
    for (const bool mail : {false, true}) {
      LoopbackServer server([&](Peer& peer) {
        const std::string piece = lines ? mail ? "220-more\r\n" : "X: y\r\n" : std::string(10, 'x');
        peer.say(mail ? "220-" : "HTTP/1.1 200 OK\r\nX: ");
        while (true) peer.say(piece);
      });
      auto target = mail ? mail_target("mail", Scheme::smtp, server.port()) : web_target("hook", Scheme::http, server.port());
      const Error e = error_of(target);
      EXPECT_EQ(e.code(), Code::failed) << e.what();
    }
}

// --- secrets

TEST_F(Deliveries, APasswordFileThatCannotBeUsedStopsBeforeTheServer) {
  WebReceiver server({http_answer(200)});
  auto target = web_target("hook", Scheme::https, server.port());
  for (const char* content : {"", "\n", "\r\nx", "to\rken\n", "a\tb", "x\x7f", "a\r\r\n"}) {
    target.password_file = file(content);
    EXPECT_EQ(error_of(target).code(), Code::config) << printable(content);
  }
  target.password_file = folder.path() / "nothing";
  EXPECT_EQ(error_of(target).code(), Code::not_found);
  target.password_file = folder.path() / "pipe";
  ASSERT_EQ(::mkfifo(target.password_file.c_str(), 0600), 0);
  EXPECT_EQ(error_of(target).code(), Code::config);
  target.password_file = file(std::string(100'000, 'x'));
  EXPECT_EQ(error_of(target).code(), Code::unsupported);
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(Deliveries, NoAnswerBringsATokenIntoAnError) {
  WebReceiver server({http_answer(302, "Location: https://elsewhere/?t=" + std::string("correct-horse") + "\r\n"), http_answer(500, "X: correct-horse\r\n")});
  auto target = web_target("hook", Scheme::https, server.port());
  target.password_file = file("correct-horse");
  for (int i = 0; i < 2; ++i) {
    const Error e = error_of(target);
    EXPECT_EQ((std::string(e.what()) + e.hint()).find("correct-horse"), std::string::npos) << e.what() << e.hint();
  }
}

}  // namespace
}  // namespace holdfast::service
