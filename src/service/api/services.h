// What the handlers of the API work with. Holds nothing itself; all of it outlives the router.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "http/message.h"
#include "item/adapter.h"
#include "platform/world.h"
#include "service/api/archive.h"
#include "service/api/caller.h"
#include "service/api/growth.h"
#include "service/api/job_events.h"
#include "service/api/standing.h"
#include "service/notify/courier.h"
#include "service/jobs/job_runner.h"
#include "service/jobs/live_configuration.h"
#include "service/notify/notifications.h"
#include "service/jobs/scheduler.h"
#include "service/access/sign_in.h"
#include "service/access/tokens.h"
#include "service/access/users.h"

namespace holdfast::service {

// Requests that walk the protected server or read much of the repository: some at a time, so that the threads that
// answer are never all busy with them.
class LongLooks {
 public:
  static constexpr int kAtATime = 3;  // of eight threads (http::Options::workers)
  // The handler, which is refused with 503 while so many run.
  http::Handler operator()(http::Handler handler);

 private:
  std::atomic<int> running_{0};
};

struct Services {
  platform::World& world;
  const item::AdapterSet& adapters;
  platform::Path state_folder;
  std::string version;
  Timestamp started;

  Audit& audit;
  Users& users;
  Tokens& tokens;
  Sessions& sessions;
  SignIn& sign_in;
  Guard& guard;
  LiveConfiguration& configuration;
  Jobs& jobs;
  JobRunner& runner;
  Scheduler& scheduler;
  Notifications& notifications;
  Courier& courier;
  Archive& archive;
  Standing& standing;
  Growth& growth;
  Topics& topics;
  LongLooks long_looks = {};

  std::shared_ptr<const system::System> system() const { return configuration.now(); }
  // A point by what a client named: "latest" is the newest of this system that is not incomplete.
  // Error(usage), Error(not_found).
  repository::PointId point(const Archive::View& view, const std::string& text) const;
  // Something is to be looked at again: "points", "schedules", "settings", "alerts". Whoever listens is told.
  void changed(std::string_view what) const;
};

}  // namespace holdfast::service
