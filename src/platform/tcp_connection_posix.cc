#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <future>
#include <thread>

#include "base/error.h"
#include "base/text.h"
#include "platform/descriptor_posix.h"
#include "platform/tcp_connection.h"

namespace holdfast::platform {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kSlice{100};      // how soon a raised Cancel is noticed
constexpr std::chrono::seconds kPatienceOfAddress{15};   // so that one that is filtered leaves time for the next

struct Freer {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, Freer>;

struct Lookup {
  int error = 0;
  int os_error = 0;
  Addresses list;
};

Lookup look_up(const std::string& host, const std::string& port) {
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_NUMERICSERV;
  addrinfo* list = nullptr;
  Lookup found;
  found.error = ::getaddrinfo(host.c_str(), port.c_str(), &wanted, &list);
  found.os_error = errno;
  if (found.error == 0) found.list.reset(list);
  return found;
}

[[noreturn]] void out_of_time(const std::string& what) { throw Error(Code::unavailable, "cannot reach " + what + ": it took too long to answer"); }

// False: not ready at `until`.
bool ready(int fd, short events, Clock::time_point until, const Cancel& stop) {
  while (true) {
    stop.check();
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    if (left.count() <= 0) return false;
    pollfd wanted{fd, events, 0};
    const int found = ::poll(&wanted, 1, static_cast<int>(std::min<std::chrono::milliseconds>(left, kSlice).count()));
    if (found > 0) return true;
    if (found < 0 && errno != EINTR) throw os_error("cannot wait for a connection", errno);
  }
}

}  // namespace

struct TcpConnection::Impl {
  std::string what;   // "mail.example.org:465"
  Patience patience;
  Descriptor socket;

  Addresses find(const std::string& host, const std::string& port) const;
  // 0, or why not.
  int connect(const addrinfo& address);
  [[noreturn]] void broken(int error) const { throw Error(Code::unavailable, "cannot go on with " + what + ": the connection broke").os(error); }
};

// The C library can be given no limit of time and cannot be stopped, so it is asked in a thread that may be left.
Addresses TcpConnection::Impl::find(const std::string& host, const std::string& port) const {
  std::promise<Lookup> promise;
  std::future<Lookup> answer = promise.get_future();
  std::thread([host, port, promise = std::move(promise)]() mutable { promise.set_value(look_up(host, port)); }).detach();
  while (answer.wait_for(kSlice) != std::future_status::ready) {
    patience.stop.check();
    if (Clock::now() >= patience.until) throw Error(Code::unavailable, "cannot reach " + what + ": no name server answered in time");
  }
  Lookup found = answer.get();
  if (found.error != 0)
    throw Error(Code::unavailable, "cannot reach " + what + ": " + (found.error == EAI_SYSTEM ? "the name cannot be looked up" : ::gai_strerror(found.error)))
        .os(found.error == EAI_SYSTEM ? found.os_error : 0);
  return std::move(found.list);
}

int TcpConnection::Impl::connect(const addrinfo& address) {
  socket = Descriptor(::socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address.ai_protocol));
  if (!socket) return errno;
  if (::connect(socket.get(), address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS && errno != EINTR) return errno;
  if (!ready(socket.get(), POLLOUT, std::min(patience.until, Clock::now() + kPatienceOfAddress), patience.stop)) return ETIMEDOUT;
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

TcpConnection::TcpConnection(const std::string& host, std::uint16_t port, Patience patience)
    : impl_(new Impl{printable(host) + ":" + std::to_string(port), patience, Descriptor()}) {
  const Addresses addresses = impl_->find(host, std::to_string(port));
  int error = 0;
  for (const addrinfo* address = addresses.get(); address != nullptr; address = address->ai_next) {
    if (Clock::now() >= patience.until) out_of_time(impl_->what);
    error = impl_->connect(*address);
    if (error != 0) continue;
    // Requests are written in few pieces that are wanted at once.
    const int on = 1;
    ::setsockopt(impl_->socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return;
  }
  throw Error(Code::unavailable, "cannot reach " + impl_->what).os(error);
}

TcpConnection::~TcpConnection() = default;

std::size_t TcpConnection::read(MutableBytes out) {
  while (true) {
    const ssize_t n = ::recv(impl_->socket.get(), out.data(), out.size(), 0);
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) impl_->broken(errno);
    if (!ready(impl_->socket.get(), POLLIN, impl_->patience.until, impl_->patience.stop)) out_of_time(impl_->what);
  }
}

void TcpConnection::write(ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(impl_->socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(n));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) impl_->broken(errno);
    if (!ready(impl_->socket.get(), POLLOUT, impl_->patience.until, impl_->patience.stop)) out_of_time(impl_->what);
  }
}

}  // namespace holdfast::platform
