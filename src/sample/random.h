// Reproducible variety for the sample: the same seed gives the same names, texts and sizes on every machine.
// Not for keys: those come from platform::Entropy.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/time.h"

namespace holdfast::sample {

// xoshiro256** seeded through SplitMix64 (Blackman and Vigna, public domain algorithms).
class Random {
 public:
  // `purpose` keeps the parts of a sample apart: more rows in the database do not change the software
  // library.
  Random(std::uint64_t seed, std::string_view purpose);

  std::uint64_t next();
  std::uint64_t below(std::uint64_t limit) { return next() % limit; }  // limit > 0
  std::uint64_t between(std::uint64_t low, std::uint64_t high) { return low + below(high - low + 1); }
  std::string_view pick(std::span<const std::string_view> from) { return from[below(from.size())]; }
  void fill(MutableBytes out);
  std::string guid();                               // "3F2504E0-4F89-41D3-9A0C-0305E82C3301"
  Timestamp time(Timestamp first, Timestamp last);  // whole seconds, both included

 private:
  std::uint64_t state_[4];
};

}  // namespace holdfast::sample
