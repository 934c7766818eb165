// A tree on its way into the repository: files whose chunks are being stored, directories whose children are
// not all known yet. Nothing waits: whoever brings the last missing piece of a node completes it, and then
// its parent.
//
// Thread-safe: the capturing thread adds, workers complete. `put` stores a chunk of type tree; only workers
// have it.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include "repository/data/pipeline.h"

namespace holdfast::repository {

struct FinishedNode {
  Bytes entry;  // encoded
  bool has_content = false;
  ContentRef content;
};

// Where the root of an item ends up.
struct FinishedRoot {
  std::atomic<bool> done{false};
  FinishedNode node;  // once done
};

class GrowingDirectory;
using GrowingDirectoryPtr = std::shared_ptr<GrowingDirectory>;

// The place of one node: a slot of its directory, or the root.
struct NodePlace {
  GrowingDirectoryPtr directory;
  std::uint64_t slot = 0;
  std::shared_ptr<FinishedRoot> root;  // when there is no directory
  // The directory, when it has something to do now: settle() it.
  GrowingDirectoryPtr fill(FinishedNode node) const;
};

class GrowingDirectory {
 public:
  GrowingDirectory(const Chunker& chunker, NodePlace place, Bytes entry);

  std::uint64_t add_slot();
  bool fill(std::uint64_t slot, FinishedNode node);  // true: settle() it
  bool close();                                      // no more slots; true: settle() it
  // Cuts what can be cut; completes the directory when everything is there. What has something to do then:
  // the parent.
  GrowingDirectoryPtr work(const PutTreeChunk& put);

 private:
  bool due_locked() const;

  const Chunker& chunker_;
  const NodePlace place_;
  Bytes entry_;
  std::mutex mutex_;
  std::deque<std::optional<Bytes>> waiting_;  // nodes in order, from the first that is not known on
  std::uint64_t first_ = 0;                   // slot of waiting_.front()
  TreeStream listing_;
  bool closed_ = false, finished_ = false;
};

// Does the work of a directory, then of its parent, and so on.
void settle(GrowingDirectoryPtr directory, const PutTreeChunk& put);

class GrowingFile final : public PieceTarget {
 public:
  explicit GrowingFile(const Chunker& chunker) : chunker_(chunker) {}

  std::uint64_t add_piece();
  void stored(std::uint64_t number, const ContentRef::Piece& piece, const PutTreeChunk& put) override;
  // No more pieces. True: all are stored already: complete() it with a `put`.
  bool end(NodePlace place, Bytes entry);
  void complete(const PutTreeChunk& put);

 private:
  const Chunker& chunker_;
  std::mutex mutex_;
  std::deque<std::optional<ContentRef::Piece>> waiting_;
  std::uint64_t first_ = 0;
  ReferenceBuilder pieces_;
  std::optional<NodePlace> place_;  // once ended
  Bytes entry_;
};

}  // namespace holdfast::repository
