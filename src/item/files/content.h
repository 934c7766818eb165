// Moving the content of one file between the server and a stored tree; shared by files/ and directory/.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "item/adapter.h"
#include "platform/contained_tree.h"
#include "platform/source_tree.h"
#include "tree/streams.h"

namespace holdfast::item {

struct ReadOutcome {
  bool changed = false;         // the file was written to while it was read
  std::optional<Error> failed;  // it could not be read to its end
};
// Reads `file` to its end into `writer`. Afterwards the entry (as open() filled it) fits the bytes that were
// really read, also when the file was cut short meanwhile. What the writer throws passes through: that is not
// the file's fault. Reports bytes, not the file, to progress.
ReadOutcome read_content(platform::SourceFile& file, tree::Entry& entry, tree::FileWriter& writer,
                         const Cancel& cancel, ProgressSink& progress);

// Whether two looks at a file show the same content: size, modification and change time.
bool unchanged_between(const tree::Entry& before, const tree::Entry& after);

struct WriteOptions {
  platform::ApplyOptions attributes;
  bool sync = false;  // each file durable by itself; else the caller calls sync_all()
};
// Writes the stored file with its holes and attributes under a temporary name and publishes it as `path`.
// Returns what apply() returns. Error(damaged) when the content is not as long as the entry says; then
// nothing is left at `path`.
std::vector<std::string> write_stored_file(platform::ContainedTree& tree, const std::string& path,
                                           const tree::StoredNode& node, WriteOptions options,
                                           const Cancel& cancel, ProgressSink& progress);

// Whether the live file holds exactly the stored content; holes count as zeros, so another layout of holes is
// equal.
bool equal_content(const tree::StoredNode& node, platform::SourceFile& file, const tree::Entry& live,
                   const Cancel& cancel);

}  // namespace holdfast::item
