// The outside world for tests: every interface of this room with a twin that a test controls. Library holdfast_testing,
// never linked into the program. There is no scripted process: tests run real programs.
#pragma once

#include <deque>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "platform/clock.h"
#include "platform/entropy.h"
#include "platform/faulty_file_system.h"
#include "platform/host.h"
#include "platform/memory_file_system.h"
#include "platform/terminal.h"

namespace holdfast::platform {

// Stands still until it is moved. Sleeping moves it and takes no time. Thread-safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Timestamp now = {1'795'312'800, 0}) : now_(now) {}   // 2026-11-22T02:00:00Z
  Timestamp now() override;
  std::chrono::nanoseconds elapsed() override;
  void sleep(std::chrono::milliseconds duration) override { advance(duration); }
  void advance(std::chrono::nanoseconds by);   // both times
  void set(Timestamp now);                     // time of day only, also backwards: somebody sets the clock

 private:
  std::mutex mutex_;
  Timestamp now_;
  std::chrono::nanoseconds elapsed_{0};
};

// The same bytes for the same seed. Thread-safe.
class SeededEntropy final : public Entropy {
 public:
  explicit SeededEntropy(std::uint64_t seed) : random_(seed) {}
  void fill(MutableBytes out) override;

 private:
  std::mutex mutex_;
  std::mt19937_64 random_;
};

struct FixedHost final : Host {
  std::string name = "ns01", domain_name = "example.test", system = "linux", version = "Test 1",
              id = "00112233445566778899aabbccddeeff";
  bool administrator = true;

  std::string host_name() override { return name; }
  std::string domain() override { return domain_name; }
  std::string operating_system() override { return system; }
  std::string operating_system_version() override { return version; }
  std::string machine_id() override { return id; }
  bool is_administrator() override { return administrator; }
};

// Answers questions from a list, in order; without an answer left it is the end of input. Keeps what was printed.
struct ScriptedTerminal final : Terminal {
  bool input_terminal = true, output_terminal = false, error_terminal = false;
  int columns = 80;
  std::deque<std::string> answers;
  std::string printed, printed_error;
  std::vector<std::string> questions;          // prompts of ask and ask_secret
  std::vector<std::string> secret_questions;   // prompts of ask_secret alone

  bool input_is_terminal() override { return input_terminal; }
  bool output_is_terminal() override { return output_terminal; }
  bool error_is_terminal() override { return error_terminal; }
  int width() override { return columns; }
  void out(std::string_view text) override;
  void error(std::string_view text) override;
  std::string ask(std::string_view prompt) override;
  std::string ask_secret(std::string_view prompt) override;

 private:
  std::mutex mutex_;   // worker threads print
};

// A new folder of this test's own, removed with everything in it at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const Path& path() const { return path_; }

 private:
  Path path_;
};

}  // namespace holdfast::platform
