// Host, clock and entropy of this machine, and their twins.
#include <gtest/gtest.h>
#include <unistd.h>

#include <set>

#include "platform/process.h"
#include "platform/testing.h"
#include "platform/world.h"

namespace holdfast::platform {
namespace {

std::string output_of(const std::vector<std::string>& argv) {
  std::string text = real_process_runner().run(argv).output;
  if (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

TEST(Host, AgreesWithTheToolsOfTheMachine) {
  Host& host = real_host();
  std::string node = output_of({"uname", "-n"});
  EXPECT_EQ(host.host_name(), node.substr(0, node.find('.')));
  EXPECT_EQ(host.domain().find("(none)"), std::string::npos);
  EXPECT_EQ(host.operating_system(), "linux");
  EXPECT_EQ(host.operating_system_version(),
            output_of({"sh", "-c", ". /etc/os-release; printf %s \"$PRETTY_NAME\""}));
  EXPECT_EQ(host.machine_id(), output_of({"sh", "-c", "cat /etc/machine-id 2>/dev/null || :"}));
  EXPECT_EQ(host.is_administrator(), ::geteuid() == 0);
}

TEST(Clock, GoesForward) {
  Clock& clock = real_clock();
  Timestamp t = clock.now();
  EXPECT_GT(t.seconds, 1'700'000'000);
  EXPECT_LT(t.nanoseconds, 1'000'000'000U);
  auto start = clock.elapsed();
  clock.sleep(std::chrono::milliseconds(20));
  EXPECT_GE(clock.elapsed() - start, std::chrono::milliseconds(20));
  EXPECT_GE(clock.now(), t);
}

TEST(Clock, ManualOneMovesWhenMoved) {
  ManualClock clock({100, 900'000'000});
  clock.sleep(std::chrono::milliseconds(2200));
  EXPECT_EQ(clock.now(), (Timestamp{103, 100'000'000}));
  EXPECT_EQ(clock.elapsed(), std::chrono::milliseconds(2200));
  clock.set({50, 0});
  EXPECT_EQ(clock.now(), (Timestamp{50, 0}));
  EXPECT_EQ(clock.elapsed(), std::chrono::milliseconds(2200));
}

TEST(Entropy, NeverTheSameTwice) {
  std::set<Bytes> seen;
  for (int i = 0; i < 100; ++i) {
    Bytes b(16);
    real_entropy().fill(b);
    EXPECT_TRUE(seen.insert(b).second);
  }
  Bytes large(100'000);
  real_entropy().fill(large);
  EXPECT_EQ(std::set<std::uint8_t>(large.begin(), large.end()).size(), 256U);
  SeededEntropy a(1), b(1), c(2);
  Bytes x(16), y(16), z(16);
  a.fill(x);
  b.fill(y);
  c.fill(z);
  EXPECT_EQ(x, y);
  EXPECT_NE(x, z);
}

TEST(World, IsComplete) {
  World world = real_world();
  EXPECT_TRUE(world.files.exists("/"));
  EXPECT_TRUE(get(world.environment, "PATH"));
}

}  // namespace
}  // namespace holdfast::platform
