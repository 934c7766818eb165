// What goes beyond a limit, and requests with more than one reading.
#include <thread>

#include "http/server_testing.h"

namespace holdfast::http {
namespace {

TEST(Smuggling, NeverReachesTheHandler) {
  std::atomic<int> handled{0};
  TestServer server([&](Request& request) {
    ++handled;
    return echo(request);
  });
  const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n", hidden = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n",
                    post = "POST / HTTP/1.1\r\nHost: a\r\n", te = post + "Transfer-Encoding: chunked\r\n\r\n";
  struct Case {
    int status;
    std::string bytes;
  };
  const Case cases[] = {
      {400, post + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {400, post + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n"},
      {400, post + "Content-Length: 0\r\nContent-Length: 5\r\n\r\nhello"},
      {400, post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"},
      {400, post + "Content-Length: 0, 5\r\n\r\nhello"},
      {400, post + "Content-Length: +0\r\n\r\n"},
      {501, post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"},
      {501, post + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"},
      {400, post + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"},
      {400, post + "Content-Length: 0\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {400, get + "X: a\nContent-Length: 5\r\n\r\nhello"},
      {400, get + std::string("X: a\0b\r\n\r\n", 10)},
      {400, get + "Host: b\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\n\r\n"},
      {400, "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET /a/../b HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "\r\n\r\n"},
      {501, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {505, "GET / HTTP/3.0\r\nHost: a\r\n\r\n"},
      {400, te + "x\r\n"},
      {400, te + "-1\r\n"},
      {400, te + "0x1\r\na\r\n0\r\n\r\n"},
      {400, te + "1\nab\r\n0\r\n\r\n"},
      {400, te + "1\r\nab\r\n0\r\n\r\n"},
      {400, te + " 1\r\na\r\n0\r\n\r\n"},
      {400, te + "10000000000000000\r\na\r\n0\r\n\r\n"},
      {400, te + "5;a=\"\n\"\r\nhello\r\n0\r\n\r\n"},
  };
  for (const Case& c : cases) {
    handled = 0;
    Client client = server.client();
    client.send(c.bytes + hidden);
    Reply reply = client.reply();
    EXPECT_EQ(reply.status, c.status) << c.bytes;
    EXPECT_EQ(reply.headers["connection"], "close") << c.bytes;
    EXPECT_TRUE(client.ends()) << c.bytes;
    EXPECT_EQ(handled, 0) << c.bytes;
  }
}

TEST(Limit, OfTheHead) {
  Limits limits;
  limits.header_bytes = 1000;
  limits.header_fields = 10;
  TestServer server(echo, limits);
  std::string fits = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
  fits += std::string(1000 - fits.size() - 4, 'x') + "\r\n\r\n";
  EXPECT_EQ(server.client().send(fits).reply().status, 200);
  EXPECT_EQ(server.client().send("GET /y" + fits.substr(5)).reply().status, 431);
  Client endless = server.client();
  endless.send(std::string(1001, 'x'));
  EXPECT_EQ(endless.reply().status, 431);
  std::string fields;
  for (int i = 0; i < 9; ++i) fields += "a:\r\n";
  EXPECT_EQ(server.client().send(request("GET /", fields)).reply().status, 200);
  EXPECT_EQ(server.client().send(request("GET /", fields + "a:\r\n")).reply().status, 431);
  server.serves();
}

TEST(Limit, OfTheBody) {
  Limits limits;
  limits.body_bytes = 5000;
  TestServer server(echo, limits);
  std::string fits(5000, 'x'), chunks = "Transfer-Encoding: chunked\r\n";
  EXPECT_EQ(server.client().send(request("POST /", "", fits)).reply().body.size(), 5007U);
  EXPECT_EQ(server.client().send(request("POST /", chunks) + chunked(fits, 700)).reply().body.size(), 5007U);
  EXPECT_EQ(server.client().send(request("POST /", "", fits + "x")).reply().status, 413);
  for (std::size_t piece : {std::size_t{1}, std::size_t{700}, std::size_t{6000}})
    EXPECT_EQ(server.client().send(request("POST /", chunks) + chunked(fits + "x", piece)).reply().status,
              413)
        << piece;
  EXPECT_EQ(server.client()
                .send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999999999999\r\n\r\n")
                .reply()
                .status,
            413);
  // What a chunk says of itself, and what follows the last one, is bounded as a head is.
  for (const std::string& start : {std::string("1;x="), std::string("0\r\nX: ")}) {
    Client client = server.client();
    client.send(request("POST /", chunks) + start);
    while (client.try_send(std::string(4096, 'x')) && server->counts().connections > 0) continue;
    EXPECT_TRUE(soon([&] { return server->counts().connections == 0; }));
  }
  server.serves();
}

TEST(Limit, OfTime) {
  Limits limits;
  limits.header_time = limits.body_time = limits.idle_time = 400ms;
  TestServer server(echo, limits);
  Client silent = server.client(), half = server.client(), body = server.client(), idle = server.client(),
         trickling = server.client();
  half.send("GET / HT");
  body.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo");
  EXPECT_EQ(idle.send(request("GET /")).reply().status, 200);
  std::thread trickle([&] {
    while (trickling.try_send("x")) std::this_thread::sleep_for(5ms);
  });
  EXPECT_TRUE(silent.ends());
  EXPECT_EQ(half.reply().status, 408);
  EXPECT_TRUE(half.ends());
  EXPECT_EQ(body.reply().status, 408);
  EXPECT_TRUE(body.ends());
  EXPECT_TRUE(idle.ends());
  trickle.join();
  EXPECT_EQ(trickling.read_to_end().substr(0, 12), "HTTP/1.1 408");
  EXPECT_TRUE(soon([&] { return server->counts().connections == 0; }));
}

TEST(Limit, OfTimeCutsOffSlowReaders) {
  static const std::string large(32 << 20, 'x');
  Limits limits;
  limits.write_time = 60ms;
  TestServer server(
      [](Request& request) -> Response {
        if (request.target == "/static") return {200, {}, std::string_view(large)};
        if (request.target == "/sourced")
          return {200, {}, SourcedBody{[] { return std::string(50'000, 'x'); }, {}}};
        return echo(request);
      },
      limits);
  for (const char* target : {"/static", "/sourced"}) {
    std::uint64_t before = server->counts().requests;
    Client client = server.client();
    client.receive_little();
    client.send(request("GET " + std::string(target)));
    ASSERT_TRUE(soon([&] { return server->counts().requests > before && server->counts().connections == 0; }))
        << target;
    server.serves();
  }
}

TEST(Limit, OfBytesHeld) {
  Limits limits;
  limits.held_bytes = 300'000;
  limits.held_bytes_of_one_address = 200'000;
  TestServer server(
      [](Request& request) {
        return request.target == "/large" ? text_response(200, "a/b", std::string(150'000, 'x'))
                                          : text_response(200, "a/b", "small");
      },
      limits);
  auto begin = [&](const std::string& source) {
    Client client = server.client(source);
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
    return client;
  };
  Client first = begin("127.0.0.1"), second = begin("127.0.0.1");
  ASSERT_TRUE(soon([&] { return server->counts().held_bytes == 200'000; }));
  Client third = begin("127.0.0.1");
  Reply refused = third.reply();
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.headers["retry-after"], "5");
  Client other = begin("127.0.0.2");
  ASSERT_TRUE(soon([&] { return server->counts().held_bytes == 300'000; }));
  EXPECT_EQ(begin("127.0.0.3").reply().status, 503);
  EXPECT_EQ(get(server.port(), "/large", "127.0.0.3").status, 503);
  EXPECT_EQ(server.client("127.0.0.3").send(request("POST /", "", "small bodies always go")).reply().body,
            "small");
  EXPECT_EQ(first.send(std::string(100'000, 'x')).reply().body, "small");
  ASSERT_TRUE(soon([&] { return server->counts().held_bytes == 200'000; }));
  EXPECT_EQ(other.send(std::string(100'000, 'x')).reply().body, "small");
  EXPECT_EQ(get(server.port(), "/large", "127.0.0.3").body.size(), 150'000U);
  second.finish_sending();
  EXPECT_TRUE(soon([&] { return server->counts().held_bytes == 0; }));
}

TEST(Limit, OfConnectionsClosesWhoKeepsWaiting) {
  Limits limits;
  limits.connections_of_one_address = 4;
  limits.connections = 6;
  TestServer server(echo, limits);
  std::vector<Client> half;
  for (int i = 0; i < 4; ++i) half.push_back(std::move(server.client().send("GET / HT")));
  ASSERT_TRUE(soon([&] { return server->counts().connections == 4; }));
  EXPECT_EQ(get(server.port(), "/").status, 200);  // a fifth from there
  EXPECT_EQ(half[0].read_to_end(), "");            // the first gave way
  server.serves();
  for (int i = 0; i < 2; ++i) half.push_back(std::move(server.client("127.0.0.2").send("GET / HT")));
  for (int i = 0; i < 2; ++i) half.push_back(std::move(server.client("127.0.0.3").send("GET / HT")));
  ASSERT_TRUE(soon([&] { return server->counts().accepted == 10; }));
  server.serves();
  EXPECT_LE(server->counts().connections, 6U);
  EXPECT_EQ(server->counts().refused, 0U);
  EXPECT_GE(server->counts().closed_for_others, 3U);
}

TEST(Limit, OfConnectionsRefusesWhenAllAreBusy) {
  Gate gate;
  Limits limits;
  limits.connections_of_one_address = 2;
  TestServer server(
      [&](Request& request) {
        if (request.target == "/slow") gate.wait();
        return echo(request);
      },
      limits);
  Client first = server.client(), second = server.client();
  first.send(request("GET /slow"));
  second.send(request("GET /slow"));
  ASSERT_TRUE(soon([&] { return gate.waiting() == 2; }));
  Client third = server.client();
  EXPECT_EQ(third.reply().status, 503);
  EXPECT_EQ(server->counts().refused, 1U);
  server.serves();
  gate.open();
  EXPECT_EQ(first.reply().status, 200);
  EXPECT_EQ(second.reply().status, 200);
  EXPECT_EQ(get(server.port(), "/").status, 200);
}

}  // namespace
}  // namespace holdfast::http
