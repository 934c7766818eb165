// Stored trees: nodes one after another out of a directory's listing, and StoredNode over them.
// docs/repository-format.md "Content references and trees". What is read is hostile: Error(damaged).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "repository/data/content.h"
#include "repository/data/engine.h"
#include "tree/streams.h"

namespace holdfast::repository {

// An encoded entry: names, attributes and extents. A larger one is not something that a file system gave.
inline constexpr std::size_t kMaxEntry = (std::size_t{64} << 20) - (std::size_t{64} << 10);
inline constexpr int kMaxDepth = 4096;  // of a tree; docs/repository-format.md "Limits"

struct StoredRecord {
  tree::Entry entry;
  ContentRef content;
};

void encode_node(Writer& out, ByteView entry, bool has_content, const ContentRef& content);
// A root node as a point has it. damaged.
StoredRecord decode_root(ByteView entry, const ContentRef& content);

// The nodes of a directory in name order. One thread. Names are checked: safe, and ascending.
class ListingCursor {
 public:
  ListingCursor(ChunkReader& reader, const ContentRef& listing, PieceCursor::SeeList see_chunk = {});
  ListingCursor(const ListingCursor&) = delete;
  ListingCursor& operator=(const ListingCursor&) = delete;
  std::optional<StoredRecord> next();  // nullopt at the end

 private:
  bool more();  // another chunk of the listing, appended to rest_
  std::optional<StoredRecord> parse();

  ChunkReader& reader_;
  const ContentRef listing_;
  PieceCursor::SeeList see_chunk_;
  PieceCursor pieces_;
  Bytes rest_;
  std::size_t parsed_ = 0;
  std::string last_name_;
  bool first_ = true;
};

class DataNode final : public tree::StoredNode {
 public:
  DataNode(EnginePtr engine, StoredRecord record, int depth);
  const tree::Entry& entry() const override { return record_.entry; }
  void children(const std::function<bool(tree::NodePtr)>& visit) const override;
  tree::NodePtr child(const std::string& name) const override;
  void read(std::uint64_t offset, std::uint64_t length,
            const std::function<void(std::uint64_t, ByteView)>& consume) const override;
  Bytes fingerprint() const override;
  bool same_content(const std::function<std::size_t(MutableBytes)>& next) const override;

  const Engine* engine() const { return engine_.get(); }
  const StoredRecord& record() const { return record_; }

 private:
  bool is_chunk(const ChunkId& id, ByteView bytes, const Epoch*& epoch) const;

  EnginePtr engine_;
  StoredRecord record_;
  int depth_;
};

}  // namespace holdfast::repository
