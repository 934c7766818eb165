#include "service/notify/courier.h"

#include <algorithm>

#include "base/text.h"

namespace holdfast::service {
namespace {

// Also the longest rest: clocks are set while one waits.
constexpr std::chrono::seconds kRest{60};

}  // namespace

void Courier::start() {
  thread_ = std::thread([this] { run(); });
}

void Courier::wake() {
  {
    std::lock_guard lock(mutex_);
    work_ = true;
  }
  woken_.notify_one();
}

void Courier::stop() {
  stop_.raise();
  wake();
  if (thread_.joinable()) thread_.join();
}

void Courier::run() {
  while (!stop_.raised()) {
    std::chrono::seconds rest = kRest;
    try {
      deliver_due();
      rest = std::min(kRest, notifications_.rest().value_or(kRest));
    } catch (const std::exception& e) {
      try {
        report_(std::string("cannot go on with notifications, trying again in a minute: ") + e.what());
      } catch (const std::exception&) {   // no memory for saying so
      }
    }
    std::unique_lock lock(mutex_);
    woken_.wait_for(lock, rest, [&] { return work_; });
    work_ = false;
  }
}

std::size_t Courier::deliver_due() {
  std::size_t tries = 0;
  while (!stop_.raised()) {
    const auto n = notifications_.take_due();
    if (!n) break;
    try_one(*n);
    ++tries;
  }
  return tries;
}

void Courier::try_one(const Notification& n) {
  const std::vector<system::NotifySettings> targets = targets_();
  const auto target = std::find_if(targets.begin(), targets.end(), [&](const auto& t) { return t.name == n.target; });
  if (target == targets.end()) return notifications_.give_up(n.id, "[notify." + n.target + "] is not in the configuration any more");
  const auto say = [&](const Error& e) { report_("notification " + std::to_string(n.id) + " to " + n.target + ": " + printable(e.what())); };
  std::vector<RefusedRecipient> refused;
  try {
    refused = delivery_.deliver(*target, n, stop_);
  } catch (const Error& e) {
    if (e.code() == Code::interrupted) return notifications_.not_tried(n.id);
    say(e);
    return notifications_.failed(n.id, e);
  }
  if (refused.empty()) return notifications_.delivered(n.id);
  std::vector<std::string> missing;
  for (const RefusedRecipient& r : refused) {
    say(r.why);
    missing.push_back(r.address);
  }
  notifications_.delivered_in_part(n.id, missing, refused.front().why);
}

}  // namespace holdfast::service
