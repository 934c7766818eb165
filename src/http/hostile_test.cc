// Clients that want harm, against a server with the default limits in a process of its own: others are served
// meanwhile, and its memory grows by less than 64 MiB.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <thread>

#include "http/testing.h"

namespace holdfast::http {
namespace {

constexpr std::size_t kMostGrowth = std::size_t{64} << 20;
constexpr std::size_t kMostIdle = std::size_t{40} << 20;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kMemoryIsOurs = false;  // sanitizers keep freed memory and shadows of it
#else
constexpr bool kMemoryIsOurs = true;
#endif

crypto::CertificateAndKey make_certificate() {
  std::chrono::seconds now =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
  return crypto::make_certificate({.common_name = "Holdfast",
                                   .organization = "",
                                   .dns_names = {"localhost"},
                                   .not_before = {now.count(), 0},
                                   .key = crypto::NewCertificate::Key::ec_p256},
                                  nullptr);
}

class ServerProcess {
 public:
  explicit ServerProcess(const char* kind) {
    int in[2], out[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    std::vector<std::string> words{HOLDFAST_HOSTILE_SERVER};
    if (std::string_view(kind) == "tls") {
      crypto::CertificateAndKey pair = make_certificate();
      certificate_ = pair.certificate_pem;
      words.insert(words.end(), {pair.certificate_pem, pair.key_pem});
    }
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    // The machine's OpenSSL configuration must not matter (docs/decisions/0002-libraries.md).
    std::string configuration = "OPENSSL_CONF=" HOLDFAST_HOSTILE_CONFIGURATION;
    char* environment[] = {configuration.data(), nullptr};
    int failed =
        ::posix_spawn(&pid_, HOLDFAST_HOSTILE_SERVER, &actions, nullptr, arguments.data(), environment);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(in[0]);
    ::close(out[1]);
    if (failed) throw std::runtime_error("cannot start the server");
    input_ = in[1];
    std::string text;
    char bytes[4096];
    for (ssize_t n; (n = ::read(out[0], bytes, sizeof bytes)) > 0;)
      text.append(bytes, static_cast<std::size_t>(n));
    ::close(out[0]);
    port_ = static_cast<std::uint16_t>(std::stoi(text));
  }
  // 0: it ended by itself, as it should.
  int end() {
    if (pid_ == 0) return 0;
    ::close(input_);
    int status = -1;
    ::waitpid(std::exchange(pid_, 0), &status, 0);
    return status;
  }
  ~ServerProcess() { end(); }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  Client client(int address = 1) const {
    return Client(port_, "127.0.0." + std::to_string(address), certificate_);
  }
  Client raw(int address = 1) const { return Client(port_, "127.0.0." + std::to_string(address)); }
  std::size_t resident() const {
    std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
    for (std::string line; std::getline(status, line);)
      if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6)) * 1024;
    throw std::runtime_error("the server ended");
  }
  bool serves(int address) const {
    Reply reply = client(address).send(request("GET /hello")).reply();
    return reply.status == 200 && reply.body == "hello";
  }

 private:
  pid_t pid_ = 0;
  int input_ = -1;
  std::uint16_t port_ = 0;
  std::string certificate_;
};

class Hostile : public testing::TestWithParam<const char*> {
 protected:
  Hostile() : server_(GetParam()) {
    EXPECT_TRUE(server_.serves(1));
    before_ = server_.resident();
  }
  // Others are served: from elsewhere and from the same address.
  void still_served() {
    EXPECT_TRUE(server_.serves(200));
    EXPECT_TRUE(server_.serves(1));
    std::size_t now = server_.resident();
    most_ = std::max(most_, now);
  }
  void TearDown() override {
    still_served();
    std::size_t growth = most_ > before_ ? most_ - before_ : 0;
    std::printf("%s: %zu KiB before, at most %zu KiB more\n", GetParam(), before_ / 1024, growth / 1024);
    if (kMemoryIsOurs) {
      EXPECT_LT(before_, kMostIdle);
      EXPECT_LT(growth, kMostGrowth);
    }
    EXPECT_EQ(server_.end(), 0);
  }
  // Sends until the server closes; gives what it answered. The server must close before `most` bytes.
  static std::string flood(Client client, const std::function<std::string()>& next, std::size_t most) {
    std::size_t sent = 0;
    while (sent < most) {
      std::string bytes = next();
      sent += bytes.size();
      if (!client.try_send(bytes)) break;
    }
    EXPECT_LT(sent, most);
    return client.read_to_end();
  }

  ServerProcess server_;
  std::size_t before_ = 0, most_ = 0;
};

constexpr std::size_t kMuch = std::size_t{256} << 20;

TEST_P(Hostile, EndlessHeader) {
  for (int i = 0; i < 20; ++i) {
    Client client = server_.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\nX: ");
    flood(
        std::move(client), [] { return std::string(65536, 'x'); }, kMuch);
    if (i % 5 == 0) still_served();
  }
}

TEST_P(Hostile, SixHundredThousandHeaders) {
  std::string fields = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 600'000; ++i) fields += "a" + std::to_string(i) + ": b\r\n";
  for (int i = 0; i < 5; ++i) {
    Client client = server_.client();
    client.try_send(fields + "\r\n");
    std::string answer = client.read_to_end();
    EXPECT_TRUE(answer.empty() || answer.starts_with("HTTP/1.1 431")) << answer;
    still_served();
  }
  // Sent as slowly as the server reads, it is told.
  Client client = server_.client();
  client.send(fields.substr(0, 16 * 1024 + 1));
  EXPECT_EQ(client.reply().status, 431);
}

TEST_P(Hostile, ChunkedBodyPastTheLimit) {
  for (std::size_t size : {std::size_t{1}, std::size_t{65536}, std::size_t{1} << 24}) {
    char head[24];
    std::snprintf(head, sizeof head, "%zx\r\n", size);
    std::string chunk = head + std::string(size, 'x') + "\r\n", chunks = chunk;
    while (chunks.size() < 65536) chunks += chunk;
    for (int i = 0; i < 3; ++i) {
      Client client = server_.client();
      client.send(request("POST /", "Transfer-Encoding: chunked\r\n"));
      flood(
          std::move(client), [&] { return chunks; }, kMuch);
    }
    still_served();
  }
}

TEST_P(Hostile, HalfOpenRequests) {
  std::vector<Client> clients;
  for (int i = 0; i < 100; ++i) clients.push_back(i % 2 ? server_.client() : server_.raw());
  for (std::size_t i = 1; i < clients.size(); i += 2)
    clients[i].try_send("POST / HTTP/1.1\r\nHost: a\r\nContent-Le");
  still_served();
}

TEST_P(Hostile, BodiesThatNeverEnd) {
  std::vector<Client> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(server_.client(1 + i % 8));
    clients.back().try_send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n" +
                            std::string(1048575, 'x'));
  }
  still_served();
  EXPECT_EQ(server_.client(200).send(request("POST /", "", "sign in")).reply().status, 200);
}

TEST_P(Hostile, SlowReaders) {
  std::vector<Client> clients;
  for (int i = 0; i < 120; ++i) {
    clients.push_back(server_.client(2 + i % 6));
    clients.back().receive_little();
    clients.back().try_send(request(i % 2 ? "GET /large" : "GET /endless"));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(300));  // the server fills what it fills
  still_served();
}

TEST_P(Hostile, TwoHundredEventStreams) {
  std::vector<Client> clients;
  for (int i = 0; i < 200; ++i) {
    clients.push_back(server_.client(2 + i % 7));
    clients.back().receive_little();
    clients.back().send(request("GET /events"));
  }
  still_served();
}

TEST_P(Hostile, AllAtOnce) {
  std::vector<Client> clients;
  const std::string half = "POST / HTTP/1.1\r\nHost: a\r\nX: " + std::string(15'000, 'x');
  for (int i = 0; i < 250; ++i) {
    clients.push_back(server_.client(2 + i % 8));
    if (i % 5 != 0) clients.back().receive_little();
    clients.back().try_send(i % 5 == 0   ? half
                            : i % 5 == 1 ? request("GET /endless")
                            : i % 5 == 2 ? request("GET /large")
                            : i % 5 == 3 ? request("GET /events")
                                         : "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n" +
                                               std::string(1048575, 'x'));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  still_served();
}

INSTANTIATE_TEST_SUITE_P(Over, Hostile, testing::Values("plain", "tls"),
                         [](const auto& which) { return std::string(which.param); });

}  // namespace
}  // namespace holdfast::http
