#include "explore.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace holdfast::model {
namespace {

// Every member of a state, one after another; padding must not count.
class Hash {
 public:
  void mix(std::uint64_t value) {
    hash_ ^= value + 0x9e3779b97f4a7c15U + (hash_ << 12) + (hash_ >> 4);
    hash_ *= 0xff51afd7ed558ccdU;
    hash_ ^= hash_ >> 32;
  }
  std::uint64_t value() const { return hash_ | 1; }   // 0 is an empty place

 private:
  std::uint64_t hash_ = 0x243f6a8885a308d3U;
};

std::uint64_t hash_of(const State& s) {
  Hash h;
  h.mix(std::uint64_t{s.visible} << 32 | std::uint64_t{s.exists} << 16 | s.ever);
  h.mix(s.acknowledged);
  for (int p = 0; p < kPoints; ++p) h.mix(std::uint64_t{s.ground[p]} << 16 | s.needs[p]);
  for (int k = 0; k < kPrunes; ++k) {
    h.mix(std::uint64_t{s.condemned[k]} << 16 | s.fence_ground[k]);
    h.mix(std::uint64_t{s.goes[k][0]} << 32 | std::uint64_t{s.goes[k][1]} << 16 | s.goes[k][2]);
    const Prune& p = s.prunes[k];
    h.mix(std::uint64_t{p.view.records} << 16 | std::uint64_t{p.view.listed} << 8 | static_cast<std::uint8_t>(p.at));
    h.mix(std::uint64_t{p.deletes} << 16 | p.to_conclude);
  }
  for (const Writer& w : s.writers) {
    h.mix(std::uint64_t{w.view.records} << 24 | std::uint64_t{w.view.listed} << 16 | std::uint64_t{w.attempt} << 8 | static_cast<std::uint8_t>(w.at));
  }
  h.mix(std::uint64_t{s.reader.view.records} << 32 | std::uint64_t{s.reader.gone} << 16 | std::uint64_t{s.reader.view.listed} << 8 | s.reader.reads);
  return h.value();
}

class HashSet {
 public:
  HashSet() : places_(std::size_t{1} << 20) {}
  // False when it was there.
  bool insert(std::uint64_t hash) {
    if (2 * (used_ + 1) > places_.size()) grow();
    std::uint64_t& place = find(hash);
    if (place == hash) return false;
    place = hash;
    ++used_;
    return true;
  }

 private:
  std::uint64_t& find(std::uint64_t hash) {
    std::size_t at = (hash * 0x9e3779b97f4a7c15U >> 20) & (places_.size() - 1);
    while (places_[at] != 0 && places_[at] != hash) at = (at + 1) & (places_.size() - 1);
    return places_[at];
  }
  void grow() {
    std::vector<std::uint64_t> old(places_.size() * 2);
    old.swap(places_);
    for (std::uint64_t hash : old) {
      if (hash != 0) find(hash) = hash;
    }
  }
  std::vector<std::uint64_t> places_;
  std::size_t used_ = 0;
};

struct Parent {
  std::uint32_t state;       // in the order in which they were found
  std::uint32_t successor;   // which of it
};

std::vector<std::string> way_to(const Protocol& protocol, const std::vector<Parent>& parents, std::uint32_t last, std::uint32_t successor) {
  std::vector<std::uint32_t> choices{successor};
  for (std::uint32_t n = last; n != 0; n = parents[n].state) choices.push_back(parents[n].successor);
  std::reverse(choices.begin(), choices.end());
  std::vector<std::string> way;
  State state = protocol.initial();
  std::vector<Successor> next;
  for (std::uint32_t choice : choices) {
    protocol.successors(state, true, next);
    way.push_back(next[choice].step);
    state = next[choice].state;
  }
  return way;
}

}  // namespace

Explored explore(const Protocol& protocol, std::size_t most_states) {
  Explored result;
  HashSet known;
  std::vector<Parent> parents{{0, 0}};
  std::vector<State> level{protocol.initial()}, next_level;
  known.insert(hash_of(level.front()));
  std::vector<Successor> successors;
  for (std::uint32_t first = 0; !level.empty();) {
    next_level.clear();
    for (std::size_t i = 0; i < level.size(); ++i) {
      const auto number = static_cast<std::uint32_t>(first + i);
      protocol.successors(level[i], false, successors);
      std::string left = protocol.unfinished_business(level[i]);
      for (std::uint32_t n = 0; n < successors.size(); ++n) {
        Successor& s = successors[n];
        ++result.steps;
        if (s.violation.empty()) s.violation = left.empty() ? protocol.violation(s.state) : left;
        if (!s.violation.empty()) {
          result.violation = s.violation;
          result.way = way_to(protocol, parents, number, n);
          result.states = parents.size();
          return result;
        }
        if (!known.insert(hash_of(s.state))) continue;
        parents.push_back({number, n});
        next_level.push_back(s.state);
      }
    }
    first += static_cast<std::uint32_t>(level.size());
    level.swap(next_level);
    if (parents.size() > most_states) {
      result.complete = false;
      break;
    }
  }
  result.states = parents.size();
  return result;
}

}  // namespace holdfast::model
