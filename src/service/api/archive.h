// The repository, opened once and kept between requests, with its points as they were read last.
//
// Points never change; which there are, whether they are pinned and verified, is read again after changed()
// and when the last look is older than kFresh (the command line may have made one meanwhile). Opening needs
// the machine's own key. Thread-safe: a look that somebody else takes is waited for, but not for ever.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "platform/world.h"
#include "repository/repository.h"
#include "service/api/one_at_a_time.h"

namespace holdfast::service {

class Archive {
 public:
  static constexpr std::chrono::seconds kFresh{10};

  // `location` and `way_in` are asked whenever it is opened: at the first look, after an error, and when the
  // location is another one.
  struct Place {
    platform::World& world;
    platform::Path state;  // folder of local state
    std::string writer;    // "holdfast 0.1.0"
    std::function<std::string()> location;
    std::function<repository::SlotSecret()> way_in;
    std::chrono::milliseconds patience = std::chrono::seconds(10);  // with a look that somebody else takes
  };
  explicit Archive(Place place);
  ~Archive();

  using Points = std::vector<repository::PointSummary>;  // newest first
  struct View {
    std::shared_ptr<repository::Repository> repository;
    std::shared_ptr<const Points> points;
    std::string head;  // the newest head code
  };
  // Errors: those of opening a repository and of reading its logs, and unavailable: somebody else's look does not end;
  // the next look tries again.
  View look();
  void changed();
  // What the last look failed with; nullopt: it did not.
  std::optional<Error> fault() const;

 private:
  struct Opened;
  View looked();

  const Place place_;
  OneAtATime looking_;
  std::shared_ptr<Opened> opened_;  // guarded by looking_
  View view_;
  std::chrono::nanoseconds looked_at_{};
  mutable std::mutex mutex_;
  bool stale_ = true;  // guarded by mutex_
  std::optional<Error> fault_;
};

}  // namespace holdfast::service
