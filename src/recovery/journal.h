// The journal of one recovery: JSON lines, each durable before the next act, so that a recovery that was killed goes on where it
// was. Format: docs/recovery.md "The journal". Holds no secret.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "platform/clock.h"
#include "platform/file_system.h"
#include "recovery/plan.h"

namespace holdfast::recovery {

class Journal {
 public:
  struct Begun {
    std::string system_id, point;
    Timestamp time;
    std::string suffix;           // of what is set aside
    bool install_first = false;   // the order of groups 1 and 2 that was decided
    std::string only;             // the one step that was asked for; "" = all
  };

  // The unfinished journal of that system in `folder`; nullopt when there is none. Lines that a kill cut off are ignored.
  static std::optional<Journal> find_unfinished(platform::FileSystem& files, platform::Clock& clock, const platform::Path& folder, const std::string& system_id);
  static Journal begin(platform::FileSystem& files, platform::Clock& clock, const platform::Path& folder, const Plan& plan, const std::string& only);

  const Begun& begun() const { return begun_; }
  const platform::Path& file() const { return file_; }
  // The last state written for a step; pending when there is none. A step that was only started is pending.
  StepState state(const std::string& step) const;
  std::string detail(const std::string& step) const;
  // It was started in an earlier run, or failed there: it may be half done.
  bool tried(const std::string& step) const;

  void step_started(const std::string& step);
  void step_ended(const PlannedStep& step);
  void finished(bool complete);

 private:
  Journal(platform::FileSystem& files, platform::Clock& clock, platform::Path file) : files_(&files), clock_(&clock), file_(std::move(file)) {}
  void append(const std::string& line);

  platform::FileSystem* files_;
  platform::Clock* clock_;
  platform::Path file_;
  Begun begun_;
  struct Seen { StepState state = StepState::pending; std::string detail; };
  std::map<std::string, Seen> steps_;
  bool finished_ = false;
};

// A recovery that was begun on this machine, as its journal tells it.
struct JournalView {
  std::string name;                     // of the file, without its ending
  std::string system, point;            // the system's name; the point's id in hex
  Timestamp begun;
  std::optional<Timestamp> finished;    // nullopt: it can be resumed
  bool complete = false;                // of a finished one
  struct Step { std::string name, detail; StepState state = StepState::pending; Timestamp time; };
  std::vector<Step> steps;              // in the order in which they were begun, each with its newest state
};
// Newest first, at most `most`. Lines that a kill cut off are ignored. Errors: those of reading a file.
std::vector<JournalView> journals_in(platform::FileSystem& files, const platform::Path& folder, std::size_t most);

}  // namespace holdfast::recovery
