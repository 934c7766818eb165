// What is to be told, to whom, and what became of it. Sending is courier.h and delivery.h.
//
//   waiting → delivered
//      └────→ given up      after 7 days of tries; stays an alert until a person has acknowledged it
//
// An event becomes one row for each [notify.NAME] that wants it, in the transaction of what happened: both are durable or neither. A row that
// waits is never dropped. It is told at least once: when the receiver's answer cannot be written down (the service died, the disk is full) it is told
// again, under the same id; a try is written down before it is made, so that this, too, comes at growing distances. The newest kKept rows are kept for the console, and up to kKept given-up ones that nobody has acknowledged. Thread-safe.
//
// Tries are a minute apart, then twice as long each time, up to 6 h. After a failure the others for the same target wait a minute, so that a
// dead server is asked once a minute, not once for each; what waits for a server that could not be reached goes at once when it is back.
// Times are the time of day: a clock that is set forward gives nothing up before kFewestTries tries.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "service/access/audit.h"
#include "service/jobs/jobs.h"
#include "system/settings.h"

namespace holdfast::service {

// Texts may hold anything; they are escaped and cut (Notifications::kLongest) when they are queued.
struct Event {
  enum class Kind : std::uint8_t { failure, overdue, finding, success, test };
  Kind kind = Kind::failure;
  std::string headline;             // "backup failed (exit 17)": the subject after the system's name
  std::string happened;             // what happened, a sentence
  std::string safe, next;           // what is still safe, what to do next; may be ""
  std::optional<std::int64_t> job;
  std::string job_kind;             // "backup"; only a backup's success calls a dead man's switch
  Timestamp time;
};
std::string_view to_text(Event::Kind kind);

// The event that the end of `job` is: exit 0 success, 3 finding, everything else failure, a service that died meanwhile (interrupted) too.
// `said`: the job's last line when that was an error (message, safe, hint); what it left out comes from the table of codes (base/error.h).
struct LastWords { std::string message, safe, hint; };
Event event_of(const Job& job, const LastWords& said);

// A web address that is told of success alone is a dead man's switch: it is called (GET, nothing of ours in it) after a backup that
// succeeded, and somebody else raises the alarm when no call comes.
bool is_dead_mans_switch(const system::NotifySettings& target);

struct Notification {
  enum class State : std::uint8_t { waiting, delivered, given_up };
  // message: 7 days of tries. call (of a dead man's switch): one hour, because a late one would say that all is well now; and the newest only.
  // test: one try, somebody waits for its result.
  enum class Form : std::uint8_t { message, call, test };
  std::int64_t id = 0;
  std::string target;                    // NAME of [notify.NAME]
  Event event;                           // without job_kind
  AuditHead head;                        // of the audit log when it was queued
  Form form = Form::message;
  Timestamp queued;
  State state = State::waiting;
  int tries = 0;
  std::optional<Timestamp> last_try;
  Timestamp next_try;                    // of a waiting one
  std::string code, error;               // why the last try did not do: a name of base/error.h, and a sentence; "" when it did
  std::vector<std::string> missing;      // of a mail that some have: whom it could not be brought to so far
  bool acknowledged = false;             // of a given-up one: a person has seen it
};
std::string_view to_text(Notification::State state);   // "waiting", "delivered", "given up"

class Notifications {
 public:
  static constexpr std::size_t kLongest = 2000;             // bytes of a text
  static constexpr std::int64_t kKept = 1000;               // rows that do not wait
  static constexpr std::int64_t kWaiting = 1000;            // rows that wait, of one target: with more, the oldest are given up
  static constexpr std::int64_t kFirstDistance = 60;        // seconds between two tries
  static constexpr std::int64_t kLongestDistance = 6 * 3600;
  static constexpr std::int64_t kPatience = 7 * 86'400;
  static constexpr std::int64_t kPatienceOfCall = 3600;
  static constexpr int kFewestTries = 10;                   // take 8.5 h

  Notifications(StateFile& state, Audit& audit, platform::Clock& clock) : state_(state), audit_(audit), clock_(clock) {}

  // Queues `event` for each of `targets` that wants it; how many. Call the courier when the transaction is committed.
  std::size_t add(Transaction& change, const Event& event, std::span<const system::NotifySettings> targets);
  // The same for what lasts: told when `state` is another one than was told last about `topic`. ("schedule offsite overdue", its slot.) When
  // nobody is told, nothing counts as told.
  std::size_t add_once(Transaction& change, const Event& event, std::span<const system::NotifySettings> targets, std::string_view topic,
                       std::string_view state);
  // It is over: the next time is told, also with the same state.
  void settled(Transaction& change, std::string_view topic);
  // Queues a message to one target, whatever it wants to be told of; its id.
  std::int64_t test(const system::NotifySettings& target, const Actor& by);

  std::optional<Notification> find(std::int64_t id);
  // Newest first: up to `limit` with ids below `before` (0: from the newest).
  std::vector<Notification> list(std::int64_t before, std::size_t limit);
  struct Counts { std::int64_t waiting = 0, given_up = 0; };   // given up: nobody has acknowledged it, at most kKept are known; tests do not count
  Counts counts();
  // A person has seen that it was given up. Error(not_found), Error(precondition): it was not given up.
  void acknowledge(std::int64_t id, const Actor& by);

  // For the courier. The one that is due for the longest time, as tried: whatever becomes of the try, the next one is later. nullopt: none is due.
  std::optional<Notification> take_due();
  // How long until the next one is due; nullopt: none waits.
  std::optional<std::chrono::seconds> rest();
  // What became of a try. Of an id that does not wait any more: nothing.
  void delivered(std::int64_t id);
  void failed(std::int64_t id, const Error& why);
  // A mail that all but `missing` have: goes on waiting for them.
  void delivered_in_part(std::int64_t id, const std::vector<std::string>& missing, const Error& why);
  void not_tried(std::int64_t id);   // it was cut off before it was one
  void give_up(std::int64_t id, const std::string& why);

 private:
  void queue(Transaction& change, const Event& event, const system::NotifySettings& target, Notification::Form form);
  void put_off(Transaction& change, const Notification& n, const Error& why);
  void drop_old(Transaction& change);

  StateFile& state_;
  Audit& audit_;
  platform::Clock& clock_;
};

}  // namespace holdfast::service
