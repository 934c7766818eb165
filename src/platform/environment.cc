#include "platform/environment.h"

#include <unistd.h>

#include <string_view>

namespace holdfast::platform {

Environment real_environment() {
  Environment environment;
  for (char** e = environ; e != nullptr && *e != nullptr; ++e) {
    std::string_view line = *e;
    std::size_t at = line.find('=');
    if (at == std::string_view::npos) continue;
    environment.emplace(line.substr(0, at), line.substr(at + 1));
  }
  return environment;
}

}  // namespace holdfast::platform
