// How the repository grows: samples of its size, one after each job that changed it and one a day. The size
// of what single points added is not kept anywhere else. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "service/api/archive.h"
#include "service/state/state_file.h"

namespace holdfast::service {

struct GrowthSample {
  Timestamp time;
  std::uint64_t stored_bytes = 0;     // of all objects in the repository
  std::uint64_t protected_bytes = 0;  // of all points together
  std::int64_t points = 0;
};

class Growth {
 public:
  static constexpr std::int64_t kSamples = 20'000;  // kept: the newest; six jobs a day for nine years
  static constexpr std::int64_t kEvery = 86'400;    // seconds

  Growth(StateFile& state, platform::Clock& clock) : state_(state), clock_(clock) {}

  // Lists the repository: some milliseconds for each thousand packs. Errors: those of the repository and of
  // the state file.
  GrowthSample sample(const Archive::View& view);
  // Whether the newest sample is older than kEvery, or dated in the future.
  bool due();
  std::vector<GrowthSample> since(std::optional<Timestamp> from);  // oldest first
  std::optional<GrowthSample> newest();

 private:
  StateFile& state_;
  platform::Clock& clock_;
};

}  // namespace holdfast::service
