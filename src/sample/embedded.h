// Texts that are built into the program from files of the source tree (CMakeLists.txt).
#pragma once

#include <string_view>

namespace holdfast::sample {

extern const std::string_view kSetupScript;           // setup.sh; @FOLDERS@ is the list of folders
extern const std::string_view kExampleConfiguration;  // docs/example.holdfast.toml

}  // namespace holdfast::sample
