#include "service/jobs/job_output.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "service/jobs/jobs.h"

namespace holdfast::service {
namespace {

using Json = nlohmann::ordered_json;
using From = platform::ChildProcess::From;

constexpr int kDeepest = 16;   // our lines nest four deep; deeper than this is left out of what is looked at

// The recovery key of a backup file: shown by the command line once, to the person at the terminal. A log is read by others.
constexpr std::string_view kSecret = "recovery_key";

}  // namespace

void JobOutput::take(From from, std::string_view bytes) {
  Unfinished& line = unfinished_[static_cast<std::size_t>(from)];
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size());
    const std::size_t room = kLongestLine - line.text.size();
    line.text.append(bytes.substr(0, std::min(end, room)));
    line.cut = line.cut || end > room;
    if (end == bytes.size()) return;
    bytes.remove_prefix(end + 1);
    end_line(from);
  }
}

void JobOutput::finish() {
  for (const From from : {From::output, From::error}) end_line(from);
}

void JobOutput::end_line(From from) {
  const Unfinished line = std::exchange(unfinished_[static_cast<std::size_t>(from)], {});
  if (line.text.empty()) return;
  if (from == From::output && !line.cut && take_json(line.text)) return;
  sink_(Kind::line, Jobs::kept(line.text));
}

bool JobOutput::take_json(const std::string& text) {
  if (text.front() != '{') return false;
  Json json = Json::parse(text, [](int depth, Json::parse_event_t, const Json&) { return depth <= kDeepest; }, false);
  if (!json.is_object()) return false;
  const auto type = json.find("type");
  if (type == json.end() || !type->is_string()) return false;
  std::string told = text;
  if (const auto secret = json.find(kSecret); secret != json.end()) {
    *secret = nullptr;
    told = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  if (*type == "progress") {
    if (told.size() <= Jobs::kLongestLine) sink_(Kind::progress, told);
    return true;
  }
  if (*type == "finding") ++findings_;
  if (*type == "result" || *type == "error") result_ = told;
  sink_(Kind::line, Jobs::kept(told));
  return true;
}

}  // namespace holdfast::service
