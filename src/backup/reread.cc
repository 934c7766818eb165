#include "backup/reread.h"

#include "backup/review.h"
#include "base/error.h"
#include "base/text.h"

namespace holdfast::backup {

Findings reread(const system::System& system, const item::AdapterSet& adapters, platform::World& world,
                const std::string& repository, ProgressSink& progress, const Cancel& cancel, repository::Mending& mending) {
  Findings findings;
  for (const auto& [name, files] : mending.wanted()) {
    const item::ItemSpec* spec = system.find(name);
    if (spec == nullptr || spec->excluded) {
      findings.push_back({"not_read_again", name, "the configuration has no such item: its files were not read again", ""});
      continue;
    }
    item::Facts facts;
    // What a backup would find worth telling is not what a repair is about; a file that is not read stays lost, and that is told.
    item::CaptureContext context{world, cancel, progress, [](Finding) {}, facts, own_places(system, repository), {}, {}};
    try {
      adapters.get(*spec).capture(*spec, mending.reread(name), context);
    } catch (const Error& e) {
      if (e.code() == Code::interrupted) throw;
      findings.push_back({"not_read_again", name, e.what(), e.hint()});
    }
  }
  return findings;
}

}  // namespace holdfast::backup
