#include "service/jobs/job_output.h"

#include <gtest/gtest.h>

#include <random>

#include "base/text.h"
#include "service/jobs/jobs.h"

namespace holdfast::service {
namespace {

using From = platform::ChildProcess::From;
using Said = std::vector<std::pair<JobOutput::Kind, std::string>>;

struct Heard {
  Said said;
  std::int64_t findings = 0;
  std::string result;
  bool operator==(const Heard&) const = default;
};

// `pieces`: the lengths in which the bytes come, again and again.
Heard hear(std::string_view bytes, From from = From::output, std::function<std::size_t()> piece = [] { return SIZE_MAX; }) {
  Heard heard;
  JobOutput output([&](JobOutput::Kind kind, const std::string& text) { heard.said.emplace_back(kind, text); });
  while (!bytes.empty()) {
    const auto now = bytes.substr(0, piece());
    output.take(from, now);
    bytes.remove_prefix(now.size());
  }
  output.finish();
  heard.findings = output.findings();
  heard.result = output.result();
  return heard;
}

TEST(JobOutput, TellsTheKindsOfLinesApart) {
  const Heard heard = hear("{\"type\":\"progress\",\"schema\":1}\n{\"type\":\"finding\"}\n\nno json\n{\"type\":7}\n{\"x\":1}\n[1]\n{\"type\":\"error\",\"code\":\"x\"}");
  using Kind = JobOutput::Kind;
  EXPECT_EQ(heard.said, (Said{{Kind::progress, "{\"type\":\"progress\",\"schema\":1}"},
                              {Kind::line, "{\"type\":\"finding\"}"},
                              {Kind::line, "no json"},
                              {Kind::line, "{\"type\":7}"},
                              {Kind::line, "{\"x\":1}"},
                              {Kind::line, "[1]"},
                              {Kind::line, "{\"type\":\"error\",\"code\":\"x\"}"}}));
  EXPECT_EQ(heard.findings, 1);
  EXPECT_EQ(heard.result, "{\"type\":\"error\",\"code\":\"x\"}");
}

TEST(JobOutput, StandardErrorIsTextForPeople) {
  const Heard heard = hear("{\"type\":\"finding\"}\n\x1b[2Jred\xff\n", From::error);
  EXPECT_EQ(heard.findings, 0);
  ASSERT_EQ(heard.said.size(), 2U);
  EXPECT_EQ(heard.said[1].second, "\\x1b[2Jred\\xff");
}

TEST(JobOutput, LongLinesAreCutAndWhatFollowsIsNot) {
  const Heard heard = hear(std::string(3 * JobOutput::kLongestLine, 'x') + "\nnext\n");
  ASSERT_EQ(heard.said.size(), 2U);
  EXPECT_EQ(heard.said[0].second.size(), Jobs::kLongestLine + 3);
  EXPECT_EQ(heard.said[1].second, "next");
  const std::string finding = "{\"type\":\"finding\",\"points\":\"" + std::string(500'000, 'p') + "\"}";
  EXPECT_EQ(hear(finding).findings, 1) << "longer than the log keeps, and a finding all the same";
  const std::string result = "{\"type\":\"result\",\"points\":\"" + std::string(500'000, 'p') + "\"}";
  EXPECT_EQ(hear(result).result, result);
}

TEST(JobOutput, HostileJsonIsText) {
  for (const std::string& line : {std::string(1'000'000, '['), std::string(500'000, '{'), std::string("{\"type\":\"result\",\"recovery_key\":"),
                                  "{\"type\":\"finding\",\"a\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}"}) {
    const Heard heard = hear(line);
    ASSERT_EQ(heard.said.size(), 1U);
    EXPECT_LE(heard.said[0].second.size(), Jobs::kLongestLine + 3);
  }
}

TEST(JobOutput, ItDoesNotMatterInWhichPiecesItComes) {
  constexpr std::uint64_t kSeed = 31;
  std::printf("seed %llu\n", static_cast<unsigned long long>(kSeed));
  std::mt19937_64 random(kSeed);
  const std::vector<std::string> words{"{\"type\":\"finding\",\"object\":\"ä\"}", "{\"type\":\"progress\"}", "text", "\n", "\n", "\n", "{\"type\":\"result\"}", "\x1b", "\xc3", "{", "}", "\r"};
  for (int round = 0; round < 500; ++round) {
    std::string bytes;
    for (int n = 0; n < 40; ++n) bytes += words[random() % words.size()];
    EXPECT_EQ(hear(bytes, From::output, [&] { return 1 + random() % 9; }), hear(bytes));
  }
}

}  // namespace
}  // namespace holdfast::service
