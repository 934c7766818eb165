// The repository: points, what they contain, ways in. docs/repository-format.md tells the bytes.
//
// Knows no item kind: items are trees and facts. Any number of Repository objects, in any number of processes, may use one
// store at a time. A Repository may be used by several threads unless a function says otherwise.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"
#include "base/progress.h"
#include "crypto/keys.h"
#include "platform/clock.h"
#include "platform/entropy.h"
#include "platform/file_system.h"
#include "repository/keys/keys.h"
#include "repository/log/local_state.h"
#include "repository/point.h"
#include "store/object_store.h"
#include "tree/streams.h"

namespace holdfast::repository {

// What a Repository uses of the outside; all must outlive it.
struct Context {
  store::ObjectStore& store;
  platform::Clock& clock;
  platform::Entropy& entropy;
  LocalState* state = nullptr;     // nullptr: remembers nothing (a bare machine reading)
  std::string writer_label;        // host name, for people
  std::string tool_version;
  // Folder of the real file system for derived files of any repository (each has its own below it): made when missing,
  // rebuilt when lost, shared by the processes of this machine. Empty: none are kept.
  platform::Path cache = {};
};

struct RunOptions {
  ProgressSink* progress = nullptr;
  const Cancel* cancel = nullptr;
  unsigned workers = 0;            // 0: as many as the machine has cores, plus one
};

// A prune condemned something that a new point needs, at that very moment: the point was taken back, and whoever made it begins
// again. What was stored is found again by the next session. docs/concurrency.md "A writer".
class Withdrawn final : public Error {
 public:
  explicit Withdrawn(const std::string& object);
};
// Calls `attempt` until it is not Withdrawn any more; the fifth time it is thrown (busy).
template <class Attempt>
auto begin_again_when_withdrawn(Attempt attempt) {
  for (int left = 4; left > 0; --left) {
    try {
      return attempt();
    } catch (const Withdrawn&) {
    }
  }
  return attempt();
}

// One backup: capture items, then publish. Not thread-safe; destroying it unpublished leaves the repository as it was,
// apart from packs that the next run can use.
class BackupSession {
 public:
  virtual ~BackupSession() = default;
  // `previous`: root of the same item in an earlier point, so that unchanged files are not read. One item at a time.
  virtual tree::TreeSink& begin_item(const std::string& name, tree::NodePtr previous) = 0;
  // Fills root, bytes and files of `item`.
  virtual void end_item(StoredItem& item) = 0;
  // The item could not be read: leaves no trace of it. Throws the repository's own error when that is what went wrong, so that
  // a full repository is never taken for an unreadable file.
  virtual void abandon_item() = 0;
  // Makes everything durable and then the point. Returns when the point is acknowledged. Once. Withdrawn.
  virtual PointId publish(const PointDraft& draft) = 0;
  virtual std::uint64_t bytes_read() const = 0;      // handed to sinks
  virtual std::uint64_t bytes_stored() const = 0;    // new bytes in the store so far
};

struct ChainFinding {          // what reading the logs showed beside their content
  enum class Kind { rollback, fork, omission, unsigned_record, gap } kind;
  std::string message;         // names writer, number, and what is missing
};

// A file that cannot be restored whole, or a directory whose listing cannot be read to its end. `object`: damaged with it; "" when
// no object can be blamed. Paths are those in the item, "" its root; they come from a backup: print through printable().
struct AffectedFile { std::string object; PointId point; std::string item, path; bool listing = false; };
struct AffectedFiles {
  PointId point;
  std::uint64_t count = 0;
  std::vector<std::string> first;       // "item/path", at most kFirstPaths
};
inline constexpr std::size_t kFirstPaths = 20;
struct DamagedObject { std::string name; std::string what; std::vector<PointId> affects; std::vector<AffectedFiles> files = {}; };
struct CheckReport {
  std::uint64_t objects = 0, bytes = 0, leftovers = 0;
  std::uint64_t later = 0;              // packs that were left to another run (PackTurns)
  std::vector<DamagedObject> damaged;   // empty: whole
  bool files_known = false;             // looked for the affected files: that takes a key
};

// Which packs Repository::verify() reads in this run; the caller's to say. Asked by several threads at a time.
class PackTurns {
 public:
  virtual ~PackTurns() = default;
  enum class Turn { now, known, later };   // read it; it is known to be whole; leave it to another run
  virtual Turn turn(const crypto::Sha256& pack, std::uint64_t size) = 0;
  virtual void whole(const crypto::Sha256& pack, std::uint64_t size) = 0;   // it was read in its turn, and is
};

struct CheckOptions {
  Level level = Level::exists;      // exists and bytes need no key
  double share = 1.0;               // of the packs, for bytes and content
  RunOptions run;
  std::function<void(const AffectedFile&)> affected = {};   // each of them, as they are found (Repository::check)
  PackTurns* turns = nullptr;       // of verify() at bytes and content; nullptr: every pack is read
};

// -- prune: docs/concurrency.md has the protocol, the waiting times and their reasons
struct PruneOptions {
  bool dry_run = false;
  // Packs are rewritten, those with the least use first, until at most this share of the repository's bytes is unused.
  double most_unused = 0.05;
  bool rewrite_old_epochs = false;           // and every pack under keys that were replaced (rotate_keys)
  std::chrono::seconds unused_for{24 * 60 * 60};   // what no record ever named is left alone that long, by the store's time
  std::chrono::seconds wait{0};              // between the fence and the deletion
  RunOptions run;
};
struct PruneReport {
  struct Amount {
    std::uint64_t objects = 0, bytes = 0;
    void add(std::uint64_t size) { ++objects, bytes += size; }
  };
  Amount deleted;         // all of it; of a dry run: what would be
  Amount rewritten;       // packs of which little was needed, and index segments that were merged; part of `deleted`
  Amount written;         // in their place; not known in a dry run
  Amount waiting;         // left alone, because no record names it yet: of a backup that runs, or was interrupted
  Amount spared;          // condemned, but a point came meanwhile that needs it
  std::uint64_t unused_bytes = 0;            // that stay, inside packs of which the rest is needed
  std::uint64_t repository_bytes = 0;        // before
  std::uint64_t void_points = 0;             // of backups that were killed before their point was acknowledged: forgotten
  std::vector<std::string> damaged;          // objects in the way of rewriting: kept as they are
};

// Needs no key: names, sizes, hashes, inventories.
CheckReport check_objects(store::ObjectStore& store, const CheckOptions& options);

class Repository {
 public:
  virtual ~Repository() = default;

  virtual RepositoryId id() const = 0;
  virtual store::ObjectStore& store() = 0;

  // -- points
  virtual std::vector<PointSummary> points() = 0;                    // newest first (by finish time, then id)
  // Hex prefix (at least 4 digits) or "latest" (newest complete one). not_found; usage when ambiguous.
  virtual PointId resolve(const std::string& text) = 0;
  virtual Point load(const PointId& id) = 0;                         // not_found, damaged
  virtual tree::NodePtr open_item(const Point& point, const std::string& item) = 0;   // not_found when absent or failed
  virtual std::unique_ptr<BackupSession> begin_backup(const RunOptions& options) = 0;
  virtual void forget(const std::vector<PointId>& ids, const std::string& reason) = 0;
  virtual void pin(const PointId& id, bool pinned) = 0;
  virtual void accept_older(const std::string& note) = 0;            // clears remembered heads, recorded
  virtual std::vector<ChainFinding> chain_findings() = 0;            // empty: the logs are whole and not older than remembered
  virtual std::string head_code() = 0;                               // of the newest record; "" in an empty repository
  virtual bool contains_head(const std::string& code) = 0;           // usage when malformed

  // -- ways in
  virtual std::vector<SlotInfo> slots_with_labels() = 0;
  virtual SlotInfo add_slot(const SlotSecret& secret, const std::string& label) = 0;
  virtual void remove_slot(const SlotId& id) = 0;                    // precondition: the last way in stays

  // -- checking
  // Everything a point needs, up to level content, which decodes each chunk and ignores `share`. Records the result, unless
  // only a share was looked at or packs were left for later, and nothing was wrong, or the logs are older than remembered (chain_findings).
  virtual CheckReport verify(const PointId& id, const CheckOptions& options) = 0;
  // What somebody else found out: level restore, proven by a drill.
  virtual void record_verification(const PointId& id, Level level, bool ok) = 0;
  virtual CheckReport check(const CheckOptions& options) = 0;        // all levels up to content
  // The part of a repair (repair.h) that takes the keys; mending.h. `damage`: what check() of level bytes found just now.
  virtual std::unique_ptr<class Mending> begin_mending(const CheckReport& damage, const RunOptions& run) = 0;

  // -- space and keys
  // Deletes what no point needs. Any number of backups, copies and prunes may run meanwhile; killed anywhere, the next one goes on.
  // precondition: a copy, which deletes nothing. damaged: the logs or a point cannot be read, so that what they need is not known.
  virtual PruneReport prune(const PruneOptions& options) = 0;
  // A new key epoch for whatever is written from now on by sessions that begin later; gives its number.
  virtual std::uint32_t rotate_keys() = 0;
};

struct Created { std::unique_ptr<Repository> repository; RecoveryKey recovery_key; };
// The store must hold no repository (already_exists). Makes two slots: the password and a recovery key.
Created create(const Context& context, const SlotSecret& password, crypto::Argon2Cost cost = {});
// wrong_key, damaged, unsupported, not_found (no repository there).
std::unique_ptr<Repository> open(const Context& context, const SlotSecret& secret);
// Without a key. not_found when there is no repository.
struct Overview { RepositoryId id; std::uint16_t version = 0; Timestamp created; std::vector<SlotInfo> slots; };
Overview inspect(store::ObjectStore& store);

// -- copy, export, import
struct CopyReport { std::uint64_t objects = 0, bytes = 0, already_there = 0; };
// Brings `to` up to date with `from`: objects byte for byte, checked by hash after copying; deletes nothing. Needs no key.
// precondition when `to` holds another repository.
CopyReport copy(store::ObjectStore& from, store::ObjectStore& to, platform::Clock& clock, platform::Entropy& entropy,
                const RunOptions& options);
// Stores `point` (the named items; empty: all) in another repository, keeping where it came from. already_exists when it is there.
PointId transfer(Repository& from, const PointId& point, const std::vector<std::string>& items, Repository& to,
                 const RunOptions& options);

}  // namespace holdfast::repository
