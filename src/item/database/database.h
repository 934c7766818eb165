// What a recovery asks of a database beyond capture and apply. Implemented by each engine's adapter.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "item/adapter.h"

namespace holdfast::item {

// One step of a fix-up (profiles/*.toml): either empties a table or updates rows.
struct FixupAction {
  std::string table;
  bool truncate = false;
  std::string set, where;        // for updates: SQL fragments from the profile, never from a backup
};

struct FixupCount { std::string table; std::uint64_t before = 0, changed = 0; };

// Item option that a recovery sets, never a file: tables that its fix-ups changed. check() does not compare their rows.
constexpr const char* kFixedUpTables = "fixed_up_tables";

class DatabaseAdapter : public Adapter {
 public:
  // Name of the live database ("Symantec_CMDB"); nullopt when there is none now.
  virtual std::optional<std::string> live_name(const ItemSpec& spec, platform::World& world) const = 0;
  // Renames the live database (never drops it) so that another can take its name; returns the new name or path. Doing it
  // again when there is none is not an error: returns "".
  virtual std::string set_aside(const ItemSpec& spec, platform::World& world, const std::string& suffix) const = 0;
  virtual void undo_set_aside(const ItemSpec& spec, platform::World& world, const std::string& suffix) const = 0;
  // Rows that the actions would touch, without touching them. Error(precondition) when a table is missing.
  virtual std::vector<FixupCount> count(const ItemSpec& spec, platform::World& world,
                                        const std::vector<FixupAction>& actions) const = 0;
  // All actions in one transaction; idempotent.
  virtual std::vector<FixupCount> fix_up(const ItemSpec& spec, platform::World& world,
                                         const std::vector<FixupAction>& actions) const = 0;
  // Rows of a query from the profile against the live database, as text.
  virtual std::vector<std::vector<std::string>> query(const ItemSpec& spec, platform::World& world,
                                                      const std::string& sql) const = 0;
};

}  // namespace holdfast::item
