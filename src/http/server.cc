#include "http/server.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <thread>

#include "http/connection.h"

namespace holdfast::http {
namespace {

constexpr int kBacklog = 128;                           // clients that connect at the same time
constexpr std::chrono::milliseconds kAcceptPause{100};  // when the process may open no more descriptors
constexpr std::chrono::minutes kAcceptSilence{1};       // between two reports that none can be accepted
constexpr std::string_view kNoRoom =
    "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 10\r\nContent-Type: "
    "text/plain\r\nContent-Length: 21\r\n\r\ntoo many connections\n";

Error cannot_listen(const Options& options, const char* what, const error_code& ec) {
  std::string place =
      (options.address.find(':') == std::string::npos ? options.address : "[" + options.address + "]") + ":" +
      std::to_string(options.port);
  std::string message = "cannot listen on " + place + ": " + what;
  if (ec == net::error::address_in_use)
    return Error(Code::busy, message)
        .os(ec.value())
        .hint(
            "another program, or another service of Holdfast, has this port: stop it or choose another port");
  if (ec == net::error::access_denied)
    return Error(Code::permission, message)
        .os(ec.value())
        .hint("ports below 1024 need root or CAP_NET_BIND_SERVICE");
  if (ec.value() == EADDRNOTAVAIL)
    return Error(Code::config, message)
        .os(ec.value())
        .hint("no network interface of this machine has this address; 127.0.0.1 and 0.0.0.0 always work");
  return os_error(message, ec.value());
}

}  // namespace

struct Server::Impl {
  Impl(Options options, Handler handler)
      : shared(std::move(options), std::move(handler)),
        acceptor(shared.io),
        pause(shared.io),
        work(shared.io.get_executor()) {}

  void listen();
  void accept();
  void admit(tcp::socket socket);
  void run();
  void drop_all();
  bool make_room(const Peer& peer);

  Shared shared;
  tcp::acceptor acceptor;
  net::steady_timer pause;
  net::executor_work_guard<net::io_context::executor_type> work;
  std::uint16_t port = 0;
  std::thread thread;
  bool accepting = false;  // a connection is awaited; I/O thread only, as is the next one
  std::optional<std::chrono::steady_clock::time_point> reported;  // that none could be accepted
  bool stopped = false;
};

void Server::Impl::listen() {
  const Options& options = shared.options;
  error_code ec;
  auto address = net::ip::make_address(options.address, ec);
  if (ec)
    throw Error(Code::config, "cannot listen on " + options.address + ": it is no IP address")
        .hint("for example 127.0.0.1, 0.0.0.0 (all of IPv4) or :: (all)");
  tcp::endpoint endpoint(address, options.port);
  auto must = [&](const char* what) {
    if (ec) throw cannot_listen(options, what, ec);
  };
  acceptor.open(endpoint.protocol(), ec);
  must("a socket cannot be made");
  acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
  must("the socket cannot be set up");
  if (address.is_v6()) acceptor.set_option(net::ip::v6_only(false), ec);
  must("the socket cannot be set up");
  acceptor.bind(endpoint, ec);
  must("the address cannot be taken");
  acceptor.listen(kBacklog, ec);
  must("the address cannot be taken");
  port = acceptor.local_endpoint().port();
}

void Server::Impl::run() {
  while (true) {
    try {
      if (!accepting && !shared.stopping) accept();
      shared.io.run();
      return;
    } catch (const std::exception& error) {
      // No memory. The step is lost, and whose it was is not known: each connection might wait for ever for
      // what comes no more. Clients connect again.
      drop_all();
      shared.report(std::string("a fault of the HTTP server, all connections are closed: ") + error.what());
    }
  }
}

void Server::Impl::accept() {
  acceptor.async_accept(shared.io, [this](error_code ec, tcp::socket socket) {
    accepting = false;
    if (shared.stopping) return;
    if (!ec || ec == net::error::connection_aborted) {
      accept();
      if (!ec) admit(std::move(socket));
      return;
    }
    const auto now = std::chrono::steady_clock::now();
    if (!reported || now - *reported >= kAcceptSilence) {
      reported = now;
      shared.report("cannot accept a connection, trying again until one can be: " + ec.message());
    }
    pause.expires_after(kAcceptPause);
    pause.async_wait([this](error_code) {
      if (!shared.stopping && !accepting) accept();
    });
  });
  accepting = true;
}

bool Server::Impl::make_room(const Peer& peer) {
  std::size_t same = 0;
  for (const auto& connection : shared.connections) same += connection->peer().key == peer.key;
  bool of_address = same >= shared.options.limits.connections_of_one_address;
  if (!of_address && shared.connections.size() < shared.options.limits.connections) return true;
  std::shared_ptr<Connection> longest;
  for (const auto& connection : shared.connections) {
    if ((of_address && connection->peer().key != peer.key) || !connection->waiting_since()) continue;
    if (!longest || *connection->waiting_since() < *longest->waiting_since()) longest = connection;
  }
  if (!longest) return false;
  ++shared.closed_for_others;
  longest->drop();
  return true;
}

void Server::Impl::admit(tcp::socket socket) {
  error_code ec;
  auto remote = socket.remote_endpoint(ec);
  if (ec) return;  // gone again
  ++shared.accepted;
  Peer peer = peer_of(remote.address());
  if (!make_room(peer)) {
    ++shared.refused;
    socket.non_blocking(true, ec);
    if (!shared.tls) socket.send(net::buffer(kNoRoom), 0, ec);
    socket.shutdown(tcp::socket::shutdown_send, ec);
    return;
  }
  socket.set_option(tcp::no_delay(true), ec);
  auto wire = shared.tls ? tls_wire(std::move(socket), *shared.tls) : plain_wire(std::move(socket));
  shared.connections.push_back(std::make_shared<Connection>(shared, std::move(wire), std::move(peer)));
  shared.open = shared.connections.size();
  shared.connections.back()->start();
}

void Server::Impl::drop_all() {
  while (!shared.connections.empty()) {
    const std::shared_ptr<Connection> first = shared.connections.front();
    first->drop();  // takes it out of the list
  }
}

Server::Server(Options options, Handler handler) {
  if (!handler || !options.report || options.workers == 0)
    throw Error(Code::defect, "cannot make an HTTP server: it needs a handler, a report and a worker");
  impl_ = std::make_unique<Impl>(std::move(options), std::move(handler));
  if (const auto& tls = impl_->shared.options.tls) impl_->shared.tls = make_tls_context(*tls);
  impl_->listen();
}

Server::~Server() { stop(std::chrono::milliseconds(0)); }

std::uint16_t Server::port() const { return impl_->port; }

void Server::start() {
  impl_->accept();
  impl_->thread = std::thread([impl = impl_.get()] { impl->run(); });
}

void Server::stop(std::chrono::milliseconds patience) {
  Impl& impl = *impl_;
  if (std::exchange(impl.stopped, true)) return;
  net::post(impl.shared.io, [&impl] {
    impl.shared.stopping = true;
    error_code ignored;
    impl.acceptor.close(ignored);
    impl.pause.cancel();
    auto all = impl.shared.connections;
    for (const auto& connection : all) connection->end_soon();
  });
  if (!impl.thread.joinable()) {  // never started: nobody runs what was posted
    impl.shared.workers.join();
    return;
  }
  auto until = std::chrono::steady_clock::now() + patience;
  while (impl.shared.open != 0 && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  net::post(impl.shared.io, [&impl] {
    impl.shared.abandoned = true;
    impl.drop_all();
  });
  impl.shared.workers.join();  // handlers that run; what they answer is dropped
  impl.work.reset();
  impl.thread.join();
}

Counts Server::counts() const {
  const Shared& s = impl_->shared;
  return {.connections = s.open,
          .event_streams = s.event_streams,
          .accepted = s.accepted,
          .refused = s.refused,
          .closed_for_others = s.closed_for_others,
          .requests = s.requests,
          .held_bytes = s.held_bytes};
}

}  // namespace holdfast::http
