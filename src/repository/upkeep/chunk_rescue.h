// Stores single chunks in new packs, plainly, whatever the index says: for a repair. One thread.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <unordered_set>

#include "repository/data/engine.h"
#include "tree/streams.h"

namespace holdfast::repository {

class ChunkRescue {
 public:
  ChunkRescue(Engine& engine, WriterId writer, const crypto::SigningKey& key) : engine_(engine), writer_(writer), key_(key) {}

  // Unless it was stored before. `ids`: the epoch whose keys name it.
  void store(const ChunkId& id, ChunkType type, ByteView plain, const Epoch& ids);
  void finish();   // every pack is in the store and in the catalog
  bool has(const ChunkId& id) const { return stored_.contains(id); }

 private:
  void store_pack(PackWriter& pack);

  Engine& engine_;
  WriterId writer_;
  const crypto::SigningKey& key_;
  Compressor compressor_;
  PackChecker checker_;
  std::map<std::uint32_t, std::unique_ptr<PackWriter>> packs_;   // by epoch of the chunk ids
  std::unordered_set<ChunkId, IdHash> stored_;
};

// Cuts files like a backup does and tells the chunks. One thread.
class ChunkSieve final : public tree::TreeSink, private tree::FileWriter {
 public:
  using Chunk = std::function<void(ByteView plain)>;
  // `wanted`: paths in the item of the files to be read.
  ChunkSieve(const Chunker& chunker, const std::set<std::string>& wanted, Chunk chunk);

  void open_directory(const tree::Entry& entry) override;
  void close_directory() override;
  void add(const tree::Entry&) override {}
  tree::FileWriter& begin_file(tree::Chunking chunking) override;
  void end_file(const tree::Entry& entry) override;
  void abandon_file() override { used_ = start_ = 0; }
  bool reuse_file(const tree::Entry& now) override;

 private:
  MutableBytes space() override;
  void commit(std::size_t bytes) override;
  void take(std::size_t length);

  const Chunker& chunker_;
  const std::set<std::string>& wanted_;
  const Chunk chunk_;
  std::vector<std::string> inside_;   // paths of the open directories
  tree::Chunking chunking_{};
  Chunker::Scan scan_;
  Bytes buffer_;
  std::size_t start_ = 0, used_ = 0;
  std::uint64_t file_bytes_ = 0;
};

}  // namespace holdfast::repository
