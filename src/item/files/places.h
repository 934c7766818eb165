// Where the files of an item are on this machine. Inside files/ only.
#pragma once

#include "item/files/files.h"

namespace holdfast::item {

// The files of a set that exist or are named, without those that are named twice. Error(config): one base
// name twice.
std::vector<Path> paths_of(const FileSet& set, const FindingSink& finding);

struct PlacedFile {
  StoredFile stored;
  Path folder;  // of this machine
  bool configured =
      true;  // false: the configuration names no such file; it goes beside the files stored with it
};

// The place of every stored file, in the order of stored_files(). Error(config) when the set is empty;
// Error(outside) for a name that is no name.
std::vector<PlacedFile> place_files(const FileSet& set, const tree::NodePtr& stored);

// "Certificates" of "Certificates/web.key.pem", "" of "web.config".
std::string stored_folder(const StoredFile& file);

}  // namespace holdfast::item
