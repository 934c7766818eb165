// What a job's process says, as lines: of bounded length, safe to print, without secrets, and what each of them is (docs/commands.md,
// "JSON lines"). Not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "platform/child_process.h"

namespace holdfast::service {

class JobOutput {
 public:
  // Longer lines are cut. The results that verbs print are some kilobytes.
  static constexpr std::size_t kLongestLine = 1 << 20;

  enum class Kind {
    line,       // of the log: text for people, a finding, the result or the error
    progress,   // the newest one counts, and is kept in no log
  };
  using Sink = std::function<void(Kind, const std::string& text)>;   // without a line break, never empty
  explicit JobOutput(Sink sink) : sink_(std::move(sink)) {}

  void take(platform::ChildProcess::From from, std::string_view bytes);
  // There is no more: what has no line break yet is the last line.
  void finish();

  std::int64_t findings() const { return findings_; }
  // The last JSON line, of type result or error, whole; "" when there was none.
  const std::string& result() const { return result_; }

 private:
  struct Unfinished {
    std::string text;
    bool cut = false;
  };
  void end_line(platform::ChildProcess::From from);
  // Whether it was one of --json; tells the sink then.
  bool take_json(const std::string& text);

  Sink sink_;
  std::array<Unfinished, 2> unfinished_;   // by From
  std::int64_t findings_ = 0;
  std::string result_;
};

}  // namespace holdfast::service
