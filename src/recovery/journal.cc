#include "recovery/journal.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"

namespace holdfast::recovery {
namespace {

using Json = nlohmann::ordered_json;
using platform::Path;

constexpr std::string_view kPrefix = "recovery-", kSuffix = ".jsonl";

constexpr StepState kStates[] = {StepState::pending, StepState::done,   StepState::skipped,        StepState::deferred,
                                 StepState::left_to_person, StepState::failed, StepState::cannot_run_here};

StepState state_named(const std::string& text) {
  for (StepState s : kStates)
    if (text == to_text(s)) return s;
  return StepState::pending;
}

std::string text_of(const Json& line, const char* key) {
  auto it = line.find(key);
  return it != line.end() && it->is_string() ? it->get<std::string>() : "";
}

}  // namespace

std::optional<Journal> Journal::find_unfinished(platform::FileSystem& files, platform::Clock& clock, const Path& folder, const std::string& system_id) {
  if (!files.exists(folder)) return std::nullopt;
  auto children = files.list(folder);
  std::reverse(children.begin(), children.end());   // newest first: names hold the time
  for (const auto& child : children) {
    if (!child.name.starts_with(kPrefix) || !child.name.ends_with(kSuffix)) continue;
    Journal j(files, clock, folder / child.name);
    for (const std::string& text : split(std::string(as_text(files.read_all(j.file_))), '\n')) {
      Json line = Json::parse(text, nullptr, false);
      if (!line.is_object()) continue;
      std::string type = text_of(line, "type");
      if (type == "begin")
        j.begun_ = {text_of(line, "system"), text_of(line, "point"), parse_utc(text_of(line, "time")).value_or(Timestamp{}), text_of(line, "suffix"),
                    line.value("install_first", Json(false)) == Json(true), text_of(line, "only")};
      if (type == "step") j.steps_[text_of(line, "step")] = {state_named(text_of(line, "state")), text_of(line, "detail")};
      if (type == "finished") j.finished_ = true;
    }
    if (j.begun_.system_id == system_id && !j.finished_) return j;
  }
  return std::nullopt;
}

Journal Journal::begin(platform::FileSystem& files, platform::Clock& clock, const Path& folder, const Plan& plan, const std::string& only) {
  const repository::Point& point = plan.point;
  files.make_directories(folder);
  Timestamp now = clock.now();
  std::string stamp = format_utc(now);
  std::string compact;
  for (char c : stamp)
    if (c != '-' && c != ':') compact += c;
  Path file = folder / (std::string(kPrefix) + compact + "-" + point.system_id.hex().substr(0, 8) + std::string(kSuffix));
  for (int n = 2; files.exists(file); ++n)
    file = folder / (std::string(kPrefix) + compact + "-" + point.system_id.hex().substr(0, 8) + "-" + std::to_string(n) + std::string(kSuffix));
  Journal j(files, clock, file);
  j.begun_ = {point.system_id.hex(), point.id.hex(), now, compact, plan.install_first, only};
  j.append(Json{{"type", "begin"}, {"schema", 1}, {"time", stamp}, {"system", j.begun_.system_id}, {"name", printable(point.system_name)},
                {"point", j.begun_.point}, {"suffix", compact}, {"install_first", plan.install_first}, {"only", only}}.dump());
  files.sync_directory(folder);
  return j;
}

StepState Journal::state(const std::string& step) const {
  auto it = steps_.find(step);
  return it == steps_.end() ? StepState::pending : it->second.state;
}

std::string Journal::detail(const std::string& step) const {
  auto it = steps_.find(step);
  return it == steps_.end() ? "" : it->second.detail;
}

bool Journal::tried(const std::string& step) const {
  return steps_.contains(step) && state(step) != StepState::done && state(step) != StepState::skipped;
}

void Journal::step_started(const std::string& step) {
  append(Json{{"type", "step"}, {"time", format_utc(clock_->now())}, {"step", step}, {"state", to_text(StepState::pending)}}.dump());
}

void Journal::step_ended(const PlannedStep& p) {
  steps_[p.step.name] = {p.state, p.detail};
  append(Json{{"type", "step"}, {"time", format_utc(clock_->now())}, {"step", p.step.name}, {"state", to_text(p.state)}, {"detail", printable(p.detail)}}.dump());
}

void Journal::finished(bool complete) {
  finished_ = true;
  append(Json{{"type", "finished"}, {"time", format_utc(clock_->now())}, {"complete", complete}}.dump());
}

// A line that was cut off by a kill has no newline: the next one begins on a line of its own.
void Journal::append(const std::string& line) {
  auto file = files_->append(file_);
  file->write(as_bytes("\n" + line + "\n"));
  file->sync();
}

namespace {

void take(JournalView& view, const Json& line) {
  const std::string type = text_of(line, "type");
  const Timestamp time = parse_utc(text_of(line, "time")).value_or(Timestamp{});
  if (type == "begin") {
    view.system = text_of(line, "name");
    view.point = text_of(line, "point");
    view.begun = time;
  }
  if (type == "finished") {
    view.finished = time;
    view.complete = line.value("complete", Json(false)) == Json(true);
  }
  if (type != "step") return;
  const std::string name = text_of(line, "step");
  auto step = std::find_if(view.steps.begin(), view.steps.end(), [&](const auto& s) { return s.name == name; });
  if (step == view.steps.end()) step = view.steps.insert(view.steps.end(), {name, "", StepState::pending, time});
  *step = {name, text_of(line, "detail"), state_named(text_of(line, "state")), time};
}

}  // namespace

std::vector<JournalView> journals_in(platform::FileSystem& files, const Path& folder, std::size_t most) {
  std::vector<JournalView> out;
  if (!files.exists(folder)) return out;
  auto children = files.list(folder);
  std::reverse(children.begin(), children.end());   // newest first: names hold the time
  for (const auto& child : children) {
    if (out.size() == most) break;
    if (!child.name.starts_with(kPrefix) || !child.name.ends_with(kSuffix)) continue;
    JournalView view;
    view.name = child.name.substr(0, child.name.size() - kSuffix.size());
    for (const std::string& text : split(std::string(as_text(files.read_all(folder / child.name))), '\n'))
      if (const Json line = Json::parse(text, nullptr, false); line.is_object()) take(view, line);
    out.push_back(std::move(view));
  }
  return out;
}

}  // namespace holdfast::recovery
