#include "sample/library_copy.h"

#include <algorithm>
#include <map>
#include <utility>

namespace holdfast::sample {

namespace {

using platform::SourceDirectory;
using tree::Entry;
using tree::Kind;

class Copy {
 public:
  Copy(platform::ContainedTree& target, platform::ApplyOptions options, ProgressSink& progress,
       const Cancel& cancel, const FindingSink& finding)
      : target_(target), options_(options), progress_(progress), cancel_(cancel), finding_(finding) {}

  // The attributes of a folder come last: what is put into it changes its time.
  void directory(SourceDirectory& from, const std::string& to) {
    target_.make_directory(to);
    const Entry self = from.self();
    for (const auto& name : from.names()) {
      cancel_.check();
      child(from, name, to + "/" + name);
    }
    apply(to, self);
  }

 private:
  void child(SourceDirectory& from, const std::string& name, const std::string& to) {
    auto entry = from.status(name);
    if (!entry) return vanished(to);
    if (entry->kind == Kind::socket) {
      return finding_({"socket_skipped", to,
                       "a socket cannot be copied: it only exists while a program listens on it", ""});
    }
    try {
      if (entry->kind == Kind::directory) {
        const auto below = from.enter(name);
        directory(*below, to);
        return;
      }
      if (linked_before(*entry, to)) return;
      from.read_attributes(name, *entry);
      if (entry->kind == Kind::file) {
        file(from, name, *entry, to);
      } else if (entry->kind == Kind::symlink) {
        target_.make_symlink(to, entry->target);
      } else {
        const auto refused = target_.make_special(to, *entry, options_);
        for (const auto& text : refused) finding_({"not_copied", to, text, ""});
        if (!refused.empty()) return;
      }
    } catch (const Error& error) {
      if (error.code() != Code::not_found) throw;
      return vanished(to);
    }
    apply(to, *entry);
    if (entry->kind == Kind::file) target_.publish(to);  // with its attributes, at once
    if (entry->links > 1) first_names_.emplace(std::pair{entry->device, entry->inode}, to);
  }

  bool linked_before(const Entry& entry, const std::string& to) {
    if (entry.links < 2) return false;
    const auto first = first_names_.find({entry.device, entry.inode});
    if (first == first_names_.end()) return false;
    target_.make_hard_link(to, first->second);
    return true;
  }

  void file(SourceDirectory& from, const std::string& name, Entry& entry, const std::string& to) {
    const auto source = from.open(name, entry);
    std::vector<tree::Extent> extents = entry.extents;
    if (!entry.sparse) extents = {{0, entry.size}};
    Entry after;
    {
      const auto out = target_.create(to);
      out->reserve(entry.size);
      for (const auto& extent : extents) {
        for (std::uint64_t done = 0; done < extent.length;) {
          cancel_.check();
          const auto room = std::min<std::uint64_t>(buffer_.size(), extent.length - done);
          const std::size_t got = source->read(MutableBytes(buffer_).first(static_cast<std::size_t>(room)));
          if (got == 0) break;  // it became shorter: `after` shows it
          out->write_at(extent.offset + done, ByteView(buffer_).first(got));
          done += got;
          progress_.add(got, 0);
        }
      }
      after = source->status();
    }
    if (after.size != entry.size || after.modified != entry.modified) {
      finding_({"changed_while_read", to, "the file was changed while it was copied",
                "copy it when nothing writes to it"});
    }
    progress_.add(0, 1);
  }

  void apply(const std::string& to, const Entry& entry) {
    for (const auto& text : target_.apply(to, entry, options_))
      finding_({"attribute_not_kept", to, text, ""});
  }

  void vanished(const std::string& to) {
    finding_({"vanished", to, "it was removed while the folder was copied", ""});
  }

  platform::ContainedTree& target_;
  platform::ApplyOptions options_;
  ProgressSink& progress_;
  const Cancel& cancel_;
  const FindingSink& finding_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::string>
      first_names_;  // device and inode -> path in target
  Bytes buffer_ = Bytes(1U << 20);
};

}  // namespace

void copy_library(const platform::Path& from, platform::ContainedTree& target, const std::string& to,
                  platform::ApplyOptions options, ProgressSink& progress, const Cancel& cancel,
                  const FindingSink& finding) {
  Copy copy(target, options, progress, cancel, finding);
  const auto source = platform::open_source_directory(from);
  copy.directory(*source, to);
}

}  // namespace holdfast::sample
