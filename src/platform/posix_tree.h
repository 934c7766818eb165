// What reading (source_tree_posix.cc) and writing (contained_tree_posix.cc) a tree share: metadata of a file
// as a tree entry. Posix implementation files only; not part of the contract of this room.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "platform/contained_tree.h"
#include "platform/descriptor_posix.h"
#include "platform/source_tree.h"
#include "tree/entry.h"

namespace holdfast::platform {

// A path in messages, put together only when there is one. Refers to what it is made of. Cut at the front when it is very long.
class Shown {
 public:
  Shown(const std::string& path) : directory_(nullptr), name_(path) {}
  Shown(const std::string& directory, const std::string& name) : directory_(&directory), name_(name) {}
  std::string text() const;

 private:
  const std::string* directory_;
  const std::string& name_;
};

// "/proc/self/fd/5" and "/proc/self/fd/5/name": the one way to the attributes of what cannot be opened
// (links, FIFOs, devices).
std::string proc_path(int fd);
std::string proc_path(int fd, const std::string& name);

// statx of `name` in `directory`, not following links; of `directory` itself when the name is "". nullopt:
// nothing there.
std::optional<struct statx> stat_at(int directory, const std::string& name, const Shown& shown);
bool same_file(const struct statx& a, const struct statx& b);
std::uint64_t device_of(const struct statx& s);

// Kind, mode, owner, size, times, device, inode, links; `sparse` when it may have holes.
tree::Entry entry_of(const struct statx& s, const std::string& name);
// Text of the link `name` in `directory`.
std::string read_link(int directory, const std::string& name, const Shown& shown);

// What an attribute is called in the file system: "system.posix_acl_access"; "" when this system has no such
// thing.
std::string xattr_name(const tree::Attribute& attribute);
// All extended attributes and ACLs of `proc` (a proc_path), not following a link that it names, sorted by
// type and name.
std::vector<tree::Attribute> attributes_of(const std::string& proc, const Shown& shown);
// The same of an open file that is not O_PATH.
std::vector<tree::Attribute> attributes_of(int fd, const Shown& shown);

// Makes half as many extents of them, by counting the smaller holes as data.
void fill_small_holes(std::vector<tree::Extent>& extents);

// A regular file opened for reading as a SourceFile. Fills the entry as SourceDirectory::open does.
std::unique_ptr<SourceFile> source_file(Descriptor fd, tree::Entry& entry, const std::string& shown);
// Opens the regular file `name` in `directory`, or throws as SourceDirectory::open does.
std::unique_ptr<SourceFile> open_regular(int directory, const std::string& name, tree::Entry& entry,
                                         const std::string& shown);

// Gives what `fd` refers to (O_PATH: links, FIFOs, devices; else files and directories) the owner, mode,
// attributes and times of `entry`, and takes away attributes that it does not have. Order: owner, mode,
// attributes, times, because giving a file an owner takes its setuid bit and capabilities away. Returns what
// was not taken, one sentence each.
std::vector<std::string> apply_attributes(int fd, bool is_o_path, const tree::Entry& entry,
                                          ApplyOptions options);

// Names in the directory, sorted by bytes, without . and ..
std::vector<std::string> names_in(int directory, const std::string& shown);

// `use_openat2` false: walks component by component as on a kernel without it.
std::unique_ptr<ContainedTree> open_contained_tree(const Path& root, bool use_openat2);

}  // namespace holdfast::platform
