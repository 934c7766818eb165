// What a client asks for when it starts a job: kind and parameters as JSON, made into arguments of the verb.
// Every parameter is checked here: nothing that a client sends becomes an option that it did not name.
#pragma once

#include <string>
#include <vector>

#include "recovery/restore.h"
#include "service/api/answer.h"
#include "service/jobs/job_command.h"

namespace holdfast::service {

struct JobRequest {
  NewJob job;
  JobSecrets secrets;
};

// {"kind": …, "parameters": {…}}. Error(usage): a parameter is missing, unknown or wrong.
// Error(unknown_name): no such kind.
JobRequest job_request(Body& body);

// The parameters of a restore, for its review.
struct RestoreParameters {
  std::string point, from;  // `from`: a backup file in place of the repository; "": none
  crypto::Secret file_password;
  recovery::RestoreRequest request;
};
RestoreParameters restore_parameters(Body& parameters);

// "latest", or at least four hex digits. Error(usage).
void check_point(const std::string& text);
// Error(usage): not absolute.
std::string absolute_path(Body& body, std::string_view name);

}  // namespace holdfast::service
