// The verbs, each defined in its own file; verbs.cc puts them in order.
#pragma once

#include "cli/verb.h"

namespace holdfast::cli {

Verb sample_verb();
Verb init_verb();
Verb backup_verb();
Verb points_verb();
Verb show_verb();
Verb diff_verb();
Verb restore_verb();
Verb export_verb();
Verb import_verb();
Verb recover_verb();
Verb kit_verb();
Verb verify_verb();
Verb check_verb();
Verb repair_verb();
std::vector<Verb> retention_verbs();   // retention show, retention apply, forget, pin, unpin
Verb prune_verb();
Verb copy_verb();
std::vector<Verb> key_verbs();         // key list, add, remove, change, test, rotate
Verb accept_older_verb();
std::vector<Verb> schedule_verbs();    // schedule list, on, off
Verb status_verb();
Verb serve_verb();
std::vector<Verb> user_verbs();        // user add, passwd, list, remove
std::vector<Verb> help_verbs();        // explain, completion, man

}  // namespace holdfast::cli
