// The reading half, and what both halves use: deadlines, closing. The answering half is connection_answer.cc.
#include "http/connection.h"

#include <boost/asio/post.hpp>

#include "base/text.h"
#include "http/head.h"

namespace holdfast::http {

namespace beast_http = boost::beast::http;

namespace {

// Of a refused request: a body that is somewhat too large is read, so that its sender gets to the answer; not
// a flood.
constexpr std::size_t kMostDrained = 16 << 20;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

// A chunk's extensions are not used. Beast takes a line feed inside of a quoted one, where others see the end
// of the line.
void check_chunk(std::uint64_t, boost::beast::string_view extensions, error_code& ec) {
  for (char c : extensions)
    if (static_cast<unsigned char>(c) < 0x20 && c != '\t') ec = beast_http::error::bad_chunk_extension;
}

}  // namespace

Peer peer_of(const net::ip::address& address) {
  Peer peer;
  if (address.is_v6() && !address.to_v6().is_v4_mapped()) {
    auto bytes = address.to_v6().to_bytes();
    std::copy_n(bytes.begin(), 8, peer.key.begin());
    peer.text = address.to_string();
    return peer;
  }
  net::ip::address_v4 v4 =
      address.is_v4() ? address.to_v4() : net::ip::make_address_v4(net::ip::v4_mapped, address.to_v6());
  auto bytes = v4.to_bytes();
  std::copy(bytes.begin(), bytes.end(), peer.key.end() - 4);
  peer.text = v4.to_string();
  return peer;
}

Connection::Connection(Shared& shared, std::unique_ptr<Wire> wire, Peer peer)
    : shared_(shared),
      wire_(std::move(wire)),
      peer_(std::move(peer)),
      timer_(shared.io),
      stage_began_(std::chrono::steady_clock::now()) {}

void Connection::start() {
  deadline(shared_.options.limits.header_time);
  wire_->handshake([self = shared_from_this()](error_code ec, std::size_t) {
    if (ec == net::error::operation_not_supported) {
      self->wire_ = plain_wire(std::move(self->wire_->socket()));
      return self->refuse(Refusal(400, "cannot read the request: this port speaks HTTPS")
                              .hint("use https:// instead of http://"));
    }
    if (ec) return self->drop();
    self->await_head();
  });
}

void Connection::end_soon() {
  if (stage_ == Stage::reading && !begun_) return drop();
  if (stage_ == Stage::streaming) stream_->end();
  keep_alive_ = false;
}

void Connection::drop() {
  if (stage_ == Stage::closed) return;
  stage_ = Stage::closed;
  timer_.cancel();
  error_code ignored;
  wire_->socket().close(ignored);
  if (stream_) {
    stream_->close();
    stream_.reset();
    --shared_.event_streams;
  }
  release();
  shared_.connections.remove(shared_from_this());
  shared_.open = shared_.connections.size();
}

std::optional<std::chrono::steady_clock::time_point> Connection::waiting_since() const {
  if (stage_ == Stage::reading || stage_ == Stage::closing) return stage_began_;
  return std::nullopt;
}

void Connection::deadline(std::chrono::milliseconds time, Then then) {
  timed_out_ = false;
  timer_.expires_after(time);
  timer_.async_wait([self = shared_from_this(), then = std::move(then)](error_code ec) {
    // A deadline that was set anew may already have passed in its old form.
    if (ec || self->stage_ == Stage::closed || self->timer_.expiry() > net::steady_timer::clock_type::now())
      return;
    if (then) return then();
    self->timed_out_ = true;
    error_code ignored;
    self->wire_->socket().cancel(ignored);
  });
}

void Connection::next_request() {
  stage_ = Stage::reading;
  stage_began_ = std::chrono::steady_clock::now();
  begun_ = !buffer_.empty();
  scanned_ = 0;
  request_ = {};
  deadline(begun_ ? shared_.options.limits.header_time : shared_.options.limits.idle_time);
  await_head();
}

void Connection::await_more(Then then) {
  wire_->receive(net::buffer(piece_),
                 [self = shared_from_this(), then = std::move(then)](error_code ec, std::size_t size) {
                   if (self->stage_ == Stage::closed) return;
                   if (ec) return self->on_read_failed(ec);
                   self->buffer_.append(self->piece_.data(), size);
                   then();
                 });
}

void Connection::on_read_failed(error_code ec) {
  if (!timed_out_ || ec != net::error::operation_aborted || !begun_) return drop();
  refuse(Refusal(408, "cannot read the request: it did not come in time"));
}

void Connection::await_head() {
  const Limits& limits = shared_.options.limits;
  std::size_t end = buffer_.find("\r\n\r\n", scanned_);
  std::size_t size = end == std::string::npos ? buffer_.size() : end + 4;
  if (size > limits.header_bytes)
    return refuse(Refusal(431, "cannot read the request: its headers have more than " +
                                   std::to_string(limits.header_bytes) + " bytes"));
  if (end != std::string::npos) return take_head(size);
  scanned_ = buffer_.size() < 3 ? 0 : buffer_.size() - 3;
  await_more([this] {
    if (!begun_) {
      begun_ = true;
      deadline(shared_.options.limits.header_time);
    }
    await_head();
  });
}

void Connection::take_head(std::size_t size) {
  bool client_waits = false;
  try {
    std::string_view head = std::string_view(buffer_).substr(0, size);
    check_head(head, shared_.options.limits.header_fields);
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(size + 1));
    parser_->on_chunk_header(check_chunk);
    parser_->body_limit(shared_.options.limits.body_bytes);
    error_code ec;
    parser_->put(net::buffer(head.data(), head.size()), ec);
    if (ec == beast_http::error::body_limit)
      throw Refusal(413, "cannot read the request: its body has more than " +
                             std::to_string(shared_.options.limits.body_bytes) + " bytes");
    if (ec || !parser_->is_header_done())
      throw Refusal(400, "cannot read the request: " + (ec ? ec.message() : "its head ends early"));
    const auto& message = parser_->get();
    newer_ = message.version() >= 11;
    keep_alive_ = newer_ && parser_->keep_alive() && !shared_.stopping;
    request_.method =
        find_method(std::string_view(message.method_string().data(), message.method_string().size())).value();
    request_.target = std::string(message.target());
    Target target = parse_target(request_.target);
    request_.path = std::move(target.path);
    request_.query = std::move(target.query);
    // Copied before the body: trailers behind it are no headers.
    for (const auto& field : message)
      request_.headers.push_back({std::string(field.name_string()), std::string(field.value())});
    request_.peer = peer_.text;
    request_.encrypted = wire_->encrypted();
    client_waits = newer_ && request_.header("Expect").has_value();
  } catch (const Error& error) {
    return refuse(error);
  }
  buffer_.erase(0, size);
  begin_body(client_waits);
}

void Connection::begin_body(bool client_waits) {
  const Limits& limits = shared_.options.limits;
  parser_->eager(true);
  if (parser_->is_done()) return await_body();
  auto length = parser_->content_length();
  if (!hold(length ? static_cast<std::size_t>(*length) : limits.body_bytes))
    return refuse(
        Refusal(503, "cannot read the request: too many large bodies at a time", {{"Retry-After", "5"}}));
  deadline(limits.body_time);
  if (!client_waits || !buffer_.empty()) return await_body();
  wire_->write(net::buffer(kContinue), [self = shared_from_this()](error_code ec, std::size_t) {
    if (ec) return self->drop();
    self->await_body();
  });
}

void Connection::await_body() {
  if (stage_ == Stage::closed) return;
  error_code ec;
  for (std::size_t taken = 1; taken > 0 && !parser_->is_done() && !buffer_.empty() && !ec;) {
    taken = parser_->put(net::buffer(buffer_), ec);
    buffer_.erase(0, taken);
  }
  if (ec == beast_http::error::body_limit)
    return refuse(Refusal(413, "cannot read the request: its body has more than " +
                                   std::to_string(shared_.options.limits.body_bytes) + " bytes"));
  if (ec && ec != beast_http::error::need_more)
    return refuse(Refusal(400, "cannot read the body of the request: " + ec.message()));
  if (parser_->is_done()) {
    request_.body = std::move(parser_->get().body());
    parser_.reset();
    timer_.cancel();
    stage_ = Stage::answering;
    ++shared_.requests;
    net::post(shared_.workers, [self = shared_from_this()] { self->run_handler(); });
    return;
  }
  // Extensions of a chunk and trailers are kept until their line is whole.
  if (buffer_.size() > shared_.options.limits.header_bytes)
    return refuse(Refusal(400, "cannot read the body of the request: a chunk's head is too long"));
  await_more([this] { await_body(); });
}

void Connection::close_gracefully() {
  if (stage_ == Stage::closed) return;
  stage_ = Stage::closing;
  stage_began_ = std::chrono::steady_clock::now();
  drained_ = 0;
  deadline(shared_.options.limits.linger_time, [this] { drop(); });
  wire_->shutdown([self = shared_from_this()](error_code, std::size_t) { self->drain(); });
}

// What the client still sends is read and forgotten until it closes: data that nobody reads would make the
// system send a reset, which destroys the answer on its way.
void Connection::drain() {
  if (stage_ == Stage::closed) return;
  wire_->socket().async_read_some(net::buffer(piece_),
                                  [self = shared_from_this()](error_code ec, std::size_t size) {
                                    if (ec || (self->drained_ += size) > kMostDrained) return self->drop();
                                    self->drain();
                                  });
}

}  // namespace holdfast::http
