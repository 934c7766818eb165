// The answering half of a connection: the handler, bodies in pieces, events.
#include <algorithm>
#include <boost/asio/post.hpp>
#include <thread>

#include "base/text.h"
#include "http/connection.h"
#include "http/response_head.h"

namespace holdfast::http {
namespace {

constexpr std::size_t kPiece = 16 * 1024;         // what is written at a time: a TLS record
constexpr std::chrono::milliseconds kMemoryPause{20};   // until a worker without memory tries again to hand over its answer
constexpr std::string_view kHeartbeat = ":\n\n";  // a comment of the event stream format
constexpr std::string_view kReconnect = "retry: 2000\n\n";

Response plain_problem(int status, const Error& error) {
  std::string text;
  for (const std::string& part : {std::string(error.what()), error.safe(), error.hint()})
    if (!part.empty()) text += printable(part) + "\n";
  return text_response(status, "text/plain; charset=utf-8", text);
}

Timestamp now() {
  return {
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
          .count(),
      0};
}

std::string chunk_head(std::size_t size) {
  char text[24];
  std::snprintf(text, sizeof text, "%zx\r\n", size);
  return text;
}

}  // namespace

void Shared::report(const std::string& text) const {
  try {
    options.report(text);
  } catch (...) {  // nobody is left to be told
  }
}

Response Shared::problem(const Error& error) const {
  int status = status_of(error);
  Response response;
  try {
    response = options.problem ? options.problem(status, error) : plain_problem(status, error);
    response.status = status;
  } catch (const std::exception& fault) {
    report(std::string("cannot describe a problem to a client: ") + fault.what());
    response = text_response(500, "text/plain; charset=utf-8", "a fault of the program\n");
  }
  if (const auto* refusal = dynamic_cast<const Refusal*>(&error))
    response.headers.insert(response.headers.end(), refusal->fields().begin(), refusal->fields().end());
  return response;
}

void Connection::run_handler() {
  if (shared_.abandoned) return;
  try {
    answer_ = answer();
  } catch (const std::exception&) {  // no memory, not even to say so
    answer_ = {500, {}, {}};
  }
  // The client waits for it without a deadline: it is handed over as soon as there is memory for that.
  while (!shared_.abandoned) try {
      return net::post(shared_.io, [self = shared_from_this()] { self->respond(std::exchange(self->answer_, {})); });
    } catch (const std::exception&) {
      std::this_thread::sleep_for(kMemoryPause);
    }
}

Response Connection::answer() {
  std::string what = "cannot answer " + std::string(to_text(request_.method)) + " " +
                     printable(request_.target.substr(0, 200));
  try {
    return shared_.handler(request_);
  } catch (const Error& error) {
    if (status_of(error) == 500) shared_.report(what + ": " + error.what());
    return shared_.problem(error);
  } catch (const std::exception& error) {
    shared_.report(what + ": " + error.what());
  } catch (...) {
    shared_.report(what + ": something was thrown that is no exception");
  }
  return shared_.problem(
      Error(Code::defect, "cannot answer: a fault of the program").hint("its log says more"));
}

void Connection::refuse(const Error& error) {
  keep_alive_ = false;
  parser_.reset();
  respond(shared_.problem(error));
}

bool Connection::hold(std::size_t bytes) {
  if (bytes <= Limits::kSmallBody) return true;
  std::size_t all = bytes, same = bytes;
  for (const auto& other : shared_.connections) {
    all += other->held();
    if (other->peer().key == peer_.key) same += other->held();
  }
  if (all > shared_.options.limits.held_bytes || same > shared_.options.limits.held_bytes_of_one_address)
    return false;
  held_ += bytes;
  shared_.held_bytes += bytes;
  return true;
}

void Connection::release() {
  shared_.held_bytes -= held_;
  held_ = 0;
}

void Connection::respond(Response response) {
  auto* events = std::get_if<std::shared_ptr<EventStream>>(&response.body);
  if (stage_ == Stage::closed) {
    if (events && *events) (*events)->close();
    return;
  }
  stage_ = Stage::answering;
  // The request's body is not needed any more; HEAD and the version are.
  request_.body = {};
  release();
  response_ = std::move(response);
  const Limits& limits = shared_.options.limits;
  if (events = std::get_if<std::shared_ptr<EventStream>>(&response_.body);
      events && shared_.event_streams >= limits.event_streams) {
    if (*events) (*events)->close();
    response_ = shared_.problem(Refusal(
        503, "cannot send events: " + std::to_string(limits.event_streams) + " clients receive them already",
        {{"Retry-After", "10"}}));
  } else if (const auto* text = std::get_if<std::string>(&response_.body); text && !hold(text->size())) {
    response_ = shared_.problem(
        Refusal(503, "cannot answer: too many large answers wait for their readers", {{"Retry-After", "5"}}));
  }
  try {
    send_response();
  } catch (const Error& error) {  // headers that cannot be sent
    shared_.report(error.what());
    response_ = text_response(500, "text/plain; charset=utf-8", "a fault of the program\n");
    send_response();
  }
}

void Connection::send_response() {
  Framing framing{.keep_alive = keep_alive_ && !shared_.stopping,
                  .length = {},
                  .strict_transport = wire_->encrypted() && shared_.options.strict_transport,
                  .now = now()};
  auto* sourced = std::get_if<SourcedBody>(&response_.body);
  auto* events = std::get_if<std::shared_ptr<EventStream>>(&response_.body);
  if (events && !*events) throw Error(Code::defect, "cannot send events: the answer has no stream");
  rest_ = {};
  if (auto* text = std::get_if<std::string>(&response_.body)) rest_ = *text;
  if (auto* text = std::get_if<std::string_view>(&response_.body)) rest_ = *text;
  bool body = has_body(response_.status);
  if (events) {
    framing.keep_alive = false;
    response_.headers.push_back({"Content-Type", "text/event-stream"});
  } else if (sourced) {
    framing.length = sourced->size;
    framing.chunked = !sourced->size && newer_;
    if (!sourced->size && !newer_) framing.keep_alive = false;
  } else if (body) {
    framing.length = rest_.size();
  }
  out_ = response_head(response_, framing);
  keep_alive_ = framing.keep_alive;
  bool silent = !body || request_.method == Method::head;
  if (silent) rest_ = {};
  if (events && !silent) return begin_stream();
  if (sourced && !silent) {
    sourced_ = 0;
    return send(out_, [this] { ask_source(); });
  }
  if (rest_.size() <= kPiece) out_.append(rest_), rest_ = {};  // head and small body in one packet
  send(out_, [this] { send(rest_, [this] { finish_response(); }); });
}

void Connection::send(std::string_view text, Then then) {
  if (text.empty()) return then();
  deadline(shared_.options.limits.write_time);
  std::string_view piece = text.substr(0, kPiece);
  wire_->write(net::buffer(piece.data(), piece.size()),
               [self = shared_from_this(), rest = text.substr(piece.size()), then = std::move(then)](
                   error_code ec, std::size_t) {
                 if (self->stage_ == Stage::closed) return;
                 if (ec) return self->drop();
                 self->send(rest, then);
               });
}

void Connection::ask_source() {
  timer_.cancel();
  net::post(shared_.workers, [self = shared_from_this()] {
    std::optional<std::string> piece;
    try {
      piece = std::get<SourcedBody>(self->response_.body).next();
    } catch (const std::exception& error) {
      self->shared_.report("cannot go on with an answer: " + std::string(error.what()));
    } catch (...) {
      self->shared_.report("cannot go on with an answer: something was thrown that is no exception");
    }
    net::post(self->shared_.io,
              [self, piece = std::move(piece)]() mutable { self->take_piece(std::move(piece)); });
  });
}

void Connection::take_piece(std::optional<std::string> piece) {
  if (stage_ == Stage::closed) return;
  if (!piece) return drop();
  const auto& size = std::get<SourcedBody>(response_.body).size;
  bool end = piece->empty();
  sourced_ += piece->size();
  if (size && (sourced_ > *size || (end && sourced_ != *size))) {
    shared_.report("cannot go on with an answer: it is not as long as was said");
    return drop();
  }
  if (size || !newer_) {
    out_ = std::move(*piece);
  } else {
    out_ = chunk_head(piece->size()) + *piece + "\r\n";
  }
  send(out_, [this, end] { end ? finish_response() : ask_source(); });
}

void Connection::finish_response() {
  release();
  response_ = {};
  out_ = {};
  rest_ = {};
  if (!keep_alive_) return close_gracefully();
  next_request();
}

void Connection::begin_stream() {
  stream_ = std::get<std::shared_ptr<EventStream>>(response_.body);
  response_ = {};
  stage_ = Stage::streaming;
  ++shared_.event_streams;
  stream_->attach([weak = weak_from_this(), woken = woken_, &io = shared_.io] {
    if (woken->exchange(true)) return;
    net::post(io, [weak, woken] {
      woken->store(false);
      if (auto self = weak.lock()) self->pump();
    });
  });
  if (shared_.stopping) stream_->end();
  watch_for_end();
  out_ += kReconnect;
  sending_ = true;
  send(out_, [this] {
    sending_ = false;
    pump();
  });
}

void Connection::watch_for_end() {
  wire_->receive(net::buffer(piece_), [self = shared_from_this()](error_code ec, std::size_t) {
    if (self->stage_ != Stage::streaming) return;
    if (ec) return self->drop();
    self->watch_for_end();
  });
}

void Connection::pump() {
  if (stage_ != Stage::streaming) return;
  if (stream_->overrun()) return drop();
  if (sending_) return;
  out_ = stream_->take(kPiece);
  if (out_.empty()) {
    if (stream_->finished()) return close_gracefully();
    return deadline(shared_.options.limits.heartbeat_time, [this] {
      sending_ = true;
      send(kHeartbeat, [this] {
        sending_ = false;
        pump();
      });
    });
  }
  sending_ = true;
  send(out_, [this] {
    sending_ = false;
    pump();
  });
}

}  // namespace holdfast::http
