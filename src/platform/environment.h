// Environment variables, passed in so that tests need not change the process.
#pragma once

#include <map>
#include <optional>
#include <string>

namespace holdfast::platform {

using Environment = std::map<std::string, std::string>;
Environment real_environment();
inline std::optional<std::string> get(const Environment& environment, const std::string& name) {
  auto it = environment.find(name);
  if (it == environment.end()) return std::nullopt;
  return it->second;
}

}  // namespace holdfast::platform
