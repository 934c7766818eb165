// Small pieces that the files of this room share.
#pragma once

#include <string>
#include <vector>

#include "recovery/plan.h"

namespace holdfast::recovery {

inline constexpr const char* kThereIsRoom = "there is room";   // name of a check of the preflight
inline constexpr const char* kConfigurationFileStep = "configuration-file";

// nullptr: the point does not hold it.
const repository::StoredItem* find_item(const repository::Point& point, const std::string& name);
// nullptr: the profile has none of that name.
const system::Fixup* find_fixup(const system::System& system, const std::string& name);
// Every place on the server that the item is restored to, for people; "" when there is none.
std::string places_text(const item::Adapter& adapter, const item::ItemSpec& spec);
// The version of the fix-up's product on the identity card; "" when it is not there.
std::string product_version(const system::IdentityCard& card, const std::string& product);
// Whether a fix-up knows that version.
bool knows_version(const system::Fixup& fixup, const std::string& version);
// What `[services]` name = "command" runs: the words of the command, the verb ("start", "stop"), the name. No shell.
std::vector<std::string> service_command(const std::string& command, const std::string& verb, const std::string& name);
// Words in lines of at most 80 columns, each after `indent` and ended with a newline.
std::string wrap_lines(const std::string& words, const std::string& indent);

}  // namespace holdfast::recovery
