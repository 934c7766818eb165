#include "item/settings/diff_by_key.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "item/files/files.h"

namespace holdfast::item {
namespace {

std::string show(const KeyedValue& value) {
  constexpr std::size_t kMaxShown = 400;   // about five lines of a terminal
  if (value.shown.empty()) return "(changed)";
  if (value.shown.size() <= kMaxShown) return value.shown;
  return shortened(value.shown, kMaxShown) + " (" + human_bytes(value.shown.size()) + ")";
}

// Owner, mode and attributes of files that are on both sides; times change with every content.
std::vector<Change> metadata_changes(const tree::NodePtr& before, const tree::NodePtr& after) {
  std::vector<Change> changes;
  const std::vector<StoredFile> now = stored_files(after);
  for (const StoredFile& old : stored_files(before)) {
    auto same = std::find_if(now.begin(), now.end(), [&](const StoredFile& f) { return f.path == old.path; });
    if (same == now.end()) continue;
    tree::Entry entry = same->node->entry();
    entry.modified = old.node->entry().modified;
    const auto differences = metadata_differences(old.node->entry(), entry);
    if (!differences.empty())
      changes.push_back({Change::Kind::changed, printable(old.path), "", join(differences, ", ")});
  }
  return changes;
}

}  // namespace

std::vector<Change> diff_by_key(const Keyed& before, const Keyed& after) {
  auto where = [](const Keyed::value_type& v) { return v.second.where.empty() ? v.first : v.second.where; };
  std::vector<Change> changes;
  for (const auto& old : before) {
    auto now = after.find(old.first);
    if (now == after.end())
      changes.push_back({Change::Kind::removed, where(old), show(old.second), ""});
    else if (now->second.compared != old.second.compared)
      changes.push_back({Change::Kind::changed, where(*now), show(old.second), show(now->second)});
  }
  for (const auto& now : after)
    if (!before.contains(now.first))
      changes.push_back({Change::Kind::added, where(now), "", show(now.second)});
  std::stable_sort(changes.begin(), changes.end(),
                   [](const Change& a, const Change& b) { return a.where < b.where; });
  return changes;
}

std::vector<Change> diff_by_key(const tree::NodePtr& before, const tree::NodePtr& after,
                                const std::function<Keyed(const tree::NodePtr&)>& read) {
  if (!before || !after) return diff_files(before, after);
  std::vector<Change> changes;
  try {
    changes = diff_by_key(read(before), read(after));
  } catch (const Error& e) {
    if (e.code() != Code::damaged && e.code() != Code::not_found && e.code() != Code::unsupported) throw;
    return diff_files(before, after);
  }
  if (changes.empty()) return diff_files(before, after);
  for (Change& change : diff_files(before, after))
    if (change.kind != Change::Kind::changed) changes.push_back(std::move(change));
  for (Change& change : metadata_changes(before, after)) changes.push_back(std::move(change));
  return changes;
}

}  // namespace holdfast::item
