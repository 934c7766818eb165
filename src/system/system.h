// A protected server: what its configuration file and its product's profile say, put together and checked.
//
// Loading finds every mistake that can be found without touching the server. A mistake is Error(config) and says
// file:line:column, what is expected there, and the nearest valid name. Unknown keys are mistakes.
// The files are described in docs/configuration.md.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/span.h"
#include "item/adapter.h"
#include "item/database/database.h"
#include "system/settings.h"

namespace holdfast::system {

using item::ItemSpec;
using platform::Path;

struct Fixup {
  std::string name, title, item;             // "cancel-tasks", for people, "cmdb"
  std::vector<std::string> versions;         // product versions it knows, as prefixes: "8.5.", "8.6."
  std::string product;                       // whose version counts
  std::vector<item::FixupAction> actions;
};

// One step of the recovery plan, as the profile orders it.
struct Step {
  enum class Kind { confirm, stop_services, start_services, set_aside, restore, fixup, install, manual, check };
  std::string name, title;                   // "restore-database"
  int group = 0;                             // 0 before anything, 1 database, 2 re-installation, 3 configuration, 4 checks
  Kind kind = Kind::manual;
  std::vector<std::string> items;            // restore, install, check, set_aside; in order
  std::vector<std::string> after;            // steps that must be done (or deferred where they may be) before
  std::string fixup;                         // name, for Kind::fixup
  std::string instructions;                  // for manual and confirm: what the person does
  bool deferrable = false;                   // a manual step that may be left for after the last step
};

struct KeyCheck {                            // which columns of the database are encrypted under the keys, for the fit check
  std::string name, keys_item, database_item;
  std::string query;                         // rows: associated data (text), ciphertext (hex); docs/sample.md
};

struct Section { std::string name, title; };   // what one schedule backs up: "software-library", "Software Library Backup"

struct Profile {
  std::string name, title;                   // "itms", "IT Management Suite 8.5 RU2 and later"
  std::string source;                        // the text as read, stored in every point
  std::vector<std::string> products_known;   // version prefixes that its fix-ups know
  std::string main_product;                  // whose version decides
  std::vector<std::string> outside;          // what Holdfast does not do, one sentence each; shown in review and status
  std::vector<Section> sections;             // in the order in which people see them; every item is in one
  std::vector<ItemSpec> items;               // without places, by `order`
  std::vector<Fixup> fixups;
  std::vector<Step> steps;
  std::vector<KeyCheck> key_checks;
  std::vector<std::string> fit_queries;      // product versions in the database: rows (product, version)
};

struct Product { std::string name, id, version; auto operator<=>(const Product&) const = default; };

// Who a server is. Stored in every point; compared before a recovery touches anything.
struct IdentityCard {
  std::string host_name, domain, operating_system, operating_system_version;
  std::string install_path, application_identity, database_name;
  std::vector<Product> products;             // sorted by name
  item::Facts to_facts() const;              // "host_name", …, "product.<id>" = "<name> <version>"
  static IdentityCard from_facts(const item::Facts& facts);
};
struct IdentityDifference { std::string what, lost, here; bool blocking = true; };
// What makes this machine another one. Newer operating_system_version is told, not blocking.
std::vector<IdentityDifference> compare(const IdentityCard& lost, const IdentityCard& here);

struct System {
  std::string id;                            // 32 hex digits, made with the configuration file, never changed
  std::string name;                          // "ns01"
  std::string title;                         // for people; says "sample" when it is one
  bool sample = false;
  Path file;                                 // configuration file; "" when it came out of a point
  std::string source;                        // its text
  Path base;                                 // relative paths in it start here: the folder of the file
  Path root;                                 // folder that should be covered; "" when there is no single one
  std::vector<ItemSpec> items;               // profile and places together, in capture order; excluded ones too
  std::vector<std::string> not_configured;   // items of the profile that the file neither places nor excludes
  struct Excluded { Path path; std::string reason; };
  std::vector<Excluded> excluded;            // folders left out on purpose
  std::string repository;                    // "" = must be given
  struct Copy { std::string name, repository; };
  std::vector<Copy> copies;
  // docs/retention.md; 0 and nullopt: that rule is not set.
  struct Retention {
    int last = 0, hourly = 0, daily = 0, weekly = 0, monthly = 0, yearly = 0;
    std::optional<Span> within = {};
    bool empty() const { return last + hourly + daily + weekly + monthly + yearly == 0 && !within; }
  } retention;
  // The objectives: so much may be lost at most, so long may a recovery take; nullopt: none is stated.
  std::optional<Span> recovery_point, recovery_time;
  std::map<std::string, std::string> services;   // name -> start/stop command prefix; see docs/configuration.md
  Settings settings;                         // schedules, service, notifications
  Profile profile;

  struct IdentitySource { Path registry, database; } identity;   // where the card is read from
  const ItemSpec* find(const std::string& item) const;            // nullptr: no such item
  const ItemSpec& get(const std::string& item) const;             // Error(unknown_name) with the nearest name
};

// Text of a profile. `file` names it in errors.
Profile parse_profile(std::string_view text, const std::string& file, const item::AdapterSet& adapters);
// The profiles built into the program (profiles/*.toml), by name; nullptr when there is none.
const std::string* builtin_profile(std::string_view name);
std::vector<std::string> builtin_profile_names();

// Text of a configuration file; the profile it names is taken from `profile_text` when given, else from the program.
// `base`: where relative paths start; absolute. Nothing on disk is looked at.
System parse_system(std::string_view text, const std::string& file, const Path& base, const item::AdapterSet& adapters,
                    const std::optional<std::string>& profile_text = std::nullopt);
System load_system(platform::FileSystem& files, const Path& file, const item::AdapterSet& adapters);

// The card of what is installed now. Host, domain and operating system come from world.host, the rest from the places in
// system.identity; what is not there or not legible is "" (no products). Errors: permission, io.
IdentityCard read_identity(const System& system, platform::World& world);
// Product list as text for people and as the `record` item stores it.
std::string products_text(const IdentityCard& card);
std::string identity_text(const IdentityCard& card);

}  // namespace holdfast::system
