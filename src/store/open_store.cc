#include "store/open_store.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "store/local_store.h"

namespace holdfast::store {

bool is_folder_location(const std::string& location) {
  if (location.starts_with("s3:")) return false;
  std::size_t at = location.find("://");
  if (at == std::string::npos || at == 0) return true;
  return !std::all_of(location.begin(), location.begin() + static_cast<std::ptrdiff_t>(at), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '-';
  });
}

std::unique_ptr<ObjectStore> open_store(platform::FileSystem& files, const std::string& location,
                                        bool create) {
  if (location.empty())
    throw Error(Code::usage, "cannot open a repository: its location is empty").hint("give a folder");
  if (!is_folder_location(location))
    throw Error(Code::unsupported,
                "cannot open repository " + printable(location) + ": this kind of store is not built yet")
        .hint("use a folder; a mounted network folder is one, too");
  return open_local_store(files, location, create);
}

}  // namespace holdfast::store
