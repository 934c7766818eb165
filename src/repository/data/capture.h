// One backup: takes trees, cuts files into pieces for the pipeline, takes unchanged files over from the
// earlier point. BackupSession (repository.h) says what it promises.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "repository/data/data.h"
#include "repository/data/growing_tree.h"
#include "repository/data/pipeline.h"
#include "repository/data/tree_reader.h"

namespace holdfast::repository {

// Cuts one file after another into pieces of work buffers. One thread.
class FileFeed final : public tree::FileWriter {
 public:
  FileFeed(const Chunker& chunker, Pipeline& pipeline) : chunker_(chunker), pipeline_(pipeline) {}

  void begin(tree::Chunking chunking);
  MutableBytes space() override;
  void commit(std::size_t bytes) override;
  std::shared_ptr<GrowingFile> end();  // all of it is in pieces
  void abandon();
  bool open() const { return file_ != nullptr; }
  std::uint64_t file_bytes() const { return file_bytes_; }
  std::uint64_t total_bytes() const { return total_bytes_; }
  // Hands over what waits for more small files. Between files.
  void flush();
  // A node without content was added: small files may wait only so long for company.
  void node_passed();

 private:
  void cut();
  void take_piece(std::size_t length);
  void hand_over();

  const Chunker& chunker_;
  Pipeline& pipeline_;
  std::unique_ptr<WorkBuffer> buffer_;
  std::size_t used_ = 0;         // of the buffer
  std::size_t chunk_start_ = 0;  // everything before is in pieces
  std::shared_ptr<GrowingFile> file_;
  tree::Chunking chunking_{};
  Chunker::Scan scan_;
  std::size_t file_start_ = 0;  // in the buffer: what abandon() takes back
  std::uint64_t file_bytes_ = 0, total_bytes_ = 0;
  std::size_t nodes_passed_ = 0;
};

// The earlier state of the directories that are open, walked in step with the capture. Names ascend in both.
class PreviousTree {
 public:
  PreviousTree(Engine& engine, tree::NodePtr root);
  // The node of that name in the open directory (at the beginning: the root); nullptr when there was none.
  // Names must ascend. Good until the next call.
  const StoredRecord* find(const std::string& name);
  void open(const StoredRecord* directory);  // the node that find() gave, or nullptr
  void close();

 private:
  struct Directory {
    std::unique_ptr<ListingCursor> listing;  // nullptr: no earlier state, or it cannot be read
    std::optional<StoredRecord> next;
  };
  void advance(Directory& directory);

  Engine& engine_;
  std::optional<StoredRecord> root_;
  std::vector<Directory> open_;
};

class CaptureSession final : public BackupSession, private tree::TreeSink {
 public:
  CaptureSession(EnginePtr engine, SessionSetup setup);

  tree::TreeSink& begin_item(const std::string& name, tree::NodePtr previous) override;
  void end_item(StoredItem& item) override;
  void abandon_item() override;
  PointId publish(const PointDraft& draft) override;
  std::uint64_t bytes_read() const override { return feed_.total_bytes(); }
  std::uint64_t bytes_stored() const override { return pipeline_.bytes_stored(); }

 private:
  void open_directory(const tree::Entry& entry) override;
  void close_directory() override;
  void add(const tree::Entry& entry) override;
  tree::FileWriter& begin_file(tree::Chunking chunking) override;
  void end_file(const tree::Entry& entry) override;
  void abandon_file() override;
  bool reuse_file(const tree::Entry& now) override;

  struct OpenDirectory {
    GrowingDirectoryPtr directory;
    std::string last_name;
    bool has_children = false;
  };
  struct Item {
    Item(Engine& engine, tree::NodePtr earlier) : previous(engine, std::move(earlier)) {}
    std::shared_ptr<FinishedRoot> root = std::make_shared<FinishedRoot>();
    bool has_root = false;
    std::vector<OpenDirectory> open;
    PreviousTree previous;
    std::uint64_t bytes = 0, files = 0;
  };
  Item& item();
  NodePlace next_place(const tree::Entry& entry);
  void place(const NodePlace& place, FinishedNode node);
  bool content_is_there(const ContentRef& content);

  EnginePtr engine_;
  const SessionSetup setup_;
  Pipeline pipeline_;
  FileFeed feed_;
  std::unique_ptr<Item> item_;
  bool published_ = false;
};

}  // namespace holdfast::repository
