// A whole repository in one file (docs/repository-format.md "Container"): what `export --file` writes and `--from` reads.
#pragma once

#include <memory>

#include "platform/file_system.h"
#include "store/object_store.h"

namespace holdfast::repository {

// Collects objects in `path` (made anew under a temporary name; already_exists when it is there) until finish(), which makes
// the file durable under its name. Destroyed before that: nothing is left.
class ContainerWriter : public store::ObjectStore {
 public:
  virtual void finish() = 0;
};
std::unique_ptr<ContainerWriter> create_container(platform::FileSystem& files, const platform::Path& path);
// Read-only; put and remove throw Error(unsupported). damaged when it is no whole container, not_found.
std::unique_ptr<store::ObjectStore> open_container(platform::FileSystem& files, const platform::Path& path);

}  // namespace holdfast::repository
