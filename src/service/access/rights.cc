#include "service/access/rights.h"

#include <algorithm>
#include <array>
#include <utility>

namespace holdfast::service {
namespace {

constexpr std::array kRoles{Role::viewer, Role::operating, Role::recovery, Role::administrator};
constexpr std::array<std::string_view, kRoles.size()> kRoleNames{"viewer", "operator", "recovery", "administrator"};

constexpr std::array kRights{Right::see, Right::operate, Right::recover, Right::retention, Right::settings, Right::users, Right::audit};
constexpr std::array<std::string_view, kRights.size()> kRightNames{"see", "operate", "recover", "retention", "settings", "users", "audit"};

// A row for each right, a column for each role.
constexpr std::array<std::array<bool, kRoles.size()>, kRights.size()> kMay{{
    {true, true, true, true},      // see
    {false, true, true, true},     // operate
    {false, false, true, true},    // recover
    {false, false, false, true},   // retention
    {false, false, false, true},   // settings
    {false, false, false, true},   // users
    {false, false, false, true},   // audit
}};

constexpr std::array<std::pair<std::string_view, Right>, 10> kJobs{{
    {"backup", Right::operate},
    {"verify", Right::operate},
    {"check", Right::operate},
    {"copy", Right::operate},
    {"kit", Right::operate},
    {"export", Right::recover},
    {"restore", Right::recover},
    {"recover", Right::recover},
    {"retention", Right::retention},
    {"prune", Right::retention},
}};

}  // namespace

std::string_view to_text(Role role) { return kRoleNames[static_cast<std::size_t>(role)]; }
std::string_view to_text(Right right) { return kRightNames[static_cast<std::size_t>(right)]; }
std::span<const Role> all_roles() { return kRoles; }
std::span<const Right> all_rights() { return kRights; }

std::optional<Role> role_named(std::string_view name) {
  for (Role role : kRoles)
    if (to_text(role) == name) return role;
  return std::nullopt;
}

bool may(Role role, Right right) { return kMay[static_cast<std::size_t>(right)][static_cast<std::size_t>(role)]; }

std::optional<Right> right_for_job(std::string_view kind) {
  const auto found = std::find_if(kJobs.begin(), kJobs.end(), [&](const auto& job) { return job.first == kind; });
  if (found == kJobs.end()) return std::nullopt;
  return found->second;
}

}  // namespace holdfast::service
