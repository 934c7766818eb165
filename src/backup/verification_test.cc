// Small runs of verification together: that they read everything, once, and record no more than was read.
#include "backup/verification.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "base/error.h"
#include "platform/testing.h"
#include "store/testing.h"

namespace holdfast::backup {
namespace {

using repository::Level;
using repository::PointId;
using repository::PointSummary;

constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kNow = 1'795'312'800;   // 2026-11-22T02:00:00Z

PointSummary point(std::uint8_t number, std::int64_t age, std::map<Level, std::int64_t> passed = {}) {
  PointSummary p;
  p.id.bytes[0] = number;
  p.finished = {kNow - age, 0};
  for (const auto& [level, ago] : passed) p.passed[level] = {kNow - ago, 0};
  return p;
}

std::vector<int> order(const std::vector<PointSummary>& points, Level level, std::optional<Span> older_than = std::nullopt) {
  std::vector<int> numbers;
  for (const auto& p : due_for_verification(points, level, older_than, {kNow, 0})) numbers.push_back(p.id.bytes[0]);
  return numbers;
}

TEST(VerificationOrder, NeverVerifiedFirstAndTheNewestOfThemThenTheOldestVerification) {
  auto damaged = point(5, 5 * kDay, {{Level::content, 60}});
  damaged.verification_failed = true;
  std::vector<PointSummary> points{point(1, 100 * kDay, {{Level::content, 3 * kDay}}), point(2, 90 * kDay, {{Level::content, 40 * kDay}}),
                                   point(3, 80 * kDay, {{Level::bytes, kDay}}),        point(4, 1 * kDay),
                                   damaged,                                            point(6, 70 * kDay, {{Level::content, 4 * kDay}, {Level::restore, 2 * kDay}})};
  EXPECT_EQ(order(points, Level::content), (std::vector<int>{4, 5, 3, 2, 1, 6}));
  EXPECT_EQ(order(points, Level::content, Span{30, Span::Unit::days}), (std::vector<int>{4, 5, 3, 2}));
  EXPECT_EQ(order(points, Level::bytes, Span{2, Span::Unit::days}), (std::vector<int>{4, 5, 2, 1}));
  EXPECT_EQ(order(points, Level::restore, Span{30, Span::Unit::days}), (std::vector<int>{4, 5, 3, 2, 1}));
  // Exactly as old as asked for is not older; what is dated in the future does not count.
  EXPECT_EQ(order({point(1, kDay, {{Level::content, 3 * kDay}})}, Level::content, Span{3, Span::Unit::days}), std::vector<int>{});
  EXPECT_EQ(order({point(1, kDay, {{Level::content, -3'650 * kDay}})}, Level::content, Span{3, Span::Unit::days}), std::vector<int>{1});
}

// A repository whose points share packs: point n holds the files 0 to n, and each backup made one new pack.
class Rounds : public ::testing::Test {
 protected:
  static constexpr int kPoints = 6;

  Rounds() {
    repository = repository::create({store, clock, entropy, nullptr, "ns01", "test"}, repository::password_secret(as_bytes("correct")), {8, 1}).repository;
    std::mt19937 random(3);
    tree::NodePtr previous;
    std::vector<std::string> files;
    for (int n = 0; n < kPoints; ++n) {
      std::string content(150'000, ' ');
      for (char& c : content) c = static_cast<char>(random());
      files.push_back(content);
      back_up(files);
    }
    for (const auto& p : repository->points()) ids.push_back(p.id);
    memory.list("pack", [&](const store::ObjectInfo& o) { packs[o.name] = o.size; });
    EXPECT_EQ(packs.size(), static_cast<std::size_t>(kPoints));
  }

  void back_up(const std::vector<std::string>& files) {
    auto entry = [](const std::string& name, tree::Kind kind, std::uint64_t size) {
      tree::Entry e;
      e.name = name;
      e.kind = kind;
      e.size = size;
      return e;
    };
    auto session = repository->begin_backup({nullptr, nullptr, 1});
    repository::PointDraft draft;
    repository::StoredItem item;
    item.name = "files";
    tree::TreeSink& sink = session->begin_item("files", nullptr);
    sink.open_directory(entry("", tree::Kind::directory, 0));
    for (std::size_t i = 0; i < files.size(); ++i) {
      sink.begin_file(tree::Chunking::content_defined).write(as_bytes(files[i]));
      sink.end_file(entry("f" + std::to_string(i), tree::Kind::file, files[i].size()));
    }
    sink.close_directory();
    session->end_item(item);
    draft.items.push_back(std::move(item));
    draft.started = draft.finished = clock.now();
    session->publish(draft);
    clock.advance(std::chrono::hours(1));
  }

  struct Seen { int recorded = 0; std::vector<std::string> read; std::uint64_t later = 0; bool damage = false; };

  // As the verb does it: with the memory as it is on the disk.
  Seen run(std::optional<std::uint64_t> limit, Level level = Level::content, std::optional<std::chrono::seconds> time = std::nullopt) {
    struct Watch final : repository::PackTurns {
      Watch(VerificationRun& r, Rounds& g) : inner(r), ground(g) {}
      Turn turn(const crypto::Sha256& pack, std::uint64_t size) override {
        Turn t = inner.turn(pack, size);
        std::lock_guard lock(mutex);
        if (t == Turn::now) read.push_back("pack/" + pack.hex());
        if (t == Turn::now) ground.clock.advance(std::chrono::seconds(ground.seconds_a_pack));
        return t;
      }
      void whole(const crypto::Sha256& pack, std::uint64_t size) override { inner.whole(pack, size); }
      VerificationRun& inner;
      Rounds& ground;
      std::mutex mutex;
      std::vector<std::string> read;
    };
    LookedAt looked(platform::real_file_system(), folder.path() / "looked");
    const bool budget = limit || time;
    VerificationRun turns(level, limit, time, budget, before(clock.now(), kVerificationLasts), looked, clock);
    Watch watch(turns, *this);
    Seen seen;
    for (const auto& p : due_for_verification(repository->points(), level, std::nullopt, clock.now())) {
      repository::CheckOptions options;
      options.level = level;
      options.run.workers = 1;
      options.turns = &watch;
      turns.begin_point(last_passed(p, level, clock.now()));
      auto report = repository->verify(p.id, options);
      seen.damage = seen.damage || !report.damaged.empty();
      seen.later += report.later;
      if (report.later != 0) break;
      ++seen.recorded;
    }
    looked.save(clock.now());
    clock.advance(std::chrono::hours(24));
    seen.read = watch.read;
    return seen;
  }

  int verified(Level level = Level::content) {
    auto points = repository->points();
    return static_cast<int>(std::count_if(points.begin(), points.end(), [&](const auto& p) { return last_passed(p, level, clock.now()).has_value(); }));
  }

  platform::TemporaryFolder folder;
  platform::ManualClock clock{{kNow, 0}};
  platform::SeededEntropy entropy{7};
  store::MemoryStore memory;
  store::FaultyStore store{memory};
  std::unique_ptr<repository::Repository> repository;
  std::vector<PointId> ids;                   // newest first
  std::map<std::string, std::uint64_t> packs;
  int seconds_a_pack = 0;
};

TEST_F(Rounds, RunsOfOnePackReadEveryPackOnceAndThenEveryPointIsRecorded) {
  for (Level level : {Level::bytes, Level::content}) {
    std::multiset<std::string> read;
    for (int n = 1; n <= kPoints; ++n) {
      Seen seen = run(1, level);
      EXPECT_EQ(seen.read.size(), 1U);
      read.insert(seen.read.begin(), seen.read.end());
      // The newest point, which comes first, needs all packs; with the last of them every point is proven.
      EXPECT_EQ(verified(level), n == kPoints ? kPoints : 0) << n;
      EXPECT_EQ(seen.later == 0, n == kPoints) << n;
    }
    EXPECT_EQ(read.size(), packs.size());
    for (const auto& [name, _] : packs) EXPECT_EQ(read.count(name), 1U) << name;
  }
}

TEST_F(Rounds, ARunWithoutABudgetReadsSharedPacksOnce) {
  run(1);
  Seen seen = run(std::nullopt);
  EXPECT_EQ(std::set<std::string>(seen.read.begin(), seen.read.end()).size(), packs.size());
  EXPECT_EQ(seen.read.size(), packs.size());   // the memory of the run before does not count
  EXPECT_EQ(verified(), kPoints);
}

TEST_F(Rounds, TheNextRoundBeginsAnew) {
  for (int round = 0; round < 3; ++round) {
    std::multiset<std::string> read;
    for (int n = 0; n < kPoints; ++n)
      for (const auto& name : run(1).read) read.insert(name);
    for (const auto& [name, _] : packs) EXPECT_EQ(read.count(name), 1U) << "round " << round;
  }
}

TEST_F(Rounds, AWholeRoundFitsTheBytesOfAllPacks) {
  std::uint64_t all = 0;
  for (const auto& [_, size] : packs) all += size;
  EXPECT_EQ(run(all - 1).read.size(), packs.size() - 1);
  EXPECT_EQ(run(all).read.size(), packs.size() - (packs.size() - 1));
  EXPECT_EQ(verified(), kPoints);
}

TEST_F(Rounds, NothingBeginsWhenTheTimeIsOver) {
  seconds_a_pack = 60;
  EXPECT_EQ(run(std::nullopt, Level::content, std::chrono::seconds(150)).read.size(), 3U);
  EXPECT_EQ(run(std::nullopt, Level::content, std::chrono::seconds(1)).read.size(), 1U);
  EXPECT_EQ(run(std::nullopt, Level::content, std::chrono::seconds(150)).read.size(), 2U);
  EXPECT_EQ(verified(), kPoints);
}

TEST_F(Rounds, WhatWasReadLongAgoIsReadAgain) {
  run(1);
  clock.advance(std::chrono::hours(24 * 31));
  std::set<std::string> read;
  for (int n = 0; n < kPoints; ++n)
    for (const auto& name : run(1).read) read.insert(name);
  EXPECT_EQ(read.size(), packs.size());
}

TEST_F(Rounds, AClockThatWasAheadMakesNothingCount) {
  const Timestamp now = clock.now();
  clock.set({now.seconds + 3'653 * kDay, 0});
  for (int n = 0; n < kPoints - 1; ++n) run(1);
  clock.set(now);
  std::set<std::string> read;
  for (int n = 0; n < kPoints; ++n)
    for (const auto& name : run(1).read) read.insert(name);
  EXPECT_EQ(read.size(), packs.size());
}

TEST_F(Rounds, AMemoryThatIsLostOrDamagedCostsReadingAndNothingElse) {
  run(1);
  const platform::Path file = folder.path() / "looked";
  Bytes bytes = platform::real_file_system().read_all(file);
  ASSERT_GT(bytes.size(), 40U);
  for (std::size_t at = 0; at < bytes.size(); at += 7) {
    Bytes wrong = bytes;
    wrong[at] ^= 1;
    platform::real_file_system().replace(file, wrong);
    LookedAt looked(platform::real_file_system(), file);
    for (const auto& [name, _] : packs) {
      crypto::Sha256 pack;
      ASSERT_TRUE(from_hex(name.substr(5), pack.bytes));
      EXPECT_FALSE(looked.when(pack, Level::bytes)) << at;
    }
  }
  platform::real_file_system().replace(file, ByteView(bytes).first(bytes.size() / 2));
  std::set<std::string> read;
  for (int n = 0; n < kPoints; ++n)
    for (const auto& name : run(1).read) read.insert(name);
  EXPECT_EQ(read.size(), packs.size());
  EXPECT_EQ(verified(), kPoints);
}

TEST_F(Rounds, ContentCountsForBytesAndNotTheOtherWayRound) {
  LookedAt looked(platform::real_file_system(), folder.path() / "x");
  crypto::Sha256 a, b;
  a.bytes[0] = 1;
  b.bytes[0] = 2;
  looked.record(a, Level::bytes, {kNow, 5});
  looked.record(b, Level::content, {kNow, 0});
  EXPECT_TRUE(looked.when(a, Level::bytes) && looked.when(b, Level::bytes) && looked.when(b, Level::content));
  EXPECT_FALSE(looked.when(a, Level::content));
}

// Damage in one pack is told by the run that reads it, and recorded at once; a point gets no good record while a pack of it is damaged.
TEST_F(Rounds, DamageIsFoundInTheRoundAndNoPointThatNeedsItPasses) {
  for (const auto& [damaged, size] : packs) {
    platform::real_file_system().replace(folder.path() / "looked", {});
    clock.advance(std::chrono::hours(1));
    store.reset();
    store.flip_bit(damaged, size * 4);
    int found = 0;
    for (int n = 0; n < kPoints; ++n) found += run(1).damage ? 1 : 0;
    EXPECT_GE(found, 1) << damaged;
    auto points = repository->points();
    EXPECT_TRUE(points.front().verification_failed) << damaged;   // the newest needs every pack
  }
}

}  // namespace
}  // namespace holdfast::backup
