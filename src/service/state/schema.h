// The tables of the service's state file, as the steps that lead from one version to the next. Step n makes version n + 1.
// A step that was ever released stays as it is.
#pragma once

#include <span>
#include <string_view>

namespace holdfast::service {

std::span<const std::string_view> schema_steps();
inline constexpr int kApplicationId = 0x48466173;   // "HFas": what file(1) and a person with sqlite3 see

}  // namespace holdfast::service
