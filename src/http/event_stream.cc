#include "http/event_stream.h"

#include <algorithm>

#include "base/error.h"

namespace holdfast::http {
namespace {

void add_line(std::string& text, std::string_view field, std::string_view value) {
  if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos)
    throw Error(Code::defect, "cannot send an event: its " + std::string(field) + " has a line break or NUL");
  text.append(field).append(": ").append(value).append("\n");
}

}  // namespace

std::string encode_event(const Event& event) {
  std::string text;
  text.reserve(event.id.size() + event.name.size() + event.data.size() + 40);
  if (!event.id.empty()) add_line(text, "id", event.id);
  if (!event.name.empty()) add_line(text, "event", event.name);
  std::string_view rest = event.data;
  while (true) {
    std::size_t end = rest.find_first_of("\r\n");
    text.append("data: ").append(rest.substr(0, end)).append("\n");
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + (rest.substr(end).starts_with("\r\n") ? 2 : 1));
  }
  return text += '\n';
}

bool EventStream::post(const Event& event) {
  std::string text = encode_event(event);
  std::lock_guard lock(mutex_);
  if (state_ != State::open) return false;
  if (text.size() > most_bytes_ - queue_.size()) {
    state_ = State::overrun;
    queue_ = {};
    wake();
    return false;
  }
  queue_ += text;
  wake();
  return true;
}

bool EventStream::fits(const Event& event) const {
  std::size_t size = encode_event(event).size();
  std::lock_guard lock(mutex_);
  return state_ == State::open && size <= most_bytes_ - queue_.size();
}

void EventStream::end() {
  std::lock_guard lock(mutex_);
  if (state_ != State::open) return;
  state_ = State::ended;
  wake();
}

bool EventStream::open() const {
  std::lock_guard lock(mutex_);
  return state_ == State::open;
}

void EventStream::wake() {
  if (wake_) wake_();
}

void EventStream::attach(std::function<void()> wake) {
  std::lock_guard lock(mutex_);
  if (state_ != State::closed) wake_ = std::move(wake);
}

std::string EventStream::take(std::size_t most) {
  std::lock_guard lock(mutex_);
  if (queue_.size() <= most) {
    std::string all = std::move(queue_);
    queue_ = {};
    return all;
  }
  std::string first = queue_.substr(0, most);
  queue_.erase(0, most);
  return first;
}

bool EventStream::finished() const {
  std::lock_guard lock(mutex_);
  return state_ == State::ended && queue_.empty();
}

bool EventStream::overrun() const {
  std::lock_guard lock(mutex_);
  return state_ == State::overrun;
}

void EventStream::close() {
  std::lock_guard lock(mutex_);
  state_ = State::closed;
  queue_ = {};
  wake_ = nullptr;
}

}  // namespace holdfast::http
