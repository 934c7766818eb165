#include "service/metrics.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "base/text.h"

namespace holdfast::service {
namespace {

struct Sample {
  std::string name;
  std::map<std::string, std::string> labels;
  std::string value;
};

// The text format as a scraper reads it, strictly: any line that it would refuse is a failure.
class Scrape {
 public:
  explicit Scrape(const std::string& text) {
    EXPECT_TRUE(text.ends_with('\n'));
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("# HELP ")) {
        family_ = line.substr(7, line.find(' ', 7) - 7);
        EXPECT_TRUE(families_.insert(family_).second) << line;
        helped_ = true;
      } else if (line.starts_with("# TYPE ")) {
        EXPECT_EQ(line, "# TYPE " + family_ + " gauge");
        EXPECT_TRUE(helped_);
      } else {
        read_sample(line);
      }
    }
  }
  std::optional<std::string> value(const std::string& name, const std::map<std::string, std::string>& labels = {}) const {
    for (const Sample& s : samples)
      if (s.name == name && s.labels == labels) return s.value;
    return std::nullopt;
  }
  std::vector<Sample> samples;

 private:
  void read_sample(const std::string& line) {
    Sample s;
    std::size_t at = line.find_first_of("{ ");
    ASSERT_NE(at, std::string::npos) << line;
    s.name = line.substr(0, at);
    EXPECT_EQ(s.name, family_) << line;   // samples of one family stand together
    for (const char c : s.name) EXPECT_TRUE((c >= 'a' && c <= 'z') || c == '_') << line;
    if (line[at] == '{') {
      do {
        ++at;
        const std::size_t equals = line.find("=\"", at);
        ASSERT_NE(equals, std::string::npos) << line;
        const std::string name = line.substr(at, equals - at);
        std::string value;
        for (at = equals + 2; at < line.size() && line[at] != '"'; ++at) {
          if (line[at] == '\\') {
            ++at;
            ASSERT_LT(at, line.size()) << line;
            EXPECT_TRUE(line[at] == '\\' || line[at] == '"' || line[at] == 'n') << line;
          }
          value += line[at];
        }
        s.labels[name] = value;
        ASSERT_LT(++at, line.size()) << line;
      } while (line[at] == ',');
      ASSERT_EQ(line[at], '}') << line;
      ++at;
    }
    ASSERT_EQ(line[at], ' ') << line;
    s.value = line.substr(at + 1);
    std::size_t read = 0;
    EXPECT_NO_THROW(std::stod(s.value, &read)) << line;
    EXPECT_EQ(read, s.value.size()) << line;
    samples.push_back(s);
  }
  std::set<std::string> families_;
  std::string family_;
  bool helped_ = false;
};

Metrics sample() {
  Metrics m;
  m.version = "1.2.3";
  m.system = "ns01";
  m.now = {1'000'000, 0};
  m.points = 12;
  m.newest_point = Timestamp{999'000, 0};
  m.newest_verified = Timestamp{990'000, 0};
  m.recovery_point_objective = 86'400;
  m.protected_bytes = 5'000'000'000'000ULL;
  m.stored_bytes = 18'446'744'073'709'551'615ULL;
  m.schedules = {{"configuration", "backup", true, false, Timestamp{1'000'500, 0}, Timestamp{999'100, 0}, Timestamp{999'100, 0}, 12.5, 0},
                 {"offsite", "copy", true, true, Timestamp{1'000'600, 0}, Timestamp{900'000, 0}, std::nullopt, 3.0, 15}};
  m.jobs = {{"ended", 40}, {"queued", 2}, {"running", 1}};
  m.notifications_waiting = 3;
  m.notifications_given_up = 1;
  return m;
}

TEST(ServiceMetrics, SayWhatIsKnown) {
  const Scrape s(render(sample()));
  EXPECT_EQ(s.value("holdfast_build_info", {{"version", "1.2.3"}, {"system", "ns01"}}), "1");
  EXPECT_EQ(s.value("holdfast_configuration_good"), "1");
  EXPECT_EQ(s.value("holdfast_points"), "12");
  EXPECT_EQ(s.value("holdfast_newest_point_timestamp_seconds"), "999000");
  EXPECT_EQ(s.value("holdfast_newest_point_age_seconds"), "1000");
  EXPECT_EQ(s.value("holdfast_newest_verified_point_age_seconds"), "10000");
  EXPECT_EQ(s.value("holdfast_recovery_point_objective_seconds"), "86400");
  EXPECT_EQ(s.value("holdfast_protected_bytes"), "5000000000000");
  EXPECT_EQ(s.value("holdfast_stored_bytes"), "18446744073709551615");
  const std::map<std::string, std::string> offsite{{"schedule", "offsite"}, {"run", "copy"}}, configuration{{"schedule", "configuration"}, {"run", "backup"}};
  EXPECT_EQ(s.value("holdfast_schedule_overdue", offsite), "1");
  EXPECT_EQ(s.value("holdfast_schedule_overdue", configuration), "0");
  EXPECT_EQ(s.value("holdfast_schedule_enabled", offsite), "1");
  EXPECT_EQ(s.value("holdfast_schedule_last_run_exit_code", offsite), "15");
  EXPECT_EQ(s.value("holdfast_schedule_last_run_duration_seconds", configuration), "12.5");
  EXPECT_EQ(s.value("holdfast_schedule_last_success_timestamp_seconds", configuration), "999100");
  EXPECT_EQ(s.value("holdfast_schedule_last_success_timestamp_seconds", offsite), std::nullopt);
  EXPECT_EQ(s.value("holdfast_jobs", {{"state", "queued"}}), "2");
  EXPECT_EQ(s.value("holdfast_notifications", {{"state", "waiting"}}), "3");
  EXPECT_EQ(s.value("holdfast_notifications", {{"state", "given up"}}), "1");
}

TEST(ServiceMetrics, WhatIsNotKnownIsLeftOut) {
  Metrics m;
  m.configuration_good = false;
  m.repository_reachable = false;
  const Scrape s(render(m));
  EXPECT_EQ(s.value("holdfast_configuration_good"), "0");
  EXPECT_EQ(s.value("holdfast_repository_reachable"), "0");
  EXPECT_EQ(s.samples.size(), 5U);
}

// docs/service.md, "Metrics": the table names what there is, and nothing else.
TEST(ServiceMetrics, TheDocumentNamesThem) {
  Metrics m = sample();
  m.repository_reachable = true;
  std::set<std::string> rendered, documented;
  for (const Sample& s : Scrape(render(m)).samples) rendered.insert(s.name);
  std::ifstream document(std::filesystem::path(__FILE__).parent_path() / "../../docs/service.md");
  for (std::string line; std::getline(document, line);) {
    const std::string names = line.starts_with("| `holdfast_") ? line.substr(0, line.find(" | ", 2)) : "";
    for (std::size_t at = 0; (at = names.find("`holdfast_", at)) != std::string::npos; ++at) documented.insert(names.substr(at + 1, names.find('`', at + 1) - at - 1));
  }
  EXPECT_EQ(documented, rendered);
}

TEST(ServiceMetrics, WhateverANameHoldsTheFormatStaysWhole) {
  const std::uint64_t seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  for (int i = 0; i < 500; ++i) {
    std::string name;
    for (std::size_t n = random() % 30; n > 0; --n) name += random() % 3 == 0 ? "\\\"\n{}, =#"[random() % 9] : static_cast<char>(random());
    Metrics m = sample();
    m.system = name;
    m.schedules[0].name = name;
    const Scrape s(render(m));
    EXPECT_EQ(s.samples.size(), Scrape(render(sample())).samples.size());
    EXPECT_EQ(s.value("holdfast_schedule_enabled", {{"schedule", printable(name)}, {"run", "backup"}}), "1") << printable(name);
  }
}

}  // namespace
}  // namespace holdfast::service
