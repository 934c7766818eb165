#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "base/error.h"
#include "base/text.h"
#include "platform/file_system.h"
#include "platform/host.h"

namespace holdfast::platform {
namespace {

// The text of a small system file; "" when it is not there or not readable: such a machine simply does not
// tell.
std::string small_file(const Path& path) {
  try {
    return to_text(real_file_system().read_all(std::filesystem::canonical(path), 64 * 1024));
  } catch (const Error&) {
    return "";
  } catch (const std::filesystem::filesystem_error&) {
    return "";
  }
}

std::string node_name() {
  utsname u{};
  if (::uname(&u) != 0) throw os_error("cannot read the name of this machine", errno);
  return u.nodename;
}

// The value of KEY=value or KEY="value" in a file of such lines.
std::string value_of(const std::string& text, std::string_view key) {
  for (const std::string& line : split(text, '\n')) {
    std::string_view v = trim(line);
    if (!v.starts_with(key) || v.size() <= key.size() || v[key.size()] != '=') continue;
    v.remove_prefix(key.size() + 1);
    if (v.size() >= 2 && (v.front() == '"' || v.front() == '\'') && v.back() == v.front())
      v = v.substr(1, v.size() - 2);
    return std::string(v);
  }
  return "";
}

class PosixHost final : public Host {
 public:
  std::string host_name() override {
    std::string node = node_name();
    return node.substr(0, node.find('.'));
  }

  std::string domain() override {
    std::string node = node_name();
    if (std::size_t dot = node.find('.'); dot != std::string::npos) return node.substr(dot + 1);
    std::array<char, 256> name{};
    if (::getdomainname(name.data(), name.size() - 1) != 0) return "";
    std::string domain = name.data();
    return domain == "(none)" ? "" : domain;
  }

  std::string operating_system() override { return "linux"; }

  std::string operating_system_version() override {
    for (const char* path : {"/etc/os-release", "/usr/lib/os-release"})
      if (std::string name = value_of(small_file(path), "PRETTY_NAME"); !name.empty()) return name;
    utsname u{};
    if (::uname(&u) != 0) return "Linux";
    return std::string(u.sysname) + " " + u.release;
  }

  std::string machine_id() override { return std::string(trim(small_file("/etc/machine-id"))); }

  bool is_administrator() override { return ::geteuid() == 0; }
};

}  // namespace

Host& real_host() {
  static PosixHost host;
  return host;
}

}  // namespace holdfast::platform
