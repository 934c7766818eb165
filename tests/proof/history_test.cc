// D1 and L1: clocks that jump, and two years of random acts against a model in memory.
#include <algorithm>
#include <iostream>

#include "ground.h"
#include "repository/format/container.h"

namespace holdfast::proof {
namespace {

using std::chrono::hours;

// A clock that somebody sets at the `nth` look.
class JumpingClock final : public platform::Clock {
 public:
  JumpingClock(platform::Clock& inner, std::uint64_t nth, std::int64_t seconds) : inner_(inner), nth_(nth), seconds_(seconds) {}
  Timestamp now() override {
    Timestamp t = inner_.now();
    if (++looks >= nth_) t.seconds += seconds_;
    return t;
  }
  std::chrono::nanoseconds elapsed() override { return inner_.elapsed(); }
  void sleep(std::chrono::milliseconds duration) override { inner_.sleep(duration); }
  std::uint64_t looks = 0;

 private:
  platform::Clock& inner_;
  std::uint64_t nth_;
  std::int64_t seconds_;
};

constexpr std::int64_t kYear = 31'556'952;

struct Clocks : ::testing::TestWithParam<Operation> {};

void expect_done(Machine& machine, const Operation& operation) {
  const Undisturbed& ends = undisturbed(operation);
  Program run(machine);
  ASSERT_NO_THROW(operation.act(run));
  machine.now = &machine.clock;
  ASSERT_NO_THROW(EXPECT_EQ(observe(machine), ends.after));
}

TEST_P(Clocks, StandAnywhere) {
  // 1970, before it, the last second of 2037's clocks, the year 9999, a leap day, the hours when summer time begins and ends.
  for (std::int64_t second : {INT64_C(0), INT64_C(-86400 * 3650), INT64_C(2147483647), INT64_C(253402300799), INT64_C(1835395200), INT64_C(1774746000),
                              INT64_C(1792890000)}) {
    SCOPED_TRACE(GetParam().name + " at " + std::to_string(second));
    Machine machine(8000);
    put_image(machine, undisturbed(GetParam()).image);
    machine.clock.set({second, 999'999'999});
    expect_done(machine, GetParam());
  }
}

TEST_P(Clocks, JumpAtEveryLook) {
  const Operation& operation = GetParam();
  std::uint64_t looks, runs = 0;
  {
    Machine machine(8001);
    put_image(machine, undisturbed(operation).image);
    JumpingClock clock(machine.clock, UINT64_MAX, 0);
    machine.now = &clock;
    expect_done(machine, operation);
    looks = clock.looks;
  }
  for (std::int64_t years : {10, -10}) {
    for (std::uint64_t nth = 1; nth <= looks; ++nth) {
      SCOPED_TRACE(operation.name + ": " + std::to_string(years) + " years at look " + std::to_string(nth));
      Machine machine(8002 + nth);
      put_image(machine, undisturbed(operation).image);
      JumpingClock clock(machine.clock, nth, years * kYear);
      machine.now = &clock;
      expect_done(machine, operation);
      ++runs;
      if (HasFailure()) return;
    }
  }
  if (looks > 0) expect_all("D1 jumps " + operation.name, 2 * looks, runs);
}

INSTANTIATE_TEST_SUITE_P(Operations, Clocks, ::testing::ValuesIn(operations()), [](const auto& made) { return made.param.name; });

// -- two years

// What must be true of the repository. A run that was killed may have made its point: then it is adopted.
struct Known { unsigned version = 0; bool pinned = false, imported = false; };

class History {
 public:
  explicit History(std::uint64_t seed) : seed_(seed), random_(seed), first_(seed), second_(seed + 1) {
    second_.id = "machine-2";
    Program run(first_);
    make_repository(run.context(), password());
  }

  // One act, two days after the last on average. What it was, for messages.
  std::string act() {
    std::uint64_t dice = random_() % 100;
    first_.clock.advance(hours(random_() % 96));
    if (random_() % 25 == 0) first_.clock.set({first_.clock.now().seconds + static_cast<std::int64_t>(random_() % 20) * kYear / 20 - kYear / 2, 0});
    if (dice < 40) return backup(false);
    if (dice < 50) return backup(true);
    if (dice < 60) return killed_backup();
    if (dice < 75) return forget();
    if (dice < 82) return pin();
    if (dice < 86) return copy();
    if (dice < 89) return import();
    if (dice < 93) return verify();
    if (dice < 99) return prune();
    return rotate();
  }

  void expect_as_known(bool restore) {
    Program run(first_);
    for (const auto& finding : run.repository().chain_findings()) ADD_FAILURE() << finding.message;
    auto points = run.repository().points();
    EXPECT_EQ(points.size(), known_.size());
    for (const auto& point : points) {
      auto it = known_.find(point.id);
      ASSERT_NE(it, known_.end()) << "a point that nobody made: " << point.label;
      EXPECT_EQ(point.pinned, it->second.pinned);
      EXPECT_EQ(version_of_label(point.label), it->second.version);
      if (restore) {
        EXPECT_EQ(difference(run.repository(), point), "") << point.label;
      }
    }
    if (!restore) return;
    auto report = run.repository().check({repository::Level::content, 1.0, {nullptr, nullptr, 1}});
    for (const auto& d : report.damaged) ADD_FAILURE() << d.name << ": " << d.what;
  }
  std::size_t points() const { return known_.size(); }
  std::uint64_t bytes() {
    std::uint64_t all = 0;
    for (const auto& [path, content] : take_image(first_).files)
      if (path.native().starts_with("repository/pack/")) all += content.size();
    return all;
  }
  void finish() {
    prune();
    expect_as_known(true);
  }

 private:
  PointId any(bool pinned_too) {
    std::vector<PointId> ids;
    for (const auto& [id, known] : known_)
      if (pinned_too || !known.pinned) ids.push_back(id);
    return ids.empty() ? PointId{} : ids[random_() % ids.size()];
  }
  unsigned next_version() {
    if (random_() % 3 != 0 && version_ < 40) ++version_;
    return version_;
  }
  // The other machine writes into the same repository.
  repository::Context others(store::ObjectStore& store, repository::LocalState& state) {
    return {store, first_.clock, second_.entropy, &state, "ns02", "0.1.0", {}};
  }

  std::string backup(bool by_another) {
    unsigned n = next_version();
    Program run(first_);
    if (!by_another) {
      known_[back_up(run.repository(), first_.clock, n)] = {n, false, false};
      return "backup";
    }
    repository::LocalState state(second_.disk, kState, second_.id);
    known_[back_up(*repository::open(others(run.store(), state), password()), first_.clock, n)] = {n, false, false};
    return "backup by another machine";
  }
  std::string killed_backup() {
    unsigned n = next_version();
    first_.all.reset();
    first_.all.kill_at_change(1 + random_() % 60);
    try {
      Program run(first_);
      known_[back_up(run.repository(), first_.clock, n)] = {n, false, false};
    } catch (const platform::Killed&) {
    }
    first_.no_faults();
    if (random_() % 2 == 0) first_.disk.lose_unsynced(random_());
    Program run(first_);
    for (const auto& point : run.repository().points())
      if (!known_.contains(point.id) && version_of_label(point.label) == n) known_[point.id] = {n, false, false};
    return "killed backup";
  }
  // As a rule of retention does: down to a few.
  std::string forget() {
    std::vector<PointId> gone;
    while (known_.size() - gone.size() > 6) {
      PointId id = any(false);
      if (id == PointId{} || random_() % 40 == 0) break;
      if (std::find(gone.begin(), gone.end(), id) == gone.end()) gone.push_back(id);
    }
    if (gone.empty()) return "nothing";
    Program run(first_);
    run.repository().forget(gone, "retention");
    for (const PointId& id : gone) known_.erase(id);
    return "forget";
  }
  std::string pin() {
    PointId id = any(true);
    if (id == PointId{}) return "nothing";
    bool pinned = random_() % 3 == 0;
    Program run(first_);
    run.repository().pin(id, pinned);
    known_[id].pinned = pinned;
    return "pin";
  }
  std::string copy() {
    Program run(first_);
    repository::copy(run.store(), run.copy_store(), first_.clock, first_.entropy, {nullptr, nullptr, 1});
    repository::Context context{run.copy_store(), first_.clock, first_.entropy, nullptr, "", "", {}};
    auto there = repository::open(context, password());
    for (const auto& point : there->points()) {
      if (known_.contains(point.id)) {
        EXPECT_EQ(difference(*there, point), "") << "in the copy";
      }
    }
    return "copy";
  }
  // A backup file of another server, taken in.
  std::string import() {
    unsigned n = next_version();
    Machine other(random_());
    store::MemoryStore store;
    repository::Context context{store, first_.clock, other.entropy, nullptr, "elsewhere", "0.1.0", {}};
    make_repository(context, password());
    auto from = repository::open(context, password());
    PointId id = back_up(*from, first_.clock, n);
    Program run(first_);
    known_[repository::transfer(*from, id, {}, run.repository(), {nullptr, nullptr, 1})] = {n, false, true};
    return "import";
  }
  std::string verify() {
    PointId id = any(true);
    if (id == PointId{}) return "nothing";
    Program run(first_);
    EXPECT_TRUE(run.repository().verify(id, {repository::Level::content, 1.0, {nullptr, nullptr, 1}}).damaged.empty());
    return "verify";
  }
  std::string prune() {
    repository::PruneOptions options;
    options.most_unused = random_() % 2 == 0 ? 0 : 0.2;
    options.unused_for = std::chrono::seconds(0);
    options.rewrite_old_epochs = random_() % 4 == 0;
    options.run = {nullptr, nullptr, 1};
    Program run(first_);
    run.repository().prune(options);
    return "prune";
  }
  std::string rotate() {
    Program run(first_);
    run.repository().rotate_keys();
    return "key rotate";
  }

  std::uint64_t seed_;
  Random random_;
  Machine first_, second_;
  unsigned version_ = 1;
  std::map<PointId, Known> known_;
};

TEST(History, TwoYearsOfAnythingAgreeWithTheModel) {
  constexpr int kActs = 365;   // one every two days
  for (std::uint64_t seed = first_seed(); seed < first_seed() + factor(); ++seed) {
    History history(seed);
    std::map<std::string, int> acts;
    for (int i = 0; i < kActs; ++i) {
      std::string what;
      ASSERT_NO_THROW(what = history.act()) << "seed " << seed << ", act " << i;
      SCOPED_TRACE("seed " + std::to_string(seed) + ", act " + std::to_string(i) + ": " + what);
      ++acts[what];
      if (i % 3 == 2) {
        ASSERT_NO_THROW(history.expect_as_known(i % 30 == 29));
      }
      if (HasFailure()) return;
    }
    ASSERT_NO_THROW(history.finish());
    std::cout << "[ L1 seed " << seed << " ] " << kActs << " acts, " << history.points() << " points, " << history.bytes() << " bytes of packs;";
    for (const auto& [what, count] : acts) std::cout << " " << what << " " << count;
    std::cout << std::endl;
  }
}

}  // namespace
}  // namespace holdfast::proof
