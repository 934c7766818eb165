// What the program says: text for people, JSON lines for scripts, progress, errors in four parts.
//
// With --json stdout carries JSON lines and nothing else, each with "type" and "schema": 1, and text for people goes to
// stderr. Every name that comes from a disk or a backup is printed through printable().
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "base/error.h"
#include "base/finding.h"
#include "base/progress.h"
#include "platform/clock.h"
#include "platform/terminal.h"

namespace holdfast::cli {

using Json = nlohmann::ordered_json;

class Output final : public ProgressSink {
 public:
  Output(platform::Terminal& terminal, platform::Clock& clock, bool json, bool quiet);
  ~Output() override;

  bool json() const { return json_; }
  bool quiet() const { return quiet_; }
  // A line (or several) for people. --quiet silences it, never findings, errors or what was asked for with `answer`.
  void say(std::string_view text);
  // What the person asked to see (a list, a review): not silenced by --quiet. Not printed with --json.
  void answer(std::string_view text);
  // A finding: to people at once on stderr, to scripts as {"type":"finding"}. Counted.
  void finding(const Finding& finding);
  std::size_t findings() const { return findings_; }
  // One of many that people are told in short: a line with --json and nothing else. Not counted.
  void script_finding(const Finding& finding, const Json& more);
  // The last line of a run that succeeded. "type" and "schema" are added.
  void result(const Json& object);
  // Something that was said could not be written to stdout: its reader went away, or its disk is full.
  bool unheard() const { return unheard_; }
  // The last line of a run that failed, in four parts.
  void error(const Error& error);

  // ProgressSink: a redrawn line on a terminal, a line every ten seconds elsewhere, {"type":"progress"} once a second with --json.
  void begin(const std::string& phase, std::uint64_t bytes_total) override;
  void add(std::uint64_t bytes, std::uint64_t files) override;
  void end() override;

 private:
  void out(std::string_view text);
  void line(const Json& object);
  void draw(bool last);
  void clear_line();
  std::string fitted(const std::string& text, std::size_t further) const;
  std::string progress_text(double seconds) const;

  platform::Terminal& terminal_;
  platform::Clock& clock_;
  const bool json_, quiet_;
  std::size_t findings_ = 0;
  bool unheard_ = false;

  std::mutex mutex_;
  bool active_ = false, drawn_ = false;
  Progress progress_;
  std::chrono::nanoseconds begun_{}, next_draw_{};
};

// Text for people is cut to this: the narrowest terminal in common use.
inline constexpr std::size_t kTextWidth = 80;

// Columns that line up: each row's cells padded to the widest of its column; the last one is not padded, and wrapped when there is room.
std::string table(const std::vector<std::vector<std::string>>& rows, std::string_view indent = "  ");
// `text` cut to lines of at most `width` columns at spaces, each after `indent`; lines that go on with a bullet ("- ", "[ ] ")
// stand under its first word.
std::string wrap(std::string_view text, std::size_t width, std::string_view indent);

// "1 item", "2 items".
std::string counted(std::uint64_t n, const std::string& what);

}  // namespace holdfast::cli
