// The program: the real world, every adapter, and signals that ask for a clean stop.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "app/adapters.h"
#include "cli/run.h"

namespace {

holdfast::Cancel cancel;

// The first signal asks; a person who presses Ctrl-C again means it.
extern "C" void stop(int number) {
  if (number == SIGINT && cancel.raised()) {
    ::signal(SIGINT, SIG_DFL);
    ::raise(SIGINT);
  }
  cancel.raise();
}

void catch_signals() {
  // Whoever ignores the end of its children hands that on: ours would then end without an exit code.
  ::signal(SIGCHLD, SIG_DFL);
  struct sigaction action{};
  action.sa_handler = stop;
  sigemptyset(&action.sa_mask);
  for (int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before{};
    ::sigaction(number, nullptr, &before);
    // nohup and shells without job control ignore some of them for us.
    if (before.sa_handler != SIG_IGN) ::sigaction(number, &action, nullptr);
  }
  ::signal(SIGPIPE, SIG_IGN);
}

// What was left open for us, a password's pipe or a job's lock, is not for the programs that we start.
void keep_open_files() { ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC); }

// Where the running program lies: a kit takes it along.
std::string program_path(const char* named) {
  std::error_code error;
  auto path = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? std::string(named) : path.string();
}

}  // namespace

int main(int argc, char** argv) {
  catch_signals();
  keep_open_files();
  ::umask(077);
  holdfast::platform::World world = holdfast::platform::real_world();
  holdfast::item::AdapterSet adapters = holdfast::app::all_adapters();
  std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  return holdfast::cli::run(arguments, program_path(argc > 0 ? argv[0] : "holdfast"), world, adapters, cancel);
}
