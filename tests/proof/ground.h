// What the proofs stand on: a machine whose disk fails, dies and forgets on demand, small repositories on it, and the model that
// says what must come back. One program a family of faults (docs/reliability.md).
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "platform/testing.h"
#include "repository/data/data_testing.h"
#include "repository/repository.h"
#include "store/local_store.h"
#include "store/testing.h"

namespace holdfast::proof {

using platform::Path;
using repository::PointId;
using repository::Repository;
using repository::SlotSecret;
using repository::testing::Model;
using repository::testing::Random;

// Cheap on purpose: what a proof repeats thousands of times. The default cost is tested in crypto and in tests/system.
inline constexpr crypto::Argon2Cost kCheap{64, 1};
inline constexpr const char* kPassword = "canary-password-9f31";
inline constexpr const char* kFilePassword = "canary-file-password-77aa";
inline constexpr const char* kItem = "item";

SlotSecret password(std::string_view text = kPassword);

// How much more than usual: 1, or HOLDFAST_PROOF_FACTOR (scripts/soak). Multiplies seeds and sizes.
std::uint64_t factor();
// The first seed: 1, or HOLDFAST_PROOF_SEED. Printed by every test that uses one.
std::uint64_t first_seed();

// A machine: everything that it keeps lies on one disk in memory. `all` sees every call, the others those of one place.
struct Machine {
  explicit Machine(std::uint64_t seed = 1) : entropy(seed) {}

  platform::ManualClock clock;
  platform::SeededEntropy entropy;
  platform::MemoryFileSystem disk{clock};
  platform::FaultyFileSystem all{disk};
  platform::FaultyFileSystem repository_files{static_cast<platform::FileSystem&>(all)}, state_files{static_cast<platform::FileSystem&>(all)},
      target_files{static_cast<platform::FileSystem&>(all)};
  platform::Clock* now = &clock;        // what the program asks; `clock` is also the disk's
  Path cache;                           // real folder; empty: none
  std::string id = "machine-1";

  std::vector<platform::FaultyFileSystem*> places() { return {&repository_files, &state_files, &target_files}; }
  void no_faults();
};

// The places on the disk.
inline const Path kRepository = "repository", kState = "state", kCopy = "copy", kOut = "out", kFile = "out/backup.holdfast";

// What a disk holds, to begin many runs from the same.
struct Image {
  std::vector<Path> folders;
  std::vector<std::pair<Path, Bytes>> files;
  Timestamp time;
};
Image take_image(Machine& machine);
// Onto an empty disk, durably.
void put_image(Machine& machine, const Image& image);

// One run of the program: opens what it uses, and takes all that it knows with it when it ends.
class Program {
 public:
  explicit Program(Machine& machine) : machine_(machine), state_(machine.state_files, kState, machine.id) {}

  store::ObjectStore& store();
  store::ObjectStore& copy_store();
  repository::Context context();
  Repository& repository();                           // opens it at the first use
  Repository& repository_with(const SlotSecret& secret);
  repository::LocalState& state() { return state_; }
  Machine& machine() { return machine_; }
  platform::Clock& clock() { return *machine_.now; }

 private:
  Machine& machine_;
  repository::LocalState state_;
  std::unique_ptr<store::ObjectStore> store_, copy_;
  std::unique_ptr<Repository> repository_;
};

// A repository with small chunks (repository::testing::small_parameters), so that little content has many. Without faults.
void make_repository(const repository::Context& context, const SlotSecret& secret);

// The content of version `n` of the protected tree: 1, 2, ... Each differs from the one before in one file, lacks one of its
// files and has a new one. Names and content hold canaries.
const Model& version(unsigned n);
inline constexpr const char* kCanaries[] = {"canary-content-51c2", "canary-name-e07d", "canary-label-2b88", "canary-config-c63a",
                                            kPassword, kFilePassword};
std::string label_of(unsigned n);
// 0: not a label of ours.
unsigned version_of_label(const std::string& label);

// A backup of version `n` as the program makes it: unchanged files are taken over from the newest point. The point.
PointId back_up(Repository& repository, platform::Clock& clock, unsigned n);

// "" when `node` and everything below it are the model; else what differs. Throws what reading throws.
std::string difference(const Model& model, const tree::StoredNode& node);
// Restores the whole point and compares. "" = byte for byte.
std::string difference(Repository& repository, const repository::PointSummary& point);

// What is true of a machine, as facts that are there or not: "point canary-label... v1", "pinned v1", "slot password x", "copy v1",
// "file v1", "verified v1 content", "machine ok". Whatever must never be (wrong bytes, damage, an alarm of the chain) is a test failure here.
using Facts = std::set<std::string>;
Facts observe(Machine& machine);

// Everything that can be done to a repository.
struct Operation {
  std::string name;
  std::function<void(Machine&)> prepare;     // from an empty disk, without faults
  std::function<void(Program&)> act;
  std::set<Code> may_say = {};               // besides the code of the fault
};
const std::vector<Operation>& operations();
// gtest prints and names tests with it.
inline void PrintTo(const Operation& operation, std::ostream* out) { *out << operation.name; }

// Before and after of an operation that nothing disturbs. Made once per operation.
struct Undisturbed {
  Image image;
  Facts before, after;
  std::uint64_t calls = 0, changes = 0;      // of all files
};
const Undisturbed& undisturbed(const Operation& operation);

// Facts of a run that did not end: all that was there before and stays, and nothing that is neither before nor after.
::testing::AssertionResult between(const Facts& facts, const Undisturbed& ends);

// Says and checks "calls counted N, runs N".
void expect_all(const std::string& what, std::uint64_t counted, std::uint64_t runs);

}  // namespace holdfast::proof
