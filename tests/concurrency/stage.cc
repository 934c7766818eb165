#include "stage.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "platform/faulty_file_system.h"

namespace holdfast::concurrency {
namespace {

constexpr std::size_t kCallsTold = 400;
constexpr int kLockTries = 40;   // stands for the patience of a lock

class StageStore final : public store::ObjectStore {
 public:
  StageStore(Stage& stage, std::size_t actor, store::ObjectStore& store) : stage_(stage), actor_(actor), store_(store) {}

  using ObjectStore::put;
  void put(const std::string& name, std::span<const ByteView> parts) override {
    stage_.call(actor_, "put " + name, [&] { store_.put(name, parts); });
  }
  Bytes get(const std::string& name, std::uint64_t limit) override {
    Bytes bytes;
    stage_.call(actor_, "get " + name, [&] { bytes = store_.get(name, limit); });
    return bytes;
  }
  void get_range(const std::string& name, std::uint64_t offset, MutableBytes out) override {
    stage_.call(actor_, "get range of " + name, [&] { store_.get_range(name, offset, out); });
  }
  std::optional<store::ObjectInfo> info(const std::string& name) override {
    std::optional<store::ObjectInfo> info;
    stage_.call(actor_, "info " + name, [&] { info = store_.info(name); });
    return info;
  }
  // One folder after another, as stores do: a list is not of one moment.
  void list(std::string_view prefix, const std::function<void(const store::ObjectInfo&)>& visit) override {
    std::map<std::string, bool> folders;
    stage_.call(actor_, "list folders of '" + std::string(prefix) + "'", [&] {
      store_.list(prefix, [&](const store::ObjectInfo& info) { folders[info.name.substr(0, info.name.rfind('/'))] = true; });
    });
    for (const auto& [folder, _] : folders) {
      std::vector<store::ObjectInfo> found;
      stage_.call(actor_, "list " + folder, [&] { store_.list(folder, [&](const store::ObjectInfo& info) { found.push_back(info); }); });
      for (const store::ObjectInfo& info : found) visit(info);
    }
  }
  void remove(const std::string& name) override {
    stage_.call(actor_, "remove " + name, [&] { store_.remove(name); });
  }
  std::string location() const override { return store_.location(); }

 private:
  Stage& stage_;
  std::size_t actor_;
  store::ObjectStore& store_;
};

struct HeldLock final : platform::FileLock {
  explicit HeldLock(bool& held_flag) : held(held_flag) { held = true; }
  ~HeldLock() override { held = false; }
  bool& held;
};

}  // namespace

Stage::~Stage() {
  for (auto& actor : actors_) {
    if (actor->thread.joinable()) actor->thread.join();
  }
}

std::size_t Stage::add(std::string name, Fate fate, std::function<void(store::ObjectStore&)> play) {
  auto actor = std::make_unique<Actor>();
  actor->name = std::move(name);
  actor->fate = fate;
  actor->play = std::move(play);
  actor->store = std::make_unique<StageStore>(*this, actors_.size(), store_);
  actors_.push_back(std::move(actor));
  return actors_.size() - 1;
}

void Stage::perform(std::size_t number) {
  Actor& actor = *actors_[number];
  std::string error;
  try {
    call(number, "begins", [] {});
    actor.play(*actor.store);
  } catch (const platform::Killed&) {
  } catch (const std::exception& thrown) {
    error = actor.name + ": " + thrown.what();
  }
  std::lock_guard lock(mutex_);
  if (!error.empty()) errors_.push_back(error);
  actor.ended = true;
  changed_.notify_all();
}

void Stage::call(std::size_t number, const std::string& what, const std::function<void()>& act) {
  std::unique_lock lock(mutex_);
  Actor& actor = *actors_[number];
  ++actor.waiting;
  changed_.notify_all();
  changed_.wait(lock, [&] { return actor.turn || actor.dead; });
  --actor.waiting;
  if (actor.dead) {
    changed_.notify_all();
    throw platform::Killed{};
  }
  actor.turn = false;
  ++calls_;
  last_calls_.push_back(actor.name + ": " + what);
  if (last_calls_.size() > kCallsTold) last_calls_.pop_front();
  const bool dies = ++actor.calls == actor.fate.dies_at;
  if (dies) last_calls_.back() += actor.fate.dies_after ? " (and is killed)" : " (killed before)";
  if (dies && !actor.fate.dies_after) {
    actor.dead = true;
    actor.busy = false;
    changed_.notify_all();
    throw platform::Killed{};
  }
  lock.unlock();
  auto done = [&] {
    lock.lock();
    actor.busy = false;
    if (dies) actor.dead = true;
    changed_.notify_all();
  };
  try {
    act();
  } catch (...) {
    done();
    throw;
  }
  done();
  if (dies) throw platform::Killed{};
}

bool Stage::paused(const Actor& actor) const {
  return actor.fate.pauses_at && actor.calls + 1 == *actor.fate.pauses_at && !actors_[actor.fate.waits_for]->ended;
}

std::optional<std::size_t> Stage::next(std::optional<std::size_t> last, unsigned stays) {
  std::vector<std::size_t> ready, all;
  for (std::size_t i = 0; i < actors_.size(); ++i) {
    if (actors_[i]->ended) continue;
    all.push_back(i);
    if (!paused(*actors_[i])) ready.push_back(i);
  }
  if (ready.empty()) ready = all;
  if (ready.empty()) return std::nullopt;
  bool again = last && std::find(ready.begin(), ready.end(), *last) != ready.end() && random_() % 100 < stays;
  return again ? *last : ready[random_() % ready.size()];
}

void Stage::run(unsigned stays) {
  for (std::size_t i = 0; i < actors_.size(); ++i) actors_[i]->thread = std::thread([this, i] { perform(i); });
  std::unique_lock lock(mutex_);
  for (std::optional<std::size_t> last;;) {
    changed_.wait(lock, [&] {
      return std::all_of(actors_.begin(), actors_.end(), [](const auto& a) { return a->ended || (a->waiting > 0 && !a->busy && !a->dead); });
    });
    last = next(last, stays);
    if (!last) break;
    actors_[*last]->turn = actors_[*last]->busy = true;
    changed_.notify_all();
  }
  lock.unlock();
  for (auto& actor : actors_) actor->thread.join();
}

std::string Stage::told() const {
  std::string text;
  for (const std::string& call : last_calls_) text += "  " + call + "\n";
  return text;
}

std::unique_ptr<platform::FileLock> StageFiles::lock(const platform::Path& path, std::chrono::milliseconds) {
  bool& held = locks_[path.string()];
  if (stage_ == nullptr) return std::make_unique<HeldLock>(held);
  std::unique_ptr<platform::FileLock> lock;
  for (int tries = 0; tries < kLockTries && !lock; ++tries) {
    stage_->call(actor_, "lock " + path.string(), [&] {
      if (!held) lock = std::make_unique<HeldLock>(held);
    });
  }
  if (!lock) throw Error(Code::busy, "cannot lock " + path.string() + ": somebody else holds it");
  return lock;
}

}  // namespace holdfast::concurrency
