#include "recovery/kit_note.h"

namespace holdfast::recovery {
namespace {

platform::Path note(const platform::Path& state, const std::string& id) { return state / ("kit-" + id); }

constexpr std::uint64_t kLongestNote = 65'536;

}  // namespace

std::optional<KitNote> known_kit(platform::FileSystem& files, const platform::Path& state,
                                 const std::string& id) {
  const platform::Path file = note(state, id);
  const auto info = files.info(file);
  if (!info) return std::nullopt;
  return KitNote{to_text(files.read_all(file, kLongestNote)), info->modified};
}

void remember_kit(platform::FileSystem& files, const platform::Path& state, const std::string& id,
                  const platform::Path& folder) {
  files.make_directories(state);
  files.replace(note(state, id), as_bytes(folder.string()));
}

}  // namespace holdfast::recovery
