// How far a long operation is. The operation reports; the command line draws it, JSON prints it, a job stores it.
#pragma once

#include <cstdint>
#include <string>

namespace holdfast {

struct Progress {
  std::string phase;             // "backing up software-library", "step 3: restore configuration"
  std::uint64_t bytes_done = 0;
  std::uint64_t bytes_total = 0; // 0: not known
  std::uint64_t files_done = 0;
};

// Thread-safe: called from worker threads, often. Implementations limit their own output rate.
class ProgressSink {
 public:
  virtual ~ProgressSink() = default;
  virtual void begin(const std::string& phase, std::uint64_t bytes_total) = 0;
  virtual void add(std::uint64_t bytes, std::uint64_t files) = 0;
  virtual void end() = 0;
};

// Discards everything.
class NoProgress final : public ProgressSink {
 public:
  void begin(const std::string&, std::uint64_t) override {}
  void add(std::uint64_t, std::uint64_t) override {}
  void end() override {}
};

}  // namespace holdfast
