// DataStore: opening nodes and sessions, and checking what is stored.
#include <algorithm>
#include <atomic>
#include <set>
#include <thread>
#include <utility>

#include "base/error.h"
#include "repository/capture.h"
#include "repository/data.h"
#include "repository/engine.h"
#include "repository/tree_reader.h"

namespace holdfast::repository {
namespace {

constexpr unsigned kMostCheckers = 4;  // each holds a pack

bool is_damage(const Error& error) {
  return error.code() == Code::damaged || error.code() == Code::not_found ||
         error.code() == Code::unsupported;
}

// Follows every node below a root and looks up every chunk that it refers to. One use.
class TreeCheck {
 public:
  TreeCheck(Engine& engine, const std::set<Index::PackNumber>& whole, const Cancel* cancel)
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
  const std::set<Index::PackNumber>& whole_;
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
    PackChecker checker;
    return check_pack_with(checker, pack, size);
  }

  std::vector<DataProblem> verify_content(const std::vector<std::pair<Bytes, ContentRef>>& roots,
                                          const std::vector<NeededObject>& objects,
                                          const RunOptions& run) override {
    engine_->catalog.load();
    std::vector<NeededObject> packs;
    std::copy_if(objects.begin(), objects.end(), std::back_inserter(packs),
                 [](const NeededObject& o) { return o.type == ObjectType::pack; });
    for (const NeededObject& pack : packs) {
      if (!engine_->catalog.index().number_of(pack.hash)) {
        engine_->catalog.adopt_unlisted();
        break;
      }
    }
    std::set<Index::PackNumber> whole;
    std::vector<DataProblem> problems = check_packs(packs, run, whole);
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

 private:
  std::optional<DataProblem> check_pack_with(PackChecker& checker, const crypto::Sha256& hash,
                                             std::uint64_t size) {
    std::string name = object_name(ObjectType::pack, hash);
    try {
      Bytes object = engine_->context.store.get(name, object_limit(ObjectType::pack));
      if (object.size() != size)
        throw Error(Code::damaged,
                    "object " + name + " is damaged: it has another size than the inventory says");
      check_object_hash(object, hash, name);
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
      checker.check(object, engine_->context.repository, engine_->context.keyring, base_of, name);
      return std::nullopt;
    } catch (const Error& error) {
      // A disk that cannot read this pack any more may well read the others.
      if (!is_damage(error) && error.code() != Code::io) throw;
      if (auto number = engine_->catalog.index().number_of(hash)) engine_->catalog.mark_damaged(*number);
      return DataProblem{name, error.message()};
    }
  }

  // Fills `whole` with the packs that are; several at a time.
  std::vector<DataProblem> check_packs(const std::vector<NeededObject>& packs, const RunOptions& run,
                                       std::set<Index::PackNumber>& whole) {
    std::vector<DataProblem> problems;
    std::mutex mutex;
    std::exception_ptr error;
    std::atomic<std::size_t> next{0};
    auto work = [&] {
      try {
        PackChecker checker;
        for (std::size_t i = next++; i < packs.size(); i = next++) {
          if (run.cancel) run.cancel->check();
          std::optional<DataProblem> problem = check_pack_with(checker, packs[i].hash, packs[i].size);
          if (run.progress) run.progress->add(packs[i].size, 0);
          std::lock_guard lock(mutex);
          if (problem)
            problems.push_back(*problem);
          else if (auto number = engine_->catalog.index().number_of(packs[i].hash))
            whole.insert(*number);
        }
      } catch (...) {
        std::lock_guard lock(mutex);
        if (!error) error = std::current_exception();
        next = packs.size();
      }
    };
    unsigned count =
        run.workers ? run.workers : std::clamp(std::thread::hardware_concurrency(), 1U, kMostCheckers);
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < count; ++i) threads.emplace_back(work);
    for (std::thread& thread : threads) thread.join();
    if (error) std::rethrow_exception(error);
    return problems;
  }

  EnginePtr engine_;
};

}  // namespace

std::shared_ptr<DataStore> open_data(const DataContext& context) {
  return std::make_shared<EngineDataStore>(context);
}

}  // namespace holdfast::repository
