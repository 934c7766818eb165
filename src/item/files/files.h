// Items that are a handful of files kept verbatim: settings, registry, web configuration, certificates,
// encryption keys, records, a vendor's backup, a share description. Not for trees: that is directory/.
//
// What is stored: the root is the folder of the first file, with that folder's own metadata; its children are
// the files, by base name. Files of further folders stand in one sub-folder each, named as their folder is
// ("Certificates"; ".2", ".3" is added when that name is taken) with that folder's metadata. Base names are
// unique in an item, so a stored file finds its place again by its base name, also when the configuration has
// moved it to another folder.
//
// An adapter of this family derives from FileSetAdapter, says which files they are, and reads facts from
// their bytes in understand(); it overrides diff() or check() when it can say more than "changed". The free
// functions are the same, for adapters that need another order of things.
#pragma once

#include <string>
#include <vector>

#include "item/adapter.h"

namespace holdfast::item {

// The files of one item, absolute.
struct FileSet {
  std::vector<Path> files;     // each named in the configuration; the first one's folder is the root
  std::optional<Path> folder;  // every regular file directly inside belongs too; then `files` may be empty
};

// Files up to this size are kept in memory while an item is captured, so that adapters read them once.
// Settings, keys and certificates are kilobytes; a registry export of a large server is a few MiB.
constexpr std::uint64_t kKeptInMemory = UINT64_C(64) << 20;

struct LiveFile {
  std::string name;   // base name
  Path path;          // where it is on this machine
  tree::Entry entry;  // as stored, attributes included; the name is `name`
  Bytes content;      // the whole file with holes as zeros; empty when !kept
  bool kept = true;   // false: larger than kKeptInMemory
};

// Reads every file of the set, in the order of `files`, then those of the folder by name. A link named in the
// configuration is followed (finding link_followed). A listed file that is not there or not readable is a
// finding (missing_file, unreadable); none at all is Error(not_found); two files of one base name are
// Error(config). In the folder: sub-folders, links and special files are a finding (not_a_file), a socket
// too. A file that changes while it is read is read again, at most three times, then it is a finding
// (changed_while_read).
std::vector<LiveFile> read_files(const FileSet& set, const FindingSink& finding);

// Reads the files and stores them with their folders' metadata. Returns what was read, for facts. Calls
// progress.add().
std::vector<LiveFile> capture_files(const FileSet& set, tree::TreeSink& sink, CaptureContext& context);

// Stores texts that have no file on the server (identity card, product list): a root folder with mode 0700
// and files with 0600.
void capture_texts(const std::map<std::string, std::string>& texts, tree::TreeSink& sink,
                   CaptureContext& context);

struct StoredFile {
  std::string name;  // base name
  std::string path;  // in the item: "web.config" or "Certificates/web.key.pem"
  tree::NodePtr node;
};
// The files of a stored item, root folder first, then by sub-folder and name. nullptr: none. A stored single
// file is one file.
std::vector<StoredFile> stored_files(const tree::NodePtr& stored);
// The content of a stored file of that base name with its holes as zeros; nullopt when there is none. Larger
// than kKeptInMemory: Error(unsupported).
std::optional<Bytes> stored_content(const tree::NodePtr& stored, const std::string& name);
Bytes stored_content(const StoredFile& file);

// Writes every stored file with its attributes to context.to, or in place: to the path in `set` with its base
// name, else to set.folder, else beside the files that were stored with it (finding not_in_configuration).
// Missing folders are made; each folder written to gets its stored metadata and times back at the end. Files
// are written whole under a temporary name and renamed, so that running it again after a kill is safe.
// already_exists when a file is in the way and context.replace_existing is false: checked before anything is
// written. outside: a stored name that is no name.
void apply_files(const FileSet& set, const tree::NodePtr& stored, ApplyContext& context);

// Files added, removed, changed; `where` is the path in the item. Changed content says sizes, changed
// metadata says what.
std::vector<Change> diff_files(const tree::NodePtr& before, const tree::NodePtr& after);

// "files present", "contents equal", "attributes equal": live files against stored ones. Looks where
// apply_files(in place) writes.
std::vector<CheckResult> check_files(const FileSet& set, const tree::NodePtr& stored,
                                     const FindingSink& finding);

// SHA-256 over names and contents, for Adapter::live_digest. nullopt when no file is there.
std::optional<Bytes> digest_files(const FileSet& set);

// covers() and estimate() of a set.
std::vector<Path> covered_paths(const FileSet& set);
std::uint64_t estimate_files(const FileSet& set);

class FileSetAdapter : public Adapter {
 public:
  std::vector<Path> covers(const ItemSpec& spec) const override;
  std::uint64_t estimate(const ItemSpec& spec, platform::World& world) const override;
  // capture_files(), then understand(). When understand() throws, the item has failed.
  void capture(const ItemSpec& spec, tree::TreeSink& sink, CaptureContext& context) const override;
  void apply(const ItemSpec& spec, tree::NodePtr stored, ApplyContext& context) const override;
  std::vector<Change> diff(tree::NodePtr before, tree::NodePtr after) const override;
  std::vector<CheckResult> check(const ItemSpec& spec, tree::NodePtr stored,
                                 CaptureContext& context) const override;

 protected:
  virtual FileSet file_set(const ItemSpec& spec) const = 0;
  // Adds facts and findings from the files that were captured.
  virtual void understand(const ItemSpec& spec, const std::vector<LiveFile>& files,
                          CaptureContext& context) const;
};

// What differs between two entries' metadata, in words ("mode 0644 -> 0600", "owner", "modified",
// "attributes"); empty: nothing. Ignores name, size, ctime, device, inode and link count. `owner`: whether
// the owner counts.
std::vector<std::string> metadata_differences(const tree::Entry& before, const tree::Entry& after,
                                              bool owner = true);

}  // namespace holdfast::item
