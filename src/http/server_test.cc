// What sound clients, and clients that make mistakes, get.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <thread>

#include "http/server_testing.h"

namespace holdfast::http {
namespace {

TEST(Server, Answers) {
  Request seen;
  TestServer server([&](Request& request) {
    seen = request;
    return text_response(201, "text/plain", "hello");
  });
  Client client = server.client("127.0.0.5");
  Reply reply = client.send(request("POST /a%20b?x=1", "X-A: 1\r\nCookie: s=t\r\n", "body")).reply();
  EXPECT_EQ(reply.status, 201);
  EXPECT_EQ(reply.body, "hello");
  EXPECT_EQ(reply.headers["content-type"], "text/plain");
  EXPECT_EQ(reply.headers["x-content-type-options"], "nosniff");
  EXPECT_EQ(reply.headers["cache-control"], "no-store");
  EXPECT_FALSE(reply.headers.contains("server"));
  EXPECT_FALSE(reply.headers.contains("strict-transport-security"));
  EXPECT_EQ(seen.method, Method::post);
  EXPECT_EQ(seen.path, std::vector<std::string>{"a b"});
  EXPECT_EQ(seen.parameter("x"), "1");
  EXPECT_EQ(seen.header("x-a"), "1");
  EXPECT_EQ(seen.cookie("s"), "t");
  EXPECT_EQ(seen.body, "body");
  EXPECT_EQ(seen.peer, "127.0.0.5");
  EXPECT_FALSE(seen.encrypted);
  EXPECT_EQ(server->counts().requests, 1U);
}

TEST(Server, KeepsTheConnectionUntilToldOtherwise) {
  TestServer server(echo);
  Client client = server.client();
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(client.send(request("PUT /" + std::to_string(i), "", "b")).reply().body,
              "PUT /" + std::to_string(i) + " b");
  EXPECT_EQ(server->counts().accepted, 1U);
  Reply last = client.send(request("GET /x", "Connection: close\r\n")).reply();
  EXPECT_EQ(last.headers["connection"], "close");
  EXPECT_TRUE(client.ends());
  Client old = server.client();
  Reply reply = old.send("GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").reply();
  EXPECT_EQ(reply.body, "GET /old ");
  EXPECT_TRUE(old.ends());
}

TEST(Server, AnswersPipelinedRequestsOneAfterTheOther) {
  std::atomic<int> inside{0}, most{0};
  TestServer server([&](Request& request) {
    most = std::max<int>(most, ++inside);
    std::this_thread::sleep_for(2ms);
    --inside;
    return echo(request);
  });
  std::string all;
  for (int i = 0; i < 20; ++i)
    all += request("POST /" + std::to_string(i), i % 2 ? "Transfer-Encoding: chunked\r\n" : "",
                   i % 2 ? "" : "b") +
           (i % 2 ? chunked("cc", 1) : "");
  Client client = server.client();
  client.send(all);
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(client.reply().body, "POST /" + std::to_string(i) + (i % 2 ? " cc" : " b"));
  EXPECT_EQ(most, 1);
}

TEST(Server, AnswersHeadWithoutBody) {
  TestServer server(echo);
  Client client = server.client();
  Reply head = client.send(request("HEAD /a")).reply(true);
  EXPECT_EQ(head.headers["content-length"], "8");  // "HEAD /a "
  EXPECT_EQ(client.send(request("GET /a")).reply().body, "GET /a ");
}

TEST(Server, AnswersThroughARouter) {
  Router router([](Request&, const Route&) {});
  router.add(Method::get, "/a/{id}", "",
             [](Request& request) { return text_response(200, "text/plain", request.part("id")); });
  router.add(Method::del, "/a/{id}", "", [](Request&) { return Response{204, {}, {}}; });
  TestServer server(router);
  Client client = server.client();
  EXPECT_EQ(client.send(request("GET /a/7")).reply().body, "7");
  EXPECT_EQ(client.send(request("HEAD /a/7")).reply(true).headers["content-length"], "1");
  EXPECT_EQ(client.send(request("GET /b")).reply().status, 404);
  Reply wrong = client.send(request("PUT /a/7")).reply();
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.headers["allow"], "OPTIONS, GET, HEAD, DELETE");
  Reply none = client.send(request("DELETE /a/7")).reply();
  EXPECT_EQ(none.status, 204);
  EXPECT_FALSE(none.headers.contains("content-length"));
  EXPECT_EQ(client.send(request("OPTIONS /a/7")).reply().headers["allow"], "OPTIONS, GET, HEAD, DELETE");
}

TEST(Server, ReadsChunkedBodiesAndNoTrailers) {
  std::string header;
  TestServer server([&](Request& request) {
    header = request.header("X-Late").value_or("none");
    return echo(request);
  });
  Client client = server.client();
  std::string body = chunked("0123456789", 3);
  body.insert(body.size() - 2, "X-Late: 1\r\n");
  EXPECT_EQ(client.send(request("POST /", "Transfer-Encoding: chunked\r\n") + body).reply().body,
            "POST / 0123456789");
  EXPECT_EQ(header, "none");
  EXPECT_EQ(
      client.send(request("POST /", "Transfer-Encoding: chunked\r\n") + "5;name=value\r\nhello\r\n0\r\n\r\n")
          .reply()
          .body,
      "POST / hello");
}

TEST(Server, TellsToContinue) {
  TestServer server(echo);
  Client client = server.client();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(client.send("body").reply().body, "POST / body");
  client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n");
  EXPECT_EQ(client.reply().status, 413);
}

TEST(Server, SurvivesWhatHandlersThrow) {
  TestServer server([](Request& request) -> Response {
    if (request.target == "/refusal") throw Refusal(429, "too often", {{"Retry-After", "7"}});
    if (request.target == "/error")
      throw Error(Code::busy, "cannot have it: taken").safe("nothing was changed").hint("wait");
    if (request.target == "/io") throw Error(Code::io, "cannot read the secret");
    if (request.target == "/exception") throw std::runtime_error("secret");
    if (request.target == "/number") throw 7;
    if (request.target == "/split") return {200, {{"X", "a\r\nSet-Cookie: b"}}, {}};
    if (request.target == "/no-stream") return {200, {}, std::shared_ptr<EventStream>()};
    return echo(request);
  });
  Client client = server.client();
  Reply refusal = client.send(request("GET /refusal")).reply();
  EXPECT_EQ(refusal.status, 429);
  EXPECT_EQ(refusal.headers["retry-after"], "7");
  Reply error = client.send(request("GET /error")).reply();
  EXPECT_EQ(error.status, 409);
  EXPECT_EQ(error.body, "cannot have it: taken\nnothing was changed\nwait\n");
  EXPECT_EQ(server.reports().size(), 0U);
  for (const char* target : {"/io", "/exception", "/number", "/split", "/no-stream"}) {
    Reply reply = client.send(request("GET " + std::string(target))).reply();
    EXPECT_EQ(reply.status, 500) << target;
    EXPECT_EQ(reply.head.find("Set-Cookie"), std::string::npos);
    EXPECT_TRUE(std::string(target) == "/io" || reply.body.find("secret") == std::string::npos) << target;
  }
  EXPECT_EQ(server.reports().size(), 5U);
  EXPECT_NE(server.reports().at(1).find("secret"), std::string::npos);
  EXPECT_EQ(client.send(request("GET /fine")).reply().body, "GET /fine ");
}

TEST(Server, FormatsProblemsAsItIsTold) {
  Options options;
  options.report = [](const std::string&) {};
  options.problem = [](int status, const Error& error) {
    if (error.message() == "twice") throw std::runtime_error("no");
    return text_response(0, "application/problem+json", "{\"status\":" + std::to_string(status) + "}");
  };
  Server server(options, [](Request& request) -> Response {
    throw Error(Code::no_space, request.target == "/twice" ? "twice" : "full");
  });
  server.start();
  Reply reply = get(server.port(), "/");
  EXPECT_EQ(reply.status, 507);
  EXPECT_EQ(reply.headers["content-type"], "application/problem+json");
  EXPECT_EQ(reply.body, "{\"status\":507}");
  EXPECT_EQ(get(server.port(), "/twice").status, 500);
  EXPECT_EQ(Client(server.port()).send("GARBAGE\r\n\r\n").reply().body, "{\"status\":400}");
}

std::string counting_text(std::size_t size) {
  std::string text;
  while (text.size() < size) text += std::to_string(text.size()) + " ";
  text.resize(size);
  return text;
}

TEST(Server, SendsBodiesOfEveryKind) {
  static const std::string large = counting_text(2'000'000);
  auto pieces = [](std::size_t left, bool fails) {
    return [at = std::size_t{0}, left, fails]() mutable {
      if (fails && at > 100'000) throw std::runtime_error("the disk is gone");
      std::string piece = large.substr(at, std::min<std::size_t>(70'000, left - at));
      at += piece.size();
      return piece;
    };
  };
  TestServer server([&](Request& request) -> Response {
    if (request.target == "/text") return text_response(200, "a/b", large);
    if (request.target == "/static") return {200, {}, std::string_view(large)};
    if (request.target == "/sized") return {200, {}, SourcedBody{pieces(large.size(), false), large.size()}};
    if (request.target == "/chunked") return {200, {}, SourcedBody{pieces(large.size(), false), {}}};
    if (request.target == "/fails") return {200, {}, SourcedBody{pieces(large.size(), true), {}}};
    if (request.target == "/short") return {200, {}, SourcedBody{pieces(100'000, false), 100'001}};
    if (request.target == "/long") return {200, {}, SourcedBody{pieces(100'001, false), 100'000}};
    return {200, {}, SourcedBody{[] { return std::string(); }, 0}};
  });
  Client client = server.client();
  for (const char* target : {"/text", "/static", "/sized", "/chunked"}) {
    Reply reply = client.send(request("GET " + std::string(target))).reply();
    EXPECT_TRUE(reply.body == large) << target << " " << reply.body.size();
    Reply head = client.send(request("HEAD " + std::string(target))).reply(true);
    EXPECT_EQ(head.headers["content-length"], std::string(target) == "/chunked" ? "" : "2000000") << target;
  }
  EXPECT_EQ(client.send(request("GET /empty")).reply().body, "");
  EXPECT_EQ(server->counts().held_bytes, 0U);
  Client old = server.client();
  EXPECT_TRUE(old.send("GET /chunked HTTP/1.0\r\n\r\n").reply().body == large);
  EXPECT_EQ(server.reports().size(), 0U);
  for (const char* target : {"/fails", "/short", "/long"})
    EXPECT_THROW(get(server.port(), target), std::runtime_error) << target;
  EXPECT_EQ(server.reports().size(), 3U);
  server.serves();
}

// Requests of every kind, cut anywhere, give the answers that they give one by one.
TEST(Server, ReadsRequestsHoweverTheyAreCut) {
  unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  TestServer server(echo);
  for (int run = 0; run < 40; ++run) {
    std::string all;
    std::vector<std::string> wanted;
    for (std::size_t n = 1 + random() % 6; n > 0; --n) {
      std::string target = "/" + std::string(random() % 50, 'x'),
                  body(random() % 3 ? random() % 100 : random() % 40'000,
                       static_cast<char>('a' + random() % 26));
      bool in_chunks = random() % 2;
      all += in_chunks ? request("POST " + target, "Transfer-Encoding: chunked\r\n") +
                             chunked(body, 1 + random() % 5000)
                       : request("POST " + target, "X-Y: z\r\n", body);
      wanted.push_back("POST " + target + " " + body);
    }
    Client client = server.client();
    std::thread sender([&] {
      for (std::string_view rest = all; !rest.empty();) {
        std::string_view piece = rest.substr(0, random() % 4 ? 1 + random() % 6000 : 1);
        client.send(piece);
        rest.remove_prefix(piece.size());
      }
    });
    for (const std::string& text : wanted) EXPECT_TRUE(client.reply().body == text);
    sender.join();
  }
}

TEST(Server, ServesManyAtATime) {
  TestServer server(echo);
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 30; ++i) {
        Client client = server.client("127.0.1." + std::to_string(t + 1));
        std::string body(static_cast<std::size_t>(i * 1000), 'x'),
            target = "/" + std::to_string(t) + "/" + std::to_string(i);
        for (int k = 0; k < 3; ++k)
          right +=
              client.send(request("POST " + target, "", body)).reply().body == "POST " + target + " " + body;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 8 * 30 * 3);
  EXPECT_TRUE(soon([&] { return server->counts().connections == 0; }));
}

// Descriptors of this process run out.
TEST(Server, SaysOnceThatItCannotAccept) {
  TestServer server(echo);
  server.serves();
  ASSERT_TRUE(soon([&] { return server->counts().connections == 0; }));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few{256, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  std::vector<int> all;
  for (int fd; (fd = ::dup(STDERR_FILENO)) >= 0;) all.push_back(fd);
  ::close(all.back());
  all.pop_back();
  {
    Client waits(server.port());
    EXPECT_TRUE(soon([&] { return !server.reports().empty(); }));
    std::this_thread::sleep_for(1s);   // ten more tries
    for (const int fd : all) ::close(fd);
    EXPECT_EQ(waits.send(request("GET /late")).reply().status, 200) << "it is accepted when there are descriptors again";
  }
  EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  const auto reports = server.reports();
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_NE(reports[0].find("cannot accept"), std::string::npos) << reports[0];
}

TEST(ServerStart, SaysWhyItCannotListen) {
  Options options;
  options.report = [](const std::string&) {};
  Server first(options, echo);
  auto code = [&](const std::string& address, std::uint16_t port) {
    options.address = address;
    options.port = port;
    try {
      Server server(options, echo);
    } catch (const Error& error) {
      EXPECT_FALSE(error.hint().empty());
      return error.code();
    }
    return Code::failed;
  };
  EXPECT_EQ(code("127.0.0.1", first.port()), Code::busy);
  EXPECT_EQ(code("localhost", 0), Code::config);
  EXPECT_EQ(code("", 0), Code::config);
  EXPECT_EQ(code("192.0.2.1", 0), Code::config);
  options.address = "127.0.0.1";
  options.tls = crypto::CertificateAndKey{"no", "no"};
  EXPECT_EQ(code("127.0.0.1", 0), Code::config);
  EXPECT_THROW(Server({}, echo), Error);
  options.tls.reset();
  EXPECT_THROW(Server(options, nullptr), Error);
}

TEST(ServerStart, ListensFromTheBeginning) {
  Options options;
  options.report = [](const std::string&) {};
  options.address = "::";
  Server server(options, echo);
  Client early(server.port());
  early.send(request("GET /early"));
  server.start();
  EXPECT_EQ(early.reply().body, "GET /early ");
}

TEST(ServerStop, LetsRequestsEnd) {
  Gate gate;
  TestServer server([&](Request& request) {
    if (request.target == "/slow") gate.wait();
    return echo(request);
  });
  Client idle = server.client(), slow = server.client(), half = server.client();
  EXPECT_EQ(idle.send(request("GET /x")).reply().status, 200);
  slow.send(request("GET /slow"));
  half.send("POST /half HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n");
  ASSERT_TRUE(soon([&] { return gate.waiting() == 1 && server->counts().held_bytes == 20'000; }));
  std::uint16_t port = server.port();
  std::thread stopping([&] { server->stop(20s); });
  EXPECT_TRUE(idle.ends());
  EXPECT_TRUE(soon([&] {
    try {
      return Client(port).ends();  // refused, or closed with the listening socket
    } catch (const std::runtime_error&) {
      return true;
    }
  }));
  Reply reply = half.send(std::string(20'000, 'x')).reply();
  EXPECT_EQ(reply.body, "POST /half " + std::string(20'000, 'x'));
  EXPECT_EQ(reply.headers["connection"], "close");
  gate.open();
  EXPECT_EQ(slow.reply().body, "GET /slow ");
  EXPECT_TRUE(slow.ends());
  EXPECT_TRUE(half.ends());
  stopping.join();
  EXPECT_EQ(server->counts().connections, 0U);
}

TEST(ServerStop, ClosesWhatIsLeftAfterItsPatience) {
  Gate gate;
  std::shared_ptr<EventStream> stream;
  TestServer server([&](Request& request) -> Response {
    if (request.target == "/slow") gate.wait();
    if (request.target == "/events") return {200, {}, stream = std::make_shared<EventStream>()};
    return echo(request);
  });
  Client slow = server.client(), half = server.client(), events = server.client();
  slow.send(request("GET /slow"));
  half.send("GET / HT");
  EXPECT_EQ(events.send(request("GET /events")).read_until("retry: 2000\n\n").substr(0, 15),
            "HTTP/1.1 200 OK");
  ASSERT_TRUE(soon([&] { return gate.waiting() == 1 && server->counts().connections == 3; }));
  EXPECT_TRUE(stream->post({"1", "", "last"}));
  std::thread stopping([&] { server->stop(50ms); });
  EXPECT_EQ(events.read_to_end(), "id: 1\ndata: last\n\n");
  EXPECT_TRUE(half.ends());
  EXPECT_TRUE(slow.ends());
  EXPECT_FALSE(stream->post({"2", "", "late"}));
  gate.open();  // stop() waits for the handler
  stopping.join();
  EXPECT_EQ(server->counts().connections, 0U);
  EXPECT_EQ(server->counts().event_streams, 0U);
}

}  // namespace
}  // namespace holdfast::http
