// The TOML parser with our settings, the same in every file that includes it. Include it in .cc files only.
#pragma once

// Deeper nesting is refused: our files have three levels, a hostile one must not use up the stack.
#define TOML_MAX_NESTED_VALUES 16
// The parser asserts what a broken file does not keep ("[[[" ends the program) and reports it as an error right after.
#define TOML_ASSERT(expr) static_assert(true)

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#include <toml++/toml.h>
#pragma GCC diagnostic pop
