// Server-sent events to one client. A handler makes one, posts what the client has missed (its Last-Event-ID
// header), keeps it where news come from and returns it in its Response. Whoever has news posts them.
//
// The queue is bounded: a client that reads more slowly than events come is disconnected; it connects again
// by itself and says which event it saw last. Keep a std::weak_ptr: the server lets go of a stream whose
// client is gone. All of it is thread-safe; post() does not block.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace holdfast::http {

struct Event {
  std::string id;    // what Last-Event-ID says later; "" for none
  std::string name;  // "" is the browser's "message"
  std::string data;  // may have several lines
};
// As it goes over the wire. Error(defect): id or name has a line break or NUL.
std::string encode_event(const Event& event);

class EventStream {
 public:
  // Bytes that wait to be sent. 64 KiB hold some 300 lines of a job's log; 64 streams then hold 4 MiB.
  static constexpr std::size_t kQueueBytes = 64 * 1024;
  explicit EventStream(std::size_t most_bytes = kQueueBytes) : most_bytes_(most_bytes) {}

  // False: not taken, because the client is gone, the stream was ended, or the queue is full (then the client
  // is disconnected). A handler with more to repeat than fits posts what fits() and ends the stream: the
  // client comes back for the rest.
  bool post(const Event& event);
  // Whether that event would be taken now.
  bool fits(const Event& event) const;
  // What was posted is still sent, then the connection is closed. The client connects again: tell it by an
  // event when there is no more.
  void end();
  // False: no event is taken any more.
  bool open() const;

  // The server's side. `wake` is called, under a lock and from any thread, when there is something to take or
  // the stream ended; not after close().
  void attach(std::function<void()> wake);
  // Up to `most` bytes of the queue (an event may be cut; the rest comes next).
  std::string take(std::size_t most);
  bool finished() const;  // ended, and all was taken
  bool overrun() const;   // more was posted than fits
  void close();           // the client is gone

 private:
  void wake();
  const std::size_t most_bytes_;
  mutable std::mutex mutex_;
  std::string queue_;
  std::function<void()> wake_;
  enum class State { open, ended, overrun, closed } state_ = State::open;
};

}  // namespace holdfast::http
