// Help, completion and man page, all made from the table of verbs.
#pragma once

#include <string>

#include "cli/verb.h"

namespace holdfast::cli {

std::string general_help();
std::string verb_help(const Verb& verb);
// Script for bash-completion; `holdfast completion` prints it.
std::string bash_completion();
// Man page in man(7) format; `holdfast man` prints it.
std::string man_page();
// "holdfast restore POINT [--item NAME]... [--to FOLDER]"
std::string usage_line(const Verb& verb);

}  // namespace holdfast::cli
