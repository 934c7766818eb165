// The thread of all connections, or one that answers, runs out of memory at each of its allocations: the server goes on, and nothing of
// the connection that was hit stays.
#include <algorithm>

#include "base/failing_memory_testing.h"
#include "http/server_testing.h"

namespace holdfast::http {
namespace {

// Two requests over one connection, one of them with a body in pieces; its end is not of interest.
void talk(std::uint16_t port) {
  Client client(port);
  client.try_send(request("POST /a", "Transfer-Encoding: chunked\r\n") + chunked(std::string(30'000, 'x'), 999));
  client.try_send(request("GET /pieces", "Connection: close\r\n"));
  client.read_to_end();
}

TEST(OutOfMemory, TheServerGoesOn) {
  Options options;
  options.limits.header_time = options.limits.idle_time = 2s;
  options.report = [](const std::string&) {};
  options.problem = [](int status, const Error&) {   // of a refused head it is asked by the thread of all connections
    struck_thread = true;
    return text_response(status, "text/plain", "no");
  };
  Server server(options, [](Request& request) -> Response {
    if (request.target != "/pieces") return echo(request);
    return {200, {}, SourcedBody{[left = 3]() mutable { return left-- > 0 ? std::string(1000, 'x') : std::string(); }, {}}};
  });
  server.start();
  EXPECT_EQ(Client(server.port()).send("broken\r\n\r\n").reply().status, 400);
  EXPECT_TRUE(soon([&] { return server.counts().connections == 0; }));

  // How many there are depends a little on how bytes arrive: the least of some talks, and a talk that needed
  // fewer is repeated.
  std::uint64_t counted = UINT64_MAX, runs = 0;
  for (int i = 0; i < 5; ++i) {
    const std::uint64_t before = allocations;
    talk(server.port());
    EXPECT_TRUE(soon([&] { return server.counts().connections == 0; }));
    counted = std::min<std::uint64_t>(counted, allocations - before);
  }
  ASSERT_GT(counted, 20U);
  for (std::uint64_t nth = 1; nth <= counted; ++nth) {
    bool hit = false;
    for (int tries = 0; tries < 10 && !hit; ++tries) {
      fail_at = allocations + nth;
      talk(server.port());
      hit = allocations >= fail_at;
      fail_at = 0;
      EXPECT_EQ(get(server.port(), "/after").status, 200) << nth;
      EXPECT_TRUE(soon([&] { return server.counts().connections == 0; })) << nth;
      EXPECT_EQ(server.counts().held_bytes, 0U) << nth;
    }
    runs += hit;
  }
  std::printf("calls counted %llu, runs %llu\n", static_cast<unsigned long long>(counted), static_cast<unsigned long long>(runs));
  EXPECT_EQ(runs, counted);
  server.stop(1s);
}

// The thread that answers: the client gets an answer in any case.
TEST(OutOfMemory, OfAWorkerIsAnAnswer) {
  Options options;
  options.workers = 1;
  options.report = [](const std::string&) {};
  Server server(options, [](Request& request) -> Response {
    struck_thread = true;
    if (request.target == "/missing") throw Error(Code::not_found, "there is nothing of this name, and that takes a sentence");
    return echo(request);
  });
  server.start();
  EXPECT_EQ(get(server.port(), "/first").status, 200);
  std::uint64_t counted = 0, runs = 0;
  for (const auto& [target, status] : {std::pair{"/missing", 404}, {"/a/longer/name/of/something", 200}}) {
    std::uint64_t most = UINT64_MAX;
    for (int i = 0; i < 5; ++i) {
      const std::uint64_t before = allocations;
      EXPECT_EQ(get(server.port(), target).status, status);
      EXPECT_TRUE(soon([&] { return server.counts().connections == 0; }));
      most = std::min<std::uint64_t>(most, allocations - before);
    }
    ASSERT_GT(most, 3U);
    for (std::uint64_t nth = 1; nth <= most; ++nth) {
      fail_at = allocations + nth;
      const int got = get(server.port(), target).status;
      EXPECT_TRUE(got == status || got == 500) << target << " " << nth << ": " << got;
      EXPECT_TRUE(soon([&] { return server.counts().connections == 0; }));
      runs += allocations >= fail_at;
      fail_at = 0;
    }
    counted += most;
  }
  std::printf("calls counted %llu, runs %llu\n", static_cast<unsigned long long>(counted), static_cast<unsigned long long>(runs));
  EXPECT_EQ(runs, counted);
  server.stop(1s);
}

}  // namespace
}  // namespace holdfast::http
