// Changing holdfast.toml for a client: read, changed in its place, checked as a whole, written at once,
// followed by the service.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "service/api/services.h"
#include "system/configuration_edit.h"

namespace holdfast::service {

struct SettingsChanged {
  std::string text;                // of the file, now or as it would be
  std::vector<std::string> lines;  // "- before", "+ after"
  bool written = false;
  bool restart = false;  // what was changed holds from the next start on
};

enum class Writing : bool { dry, really };
// `edit` makes of the settings as the file says them now those that are wanted. `if_match`: the entity tag of
// the file that the client has seen; Error(precondition) when it is another one by now. `allowed` is asked
// before anything is written, with what would change. Errors: config: the new text is wrong, or the file is
// wrong already; busy: somebody else changed it meanwhile; usage, unsupported; those of the file system.
SettingsChanged change_settings(Services& services, const Actor& by, const std::function<void(Json&)>& edit,
                                const std::string& if_match = "", Writing writing = Writing::really,
                                const std::function<void(const std::vector<system::Change>&)>& allowed = {});

// The file as it is now. Error(config): it is wrong.
system::System settings_file(Services& services);

}  // namespace holdfast::service
