// A program that runs beside this one: its output is heard while it runs, and it can be asked to stop. (process.h runs a program to
// its end.)
//
// It leads a session and process group of its own, without a terminal; its standard input is empty. It has the environment that is
// given, no open files but its three and `secrets`, and default signals. When the thread that started it ends, also because this
// program crashes, it is sent SIGTERM: start it from a thread that outlives it.
//
// One thread at a time uses it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "platform/environment.h"
#include "platform/file_system.h"

namespace holdfast::platform {

struct ChildOptions {
  std::vector<std::string> argv;   // argv[0]: path of the program, not looked up in PATH; no shell is involved
  Environment environment;         // all of it
  // The program reads each, once, from an open file: the first from kFirstSecret, and so on. Never on a disk, never seen by others.
  std::vector<ByteView> secrets;
  // A file that the program keeps locked (flock) for as long as it runs, whatever becomes of this one; "": none. What the program starts
  // itself holds it, too, unless the program says otherwise, as ours does.
  Path lock{};
};

class ChildProcess {
 public:
  static constexpr int kFirstSecret = 3;
  static constexpr std::size_t kLongestSecret = 4096;   // PIPE_BUF: what every pipe takes at once

  // Starts it. Errors: those of code_of_errno (not_found, permission, …) when it cannot be started; usage: a secret is too long; busy: another
  // program has the lock.
  explicit ChildProcess(const ChildOptions& options);
  // Whether a program that was started with this lock still runs, whoever started it. Makes the file.
  static bool runs_with(const Path& lock);
  // One that still runs is killed, with its group.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  enum class From { output, error };
  using Sink = std::function<void(From, std::string_view bytes)>;   // at most 64 KiB a call
  // Passes on what it wrote; waits up to `patience` when there is nothing yet. False: it has ended, and everything that it wrote was
  // passed on. What it left running is not waited for.
  bool listen(std::chrono::milliseconds patience, const Sink& sink);

  // SIGTERM, SIGKILL to its whole group. Nothing once it has ended.
  void ask_to_stop();
  void kill();

  // After listen() was false. 128 + signal when a signal ended it.
  int exit_code() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace holdfast::platform
