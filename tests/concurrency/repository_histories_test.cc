// The real repository under a scheduler: backups, forgets, prunes, copies, checks and restores on one store, one store call at
// a time, in an order that a seed decides (stage.h tells what is deterministic), with actors that are killed at any call and
// actors that are paused for the whole life of another one. Whatever happened, the history is compared with what was promised.
//
// `--seeds N` runs N histories from `--first S` on, and stops at the first that fails unless `--failures N` allows more;
// `--seed S` runs one and prints its calls.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <set>
#include <string_view>

#include "base/error.h"
#include "base/text.h"
#include "platform/testing.h"
#include "repository/repository.h"
#include "stage.h"
#include "store/testing.h"

namespace holdfast::concurrency {
namespace {

using namespace repository;
using Tree = std::map<std::string, std::string>;   // files of the one item

std::uint64_t first_seed = 1, seeds = 400, failures_allowed = 1;
bool talkative = false;
constexpr crypto::Argon2Cost kCheap{8, 1};

SlotSecret password() { return password_secret(as_bytes("correct")); }

// What has been promised so far. The stage lets one actor move at a time, so a plain object will do.
struct Promises {
  std::map<std::string, Tree> tried;          // by label: what a point of that label holds, acknowledged or not
  std::map<PointId, Tree> acknowledged;
  std::set<PointId> giving_up, given_up;      // a forget has begun; has ended
};

struct Machine {
  Machine(platform::ManualClock& time, std::string machine_id) : clock(time), id(std::move(machine_id)) {}
  platform::ManualClock& clock;
  const std::string id;
  platform::MemoryFileSystem files{clock};
  std::map<std::string, bool> locks;
};

// One process: its own memory, on some machine.
struct Process {
  Process(Machine& machine, std::uint64_t seed)
      : files(machine.files, machine.locks), state(files, "state", machine.id), entropy(seed), clock(machine.clock) {}
  Context context(store::ObjectStore& store) { return {store, clock, entropy, &state, "ns", "0.1.0"}; }
  std::unique_ptr<Repository> open(store::ObjectStore& store) { return repository::open(context(store), password()); }

  StageFiles files;
  LocalState state;
  platform::SeededEntropy entropy;
  platform::Clock& clock;
};

tree::Entry entry_of(const std::string& name, tree::Kind kind, std::size_t size) {
  tree::Entry e;
  e.name = name;
  e.kind = kind;
  e.size = size;
  e.mode = 0644;
  e.modified = e.changed = {1000 + static_cast<std::int64_t>(size), 0};
  e.captured = {900'000, 0};
  e.inode = size + 1;
  return e;
}

Tree read_back(Repository& repository, const PointId& id) {
  Tree tree;
  repository.open_item(repository.load(id), "files")->children([&](const tree::NodePtr& child) {
    tree[child->entry().name] = holdfast::to_text(child->read_all());
    return true;
  });
  return tree;
}

class History {
 public:
  explicit History(std::uint64_t seed) : seed_(seed), random_(seed), stage_(store_, seed + 1) {}

  void play() {
    begin();
    const bool clones = one_in(12);
    const std::size_t count = 2 + pick(4);
    for (std::size_t i = 0; i < count; ++i) add_actor(i, clones);
    const unsigned stays[] = {0, 50, 90, 97};
    stage_.run(stays[pick(4)]);
    judge(clones);
  }
  std::uint64_t calls() const { return stage_.calls(); }
  std::size_t acknowledged() const { return promises_.acknowledged.size(); }
  bool failed() const { return ::testing::UnitTest::GetInstance()->current_test_info()->result()->total_part_count() > parts_before_; }
  std::string told() const { return stage_.told(); }
  static inline std::map<std::string, int> endings;   // how actors ended

 private:
  std::size_t pick(std::size_t below) { return random_() % below; }
  bool one_in(std::size_t n) { return pick(n) == 0; }
  std::string blame() const { return "seed " + std::to_string(seed_) + ": "; }

  Machine& machine(std::size_t number) {
    while (machines_.size() <= number) {
      machines_.push_back(std::make_unique<Machine>(clock_, "machine-" + std::to_string(machines_.size())));
    }
    return *machines_[number];
  }

  void begin() {
    for (int i = 0; i < 6; ++i) {
      std::string blob(100 + pick(3000), ' ');
      for (char& c : blob) c = static_cast<char>(random_());
      blobs_.push_back(blob);
    }
    Process first(machine(0), seed_);
    auto repository = create(first.context(store_), password(), kCheap).repository;
    for (std::size_t n = 1 + pick(3); n > 0; --n) back_up(*repository, "before " + std::to_string(n), random_);
  }

  // -- what actors do

  Tree some_tree(Random& random) {
    Tree tree;
    for (std::size_t n = 1 + random() % 3; n > 0; --n) {
      std::size_t blob = random() % blobs_.size();
      tree["file" + std::to_string(blob)] = blobs_[blob];
    }
    return tree;
  }

  void back_up(Repository& repository, const std::string& label, Random& random) {
    const Tree tree = some_tree(random);
    tree::NodePtr previous;
    if (random() % 2 == 0) previous = newest_root(repository);
    promises_.tried[label] = tree;
    PointId id = begin_again_when_withdrawn([&] {
      auto session = repository.begin_backup({nullptr, nullptr, 1});
      PointDraft draft;
      draft.system_name = "ns01";
      draft.label = label;
      draft.started = draft.finished = clock_.now();
      StoredItem item;
      item.name = "files";
      tree::TreeSink& sink = session->begin_item("files", previous);
      sink.open_directory(entry_of("", tree::Kind::directory, 0));
      for (const auto& [name, content] : tree) {
        tree::Entry entry = entry_of(name, tree::Kind::file, content.size());
        if (sink.reuse_file(entry)) continue;
        sink.begin_file(tree::Chunking::content_defined).write(as_bytes(content));
        sink.end_file(entry);
      }
      sink.close_directory();
      session->end_item(item);
      draft.items.push_back(std::move(item));
      return session->publish(draft);
    });
    promises_.acknowledged[id] = tree;
  }

  tree::NodePtr newest_root(Repository& repository) {
    try {
      auto points = repository.points();
      return points.empty() ? nullptr : repository.open_item(repository.load(points.front().id), "files");
    } catch (const Error&) {
      return nullptr;   // forgotten meanwhile
    }
  }

  // A point that is there must restore, unless somebody gives it up meanwhile or its backup has not acknowledged it.
  void restore(Repository& repository) {
    const auto promised = promises_.acknowledged;
    auto points = repository.points();
    for (const auto& [id, tree] : promised) {
      bool listed = std::any_of(points.begin(), points.end(), [&, wanted = id](const PointSummary& p) { return p.id == wanted; });
      EXPECT_TRUE(listed || promises_.giving_up.contains(id)) << blame() << "an acknowledged point is not listed: " << short_id(id);
    }
    for (const PointSummary& point : points) {
      try {
        EXPECT_EQ(read_back(repository, point.id), promises_.tried.at(point.label)) << blame() << point.label;
      } catch (const Error& error) {
        bool excused = promises_.giving_up.contains(point.id) || !promises_.acknowledged.contains(point.id);
        EXPECT_TRUE(excused) << blame() << "point '" << point.label << "' does not restore: " << error.what();
        if (excused) expect_gone(repository, point, error);
      }
    }
  }

  void expect_gone(Repository& repository, const PointSummary& point, const Error& error) {
    if (promises_.giving_up.contains(point.id)) return;
    auto points = repository.points();
    bool listed = std::any_of(points.begin(), points.end(), [&](const PointSummary& p) { return p.id == point.id; });
    EXPECT_FALSE(listed) << blame() << "a point that nobody acknowledged is listed and does not restore: " << error.what();
  }

  void check(Repository& repository, Random& random) {
    CheckReport report;
    std::string what = "check";
    CheckOptions options{.level = random() % 2 ? Level::content : Level::exists, .run = {nullptr, nullptr, 1}};
    std::optional<PointId> verified;
    auto points = repository.points();
    if (random() % 2 && !points.empty()) verified = points[random() % points.size()].id;
    try {
      report = verified ? repository.verify(*verified, options) : repository.check(options);
    } catch (const Error& error) {
      if (error.code() == Code::busy) throw;
      bool excused = verified && (promises_.giving_up.contains(*verified) || !promises_.acknowledged.contains(*verified));
      EXPECT_TRUE(excused) << blame() << "a check failed: " << error.what();
      return;
    }
    for (const DamagedObject& damage : report.damaged) {
      bool excused = !damage.affects.empty() && std::all_of(damage.affects.begin(), damage.affects.end(), [&](const PointId& id) {
        return promises_.giving_up.contains(id) || !promises_.acknowledged.contains(id);
      });
      EXPECT_TRUE(excused) << blame() << "a check calls damaged what is not: " << damage.name << ": " << damage.what << " (affects "
                           << damage.affects.size() << " points)";
    }
  }

  void forget(Repository& repository, Random& random) {
    auto points = repository.points();
    if (points.empty()) return;
    PointId id = points[random() % points.size()].id;
    promises_.giving_up.insert(id);
    try {
      repository.forget({id}, "not needed");
    } catch (const Error& error) {
      if (error.code() == Code::not_found) return;   // somebody else was faster, or its own writer
      throw;
    }
    promises_.given_up.insert(id);
  }

  void prune(Repository& repository, Random& random) {
    PruneOptions options;
    options.run.workers = 1;
    options.most_unused = std::array{0.0, 0.05, 1.0}[random() % 3];
    if (random() % 3 != 0) options.unused_for = std::chrono::seconds(0);
    repository.prune(options);
  }

  void copy_out(store::ObjectStore& from, Process& process) {
    store::MemoryStore to;
    const auto promised = promises_.acknowledged;
    const auto gone_before = promises_.giving_up;
    try {
      repository::copy(from, to, clock_, process.entropy, {nullptr, nullptr, 1});
    } catch (const platform::Killed&) {
      expect_whole(to, {}, "a copy that was killed");
      throw;
    }
    std::map<PointId, Tree> wanted;
    for (const auto& [id, tree] : promised) {
      if (!promises_.giving_up.contains(id)) wanted[id] = tree;
    }
    expect_whole(to, wanted, "a copy");
  }

  // -- who acts

  void add_actor(std::size_t number, bool clones) {
    Machine& home = clones && number > 0 ? cloned_machine() : machine(pick(3));
    processes_.push_back(std::make_unique<Process>(home, seed_ * 1000 + number));
    Process& process = *processes_.back();
    std::vector<std::string> acts;
    for (std::size_t n = 1 + pick(3); n > 0; --n) acts.push_back(std::array{"backup", "backup", "prune", "prune", "forget", "restore", "check", "copy"}[pick(8)]);
    Stage::Fate fate;
    if (one_in(3)) {
      fate.dies_at = 1 + static_cast<unsigned>(pick(120));
      fate.dies_after = one_in(2);
    }
    if (number > 0 && one_in(3)) {
      fate.pauses_at = 1 + static_cast<unsigned>(pick(90));
      fate.waits_for = number - 1;
    }
    const std::uint64_t seed = random_();
    auto play = [this, &process, acts, seed, number](store::ObjectStore& store) {
      Random random(seed);
      int nth = 0;
      for (const std::string& act : acts) {
        const std::string label = "actor " + std::to_string(number) + " " + act + " " + std::to_string(++nth);
        try {
          perform(act, label, store, process, random);
          ++endings[act + " done"];
        } catch (const platform::Killed&) {
          ++endings[act + " killed"];
          throw;
        } catch (const Error& error) {
          ++endings[act + " " + std::string(info(error.code()).name)];
          if (error.code() != Code::busy) throw;
        }
      }
    };
    const std::size_t actor = stage_.add("actor " + std::to_string(number), fate, play);
    process.files.enter(stage_, actor);
  }

  void perform(const std::string& act, const std::string& label, store::ObjectStore& store, Process& process, Random& random) {
    if (act == "copy") return copy_out(store, process);
    auto repository = process.open(store);
    if (act == "backup") return back_up(*repository, label, random);
    if (act == "prune") return prune(*repository, random);
    if (act == "forget") return forget(*repository, random);
    if (act == "restore") return restore(*repository);
    check(*repository, random);
  }

  // The first machine again, with everything it remembers, and nobody noticed: it has the same machine id.
  Machine& cloned_machine() {
    Machine& original = machine(0);
    machines_.push_back(std::make_unique<Machine>(clock_, original.id));
    Machine& clone = *machines_.back();
    clone.files.make_directories("state", 0700);
    for (const auto& child : original.files.list("state")) {
      platform::Path path = platform::Path("state") / child.name;
      clone.files.replace(path, original.files.read_all(path), 0600);
    }
    std::swap(machines_[1], machines_.back());   // where others look for a second machine
    return *machines_[1];
  }

  // -- what must be true afterwards

  void judge(bool clones) {
    for (const std::string& error : stage_.errors()) {
      bool fork_is_seen = clones && error.find("it is not the one that was last seen") != std::string::npos;
      bool fork_in_prune = clones && error.find("its logs are not whole") != std::string::npos;
      EXPECT_TRUE(fork_is_seen || fork_in_prune) << blame() << error;
    }
    std::map<PointId, Tree> wanted;
    for (const auto& [id, tree] : promises_.acknowledged) {
      if (!promises_.giving_up.contains(id)) wanted[id] = tree;
    }
    expect_whole(store_, wanted, "at the end");
    Machine bare(clock_, "bare");
    Process process(bare, seed_ + 77);
    auto repository = process.open(store_);
    for (const ChainFinding& finding : repository->chain_findings()) {
      EXPECT_TRUE(clones) << blame() << "a log is not whole: " << finding.message;
      if (clones) return;
    }
    PruneOptions all;
    all.most_unused = 0;
    all.unused_for = std::chrono::seconds(0);
    all.run.workers = 1;
    repository->prune(all);
    expect_whole(store_, wanted, "after a last prune");
    PruneReport again = repository->prune(all);
    EXPECT_EQ(again.deleted.objects - again.rewritten.objects, 0U) << blame() << "a second prune finds what the first one left";
  }

  // Everything that is listed can be restored, everything wanted is listed, nothing given up is, and a check finds nothing.
  void expect_whole(store::ObjectStore& store, const std::map<PointId, Tree>& wanted, const std::string& when) {
    Machine bare(clock_, "bare");
    Process process(bare, seed_ + 78);
    std::unique_ptr<Repository> repository;
    try {
      repository = process.open(store);
    } catch (const Error& error) {
      // Killed before the repository object.
      EXPECT_TRUE(wanted.empty() && error.code() == Code::not_found) << blame() << when << ": " << error.what();
      return;
    }
    std::set<PointId> listed;
    for (const PointSummary& point : repository->points()) {
      listed.insert(point.id);
      try {
        EXPECT_EQ(read_back(*repository, point.id), promises_.tried.at(point.label)) << blame() << when << ": " << point.label;
      } catch (const Error& error) {
        bool excused = wanted.empty() && promises_.giving_up.contains(point.id);
        EXPECT_TRUE(excused) << blame() << when << ": point '" << point.label << "' does not restore: " << error.what();
      }
    }
    for (const auto& [id, tree] : wanted) EXPECT_TRUE(listed.contains(id)) << blame() << when << ": point " << short_id(id) << " is not there";
    if (&store != &store_) return;
    for (const PointId& id : promises_.given_up) EXPECT_FALSE(listed.contains(id)) << blame() << when << ": a forgotten point is there";
    for (const DamagedObject& damage : repository->check({.level = Level::content, .run = {nullptr, nullptr, 1}}).damaged) {
      ADD_FAILURE() << blame() << when << ": " << damage.name << ": " << damage.what;
    }
  }

  const std::uint64_t seed_;
  Random random_;
  platform::ManualClock clock_;
  store::MemoryStore store_;
  std::vector<std::unique_ptr<Machine>> machines_;
  std::vector<std::unique_ptr<Process>> processes_;
  std::vector<std::string> blobs_;
  Promises promises_;
  const int parts_before_ = ::testing::UnitTest::GetInstance()->current_test_info()->result()->total_part_count();
  Stage stage_;
};

TEST(Histories, KeepWhatWasPromised) {
  const auto begin = std::chrono::steady_clock::now();
  std::uint64_t calls = 0, points = 0, runs = 0, failed = 0;
  for (std::uint64_t seed = first_seed; seed < first_seed + seeds; ++seed, ++runs) {
    History history(seed);
    history.play();
    calls += history.calls();
    points += history.acknowledged();
    if (talkative) std::cout << history.told();
    if (history.failed() && ++failed == failures_allowed) {
      std::cout << "seed " << seed << " failed; again with --seed " << seed << "; the last calls were\n" << history.told();
      break;
    }
  }
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
  std::cout << "histories " << runs << " (seeds " << first_seed << " to " << first_seed + runs - 1 << "), store calls " << calls << ", points acknowledged "
            << points << ", " << took.count() << " ms\n";
  for (const auto& [ending, times] : History::endings) std::cout << "  " << ending << ": " << times << "\n";
}

}  // namespace
}  // namespace holdfast::concurrency

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i + 1 < argc; ++i) {
    const std::string_view option = argv[i];
    using namespace holdfast::concurrency;
    if (option == "--seeds") seeds = std::stoull(argv[i + 1]);
    if (option == "--first" || option == "--seed") first_seed = std::stoull(argv[i + 1]);
    if (option == "--failures") failures_allowed = std::stoull(argv[i + 1]);
    if (option == "--seed") seeds = 1, talkative = true;
  }
  return RUN_ALL_TESTS();
}
