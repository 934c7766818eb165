#include "backup/review.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "store/open_store.h"

namespace holdfast::backup {
namespace {

using platform::Path;

bool is_below(const Path& path, const Path& folder) {
  auto p = path.begin();
  for (const Path& part : folder) {
    if (part.empty()) continue;
    if (p == path.end() || *p != part) return false;
    ++p;
  }
  return true;
}

// Finds what lies below the root and nobody takes.
class CoverageWalk {
 public:
  CoverageWalk(platform::FileSystem& files, std::vector<Path> covered, std::set<Path> laid_down, Findings& out)
      : files_(files), covered_(std::move(covered)), laid_down_(std::move(laid_down)), out_(out) {}

  // `folder` itself is covered in part: what is not is named child by child.
  void walk(const Path& folder) {
    for (const auto& child : children(folder)) {
      Path path = folder / child.name;
      if (std::any_of(covered_.begin(), covered_.end(), [&](const Path& c) { return is_below(path, c); })) continue;
      bool folder_with_covered = child.info.kind == platform::FileInfo::Kind::directory && leads_to_covered(path);
      if (folder_with_covered) {
        walk(path);
      } else if (!laid_down_.contains(path)) {
        out_.push_back({"not_covered", path.string(), "no item captures it",
                        "name it in an item, or exclude it with a reason ([[excluded]])"});
      }
    }
  }

 private:
  std::vector<platform::FileSystem::Child> children(const Path& folder) {
    try {
      return files_.list(folder);
    } catch (const Error& e) {
      if (e.code() == Code::interrupted) throw;
      out_.push_back({"not_covered", folder.string(), std::string("whether all of it is covered cannot be seen: ") + e.what(),
                      "let Holdfast read the folder, or exclude it with a reason ([[excluded]])"});
      return {};
    }
  }

  bool leads_to_covered(const Path& folder) const {
    return std::any_of(covered_.begin(), covered_.end(), [&](const Path& c) { return is_below(c, folder); }) ||
           std::any_of(laid_down_.begin(), laid_down_.end(), [&](const Path& c) { return is_below(c, folder); });
  }

  platform::FileSystem& files_;
  std::vector<Path> covered_;
  std::set<Path> laid_down_;
  Findings& out_;
};

}  // namespace

std::vector<const item::ItemSpec*> select(const system::System& system, const Selection& selection) {
  std::vector<const item::ItemSpec*> chosen;
  if (!selection.section.empty()) {
    std::vector<std::string> sections;
    for (const auto& i : system.items) sections.push_back(i.section);
    if (std::find(sections.begin(), sections.end(), selection.section) == sections.end()) {
      Error e(Code::unknown_name, "there is no section '" + printable(selection.section) + "'");
      std::string near = nearest_name(selection.section, sections);
      if (!near.empty()) e.hint("did you mean '" + near + "'?");
      throw e;
    }
  }
  for (const std::string& name : selection.items) {
    const item::ItemSpec& i = system.get(name);
    if (i.excluded)
      throw Error(Code::precondition, "item '" + name + "' is excluded in the configuration: " + *i.excluded)
          .safe("nothing was changed")
          .hint("remove 'excluded' from [item." + name + "] to back it up");
  }
  for (const auto& i : system.items) {
    if (i.excluded) continue;
    bool named = std::find(selection.items.begin(), selection.items.end(), i.name) != selection.items.end();
    bool in_section = !selection.section.empty() && i.section == selection.section;
    if (selection.everything() || named || in_section) chosen.push_back(&i);
  }
  std::stable_sort(chosen.begin(), chosen.end(), [](const auto* a, const auto* b) { return a->order < b->order; });
  return chosen;
}

std::vector<Path> own_places(const system::System& system, const std::string& location) {
  std::vector<std::string> locations{system.repository, location};
  for (const auto& c : system.copies) locations.push_back(c.repository);
  std::vector<Path> places;
  for (const std::string& l : locations)
    if (!l.empty() && store::is_folder_location(l)) places.push_back(std::filesystem::absolute(l).lexically_normal());
  return places;
}

Findings uncovered(const system::System& system, const item::AdapterSet& adapters, platform::World& world,
                   const std::vector<Path>& own_places) {
  Findings found;
  for (const std::string& name : system.not_configured)
    found.push_back({"not_covered", name, "the profile expects it and the configuration file gives it no place",
                     "add [item." + name + "] with its place, or with excluded = \"reason\""});
  if (system.root.empty() || !world.files.exists(system.root)) return found;
  std::vector<Path> covered = own_places;
  std::set<Path> laid_down;
  for (const auto& i : system.items) {
    const item::Adapter& adapter = adapters.get(i);
    // The place of an item that is excluded on purpose is listed with its reason, and is no finding.
    for (Path& p : adapter.covers(i))
      if (!p.empty()) covered.push_back(std::move(p));
    if (i.excluded) continue;
    for (Path& p : adapter.lays_down(i, world)) laid_down.insert(std::move(p));
  }
  for (const auto& x : system.excluded) covered.push_back(x.path);
  CoverageWalk(world.files, std::move(covered), std::move(laid_down), found).walk(system.root);
  return found;
}

Review review(const system::System& system, const Selection& selection, const item::AdapterSet& adapters,
              platform::World& world, Sizes sizes) {
  Review r;
  auto chosen = select(system, selection);
  for (const auto* i : chosen) {
    std::uint64_t bytes = sizes == Sizes::yes ? adapters.get(*i).estimate(*i, world) : 0;
    r.chosen.push_back({i, bytes});
    r.bytes += bytes;
  }
  for (const auto& i : system.items) {
    if (i.excluded) r.excluded.push_back({i.name, *i.excluded});
    else if (std::find(chosen.begin(), chosen.end(), &i) == chosen.end()) r.left_out.push_back(&i);
  }
  for (const auto& x : system.excluded) r.excluded.push_back({x.path.string(), x.reason});
  r.not_covered = uncovered(system, adapters, world, own_places(system));
  r.outside = system.profile.outside;
  return r;
}

}  // namespace holdfast::backup
