// A stage on which processes (actors) run one store call at a time, in an order that a seed decides.
//
// An actor is a thread and whatever threads the program makes for it; all of them reach the outside through its Stand-ins below.
// Every call of a store waits for its turn; one call is let through when every actor that is not at its end waits for one.
// So what is decided by the seed, and the same every time: which actor makes the next call, who is killed, who is paused.
// What is not: which of one actor's own threads comes first when two of them want to call something at once.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "platform/file_system.h"
#include "store/object_store.h"

namespace holdfast::concurrency {

using Random = std::mt19937_64;

class Stage {
 public:
  Stage(store::ObjectStore& store, std::uint64_t seed) : store_(store), random_(seed) {}
  ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  struct Fate {
    std::optional<unsigned> dies_at = {};      // number of its call (from 1): before or after it was carried out, every later one throws Killed
    bool dies_after = false;
    std::optional<unsigned> pauses_at = {};    // waits there until `waits_for` has ended, or until nobody else can go on
    std::size_t waits_for = 0;
  };
  // `play` gets the store that it is to use. What it throws is kept; Killed is its end. Numbers count from 0.
  std::size_t add(std::string name, Fate fate, std::function<void(store::ObjectStore&)> play);
  // How likely it is, in percent, that the actor that called last calls again.
  void run(unsigned stays);

  std::uint64_t calls() const { return calls_; }
  bool was_killed(std::size_t actor) const { return actors_[actor]->dead; }
  // "actor: what it threw"
  const std::vector<std::string>& errors() const { return errors_; }
  std::string told() const;               // the last calls, one a line

  // For stand-ins. Waits for the actor's turn, then does `act` while nobody else moves.
  void call(std::size_t actor, const std::string& what, const std::function<void()>& act);

 private:
  struct Actor {
    std::string name;
    Fate fate;
    std::unique_ptr<store::ObjectStore> store;
    std::function<void(store::ObjectStore&)> play;
    std::thread thread;
    unsigned calls = 0, waiting = 0;
    bool turn = false, busy = false, dead = false, ended = false;
  };
  void perform(std::size_t number);
  bool paused(const Actor& actor) const;
  std::optional<std::size_t> next(std::optional<std::size_t> last, unsigned stays);

  store::ObjectStore& store_;
  Random random_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<Actor>> actors_;
  std::vector<std::string> errors_;
  std::deque<std::string> last_calls_;
  std::uint64_t calls_ = 0;
};

// The disk of a machine, shared by its processes: locks are waited for on the stage, so that the seed decides there, too.
class StageFiles final : public platform::FileSystem {
 public:
  StageFiles(platform::FileSystem& files, std::map<std::string, bool>& locks) : files_(files), locks_(locks) {}
  // Until it is on a stage, locks are taken at once.
  void enter(Stage& stage, std::size_t actor) { stage_ = &stage, actor_ = actor; }

  std::unique_ptr<platform::ReadFile> open(const platform::Path& path, platform::OpenOptions options) override { return files_.open(path, options); }
  std::unique_ptr<platform::WriteFile> create(const platform::Path& path, platform::CreateOptions options) override { return files_.create(path, options); }
  std::unique_ptr<platform::WriteFile> append(const platform::Path& path) override { return files_.append(path); }
  void rename(const platform::Path& from, const platform::Path& to) override { files_.rename(from, to); }
  void remove(const platform::Path& path) override { files_.remove(path); }
  void make_directory(const platform::Path& path, std::uint32_t mode) override { files_.make_directory(path, mode); }
  void sync_directory(const platform::Path& path) override { files_.sync_directory(path); }
  std::optional<platform::FileInfo> info(const platform::Path& path) override { return files_.info(path); }
  std::vector<Child> list(const platform::Path& path) override { return files_.list(path); }
  std::uint64_t free_bytes(const platform::Path& path) override { return files_.free_bytes(path); }
  std::unique_ptr<platform::FileLock> lock(const platform::Path& path, std::chrono::milliseconds patience) override;

 private:
  platform::FileSystem& files_;
  std::map<std::string, bool>& locks_;   // of the machine
  Stage* stage_ = nullptr;
  std::size_t actor_ = 0;
};

}  // namespace holdfast::concurrency
