// A store that is a folder: docs/repository-format.md "The store".
//
//     pack/<first two hex>/<64 hex>    packs
//     <every other name>               as the object is named
//     tmp/                             unfinished files, which belong to nobody
//
// Folders are made with mode 0700 and files with 0600 (not 0400: some network file systems refuse to rename
// over or remove a read-only file). Needs of the file system: rename that replaces, and fsync of files and
// folders.
//
// The folder is expected to stay where it is. When it goes away while the store is open (an unmounted disk),
// put is Error(unavailable) and makes nothing in the place where it was.
#pragma once

#include <memory>
#include <string>

#include "platform/file_system.h"
#include "store/object_store.h"

namespace holdfast::store {

// `create`: the folder is made when it is missing (with mode 0700), an existing one is used as it is.
// Otherwise a missing folder is Error(not_found). A file at `root` is Error(usage): a wrong location was
// given. The first put removes unfinished files that are older than three days. `files` must outlive the store.
std::unique_ptr<ObjectStore> open_local_store(platform::FileSystem& files, platform::Path root, bool create);

// Whether others than the owner may look into the folder `root`. A store there still keeps its own folders at
// 0700, but their names, sizes and number are the owner's business alone. false when there is no such folder.
bool open_to_others(platform::FileSystem& files, const platform::Path& root);

}  // namespace holdfast::store
