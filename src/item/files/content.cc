#include "item/files/content.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/text.h"

namespace holdfast::item {
namespace {

using tree::Entry;
using tree::Extent;

std::vector<Extent> extents_of(const Entry& entry) {
  if (entry.sparse) return entry.extents;
  if (entry.size == 0) return {};
  return {{0, entry.size}};
}

// The entry of a file of which only `bytes` of its content stream could be read.
void cut_short(Entry& entry, std::uint64_t bytes, std::uint64_t size_now) {
  if (!entry.sparse) {
    entry.size = bytes;
    return;
  }
  std::vector<Extent> kept;
  for (const Extent& extent : entry.extents) {
    if (bytes == 0) break;
    kept.push_back({extent.offset, std::min(extent.length, bytes)});
    bytes -= kept.back().length;
  }
  std::uint64_t end = kept.empty() ? 0 : kept.back().offset + kept.back().length;
  entry.size = std::max(end, std::min(size_now, entry.size));
  entry.extents = std::move(kept);
}

// The bytes of a live file from its start to its end, holes as zeros.
class WholeFile {
 public:
  WholeFile(platform::SourceFile& file, const Entry& entry)
      : file_(file), extents_(extents_of(entry)), size_(entry.size) {}

  // 0 at the end, also when the file was cut short.
  std::size_t next(MutableBytes out) {
    if (at_ == size_ || out.empty()) return 0;
    while (current_ < extents_.size() && at_ == extents_[current_].offset + extents_[current_].length)
      ++current_;
    bool in_data = current_ < extents_.size() && at_ >= extents_[current_].offset;
    std::uint64_t end = in_data                      ? extents_[current_].offset + extents_[current_].length
                        : current_ < extents_.size() ? extents_[current_].offset
                                                     : size_;
    auto n = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), end - at_));
    if (in_data)
      n = file_.read(out.first(n));
    else
      std::memset(out.data(), 0, n);
    at_ += n;
    return n;
  }

 private:
  platform::SourceFile& file_;
  std::vector<Extent> extents_;
  std::uint64_t size_, at_ = 0;
  std::size_t current_ = 0;
};

}  // namespace

bool unchanged_between(const Entry& before, const Entry& after) {
  return before.size == after.size && before.modified == after.modified && before.changed == after.changed;
}

ReadOutcome read_content(platform::SourceFile& file, Entry& entry, tree::FileWriter& writer,
                         const Cancel& cancel, ProgressSink& progress) {
  ReadOutcome outcome;
  std::uint64_t read = 0;
  const Entry before = entry;
  while (read < tree::content_bytes(entry)) {
    cancel.check();
    MutableBytes space = writer.space();
    std::size_t n = 0;
    try {
      n = file.read(space);
    } catch (const Error& e) {
      outcome.failed = e;
      return outcome;
    }
    if (n == 0) break;
    writer.commit(n);
    read += n;
    progress.add(n, 0);
  }
  Entry after = file.status();
  if (read < tree::content_bytes(entry)) cut_short(entry, read, after.size);
  outcome.changed = !unchanged_between(before, after) || entry.size != before.size;
  return outcome;
}

namespace {
void write_content(const tree::StoredNode& node, platform::ContainedFile& file, const Cancel& cancel,
                   ProgressSink& progress) {
  const Entry& entry = node.entry();
  const std::vector<Extent> extents = extents_of(entry);
  if (entry.sparse) file.reserve(entry.size);
  std::size_t current = 0;
  std::uint64_t done = 0, total = 0;  // bytes of the current extent, of all
  node.read(0, tree::content_bytes(entry), [&](std::uint64_t, ByteView bytes) {
    cancel.check();
    progress.add(bytes.size(), 0);
    total += bytes.size();
    while (!bytes.empty()) {
      if (current == extents.size())
        throw Error(Code::damaged,
                    "stored file '" + printable(entry.name) + "' is longer than its entry says");
      const Extent& extent = extents[current];
      auto n = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), extent.length - done));
      file.write_at(extent.offset + done, bytes.first(n));
      bytes = bytes.subspan(n);
      done += n;
      if (done == extent.length) ++current, done = 0;
    }
  });
  if (total != tree::content_bytes(entry))
    throw Error(Code::damaged, "stored file '" + printable(entry.name) + "' is shorter than its entry says");
}

}  // namespace

std::vector<std::string> write_stored_file(platform::ContainedTree& tree, const std::string& path,
                                           const tree::StoredNode& node, WriteOptions options,
                                           const Cancel& cancel, ProgressSink& progress) {
  auto file = tree.create(path, node.entry().sparse ? 0 : node.entry().size);
  std::vector<std::string> sentences;
  try {
    write_content(node, *file, cancel, progress);
    sentences = tree.apply(path, node.entry(), options.attributes);
    if (options.sync) file->sync();
  } catch (...) {
    tree.abandon(path);
    throw;
  }
  tree.publish(path);
  progress.add(0, 1);
  return sentences;
}

bool equal_content(const tree::StoredNode& node, platform::SourceFile& file, const Entry& live,
                   const Cancel& cancel) {
  const Entry& stored = node.entry();
  if (stored.size != live.size) return false;
  if (stored.sparse == live.sparse && stored.extents == live.extents)
    return node.same_content([&](MutableBytes out) {
      cancel.check();
      return file.read(out);
    });
  // The layout of holes differs: the stored extents are cut out of the whole live file, and the rest of it
  // must be zeros.
  WholeFile whole(file, live);
  const std::vector<Extent> extents = extents_of(stored);
  std::size_t current = 0;
  std::uint64_t at = 0;
  bool zeros = true;
  auto next = [&](MutableBytes out) -> std::size_t {
    while (true) {
      cancel.check();
      while (current < extents.size() && at == extents[current].offset + extents[current].length) ++current;
      bool in_data = current < extents.size() && at >= extents[current].offset;
      std::uint64_t end = in_data                    ? extents[current].offset + extents[current].length
                          : current < extents.size() ? extents[current].offset
                                                     : stored.size;
      std::size_t n =
          whole.next(out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), end - at))));
      at += n;
      if (n == 0 || in_data) return n;
      zeros = zeros && std::all_of(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(n),
                                   [](auto b) { return b == 0; });
    }
  };
  return node.same_content(next) && zeros;
}

}  // namespace holdfast::item
