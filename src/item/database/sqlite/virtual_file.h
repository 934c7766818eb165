// Databases that are no files: SQLite reads and writes them through functions of ours.
//
// Two uses. A stored database is opened where it lies, in a repository, without a copy on a disk. And SQLite's own backup
// writes the pages of a consistent snapshot into a VirtualFile that passes them on, so that a capture needs neither a
// temporary file nor memory for the database. Why so: docs/decisions/0004-sqlite-capture.md.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "item/database/sqlite/connection.h"
#include "tree/streams.h"

namespace holdfast::item {

// What SQLite sees as the database file. May throw: SQLite then sees an input/output error, and rethrow() gives the cause.
class VirtualFile {
 public:
  virtual ~VirtualFile() = default;
  virtual std::uint64_t size() = 0;
  virtual std::size_t read(std::uint64_t offset, MutableBytes out) = 0;   // fewer bytes only at the end
  virtual void write(std::uint64_t offset, ByteView data) = 0;
  virtual void resize(std::uint64_t size) = 0;
  virtual bool read_only() const = 0;
};

// Makes a VirtualFile known to SQLite under a name of its own, as long as it lives. It opens that one file and no other:
// a journal or a temporary file beside it is refused.
class VirtualFileSystem {
 public:
  explicit VirtualFileSystem(VirtualFile& file);
  ~VirtualFileSystem();
  VirtualFileSystem(const VirtualFileSystem&) = delete;
  VirtualFileSystem& operator=(const VirtualFileSystem&) = delete;
  const std::string& name() const;
  // Throws what the VirtualFile threw first, if anything.
  void rethrow();
  struct State;

 private:
  std::unique_ptr<State> state_;
};

// A database that is only read, from `read(offset, out)`; no locks, no files, nothing changed. Close connection() first.
class ReadOnlyDatabase {
 public:
  using Read = std::function<std::size_t(std::uint64_t, MutableBytes)>;
  ReadOnlyDatabase(std::uint64_t size, Read read, const std::string& label);
  // A database as it is stored.
  ReadOnlyDatabase(tree::NodePtr stored, const std::string& label);
  ~ReadOnlyDatabase();
  // Runs `use`; what the reading threw (a damaged chunk, say) is thrown as it was, not as SQLite's input/output error.
  void with(const std::function<void(Connection&)>& use);

 private:
  struct File;
  std::unique_ptr<File> file_;
  std::unique_ptr<VirtualFileSystem> vfs_;
  std::unique_ptr<Connection> connection_;
  std::string label_;
};

}  // namespace holdfast::item
