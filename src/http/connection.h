// One client's connection, from the TLS handshake to its close. I/O thread only, except run_handler. Boost:
// included by .cc files of this room only.
//
// It lives as long as something is awaited for it (each awaited step holds it) or Shared lists it. Every step
// has a deadline; when one passes, what is awaited is cancelled and comes back with an error.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <list>

#include "http/event_stream.h"
#include "http/server.h"
#include "http/wire.h"

namespace holdfast::http {

class Connection;

// What the connections of one server have in common.
struct Shared {
  Shared(Options o, Handler h) : options(std::move(o)), handler(std::move(h)), workers(options.workers) {}

  const Options options;
  const Handler handler;
  net::io_context io{1};
  net::thread_pool workers;
  std::shared_ptr<TlsContext> tls;
  std::list<std::shared_ptr<Connection>> connections;  // oldest first; I/O thread only
  bool stopping = false;                               // I/O thread only
  std::atomic<bool> abandoned{false};  // all are closed: handlers that did not begin are not called
  std::atomic<std::size_t> open{0}, event_streams{0};
  std::atomic<std::uint64_t> accepted{0}, refused{0}, closed_for_others{0}, requests{0}, held_bytes{0};

  // What the client is told; thread-safe, throws nothing.
  Response problem(const Error& error) const;
  void report(const std::string& text) const;
};

// Whom a limit for one address is for.
struct Peer {
  std::string text;                    // as told to handlers
  std::array<std::uint8_t, 16> key{};  // IPv6 without its last 64 bits
};
Peer peer_of(const net::ip::address& address);

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Shared& shared, std::unique_ptr<Wire> wire, Peer peer);
  void start();
  // Ends at the next point where nothing is cut: at once between requests.
  void end_soon();
  // Closes now.
  void drop();

  const Peer& peer() const { return peer_; }
  std::size_t held() const { return held_; }
  // Since when the server has been waiting for this client's bytes; nothing while it is the server's turn.
  std::optional<std::chrono::steady_clock::time_point> waiting_since() const;

 private:
  using Then = std::function<void()>;
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

  // reading
  void next_request();
  void await_head();
  void await_more(Then then);
  void take_head(std::size_t size);
  void begin_body(bool client_waits);
  void await_body();
  void on_read_failed(error_code ec);
  // answering
  void run_handler();               // on a worker, as is the next one
  Response answer();
  void refuse(const Error& error);  // answers, then closes
  void respond(Response response);
  void send_response();
  void ask_source();
  void take_piece(std::optional<std::string> piece);
  void finish_response();
  bool hold(std::size_t bytes);
  void release();
  // events
  void begin_stream();
  void watch_for_end();
  void pump();
  // both
  void send(std::string_view text, Then then);                         // `text` must stay until `then`
  void deadline(std::chrono::milliseconds time, Then then = nullptr);  // default: cancels what is awaited
  void close_gracefully();
  void drain();

  Shared& shared_;
  std::unique_ptr<Wire> wire_;
  const Peer peer_;
  net::steady_timer timer_;
  enum class Stage { reading, answering, streaming, closing, closed } stage_ = Stage::reading;
  std::chrono::steady_clock::time_point stage_began_;
  bool timed_out_ = false;

  std::array<char, 4096> piece_;
  std::string buffer_;       // read and not yet understood
  std::size_t scanned_ = 0;  // of buffer_, without the end of a head
  bool begun_ = false;       // something of the request came
  bool newer_ = true;        // HTTP/1.1
  bool keep_alive_ = false;
  std::optional<Parser> parser_;
  Request request_;
  std::size_t held_ = 0;
  std::size_t drained_ = 0;

  Response answer_;  // the handler's: a worker's until it has posted the next step
  Response response_;
  std::string out_;
  std::string_view rest_;      // of the body
  std::uint64_t sourced_ = 0;  // bytes that the source gave
  std::shared_ptr<EventStream> stream_;
  std::shared_ptr<std::atomic<bool>> woken_ = std::make_shared<std::atomic<bool>>(false);
  bool sending_ = false;  // events
};

}  // namespace holdfast::http
