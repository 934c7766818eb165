// A TreeSink in memory whose result is a tree of StoredNodes: adapters are tested without a repository.
// Not a repository: nothing is deduplicated, compressed or encrypted. Checks what every sink may demand of an
// adapter: the root first and once, names ascending, files ended with the size and extents that were
// committed; else Error(defect).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tree/streams.h"

namespace holdfast::item::testing {

class MemoryTree final : public tree::TreeSink {
 public:
  // `previous`: root of an earlier capture, for reuse_file(); nullptr: nothing is reused.
  explicit MemoryTree(tree::NodePtr previous = nullptr);
  ~MemoryTree() override;

  void open_directory(const tree::Entry& entry) override;
  void close_directory() override;
  void add(const tree::Entry& entry) override;
  tree::FileWriter& begin_file(tree::Chunking chunking) override;
  void end_file(const tree::Entry& entry) override;
  void abandon_file() override;
  bool reuse_file(const tree::Entry& now) override;

  // The finished tree; Error(defect) when no root was given or a directory or file is still open.
  tree::NodePtr root() const;
  std::uint64_t files_reused() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Hand-made nodes, for hostile trees and for diffs: names are taken as they are, unsafe ones too.
tree::NodePtr make_file(tree::Entry entry, ByteView content);
tree::NodePtr make_node(tree::Entry entry);                                            // no content
tree::NodePtr make_directory(tree::Entry entry, std::vector<tree::NodePtr> children);  // in the given order

}  // namespace holdfast::item::testing
