// The same over TLS, and what comes to a TLS port that is none.
#include <thread>

#include "http/server_testing.h"

namespace holdfast::http {
namespace {

const crypto::CertificateAndKey& certificate(
    crypto::NewCertificate::Key key = crypto::NewCertificate::Key::ec_p256) {
  auto make = [](crypto::NewCertificate::Key kind) {
    Timestamp now{
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
            .count(),
        0};
    return crypto::make_certificate({.common_name = "Holdfast",
                                     .organization = "",
                                     .dns_names = {"localhost", "127.0.0.1", "::1"},
                                     .not_before = now,
                                     .key = kind},
                                    nullptr);
  };
  static const crypto::CertificateAndKey ec = make(crypto::NewCertificate::Key::ec_p256),
                                         rsa = make(crypto::NewCertificate::Key::rsa_2048);
  return key == crypto::NewCertificate::Key::ec_p256 ? ec : rsa;
}

class TlsServer : public TestServer {
 public:
  explicit TlsServer(Handler handler, Limits limits = {},
                     const crypto::CertificateAndKey& pair = certificate())
      : TestServer(std::move(handler), limits, pair), trusted_(pair.certificate_pem) {}
  Client secure(const std::string& name = "localhost") const {
    return Client(port(), "127.0.0.1", trusted_, name);
  }
  void serves() {
    EXPECT_EQ(Client(port(), "127.9.9.9", trusted_).send(request("GET /other")).reply().status, 200);
  }

 private:
  std::string trusted_;
};

TEST(Tls, AnswersWhoVerifiesIt) {
  bool encrypted = false;
  TlsServer server([&](Request& request) {
    encrypted = request.encrypted;
    return echo(request);
  });
  for (const char* name : {"localhost", "127.0.0.1"}) {
    Client client = server.secure(name);
    EXPECT_EQ(client.protocol(), "TLSv1.3");
    for (int i = 0; i < 3; ++i) {
      Reply reply = client.send(request("POST /a", "", std::string(100'000, 'x'))).reply();
      EXPECT_EQ(reply.body.size(), 100'008U);
      EXPECT_EQ(reply.headers["strict-transport-security"], "max-age=31536000");
    }
    EXPECT_EQ(client.send(request("GET /", "Connection: close\r\n")).reply().status, 200);
    EXPECT_TRUE(client.ends());
  }
  EXPECT_TRUE(encrypted);
  EXPECT_THROW(server.secure("elsewhere.example"), std::runtime_error);
  EXPECT_THROW(
      Client(server.port(), "127.0.0.1", certificate(crypto::NewCertificate::Key::rsa_2048).certificate_pem),
      std::runtime_error);
  server.serves();
}

TEST(Tls, TakesAnRsaCertificate) {
  TlsServer server(echo, {}, certificate(crypto::NewCertificate::Key::rsa_2048));
  EXPECT_EQ(server.secure().send(request("GET /a")).reply().body, "GET /a ");
}

TEST(Tls, SendsLongAndEndlessAnswers) {
  std::shared_ptr<EventStream> stream;
  TlsServer server([&](Request& request) -> Response {
    if (request.target == "/events") return {200, {}, stream = std::make_shared<EventStream>()};
    return {200,
            {},
            SourcedBody{
                [left = 50]() mutable { return left-- > 0 ? std::string(60'001, 'x') : std::string(); }, {}}};
  });
  EXPECT_EQ(server.secure().send(request("GET /")).reply().body.size(), 50U * 60'001);
  Client client = server.secure();
  client.send(request("GET /events")).read_until("retry: 2000\n\n");
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(stream->post({"", "", std::to_string(i)}));
    EXPECT_EQ(client.read_until("\n\n"), "data: " + std::to_string(i) + "\n\n");
  }
  std::thread stopping([&] { server->stop(20s); });
  EXPECT_TRUE(client.ends());
  stopping.join();
  EXPECT_EQ(server->counts().connections, 0U);
}

TEST(Tls, TellsWhoSpeaksPlainHttp) {
  TlsServer server(echo);
  Client client = server.client();
  Reply reply = client.send(request("GET /secret")).reply();
  EXPECT_EQ(reply.status, 400);
  EXPECT_NE(reply.body.find("use https://"), std::string::npos);
  EXPECT_FALSE(reply.headers.contains("strict-transport-security"));
  EXPECT_TRUE(client.ends());
  EXPECT_EQ(server->counts().requests, 0U);
}

TEST(Tls, ClosesOnGarbage) {
  Limits limits;
  limits.header_time = 500ms;
  TlsServer server(echo, limits);
  const std::string hello("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);
  for (const std::string& bytes :
       {std::string(3, '\0'), std::string("\x80\x2e\x01\x00\x02", 5), std::string("\x16"),
        std::string("\x16\x03\x01\xff\xff") + std::string(70'000, '\xff'), hello,
        hello + std::string(600, 'x'), std::string("\x16\x03\x01\x00\x05hello", 10), std::string()}) {
    Client client = server.client();
    client.try_send(bytes);
    std::string answer = client.read_to_end();  // a TLS alert or nothing
    EXPECT_LT(answer.size(), 20U);
  }
  EXPECT_TRUE(soon([&] { return server->counts().connections == 0; }));
  server.serves();
}

TEST(Tls, KeepsItsLimits) {
  Limits limits;
  limits.body_bytes = 1000;
  limits.header_time = limits.idle_time = 500ms;
  TlsServer server(echo, limits);
  Client half = server.secure();
  half.send("GET / HT");
  EXPECT_EQ(half.reply().status, 408);
  EXPECT_TRUE(half.ends());
  EXPECT_EQ(server.secure().send(request("POST /", "", std::string(1001, 'x'))).reply().status, 413);
  Client idle = server.secure();
  EXPECT_EQ(idle.send(request("GET /")).reply().status, 200);
  EXPECT_TRUE(idle.ends());
  EXPECT_TRUE(soon([&] { return server->counts().connections == 0; }));
}

TEST(Tls, ServesManyAtATime) {
  TlsServer server(echo);
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 10; ++i)
        right += server.secure().send(request("POST /", "", std::string(20'000, 'x'))).reply().body.size() ==
                 20'007;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 60);
}

}  // namespace
}  // namespace holdfast::http
