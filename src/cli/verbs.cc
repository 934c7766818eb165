#include "cli/verbs.h"

#include <charconv>

#include "base/error.h"
#include "base/text.h"

namespace holdfast::cli {

const std::vector<Option>& global_options() {
  static const std::vector<Option> options{
      {"--config", "FILE", "configuration file of the protected server (else HOLDFAST_CONFIG, ./holdfast.toml, /etc/holdfast/holdfast.toml)"},
      {"--repository", "URL", "repository: a folder (else the configuration's)"},
      {"--system", "NAME", "which system, when the repository holds several"},
      {"--password-file", "FILE", "read the password from FILE (else HOLDFAST_PASSWORD_FILE)"},
      {"--password-command", "COMMAND", "take the password from what COMMAND prints (else HOLDFAST_PASSWORD_COMMAND)"},
      {"--password-fd", "N", "read the password from the open file N"},
      {"--key-file", "FILE", "open with this machine key (else HOLDFAST_KEY_FILE)"},
      {"--json", "", "JSON lines on stdout, text for people on stderr"},
      {"--quiet", "", "no progress and no remarks; findings and errors stay"},
      {"--yes", "", "answer reviews with yes (manual steps are left to a person)"},
  };
  return options;
}

const std::vector<Verb>& all_verbs() {
  static const std::vector<Verb> verbs = [] {
    std::vector<Verb> all{sample_verb(), init_verb(),   backup_verb(), points_verb(),  show_verb(), diff_verb(), restore_verb(),
                          export_verb(), import_verb(), recover_verb(), kit_verb(), verify_verb(), check_verb(), repair_verb()};
    for (Verb& v : retention_verbs()) all.push_back(std::move(v));
    all.push_back(prune_verb());
    all.push_back(copy_verb());
    for (Verb& v : key_verbs()) all.push_back(std::move(v));
    all.push_back(accept_older_verb());
    for (Verb& v : schedule_verbs()) all.push_back(std::move(v));
    all.push_back(status_verb());
    all.push_back(serve_verb());
    for (Verb& v : user_verbs()) all.push_back(std::move(v));
    for (Verb& v : help_verbs()) all.push_back(std::move(v));
    return all;
  }();
  return verbs;
}

const std::vector<std::string>& reserved_verbs() {
  static const std::vector<std::string> verbs{"drill", "evidence", "package", "schedule run", "doctor"};
  return verbs;
}

double share_of(const std::string& option, const std::string& text, Zero zero) {
  double percent = -1;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), percent);
  bool number = error == std::errc{} && (end == text.data() + text.size() || std::string_view(end) == "%");
  if (number && percent <= 100 && (percent > 0 || (percent == 0 && zero == Zero::allowed))) return percent / 100;
  throw Error(Code::usage, option + " takes a share like 5%, not '" + printable(text) + "'").safe("nothing was changed");
}

}  // namespace holdfast::cli
