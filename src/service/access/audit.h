// The audit log: who did what, and who was refused what. It cannot be edited unnoticed.
//
// A chain: each entry has a number, one more than the one before it, and the SHA-256 of itself and of the hash before it; a MAC of that
// hash under a key that is kept outside the state file (StateFile::key). Whoever can write the file and does not have the key
// can change, take out or reorder nothing without verify() naming the first entry that does not fit. Cutting off the end is seen by whoever remembered
// a head() elsewhere. Whoever has the key as well (root) can write a new chain; a remembered head tells that, too.
//
// What cannot be written here is not done: append() is given the transaction of the change itself, record() comes before an act outside
// the state file. Format: docs/service.md, "The audit log". Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "crypto/hash.h"
#include "crypto/secret.h"
#include "platform/clock.h"
#include "service/state/state_file.h"

namespace holdfast::service {

// Who acts, and from where.
struct Actor {
  std::string who;      // a user's name, "token LABEL", "schedule NAME", "root"
  std::string origin;   // an address, "command line", "service"
};

struct AuditEntry {
  std::uint64_t number = 0;   // from 1
  Timestamp time;             // as the clock said: it may have been set back
  Actor actor;
  std::string action;         // "user.add", "sign-in", "job.start"
  std::string object;         // what it was done to
  std::string outcome;        // "done", "refused", "failed"
  std::string detail;
};

// The last entry: what is remembered elsewhere to see later that nothing was cut off.
struct AuditHead {
  std::uint64_t number = 0;   // 0: there is no entry yet, and `hash` is zero
  crypto::Sha256 hash;
  bool operator==(const AuditHead&) const = default;
};

struct AuditCheck {
  std::uint64_t entries = 0;              // that fit, from the first on
  std::optional<std::uint64_t> broken;    // the first entry that does not fit
  std::string why;                        // "entry 17 was changed"
  AuditHead head;                         // of those that fit
};

class Audit {
 public:
  Audit(StateFile& state, platform::Clock& clock) : state_(state), clock_(clock), key_(state.key("audit")) {}

  // Adds an entry to a change that is not committed yet. Texts that are too long are cut (kLongest), control characters escaped.
  void append(Transaction& change, const Actor& actor, std::string_view action, std::string_view object, std::string_view outcome,
              std::string_view detail = "");
  // The same, durable by itself: before an act that is not a change of the state file.
  void record(const Actor& actor, std::string_view action, std::string_view object, std::string_view outcome, std::string_view detail = "");

  AuditHead head();
  AuditHead head(Transaction& transaction);   // as the transaction sees it
  // Newest first: up to `limit` entries with numbers below `before` (0: from the newest).
  std::vector<AuditEntry> entries(std::uint64_t before, std::size_t limit);
  // Walks the chain; others may write meanwhile. `remembered`: it must hold that entry with that hash.
  AuditCheck verify(const std::optional<AuditHead>& remembered = std::nullopt);

  static constexpr std::size_t kLongest = 2000;   // bytes of a text

 private:
  StateFile& state_;
  platform::Clock& clock_;
  crypto::Secret key_;
};

}  // namespace holdfast::service
