// The repository: points, what they contain, ways in. docs/repository-format.md tells the bytes.
//
// Knows no item kind: items are trees and facts. Any number of Repository objects, in any number of processes, may use one
// store at a time. A Repository may be used by several threads unless a function says otherwise.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/progress.h"
#include "crypto/keys.h"
#include "platform/clock.h"
#include "platform/entropy.h"
#include "platform/file_system.h"
#include "repository/keys.h"
#include "repository/local_state.h"
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
  // Makes everything durable and then the point. Returns when the point is acknowledged. Once.
  virtual PointId publish(const PointDraft& draft) = 0;
  virtual std::uint64_t bytes_read() const = 0;      // handed to sinks
  virtual std::uint64_t bytes_stored() const = 0;    // new bytes in the store so far
};

struct ChainFinding {          // what reading the logs showed beside their content
  enum class Kind { rollback, fork, omission, unsigned_record, gap } kind;
  std::string message;         // names writer, number, and what is missing
};

struct DamagedObject { std::string name; std::string what; std::vector<PointId> affects; };
struct CheckReport {
  std::uint64_t objects = 0, bytes = 0, leftovers = 0;
  std::vector<DamagedObject> damaged;   // empty: whole
};

struct CheckOptions {
  Level level = Level::exists;      // exists and bytes need no key
  double share = 1.0;               // of the packs, for bytes and content
  RunOptions run;
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
  // only a share was looked at and nothing was wrong, or the logs are older than remembered (chain_findings).
  virtual CheckReport verify(const PointId& id, const CheckOptions& options) = 0;
  // What somebody else found out: level restore, proven by a drill.
  virtual void record_verification(const PointId& id, Level level, bool ok) = 0;
  virtual CheckReport check(const CheckOptions& options) = 0;        // all levels up to content
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
