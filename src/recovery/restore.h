// Giving items back: into a folder, or to their own places. Also plain-file exports.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/progress.h"
#include "repository/repository.h"
#include "system/system.h"

namespace holdfast::recovery {

// What every act of this room works with. All outlive the call.
struct Source {
  repository::Repository& repository;
  const item::AdapterSet& adapters;
  platform::World& world;
  ProgressSink& progress;
  const Cancel& cancel;
};

// The system as a point tells it: its configuration file and profile come out of the point. `base`: where relative paths
// start; nullopt = the folder where the configuration file was (fact "configuration_file" of the point).
system::System system_of(const repository::Point& point, const item::AdapterSet& adapters,
                         const std::optional<platform::Path>& base = std::nullopt);

struct RestoreRequest {
  std::vector<std::string> items;              // empty: all
  std::optional<platform::Path> to;            // a folder: item X goes to to/X; nullopt = in place
  bool privileged = false;                     // setuid bits, device nodes, security attributes
};

struct RestoreReview {
  // place: every path that is written to, for people.
  struct Line { std::string item, title, place; std::uint64_t bytes; bool replaces; };
  std::vector<Line> lines;
  std::uint64_t bytes = 0;
  std::optional<std::uint64_t> free_bytes;     // at the target folder
};
// Changes nothing. unknown_name for an item the system does not have; not_found for one that the point does not hold. A point whose
// configuration or profile this program does not understand is given back to a folder all the same, as plain trees.
RestoreReview review_restore(const Source& source, const repository::Point& point, const RestoreRequest& request);

struct RestoreReport {
  struct Line { std::string item; std::uint64_t bytes = 0, files = 0; std::string error; };   // error: "" = done
  std::vector<Line> lines;
  Findings findings;
  double seconds = 0;
};
// Goes on after an item that fails, and reports it; the first error is then thrown at the end when `lines` would be lost
// otherwise: the caller gets the report, and `failed` names the code of the first failure.
RestoreReport restore(const Source& source, const repository::Point& point, const RestoreRequest& request,
                      std::optional<Code>& failed);

// Plain files with meaningful names, <item>.<detail>.<system>.<time>.<ext>, and ORDER.txt: what each one is and in which order
// a person brings it back by hand. `folder` must be missing or empty (already_exists).
RestoreReport export_folder(const Source& source, const repository::Point& point, const std::vector<std::string>& items,
                            const platform::Path& folder, std::optional<Code>& failed);

}  // namespace holdfast::recovery
