#include "service/jobs/job_command.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/text.h"
#include "platform/child_process.h"

namespace holdfast::service {
namespace {

using system::ScheduleSettings;
using Run = ScheduleSettings::Run;

struct Kind {
  std::string_view name;
  std::vector<std::string> words;   // the verb, and what each job of the kind has
};

// As rights.cc knows them. Reviews were answered by whoever started the job, or switched the schedule on.
const std::array<Kind, 10> kKinds{{
    {"backup", {"backup"}},
    {"verify", {"verify"}},
    {"check", {"check"}},
    {"copy", {"copy"}},
    {"kit", {"kit"}},
    {"export", {"export", "--quiet"}},   // its remarks hold the new file's recovery key
    {"restore", {"restore"}},
    {"recover", {"recover"}},
    {"retention", {"retention", "apply"}},
    {"prune", {"prune"}},
}};

const Kind& kind_of(const NewJob& job) {
  const auto found = std::find_if(kKinds.begin(), kKinds.end(), [&](const Kind& kind) { return kind.name == job.kind; });
  if (found == kKinds.end()) throw Error(Code::unknown_name, "there is no kind of job '" + printable(job.kind) + "'").safe("nothing was started");
  return *found;
}

void refuse_the_services_own(const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    const std::string_view name = std::string_view(argument).substr(0, argument.find('='));
    if (!name.starts_with("--")) continue;
    if (name == "--config" || name == "--key-file" || name.find("password") != std::string_view::npos)
      throw Error(Code::usage, "a job cannot be given '" + printable(name) + "': the service says that itself").safe("nothing was started");
  }
}

// A verification counts for a month (docs/verification.md): a younger one is not due.
const std::string kVerifyDue = "--older-than=30d";

std::vector<std::string> backup_arguments(const ScheduleSettings& s, const AuditHead& head) {
  std::vector<std::string> arguments{"--scheduled"};
  if (!s.section.empty()) arguments.push_back("--section=" + s.section);
  if (!s.export_folder.empty()) arguments.push_back("--export=" + s.export_folder.string());
  arguments.push_back("--label=schedule " + s.name + ", audit " + std::to_string(head.number) + " " + head.hash.hex());
  return arguments;
}

std::vector<std::string> arguments_of(const ScheduleSettings& s, const AuditHead& head) {
  switch (s.run) {
    case Run::backup: return backup_arguments(s, head);
    case Run::verify:
      return s.share ? std::vector<std::string>{"--level=" + s.level, kVerifyDue, "--share=" + system::percent(*s.share)}
                     : std::vector<std::string>{"--level=" + s.level, kVerifyDue};
    case Run::check:
      if (s.share) return {"--read-data=" + system::percent(*s.share)};
      return {};
    case Run::copy: return {s.copy};
    case Run::retention: return {};
    case Run::prune: return {};
  }
  return {};
}

}  // namespace

NewJob job_of(const ScheduleSettings& schedule, std::optional<Timestamp> slot, const AuditHead& head) {
  return {std::string(to_text(schedule.run)), arguments_of(schedule, head), schedule.name, slot};
}

std::vector<std::string> command_line(const JobProgram& program, const NewJob& job, const JobSecrets& secrets) {
  refuse_the_services_own(job.arguments);
  const Kind& kind = kind_of(job);
  std::vector<std::string> words{program.program.string(), "--json", "--yes", "--config", program.configuration.string()};
  const auto add = [&](std::initializer_list<std::string> more) { words.insert(words.end(), more); };
  int file = platform::ChildProcess::kFirstSecret;
  if (!secrets.password.empty()) add({"--password-fd", std::to_string(file++)});
  else if (!program.key_file.empty()) add({"--key-file", program.key_file.string()});
  words.insert(words.end(), kind.words.begin(), kind.words.end());
  if (!secrets.file_password.empty()) add({"--file-password-fd", std::to_string(file)});
  words.insert(words.end(), job.arguments.begin(), job.arguments.end());
  return words;
}

platform::Environment job_environment(const JobProgram& program) {
  platform::Environment kept;
  for (const auto& [name, value] : program.environment)
    if (name == "PATH" || name == "HOME" || name == "LANG" || name == "TMPDIR" || name.starts_with("LC_") || name.starts_with("HOLDFAST_")) kept[name] = value;
  kept.try_emplace("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  kept["HOLDFAST_STATE"] = program.state.string();
  return kept;
}

}  // namespace holdfast::service
