#include "recovery/newest_export.h"

#include <filesystem>

#include "base/error.h"
#include "base/text.h"

namespace holdfast::recovery {
namespace {

using platform::Path;

constexpr const char* kMark = "ORDER.txt";   // what every export has, and is written last

Path beside(const Path& folder, const char* ending) {
  Path path = folder;
  path += ending;
  return path;
}

// Does not follow links.
void remove_tree(const Path& folder) {
  std::error_code error;
  std::filesystem::remove_all(folder, error);
  if (error) throw os_error("cannot remove " + printable(folder.string()), error.value());
}

// Nothing that a person put there is ever removed.
void require_ours(platform::FileSystem& files, const Path& folder) {
  if (!files.exists(folder) || files.exists(folder / kMark)) return;
  throw Error(Code::already_exists, "cannot write plain files to " + printable(folder.string()) + ": what is there is no export")
      .safe("it was left as it is")
      .hint("move it away, or name another folder");
}

}  // namespace

RestoreReport export_newest(const Source& source, const repository::Point& point, const Path& folder, std::optional<Code>& failed) {
  platform::FileSystem& files = source.world.files;
  const Path unfinished = beside(folder, ".unfinished"), before = beside(folder, ".before");
  require_ours(files, folder);
  require_ours(files, before);
  if (!files.exists(folder) && files.exists(before)) files.rename(before, folder);
  for (const Path& leftover : {unfinished, before}) remove_tree(leftover);

  RestoreReport report = export_folder(source, point, {}, unfinished, failed);
  if (failed) {
    remove_tree(unfinished);
    return report;
  }
  if (files.exists(folder)) files.rename(folder, before);
  files.rename(unfinished, folder);
  files.sync_directory(folder.parent_path());
  remove_tree(before);
  return report;
}

}  // namespace holdfast::recovery
