#include <algorithm>
#include <array>
#include <cstdio>

#include "base/error.h"
#include "base/text.h"
#include "item/files/content.h"
#include "item/files/places.h"

namespace holdfast::item {
namespace {

using tree::Entry;
using tree::Kind;

std::string octal(std::uint32_t mode) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%04o", mode);
  return text.data();
}

std::string precise(Timestamp t) {
  std::array<char, 16> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%09uZ", t.nanoseconds);
  std::string text = format_utc(t);
  return text.substr(0, text.size() - 1) + fraction.data();
}

std::string summary(const Entry& entry) { return std::to_string(entry.size) + " bytes"; }

constexpr std::size_t kNamed = 5;  // differences that a check names; the rest is counted

std::string named(const std::vector<std::string>& all, const std::string& good) {
  if (all.empty()) return good;
  std::vector<std::string> first(all.begin(), all.begin() + std::ptrdiff_t(std::min(all.size(), kNamed)));
  std::string text = join(first, "; ");
  return all.size() > kNamed ? text + "; and " + human_count(all.size() - kNamed) + " more" : text;
}

}  // namespace

std::vector<std::string> metadata_differences(const Entry& before, const Entry& after, bool owner) {
  std::vector<std::string> words;
  if (before.kind != after.kind) words.push_back("kind");
  if (before.mode != after.mode) words.push_back("mode " + octal(before.mode) + " -> " + octal(after.mode));
  if (owner && (before.uid != after.uid || before.gid != after.gid))
    words.push_back("owner " + std::to_string(before.uid) + ":" + std::to_string(before.gid) + " -> " +
                    std::to_string(after.uid) + ":" + std::to_string(after.gid));
  if (before.modified != after.modified)
    words.push_back("modified " + precise(before.modified) + " -> " + precise(after.modified));
  if (before.target != after.target)
    words.push_back("target " + printable(before.target) + " -> " + printable(after.target));
  if (before.device_major != after.device_major || before.device_minor != after.device_minor)
    words.push_back("device number");
  if (before.attributes != after.attributes) words.push_back("attributes");
  return words;
}

std::vector<Change> diff_files(const tree::NodePtr& before, const tree::NodePtr& after) {
  std::map<std::string, tree::NodePtr> old_files, new_files;
  for (const StoredFile& file : stored_files(before)) old_files[file.path] = file.node;
  for (const StoredFile& file : stored_files(after)) new_files[file.path] = file.node;
  std::vector<Change> changes;
  for (const auto& [path, node] : old_files) {
    auto now = new_files.find(path);
    if (now == new_files.end()) {
      changes.push_back({Change::Kind::removed, path, summary(node->entry()), ""});
      continue;
    }
    if (node->fingerprint() != now->second->fingerprint() ||
        node->entry().size != now->second->entry().size) {
      std::string old_text = summary(node->entry()), new_text = summary(now->second->entry());
      changes.push_back(
          {Change::Kind::changed, path, old_text, old_text == new_text ? "other " + new_text : new_text});
    }
    for (const std::string& word : metadata_differences(node->entry(), now->second->entry()))
      changes.push_back({Change::Kind::changed, path, "", word});
  }
  for (const auto& [path, node] : new_files)
    if (!old_files.contains(path)) changes.push_back({Change::Kind::added, path, "", summary(node->entry())});
  return changes;
}

std::vector<CheckResult> check_files(const FileSet& set, const tree::NodePtr& stored,
                                     const FindingSink& finding) {
  std::vector<std::string> missing, contents, attributes;
  std::size_t files = 0;
  const Cancel never;
  for (const PlacedFile& placed : place_files(set, stored)) {
    const Path path = placed.folder / placed.stored.name;
    const std::string shown = printable(placed.stored.path);
    ++files;
    try {
      Entry live;
      auto file = platform::open_source_file(path, live);
      if (!equal_content(*placed.stored.node, *file, live, never)) contents.push_back(shown);
      for (const std::string& word : metadata_differences(placed.stored.node->entry(), live))
        attributes.push_back(shown + ": " + word);
    } catch (const Error& e) {
      if (e.code() == Code::damaged || e.code() == Code::interrupted) throw;
      missing.push_back(shown);
      if (e.code() != Code::not_found) finding({"unreadable", path.string(), e.what(), ""});
    }
  }
  std::string all = human_count(files) + (files == 1 ? " file" : " files");
  return {{"files present", missing.empty() && files > 0, named(missing, all)},
          {"contents equal", contents.empty() && missing.empty(), named(contents, all)},
          {"attributes equal", attributes.empty() && missing.empty(), named(attributes, all)}};
}

}  // namespace holdfast::item
