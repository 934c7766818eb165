#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "platform/descriptor_posix.h"
#include "platform/environment.h"
#include "platform/file_system.h"
#include "platform/process.h"

namespace holdfast::platform {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr std::chrono::seconds kGrace{5};  // from SIGTERM to SIGKILL; process.h
constexpr int kPollMilliseconds = 50;      // how soon a raised Cancel or an exited program is noticed

struct Pipe {
  Descriptor read, write;
};

// Both ends above stderr, so that they never clash with the three that the program gets.
Descriptor above_stderr(int fd, const std::string& program) {
  Descriptor low(fd);
  if (fd > STDERR_FILENO) return low;
  Descriptor high(::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (!high) throw os_error("cannot run " + program, errno);
  return high;
}

Pipe make_pipe(const std::string& program) {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) throw os_error("cannot run " + program, errno);
  Descriptor write_end(fds[1]);
  Pipe p;
  p.read = above_stderr(fds[0], program);
  p.write = above_stderr(write_end.release(), program);
  return p;
}

void set_nonblocking(const Descriptor& fd) {
  ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
}

// Keeps a program that stops reading its input from killing us with SIGPIPE: blocked in this thread while we
// write.
class NoSigpipe {
 public:
  NoSigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~NoSigpipe() {
    timespec none{};
    if (!was_pending_)
      while (sigtimedwait(&pipe_, nullptr, &none) == SIGPIPE) {
      }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoSigpipe(const NoSigpipe&) = delete;
  NoSigpipe& operator=(const NoSigpipe&) = delete;

 private:
  sigset_t pipe_{}, before_{};
  bool was_pending_ = false;
};

class Spawn {
 public:
  Spawn() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
  }
  ~Spawn() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  Spawn(const Spawn&) = delete;
  Spawn& operator=(const Spawn&) = delete;

  // 0 or an errno.
  int start(const std::vector<std::string>& argv, const ProcessOptions& options, int in, int out, int err,
            pid_t& pid) {
    posix_spawn_file_actions_adddup2(&actions_, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, err, STDERR_FILENO);
    if (!options.directory.empty())
      posix_spawn_file_actions_addchdir_np(&actions_, options.directory.c_str());
    // What we block or ignore is our own business.
    sigset_t none, usual;
    sigemptyset(&none);
    sigemptyset(&usual);
    for (int s : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD}) sigaddset(&usual, s);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &usual);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

    Environment environment = real_environment();
    for (const auto& [name, value] : options.environment) environment[name] = value;
    std::vector<std::string> lines;
    for (const auto& [name, value] : environment) lines.push_back(name + "=" + value);
    std::vector<char*> env = pointers(lines);
    std::vector<std::string> words = argv;
    std::vector<char*> args = pointers(words);
    return posix_spawnp(&pid, args[0], &actions_, &attributes_, args.data(), env.data());
  }

 private:
  static std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> p;
    for (std::string& t : texts) p.push_back(t.data());
    p.push_back(nullptr);
    return p;
  }

  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

// A started program. Whatever happens, it is killed and reaped before this object is gone.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  ~Child() {
    if (status_) return;
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  bool exited() {
    int status = 0;
    if (!status_ && ::waitpid(pid_, &status, WNOHANG) == pid_) status_ = status;
    return status_.has_value();
  }
  void signal(int number) const { ::kill(pid_, number); }
  int exit_code() const { return WIFEXITED(*status_) ? WEXITSTATUS(*status_) : 128 + WTERMSIG(*status_); }

 private:
  pid_t pid_;
  std::optional<int> status_;
};

// Reads what is there now; closes `from` at its end.
void drain(Descriptor& from, std::string& into, std::size_t limit) {
  std::array<char, 65536> buffer;
  while (from) {
    ssize_t n = ::read(from.get(), buffer.data(), buffer.size());
    if (n > 0)
      into.append(buffer.data(), std::min(static_cast<std::size_t>(n), limit - into.size()));
    else if (n == 0 || (errno != EINTR && errno != EAGAIN))
      from.reset();
    else if (errno == EAGAIN)
      return;
  }
}

// Writes as much as fits now; closes `to` when all is written or the program no longer reads.
void feed(Descriptor& to, std::string_view& input) {
  while (to && !input.empty()) {
    ssize_t n = ::write(to.get(), input.data(), input.size());
    if (n >= 0)
      input.remove_prefix(static_cast<std::size_t>(n));
    else if (errno == EAGAIN)
      return;
    else if (errno != EINTR)
      to.reset();
  }
  to.reset();
}

void wait_for_any(const Descriptor& in, const Descriptor& out, const Descriptor& err) {
  std::array<pollfd, 3> fds{{{in.get(), POLLOUT, 0}, {out.get(), POLLIN, 0}, {err.get(), POLLIN, 0}}};
  // With nothing left to read the program is about to end: look again soon.
  ::poll(fds.data(), fds.size(), out || err ? kPollMilliseconds : 1);  // a closed one is -1: left out by poll
}

class PosixProcessRunner final : public ProcessRunner {
 public:
  ProcessResult run(const std::vector<std::string>& argv, const ProcessOptions& options) override {
    if (argv.empty() || argv[0].empty()) throw Error(Code::defect, "cannot run a program without a name");
    const std::string program = printable(argv[0]);
    if (options.cancel != nullptr) options.cancel->check();
    if (!options.directory.empty()) {
      auto found = real_file_system().info(options.directory);
      if (!found || found->kind != FileInfo::Kind::directory)
        throw Error(Code::not_found,
                    "cannot run " + program + ": there is no folder " + printable(options.directory));
    }
    Pipe in = make_pipe(program), out = make_pipe(program), err = make_pipe(program);
    pid_t pid = -1;
    int failed = Spawn().start(argv, options, in.read.get(), out.write.get(), err.write.get(), pid);
    if (failed != 0) throw os_error("cannot run " + program, failed).hint("is it installed, and in PATH?");
    Child child(pid);
    in.read.reset();
    out.write.reset();
    err.write.reset();
    return converse(child, in.write, out.read, err.read, options, program);
  }

 private:
  static ProcessResult converse(Child& child, Descriptor& in, Descriptor& out, Descriptor& err,
                                const ProcessOptions& options, const std::string& program) {
    NoSigpipe no_sigpipe;
    for (const Descriptor* d : {&in, &out, &err}) set_nonblocking(*d);
    ProcessResult result;
    std::string_view input = options.input;
    std::optional<SteadyClock::time_point> asked_to_stop;
    bool killed = false;
    while (true) {
      // Asked first, read after: what the program wrote before it ended is then all there. What it left
      // running may hold the pipes open for ever and is not waited for.
      bool ended = child.exited();
      feed(in, input);
      drain(out, result.output, options.output_limit);
      drain(err, result.error_output, options.output_limit);
      if (ended) break;
      if (options.cancel != nullptr && options.cancel->raised()) {
        auto now = SteadyClock::now();
        if (!asked_to_stop) {
          asked_to_stop = now;
          child.signal(SIGTERM);
        } else if (!killed && now - *asked_to_stop > kGrace) {
          killed = true;
          child.signal(SIGKILL);
        }
      }
      wait_for_any(in, out, err);
    }
    if (asked_to_stop) throw Error(Code::interrupted, program + " was stopped");
    result.exit_code = child.exit_code();
    return result;
  }
};

}  // namespace

ProcessRunner& real_process_runner() {
  static PosixProcessRunner runner;
  return runner;
}

}  // namespace holdfast::platform
