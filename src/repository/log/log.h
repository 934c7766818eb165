// The writers' logs: numbered, chained, signed records. They say which points exist, and they make it noticed when a store
// was rolled back. docs/repository-format.md "Record". Not thread-safe.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "platform/clock.h"
#include "platform/entropy.h"
#include "repository/keys/keyring.h"
#include "repository/keys/keys.h"
#include "repository/log/local_state.h"
#include "repository/point.h"
#include "repository/repository.h"
#include "store/object_store.h"

namespace holdfast::repository {

// Stored values: never renumber. A record may hold a type that this version does not know: it counts for the chain only.
enum class RecordType : std::uint16_t {
  point = 1, forget = 2, pin = 3, unpin = 4, prune_intent = 5, fence = 6, key_change = 7, verification = 8, accept_older = 9,
};

// The newest record of each writer in a view; the view held all records before it.
using Ground = std::map<WriterId, std::uint64_t>;
inline bool holds(const Ground& ground, const WriterId& writer, std::uint64_t number) {
  auto it = ground.find(writer);
  return it != ground.end() && it->second >= number;
}

// What a record says. Each type uses some of it; the rest stays empty.
struct RecordBody {
  Timestamp time;                     // filled by append()
  std::vector<PointId> points;
  std::string note;                   // reason of a forget, note of an accept-older, label of a slot's key
  std::optional<PointSummary> point;  // of a point record: without id, writer, number and what later records say
  Level level = Level::none;          // of a verification
  bool ok = false;
  SlotId slot;                        // of a key change
  bool slot_added = false;
  std::vector<std::string> objects;   // of a prune intent and of a fence
  Ground ground;                      // of a point and of a fence: what its writer had seen before it decided what to use or delete
  crypto::Sha256 concludes;           // of a fence: its intent
};

struct Record {
  WriterId writer;
  std::uint64_t number = 0;
  crypto::Sha256 hash;                // of the object
  crypto::Sha256 previous;            // of the writer's record before it; zeros for number 1
  RecordType type{};
  Heads seen;                         // heads of the other writers
  RecordBody body;
};

// Only what is readable without a key; for the order in which a copy is made.
struct RecordLinks { WriterId writer; std::uint64_t number = 0; crypto::Sha256 hash, previous; std::uint16_t type = 0; Heads seen; };
RecordLinks read_record_links(ByteView object, const RepositoryId& repository, const std::string& name);
// Indices of `records` such that each comes after all that its writer had seen, and otherwise by (rank, writer, number).
// `rank` is a time or anything else that sorts.
std::vector<std::size_t> causal_order(const std::vector<RecordLinks>& records, const std::vector<Timestamp>& rank);

// Who appends. The key's secret stays with its owner, who must outlive the call.
// `state`, when there is one, keeps two processes of this machine from taking one number.
struct LogWriter { WriterId id; const crypto::SigningKey& key; LocalState* state = nullptr; };

class Log {
 public:
  Log(store::ObjectStore& store, const RepositoryId& repository, Keyring& keyring);

  // Lists the store again and reads what is new. A record that is damaged, unsigned or misplaced is left out and told by findings().
  void refresh();
  // In an order in which each record comes after everything its writer had seen.
  const std::vector<std::shared_ptr<const Record>>& records() const { return records_; }
  Heads heads() const;                                    // newest record of each writer
  Ground ground() const;                                  // the same, without hashes
  bool contains(const WriterId& writer, const Head& head) const;
  // Against itself, what writers had seen of each other, and `remembered`. What an accept-older record has seen is settled.
  std::vector<ChainFinding> findings(const Heads& remembered) const;

  // Refreshes, then adds a record after the writer's last. If another process took the same number at the same moment, the
  // record is withdrawn and appended again. busy when that happens 20 times in a row.
  Record append(const LogWriter& writer, RecordType type, RecordBody body, platform::Clock& clock, platform::Entropy& entropy);

 private:
  struct Broken { std::string what; bool unsigned_record = false; };
  std::set<std::string> list() const;
  bool has_fresh_gap(const std::set<std::string>& present) const;
  void read_record(const std::string& name);
  Record decode(ByteView object, const std::string& name);
  void order();
  void own_chain_findings(std::vector<ChainFinding>& findings) const;
  void claim_finding(const WriterId& writer, const Head& head, const std::string& by, std::vector<ChainFinding>& findings) const;
  void omission_findings(std::vector<ChainFinding>& findings) const;
  bool settled(const WriterId& writer, std::uint64_t number) const;
  Bytes encode(const LogWriter& writer, const Record& record, platform::Entropy& entropy);
  bool shares_its_number(const Record& record);

  store::ObjectStore& store_;
  RepositoryId repository_;
  Keyring& keyring_;
  std::map<std::string, std::shared_ptr<const Record>> known_;   // by object name
  std::map<std::string, Broken> broken_;
  bool ordered_ = true;   // what follows says what is in known_
  std::vector<std::shared_ptr<const Record>> records_;
  std::map<WriterId, std::multimap<std::uint64_t, crypto::Sha256>> numbers_;   // by writer
};

bool is_rollback_or_fork(const ChainFinding& finding);
// "a1b2c3d4-17-0011223344556677", docs/repository-format.md "Record".
std::string head_code(const WriterId& writer, const Head& head);

}  // namespace holdfast::repository
