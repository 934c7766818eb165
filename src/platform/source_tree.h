// Reading a protected tree with everything the file system knows about it, without following links, opening a FIFO or
// changing what is read (no access times where the system allows it).
//
// Handle-relative throughout: a folder renamed or replaced by a link during the walk cannot lead the walk elsewhere.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "platform/file_system.h"
#include "tree/entry.h"

namespace holdfast::platform {

class SourceFile {
 public:
  virtual ~SourceFile() = default;
  virtual std::size_t read(MutableBytes out) = 0;            // next bytes in extent order (holes are skipped); 0 = end
  virtual tree::Entry status() = 0;                          // the file's metadata now, to notice changes while reading
};

class SourceDirectory {
 public:
  virtual ~SourceDirectory() = default;
  virtual std::vector<std::string> names() = 0;              // sorted by bytes
  // Metadata of a child, not following links: kind, mode, owner, times, device, inode, links, link target.
  // nullopt: it vanished. Sockets are returned with Kind::socket.
  virtual std::optional<tree::Entry> status(const std::string& name) = 0;
  // Adds xattrs and ACLs (typed attributes) to the entry.
  virtual void read_attributes(const std::string& name, tree::Entry& entry) = 0;
  virtual std::unique_ptr<SourceDirectory> enter(const std::string& name) = 0;   // Error when it is no longer a directory
  // Opens a regular file without following links and without blocking; Error(not_found) when it vanished,
  // Error(busy) when it is no longer a regular file. Fills entry.extents when the file is sparse.
  virtual std::unique_ptr<SourceFile> open(const std::string& name, tree::Entry& entry) = 0;
  virtual tree::Entry self() = 0;                            // this directory's own metadata, attributes included
};

// The directory at `path` (the path itself may be reached through links). not_found; precondition when it is a file.
std::unique_ptr<SourceDirectory> open_source_directory(const Path& path);
// A single file and its metadata with attributes; precondition when it is not a regular file.
std::unique_ptr<SourceFile> open_source_file(const Path& path, tree::Entry& entry);

}  // namespace holdfast::platform
