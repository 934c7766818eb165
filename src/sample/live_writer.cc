#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstring>
#include <thread>

#include "base/time.h"
#include "platform/clock.h"
#include "platform/entropy.h"
#include "sample/random.h"
#include "sample/sample.h"
#include "sample/sqlite.h"

namespace holdfast::sample {

namespace {

using namespace std::chrono_literals;

constexpr int kItemsEach = 8;  // items changed in one transaction, anywhere in the file
constexpr int kTasksEach = 2;  // tasks started, and tasks ended, in one transaction
constexpr auto kPause = 5ms;   // between transactions: a busy server, not a benchmark

class Writer {
 public:
  Writer(const Path& file, std::uint64_t seed)
      : database_(file, Sqlite::Open::existing),
        random_(seed, "live"),
        items_(database_.integer("SELECT max(rowid) FROM Item")) {
    database_.execute("PRAGMA synchronous = NORMAL");
  }

  void transaction() {
    const std::string now = format_utc(platform::real_clock().now());
    database_.execute("BEGIN IMMEDIATE");
    try {
      for (int i = 0; i < kItemsEach; ++i) change_item(now);
      for (int i = 0; i < kTasksEach; ++i) start_task(now);
      for (int i = 0; i < kTasksEach; ++i) end_task(now);
      database_.execute("COMMIT");
    } catch (...) {
      try {
        database_.execute("ROLLBACK");
      } catch (const Error&) {  // SQLite has rolled back already; the first error is the one that matters
      }
      throw;
    }
  }

 private:
  void change_item(const std::string& now) {
    if (items_ <= 0) return;
    const auto row = 1 + static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(items_)));
    change_.run(now, fmt::format("Changed while the server was in use, request {}. ", random_.next()), row);
    if (database_.changes() == 1) version_.run(random_.guid(), row);
  }

  void start_task(const std::string& now) {
    const std::string guid = random_.guid();
    instance_.run(guid, random_.guid(), random_.guid(), now);
    status_.run(guid);
    request_.run(guid, now);
  }

  void end_task(const std::string& now) {
    std::string guid;
    newest_open_.start(static_cast<std::int64_t>(random_.below(2 * kTasksEach)));
    if (newest_open_.step()) guid = newest_open_.text(0);
    newest_open_.reset();
    if (guid.empty()) return;
    done_.run(guid);
    result_.run(guid, now);
    for (auto* table : {&server_requests_, &server_states_, &client_requests_}) table->run(guid);
  }

  Sqlite database_;
  Random random_;
  std::int64_t items_;
  Statement change_ = database_.prepare(
      "UPDATE Item SET State = State + 1, ModifiedDate = ?, Description = ? WHERE rowid = ?");
  Statement version_ =
      database_.prepare("INSERT INTO ItemVersions SELECT Guid, ?1, State FROM Item WHERE rowid = ?2");
  Statement instance_ = database_.prepare("INSERT INTO TaskInstances VALUES (?, ?, ?, ?)");
  Statement status_ = database_.prepare("INSERT INTO TaskInstanceStatus VALUES (?, 0)");
  Statement request_ = database_.prepare("INSERT INTO ServerTaskInstanceRequests VALUES (?, 'live', ?)");
  Statement newest_open_ = database_.prepare(
      "SELECT TaskInstanceGuid FROM TaskInstanceStatus WHERE InstanceStatus <= 1 ORDER BY rowid DESC LIMIT 1 "
      "OFFSET ?");
  Statement done_ =
      database_.prepare("UPDATE TaskInstanceStatus SET InstanceStatus = 2 WHERE TaskInstanceGuid = ?");
  Statement result_ =
      database_.prepare("INSERT INTO TaskInstanceResults VALUES (?, ?, 'Completed successfully')");
  Statement server_requests_ =
      database_.prepare("DELETE FROM ServerTaskInstanceRequests WHERE TaskInstanceGuid = ?");
  Statement server_states_ =
      database_.prepare("DELETE FROM ServerTaskInstanceStates WHERE TaskInstanceGuid = ?");
  Statement client_requests_ =
      database_.prepare("DELETE FROM ClientTaskInstanceRequests WHERE TaskInstanceGuid = ?");
};

}  // namespace

std::uint64_t run_writer(const Path& database, std::chrono::seconds duration, const Cancel& cancel) {
  std::array<std::uint8_t, 8> seed{};
  platform::real_entropy().fill(seed);  // two runs must not make the same GUIDs
  std::uint64_t number = 0;
  std::memcpy(&number, seed.data(), sizeof number);
  Writer writer(database, number);
  const auto end = std::chrono::steady_clock::now() + duration;
  std::uint64_t transactions = 0;
  while (!cancel.raised() && std::chrono::steady_clock::now() < end) {
    writer.transaction();
    ++transactions;
    std::this_thread::sleep_for(kPause);
  }
  return transactions;
}

std::span<const Invariant> invariants() {
  static constexpr Invariant kInvariants[] = {
      {"item_state_is_newest_version",
       "SELECT (SELECT coalesce(sum(State), 0) FROM Item) = (SELECT count(*) FROM ItemVersions)"},
      {"every_task_has_one_status",
       "SELECT (SELECT count(*) FROM TaskInstances) = (SELECT count(*) FROM TaskInstanceStatus)"},
      {"done_tasks_and_only_they_have_results",
       "SELECT (SELECT count(*) FROM TaskInstanceStatus WHERE InstanceStatus = 2) ="
       " (SELECT count(*) FROM TaskInstanceResults)"},
      {"requests_are_of_open_tasks",
       "SELECT NOT EXISTS (SELECT 1 FROM (SELECT TaskInstanceGuid FROM ServerTaskInstanceRequests UNION ALL"
       " SELECT TaskInstanceGuid FROM ServerTaskInstanceStates UNION ALL"
       " SELECT TaskInstanceGuid FROM ClientTaskInstanceRequests) AS open_requests JOIN TaskInstanceStatus"
       " USING (TaskInstanceGuid) WHERE InstanceStatus > 1)"},
  };
  return kInvariants;
}

}  // namespace holdfast::sample
