// What a backup would do, before it does it: the review page of the process. Reads names and sizes, changes nothing.
#pragma once

#include <string>
#include <vector>

#include "base/finding.h"
#include "item/adapter.h"
#include "platform/world.h"
#include "system/system.h"

namespace holdfast::backup {

// Which items of a system: by name, by section, or all that are not excluded.
struct Selection {
  std::vector<std::string> items;
  std::string section;
  bool everything() const { return items.empty() && section.empty(); }
};

// The chosen items in capture order. Error(unknown_name) with the nearest name; Error(precondition) for an excluded one.
std::vector<const item::ItemSpec*> select(const system::System& system, const Selection& selection);

struct Review {
  struct Line { const item::ItemSpec* item; std::uint64_t bytes; };   // 0 bytes: size not known before
  std::vector<Line> chosen;
  std::vector<const item::ItemSpec*> left_out;   // in the system but not in this selection
  struct Reason { std::string what, reason; };
  std::vector<Reason> excluded;                  // on purpose: items and folders
  Findings not_covered;                          // code "not_covered"
  std::vector<std::string> outside;              // what Holdfast does not do for this product
  std::uint64_t bytes = 0;
};

// Sizes take a walk over all of it; without them every size is 0.
enum class Sizes : bool { no, yes };
Review review(const system::System& system, const Selection& selection, const item::AdapterSet& adapters,
              platform::World& world, Sizes sizes = Sizes::yes);

// Where backups of the system are kept, as far as they are folders: the configured repository, the one in use
// (`location`, which may be another) and the copies. Absolute. A backup holds none of them, and they need no item.
std::vector<platform::Path> own_places(const system::System& system, const std::string& location = "");

// What no item takes and nobody excluded: items of the profile without a place, and paths below the system's root.
// A folder that nothing covers is one finding, not one per file; a folder that cannot be listed is one too.
Findings uncovered(const system::System& system, const item::AdapterSet& adapters, platform::World& world,
                   const std::vector<platform::Path>& own_places);

}  // namespace holdfast::backup
