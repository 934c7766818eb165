// Packs of one Index, by number: a bit each, where a set would take 50 bytes. Not thread-safe.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <vector>

#include "repository/index/index_run.h"

namespace holdfast::repository {

class PackSet {
 public:
  PackSet() = default;
  PackSet(std::initializer_list<PackNumber> packs) {
    for (PackNumber pack : packs) add(pack);
  }

  void add(PackNumber pack) {
    if (pack >= bits_.size()) bits_.resize(std::max(std::size_t{pack} + 1, bits_.size() * 2));
    bits_[pack] = true;
  }
  bool contains(PackNumber pack) const { return pack < bits_.size() && bits_[pack]; }
  // visit(PackNumber), ascending.
  template <class Visit>
  void each(Visit visit) const {
    for (std::size_t pack = 0; pack < bits_.size(); ++pack)
      if (bits_[pack]) visit(static_cast<PackNumber>(pack));
  }

 private:
  std::vector<bool> bits_;
};

}  // namespace holdfast::repository
