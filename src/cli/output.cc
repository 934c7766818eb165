#include "cli/output.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "report/json.h"

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto kRedraw = 200ms;        // a terminal
constexpr auto kJsonEvery = 1s;
constexpr auto kLineEvery = 10s;       // a log file
constexpr std::size_t kRoomForText = 16;   // columns that a wrapped last column of a table needs
constexpr auto kQuietStart = 500ms;    // what is over before this shows nothing

double seconds_of(std::chrono::nanoseconds t) { return std::chrono::duration<double>(t).count(); }

// Columns of UTF-8 text: one per code point.
std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

Output::Output(platform::Terminal& terminal, platform::Clock& clock, bool json, bool quiet)
    : terminal_(terminal), clock_(clock), json_(json), quiet_(quiet) {}

Output::~Output() {
  std::lock_guard lock(mutex_);
  clear_line();
}

// A reader that went away must not stop a backup; the exit code tells at the end (run.cc).
void Output::out(std::string_view text) {
  try {
    terminal_.out(text);
  } catch (const Error&) {
    unheard_ = true;
  }
}

void Output::line(const Json& object) { out(object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"); }

void Output::say(std::string_view text) {
  if (quiet_) return;
  std::lock_guard lock(mutex_);
  clear_line();
  if (json_) terminal_.error(std::string(text) + "\n");
  else out(std::string(text) + "\n");
}

void Output::answer(std::string_view text) {
  if (json_) return;
  std::lock_guard lock(mutex_);
  clear_line();
  out(std::string(text) + "\n");
}

void Output::finding(const Finding& f) {
  std::lock_guard lock(mutex_);
  clear_line();
  ++findings_;
  if (json_) {
    Json o = report::to_json(f);
    Json l{{"type", "finding"}, {"schema", 1}};
    l.update(o);
    line(l);
  }
  std::string text = fitted("finding: " + printable(f.object) + ": " + printable(f.message) + " [" + f.code + "]", 2) + "\n";
  if (!f.hint.empty()) text += fitted("  hint: " + printable(f.hint), 8) + "\n";
  terminal_.error(text);
}

void Output::script_finding(const Finding& f, const Json& more) {
  std::lock_guard lock(mutex_);
  if (!json_) return;
  clear_line();
  Json l{{"type", "finding"}, {"schema", 1}};
  l.update(report::to_json(f));
  l.update(more);
  line(l);
}

void Output::result(const Json& object) {
  std::lock_guard lock(mutex_);
  clear_line();
  if (!json_) return;
  Json l{{"type", "result"}, {"schema", 1}};
  l.update(object);
  line(l);
}

void Output::error(const Error& e) {
  std::lock_guard lock(mutex_);
  clear_line();
  const CodeInfo& code = info(e.code());
  std::string safe = e.safe().empty() ? "earlier recovery points were not touched" : report::printable_lines(e.safe(), " ");
  std::string hint = e.hint().empty() ? std::string(code.advice) : report::printable_lines(e.hint(), " ");
  if (json_) {
    line(Json{{"type", "error"}, {"schema", 1}, {"code", code.name}, {"exit", code.exit_code}, {"message", report::printable_lines(e.what(), "\n")},
              {"safe", safe}, {"hint", hint}, {"retry", code.retry}});
  }
  std::string text = "holdfast: " + report::printable_lines(e.what(), "\n") + "\n";
  text += fitted("  " + safe, 2) + "\n";
  std::string start = "  hint: ";
  for (const std::string& l : split(e.hint().empty() ? hint : report::printable_lines(e.hint(), "\n"), '\n')) {
    text += fitted(start + l, 8) + "\n";
    start = std::string(8, ' ');
  }
  text += "  code: " + std::string(code.name) + " (exit " + std::to_string(code.exit_code) + ")\n";
  terminal_.error(text);
}

// On a terminal cut to its width; elsewhere one line, to be searched.
std::string Output::fitted(const std::string& text, std::size_t further) const {
  if (!terminal_.error_is_terminal()) return text;
  std::size_t start = text.find_first_not_of(' ');
  std::string lines = wrap(text, static_cast<std::size_t>(std::max(40, terminal_.width())) - further, std::string(start == std::string::npos ? 0 : start, ' '));
  for (std::size_t at = 0; (at = lines.find('\n', at)) != std::string::npos; ++at) lines.replace(at + 1, start, std::string(further, ' '));
  return lines;
}

void Output::begin(const std::string& phase, std::uint64_t bytes_total) {
  std::lock_guard lock(mutex_);
  if (active_) draw(true);
  progress_ = {phase, 0, bytes_total, 0};
  begun_ = clock_.elapsed();
  next_draw_ = begun_ + (terminal_.error_is_terminal() && !json_ ? std::chrono::nanoseconds(kQuietStart)
                         : json_                                 ? std::chrono::nanoseconds(kJsonEvery)
                                                                 : std::chrono::nanoseconds(kLineEvery));
  active_ = true;
}

void Output::add(std::uint64_t bytes, std::uint64_t files) {
  std::lock_guard lock(mutex_);
  progress_.bytes_done += bytes;
  progress_.files_done += files;
  if (active_ && clock_.elapsed() >= next_draw_) draw(false);
}

void Output::end() {
  std::lock_guard lock(mutex_);
  if (!active_) return;
  if (json_) draw(true);
  clear_line();
  active_ = false;
}

std::string Output::progress_text(double seconds) const {
  std::string text = progress_.phase + "  ";
  if (progress_.bytes_total != 0) {
    std::uint64_t done = std::min(progress_.bytes_done, progress_.bytes_total);
    auto percent = static_cast<unsigned>(100.0 * static_cast<double>(done) / static_cast<double>(progress_.bytes_total));
    constexpr unsigned kBar = 20;
    unsigned full = percent * kBar / 100;
    text += "[" + std::string(full, '#') + std::string(kBar - full, '.') + "] " + std::to_string(percent) + " %  ";
  }
  text += human_bytes(progress_.bytes_done);
  if (progress_.files_done != 0) text += ", " + human_count(progress_.files_done) + " files";
  if (seconds > 0.2) {
    double rate = static_cast<double>(progress_.bytes_done) / seconds;
    text += ", " + human_bytes(static_cast<std::uint64_t>(rate)) + "/s";
    if (progress_.bytes_total > progress_.bytes_done && rate > 1 && seconds > 1)
      text += ", " + human_seconds(static_cast<double>(progress_.bytes_total - progress_.bytes_done) / rate) + " left";
  }
  return text;
}

// Called under the lock.
void Output::draw(bool last) {
  auto now = clock_.elapsed();
  double seconds = seconds_of(now - begun_);
  if (json_) {
    line(Json{{"type", "progress"}, {"schema", 1}, {"phase", progress_.phase}, {"bytes", progress_.bytes_done},
              {"bytes_total", progress_.bytes_total}, {"files", progress_.files_done}, {"seconds", seconds}});
    next_draw_ = now + kJsonEvery;
    return;
  }
  if (quiet_ || last) return;
  std::string text = progress_text(seconds);
  if (terminal_.error_is_terminal()) {
    auto width = static_cast<std::size_t>(std::max(20, terminal_.width() - 1));
    if (columns(text) > width) text.resize(std::min(text.size(), width));
    terminal_.error("\r\x1b[K" + text);
    drawn_ = true;
    next_draw_ = now + kRedraw;
  } else {
    terminal_.error(text + "\n");
    next_draw_ = now + kLineEvery;
  }
}

void Output::clear_line() {
  if (!drawn_) return;
  terminal_.error("\r\x1b[K");
  drawn_ = false;
}

std::string counted(std::uint64_t n, const std::string& what) { return human_count(n) + " " + what + (n == 1 ? "" : "s"); }

std::string table(const std::vector<std::vector<std::string>>& rows, std::string_view indent) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows)
    for (std::size_t i = 0; i + 1 < row.size(); ++i) {
      if (widths.size() <= i) widths.resize(i + 1);
      widths[i] = std::max(widths[i], columns(row[i]));
    }
  std::string out;
  for (const auto& row : rows) {
    if (!out.empty()) out += '\n';
    std::string text(indent);
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += row[i];
      if (i + 1 < row.size()) text += std::string(widths[i] - columns(row[i]) + 2, ' ');
    }
    // A sentence in the last column goes on under its own beginning, where there is room for that.
    std::size_t last = row.empty() ? 0 : columns(text) - columns(row.back());
    if (columns(text) > kTextWidth && last + kRoomForText <= kTextWidth) {
      std::string lines = wrap(row.back(), kTextWidth, std::string(last, ' '));
      text = text.substr(0, text.size() - row.back().size()) + lines.substr(last);
    }
    while (!text.empty() && text.back() == ' ') text.pop_back();
    out += text;
  }
  return out;
}

std::string wrap(std::string_view text, std::size_t width, std::string_view indent) {
  // What a bullet or a box says goes on under its own first word.
  std::string further(indent);
  for (std::string_view bullet : {"- ", "[ ] "})
    if (text.starts_with(bullet)) further.append(bullet.size(), ' ');
  std::string out, current;
  for (const std::string& word : split(text, ' ')) {
    if (word.empty()) continue;
    if (!current.empty() && columns(current) + 1 + columns(word) > width) {
      out += current + "\n";
      current.clear();
    }
    current += (!current.empty() ? " " : out.empty() ? std::string(indent) : further) + word;
  }
  return out + current;
}

}  // namespace holdfast::cli
