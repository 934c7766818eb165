// From a password to the keys of all epochs and writers. Sections "Keys", "Slot", "Keyring entry" of
// docs/repository-format.md.
#pragma once

#include "objects.h"
#include "primitives.h"

namespace compat {

struct Epoch {
  KeyPair seal;
  Bytes meta_key, data_id_key, tree_id_key;
};

struct Keys {
  Bytes repository_id;
  std::map<std::uint32_t, Epoch> epochs;
  std::map<Bytes, Bytes> writers;  // id, verify key

  const Epoch& epoch(std::uint32_t number, const std::string& what) const;
  /// Also checks that the object belongs to the repository.
  void check_signature(const Object& object) const;
  void check_repository(const Object& object) const;
  /// The body of a signed object of the keyring's epochs.
  Bytes open_body(const Object& object, std::uint64_t limit) const;
};

/// `secret`: what the password file holds: a password (ASCII), a recovery key, or a machine key.
Keys open_keys(const Store& store, const Bytes& secret);

}  // namespace compat
