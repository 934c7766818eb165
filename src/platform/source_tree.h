// Reading a protected tree with everything the file system knows about it, without following links, opening a FIFO or
// changing what is read (no access times where the system allows it).
//
// Extended attributes are read through /proc/self/fd, so /proc must be mounted (precondition otherwise). Entry::captured is
// left to the caller, who has the clock. A directory object keeps what it needs of its parents alive; of a deep tree only the
// last 200 directories (fewer where a process may open few files) are held open, the others are reopened and compared when they are used again.
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
  // Next bytes in extent order (holes are skipped); 0 = end: the size at opening, or earlier when the file was cut short.
  virtual std::size_t read(MutableBytes out) = 0;
  virtual tree::Entry status() = 0;                          // the file's metadata now, to notice changes while reading
};

// Thread-safe.
class SourceDirectory {
 public:
  virtual ~SourceDirectory() = default;
  virtual std::vector<std::string> names() = 0;              // sorted by bytes
  // Metadata of a child, not following links: kind, mode, owner, times, device, inode, links, link target.
  // nullopt: it vanished. Sockets are returned with Kind::socket. `sparse` set: the file may have holes, open() finds out.
  virtual std::optional<tree::Entry> status(const std::string& name) = 0;
  // Adds xattrs and ACLs (typed attributes) to the entry.
  virtual void read_attributes(const std::string& name, tree::Entry& entry) = 0;
  virtual std::unique_ptr<SourceDirectory> enter(const std::string& name) = 0;   // Error when it is no longer a directory
  // Opens a regular file without following links and without blocking; Error(not_found) when it vanished,
  // Error(busy) when it is no longer a regular file. Brings the entry's metadata up to date with what was opened (attributes
  // too when it is another file by now) and fills entry.sparse and entry.extents.
  virtual std::unique_ptr<SourceFile> open(const std::string& name, tree::Entry& entry) = 0;
  virtual tree::Entry self() = 0;                            // this directory's own metadata, attributes included
};

// The directory at `path` (the path itself may be reached through links). not_found; precondition when it is a file.
std::unique_ptr<SourceDirectory> open_source_directory(const Path& path);
// A single file and its metadata with attributes, reached through links too; precondition when it is not a regular file.
std::unique_ptr<SourceFile> open_source_file(const Path& path, tree::Entry& entry);

}  // namespace holdfast::platform
