// A server for tests of this room, in the test's own process.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <mutex>
#include <thread>

#include "base/testing.h"
#include "http/event_stream.h"
#include "http/router.h"
#include "http/server.h"
#include "http/testing.h"

namespace holdfast::http {

using namespace std::chrono_literals;

class TestServer {
 public:
  TestServer(Handler handler, Limits limits = {}, std::optional<crypto::CertificateAndKey> tls = {})
      : server_(options(limits, std::move(tls)), std::move(handler)) {
    server_.start();
  }

  Server* operator->() { return &server_; }
  std::uint16_t port() const { return server_.port(); }
  Client client(const std::string& source = "127.0.0.1") const { return Client(port(), source); }
  std::vector<std::string> reports() {
    std::lock_guard lock(mutex_);
    return reports_;
  }
  // Another client, from another address, gets its answer.
  void serves() { EXPECT_EQ(get(port(), "/other", "127.9.9.9").status, 200); }

 private:
  Options options(Limits limits, std::optional<crypto::CertificateAndKey> tls) {
    Options options;
    options.limits = limits;
    options.tls = std::move(tls);
    options.report = [this](const std::string& text) {
      std::lock_guard lock(mutex_);
      reports_.push_back(text);
    };
    return options;
  }
  std::mutex mutex_;
  std::vector<std::string> reports_;
  Server server_;
};

// Tells what it was asked: "POST /a?b body".
inline Response echo(Request& request) {
  return text_response(200, "text/plain",
                       std::string(to_text(request.method)) + " " + request.target + " " + request.body);
}

// Blocks whoever calls wait() until it is opened.
class Gate {
 public:
  void wait() {
    ++waiting_;
    opened_.wait();
  }
  void open() { open_.set_value(); }
  int waiting() const { return waiting_; }

 private:
  std::promise<void> open_;
  std::shared_future<void> opened_{open_.get_future()};
  std::atomic<int> waiting_{0};
};

}  // namespace holdfast::http
