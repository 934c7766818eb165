// The object that holds a point: its plain part, which says where the inventory is, and its sealed part.
// docs/repository-format.md "Point".
#pragma once

#include "repository/format/inventory.h"
#include "repository/keys/keyring.h"
#include "repository/log/log.h"
#include "repository/point.h"

namespace holdfast::repository {

// What is readable without a key.
struct PointEnvelope {
  WriterId writer;
  InventoryRoot inventory;
};
// Checks the object against its id. damaged, unsupported.
PointEnvelope read_point_envelope(ByteView object, const RepositoryId& repository, const PointId& id);

struct ReadPoint {
  Point point;
  InventoryRoot inventory;
};
// Checks hash, signature and authenticity. damaged (also when it is not there: whoever asks knows that it must be).
ReadPoint read_point(store::ObjectStore& store, const RepositoryId& repository, Keyring& keyring, const PointId& id);

// Decodes what it is about to store and compares, then stores it.
PointId put_point(store::ObjectStore& store, const RepositoryId& repository, const Epoch& epoch, const LogWriter& writer,
                  const PointDraft& draft, const InventoryRoot& inventory, platform::Entropy& entropy);

}  // namespace holdfast::repository
