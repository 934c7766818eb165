#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>

#include "platform/descriptor_posix.h"
#include "platform/supervisor.h"

namespace holdfast::platform {

bool tell_supervisor(const Environment& environment, std::string_view state) {
  const std::string name = get(environment, "NOTIFY_SOCKET").value_or("");
  if (name.empty()) return true;
  sockaddr_un address{};
  if ((name.front() != '/' && name.front() != '@') || name.size() >= sizeof address.sun_path) return false;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name.data(), name.size());
  if (name.front() == '@') address.sun_path[0] = '\0';  // abstract: not in the file system
  const Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return false;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  return ::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                  reinterpret_cast<const sockaddr*>(&address), length) == static_cast<ssize_t>(state.size());
}

}  // namespace holdfast::platform
