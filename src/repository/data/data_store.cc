// DataStore: opening nodes and sessions, and checking what is stored.
#include <algorithm>
#include <mutex>
#include <utility>

#include "base/error.h"
#include "base/parallel.h"
#include "platform/aligned_memory.h"
#include "repository/data/capture.h"
#include "repository/data/data.h"
#include "repository/data/engine.h"
#include "repository/data/tree_reader.h"

namespace holdfast::repository {
namespace {

// Follows every node below a root and looks up every chunk that it refers to. One use.
class TreeCheck {
 public:
  TreeCheck(Engine& engine, const PackSet& whole, const Cancel* cancel)
      : engine_(engine), whole_(whole), cancel_(cancel) {}

  void walk(const StoredRecord& root) {
    std::vector<std::unique_ptr<ListingCursor>> open;
    enter(root, open);
    while (!open.empty()) {
      if (cancel_) cancel_->check();
      std::optional<StoredRecord> next;
      try {
        next = open.back()->next();
      } catch (const Error& error) {
        if (!is_damage(error)) throw;
        report("", error.message());
      }
      if (next)
        enter(*next, open);
      else
        open.pop_back();
    }
  }
  std::vector<DataProblem> take() { return std::move(problems_); }

 private:
  void enter(const StoredRecord& node, std::vector<std::unique_ptr<ListingCursor>>& open) {
    if (node.entry.kind == tree::Kind::directory) {
      if (open.size() > kMaxDepth) return report("", "a stored tree is deeper than 4,096 directories");
      open.push_back(std::make_unique<ListingCursor>(engine_.reader, node.content,
                                                     [this](const ContentRef::Piece& p) { look(p); }));
      return;
    }
    try {
      PieceCursor pieces(engine_.reader, node.content, [this](const ContentRef::Piece& p) { look(p); });
      ContentRef::Piece piece;
      while (pieces.next(piece)) look(piece);
    } catch (const Error& error) {
      if (!is_damage(error)) throw;
      report("", error.message());
    }
  }

  void look(const ContentRef::Piece& piece) {
    std::vector<Index::Location> places = engine_.catalog.index().find(piece.id);
    bool found = std::any_of(places.begin(), places.end(), [&](const Index::Location& at) {
      return at.length == piece.length && whole_.contains(at.pack);
    });
    if (found) return;
    if (places.empty()) return report("", "chunk " + piece.id.hex().substr(0, 16) + " is in no pack");
    report(engine_.catalog.index().pack(places.front().pack).name(),
           "a chunk that is needed is in no whole pack of the inventory");
  }

  void report(std::string object, std::string what) {
    DataProblem problem{std::move(object), std::move(what)};
    if (std::find(problems_.begin(), problems_.end(), problem) == problems_.end())
      problems_.push_back(std::move(problem));
  }

  Engine& engine_;
  const PackSet& whole_;
  const Cancel* cancel_;
  std::vector<DataProblem> problems_;
};

class EngineDataStore final : public DataStore {
 public:
  explicit EngineDataStore(const DataContext& context) : engine_(std::make_shared<Engine>(context)) {}

  tree::NodePtr open_node(ByteView entry, const ContentRef& content) override {
    return std::make_shared<DataNode>(engine_, decode_root(entry, content), 0);
  }

  std::unique_ptr<BackupSession> begin_session(SessionSetup setup) override {
    engine_->catalog.refresh();
    engine_->catalog.match_with_store();
    return std::make_unique<CaptureSession>(engine_, std::move(setup));
  }

  std::optional<DataProblem> check_pack(const crypto::Sha256& pack, std::uint64_t size) override {
    std::unique_ptr<PackLook> look = take_look();
    std::optional<DataProblem> problem = check_pack_with(*look, pack, size);
    std::lock_guard lock(looks_mutex_);
    looks_.push_back(std::move(look));
    return problem;
  }

  std::vector<DataProblem> verify_content(const std::vector<std::pair<Bytes, ContentRef>>& roots,
                                          std::span<const NeededObject> packs, const RunOptions& run,
                                          PackReading* reading) override {
    engine_->catalog.load();
    for (const NeededObject& pack : packs) {
      if (pack.type == ObjectType::pack && !engine_->catalog.index().number_of(pack.hash)) {
        engine_->catalog.adopt_unlisted();
        break;
      }
    }
    PackSet whole;
    std::vector<DataProblem> problems = check_packs(packs, run, reading, whole);
    if (reading && reading->later != 0) return problems;
    TreeCheck trees(*engine_, whole, run.cancel);
    for (const auto& [entry, content] : roots) {
      try {
        trees.walk(decode_root(entry, content));
      } catch (const Error& error) {
        if (!is_damage(error)) throw;
        problems.push_back({"", error.message()});
      }
    }
    for (DataProblem& problem : trees.take()) problems.push_back(std::move(problem));
    return problems;
  }

  EnginePtr engine() override { return engine_; }

 private:
  // What one thread uses for one pack after another: fresh memory for each would cost as much as hashing it.
  struct PackLook {
    PackChecker checker;
    platform::AlignedMemory bytes{0};   // packs come past the page cache
  };

  std::unique_ptr<PackLook> take_look() {
    std::lock_guard lock(looks_mutex_);
    if (looks_.empty()) return std::make_unique<PackLook>();
    std::unique_ptr<PackLook> look = std::move(looks_.back());
    looks_.pop_back();
    return look;
  }

  ByteView read_pack(PackLook& look, const std::string& name, std::uint64_t size) {
    std::optional<store::ObjectInfo> there = engine_->context.store.info(name);
    if (!there) throw Error(Code::not_found, "object " + name + " is missing");
    if (there->size != size || size > object_limit(ObjectType::pack))
      throw Error(Code::damaged,
                  "object " + name + " is damaged: it has another size than the inventory says");
    if (look.bytes.size() < size) look.bytes = platform::AlignedMemory(static_cast<std::size_t>(size));
    MutableBytes object = look.bytes.writable().first(static_cast<std::size_t>(size));
    engine_->context.store.get_range(name, 0, object);
    return object;
  }

  std::optional<DataProblem> check_pack_with(PackLook& look, const crypto::Sha256& hash, std::uint64_t size) {
    std::string name = object_name(ObjectType::pack, hash);
    try {
      ByteView object = read_pack(look, name, size);
      ChunkReader::Chunk base;
      auto base_of = [&](const ChunkId& id, ChunkType type) {
        engine_->catalog.load();
        std::optional<ChunkReader::Chunk> found = engine_->reader.find_base(id, type);
        if (!found)
          throw Error(Code::damaged,
                      "object " + name + " cannot be decoded: the chunk that a frame builds on is not there");
        base = *found;
        return base.bytes;
      };
      look.checker.check(object, engine_->context.repository, engine_->context.keyring, base_of, name, &hash);
      return std::nullopt;
    } catch (const Error& error) {
      // A disk that cannot read this pack any more may well read the others.
      if (!is_damage(error) && error.code() != Code::io) throw;
      if (auto number = engine_->catalog.index().number_of(hash)) engine_->catalog.mark_damaged(*number);
      return DataProblem{name, error.message()};
    }
  }

  // Fills `whole` with the packs that are; several at a time.
  std::vector<DataProblem> check_packs(std::span<const NeededObject> packs, const RunOptions& run,
                                       PackReading* reading, PackSet& whole) {
    std::vector<DataProblem> problems;
    std::mutex mutex;
    in_parallel(packs.size(), check_threads(run), [&](std::size_t i) {
      if (run.cancel) run.cancel->check();
      const NeededObject& pack = packs[i];
      if (pack.type != ObjectType::pack) return;
      const auto turn = reading ? reading->turns.turn(pack.hash, pack.size) : PackTurns::Turn::now;
      std::optional<DataProblem> problem;
      if (turn == PackTurns::Turn::now) {
        problem = check_pack(pack.hash, pack.size);
        if (run.progress) run.progress->add(pack.size, 0);
        if (reading && !problem) reading->turns.whole(pack.hash, pack.size);
      }
      std::lock_guard lock(mutex);
      if (reading && turn == PackTurns::Turn::now) reading->bytes += pack.size;
      if (turn == PackTurns::Turn::later) {
        ++reading->later;
      } else if (problem) {
        problems.push_back(*problem);
      } else if (auto number = engine_->catalog.index().number_of(pack.hash)) {
        whole.add(*number);
      }
    });
    return problems;
  }

  std::mutex looks_mutex_;
  std::vector<std::unique_ptr<PackLook>> looks_;  // not in use; one for each thread that checks
  EnginePtr engine_;
};

}  // namespace

std::shared_ptr<DataStore> open_data(const DataContext& context) {
  return std::make_shared<EngineDataStore>(context);
}

}  // namespace holdfast::repository
