#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <mutex>

#include "base/error.h"
#include "platform/descriptor_posix.h"
#include "platform/terminal.h"

namespace holdfast::platform {
namespace {

// While a question stands, these signals are noted instead of acted on, so that the terminal can be put right
// first; then they are raised again for whoever had handled them before.
constexpr std::array kCaught{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
std::atomic<int> caught_pipe{-1};

extern "C" void note_signal(int number) {
  int saved = errno;
  auto byte = static_cast<unsigned char>(number);
  // The pipe holds far more than the signals of one question; a byte that does not fit changes nothing.
  [[maybe_unused]] ssize_t n = ::write(caught_pipe.load(), &byte, 1);
  errno = saved;
}

// The signals of kCaught come out of descriptor() while this object lives.
class CaughtSignals {
 public:
  CaughtSignals() {
    std::array<int, 2> fds{};
    if (::pipe2(fds.data(), O_CLOEXEC | O_NONBLOCK) != 0) throw os_error("cannot ask at the terminal", errno);
    read_ = Descriptor(fds[0]);
    write_ = Descriptor(fds[1]);
    caught_pipe = fds[1];
    struct sigaction note {};
    note.sa_handler = note_signal;
    sigemptyset(&note.sa_mask);
    for (std::size_t i = 0; i < kCaught.size(); ++i) {
      ::sigaction(kCaught[i], nullptr, &before_[i]);
      // Whoever ignores a signal (nohup, a shell without job control) goes on ignoring it.
      if (before_[i].sa_handler != SIG_IGN) ::sigaction(kCaught[i], &note, nullptr);
    }
  }
  ~CaughtSignals() {
    for (std::size_t i = 0; i < kCaught.size(); ++i) ::sigaction(kCaught[i], &before_[i], nullptr);
    caught_pipe = -1;
  }
  CaughtSignals(const CaughtSignals&) = delete;
  CaughtSignals& operator=(const CaughtSignals&) = delete;

  int descriptor() const { return read_.get(); }
  int take() const {  // 0: none
    unsigned char number = 0;
    return ::read(read_.get(), &number, 1) == 1 ? number : 0;
  }

 private:
  Descriptor read_, write_;
  std::array<struct sigaction, kCaught.size()> before_{};
};

class NoEcho {
 public:
  NoEcho(int fd, bool wanted) : fd_(fd) {
    if (!wanted || ::tcgetattr(fd, &before_) != 0) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHOE | ECHOK | ECHONL);
    changed_ = ::tcsetattr(fd, TCSAFLUSH, &silent) == 0;
  }
  ~NoEcho() {
    if (changed_) ::tcsetattr(fd_, TCSAFLUSH, &before_);
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;
  bool active() const { return changed_; }

 private:
  int fd_;
  termios before_{};
  bool changed_ = false;
};

void write_all(int fd, std::string_view text, const char* what) {
  while (!text.empty()) {
    ssize_t n = ::write(fd, text.data(), text.size());
    if (n >= 0) {
      text.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno == EAGAIN) {
      pollfd p{fd, POLLOUT, 0};
      ::poll(&p, 1, -1);
    } else if (errno != EINTR) {
      throw os_error(std::string("cannot write to ") + what, errno);
    }
  }
}

// Reads bytes up to a newline. 0: `line` is there; else the signal that came first.
int read_line(int fd, const CaughtSignals& signals, std::string& line) {
  while (true) {
    std::array<pollfd, 2> fds{{{fd, POLLIN, 0}, {signals.descriptor(), POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR)
      throw os_error("cannot read from the terminal", errno);
    if (int number = signals.take()) return number;
    if (fds[0].revents == 0) continue;
    char c = 0;
    ssize_t n = ::read(fd, &c, 1);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno != EIO) throw os_error("cannot read from the terminal", errno);
    if (n <= 0) throw Error(Code::interrupted, "the input ended before the question was answered");
    if (c == '\n') return 0;
    line += c;
  }
}

class PosixTerminal final : public Terminal {
 public:
  bool input_is_terminal() override { return ::isatty(STDIN_FILENO) == 1; }
  bool output_is_terminal() override { return ::isatty(STDOUT_FILENO) == 1; }
  bool error_is_terminal() override { return ::isatty(STDERR_FILENO) == 1; }

  int width() override {
    winsize size{};
    for (int fd : {STDOUT_FILENO, STDERR_FILENO})
      if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    return 80;
  }

  void out(std::string_view text) override { write_all(STDOUT_FILENO, text, "standard output"); }
  void error(std::string_view text) override {
    try {
      write_all(STDERR_FILENO, text, "standard error");
    } catch (const Error&) {
      // Nobody is left to be told.
    }
  }

  std::string ask(std::string_view prompt) override { return question(prompt, true); }
  std::string ask_secret(std::string_view prompt) override { return question(prompt, false); }

 private:
  std::string question(std::string_view prompt, bool echo) {
    std::lock_guard lock(one_question_);
    Descriptor terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
    if (!terminal && ::isatty(STDIN_FILENO) == 1)
      terminal = Descriptor(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
    if (!terminal) throw Error(Code::usage, "a question must be answered and there is no terminal");
    while (true) {
      std::string line;
      line.reserve(4096);  // the longest line of a terminal: a secret is then not left behind by growth
      int number = ask_once(terminal.get(), prompt, echo, line);
      if (number == 0) {
        if (!line.empty() && line.back() == '\r') line.pop_back();
        return line;
      }
      // The terminal and the handlers are as they were. A stop returns here when the program is continued.
      ::raise(number);
      if (number != SIGTSTP) throw Error(Code::interrupted, "interrupted at a question");
    }
  }

  static int ask_once(int fd, std::string_view prompt, bool echo, std::string& line) {
    CaughtSignals signals;
    NoEcho silence(fd, !echo);
    if (!echo && !silence.active())
      throw Error(Code::usage, "a secret must be typed and the terminal cannot hide it");
    write_all(fd, prompt, "the terminal");
    int number = read_line(fd, signals, line);
    if (!echo || number != 0) write_all(fd, "\n", "the terminal");
    return number;
  }

  std::mutex one_question_;
};

}  // namespace

Terminal& real_terminal() {
  static PosixTerminal terminal;
  return terminal;
}

}  // namespace holdfast::platform
