// This machine remembers where a system's kit was last written, so that it can be said when it is stale.
#pragma once

#include <optional>
#include <string>

#include "base/time.h"
#include "platform/file_system.h"

namespace holdfast::recovery {

struct KitNote {
  std::string folder;  // as it was written; it may have been carried away
  Timestamp written;
};
// Of the system (id in hex), in the folder of local state; nullopt: none is known. Errors: those of reading a
// file.
std::optional<KitNote> known_kit(platform::FileSystem& files, const platform::Path& state,
                                 const std::string& system_id);
void remember_kit(platform::FileSystem& files, const platform::Path& state, const std::string& system_id,
                  const platform::Path& folder);

}  // namespace holdfast::recovery
