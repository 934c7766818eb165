// A5, A6: a prune and a backup that refers to what is being deleted, interleaved at every call and killed anywhere; a hundred kills in a row.
#include <iostream>

#include "ground.h"

namespace holdfast::proof {
namespace {

// A store in the middle of whose nth call something else happens, or in which the program dies.
class Interleaved final : public store::ObjectStore {
 public:
  explicit Interleaved(store::ObjectStore& inner) : inner_(inner) {}
  std::function<void()> meanwhile;   // before call `at`
  std::uint64_t at = 0;
  std::uint64_t dies_at = 0;         // 0: never
  std::uint64_t calls = 0;

  using ObjectStore::put;
  void put(const std::string& name, std::span<const ByteView> parts) override { step(); inner_.put(name, parts); }
  Bytes get(const std::string& name, std::uint64_t limit) override { step(); return inner_.get(name, limit); }
  void get_range(const std::string& name, std::uint64_t offset, MutableBytes out) override { step(); inner_.get_range(name, offset, out); }
  std::optional<store::ObjectInfo> info(const std::string& name) override { step(); return inner_.info(name); }
  void list(std::string_view prefix, const std::function<void(const store::ObjectInfo&)>& visit) override { step(); inner_.list(prefix, visit); }
  void remove(const std::string& name) override { step(); inner_.remove(name); }
  std::string location() const override { return "memory"; }

 private:
  void step() {
    ++calls;
    if (dies_at != 0 && calls >= dies_at) throw platform::Killed{};
    if (calls == at && meanwhile) std::exchange(meanwhile, nullptr)();
  }
  store::ObjectStore& inner_;
};

// Two machines and one repository: points 1 to 3, of which 1 is forgotten, so that its chunks are to go; a backup of version 1 wants them.
struct Both {
  store::MemoryStore store;
  Machine first{1}, second{2};
  repository::LocalState first_state{first.disk, kState, "machine-1"}, second_state{second.disk, "other-state", "machine-2"};

  explicit Both(const store::MemoryStore::Objects& objects = {}) {
    if (!objects.empty()) store.set_objects(objects);
  }
  repository::Context context(store::ObjectStore& s, bool is_first) {
    Machine& m = is_first ? first : second;
    return {s, m.clock, m.entropy, is_first ? &first_state : &second_state, is_first ? "a" : "b", "0.1.0", {}};
  }
  void prune(Interleaved& s) {
    repository::PruneOptions options;
    options.most_unused = 0;
    options.unused_for = std::chrono::seconds(0);
    options.run = {nullptr, nullptr, 1};
    repository::open(context(s, true), password())->prune(options);
  }
  PointId backup(Interleaved& s, unsigned n = 1) {
    auto repository = repository::open(context(s, false), password());
    return back_up(*repository, second.clock, n);
  }
  // Every point comes back, `acknowledged` is one of them, and nothing that is needed is missing.
  void expect_whole(const std::vector<PointId>& acknowledged) {
    auto repository = repository::open({store, first.clock, first.entropy, nullptr, "", "", {}}, password());
    for (const auto& finding : repository->chain_findings()) ADD_FAILURE() << finding.message;
    auto points = repository->points();
    for (const auto& point : points) EXPECT_EQ(difference(*repository, point), "") << point.label;
    for (const PointId& id : acknowledged)
      EXPECT_TRUE(std::any_of(points.begin(), points.end(), [&](const auto& p) { return p.id == id; })) << "an acknowledged point is gone";
    for (unsigned n : {2U, 3U})
      EXPECT_TRUE(std::any_of(points.begin(), points.end(), [&](const auto& p) { return p.label == label_of(n); })) << "an earlier point is gone";
    for (const auto& d : repository->check({repository::Level::content, 1.0, {nullptr, nullptr, 1}}).damaged) ADD_FAILURE() << d.name << ": " << d.what;
  }
};

const store::MemoryStore::Objects& beginning() {
  static const store::MemoryStore::Objects objects = [] {
    Both both;
    make_repository(both.context(both.store, true), password());
    auto repository = repository::open(both.context(both.store, true), password());
    PointId one = back_up(*repository, both.first.clock, 1);
    back_up(*repository, both.first.clock, 2);
    back_up(*repository, both.first.clock, 3);
    repository->forget({one}, "retention");
    return both.store.objects();
  }();
  return objects;
}

std::uint64_t calls_of(const std::function<void(Both&, Interleaved&)>& act) {
  Both both(beginning());
  Interleaved store(both.store);
  act(both, store);
  return store.calls;
}

TEST(PruneAndBackup, AWholeBackupAtEveryCallOfAPrune) {
  std::uint64_t calls = calls_of([](Both& b, Interleaved& s) { b.prune(s); }), runs = 0;
  for (std::uint64_t n = 1; n <= calls; ++n) {
    SCOPED_TRACE("backup before call " + std::to_string(n) + " of a prune");
    Both both(beginning());
    Interleaved pruning(both.store), backing(both.store);
    std::vector<PointId> acknowledged;
    pruning.at = n;
    pruning.meanwhile = [&] { acknowledged.push_back(both.backup(backing)); };
    ASSERT_NO_THROW(both.prune(pruning));
    ASSERT_EQ(acknowledged.size(), 1u);
    ASSERT_NO_THROW(both.expect_whole(acknowledged));
    ++runs;
    if (HasFailure()) return;
  }
  expect_all("A5 backup within prune", calls, runs);
}

TEST(PruneAndBackup, AWholePruneAtEveryCallOfABackup) {
  std::uint64_t calls = calls_of([](Both& b, Interleaved& s) { b.backup(s); }), runs = 0;
  for (std::uint64_t n = 1; n <= calls; ++n) {
    SCOPED_TRACE("prune before call " + std::to_string(n) + " of a backup");
    Both both(beginning());
    Interleaved pruning(both.store), backing(both.store);
    backing.at = n;
    backing.meanwhile = [&] { both.prune(pruning); };
    std::vector<PointId> acknowledged;
    ASSERT_NO_THROW(acknowledged.push_back(both.backup(backing)));
    ASSERT_NO_THROW(both.expect_whole(acknowledged));
    ++runs;
    if (HasFailure()) return;
  }
  expect_all("A5 prune within backup", calls, runs);
}

// A prune that dies at any call in the middle of a backup at any call, or the other way round; then both run to their end.
TEST(PruneAndBackup, EitherDiesWithinTheOther) {
  std::uint64_t prune_calls = calls_of([](Both& b, Interleaved& s) { b.prune(s); });
  std::uint64_t backup_calls = calls_of([](Both& b, Interleaved& s) { b.backup(s); });
  const std::uint64_t seeds = 200 * factor();
  std::uint64_t runs = 0;
  for (std::uint64_t seed = first_seed(); seed < first_seed() + seeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    Both both(beginning());
    Interleaved outer(both.store), inner(both.store), after(both.store);
    bool prune_outside = random() % 2 == 0;
    outer.at = 1 + random() % (prune_outside ? prune_calls : backup_calls);
    inner.dies_at = 1 + random() % (prune_outside ? backup_calls : prune_calls);
    if (random() % 3 == 0) outer.dies_at = outer.at + 1 + random() % 20;
    outer.meanwhile = [&] {
      try {
        if (prune_outside) both.backup(inner);
        else both.prune(inner);
      } catch (const platform::Killed&) {
      }
    };
    std::vector<PointId> acknowledged;
    try {
      if (prune_outside) both.prune(outer);
      else acknowledged.push_back(both.backup(outer));
    } catch (const platform::Killed&) {
    }
    ASSERT_NO_THROW(both.expect_whole(acknowledged));
    ASSERT_NO_THROW(both.prune(after));
    ASSERT_NO_THROW(acknowledged.push_back(both.backup(after)));
    ASSERT_NO_THROW(both.expect_whole(acknowledged));
    ++runs;
    if (HasFailure()) return;
  }
  std::cout << "[ A5 seeds " << first_seed() << " to " << first_seed() + seeds - 1 << " ]" << std::endl;
  expect_all("A5 killed within one another", seeds, runs);
}

TEST(CrashLoop, AHundredKillsInARowThenACleanRunAndTheSpaceIsFree) {
  const std::uint64_t seed = first_seed();
  Random random(seed);
  Machine machine(seed);
  {
    Program run(machine);
    make_repository(run.context(), password());
    back_up(run.repository(), machine.clock, 1);
  }
  auto prune = [&] {
    Program run(machine);
    repository::PruneOptions options;
    options.most_unused = 0;
    options.unused_for = std::chrono::seconds(0);
    options.run = {nullptr, nullptr, 1};
    run.repository().prune(options);
  };
  std::uint64_t kills = 0, tries = 0;
  for (unsigned n = 2; kills < 100 * factor() && tries < 1000 * factor(); ++tries) {
    SCOPED_TRACE("seed " + std::to_string(seed) + ", kill " + std::to_string(kills));
    machine.all.reset();
    machine.all.kill_at_change(1 + random() % 40);
    try {
      if (random() % 3 == 0) {
        prune();
      } else {
        Program run(machine);
        back_up(run.repository(), machine.clock, n);
        ++n;
      }
    } catch (const platform::Killed&) {
      ++kills;
      if (random() % 2 == 0) machine.disk.lose_unsynced(random());
    }
    machine.no_faults();
    machine.clock.advance(std::chrono::hours(1));
  }
  machine.clock.advance(std::chrono::hours(80));   // what is unfinished is left alone for three days
  {
    Program run(machine);
    std::vector<PointId> all;
    for (const auto& point : run.repository().points()) all.push_back(point.id);
    back_up(run.repository(), machine.clock, 1);
    run.repository().forget(all, "retention");
  }
  ASSERT_NO_THROW(prune());
  Facts facts = observe(machine);
  EXPECT_TRUE(facts.contains("repository point v1"));
  // What is left beside one point's data is records, which are never deleted.
  Machine fresh(seed + 1);
  Program run(fresh);
  make_repository(run.context(), password());
  back_up(run.repository(), fresh.clock, 1);
  auto bytes_of = [](Machine& m, const std::string& folder) {
    std::uint64_t bytes = 0;
    for (const auto& [path, content] : take_image(m).files)
      if (path.native().starts_with("repository/" + folder + "/")) bytes += content.size();
    return bytes;
  };
  for (const char* folder : {"pack", "index", "inventory", "point"})
    EXPECT_LE(bytes_of(machine, folder), 2 * bytes_of(fresh, folder) + 4000) << folder;
  EXPECT_EQ(bytes_of(machine, "tmp"), 0u);
  expect_all("A6 kills in a row, seed " + std::to_string(seed) + ",", 100 * factor(), kills);
}

}  // namespace
}  // namespace holdfast::proof
