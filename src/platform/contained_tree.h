// Writing inside one folder and nowhere else, whatever the names say: rule "nothing outside".
//
// Linux: every path is resolved with openat2(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS), so a link
// planted before or during the restore, `..`, and absolute names cannot lead out; on kernels without openat2 the same
// by walking component by component with O_NOFOLLOW. Refusals are Error(outside) and name the entry.
//
// Relative paths use '/' between names; names are bytes; "" is the root. A name that is empty, ".", "..", or holds '/' or NUL is
// refused. A link is never followed, a directory is never replaced by something else.
//
// Thread-safe for different paths. Handles of directories are kept open (a few), so neighbouring files are cheap.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "platform/file_system.h"
#include "platform/source_tree.h"
#include "tree/entry.h"

namespace holdfast::platform {

class ContainedFile {
 public:
  virtual ~ContainedFile() = default;
  virtual void reserve(std::uint64_t size) = 0;                        // sets the size; holes stay holes
  virtual void write_at(std::uint64_t offset, ByteView data) = 0;
  virtual void sync() = 0;                                             // content and metadata durable
};

struct ApplyOptions {
  bool owner = false;        // give files their owner (needs root)
  bool privileged = false;   // setuid/setgid/sticky-on-files, file capabilities (security.* xattrs), device nodes
};

class ContainedTree {
 public:
  virtual ~ContainedTree() = default;
  virtual void make_directory(const std::string& path) = 0;            // mode 0700 until apply(); existing directory is fine
  // A new file under a temporary name in the same folder; publish() renames it to `path`, replacing a file there. `size`: bytes
  // that will be written, from the first to the last one (0: not known, or in another order). Large ones go past the page cache.
  virtual std::unique_ptr<ContainedFile> create(const std::string& path, std::uint64_t size = 0) = 0;
  // Until then apply() works on the temporary file: a file appears with its content and attributes at once.
  virtual void publish(const std::string& path) = 0;
  virtual void abandon(const std::string& path) = 0;                   // removes the temporary file
  virtual void make_symlink(const std::string& path, const std::string& target) = 0;   // replaces a non-directory
  virtual void make_hard_link(const std::string& path, const std::string& existing) = 0;  // both beneath the root
  // A FIFO or device; replaces a non-directory. A device without `privileged` is not made: one sentence says so.
  virtual std::vector<std::string> make_special(const std::string& path, const tree::Entry& entry, ApplyOptions options) = 0;
  // Owner, mode, xattrs, ACLs, times of the entry at `path`, in the order that keeps them (owner before mode before times).
  // Attributes that the entry does not have are taken away (labels of security modules stay). Error(outside) when another kind of
  // thing stands there by now. Returns the attributes that the file system or the options did not take, one sentence each.
  virtual std::vector<std::string> apply(const std::string& path, const tree::Entry& entry, ApplyOptions options) = 0;
  virtual std::optional<tree::Entry> status(const std::string& path) = 0;   // with attributes; nullopt: nothing there
  virtual std::unique_ptr<SourceFile> open(const std::string& path, tree::Entry& entry) = 0;
  virtual void rename(const std::string& from, const std::string& to) = 0;  // fails when `to` exists
  virtual void remove(const std::string& path) = 0;                    // a file or an empty directory
  virtual void sync_directory(const std::string& path) = 0;
  virtual void sync_all() = 0;                                         // everything written so far is durable
  virtual std::vector<std::string> names(const std::string& path) = 0; // of a directory, sorted; not_found
  virtual const Path& root() const = 0;
};

// True for the names that create() makes up. One that is left over from a killed run may be removed.
bool is_temporary_name(const std::string& name);

// `root` must be an existing directory; it is opened once and every call is relative to that handle.
std::unique_ptr<ContainedTree> open_contained_tree(const Path& root);

}  // namespace holdfast::platform
