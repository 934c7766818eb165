// The data of a repository: packs, the index over them, captured trees in and out. Knows chunks, frames and
// nodes; knows no point, no record and no slot (repository.cc puts the two together). Bytes:
// docs/repository-format.md, "Chunks" to "Trees".
//
// A DataStore and the nodes that it opens may be used by several threads. Nodes and sessions keep their
// DataStore alive. The index is read at the first use that needs it, not at opening.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "platform/clock.h"
#include "platform/entropy.h"
#include "repository/format/inventory.h"
#include "repository/format/repository_object.h"
#include "repository/keys/keyring.h"
#include "repository/repository.h"
#include "store/object_store.h"
#include "tree/streams.h"

namespace holdfast::repository {

// What a DataStore uses; all must outlive it.
struct DataContext {
  store::ObjectStore& store;
  Keyring& keyring;
  platform::Clock& clock;
  platform::Entropy& entropy;
  RepositoryId repository;
  Parameters parameters;
  platform::Path cache = {};  // folder of this repository's derived files; empty: none are kept
};

// What a session writes with.
struct SessionSetup {
  WriterId writer;
  const crypto::SigningKey& signing_key;  // must outlive the session
  RunOptions run;
  // Called by publish() when every object of `needed` (packs and index segments) is durable: writes inventory,
  // point and record, returns the point's id.
  std::function<PointId(const PointDraft&, const NeededObjects& needed)> commit;
};

// What is wrong with data, found by a check. `object` is a name in the store, or "" when no object can be
// blamed.
struct DataProblem {
  std::string object;
  std::string what;
  bool operator==(const DataProblem&) const = default;
};

// Which packs verify_content() reads, and what came of it.
struct PackReading {
  PackTurns& turns;
  std::uint64_t later = 0, bytes = 0;  // packs left to another run; bytes of those that were read
};

class DataStore {
 public:
  virtual ~DataStore() = default;

  // The node that `entry` (tree::encode_entry) and `content` describe: a point's root of an item. damaged.
  virtual tree::NodePtr open_node(ByteView entry, const ContentRef& content) = 0;

  // Lists the packs of the store first: what is missing or of another size is not deduplicated against.
  virtual std::unique_ptr<BackupSession> begin_session(SessionSetup setup) = 0;

  // Reads one whole pack and decodes every chunk of it: hash, signature, directory, chunk ids. nullopt:
  // whole. Throws only what is not the pack's fault (unavailable, interrupted).
  virtual std::optional<DataProblem> check_pack(const crypto::Sha256& pack, std::uint64_t size) = 0;

  // Level `content` of points: check_pack for every pack of `packs` (and nothing for what else is in it), then
  // every node and every chunk reference below `roots` (StoredItem::root) must lead to a chunk in a whole pack.
  // Empty: all can be restored. `progress` counts bytes of packs. With `reading`, packs that are known to be
  // whole are not read; when some are left for later, so are the references.
  virtual std::vector<DataProblem> verify_content(const std::vector<std::pair<Bytes, ContentRef>>& roots,
                                                  std::span<const NeededObject> packs, const RunOptions& run,
                                                  PackReading* reading = nullptr) = 0;

  // For what looks deeper (impact.h).
  virtual std::shared_ptr<struct Engine> engine() = 0;
};

std::shared_ptr<DataStore> open_data(const DataContext& context);

}  // namespace holdfast::repository
