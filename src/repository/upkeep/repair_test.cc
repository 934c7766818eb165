// What check says is lost against what can be restored, and that a repair brings back what it can and harms nothing.
#include "repository/upkeep/repair.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "platform/testing.h"
#include "repository/data/data_testing.h"
#include "repository/format/envelope.h"
#include "store/testing.h"

namespace holdfast::repository {
namespace {

using testing::Model;
using testing::Random;
using Files = std::map<std::string, Bytes>;   // by path in the item

constexpr crypto::Argon2Cost kCheap{64, 1};

void collect(const Model& m, const std::string& path, Files& files) {
  if (m.entry.kind == tree::Kind::file) files[path] = m.content;
  for (const auto& [name, child] : m.children) collect(child, path.empty() ? name : path + "/" + name, files);
}

// Small files share frames, the larger ones have their own.
Model random_server(Random& random) {
  Model m = testing::random_tree(random, 3);
  for (int i = 0; i < 6; ++i) {
    Model large = testing::file(testing::random_bytes(random, 70'000 + random() % 60'000), 2000 + i);
    large.entry.name = "large" + std::to_string(i);
    m.children[large.entry.name] = large;
  }
  return m;
}

void change_some(Model& m, Random& random) {
  for (auto& [name, child] : m.children) {
    if (child.entry.kind == tree::Kind::directory) change_some(child, random);
    if (child.entry.kind != tree::Kind::file || child.entry.sparse || random() % 4 != 0) continue;
    std::string kept = child.entry.name;
    child = testing::file(testing::random_bytes(random, 200 + random() % 80'000), 5000);
    child.entry.name = kept;
  }
}

struct RepairTest : ::testing::Test {
  store::MemoryStore store, copy_store;
  platform::ManualClock clock;
  platform::SeededEntropy entropy{7};
  platform::MemoryFileSystem files{clock};
  LocalState state{files, "state", "machine"};
  std::map<PointId, Files> points;
  Model server;
  Random random;

  Context context() { return {store, clock, entropy, &state, "ns", "0.1.0"}; }
  std::unique_ptr<Repository> open_now() { return open(context(), password_secret(as_bytes("correct"))); }

  void make(std::uint64_t seed) {
    random.seed(seed);
    SCOPED_TRACE("seed " + std::to_string(seed));
    server = random_server(random);
    std::unique_ptr<Repository> repository = create(context(), password_secret(as_bytes("correct")), kCheap).repository;
    tree::NodePtr previous;
    for (int i = 0; i < 3; ++i) {
      if (i > 0) change_some(server, random);
      previous = back_up(*repository, previous);
    }
    copy(store, copy_store, clock, entropy, {});
  }

  tree::NodePtr back_up(Repository& repository, const tree::NodePtr& previous) {
    auto session = repository.begin_backup({nullptr, nullptr, 2});
    PointDraft draft;
    draft.system_name = "ns01";
    draft.started = draft.finished = clock.now();
    clock.sleep(std::chrono::seconds(1));
    draft.items.push_back(testing::capture_item(*session, server, random, previous));
    PointId id = session->publish(draft);
    collect(server, "", points[id]);
    return repository.open_item(repository.load(id), "item");
  }

  std::vector<std::string> names(const store::MemoryStore& in, const std::string& prefix = "") {
    std::vector<std::string> all;
    for (const auto& [name, bytes] : in.objects()) {
      if (name.starts_with(prefix)) all.push_back(name);
    }
    return all;
  }

  void damage(store::MemoryStore& in, const std::string& name) {
    auto objects = in.objects();
    Bytes& bytes = objects[name];
    if (bytes.empty()) return;
    switch (random() % 4) {
      case 0:   // a slot that is gone was removed, as far as anybody can tell
        if (!name.starts_with("slot/")) objects.erase(name);
        break;
      case 1: bytes.resize(random() % bytes.size()); break;
      default: bytes[random() % bytes.size()] ^= static_cast<std::uint8_t>(1 + random() % 255); break;
    }
    in.set_objects(objects);
  }
  void damage_some(store::MemoryStore& in, const std::string& prefix, std::size_t most) {
    for (std::size_t i = 1 + random() % most; i > 0; --i) {
      std::vector<std::string> all = names(in, prefix);
      std::erase_if(all, [](const std::string& n) { return n.starts_with("replica/"); });
      if (!all.empty()) damage(in, all[random() % all.size()]);
    }
  }

  void damage_largest_pack() {
    auto objects = store.objects();
    std::string largest;
    for (const std::string& name : names(store, "pack/")) {
      if (largest.empty() || objects[name].size() > objects[largest].size()) largest = name;
    }
    objects[largest][objects[largest].size() / 2] ^= 1;
    store.set_objects(objects);
  }

  // The model: which files come back, by trying. A file that comes back wrong is a failure.
  using Lost = std::set<std::pair<PointId, std::string>>;
  std::optional<Lost> lost_files() {
    std::unique_ptr<Repository> repository;
    try {
      repository = open_now();
    } catch (const Error&) {
      return std::nullopt;
    }
    Lost lost;
    for (const auto& [id, contents] : points) {
      for (const auto& [path, content] : contents) {
        try {
          tree::NodePtr node = tree::find(repository->open_item(repository->load(id), "item"), path);
          if (!node) throw Error(Code::not_found, "it is not there");
          EXPECT_TRUE(node->read_all() == content) << "wrong bytes: " << path;
        } catch (const Error&) {
          lost.insert({id, path});
        }
      }
    }
    return lost;
  }

  Repair repair(std::vector<store::ObjectStore*> copies = {}) {
    return Repair({store, [this] { return open_now(); }, std::move(copies), {}});
  }

  void expect_not_worse(const std::optional<Lost>& before, const std::optional<Lost>& after) {
    if (!before) return;
    ASSERT_TRUE(after) << "it cannot be opened any more";
    for (const auto& [id, path] : *after) EXPECT_TRUE(before->contains({id, path})) << "lost by the repair: " << path;
  }
};

bool below(const std::string& path, const std::string& directory) {
  return directory.empty() || path.starts_with(directory + "/");
}

// Against `lost`, for the points that can be read.
void expect_exact(Repository& repository, const std::vector<AffectedFile>& told, const std::set<std::pair<PointId, std::string>>& lost) {
  std::set<PointId> readable;
  for (const PointSummary& p : repository.points()) {
    try {
      repository.load(p.id);
      readable.insert(p.id);
    } catch (const Error&) {
    }
  }
  for (const auto& [id, path] : lost) {
    if (!readable.contains(id)) continue;
    bool covered = std::any_of(told.begin(), told.end(), [&, point = id, file = path](const AffectedFile& f) {
      return f.point == point && (f.listing ? below(file, f.path) || f.path == file : f.path == file);
    });
    EXPECT_TRUE(covered) << "lost and not told: " << path << " of " << short_id(id);
  }
  for (const AffectedFile& f : told) {
    if (!f.listing) {
      EXPECT_TRUE(lost.contains({f.point, f.path})) << "told and not lost: " << f.path;
      continue;
    }
    tree::NodePtr directory = tree::find(repository.open_item(repository.load(f.point), "item"), f.path);
    if (directory) {
      EXPECT_THROW(directory->children([](tree::NodePtr) { return true; }), Error) << f.path;
    }
  }
}

class Seeds : public RepairTest, public ::testing::WithParamInterface<int> {};
INSTANTIATE_TEST_SUITE_P(Random, Seeds, ::testing::Range(1, 13), [](const auto& at) { return "seed" + std::to_string(at.param); });

TEST_P(Seeds, CheckTellsExactlyTheFilesThatCannotBeRestored) {
  make(static_cast<std::uint64_t>(GetParam()));
  damage_some(store, GetParam() % 3 == 0 ? "" : "pack/", 3);
  std::optional<Lost> lost = lost_files();
  if (!lost) {
    EXPECT_FALSE(check_objects(store, {Level::bytes, 1.0, {}}).damaged.empty());
    return;
  }
  std::unique_ptr<Repository> repository = open_now();
  std::vector<AffectedFile> told;
  CheckOptions options;
  options.level = GetParam() % 2 == 0 ? Level::bytes : Level::content;
  options.affected = [&](const AffectedFile& f) { told.push_back(f); };
  CheckReport report = repository->check(options);
  EXPECT_TRUE(report.files_known);
  expect_exact(*repository, told, *lost);
  if (!lost->empty()) {
    EXPECT_FALSE(report.damaged.empty() && repository->chain_findings().empty());
  }
  std::size_t counted = 0;
  for (const DamagedObject& object : report.damaged) {
    for (const AffectedFiles& f : object.files) {
      counted += f.count;
      EXPECT_EQ(f.first.size(), std::min<std::uint64_t>(f.count, kFirstPaths));
    }
  }
  EXPECT_EQ(counted, told.size());
}

TEST_P(Seeds, ACopyMakesEverythingWholeAgain) {
  make(static_cast<std::uint64_t>(GetParam()) + 100);
  const store::MemoryStore::Objects whole = store.objects();
  damage_some(store, "", 6);
  const store::MemoryStore::Objects damaged = store.objects();

  Repair dry = repair({&copy_store});
  RepairPlan plan = dry.plan();
  EXPECT_TRUE(store.objects() == damaged) << "a plan changed something";

  RepairResult result = dry.apply(plan, {});
  EXPECT_TRUE(result.left.damaged.empty()) << result.left.damaged.front().name << ": " << result.left.damaged.front().what;
  EXPECT_TRUE(result.chain.empty()) << result.chain.front().message;
  std::optional<Lost> lost = lost_files();
  ASSERT_TRUE(lost);
  EXPECT_TRUE(lost->empty()) << lost->begin()->second;
  for (const auto& [name, bytes] : store.objects()) {
    EXPECT_TRUE(whole.contains(name) && whole.at(name) == bytes) << "not what it was: " << name;
  }
}

TEST_P(Seeds, WhatIsUnchangedAtTheSourceComesBack) {
  make(static_cast<std::uint64_t>(GetParam()) + 200);
  damage_some(store, GetParam() % 2 == 0 ? "pack/" : "", 3);
  std::optional<Lost> before = lost_files();
  Repair run = repair();
  RepairPlan plan = run.plan();
  std::set<std::string> read;
  RepairResult result = run.apply(plan, [&](Mending& mending) {
    for (const auto& [item, paths] : mending.wanted()) {
      read.insert(paths.begin(), paths.end());
      testing::capture(server, mending.reread(item), random, true);
    }
  });
  std::optional<Lost> after = lost_files();
  expect_not_worse(before, after);
  if (!before || !after) return;
  Files now;
  collect(server, "", now);
  std::unique_ptr<Repository> repository = open_now();
  std::vector<AffectedFile> told;
  CheckOptions options;
  options.level = Level::bytes;
  options.affected = [&](const AffectedFile& f) { told.push_back(f); };
  repository->check(options);
  for (const auto& [id, path] : *after) {
    bool listed = std::any_of(told.begin(), told.end(), [&, point = id, file = path](const AffectedFile& f) {
      return f.point == point && !f.listing && f.path == file;
    });
    if (!listed || !read.contains(path)) continue;   // its listing is lost, or its point
    EXPECT_FALSE(now.contains(path) && now[path] == points[id][path]) << "unchanged at the source and not brought back: " << path;
  }
  if (after->empty() && result.problems.empty()) {
    for (const DamagedObject& left : result.left.damaged) {
      EXPECT_FALSE(left.name.starts_with("pack/") || left.name.starts_with("index/") || left.name.starts_with("inventory/"))
          << "nothing is lost, and still: " << left.name << ": " << left.what;
    }
  }
  expect_exact(*repository, told, *after);
}

TEST_P(Seeds, ADamagedCopyNeverMakesItWorse) {
  make(static_cast<std::uint64_t>(GetParam()) + 300);
  damage_some(store, "", 6);
  damage_some(copy_store, "", 8);
  std::optional<Lost> before = lost_files();
  Repair run = repair({&copy_store});
  try {
    RepairPlan plan = run.plan();
    run.apply(plan, {});
  } catch (const Error& error) {
    EXPECT_TRUE(error.code() == Code::precondition || error.code() == Code::damaged || error.code() == Code::wrong_key) << error.what();
  }
  expect_not_worse(before, lost_files());
}

TEST_F(RepairTest, OneFlippedByteCostsOneFrame) {
  make(1);
  damage_largest_pack();
  std::optional<Lost> lost = lost_files();
  ASSERT_TRUE(lost);
  std::size_t all = 0;
  for (const auto& [id, contents] : points) all += contents.size();
  EXPECT_FALSE(lost->empty());
  EXPECT_LT(lost->size(), all / 2);
}

TEST_F(RepairTest, AHardLinkIsLostWithThePackOfItsFile) {
  server = testing::directory();
  server.children["a"] = testing::file(testing::random_bytes(random, 100'000));
  server.children["b"].entry.kind = tree::Kind::hard_link;
  server.children["b"].entry.target = "a";
  for (auto& [name, child] : server.children) child.entry.name = name;
  back_up(*create(context(), password_secret(as_bytes("correct")), kCheap).repository, nullptr);
  damage_largest_pack();
  std::vector<std::string> told;
  CheckOptions options;
  options.level = Level::bytes;
  options.affected = [&](const AffectedFile& f) { told.push_back(f.path + " with " + f.object.substr(0, 5)); };
  open_now()->check(options);
  EXPECT_EQ(told, (std::vector<std::string>{"a with pack/", "b with pack/"}));
}

TEST_F(RepairTest, WhatIsReplacedIsNoProblemOfAPoint) {
  make(4);
  damage_largest_pack();
  Repair run = repair();
  RepairResult result = run.apply(run.plan(), [&](Mending& m) {
    for (const auto& [item, paths] : m.wanted()) testing::capture(server, m.reread(item), random, true);
  });
  std::unique_ptr<Repository> repository = open_now();
  std::optional<Lost> lost = lost_files();
  ASSERT_TRUE(lost);
  for (const PointSummary& point : repository->points()) {
    bool whole = std::none_of(lost->begin(), lost->end(), [&](const auto& l) { return l.first == point.id; });
    for (Level level : {Level::exists, Level::bytes, Level::content}) {
      CheckReport report = repository->verify(point.id, {level, 1.0, {}});
      if (whole && result.left.damaged.empty()) {
        EXPECT_TRUE(report.damaged.empty()) << to_text(level) << ": " << report.damaged.front().what;
      }
    }
    if (!whole) {
      EXPECT_FALSE(repository->verify(point.id, {Level::content, 1.0, {}}).damaged.empty());
    }
  }
}

TEST_F(RepairTest, AnotherRepositoryIsNoCopy) {
  make(1);
  store::MemoryStore other;
  Context elsewhere{other, clock, entropy, nullptr, "ns", "0.1.0"};
  create(elsewhere, password_secret(as_bytes("correct")), kCheap);
  Repair run = repair({&other});
  EXPECT_THROW(run.plan(), Error);
}

TEST_F(RepairTest, WithoutAKeyACopyBringsBackEvenTheWayIn) {
  make(2);
  auto objects = store.objects();
  std::erase_if(objects, [](const auto& o) { return o.first.starts_with("slot/") || o.first.starts_with("repository/"); });
  store.set_objects(objects);
  Repair run({store, {}, {&copy_store}, {}});
  RepairPlan plan = run.plan();
  EXPECT_FALSE(plan.damage.damaged.empty());
  EXPECT_TRUE(run.apply(plan, {}).left.damaged.empty());
  EXPECT_TRUE(lost_files().value().empty());
}

// Killed after any of its puts, it harmed nothing, and the next one goes on.
TEST_F(RepairTest, KilledAnywhereItHarmsNothing) {
  make(3);
  damage_largest_pack();
  const store::MemoryStore::Objects damaged = store.objects();
  std::optional<Lost> before = lost_files();
  std::uint64_t counted = 0;
  auto run_on = [&](store::ObjectStore& on) {
    Repair run({on, [&] { return open({on, clock, entropy, &state, "ns", "0.1.0"}, password_secret(as_bytes("correct"))); }, {}, {}});
    RepairPlan plan = run.plan();
    return run.apply(plan, [&](Mending& m) {
      for (const auto& [item, paths] : m.wanted()) testing::capture(server, m.reread(item), random, true);
    });
  };
  {
    store::FaultyStore counting(store);
    run_on(counting);
    counted = counting.calls(store::StoreCall::put);
  }
  std::optional<Lost> finished = lost_files();
  std::uint64_t runs = 0;
  for (std::uint64_t put = 1; put <= counted; ++put) {
    store.set_objects(damaged);
    store::FaultyStore faulty(store);
    faulty.kill_after_put(put);
    EXPECT_THROW(run_on(faulty), platform::Killed);
    ++runs;
    expect_not_worse(before, lost_files());
    run_on(store);
    EXPECT_TRUE(lost_files() == finished);
  }
  std::printf("calls counted %llu, runs %llu\n", static_cast<unsigned long long>(counted), static_cast<unsigned long long>(runs));
  EXPECT_EQ(runs, counted);
  EXPECT_GT(runs, 0U);
}

}  // namespace
}  // namespace holdfast::repository
