// The index of one repository as the last process on this machine knew it: runs (index_run.h) and a list that
// tells what is in them. Derived from the repository's index segments and never needed: whatever is wrong
// with it, it is read from the segments again. Mode 0600; it tells keyed ids, sizes and names of packs, no
// content, no file name, no key. Several processes may use one folder: the last list wins, files that are
// open stay good.
//
// File "index", replaced as a whole: "HFICACHE" u32 version (1) ‖ repository id (16) ‖ varint runs ‖ each:
// text name of the file ‖ varint segments ‖ each: SHA-256 (32), varint size ‖ varint superseded ‖ each:
// SHA-256 ‖ varint ranges ‖ each: varint first pack, varint packs, varint segment ‖ SHA-256 of all that.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "repository/format/repository_object.h"
#include "repository/index/segment_map.h"

namespace holdfast::repository {

class IndexCache {
 public:
  // `folder` of this repository; empty: there is never anything.
  IndexCache(platform::Path folder, const RepositoryId& repository)
      : folder_(std::move(folder)), id_(repository) {}

  struct Content {
    std::vector<std::unique_ptr<IndexRun>> runs;
    SegmentMap::Content segments;
  };
  // nullopt: there is none that is good.
  std::optional<Content> load() const;
  // False: it cannot be written, or one of the files has been removed by another process. Removes files of
  // runs that are not used any more.
  bool save(const std::vector<std::string>& runs, const SegmentMap::Content& segments) const;
  // The next process reads the segments again.
  void forget() const;
  bool exists() const;

 private:
  platform::Path list() const { return folder_ / "index"; }
  std::vector<std::string> decode(ByteView list, SegmentMap::Content& segments) const;  // damaged
  void remove_unused(const std::vector<std::string>& used, const std::vector<std::string>& before) const;

  platform::Path folder_;
  RepositoryId id_;
};

}  // namespace holdfast::repository
