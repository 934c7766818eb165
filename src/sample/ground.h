// Where the sample is built: files and folders below one root with mode, time and attributes, written in one
// call each. Folders get their fixed time at the end (finish_folders): whatever is put into a folder changes
// its time.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/progress.h"
#include "platform/contained_tree.h"

namespace holdfast::sample {

// How a file looks beside its content.
struct Look {
  std::uint32_t mode = 0644;
  Timestamp modified;
  std::vector<tree::Attribute> attributes;
};

class Ground {
 public:
  // `root` must exist. Paths are relative to it, with '/' between names.
  Ground(const platform::Path& root, ProgressSink& progress, const Cancel& cancel);

  // Makes the folder (its parent must be there) or takes over one that is there; remembered for
  // finish_folders.
  void folder(const std::string& path, std::uint32_t mode = 0755);
  // A folder and its missing parents below `base`, which is there.
  void folders(const std::string& base, const std::string& below);
  void file(const std::string& path, ByteView content, const Look& look);
  void file(const std::string& path, std::string_view content, const Look& look) {
    file(path, as_bytes(content), look);
  }
  // A file of `size` bytes that holds data in `pieces` only.
  struct Piece {
    std::uint64_t offset;
    ByteView data;
  };
  void sparse_file(const std::string& path, std::uint64_t size, const std::vector<Piece>& pieces,
                   const Look& look);
  void symlink(const std::string& path, const std::string& target, Timestamp modified);
  void hard_link(const std::string& path, const std::string& existing);
  // Gives a file that was made by other means its look.
  void adopt_file(const std::string& path, const Look& look);
  // Gives every folder its mode and its time. May be called again after more was made.
  void finish_folders();

  platform::ContainedTree& tree() { return *tree_; }
  // Attributes that the file system did not take, one sentence each.
  const std::vector<std::string>& refused() const { return refused_; }

 private:
  void settle(const std::string& path, std::uint64_t size, std::uint64_t written, const Look& look);
  void apply(const std::string& path, tree::Entry entry);
  std::unique_ptr<platform::ContainedTree> tree_;
  ProgressSink& progress_;
  const Cancel& cancel_;
  std::map<std::string, std::uint32_t> folders_;  // path -> mode
  std::vector<std::string> refused_;
};

}  // namespace holdfast::sample
