// Maps: "instead of x, these". What a point's inventory names and what is not there whole any more may have been replaced, by a
// rewriting or by a repair. docs/repository-format.md "Map". Plain, so that whoever looks needs no key.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "repository/format/inventory.h"
#include "repository/keys/keyring.h"
#include "repository/log/log.h"

namespace holdfast::repository {

struct Replacement {
  ObjectType type{};      // pack or index; inventory: a page or root that was lost
  crypto::Sha256 hash;    // of what is replaced
  // Packs and index segments; empty: nothing of it is needed any more. Of an inventory: roots that list what it listed.
  std::vector<NeededObject> by;
};

// Puts one map over all of them. unsupported when it would be larger than the format allows.
NeededObject put_map(store::ObjectStore& store, const RepositoryId& repository, const LogWriter& writer,
                     const std::vector<Replacement>& replacements);
// `keyring` nullptr: the signature is not looked at (nobody without a key can). damaged, unsupported, not_found.
std::vector<Replacement> read_map(store::ObjectStore& store, const RepositoryId& repository, Keyring* keyring,
                                  const crypto::Sha256& hash);

inline constexpr int kMostMaps = 64;   // one after another; docs/repository-format.md "Map"

// All maps of a store. Once read, any number of threads.
class Maps {
 public:
  // Damaged ones, and those that vanish meanwhile, are left out.
  static Maps read(store::ObjectStore& store, const RepositoryId& repository, Keyring* keyring);

  struct Entry {
    NeededObject map;
    std::vector<NeededObject> by;
  };
  void add(const NeededObject& map, const std::vector<Replacement>& replacements);
  // What stands in place of that object: of several entries each counts. nullptr: no map names it.
  const std::vector<Entry>* of(const NeededObject& object) const;
  const std::vector<NeededObject>& all() const { return all_; }

  // What stands for `object` now: itself when `there(object)`, else what replaces it, followed on through the maps. nullopt: neither
  // it nor, by any one map, all of what replaces it is there.
  using There = std::function<bool(const NeededObject&)>;
  std::optional<std::vector<NeededObject>> stand_in(const NeededObject& object, const There& there) const;

 private:
  bool follow(const NeededObject& object, const There& there, int steps, int& left, std::vector<NeededObject>& found) const;
  std::map<std::pair<ObjectType, crypto::Sha256>, std::vector<Entry>> entries_;
  std::vector<NeededObject> all_;
};

}  // namespace holdfast::repository
