// The keys behind the root key: epochs and the writers' verify keys. docs/repository-format.md "Keys", "Keyring entry".
//
// The keyring is the union of its entries in the store; entries are only ever added. Thread-safe: references to epochs
// stay valid as long as the Keyring lives.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"
#include "crypto/hash.h"
#include "crypto/keys.h"
#include "crypto/secret.h"
#include "platform/entropy.h"
#include "repository/format/envelope.h"
#include "store/object_store.h"

namespace holdfast::repository {

struct Epoch {
  std::uint32_t number = 0;              // from 1
  crypto::Secret secret;                 // 32 bytes; all keys below follow from it
  crypto::Secret chunker_secret;         // 32 bytes, the same in every epoch
  crypto::Sha256 repository_object;      // hash of the repository object that this keyring belongs to
  Timestamp created;
  crypto::SealKeyPair seal;              // pack keys are sealed to it
  crypto::Secret meta_key;               // body key of index segments, points, records and pack directories
  crypto::Secret data_id_key, tree_id_key;   // of chunk ids
};

// A writer's id follows from its verify key (the first 16 bytes of the key's SHA-256), so that nobody, not even the holder
// of the root key, can give a known writer another key.
WriterId writer_id(const crypto::VerifyKey& key);

struct KnownWriter {
  WriterId id;
  crypto::VerifyKey verify_key;
  std::string label;                     // host name and date, for people
  Timestamp created;
};

class Keyring {
 public:
  // Reads all entries. A damaged one is left out and told by damage(); damaged: none that opens holds an epoch.
  Keyring(store::ObjectStore& store, const RepositoryId& repository, const crypto::Secret& root_key);

  const Epoch& current() const;
  // damaged when there is no such epoch: `name` is the object that asks for it. Reads the entries again once before.
  const Epoch& epoch(std::uint32_t number, std::string_view name);
  std::vector<std::uint32_t> epochs() const;
  // An unknown writer makes the entries be read again once: another machine may have joined since.
  std::optional<crypto::VerifyKey> verify_key(const WriterId& writer);
  std::vector<KnownWriter> writers() const;
  std::map<std::string, std::string> damage() const;   // object name, what is wrong

  // Reads entries that others have added: another machine may have begun an epoch.
  void refresh();

  // Each adds one object to the store.
  void add_writer(const crypto::VerifyKey& key, const std::string& label, Timestamp created, platform::Entropy& entropy);
  void add_epoch(platform::Entropy& entropy, Timestamp created);   // the next one, current from now on

  // The first epoch of a new repository, before there is a Keyring.
  static void put_first_epoch(store::ObjectStore& store, const RepositoryId& repository, const crypto::Secret& root_key,
                              const crypto::Sha256& repository_object, Timestamp created, platform::Entropy& entropy);

 private:
  void read_entries();                                   // under mutex_
  void take_entry(const std::string& name, ByteView plain);
  void put_entry(ByteView plain, platform::Entropy& entropy);

  store::ObjectStore& store_;
  RepositoryId repository_;
  crypto::Secret key_;                                   // keyring key
  mutable std::mutex mutex_;
  std::set<std::string> read_;                           // object names
  std::map<std::string, std::string> damaged_;
  struct NamedEpoch { std::string object; std::unique_ptr<Epoch> epoch; };
  std::map<std::uint32_t, NamedEpoch> epochs_;
  std::map<WriterId, KnownWriter> writers_;
  std::vector<std::unique_ptr<Epoch>> displaced_;        // lost to an entry of the same number: references stay valid
};

}  // namespace holdfast::repository
