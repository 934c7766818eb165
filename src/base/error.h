// The one error type of Holdfast, and the one table of its codes.
//
// An Error says four things: what happened to which object, what is still safe, what to do next, and a
// code that a caller (or a script, or an HTTP client) can act on. Docs: docs/commands.md; `holdfast explain CODE`.
// What is normal is a value (std::optional, an empty list), never an Error.
#pragma once

#include <cstdint>
#include <exception>
#include <span>
#include <string>
#include <string_view>

namespace holdfast {

enum class Code : std::uint8_t {
  failed,              // the operation itself failed
  usage,               // wrong command line, or a question where nobody can answer
  config,              // a mistake in the configuration file or profile
  unknown_name,        // a name given on the command line or in the configuration that does not exist there
  not_found,           // looked up and not there
  already_exists,
  wrong_key,           // no slot opens with this password or key
  permission,
  busy,
  unavailable,
  no_space,
  precondition,        // this machine or product is not what the recovery point needs
  unsupported,         // a newer format, an unknown required feature, a verb that is not built yet
  damaged,             // bytes are not what was written
  outside,             // a backup tries to write outside its target
  io,                  // the operating system refused a read or write for another reason
  defect,              // a bug in Holdfast
  interrupted,
};

struct CodeInfo {
  Code code;
  std::string_view name;     // as printed: "wrong_key"
  int exit_code;             // cli.md's table
  int http_status;
  bool retry;                // true: the same call may succeed later without anybody changing anything
  std::string_view meaning;  // one sentence for `holdfast explain`
  std::string_view advice;   // what to do, for `holdfast explain`
};

// Every code once, in the order of the enum.
std::span<const CodeInfo> all_codes();
const CodeInfo& info(Code code);
// nullptr when no code has that name.
const CodeInfo* find_code(std::string_view name);

class Error : public std::exception {
 public:
  // `message` names the object: "cannot open repository /backup/ns01: wrong password or recovery key".
  Error(Code code, std::string message);

  Error& safe(std::string text) &;   // what is still safe: "nothing was changed"
  Error& hint(std::string text) &;   // what to do next
  Error& os(int error_number) &;     // errno; appended in words when printed
  Error&& safe(std::string text) &&;
  Error&& hint(std::string text) &&;
  Error&& os(int error_number) &&;

  Code code() const { return code_; }
  const std::string& message() const { return message_; }
  const std::string& safe() const { return safe_; }
  const std::string& hint() const { return hint_; }
  int os_error() const { return os_error_; }
  // The message with the OS's words; what() of std::exception.
  const char* what() const noexcept override { return what_.c_str(); }

 private:
  void rebuild();
  Code code_;
  std::string message_, safe_, hint_, what_;
  int os_error_ = 0;
};

// Maps errno to the nearest code: EACCES/EPERM/EROFS permission, ENOSPC/EDQUOT no_space, ENOENT not_found, EEXIST
// already_exists, EBUSY busy, EINTR interrupted, a mount that lost its server (ESTALE, ...) unavailable, else io.
Code code_of_errno(int error_number);
// An Error for a failed system call: os_error("cannot read /x", errno).
Error os_error(std::string message, int error_number);

}  // namespace holdfast
