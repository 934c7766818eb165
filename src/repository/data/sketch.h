// What is left of a chunk to tell which others are like it: the 16 smallest of a sample of its window hashes (bottom-k
// sketch: Broder, "On the resemblance and containment of documents", 1997). Two chunks that share most of their bytes share
// most of their features, wherever the bytes moved. The hashes are keyed by the repository's chunker secret.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace holdfast::repository {

struct Sketch {
  static constexpr std::size_t kFeatures = 16;
  std::array<std::uint32_t, kFeatures> features{};  // the first `count`, no two alike
  std::size_t count = 0;                            // 0: nothing is known
};

class SketchBuilder {
 public:
  // Window hashes with these bits clear are the sample: one in 2,048, some 500 of 1 MiB, 30 of a database's 64 KiB.
  static constexpr std::uint64_t kSampled = ~std::uint64_t{0} << 53;

  // `hash`: of a window of the gear, in the sample.
  void take(std::uint64_t hash) {
    // The low bits of the hash depend on few bytes, the high ones are zero here: multiplying mixes what is between.
    const auto feature = static_cast<std::uint32_t>((hash * 0x9e3779b97f4a7c15) >> 32);
    if (count_ == kFeatures && feature >= smallest_[kFeatures - 1]) return;
    std::size_t at = static_cast<std::size_t>(std::lower_bound(smallest_.begin(), smallest_.begin() + count_, feature) - smallest_.begin());
    if (at < count_ && smallest_[at] == feature) {
      repeated_[at] = true;
      return;
    }
    if (count_ < kFeatures) ++count_;
    for (std::size_t i = count_ - 1; i > at; --i) {
      smallest_[i] = smallest_[i - 1];
      repeated_[i] = repeated_[i - 1];
    }
    smallest_[at] = feature;
    repeated_[at] = false;
  }

  // What came more than once says little: padding, separators.
  Sketch sketch() const {
    Sketch made;
    // The smallest values all begin alike: spread by an odd factor, which loses nothing.
    for (std::size_t i = 0; i < count_; ++i)
      if (!repeated_[i]) made.features[made.count++] = smallest_[i] * 0x9e3779b1U;
    return made;
  }

 private:
  static constexpr std::size_t kFeatures = Sketch::kFeatures;
  std::array<std::uint32_t, kFeatures> smallest_{};  // ascending
  std::array<bool, kFeatures> repeated_{};
  std::uint32_t count_ = 0;
};

}  // namespace holdfast::repository
