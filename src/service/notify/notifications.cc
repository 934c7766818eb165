#include "service/notify/notifications.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace holdfast::service {
namespace {

using system::NotifySettings;
using Form = Notification::Form;
using State = Notification::State;

constexpr std::array<std::string_view, 5> kKinds{"failure", "overdue", "finding", "success", "test"};
constexpr std::array<std::string_view, 3> kStates{"waiting", "delivered", "given up"};
constexpr std::array<std::string_view, 3> kForms{"message", "call", "test"};
const std::string kSelect =
    "SELECT id, target, event, headline, happened, safe, next, job, time, audit_number, audit_hash, form, queued, state, tries, last_try, next_try, code, error, "
    "missing, seen FROM notifications ";

template <class Enum, std::size_t N>
Enum stored(const std::array<std::string_view, N>& names, std::int64_t id, const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end())
    throw Error(Code::damaged, "cannot read notification " + std::to_string(id) + " of the service's state file: it is not what was written").safe("nothing was changed");
  return static_cast<Enum>(found - names.begin());
}

Notification from_row(Statement& s) {
  Notification n;
  n.id = s.integer(0);
  n.target = s.text(1);
  n.event.kind = stored<Event::Kind>(kKinds, n.id, s.text(2));
  n.event.headline = s.text(3);
  n.event.happened = s.text(4);
  n.event.safe = s.text(5);
  n.event.next = s.text(6);
  if (!s.null(7)) n.event.job = s.integer(7);
  n.event.time = {s.integer(8), 0};
  n.head.number = static_cast<std::uint64_t>(s.integer(9));
  if (const Bytes hash = s.blob(10); hash.size() == crypto::Sha256::kSize) n.head.hash = crypto::Sha256::from(hash);
  n.form = stored<Form>(kForms, n.id, s.text(11));
  n.queued = {s.integer(12), 0};
  n.state = stored<State>(kStates, n.id, s.text(13));
  n.tries = static_cast<int>(s.integer(14));
  if (!s.null(15)) n.last_try = Timestamp{s.integer(15), 0};
  n.next_try = {s.integer(16), 0};
  n.code = s.text(17);
  n.error = s.text(18);
  if (const std::string missing = s.text(19); !missing.empty()) n.missing = split(missing, '\n');
  n.acknowledged = n.state == State::given_up && s.integer(20) != 0;
  return n;
}

template <class... Values>
std::vector<Notification> select(Transaction& transaction, const std::string& rest, const Values&... values) {
  Statement s = transaction.ask(kSelect + rest, values...);
  std::vector<Notification> found;
  while (s.step()) found.push_back(from_row(s));
  return found;
}

std::optional<Notification> waiting(Transaction& transaction, std::int64_t id) {
  std::vector<Notification> found = select(transaction, "WHERE id = ? AND state = 'waiting'", id);
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

// On one line.
std::string fitting(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return shortened(printable(text), Notifications::kLongest);
}

std::string described(const Error& why) { return fitting(why.what() + (why.hint().empty() ? "" : " (" + why.hint() + ")")); }

std::int64_t distance(int tries) {
  const int doublings = std::clamp(tries - 1, 0, 16);
  return std::min(Notifications::kFirstDistance << doublings, Notifications::kLongestDistance);
}

bool out_of_patience(const Notification& n, std::int64_t age) {
  switch (n.form) {
    case Form::message: return age >= Notifications::kPatience && n.tries >= Notifications::kFewestTries;
    case Form::call: return age >= Notifications::kPatienceOfCall;
    case Form::test: return true;
  }
  return true;
}

bool wants(const NotifySettings& target, const Event& event) {
  switch (event.kind) {
    case Event::Kind::failure: return target.on.failure;
    case Event::Kind::overdue: return target.on.overdue;
    case Event::Kind::finding: return target.on.finding;
    case Event::Kind::success: return target.on.success && (!is_dead_mans_switch(target) || event.job_kind == "backup");
    case Event::Kind::test: return true;
  }
  return false;
}

// Of an exit code that the table of codes has for one kind of error; nullptr: 0, 1, 3 or a stranger's.
const CodeInfo* code_of_exit(int exit_code) {
  for (const CodeInfo& c : all_codes())
    if (c.exit_code == exit_code && exit_code != 1) return &c;
  return nullptr;
}

}  // namespace

std::string_view to_text(Event::Kind kind) { return kKinds[static_cast<std::size_t>(kind)]; }
std::string_view to_text(Notification::State state) { return kStates[static_cast<std::size_t>(state)]; }

bool is_dead_mans_switch(const NotifySettings& target) {
  const bool web = target.scheme == NotifySettings::Scheme::https || target.scheme == NotifySettings::Scheme::http;
  return web && target.on.success && !target.on.failure && !target.on.overdue && !target.on.finding;
}

Event event_of(const Job& job, const LastWords& said) {
  const std::string name = "Job " + std::to_string(job.id) + ", " + job.kind + (job.schedule ? " of schedule " + *job.schedule : "") + ",";
  Event e{.kind = Event::Kind::failure, .headline = "", .happened = said.message, .safe = said.safe, .next = said.hint, .job = job.id, .job_kind = job.kind,
          .time = job.ended.value_or(job.queued)};
  if (job.state == Job::State::interrupted) {
    e.headline = job.kind + " was interrupted";
    e.happened = name + " had not ended when the service did.";
    e.next = job.slot ? "It runs again by itself, unless this was its third interruption." : "Start it again.";
    return e;
  }
  const int exit_code = job.exit_code.value_or(1);
  if (exit_code == 0) {
    e.kind = Event::Kind::success;
    e.headline = job.kind + " done";
    e.happened = name + " ended well.";
  } else if (exit_code == 3) {
    e.kind = Event::Kind::finding;
    e.headline = job.kind + " done, with findings";
    e.happened = name + " ended with " + (job.findings > 0 ? human_count(static_cast<std::uint64_t>(job.findings)) + (job.findings == 1 ? " finding" : " findings") : "findings") +
                 " (exit 3): something was not covered, skipped, or left to a person.";
    if (e.next.empty()) e.next = "Read them in the job's log.";
  } else {
    const CodeInfo* code = code_of_exit(exit_code);
    e.headline = job.kind + " failed (exit " + std::to_string(exit_code) + ")";
    if (e.happened.empty()) e.happened = name + " ended with exit code " + std::to_string(exit_code) + (code ? ". " + std::string(code->meaning) : " and without a word.");
    if (e.safe.empty() && job.kind == "backup") e.safe = "Earlier recovery points are not touched by a failed run.";
    if (e.next.empty()) e.next = code ? std::string(code->advice) : "Read the job's log.";
  }
  return e;
}

std::size_t Notifications::add(Transaction& change, const Event& event, std::span<const NotifySettings> targets) {
  std::size_t told = 0;
  for (const NotifySettings& target : targets) {
    if (!wants(target, event)) continue;
    queue(change, event, target, is_dead_mans_switch(target) ? Form::call : Form::message);
    ++told;
  }
  return told;
}

std::size_t Notifications::add_once(Transaction& change, const Event& event, std::span<const NotifySettings> targets, std::string_view topic, std::string_view state) {
  {
    Statement last = change.ask("SELECT 1 FROM told WHERE topic = ? AND state = ?", topic, state);
    if (last.step()) return 0;
  }
  const std::size_t told = add(change, event, targets);
  if (told > 0) change.run("INSERT INTO told VALUES (?1, ?2) ON CONFLICT (topic) DO UPDATE SET state = ?2", topic, state);
  return told;
}

void Notifications::settled(Transaction& change, std::string_view topic) { change.run("DELETE FROM told WHERE topic = ?", topic); }

std::int64_t Notifications::test(const NotifySettings& target, const Actor& by) {
  const Event event{.kind = Event::Kind::test, .headline = "test", .happened = "This is a test: " + by.who + " asked for it. Nothing has happened.", .safe = "",
                    .next = "", .job = std::nullopt, .job_kind = "", .time = clock_.now()};
  Transaction change = state_.change();
  audit_.append(change, by, "notification.test", target.name, "done");
  queue(change, event, target, Form::test);
  const std::int64_t id = change.last_insert();
  change.commit();
  return id;
}

void Notifications::queue(Transaction& change, const Event& event, const NotifySettings& target, Form form) {
  const std::int64_t now = clock_.now().seconds;
  const AuditHead head = audit_.head(change);
  if (form == Form::call)
    change.run("UPDATE notifications SET state = 'given up', seen = 1, error = 'a newer call took its place' WHERE state = 'waiting' AND form = 'call' AND target = ?",
               target.name);
  change.run("INSERT INTO notifications (target, event, headline, happened, safe, next, job, time, audit_number, audit_hash, form, queued, state, next_try) "
             "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 'waiting', ?12)",
             target.name, to_text(event.kind), fitting(event.headline), fitting(event.happened), fitting(event.safe), fitting(event.next), event.job,
             event.time.seconds, head.number, head.hash, kForms[static_cast<std::size_t>(form)], now);
  change.run("UPDATE notifications SET state = 'given up', code = 'failed', error = 'too many others wait for the same' WHERE state = 'waiting' AND target = ?1 AND "
             "id <= (SELECT id FROM notifications WHERE state = 'waiting' AND target = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
             target.name, kWaiting);
  drop_old(change);
}

void Notifications::drop_old(Transaction& change) {
  change.run("DELETE FROM notifications WHERE (state = 'delivered' OR (state = 'given up' AND (seen = 1 OR form = 'test'))) AND "
             "id <= (SELECT id FROM notifications WHERE state <> 'waiting' ORDER BY id DESC LIMIT 1 OFFSET ?)", kKept);
  change.run("DELETE FROM notifications WHERE state = 'given up' AND seen = 0 AND "
             "id <= (SELECT id FROM notifications WHERE state = 'given up' AND seen = 0 ORDER BY id DESC LIMIT 1 OFFSET ?)", kKept);
}

std::optional<Notification> Notifications::find(std::int64_t id) {
  Transaction transaction = state_.read();
  std::vector<Notification> found = select(transaction, "WHERE id = ?", id);
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

std::vector<Notification> Notifications::list(std::int64_t before, std::size_t limit) {
  Transaction transaction = state_.read();
  return select(transaction, "WHERE id < ? ORDER BY id DESC LIMIT ?", before <= 0 ? INT64_MAX : before, std::min<std::size_t>(limit, INT64_MAX));
}

Notifications::Counts Notifications::counts() {
  Transaction transaction = state_.read();
  return {transaction.number("SELECT count(*) FROM notifications WHERE state = 'waiting'"),
          transaction.number("SELECT count(*) FROM notifications WHERE state = 'given up' AND seen = 0 AND form <> 'test'")};
}

void Notifications::acknowledge(std::int64_t id, const Actor& by) {
  Transaction change = state_.change();
  const std::vector<Notification> found = select(change, "WHERE id = ?", id);
  if (found.empty()) throw Error(Code::not_found, "there is no notification " + std::to_string(id)).safe("nothing was changed");
  const Notification& n = found.front();
  if (n.state != State::given_up)
    throw Error(Code::precondition, "notification " + std::to_string(id) + " is " + std::string(to_text(n.state)) + ", not given up").safe("nothing was changed");
  if (n.acknowledged) return;
  change.run("UPDATE notifications SET seen = 1 WHERE id = ?", id);
  audit_.append(change, by, "notification.acknowledge", std::to_string(id) + " to " + n.target, "done");
  change.commit();
}

std::optional<Notification> Notifications::take_due() {
  Transaction change = state_.change();
  const std::int64_t now = clock_.now().seconds;
  change.run("UPDATE notifications SET state = 'given up', code = 'unavailable', error = 'it could not be called in time' WHERE state = 'waiting' AND form = 'call' AND "
             "queued <= ?", now - kPatienceOfCall);
  // Further ahead than any distance: the clock was set back since.
  std::vector<Notification> due =
      select(change, "WHERE state = 'waiting' AND (next_try <= ?1 OR next_try > ?2) ORDER BY next_try, id LIMIT 1", now, now + kLongestDistance);
  if (!due.empty())
    change.run("UPDATE notifications SET tries = tries + 1, last_try = ?, next_try = ?, code = 'interrupted', error = ? WHERE id = ?", now,
               now + distance(due.front().tries + 1), "what became of the latest try is not known", due.front().id);
  change.commit();
  if (due.empty()) return std::nullopt;
  ++due.front().tries;
  return std::move(due.front());
}

std::optional<std::chrono::seconds> Notifications::rest() {
  Transaction transaction = state_.read();
  const std::int64_t now = clock_.now().seconds;
  Statement s = transaction.ask("SELECT min(next_try), max(next_try) FROM notifications WHERE state = 'waiting'");
  if (!s.step() || s.null(0)) return std::nullopt;
  if (s.integer(1) > now + kLongestDistance) return std::chrono::seconds(0);
  return std::chrono::seconds(std::max<std::int64_t>(0, s.integer(0) - now));
}

void Notifications::delivered(std::int64_t id) {
  Transaction change = state_.change();
  const auto n = waiting(change, id);
  if (!n) return;
  const std::int64_t now = clock_.now().seconds;
  change.run("UPDATE notifications SET state = 'delivered', code = '', error = '', missing = '' WHERE id = ?", id);
  change.run("UPDATE notifications SET next_try = ? WHERE state = 'waiting' AND target = ? AND code = 'unavailable'", now, n->target);
  change.commit();
}

void Notifications::failed(std::int64_t id, const Error& why) {
  Transaction change = state_.change();
  const auto n = waiting(change, id);
  if (!n) return;
  put_off(change, *n, why);
  change.run("UPDATE notifications SET next_try = max(next_try, ?) WHERE state = 'waiting' AND target = ? AND form <> 'test'", clock_.now().seconds + kFirstDistance, n->target);
  change.commit();
}

void Notifications::delivered_in_part(std::int64_t id, const std::vector<std::string>& missing, const Error& why) {
  Transaction change = state_.change();
  const auto n = waiting(change, id);
  if (!n) return;
  change.run("UPDATE notifications SET missing = ? WHERE id = ?", join(missing, "\n"), id);
  put_off(change, *n, why);
  change.commit();
}

void Notifications::put_off(Transaction& change, const Notification& n, const Error& why) {
  const std::int64_t now = clock_.now().seconds;
  const State state = out_of_patience(n, now - n.queued.seconds) ? State::given_up : State::waiting;
  change.run("UPDATE notifications SET state = ?, next_try = ?, code = ?, error = ? WHERE id = ?", to_text(state), now + distance(n.tries), info(why.code()).name,
             described(why), n.id);
}

void Notifications::not_tried(std::int64_t id) {
  Transaction change = state_.change();
  change.run("UPDATE notifications SET tries = tries - 1, next_try = ? WHERE id = ? AND state = 'waiting'", clock_.now().seconds, id);
  change.commit();
}

void Notifications::give_up(std::int64_t id, const std::string& why) {
  Transaction change = state_.change();
  change.run("UPDATE notifications SET state = 'given up', code = 'failed', error = ? WHERE id = ? AND state = 'waiting'", fitting(why), id);
  change.commit();
}

}  // namespace holdfast::service
