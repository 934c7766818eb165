#include "service/metrics.h"

#include <array>
#include <charconv>
#include <string_view>
#include <utility>

#include "base/text.h"

namespace holdfast::service {
namespace {

std::string number(double value) {
  std::array<char, 64> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  return std::string(digits.data(), end.ptr);
}
std::string number(std::int64_t value) { return std::to_string(value); }
std::string number(std::uint64_t value) { return std::to_string(value); }
std::string number(int value) { return std::to_string(value); }
std::string number(bool value) { return value ? "1" : "0"; }
std::string number(Timestamp t) { return std::to_string(t.seconds); }

// UTF-8 without control characters, with \ and " escaped.
std::string label(std::string_view value) {
  std::string out;
  for (const char c : printable(value)) {
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  return out;
}

using Labels = std::vector<std::pair<std::string_view, std::string>>;

// One family of samples: its two lines of comment come with its first sample, and not at all without one.
class Family {
 public:
  Family(std::string& out, std::string_view name, std::string_view help) : out_(out), name_(name), help_(help) {}

  template <class Value>
  void add(const Value& value, const Labels& labels = {}) {
    if (!begun_) out_ += "# HELP " + name_ + " " + help_ + "\n# TYPE " + name_ + " gauge\n";
    begun_ = true;
    out_ += name_;
    for (std::size_t i = 0; i < labels.size(); ++i) out_ += (i == 0 ? "{" : ",") + std::string(labels[i].first) + "=\"" + label(labels[i].second) + "\"";
    out_ += (labels.empty() ? " " : "} ") + number(value) + "\n";
  }
  template <class Value>
  void add(const std::optional<Value>& value, const Labels& labels = {}) {
    if (value) add(*value, labels);
  }

 private:
  std::string& out_;
  const std::string name_, help_;
  bool begun_ = false;
};

void render_points(std::string& out, const Metrics& m) {
  const auto age = [&](const std::optional<Timestamp>& t) { return t ? std::optional(m.now.seconds - t->seconds) : std::nullopt; };
  Family(out, "holdfast_points", "Recovery points in the repository.").add(m.points);
  Family(out, "holdfast_newest_point_timestamp_seconds", "When the newest good recovery point was made.").add(m.newest_point);
  Family(out, "holdfast_newest_point_age_seconds", "Age of the newest good recovery point.").add(age(m.newest_point));
  Family(out, "holdfast_newest_verified_point_timestamp_seconds", "When the newest verified recovery point was made.").add(m.newest_verified);
  Family(out, "holdfast_newest_verified_point_age_seconds", "Age of the newest verified recovery point.").add(age(m.newest_verified));
  Family(out, "holdfast_recovery_point_objective_seconds", "So much may be lost at most.").add(m.recovery_point_objective);
  Family(out, "holdfast_protected_bytes", "What the newest good recovery point gives back.").add(m.protected_bytes);
  Family(out, "holdfast_stored_bytes", "What the repository takes.").add(m.stored_bytes);
}

void render_schedules(std::string& out, const Metrics& m) {
  const auto each = [&](std::string_view name, std::string_view help, auto value) {
    Family family(out, name, help);
    for (const ScheduleMetrics& s : m.schedules) family.add(value(s), {{"schedule", s.name}, {"run", s.run}});
  };
  using S = ScheduleMetrics;
  each("holdfast_schedule_enabled", "1: the schedule is switched on.", [](const S& s) { return s.enabled; });
  each("holdfast_schedule_overdue", "1: a run should have begun and has not.", [](const S& s) { return s.overdue; });
  each("holdfast_schedule_next_run_timestamp_seconds", "When the next run comes.", [](const S& s) { return s.next_run; });
  each("holdfast_schedule_last_run_timestamp_seconds", "When the last run ended.", [](const S& s) { return s.last_run; });
  each("holdfast_schedule_last_success_timestamp_seconds", "When the last run ended that ended well.", [](const S& s) { return s.last_success; });
  each("holdfast_schedule_last_run_duration_seconds", "How long the last run took.", [](const S& s) { return s.last_seconds; });
  each("holdfast_schedule_last_run_exit_code", "Exit code of the last run: 0 well, 3 with findings, else failed.", [](const S& s) { return s.last_exit; });
}

}  // namespace

std::string render(const Metrics& m) {
  std::string out;
  Family(out, "holdfast_build_info", "Always 1; which Holdfast protects which system.").add(1, {{"version", m.version}, {"system", m.system}});
  Family(out, "holdfast_configuration_good", "0: holdfast.toml has a mistake, the last good one is in force.").add(m.configuration_good);
  Family(out, "holdfast_repository_reachable", "0: the repository could not be opened at the last look.").add(m.repository_reachable);
  render_points(out, m);
  render_schedules(out, m);
  Family jobs(out, "holdfast_jobs", "Jobs that are remembered, by state.");
  for (const auto& [state, count] : m.jobs) jobs.add(count, {{"state", state}});
  Family notifications(out, "holdfast_notifications", "Notifications that wait, or were given up and nobody has acknowledged it.");
  notifications.add(m.notifications_waiting, {{"state", "waiting"}});
  notifications.add(m.notifications_given_up, {{"state", "given up"}});
  return out;
}

}  // namespace holdfast::service
