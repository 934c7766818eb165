// A repository in memory whose keys are known, so that hostile plaintext can be sealed, signed and named as a writer would do it
// and is then read through the public readers: past authentication. For fuzz targets and tests/hostile.
//
// Not a writer: it checks nothing. The same keys in every run, so that chunk ids in a corpus stay right.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "platform/testing.h"
#include "repository/data/data.h"
#include "repository/format/pack.h"
#include "repository/format/point_object.h"
#include "repository/log/log.h"
#include "store/testing.h"

namespace holdfast::fuzz {

class KnownRepository {
 public:
  KnownRepository();

  // Takes away everything that was put since the beginning.
  void reset();

  const repository::RepositoryId& id() const { return id_; }
  const crypto::Secret& root_key() const { return root_key_; }
  const repository::Epoch& epoch() const { return keyring->current(); }
  repository::LogWriter writer() const { return {writer_, signing_key_}; }
  repository::SlotSecret secret() const;   // opens the repository
  repository::DataContext context() { return {memory, *keyring, clock, entropy, id_, {}}; }
  std::unique_ptr<repository::Repository> open();

  // -- one object
  Bytes header(repository::ObjectType type, ByteView extra = {}, std::uint32_t epoch = 1) const;
  // Header, sealed body, signature when the type has one. `inner`: the plaintext begins with codec and size already.
  Bytes sealed(repository::ObjectType type, ByteView extra, ByteView plain, bool inner = false);
  Bytes sealed_body(repository::ObjectType type, ByteView header, ByteView plain, bool inner = false) const;
  std::string put(repository::ObjectType type, ByteView object);   // under its hash; gives its name

  // -- packs
  struct Frame {
    repository::Codec codec{};
    std::uint32_t size = 0;        // plain bytes
    Bytes encoded;
    repository::ChunkId base;      // codec zstd_with_base only
    std::vector<repository::PackDirectory::Chunk> chunks;   // offset is not used
  };
  static Frame plain_frame(const repository::ChunkId& id, repository::ChunkType type, ByteView bytes);
  static Bytes directory(const std::vector<Frame>& frames, std::uint32_t id_epoch = 1);
  // `directory` as it is given, also when it does not fit the frames.
  Bytes pack(const std::vector<Frame>& frames, ByteView directory);
  repository::ChunkId chunk_id(repository::ChunkType type, ByteView bytes) const;

  // Puts a pack with one frame a chunk and an index segment over it.
  void put_frames(const std::vector<Frame>& frames);
  // The same for one chunk; a reference to it as the whole of a content.
  repository::ContentRef put_content(repository::ChunkType type, ByteView bytes);

  // A point with these items: inventory, point object, record.
  repository::PointId put_point(repository::PointDraft draft);

  store::MemoryStore memory;
  platform::ManualClock clock;
  platform::SeededEntropy entropy{20261122};
  std::unique_ptr<repository::Keyring> keyring;

 private:
  repository::RepositoryId id_;
  crypto::Secret root_key_{32}, machine_key_{32};
  crypto::SigningKey signing_key_;
  repository::WriterId writer_;
  Bytes pack_extra_, pack_key_, pack_salt_;
  store::MemoryStore::Objects beginning_;
};

// One for the whole run of a target, as it was at the beginning.
KnownRepository& known_repository();

}  // namespace holdfast::fuzz
