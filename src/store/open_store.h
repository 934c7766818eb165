// From a location as people write it to a store: the one place that knows every kind of store.
#pragma once

#include <memory>
#include <string>

#include "platform/file_system.h"
#include "store/object_store.h"

namespace holdfast::store {

// `location`: a folder. "s3:..." and other addresses (scheme://...) are Error(unsupported); "" is
// Error(usage). The rest as open_local_store (local_store.h).
std::unique_ptr<ObjectStore> open_store(platform::FileSystem& files, const std::string& location,
                                        bool create);

// Whether `location` is a folder as opposed to an address.
bool is_folder_location(const std::string& location);

}  // namespace holdfast::store
