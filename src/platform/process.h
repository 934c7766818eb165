// Running other programs: database tools, the password command, an installer.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/cancel.h"

namespace holdfast::platform {

struct ProcessResult {
  int exit_code = 0;        // 128 + signal when killed
  std::string output;       // stdout, at most `output_limit`
  std::string error_output; // stderr, likewise
};

struct ProcessOptions {
  std::string input;                                // given on stdin
  std::map<std::string, std::string> environment;   // added to ours; secrets never go here
  std::string directory;                            // working directory; "" = ours
  std::size_t output_limit = 1U << 20;              // more is read and dropped
  const Cancel* cancel = nullptr;                   // raised: SIGTERM, after 5 s SIGKILL, Error(interrupted)
};

class ProcessRunner {
 public:
  virtual ~ProcessRunner() = default;
  // argv[0] is looked up in PATH. not_found when there is no such program. No shell is involved.
  virtual ProcessResult run(const std::vector<std::string>& argv, const ProcessOptions& options = {}) = 0;
};

ProcessRunner& real_process_runner();

}  // namespace holdfast::platform
