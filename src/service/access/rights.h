// Who may what: four roles and seven rights, as data. The table is docs/service.md's; a test compares them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace holdfast::service {

enum class Role : std::uint8_t { viewer, operating, recovery, administrator };

enum class Right : std::uint8_t {
  see,         // points, jobs, status, names in backups
  operate,     // start backups, verifications, copies; pin
  recover,     // download files, export, restore, recover
  retention,   // change what is kept: retention, forget, prune
  settings,    // schedules, notifications, everything in holdfast.toml
  users,       // users and tokens
  audit,       // read the audit log
};

std::string_view to_text(Role role);     // "viewer", "operator", "recovery", "administrator"
std::string_view to_text(Right right);   // "see", …
std::optional<Role> role_named(std::string_view name);
std::span<const Role> all_roles();
std::span<const Right> all_rights();

bool may(Role role, Right right);

// The right that starting (and stopping) a job of this kind needs: "backup", "restore", …; nullopt: there is no such kind.
std::optional<Right> right_for_job(std::string_view kind);

}  // namespace holdfast::service
