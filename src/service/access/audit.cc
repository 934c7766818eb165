#include "service/access/audit.h"

#include <algorithm>

#include "base/text.h"
#include "base/wire.h"

namespace holdfast::service {
namespace {

constexpr std::int64_t kPage = 500;   // entries of one transaction while walking: others need not wait for the whole
constexpr std::string_view kColumns = "number, time, who, origin, action, object, outcome, detail, hash, mac";

struct Row {
  AuditEntry entry;
  Bytes hash, mac;
};

Row read_row(Statement& s) {
  Row row;
  row.entry = {static_cast<std::uint64_t>(s.integer(0)), {s.integer(1), 0}, {s.text(2), s.text(3)}, s.text(4), s.text(5), s.text(6), s.text(7)};
  row.hash = s.blob(8);
  row.mac = s.blob(9);
  return row;
}

crypto::Sha256 hash_of(const AuditEntry& e, const crypto::Sha256& before) {
  Writer w;
  w.raw(before.view()).u64(e.number).i64(e.time.seconds);
  for (const std::string* text : {&e.actor.who, &e.actor.origin, &e.action, &e.object, &e.outcome, &e.detail}) w.text(*text);
  return crypto::sha256(w.bytes());
}

Bytes mac_of(const crypto::Secret& key, const crypto::Sha256& hash) {
  Bytes mac(32);
  crypto::keyed_hash(key.view(), hash.view(), mac);
  return mac;
}

std::string fitting(std::string_view text) { return shortened(printable(text), Audit::kLongest); }

AuditHead last(Transaction& transaction) {
  Statement s = transaction.ask("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1");
  if (!s.step()) return {};
  const Bytes hash = s.blob(1);
  // A hash of another size was tampered with: verify() says so, and the chain goes on from nothing.
  return {static_cast<std::uint64_t>(s.integer(0)), hash.size() == crypto::Sha256::kSize ? crypto::Sha256::from(hash) : crypto::Sha256{}};
}

// Why `row` does not follow `head`; "" when it does.
std::string misfit(const Row& row, const AuditHead& head, const crypto::Secret& key) {
  const std::uint64_t expected = head.number + 1;
  if (row.entry.number != expected) return "entry " + std::to_string(expected) + " is missing";
  const crypto::Sha256 hash = hash_of(row.entry, head.hash);
  if (!crypto::equal(hash.view(), row.hash)) return "entry " + std::to_string(expected) + " was changed, or one before it was exchanged";
  if (!crypto::equal(mac_of(key, hash), row.mac)) return "entry " + std::to_string(expected) + " was not written by this service: it is not authentic";
  return "";
}

}  // namespace

void Audit::append(Transaction& change, const Actor& actor, std::string_view action, std::string_view object, std::string_view outcome,
                   std::string_view detail) {
  const AuditHead before = last(change);
  const AuditEntry e{before.number + 1, {clock_.now().seconds, 0},  {fitting(actor.who), fitting(actor.origin)},
                     fitting(action),   fitting(object),           fitting(outcome),
                     fitting(detail)};
  const crypto::Sha256 hash = hash_of(e, before.hash);
  change.run("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", e.number, e.time.seconds, e.actor.who, e.actor.origin, e.action, e.object, e.outcome,
             e.detail, hash, mac_of(key_, hash));
}

void Audit::record(const Actor& actor, std::string_view action, std::string_view object, std::string_view outcome, std::string_view detail) {
  Transaction change = state_.change();
  append(change, actor, action, object, outcome, detail);
  change.commit();
}

AuditHead Audit::head() {
  Transaction transaction = state_.read();
  return last(transaction);
}

AuditHead Audit::head(Transaction& transaction) { return last(transaction); }

std::vector<AuditEntry> Audit::entries(std::uint64_t before, std::size_t limit) {
  Transaction transaction = state_.read();
  const std::uint64_t below = before == 0 ? INT64_MAX : std::min<std::uint64_t>(before, INT64_MAX);
  Statement s = transaction.ask("SELECT " + std::string(kColumns) + " FROM audit WHERE number < ? ORDER BY number DESC LIMIT ?", below,
                                std::min<std::size_t>(limit, INT64_MAX));
  std::vector<AuditEntry> found;
  while (s.step()) found.push_back(read_row(s).entry);
  return found;
}

AuditCheck Audit::verify(const std::optional<AuditHead>& remembered) {
  AuditCheck check;
  auto broken = [&](std::string why) {
    check.broken = check.head.number + 1;
    check.why = std::move(why);
    return check;
  };
  for (bool more = true; more;) {
    Transaction transaction = state_.read();
    // The first page from the least number on, which a stranger may have made 0 or less.
    Statement s = transaction.ask("SELECT " + std::string(kColumns) + " FROM audit WHERE number > ? ORDER BY number LIMIT ?",
                                  check.entries == 0 ? INT64_MIN : static_cast<std::int64_t>(check.head.number), kPage);
    more = false;
    while (s.step()) {
      more = true;
      const Row row = read_row(s);
      if (std::string why = misfit(row, check.head, key_); !why.empty()) return broken(std::move(why));
      const AuditHead next{row.entry.number, crypto::Sha256::from(row.hash)};
      if (remembered && remembered->number == next.number && *remembered != next)
        return broken("entry " + std::to_string(next.number) + " is not the one that was remembered: the log was written anew");
      check.head = next;
      ++check.entries;
    }
  }
  if (remembered && remembered->number > check.head.number)
    return broken("the end is cut off: entry " + std::to_string(remembered->number) + " was there");
  return check;
}

}  // namespace holdfast::service
