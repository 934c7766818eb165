// What reaches the terminal: progress, JSON lines, names that are hostile.
#include "cli/output.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "platform/testing.h"

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;

const std::string kHostile = "evil\x1b]0;title\x07\x1b[2J\x9b\r\nholdfast: all is well";

class OutputTest : public ::testing::Test {
 protected:
  std::vector<Json> lines() const {
    std::vector<Json> all;
    for (const std::string& l : split(terminal.printed, '\n'))
      if (!l.empty()) all.push_back(Json::parse(l));
    return all;
  }

  platform::ScriptedTerminal terminal;
  platform::ManualClock clock;
};

TEST_F(OutputTest, ProgressOnATerminalIsRedrawnInOneLineAndCleared) {
  terminal.error_terminal = true;
  terminal.columns = 50;
  Output output(terminal, clock, false, false);
  output.begin("backing up ns01", 100'000'000);
  output.add(1, 1);
  EXPECT_EQ(terminal.printed_error, "") << "what is over at once shows nothing";
  for (int i = 0; i < 100; ++i) {
    clock.advance(100ms);
    output.add(500'000, 3);
  }
  auto drawn = split(terminal.printed_error, '\r');
  EXPECT_GT(drawn.size(), 40U);
  EXPECT_LE(drawn.size(), 51U);
  for (std::size_t i = 1; i < drawn.size(); ++i) {
    EXPECT_TRUE(drawn[i].starts_with("\x1b[K")) << drawn[i];
    EXPECT_LT(drawn[i].size() - 3, 50U) << drawn[i];
  }
  EXPECT_EQ(terminal.printed_error.find('\n'), std::string::npos);
  EXPECT_NE(terminal.printed_error.find("[#########...........] 49 %"), std::string::npos);
  output.say("a remark");
  EXPECT_TRUE(terminal.printed_error.ends_with("\r\x1b[K")) << "text begins on an empty line";
  clock.advance(1s);
  output.add(1, 0);
  output.end();
  EXPECT_TRUE(terminal.printed_error.ends_with("\r\x1b[K"));
  EXPECT_EQ(terminal.printed, "a remark\n");
}

TEST_F(OutputTest, TimeLeftAndRateAreThoseOfTheWork) {
  terminal.error_terminal = true;
  Output output(terminal, clock, false, false);
  output.begin("x", 400'000'000);
  clock.advance(10s);
  output.add(100'000'000, 0);
  EXPECT_NE(terminal.printed_error.find("25 %"), std::string::npos) << terminal.printed_error;
  EXPECT_NE(terminal.printed_error.find("10 MB/s"), std::string::npos) << terminal.printed_error;
  EXPECT_NE(terminal.printed_error.find("30 s"), std::string::npos) << terminal.printed_error;
}

TEST_F(OutputTest, ElsewhereProgressIsALineEveryTenSecondsAndQuietHasNone) {
  for (bool quiet : {false, true}) {
    terminal.printed_error.clear();
    Output output(terminal, clock, false, quiet);
    output.begin("x", 0);
    for (int i = 0; i < 350; ++i) {
      clock.advance(100ms);
      output.add(1000, 0);
    }
    output.end();
    EXPECT_EQ(split(terminal.printed_error, '\n').size() - 1, quiet ? 0U : 3U) << terminal.printed_error;
    EXPECT_EQ(terminal.printed_error.find('\x1b'), std::string::npos);
  }
}

TEST_F(OutputTest, JsonLinesOfProgressComeOnceASecond) {
  terminal.error_terminal = true;
  Output output(terminal, clock, true, false);
  output.begin("x", 1000);
  for (int i = 0; i < 55; ++i) {
    clock.advance(100ms);
    output.add(10, 1);
  }
  EXPECT_EQ(lines().size(), 5U);
  output.end();
  auto all = lines();
  ASSERT_EQ(all.size(), 6U) << "the last state is told";
  for (const Json& l : all) {
    EXPECT_EQ(l["type"], "progress");
    EXPECT_EQ(l["schema"], 1);
    EXPECT_EQ(l["bytes_total"], 1000);
  }
  EXPECT_EQ(all.back()["bytes"], 550);
  EXPECT_EQ(terminal.printed_error, "");
}

TEST_F(OutputTest, HostileNamesNeverReachTheTerminalRaw) {
  for (bool json : {false, true}) {
    terminal.printed.clear();
    terminal.printed_error.clear();
    Output output(terminal, clock, json, false);
    output.finding({"not_covered", kHostile, kHostile, kHostile});
    output.error(Error(Code::damaged, "cannot read " + kHostile).safe(kHostile).hint(kHostile));
    output.answer(table({{printable(kHostile), "x"}}));
    for (const std::string& text : {terminal.printed, terminal.printed_error})
      for (char c : text) EXPECT_FALSE((c >= 0 && c < 32 && c != '\n') || c == 127) << static_cast<int>(c) << " in " << text;
    EXPECT_TRUE(is_utf8(terminal.printed) && is_utf8(terminal.printed_error));
    EXPECT_EQ(terminal.printed_error.find("\nholdfast: all is well [not_covered]"), std::string::npos);
    EXPECT_EQ(json ? lines().size() : 0U, json ? 2U : 0U);
  }
}

TEST_F(OutputTest, AnErrorHasFourPartsAndLongHintsStandUnderOneAnother) {
  Output output(terminal, clock, false, true);
  output.error(Error(Code::busy, "it is busy").safe("nothing was changed").hint("first\nsecond"));
  EXPECT_EQ(terminal.printed_error,
            "holdfast: it is busy\n  nothing was changed\n  hint: first\n        second\n  code: busy (exit 14)\n");
}

TEST_F(OutputTest, OnATerminalFindingsAndHintsAreCutToItsWidth) {
  terminal.error_terminal = true;
  terminal.columns = 40;
  Output output(terminal, clock, false, false);
  output.finding({"stale", "ns01", "the newest good recovery point is from long ago", "run 'holdfast backup' now, and look every day"});
  EXPECT_EQ(terminal.printed_error,
            "finding: ns01: the newest good\n  recovery point is from long ago\n  [stale]\n"
            "  hint: run 'holdfast backup'\n        now, and look every day\n");
}

TEST(Text, TablesLineUpAndLongTextIsWrapped) {
  EXPECT_EQ(table({{"a", "bb", "c"}, {"\xc3\xa4\xc3\xb6\xc3\xbc", "b", ""}}), "  a    bb  c\n  \xc3\xa4\xc3\xb6\xc3\xbc  b");
  const std::string words = "word word word word word word word word word word";
  std::string lines = table({{std::string(40, 'x'), words}});
  EXPECT_EQ(lines, "  " + std::string(40, 'x') + "  word word word word word word word\n" + std::string(44, ' ') + "word word word");
  EXPECT_EQ(split(table({{std::string(70, 'x'), words}}), '\n').size(), 1U) << "no room: it stays a line";
  EXPECT_EQ(counted(1, "item") + counted(0, "item") + counted(1234, "item"), "1 item0 items1,234 items");
  EXPECT_EQ(wrap("one two three", 9, "  "), "  one two\n  three");
  EXPECT_EQ(wrap("- one two three", 11, "  "), "  - one two\n    three");
  EXPECT_EQ(wrap("[ ] one two", 7, ""), "[ ] one\n    two");
  EXPECT_EQ(wrap("longerthanthewidth x", 5, " "), " longerthanthewidth\n x");
}

}  // namespace
}  // namespace holdfast::cli
