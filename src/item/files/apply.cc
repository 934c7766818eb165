#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "item/files/content.h"
#include "item/files/places.h"

namespace holdfast::item {
namespace {

using tree::Entry;
using tree::Kind;

// The files that go into one folder, and the metadata that the folder gets at the end.
struct FolderWork {
  Path base;          // opened as a contained tree
  std::string below;  // folder inside `base`, "" = base itself
  std::optional<Entry> metadata;
  std::vector<StoredFile> files;

  std::string path_of(const std::string& name) const { return below.empty() ? name : below + "/" + name; }
  Path shown(const std::string& name) const { return base / path_of(name); }
};

std::optional<Entry> folder_metadata(const tree::NodePtr& stored, const std::string& folder) {
  if (stored->entry().kind != Kind::directory) return std::nullopt;
  if (folder.empty()) return stored->entry();
  tree::NodePtr node = stored->child(folder);
  return node ? std::optional(node->entry()) : std::nullopt;
}

std::vector<FolderWork> work_in_place(const FileSet& set, const tree::NodePtr& stored,
                                      ApplyContext& context) {
  std::vector<FolderWork> all;
  for (PlacedFile& file : place_files(set, stored)) {
    if (!file.configured)
      context.finding(
          {"not_in_configuration", (file.folder / file.stored.name).string(),
           "the configuration names no such file; it is put beside the files that were stored with it", ""});
    auto same =
        std::find_if(all.begin(), all.end(), [&](const FolderWork& w) { return w.base == file.folder; });
    if (same == all.end())
      same =
          all.insert(all.end(), {file.folder, "", folder_metadata(stored, stored_folder(file.stored)), {}});
    same->files.push_back(std::move(file.stored));
  }
  return all;
}

std::vector<FolderWork> work_below(const Path& to, const tree::NodePtr& stored) {
  std::vector<FolderWork> all;
  for (StoredFile& file : stored_files(stored)) {
    std::string folder = stored_folder(file);
    if (all.empty() || all.back().below != folder)
      all.push_back({to, folder, folder_metadata(stored, folder), {}});
    all.back().files.push_back(std::move(file));
  }
  std::reverse(all.begin(),
               all.end());  // the folder `to` itself last: making folders inside changes its times
  return all;
}

void refuse_existing(const std::vector<FolderWork>& all) {
  for (const FolderWork& work : all)
    for (const StoredFile& file : work.files) {
      std::error_code ignored;
      if (std::filesystem::symlink_status(work.shown(file.name), ignored).type() !=
          std::filesystem::file_type::not_found)
        throw Error(Code::already_exists,
                    "cannot restore " + printable(work.shown(file.name).string()) + ": it exists")
            .safe("nothing was changed");
    }
}

void report(const std::vector<std::string>& sentences, const std::string& object, ApplyContext& context) {
  for (const std::string& sentence : sentences)
    context.finding({"attribute_not_restored", object, sentence, ""});
}

void write_folder(const FolderWork& work, ApplyContext& context) {
  context.world.files.make_directories(work.base, 0755);
  auto tree = platform::open_contained_tree(work.base);
  tree->make_directory(work.below);
  for (const std::string& name : tree->names(work.below))
    if (platform::is_temporary_name(name)) tree->remove(work.path_of(name));  // of a run that was killed
  for (const StoredFile& file : work.files) {
    context.cancel.check();
    report(write_stored_file(*tree, work.path_of(file.name), *file.node, {context.attributes, true},
                             context.cancel, context.progress),
           work.shown(file.name).string(), context);
  }
  if (work.metadata)
    report(tree->apply(work.below, *work.metadata, context.attributes), work.shown("").string(), context);
  tree->sync_directory(work.below);
}

}  // namespace

std::string stored_folder(const StoredFile& file) {
  std::size_t cut = file.path.find('/');
  return cut == std::string::npos ? "" : file.path.substr(0, cut);
}

std::vector<PlacedFile> place_files(const FileSet& set, const tree::NodePtr& stored) {
  if (set.files.empty() && !set.folder) throw Error(Code::config, "the item names no file");
  const Path fallback = set.files.empty() ? *set.folder : set.files.front().parent_path();
  std::vector<PlacedFile> placed;
  std::map<std::string, Path> folders;  // stored folder -> folder here
  for (StoredFile& file : stored_files(stored)) {
    if (!tree::is_safe_name(file.name))
      throw Error(Code::outside, "refused '" + printable(file.name) + "': it is not the name of a file")
          .safe("nothing was changed");
    auto named = std::find_if(set.files.begin(), set.files.end(),
                              [&](const Path& path) { return path.filename().string() == file.name; });
    PlacedFile place{std::move(file), {}, named != set.files.end() || set.folder.has_value()};
    if (named != set.files.end())
      place.folder = named->parent_path();
    else if (set.folder)
      place.folder = *set.folder;
    if (place.configured) folders.emplace(stored_folder(place.stored), place.folder);
    placed.push_back(std::move(place));
  }
  for (PlacedFile& place : placed) {
    if (place.configured) continue;
    auto beside = folders.find(stored_folder(place.stored));
    place.folder = beside == folders.end() ? fallback : beside->second;
  }
  return placed;
}

void apply_files(const FileSet& set, const tree::NodePtr& stored, ApplyContext& context) {
  std::vector<FolderWork> all =
      context.to ? work_below(*context.to, stored) : work_in_place(set, stored, context);
  if (!context.replace_existing) refuse_existing(all);
  for (const FolderWork& work : all) write_folder(work, context);
}

}  // namespace holdfast::item
