// How the system stands: backup::status as it was found last. Looking walks the protected server and reads
// points, so it is kept for kFresh and until something changed. Thread-safe: a look that somebody else takes
// is waited for, but not for ever.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>

#include "backup/status.h"
#include "item/adapter.h"
#include "service/api/archive.h"
#include "service/jobs/live_configuration.h"

namespace holdfast::service {

class Standing {
 public:
  static constexpr std::chrono::seconds kFresh{60};

  Standing(platform::World& world, const item::AdapterSet& adapters, platform::Path state,
           LiveConfiguration& configuration, Archive& archive)
      : world_(world),
        adapters_(adapters),
        state_(std::move(state)),
        configuration_(configuration),
        archive_(archive) {}

  struct Look {
    std::shared_ptr<const system::System> system;  // what `status` refers to
    std::optional<backup::Status> status;  // nullopt: the repository, or the server, cannot be looked at
    std::optional<Error> fault;            // then
  };
  std::shared_ptr<const Look> look();
  void changed();

 private:
  platform::World& world_;
  const item::AdapterSet& adapters_;
  const platform::Path state_;
  LiveConfiguration& configuration_;
  Archive& archive_;
  OneAtATime looking_;
  std::mutex mutex_;
  std::shared_ptr<const Look> look_;      // guarded by looking_
  std::chrono::nanoseconds looked_at_{};  // likewise
  bool stale_ = true;                     // guarded by mutex_
};

}  // namespace holdfast::service
