#include "platform/supervisor.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>
#include <string>

#include "platform/descriptor_posix.h"
#include "platform/testing.h"

namespace holdfast::platform {
namespace {

// The supervisor's end, at a path or (with '@' first) without one.
class Listener {
 public:
  explicit Listener(const std::string& name) : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name.front() == '@') address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), length), 0);
  }
  std::string told() {
    char text[256];
    const ssize_t size = ::recv(socket_.get(), text, sizeof text, MSG_DONTWAIT);
    return size < 0 ? "" : std::string(text, static_cast<std::size_t>(size));
  }

 private:
  Descriptor socket_;
};

TEST(Supervisor, IsToldAtAPathAndInTheAbstract) {
  TemporaryFolder folder;
  const std::string abstract = "@holdfast-test-" + folder.path().filename().string();
  for (const std::string& name : {(folder.path() / "notify").string(), abstract}) {
    Listener listener(name);
    EXPECT_TRUE(tell_supervisor({{"NOTIFY_SOCKET", name}}, "READY=1\nSTATUS=serving"));
    EXPECT_EQ(listener.told(), "READY=1\nSTATUS=serving") << name;
  }
}

TEST(Supervisor, WhoIsNotThereIsNoReasonToStop) {
  EXPECT_TRUE(tell_supervisor({}, "READY=1")) << "nobody wants to know";
  EXPECT_TRUE(tell_supervisor({{"NOTIFY_SOCKET", ""}}, "READY=1"));
  for (const std::string& name :
       {std::string("relative"), std::string("/nobody/listens/here"), "/" + std::string(200, 'x')})
    EXPECT_FALSE(tell_supervisor({{"NOTIFY_SOCKET", name}}, "READY=1")) << name;
}

}  // namespace
}  // namespace holdfast::platform
