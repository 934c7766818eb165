// The real terminal, at the end of a pseudo-terminal: a child asks, the test types.
#include "platform/terminal.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <string>

#include "base/error.h"
#include "platform/testing.h"

namespace holdfast::platform {
namespace {

// A child process with its own terminal. `body` runs in it; what it returns is its exit code.
class Typist {
 public:
  explicit Typist(const std::function<int()>& body) {
    pid_ = ::forkpty(&master_, nullptr, nullptr, nullptr);
    if (pid_ == 0) {
      ::signal(SIGINT, SIG_DFL);
      ::signal(SIGTSTP, SIG_DFL);
      int code = 99;
      try {
        code = body();
      } catch (const Error& e) {
        code = info(e.code()).exit_code;
      }
      ::_exit(code);
    }
  }
  ~Typist() {
    if (pid_ > 0 && !ended_) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    ::close(master_);
  }
  Typist(const Typist&) = delete;
  Typist& operator=(const Typist&) = delete;

  pid_t pid() const { return pid_; }
  const std::string& screen() const { return screen_; }
  void type(std::string_view keys) {
    ASSERT_EQ(::write(master_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }

  bool echoes() const {
    termios t{};
    ::tcgetattr(master_, &t);
    return (t.c_lflag & ECHO) != 0;
  }
  // Waits up to 20 s for the text to have appeared `times` times.
  bool sees(const std::string& text, int times = 1) {
    return within([&] {
      int n = 0;
      for (std::size_t at = screen_.find(text); at != std::string::npos; at = screen_.find(text, at + 1)) ++n;
      return n >= times;
    });
  }
  bool within(const std::function<bool()>& condition) {
    auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < end) {
      read_some();
      if (condition()) return true;
    }
    return false;
  }
  // Waits for the end; the exit code, or 128 + signal.
  int wait() {
    int status = 0;
    bool over = within([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; });
    if (!over) return -1;
    ended_ = true;
    read_some();
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  void read_some() {
    pollfd p{master_, POLLIN, 0};
    if (::poll(&p, 1, 10) <= 0) return;
    if ((p.revents & POLLIN) == 0) {  // the other end is closed: nothing will come, and poll does not wait
      real_clock().sleep(std::chrono::milliseconds(2));
      return;
    }
    char buffer[4096];
    ssize_t n = ::read(master_, buffer, sizeof buffer);
    if (n > 0) screen_.append(buffer, static_cast<std::size_t>(n));
  }

  int master_ = -1;
  pid_t pid_ = -1;
  bool ended_ = false;
  std::string screen_;
};

int ask_for_secret() { return real_terminal().ask_secret("Password: ") == "s3cret word" ? 0 : 1; }

TEST(Terminal, SecretIsNotShown) {
  Typist typist(ask_for_secret);
  ASSERT_TRUE(typist.sees("Password: "));
  EXPECT_FALSE(typist.echoes());
  typist.type("s3cret word\n");
  EXPECT_EQ(typist.wait(), 0);
  EXPECT_TRUE(typist.echoes());
  EXPECT_EQ(typist.screen().find("s3cret"), std::string::npos) << typist.screen();
}

TEST(Terminal, AnswerIsShown) {
  Typist typist([] { return real_terminal().ask("Really? ") == "yes" ? 0 : 1; });
  ASSERT_TRUE(typist.sees("Really? "));
  typist.type("yes\n");
  EXPECT_EQ(typist.wait(), 0);
  EXPECT_NE(typist.screen().find("yes"), std::string::npos);
}

TEST(Terminal, QuestionGoesToTheTerminalWhateverTheStreamsAre) {
  Typist typist([] {
    ::close(STDIN_FILENO);
    ::close(STDOUT_FILENO);
    return ask_for_secret();
  });
  ASSERT_TRUE(typist.sees("Password: "));
  typist.type("s3cret word\n");
  EXPECT_EQ(typist.wait(), 0);
}

TEST(Terminal, EndOfInputIsInterrupted) {
  Typist typist(ask_for_secret);
  ASSERT_TRUE(typist.sees("Password: "));
  typist.type("\x04");
  EXPECT_EQ(typist.wait(), 130);
  EXPECT_TRUE(typist.echoes());
}

TEST(Terminal, EchoComesBackWhenKilledBySignal) {
  for (int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    Typist typist(ask_for_secret);
    ASSERT_TRUE(typist.sees("Password: "));
    ASSERT_FALSE(typist.echoes());
    if (number == SIGINT)
      typist.type("abc\x03");
    else
      ::kill(typist.pid(), number);
    EXPECT_EQ(typist.wait(), 128 + number) << "the signal does what it did before";
    EXPECT_TRUE(typist.echoes()) << number;
  }
}

TEST(Terminal, HandledSignalIsInterrupted) {
  Typist typist([] {
    ::signal(SIGINT, [](int) {});
    return ask_for_secret();
  });
  ASSERT_TRUE(typist.sees("Password: "));
  typist.type("\x03");
  EXPECT_EQ(typist.wait(), 130);
  EXPECT_TRUE(typist.echoes());
}

TEST(Terminal, StoppedAndContinuedAsksAgain) {
  // Only a job of a shell can be stopped: a grandchild in its own process group, as a shell would start it.
  Typist typist([] {
    ::signal(SIGTTOU, SIG_IGN);
    pid_t job = ::fork();
    if (job == 0) {
      ::setpgid(0, 0);
      ::tcsetpgrp(STDIN_FILENO, ::getpid());
      ::signal(SIGTTOU, SIG_DFL);
      ::_exit(ask_for_secret());
    }
    int status = 0;
    ::waitpid(job, &status, WUNTRACED);
    if (!WIFSTOPPED(status)) return 50;
    termios t{};
    ::tcgetattr(STDIN_FILENO, &t);
    if ((t.c_lflag & ECHO) == 0) return 51;
    ::kill(-job, SIGCONT);
    ::waitpid(job, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 52;
  });
  ASSERT_TRUE(typist.sees("Password: "));
  typist.type("half\x1a");
  ASSERT_TRUE(typist.sees("Password: ", 2)) << typist.screen();
  ASSERT_TRUE(typist.within([&] { return !typist.echoes(); }));
  typist.type("s3cret word\n");
  EXPECT_EQ(typist.wait(), 0);
  EXPECT_EQ(typist.screen().find("half"), std::string::npos);
}

TEST(Terminal, WithoutATerminalNobodyCanAnswer) {
  pid_t child = ::fork();
  if (child == 0) {
    ::setsid();  // no controlling terminal
    ::close(STDIN_FILENO);
    int code = 0;
    try {
      real_terminal().ask("Really? ");
    } catch (const Error& e) {
      code = info(e.code()).exit_code;
    }
    ::_exit(code);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 2);
}

TEST(Terminal, ScriptedOneAnswersInOrder) {
  ScriptedTerminal terminal;
  terminal.answers = {"a", "b"};
  terminal.out("text");
  EXPECT_EQ(terminal.ask("one?"), "a");
  EXPECT_EQ(terminal.ask_secret("two?"), "b");
  EXPECT_THROW(terminal.ask("three?"), Error);
  EXPECT_EQ(terminal.questions, (std::vector<std::string>{"one?", "two?", "three?"}));
  EXPECT_EQ(terminal.secret_questions, std::vector<std::string>{"two?"});
  EXPECT_EQ(terminal.printed, "text");
}

}  // namespace
}  // namespace holdfast::platform
