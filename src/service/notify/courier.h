// The thread that brings what waits (notifications.h) to whom it is for (delivery.h), one at a time, and writes down what became of it.
//
// A state file that cannot be written does not end it: it is reported, and tried again a minute later. What cannot be marked as tried is not sent.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "service/notify/delivery.h"
#include "service/notify/notifications.h"

namespace holdfast::service {

class Courier {
 public:
  // The settings in force, asked for each delivery. A target that is not among them any more is given up.
  using Targets = std::function<std::vector<system::NotifySettings>()>;
  // Each failed try and each fault of the state file, one line, for the service's log. Called by the courier's thread, as is `targets`.
  using Report = std::function<void(const std::string&)>;

  Courier(Notifications& notifications, Delivery& delivery, Targets targets, Report report)
      : notifications_(notifications), delivery_(delivery), targets_(std::move(targets)), report_(std::move(report)) {}
  ~Courier() { stop(); }
  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;

  void start();   // once
  void wake();    // something was queued and committed; any thread
  // Ends the thread, within a fraction of a second: a try that it cuts off is made again by the next service. For good.
  void stop();

  // All that is due now, on this thread; how many tries. For start()'s thread and for tests.
  std::size_t deliver_due();

 private:
  void run();
  void try_one(const Notification& n);

  Notifications& notifications_;
  Delivery& delivery_;
  const Targets targets_;
  const Report report_;
  Cancel stop_;
  std::mutex mutex_;
  std::condition_variable woken_;
  bool work_ = false;   // guarded by mutex_
  std::thread thread_;
};

}  // namespace holdfast::service
