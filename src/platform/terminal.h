// The person at the terminal. Text for people goes to `out`; questions and secrets use the controlling terminal.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::platform {

class Terminal {
 public:
  virtual ~Terminal() = default;
  virtual bool input_is_terminal() = 0;    // questions can be asked
  virtual bool output_is_terminal() = 0;   // progress can be redrawn, colours used
  virtual bool error_is_terminal() = 0;
  virtual int width() = 0;                 // columns; 80 when unknown
  virtual void out(std::string_view text) = 0;     // stdout
  virtual void error(std::string_view text) = 0;   // stderr
  // A line without its newline; throws Error(interrupted) on end of input.
  virtual std::string ask(std::string_view prompt) = 0;
  // The same without echo; echo is restored whatever happens, also on SIGINT.
  virtual std::string ask_secret(std::string_view prompt) = 0;
};

Terminal& real_terminal();

}  // namespace holdfast::platform
