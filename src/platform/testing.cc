#include "platform/testing.h"

#include <cerrno>
#include <cstdlib>

#include "base/error.h"

namespace holdfast::platform {

Timestamp ManualClock::now() {
  std::lock_guard lock(mutex_);
  return now_;
}

std::chrono::nanoseconds ManualClock::elapsed() {
  std::lock_guard lock(mutex_);
  return elapsed_;
}

void ManualClock::advance(std::chrono::nanoseconds by) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  std::lock_guard lock(mutex_);
  elapsed_ += by;
  std::int64_t nanos = now_.nanoseconds + by.count();
  now_.seconds += nanos / kSecond;
  now_.nanoseconds = static_cast<std::uint32_t>(nanos % kSecond);
}

void ManualClock::set(Timestamp now) {
  std::lock_guard lock(mutex_);
  now_ = now;
}

void SeededEntropy::fill(MutableBytes out) {
  std::lock_guard lock(mutex_);
  for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(random_());
}

void ScriptedTerminal::out(std::string_view text) {
  std::lock_guard lock(mutex_);
  printed += text;
}

void ScriptedTerminal::error(std::string_view text) {
  std::lock_guard lock(mutex_);
  printed_error += text;
}

std::string ScriptedTerminal::ask(std::string_view prompt) {
  std::lock_guard lock(mutex_);
  questions.emplace_back(prompt);
  if (answers.empty()) throw Error(Code::interrupted, "the input ended before the question was answered");
  std::string answer = std::move(answers.front());
  answers.pop_front();
  return answer;
}

std::string ScriptedTerminal::ask_secret(std::string_view prompt) {
  secret_questions.emplace_back(prompt);
  return ask(prompt);
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "holdfast-test-XXXXXX").native();
  if (::mkdtemp(name.data()) == nullptr) throw os_error("cannot make folder " + name, errno);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace holdfast::platform
