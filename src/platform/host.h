// Which machine this is. A recovery compares it with the identity card of the lost server before anything is touched.
#pragma once

#include <string>

namespace holdfast::platform {

class Host {
 public:
  virtual ~Host() = default;
  virtual std::string host_name() = 0;          // short name, as uname -n up to the first dot: "ns01"
  virtual std::string domain() = 0;             // DNS or NIS domain; "" when the machine is in none
  virtual std::string operating_system() = 0;   // "linux" or "windows"
  virtual std::string operating_system_version() = 0;  // for people: "Debian GNU/Linux 12 (bookworm)"
  virtual std::string machine_id() = 0;         // stable per installation (/etc/machine-id); "" when unknown
  virtual bool is_administrator() = 0;          // root: may give files any owner, make devices
};

Host& real_host();

}  // namespace holdfast::platform
