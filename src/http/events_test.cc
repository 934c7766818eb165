// Server-sent events.
#include <thread>

#include "http/server_testing.h"

namespace holdfast::http {
namespace {

// Keeps every stream that it made, as a source of news would.
class News {
 public:
  Response operator()(Request& request) {
    if (request.target != "/events") return echo(request);
    auto stream = std::make_shared<EventStream>();
    std::lock_guard lock(mutex_);
    if (auto last = request.header("Last-Event-ID"))
      stream->post({"", "again", "after " + std::string(*last)});
    streams_.push_back(stream);
    return {200, {}, stream};
  }
  // Whether anybody took it.
  bool post(const Event& event) {
    std::lock_guard lock(mutex_);
    bool taken = false;
    for (const auto& weak : streams_)
      if (auto stream = weak.lock()) taken |= stream->post(event);
    return taken;
  }
  std::size_t alive() {
    std::lock_guard lock(mutex_);
    std::size_t n = 0;
    for (const auto& weak : streams_) n += !weak.expired();
    return n;
  }
  std::shared_ptr<EventStream> last() {
    std::lock_guard lock(mutex_);
    return streams_.back().lock();
  }

 private:
  std::mutex mutex_;
  std::vector<std::weak_ptr<EventStream>> streams_;
};

Client subscribe(TestServer& server, const std::string& source = "127.0.0.1") {
  Client client = server.client(source);
  std::string head = client.send(request("GET /events")).read_until("retry: 2000\n\n");
  EXPECT_NE(head.find("Content-Type: text/event-stream\r\n"), std::string::npos) << head;
  EXPECT_NE(head.find("Cache-Control: no-store\r\n"), std::string::npos);
  return client;
}

TEST(Events, ComeAsTheyArePosted) {
  News news;
  TestServer server(std::ref(news));
  Client client = subscribe(server);
  std::thread poster([&] {
    for (int i = 0; i < 500; ++i) {
      while (!news.last()->fits({std::to_string(i), "line", "text\nmore"})) std::this_thread::yield();
      EXPECT_TRUE(news.post({std::to_string(i), "line", "text\nmore"}));
    }
    news.last()->end();
  });
  for (int i = 0; i < 500; ++i)
    EXPECT_EQ(client.read_until("\n\n"),
              "id: " + std::to_string(i) + "\nevent: line\ndata: text\ndata: more\n\n");
  EXPECT_TRUE(client.ends());
  poster.join();
  EXPECT_TRUE(soon([&] { return news.alive() == 0; }));
  EXPECT_EQ(server->counts().event_streams, 0U);
}

TEST(Events, GoOnWhereTheClientWas) {
  News news;
  TestServer server(std::ref(news));
  Client client = server.client();
  client.send(request("GET /events", "Last-Event-ID: 41\r\n")).read_until("retry: 2000\n\n");
  EXPECT_EQ(client.read_until("\n\n"), "event: again\ndata: after 41\n\n");
}

TEST(Events, KeepTheConnectionAlive) {
  News news;
  Limits limits;
  limits.heartbeat_time = 20ms;
  limits.idle_time = 30ms;
  TestServer server(std::ref(news), limits);
  Client client = subscribe(server);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(client.read_until("\n\n"), ":\n\n");
  EXPECT_TRUE(news.post({"", "", "x"}));
  std::string text = client.read_until("data: x\n\n");
  EXPECT_EQ(text.find("data"), text.size() - 9);
}

TEST(Events, NoticeThatTheClientIsGone) {
  News news;
  TestServer server(std::ref(news));
  { Client client = subscribe(server); }
  EXPECT_TRUE(soon([&] { return news.alive() == 0; }));
  EXPECT_FALSE(news.post({"", "", "x"}));
  EXPECT_TRUE(soon([&] { return server->counts().event_streams == 0 && server->counts().connections == 0; }));
}

TEST(Events, CutOffWhoReadsTooSlowly) {
  News news;
  TestServer server(std::ref(news));
  Client slow = server.client(), good = subscribe(server);
  slow.receive_little();
  slow.send(request("GET /events"));
  ASSERT_TRUE(soon([&] { return server->counts().event_streams == 2; }));
  std::atomic<std::size_t> read{0};
  std::thread reader([&] {
    while (good.read_until("\n\n").find("end") == std::string::npos) ++read;
  });
  std::string data(1000, 'x');
  std::size_t posted = 0;
  // The system's own buffers take some MB first. The good reader is waited for, so that it is not cut off as
  // well.
  for (; posted < 100'000 && server->counts().event_streams == 2; ++posted) {
    ASSERT_TRUE(news.post({"", "", data}));
    ASSERT_TRUE(soon([&] { return read + 40 > posted; }));
  }
  EXPECT_EQ(server->counts().event_streams, 1U);
  EXPECT_TRUE(news.post({"", "", "end"}));
  reader.join();
  EXPECT_EQ(read, posted);
}

TEST(Events, AreForSoManyClients) {
  for (std::size_t limit : {std::size_t{64}, std::size_t{200}}) {
    News news;
    Limits limits;
    limits.event_streams = limit;
    limits.connections_of_one_address = 201;
    TestServer server(std::ref(news), limits);
    std::vector<Client> clients;
    std::size_t refused = 0;
    for (int i = 0; i < 200; ++i) {
      Client client = server.client();
      std::string head = client.send(request("GET /events")).read_until("\r\n\r\n");
      if (head.find("HTTP/1.1 503") == 0) {
        ++refused;
        EXPECT_NE(head.find("Retry-After: 10"), std::string::npos);
      } else {
        clients.push_back(std::move(client));
      }
    }
    EXPECT_EQ(clients.size(), limit);
    EXPECT_EQ(refused, 200 - limit);
    server.serves();
    EXPECT_TRUE(news.post({"1", "", "for all"}));
    for (Client& client : clients)
      EXPECT_EQ(client.read_until("for all\n\n"), "retry: 2000\n\nid: 1\ndata: for all\n\n");
    server->stop(5s);
    for (Client& client : clients) EXPECT_TRUE(client.ends());
    EXPECT_EQ(server->counts().event_streams, 0U);
  }
}

TEST(Events, ForHeadAreAHeadAlone) {
  News news;
  TestServer server(std::ref(news));
  Client client = server.client();
  EXPECT_EQ(client.send(request("HEAD /events")).reply(true).headers["content-type"], "text/event-stream");
  EXPECT_TRUE(client.ends());
  EXPECT_EQ(news.alive(), 0U);
}

}  // namespace
}  // namespace holdfast::http
