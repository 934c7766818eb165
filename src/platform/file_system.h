// The file system as Holdfast's own files need it: repository objects, local state, configuration, exports, journals.
// (Walking a protected tree with every attribute is source_tree.h; restoring into a target is contained_tree.h.)
//
// Implementations: posix (file_system_posix.cc); MemoryFileSystem, which forgets what was not synced, and
// FaultyFileSystem, which fails the Nth call (both in testing.h). One contract test suite runs over all of them.
//
// All functions throw holdfast::Error (code_of_errno). All are safe to call from several threads on different paths.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"

namespace holdfast::platform {

using Path = std::filesystem::path;

struct FileInfo {
  enum class Kind { file, directory, other };
  Kind kind = Kind::file;
  std::uint64_t size = 0;
  Timestamp modified;
  std::uint64_t device = 0;   // equal for two paths in the same file system
  std::uint32_t mode = 0;     // permission bits
};

class ReadFile {
 public:
  virtual ~ReadFile() = default;
  virtual std::uint64_t size() const = 0;
  // Reads up to out.size() bytes at `offset`; fewer only at the end of the file. Thread-safe.
  virtual std::size_t read_at(std::uint64_t offset, MutableBytes out) const = 0;
};

class WriteFile {
 public:
  virtual ~WriteFile() = default;   // closes; what was not synced may be lost
  virtual void write(ByteView data) = 0;   // appends all of `data`
  virtual void flush() {}                  // all of it can be read by others; it is not durable yet
  virtual void sync() = 0;                 // contents durable
};

// What one process of the machine holds at a time. Given up when this object goes and when the process dies.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

struct OpenOptions {
  // Large, read once: where the file system allows it, whole blocks that are read at a block's beginning into
  // AlignedMemory (aligned_memory.h) come past the page cache.
  bool bypass_cache = false;
};

struct CreateOptions {
  std::uint32_t mode = 0600;
  bool truncate = false;   // false: an existing file is an Error(already_exists)
  // A new file gets the permission bits, owner and group of this one, whatever `mode` and the process's mask say; not_found without it.
  std::optional<Path> like = std::nullopt;
  // Large, written once, not read soon: written past the page cache where the file system allows it.
  bool bypass_cache = false;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // Never follows a symlink in the last component.
  virtual std::unique_ptr<ReadFile> open(const Path& path, OpenOptions options = {}) = 0;
  virtual std::unique_ptr<WriteFile> create(const Path& path, CreateOptions options = {}) = 0;
  virtual std::unique_ptr<WriteFile> append(const Path& path) = 0;    // creates with mode 0600 when missing
  virtual void rename(const Path& from, const Path& to) = 0;          // replaces `to`; durable after sync_directory
  virtual void remove(const Path& path) = 0;                          // a file or an empty directory; not_found is an Error
  virtual void make_directory(const Path& path, std::uint32_t mode = 0700) = 0;  // one level; existing = already_exists
  virtual void sync_directory(const Path& path) = 0;                  // names inside durable
  virtual std::optional<FileInfo> info(const Path& path) = 0;         // nullopt: nothing there; symlinks are followed
  struct Child { std::string name; FileInfo info; };
  virtual std::vector<Child> list(const Path& path) = 0;              // sorted by name; without . and ..
  virtual std::uint64_t free_bytes(const Path& path) = 0;
  // Whether this process may make names in the folder, without trying: the folder's times stay as they are.
  virtual bool can_write(const Path& folder);

  // Makes the file `path` (mode 0600) when it is missing, and waits until nobody else holds it. busy after `patience`.
  // A file system that only this process sees locks among its threads.
  virtual std::unique_ptr<FileLock> lock(const Path& path, std::chrono::milliseconds patience);

  // Conveniences built on the above.
  Bytes read_all(const Path& path, std::uint64_t limit = UINT64_C(1) << 30);   // larger = Error(unsupported)
  // What a person names for a secret: follows symlinks, reads a pipe as well as a file to its end, waits for it.
  // Larger = Error(unsupported). A file system without links and pipes reads it like read_all().
  virtual Bytes read_stream(const Path& path, std::uint64_t limit) { return read_all(path, limit); }
  // Temporary file beside `path`, written, synced, renamed over `path`, folder synced.
  void replace(const Path& path, ByteView content, std::uint32_t mode = 0600);
  // replace() of a file that is there and stays whose it was: with its permission bits, owner and group (not its access list). For
  // files that people keep.
  void rewrite(const Path& path, ByteView content);
  // Makes `path` and its missing parents; when it returns they are durable, also those that were there already.
  void make_directories(const Path& path, std::uint32_t mode = 0700);
  bool exists(const Path& path) { return info(path).has_value(); }

 private:
  void replace(const Path& path, ByteView content, const CreateOptions& options);
};

// The real one. Lives as long as the program.
FileSystem& real_file_system();

}  // namespace holdfast::platform
