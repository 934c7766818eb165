// How captured trees flow: adapters write into a TreeSink and read from StoredNodes, without knowing what is behind.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tree/entry.h"

namespace holdfast::tree {

// Directories inside one another in one item, the root not counted. Deeper ones are not captured (a finding), because a reader
// refuses them (docs/repository-format.md, "Limits").
constexpr int kMaxDepth = 4096;

// Where a file's content goes. The caller fills space() and says how much: no copy in between.
class FileWriter {
 public:
  virtual ~FileWriter() = default;
  virtual MutableBytes space() = 0;               // at least 64 KiB; valid until commit()
  virtual void commit(std::size_t bytes) = 0;     // the first `bytes` of space() are content
  void write(ByteView data);                      // convenience: copies into space()
};

enum class Chunking : std::uint8_t {
  content_defined,   // files
  fixed,             // databases and disk images: aligned pieces, so that an unchanged page stays unchanged
};

// Takes one item's tree, depth first. One thread. Names must ascend (bytewise) within a directory: Error(defect).
class TreeSink {
 public:
  virtual ~TreeSink() = default;
  // The root comes first, with the name ""; it may also be a single file, then nothing else follows.
  virtual void open_directory(const Entry& entry) = 0;
  virtual void close_directory() = 0;
  virtual void add(const Entry& entry) = 0;               // everything without content
  virtual FileWriter& begin_file(Chunking chunking) = 0;  // one file at a time
  virtual void end_file(const Entry& entry) = 0;          // entry.size and extents must fit the bytes committed
  virtual void abandon_file() = 0;                        // it could not be read to its end: leaves no trace
  // Takes the content over from the earlier point when that file is surely unchanged (size, times, inode, and its
  // changed-time more than 2 s before it was captured). true: stored, read nothing. Same order rules as add().
  virtual bool reuse_file(const Entry& now) = 0;
};

// A node of a stored tree. Everything read through it has been verified. Thread-safe.
class StoredNode {
 public:
  virtual ~StoredNode() = default;
  virtual const Entry& entry() const = 0;
  // Children in name order; visit returns false to stop. Only for directories. Names are checked (is_safe_name,
  // ascending): Error(damaged).
  virtual void children(const std::function<bool(std::shared_ptr<const StoredNode>)>& visit) const = 0;
  virtual std::shared_ptr<const StoredNode> child(const std::string& name) const = 0;   // nullptr: none
  // Content stream (for sparse files the extents one after another): calls consume(offset, bytes) in order.
  virtual void read(std::uint64_t offset, std::uint64_t length,
                    const std::function<void(std::uint64_t, ByteView)>& consume) const = 0;
  // Equal for equal content in one repository; opaque.
  virtual Bytes fingerprint() const = 0;
  // Reads `next` to its end (0 = end) and says whether it is exactly this content, without fetching the content.
  virtual bool same_content(const std::function<std::size_t(MutableBytes)>& next) const = 0;

  Bytes read_all(std::uint64_t limit = UINT64_C(256) << 20) const;   // larger: Error(unsupported)
};

using NodePtr = std::shared_ptr<const StoredNode>;

// The node at "a/b/c" below `root` ("" = root itself); nullptr when there is none.
NodePtr find(NodePtr root, std::string_view path);

}  // namespace holdfast::tree
