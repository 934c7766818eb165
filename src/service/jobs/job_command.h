// Which process a job is: what a schedule means, and the command line of each kind of job. Data and functions over it; nothing is
// started here. Any thread may call them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "platform/environment.h"
#include "platform/file_system.h"
#include "service/access/audit.h"
#include "service/jobs/jobs.h"
#include "system/settings.h"

namespace holdfast::service {

// What all jobs have in common.
struct JobProgram {
  platform::Path program;                // holdfast itself
  platform::Path configuration, state;   // absolute
  platform::Path key_file;               // absolute; "": the repository is opened by what the environment names
  platform::Environment environment;     // the service's; what a job gets of it: job_environment
};

// What a job reads from an open file, and nothing else ever holds.
struct JobSecrets {
  crypto::Secret password;        // of the repository, or its recovery key: in place of the machine's key
  crypto::Secret file_password;   // of a backup file: `export --file`, `--from`
};

// The job that a schedule means. `slot`: nullopt when a person asked for it. A backup's point counts as scheduled, and its label
// carries `head`, so that a later look at the point tells whether the audit log was cut since.
NewJob job_of(const system::ScheduleSettings& schedule, std::optional<Timestamp> slot, const AuditHead& head);

// The command line of a job, with the program's path. `secrets`: only which of them are there. Errors: unknown_name: no such kind;
// usage: an argument names a configuration, a key or where a password is read, which only the service says, as the command line would
// run a command or read a file for whoever asked for the job.
std::vector<std::string> command_line(const JobProgram& program, const NewJob& job, const JobSecrets& secrets);

// Paths, home, language, temporary files and what begins with HOLDFAST_. Nothing else of the service's environment.
platform::Environment job_environment(const JobProgram& program);

}  // namespace holdfast::service
