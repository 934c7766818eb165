// Prune, and everything that may run beside it: whole repositories over a store in memory, against a simple model.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <random>

#include "base/error.h"
#include "platform/testing.h"
#include "repository/format/envelope.h"
#include "repository/format/inventory.h"
#include "repository/log/log.h"
#include "repository/repository.h"
#include "store/testing.h"

namespace holdfast::repository {
namespace {

constexpr crypto::Argon2Cost kCheap{64, 1};
constexpr std::size_t kFrame = 70'000;   // a file of its own frame; smaller ones share frames

using Files = std::map<std::string, std::string>;
using Random = std::mt19937_64;

std::string random_text(Random& random, std::size_t size = kFrame) {
  std::string text(size, 0);
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

// Runs `act` once, right before the nth call that changes or reads the store.
class PausingStore final : public store::ObjectStore {
 public:
  explicit PausingStore(ObjectStore& inner) : inner_(inner) {}
  void before(std::uint64_t nth, std::function<void()> act) { at_ = nth, calls_ = 0, act_ = std::move(act); }
  std::uint64_t calls() const { return calls_; }

  using ObjectStore::put;
  void put(const std::string& name, std::span<const ByteView> parts) override { step(), inner_.put(name, parts); }
  Bytes get(const std::string& name, std::uint64_t limit) override { return step(), inner_.get(name, limit); }
  void get_range(const std::string& name, std::uint64_t offset, MutableBytes out) override { step(), inner_.get_range(name, offset, out); }
  std::optional<store::ObjectInfo> info(const std::string& name) override { return step(), inner_.info(name); }
  void list(std::string_view prefix, const std::function<void(const store::ObjectInfo&)>& visit) override { step(), inner_.list(prefix, visit); }
  void remove(const std::string& name) override { step(), inner_.remove(name); }
  std::string location() const override { return inner_.location(); }

 private:
  void step() {
    std::function<void()> act;
    {
      std::lock_guard lock(mutex_);
      if (++calls_ == at_) act = std::exchange(act_, nullptr);
    }
    if (act) act();
  }
  ObjectStore& inner_;
  std::mutex mutex_;
  std::uint64_t calls_ = 0, at_ = 0;
  std::function<void()> act_;
};

struct Machine {
  platform::ManualClock clock;
  platform::SeededEntropy entropy;
  platform::MemoryFileSystem files{clock};
  LocalState state;
  explicit Machine(std::uint64_t seed) : entropy(seed), state(files, "state-" + std::to_string(seed), "machine-" + std::to_string(seed)) {}
  platform::Path cache;   // a real folder; empty: none
  Context context(store::ObjectStore& store) { return {store, clock, entropy, &state, "ns", "0.1.0", cache}; }
  std::unique_ptr<Repository> open(store::ObjectStore& store) { return repository::open(context(store), password_secret(as_bytes("correct"))); }
};

tree::Entry entry(const std::string& name, tree::Kind kind, std::uint64_t size = 0) {
  tree::Entry e;
  e.name = name;
  e.kind = kind;
  e.mode = 0644;
  e.size = size;
  e.modified = e.changed = {1000, 0};
  e.captured = {2000, 0};
  e.inode = 1;
  return e;
}

// One attempt; `previous`: its unchanged files are taken over.
PointId back_up_once(Repository& repository, platform::Clock& clock, const Files& files, std::optional<PointId> previous = {}) {
  tree::NodePtr before = previous ? repository.open_item(repository.load(*previous), "files") : nullptr;
  auto session = repository.begin_backup({nullptr, nullptr, 1});
  PointDraft draft;
  draft.system_name = "ns01";
  draft.started = clock.now();
  clock.sleep(std::chrono::seconds(1));
  draft.finished = clock.now();
  StoredItem item;
  item.name = "files";
  tree::TreeSink& sink = session->begin_item("files", before);
  sink.open_directory(entry("", tree::Kind::directory));
  for (const auto& [name, text] : files) {
    tree::Entry e = entry(name, tree::Kind::file, text.size());
    if (before && sink.reuse_file(e)) continue;
    sink.begin_file(tree::Chunking::content_defined).write(as_bytes(text));
    sink.end_file(e);
  }
  sink.close_directory();
  session->end_item(item);
  draft.items.push_back(std::move(item));
  return session->publish(draft);
}

PointId back_up(Repository& repository, platform::Clock& clock, const Files& files, std::optional<PointId> previous = {}) {
  return begin_again_when_withdrawn([&] { return back_up_once(repository, clock, files, previous); });
}

Files content_of(Repository& repository, const PointId& id) {
  Files files;
  repository.open_item(repository.load(id), "files")->children([&](tree::NodePtr node) {
    files[node->entry().name] = holdfast::to_text(node->read_all());
    return true;
  });
  return files;
}

PruneOptions at_once(double most_unused = 0) {
  PruneOptions options;
  options.most_unused = most_unused;
  options.unused_for = std::chrono::seconds(0);
  return options;
}

struct World {
  store::MemoryStore store;
  Machine machine{1};
  std::unique_ptr<Repository> repository;
  std::map<PointId, Files> model;   // that exist

  World() { repository = create(machine.context(store), password_secret(as_bytes("correct")), kCheap).repository; }
  void reopen() { repository = machine.open(store); }

  PointId point(const Files& files, std::optional<PointId> previous = {}) {
    PointId id = back_up(*repository, machine.clock, files, previous);
    model[id] = files;
    return id;
  }
  void forget(const PointId& id) {
    repository->forget({id}, "test");
    model.erase(id);
  }
  std::vector<std::string> names(std::string_view prefix) {
    std::vector<std::string> all;
    store.list(prefix, [&](const store::ObjectInfo& info) { all.push_back(info.name); });
    std::sort(all.begin(), all.end());
    return all;
  }
  std::uint64_t bytes(std::string_view prefix = "") {
    std::uint64_t sum = 0;
    store.list(prefix, [&](const store::ObjectInfo& info) { sum += info.size; });
    return sum;
  }
  // Everything that exists can be restored, byte for byte, by somebody who opens the repository anew; and nothing is missing.
  void expect_whole(store::ObjectStore& in) {
    static std::uint64_t machines = 100'000;   // each writes what it verified, as a writer of its own
    Machine fresh(++machines);
    auto opened = fresh.open(in);
    auto points = opened->points();
    EXPECT_EQ(points.size(), model.size());
    for (const auto& [id, files] : model) EXPECT_TRUE(content_of(*opened, id) == files) << short_id(id);
    for (const auto& [id, files] : model) {
      CheckOptions content;
      content.level = Level::content;
      for (const DamagedObject& d : opened->verify(id, content).damaged) ADD_FAILURE() << d.name << ": " << d.what;
    }
    for (const DamagedObject& d : check_objects(in, {}).damaged) ADD_FAILURE() << d.name << ": " << d.what;
    for (const ChainFinding& finding : opened->chain_findings()) ADD_FAILURE() << finding.message;
  }
  void expect_whole() { expect_whole(store); }
};

Files some_files(Random& random, const std::string& prefix, int count) {
  Files files;
  for (int i = 0; i < count; ++i) files[prefix + std::to_string(i)] = random_text(random);
  files[prefix + "small"] = random_text(random, 100);
  return files;
}

Files together(Files a, const Files& b) {
  a.insert(b.begin(), b.end());
  return a;
}

TEST(Prune, FreesWhatWasForgotten) {
  World w;
  Random random(1);
  Files kept = some_files(random, "kept", 3), lost = some_files(random, "lost", 6);
  PointId first = w.point(lost);
  w.point(kept);
  std::uint64_t before = w.bytes();
  PruneReport nothing = w.repository->prune(at_once());
  EXPECT_EQ(nothing.deleted.objects, 0u);
  w.forget(first);
  PruneReport report = w.repository->prune(at_once());
  EXPECT_GT(report.deleted.objects, 3u);
  EXPECT_GT(report.deleted.bytes, 6 * kFrame);
  EXPECT_LT(w.bytes("pack"), 4 * kFrame);
  EXPECT_LT(w.bytes(), before);
  w.expect_whole();
  std::string head = w.repository->head_code();
  std::size_t records = w.names("record").size();
  PruneReport again = w.repository->prune(at_once());
  EXPECT_EQ(again.deleted.objects, 0u);
  EXPECT_EQ(w.names("record").size(), records);   // nothing to do: nothing is written
  w.point(together(kept, lost));                   // the same process does not believe in what it deleted
  w.expect_whole();
}

TEST(Prune, RewritesPacksOfWhichLittleIsNeeded) {
  World w;
  Random random(2);
  Files some = some_files(random, "a", 2), most = some_files(random, "b", 10);
  PointId first = w.point(together(some, most));
  PointId second = w.point(some, first);
  std::vector<std::string> packs = w.names("pack");
  w.forget(first);
  PruneOptions lazy = at_once(1.0);
  EXPECT_EQ(w.repository->prune(lazy).rewritten.objects, 0u);
  EXPECT_GT(w.repository->prune(lazy).unused_bytes, 9 * kFrame);
  PruneOptions dry = at_once(0.05);
  dry.dry_run = true;
  auto all = w.store.objects();
  PruneReport planned = w.repository->prune(dry);
  EXPECT_TRUE(w.store.objects() == all);
  PruneReport report = w.repository->prune(at_once(0.05));
  EXPECT_EQ(report.deleted.objects, planned.deleted.objects);
  EXPECT_GE(report.rewritten.objects, 1u);
  EXPECT_LT(w.bytes("pack"), 4 * kFrame);
  EXPECT_EQ(w.names("map").size(), 1u);
  w.expect_whole();
  PointId third = w.point(some, second);
  EXPECT_EQ(w.repository->prune(at_once(0.05)).deleted.objects, 0u);
  w.expect_whole();
  w.forget(second);
  w.forget(third);
  w.repository->prune(at_once(0));
  for (const char* folder : {"pack", "index", "inventory", "point", "map"}) EXPECT_TRUE(w.names(folder).empty()) << folder;
  w.expect_whole();
}

TEST(Prune, DifferencesAndTheirBasesAreRewritten) {
  platform::TemporaryFolder cache;   // chunks that are alike are found with it
  World w;
  w.machine.cache = cache.path();
  w.reopen();
  Random random(12);
  std::string text(400'000, 0);
  for (char& c : text) c = static_cast<char>('a' + random() % 4);
  Files files = some_files(random, "junk", 4);
  files["text"] = text;
  w.point(files);
  PointId with_base = w.model.begin()->first;
  text[200'000] = 'x';
  Files changed{{"text", text}};
  std::uint64_t before = w.bytes("pack");
  w.point(changed);
  EXPECT_LT(w.bytes("pack"), before + 20'000);   // only a difference was stored
  w.forget(with_base);
  EXPECT_GE(w.repository->prune(at_once()).rewritten.objects, 1u);
  EXPECT_LT(w.bytes("pack"), 2 * 110'000);
  w.expect_whole();
}

TEST(Prune, ConsecutivePointsShareTheirPages) {
  World w;
  Random random(3);
  Files files = some_files(random, "a", 3);
  PointId first = w.point(files);
  std::size_t pages = w.names("inventory").size();
  PointId second = w.point(files, first);
  EXPECT_LE(w.names("inventory").size(), pages + 2);
  pages = w.names("inventory").size();
  PointId third = w.point(files, second);
  EXPECT_EQ(w.names("inventory").size(), pages);   // the same objects: the same pages, the root as well
  w.forget(third);
  w.repository->prune(at_once());
  w.expect_whole();
  w.forget(first);
  w.forget(second);
  w.repository->prune(at_once());
  auto gone = w.names("inventory");
  EXPECT_TRUE(gone.empty());
  w.point(files);   // the same entries again: pages of other names
  w.expect_whole();
}

TEST(Prune, LeavesAloneWhatAnInterruptedBackupStored) {
  World w;
  Random random(4);
  w.point(some_files(random, "a", 2));
  store::FaultyStore faulty(w.store);
  Files files = some_files(random, "b", 3);
  {
    auto killed = w.machine.open(faulty);
    faulty.reset();
    faulty.kill_after_put(2);   // its pack and segment
    EXPECT_ANY_THROW(back_up(*killed, w.machine.clock, files));
  }
  w.reopen();
  PruneOptions day = at_once();
  day.unused_for = std::chrono::hours(24);
  PruneReport report = w.repository->prune(day);
  EXPECT_EQ(report.deleted.objects, 0u);
  EXPECT_GE(report.waiting.objects, 2u);
  std::size_t packs = w.names("pack").size();
  w.point(files);
  EXPECT_EQ(w.names("pack").size(), packs);   // everything was there
  w.expect_whole();
  EXPECT_GE(check_objects(w.store, {}).leftovers, 0u);
}

TEST(Prune, ACopyIsNotPrunedAndGetsWhatWasRewritten) {
  World w;
  Random random(5);
  Files some = some_files(random, "a", 1), most = some_files(random, "b", 6);
  PointId first = w.point(together(some, most));
  PointId second = w.point(some, first);
  store::MemoryStore copied, late;
  repository::copy(w.store, copied, w.machine.clock, w.machine.entropy, {});
  w.forget(first);
  w.repository->prune(at_once());
  for (store::MemoryStore* to : {&copied, &late}) {
    repository::copy(w.store, *to, w.machine.clock, w.machine.entropy, {});
    w.expect_whole(*to);
    Machine other(7);
    auto opened = other.open(*to);
    try {
      opened->prune(at_once());
      ADD_FAILURE() << "a copy was pruned";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::precondition);
    }
  }
  EXPECT_EQ(content_of(*w.repository, second), some);
}

TEST(Prune, RefusesWhenTheLogsAreNotWhole) {
  World w;
  Random random(6);
  PointId first = w.point(some_files(random, "a", 1));
  w.point(some_files(random, "b", 1));
  w.forget(first);
  auto objects = w.store.objects();
  auto damaged = objects;
  for (auto& [name, bytes] : damaged) {
    if (name.starts_with("record/") && name.find("/0000000002-") != std::string::npos) bytes[bytes.size() / 2] ^= 1;
  }
  w.store.set_objects(damaged);
  w.machine.state.set_heads(w.repository->id(), {});
  w.reopen();
  EXPECT_THROW(w.repository->prune(at_once()), Error);
  EXPECT_EQ(w.store.objects().size(), damaged.size());
}

// A history in which a prune has everything to do: points to drop, packs to rewrite, segments to merge.
struct Busy : World {
  Random random{7};
  Files stays = some_files(random, "stays", 2);
  PointId newest;
  Busy() {
    std::vector<PointId> old;
    std::optional<PointId> previous;
    for (int i = 0; i < 11; ++i) {
      previous = point(together(stays, some_files(random, "day" + std::to_string(i) + "-", 2)), previous);
      old.push_back(*previous);
    }
    newest = point(together(stays, {{"day10-0", model[old[10]]["day10-0"]}}), previous);
    for (std::size_t i : {0, 3, 6}) forget(old[i]);
  }
};

TEST(Prune, KilledAnywhereTheNextOneGoesOn) {
  Busy w;
  auto start = w.store.objects();
  store::FaultyStore faulty(w.store);
  auto counted_run = w.machine.open(faulty);
  faulty.reset();
  PruneReport clean = counted_run->prune(at_once());
  std::uint64_t calls = faulty.calls(), packs = w.bytes("pack");
  EXPECT_GE(clean.rewritten.objects, 9u);
  w.expect_whole();
  counted_run.reset();

  std::uint64_t runs = 0;
  for (std::uint64_t nth = 1; nth <= calls; ++nth) {
    SCOPED_TRACE("killed at call " + std::to_string(nth));
    w.store.set_objects(start);
    Machine machine(1000 + nth);
    faulty.reset();
    auto killed = machine.open(faulty);
    faulty.reset();
    faulty.fail(nth, store::FaultyStore::Repeat::from_then_on, Code::unavailable);
    EXPECT_THROW(killed->prune(at_once()), Error);
    killed.reset();
    auto next = machine.open(w.store);
    for (const auto& [id, files] : w.model) EXPECT_TRUE(content_of(*next, id) == files);
    EXPECT_TRUE(check_objects(w.store, {}).damaged.empty());
    next->prune(at_once());
    next->prune(at_once());   // what a killed one had stored in place of others goes with the second at the latest
    EXPECT_LE(w.bytes("pack"), packs + kFrame);
    if (nth % 8 == 0) w.expect_whole();
    for (const auto& [id, files] : w.model) EXPECT_TRUE(content_of(*next, id) == files);
    ++runs;
    if (HasFailure()) break;
  }
  std::cout << "calls counted " << calls << ", runs " << runs << "\n";
  EXPECT_EQ(runs, calls);
}

// While one of the two waits before one of its calls, the other runs from beginning to end.
TEST(Prune, ABackupPausedAnywhereWhileAPruneRuns) {
  World w;
  Random random(8);
  Files old = some_files(random, "old", 3), stays = some_files(random, "stays", 1);
  PointId first = w.point(together(stays, old));
  w.point(stays, first);
  w.forget(first);
  auto start = w.store.objects();
  Machine writer(2), pruner(3);
  PausingStore pausing(w.store);
  auto warm = writer.open(pausing);
  pausing.before(0, nullptr);
  back_up(*warm, writer.clock, together(stays, old));
  std::uint64_t calls = pausing.calls(), runs = 0, withdrawn = 0;
  for (std::uint64_t nth = 1; nth <= calls; ++nth) {
    SCOPED_TRACE("paused before call " + std::to_string(nth));
    w.store.set_objects(start);
    Machine a(2000 + nth), b(3000 + nth);
    auto backup = a.open(pausing);
    pausing.before(nth, [&] { b.open(w.store)->prune(at_once()); });
    std::optional<PointId> made;
    try {
      made = back_up_once(*backup, a.clock, together(stays, old));
    } catch (const Withdrawn&) {
      ++withdrawn;
      made = back_up(*backup, a.clock, together(stays, old));
    }
    auto model = w.model;
    w.model[*made] = together(stays, old);
    w.expect_whole();
    b.open(w.store)->prune(at_once());
    w.expect_whole();
    w.model = model;
    ++runs;
    if (HasFailure()) break;
  }
  std::cout << "calls counted " << calls << ", runs " << runs << ", withdrawn " << withdrawn << "\n";
  EXPECT_EQ(runs, calls);
  EXPECT_GT(withdrawn, 0u);
}

TEST(Prune, APrunePausedAnywhereWhileABackupRuns) {
  World w;
  Random random(9);
  Files old = some_files(random, "old", 3), stays = some_files(random, "stays", 1);
  PointId first = w.point(together(stays, old));
  w.point(stays, first);
  w.forget(first);
  auto start = w.store.objects();
  PausingStore pausing(w.store);
  {
    Machine machine(4);
    auto warm = machine.open(pausing);
    pausing.before(0, nullptr);
    warm->prune(at_once());
  }
  std::uint64_t calls = pausing.calls(), runs = 0, spared = 0;
  for (std::uint64_t nth = 1; nth <= calls; ++nth) {
    SCOPED_TRACE("paused before call " + std::to_string(nth));
    w.store.set_objects(start);
    Machine a(4000 + nth), b(5000 + nth);
    auto pruner = a.open(pausing);
    std::optional<PointId> made;
    pausing.before(nth, [&] { made = back_up(*b.open(w.store), b.clock, together(stays, old)); });
    spared += pruner->prune(at_once()).spared.objects;
    ASSERT_TRUE(made);
    auto model = w.model;
    w.model[*made] = together(stays, old);
    w.expect_whole();
    a.open(w.store)->prune(at_once());
    w.expect_whole();
    w.model = model;
    ++runs;
    if (HasFailure()) break;
  }
  std::cout << "calls counted " << calls << ", runs " << runs << ", objects spared " << spared << "\n";
  EXPECT_EQ(runs, calls);
  EXPECT_GT(spared, 0u);
}

TEST(Prune, TwoPrunesOnePausedAnywhereWhileTheOtherRuns) {
  Busy w;
  auto start = w.store.objects();
  PausingStore pausing(w.store);
  {
    Machine machine(5);
    auto warm = machine.open(pausing);
    pausing.before(0, nullptr);
    warm->prune(at_once());
  }
  std::uint64_t calls = pausing.calls(), runs = 0;
  for (std::uint64_t nth = 1; nth <= calls; ++nth) {
    SCOPED_TRACE("paused before call " + std::to_string(nth));
    w.store.set_objects(start);
    Machine a(6000 + nth), b(7000 + nth);
    auto slow = a.open(pausing);
    pausing.before(nth, [&] { b.open(w.store)->prune(at_once()); });
    try {
      slow->prune(at_once());
    } catch (const Error& error) {   // an object that it was reading is gone: it ends, and the next one goes on
      EXPECT_TRUE(error.code() == Code::damaged || error.code() == Code::not_found) << error.what();
    }
    for (int i = 0; i < 2; ++i) b.open(w.store)->prune(at_once());
    auto opened = b.open(w.store);
    for (const auto& [id, files] : w.model) EXPECT_TRUE(content_of(*opened, id) == files);
    EXPECT_TRUE(check_objects(w.store, {}).damaged.empty());
    if (nth % 8 == 0) w.expect_whole();
    ++runs;
    if (HasFailure()) break;
  }
  std::cout << "calls counted " << calls << ", runs " << runs << "\n";
  EXPECT_EQ(runs, calls);
}

TEST(Prune, ThePointOfAWriterThatWasKilledBeforeItLookedAgainIsVoid) {
  World w;
  Random random(10);
  Files old = some_files(random, "old", 3), stays = some_files(random, "stays", 1);
  PointId first = w.point(together(stays, old));
  w.point(stays, first);
  w.forget(first);
  Machine writer(2), pruner(3);
  store::FaultyStore faulty(w.store);
  PausingStore pausing(faulty);
  auto killed = writer.open(pausing);
  pausing.before(0, nullptr);
  {   // where its record is put: the last put of a backup
    auto start = w.store.objects();
    faulty.reset();
    back_up(*killed, writer.clock, together(stays, old));
    w.store.set_objects(start);
    killed = writer.open(pausing);
  }
  std::uint64_t puts = faulty.calls(store::StoreCall::put);
  faulty.reset();
  faulty.kill_after_put(puts);
  auto prune_before_record = [&] { pruner.open(w.store)->prune(at_once()); };
  // The call before which the record is put is found by trying: the first at which all of its other puts are done.
  bool found = false;
  auto start = w.store.objects();
  for (std::uint64_t nth = 1; nth < 200 && !found; ++nth) {
    w.store.set_objects(start);
    Machine a(8000 + nth);
    faulty.reset();
    auto session = a.open(pausing);
    faulty.reset();
    bool pruned = false;
    pausing.before(nth, [&] {
      if (faulty.calls(store::StoreCall::put) + 1 != puts) return;
      prune_before_record();
      pruned = true;
      faulty.kill_after_put(1);
    });
    try {
      back_up_once(*session, a.clock, together(stays, old));
    } catch (...) {
    }
    pausing.before(0, nullptr);
    auto records = w.names("record").size();
    if (!pruned || records < 5) continue;
    auto opened = w.machine.open(w.store);
    EXPECT_EQ(opened->points().size(), w.model.size()) << "call " << nth;
    PruneReport report = opened->prune(at_once());
    found = report.void_points == 1;
    w.expect_whole();
  }
  EXPECT_TRUE(found);
}

TEST(Prune, RandomHistories) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World w;
    Random random(seed);
    store::MemoryStore copied;
    Files now = some_files(random, "f", 4);
    std::optional<PointId> last;
    for (int step = 0; step < 24 && !::testing::Test::HasFailure(); ++step) {
      switch (random() % 8) {
        case 0: case 1: case 2: {
          std::string name = "f" + std::to_string(random() % 6);
          if (random() % 4 == 0) now.erase(name);
          else now[name] = random_text(random, random() % 2 ? kFrame + random() % 1000 : random() % 2000);
          last = w.point(now);
          break;
        }
        case 3: case 4:
          if (!w.model.empty()) {
            auto it = w.model.begin();
            std::advance(it, random() % w.model.size());
            w.forget(it->first);
          }
          break;
        case 5: {
          PruneOptions options = at_once(static_cast<double>(random() % 3) / 10);
          if (random() % 2) options.unused_for = std::chrono::hours(24);
          w.repository->prune(options);
          w.expect_whole();
          break;
        }
        case 6:
          repository::copy(w.store, copied, w.machine.clock, w.machine.entropy, {});
          w.expect_whole(copied);
          break;
        default:
          if (random() % 2) w.repository->rotate_keys();
          else w.reopen();
      }
    }
    w.expect_whole();
    while (!w.model.empty()) w.forget(w.model.begin()->first);
    w.repository->prune(at_once());
    for (const char* folder : {"pack", "index", "inventory", "point", "map"}) EXPECT_TRUE(w.names(folder).empty()) << folder;
  }
}

TEST(Prune, ACopyMadeWhileAPruneRuns) {
  Busy w;
  auto start = w.store.objects();
  PausingStore pausing(w.store);
  store::MemoryStore first;
  repository::copy(pausing, first, w.machine.clock, w.machine.entropy, {});
  std::uint64_t calls = pausing.calls(), runs = 0;
  for (std::uint64_t nth = 1; nth <= calls; ++nth) {
    SCOPED_TRACE("paused before call " + std::to_string(nth));
    w.store.set_objects(start);
    Machine pruner(9000 + nth);
    store::MemoryStore target;
    pausing.before(nth, [&] { pruner.open(w.store)->prune(at_once()); });
    repository::copy(pausing, target, w.machine.clock, w.machine.entropy, {});
    EXPECT_TRUE(check_objects(target, {}).damaged.empty());
    if (nth % 4 == 0) w.expect_whole(target);
    ++runs;
    if (HasFailure()) break;
  }
  std::cout << "calls counted " << calls << ", runs " << runs << "\n";
  EXPECT_EQ(runs, calls);
}

std::set<std::uint32_t> key_epochs_of_packs(World& w) {
  std::set<std::uint32_t> epochs;
  for (const std::string& name : w.names("pack"))
    epochs.insert(parse_object(w.store.get(name, object_limit(ObjectType::pack)), ObjectType::pack, nullptr, name).header.epoch);
  return epochs;
}

TEST(KeyRotation, OldPointsStayReadableAndUnchangedFilesAreTakenOver) {
  World w;
  Random random(11);
  Files files = some_files(random, "a", 4);
  PointId first = w.point(files);
  std::uint64_t data = w.bytes("pack");
  EXPECT_EQ(w.repository->rotate_keys(), 2u);
  PointId second = w.point(files, first);
  EXPECT_LT(w.bytes("pack"), data + kFrame);   // only the trees are new
  w.expect_whole();
  files["fresh"] = random_text(random);
  w.reopen();
  PointId third = w.point(files, second);
  EXPECT_EQ(key_epochs_of_packs(w), (std::set<std::uint32_t>{1, 2}));
  w.expect_whole();
  PruneOptions rewrite = at_once();
  rewrite.rewrite_old_epochs = true;
  EXPECT_GE(w.repository->prune(rewrite).rewritten.objects, 1u);
  EXPECT_EQ(key_epochs_of_packs(w), (std::set<std::uint32_t>{2}));
  w.expect_whole();
  w.point(files, third);   // chunks of the first epoch, in packs of the second
  w.expect_whole();
  w.forget(first);
  w.repository->prune(at_once());
  w.expect_whole();
}

}  // namespace
}  // namespace holdfast::repository
