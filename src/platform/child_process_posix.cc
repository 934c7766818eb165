#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "platform/child_process.h"
#include "platform/descriptor_posix.h"

namespace holdfast::platform {
namespace {

static_assert(ChildProcess::kLongestSecret <= PIPE_BUF);

constexpr std::size_t kPiece = 64 * 1024;
// What may still be in a pipe when its writer has ended: the largest that an ordinary program may make it (pipe(7)).
constexpr std::size_t kLargestPipe = 1024 * 1024;
constexpr std::chrono::milliseconds kSoon{10};   // a program that has closed its output is about to end

struct Pipe {
  Descriptor read, write;
};

// Above every number that the program gets, so that none is overwritten while they are put in place.
Descriptor out_of_the_way(Descriptor fd, std::size_t secrets) {
  const int lock = 1;   // behind the secrets, also when there is none
  Descriptor high(::fcntl(fd.get(), F_DUPFD_CLOEXEC, ChildProcess::kFirstSecret + static_cast<int>(secrets) + lock));
  if (!high) throw os_error("cannot start a program", errno);
  return high;
}

Pipe make_pipe(std::size_t secrets) {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) throw os_error("cannot start a program", errno);
  Descriptor read(fds[0]), write(fds[1]);
  return {out_of_the_way(std::move(read), secrets), out_of_the_way(std::move(write), secrets)};
}

// The pipe's reading end: what is in it stays there for the program.
Descriptor pipe_with(ByteView secret, std::size_t secrets) {
  if (secret.size() > ChildProcess::kLongestSecret)
    throw Error(Code::usage, "a password of more than " + std::to_string(ChildProcess::kLongestSecret) + " bytes cannot be given to a job").safe("nothing was started");
  Pipe pipe = make_pipe(secrets);
  if (!secret.empty() && ::write(pipe.write.get(), secret.data(), secret.size()) != static_cast<ssize_t>(secret.size()))
    throw os_error("cannot give a program its password", errno);
  return std::move(pipe.read);
}

// Nothing: another program has it.
Descriptor take_lock(const Path& lock, std::size_t secrets) {
  const std::string what = "cannot lock " + printable(lock.native());
  Descriptor file(::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) throw os_error(what, errno);
  file = out_of_the_way(std::move(file), secrets);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return file;
  if (errno == EWOULDBLOCK) return {};
  throw os_error(what, errno);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

// Everything that the new process needs, made before it exists: between fork and exec it must not allocate.
struct Launch {
  std::vector<std::string> words, variables;
  std::vector<char*> argv, environment;
  std::vector<int> files;   // the program's open files, in the order of their numbers
  int failed = -1;          // where the reason is written when the program cannot be started
  pid_t parent = 0;
};

// In the new process; only what is safe after the fork of a program with threads.
[[noreturn]] void become(const Launch& launch) {
  const auto fail = [&] {
    const int reason = errno;
    [[maybe_unused]] const ssize_t told = ::write(launch.failed, &reason, sizeof reason);
    ::_exit(127);
  };
  ::setsid();
  if (::prctl(PR_SET_PDEATHSIG, SIGTERM) != 0) fail();
  if (::getppid() != launch.parent) ::_exit(127);   // died before it could be told so
  struct sigaction usual{};
  usual.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) ::sigaction(number, &usual, nullptr);   // refused for two of them, which have no other
  for (std::size_t n = 0; n < launch.files.size(); ++n)
    if (::dup2(launch.files[n], static_cast<int>(n)) < 0) fail();
  // Also what some library opened without O_CLOEXEC: a job must hold no socket of the service.
  if (::close_range(static_cast<unsigned>(launch.files.size()), ~0U, CLOSE_RANGE_CLOEXEC) != 0) fail();
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(launch.argv[0], launch.argv.data(), launch.environment.data());
  fail();
  ::_exit(127);
}

// No signal is taken between fork and exec: one that is sent to the child then must find the program, not our handlers.
class NoSignals {
 public:
  NoSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~NoSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  NoSignals(const NoSignals&) = delete;
  NoSignals& operator=(const NoSignals&) = delete;

 private:
  sigset_t before_{};
};

// Reads at most `most`; closes `from` at its end.
void drain(Descriptor& from, ChildProcess::From which, const ChildProcess::Sink& sink, std::size_t most) {
  std::array<char, kPiece> buffer;
  while (from && most > 0) {
    const ssize_t n = ::read(from.get(), buffer.data(), std::min(buffer.size(), most));
    if (n > 0) {
      most -= static_cast<std::size_t>(n);
      sink(which, {buffer.data(), static_cast<std::size_t>(n)});
    } else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
      from.reset();
    } else if (errno == EAGAIN) {
      return;
    }
  }
}

}  // namespace

struct ChildProcess::State {
  std::string program;
  pid_t pid = -1;
  Descriptor output, error;
  std::optional<int> status;

  bool ended() {
    int found = 0;
    while (!status) {
      const pid_t which = ::waitpid(pid, &found, WNOHANG);
      if (which == pid) status = found;
      else if (which == 0) break;
      else if (errno != EINTR) throw os_error("cannot wait for " + program, errno);
    }
    return status.has_value();
  }
  // The group has the leader's number, and keeps it at least until the leader was waited for.
  void signal(int number) const {
    if (!status) ::kill(-pid, number);
  }
};

ChildProcess::ChildProcess(const ChildOptions& options) : state_(std::make_unique<State>()) {
  if (options.argv.empty()) throw Error(Code::defect, "cannot start a program without a name");
  state_->program = printable(options.argv.front());
  const std::size_t secrets = options.secrets.size();
  Descriptor nothing = out_of_the_way(Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)), secrets);
  Pipe out = make_pipe(secrets), err = make_pipe(secrets), failed = make_pipe(secrets);
  std::vector<Descriptor> held;
  for (const ByteView secret : options.secrets) held.push_back(pipe_with(secret, secrets));
  if (!options.lock.empty()) {
    held.push_back(take_lock(options.lock, secrets));
    if (!held.back()) throw Error(Code::busy, "cannot start " + state_->program + ": a program that was started with the same lock runs").safe("nothing was started");
  }

  Launch launch;
  launch.words = options.argv;
  for (const auto& [name, value] : options.environment) launch.variables.push_back(name + "=" + value);
  launch.argv = pointers(launch.words);
  launch.environment = pointers(launch.variables);
  launch.files = {nothing.get(), out.write.get(), err.write.get()};
  for (const Descriptor& fd : held) launch.files.push_back(fd.get());
  launch.failed = failed.write.get();
  launch.parent = ::getpid();
  {
    NoSignals quiet;
    state_->pid = ::fork();
    if (state_->pid == 0) become(launch);
  }
  if (state_->pid < 0) throw os_error("cannot start " + state_->program, errno);
  failed.write.reset();
  int reason = 0;
  ssize_t told = 0;
  while ((told = ::read(failed.read.get(), &reason, sizeof reason)) < 0 && errno == EINTR) {
  }
  if (told == sizeof reason) {
    while (::waitpid(state_->pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    throw os_error("cannot start " + state_->program, reason);
  }
  state_->output = std::move(out.read);
  state_->error = std::move(err.read);
  for (const Descriptor* fd : {&state_->output, &state_->error}) ::fcntl(fd->get(), F_SETFL, O_NONBLOCK);
}

bool ChildProcess::runs_with(const Path& lock) { return !take_lock(lock, 0); }

ChildProcess::~ChildProcess() {
  if (state_->status) return;
  state_->signal(SIGKILL);
  while (::waitpid(state_->pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

bool ChildProcess::listen(std::chrono::milliseconds patience, const Sink& sink) {
  State& s = *state_;
  // Asked first, read after: what the program wrote before it ended is all there then.
  if (s.ended()) {
    drain(s.output, From::output, sink, kLargestPipe);
    drain(s.error, From::error, sink, kLargestPipe);
    return false;
  }
  std::array<pollfd, 2> fds{{{s.output.get(), POLLIN, 0}, {s.error.get(), POLLIN, 0}}};   // a closed one is -1: left out by poll
  ::poll(fds.data(), fds.size(), static_cast<int>((s.output || s.error ? patience : std::min(patience, kSoon)).count()));
  drain(s.output, From::output, sink, kPiece);
  drain(s.error, From::error, sink, kPiece);
  return true;
}

void ChildProcess::ask_to_stop() { state_->signal(SIGTERM); }
void ChildProcess::kill() { state_->signal(SIGKILL); }

int ChildProcess::exit_code() const {
  if (!state_->status) throw Error(Code::defect, state_->program + " has not ended");
  return WIFEXITED(*state_->status) ? WEXITSTATUS(*state_->status) : 128 + WTERMSIG(*state_->status);
}

}  // namespace holdfast::platform
