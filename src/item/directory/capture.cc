#include <map>
#include <set>

#include "base/error.h"
#include "item/directory/directory.h"
#include "item/directory/exclude.h"
#include "item/directory/read_ahead.h"
#include "item/directory/some_of_many.h"
#include "item/files/content.h"
#include "platform/source_tree.h"

namespace holdfast::item {
namespace {

using tree::Entry;
using tree::Kind;

constexpr std::size_t kNamedFindings = 1000;

// What the source says goes into a finding; what the sink says ends the capture. This keeps the two apart.
struct SourceFailure {
  Error error;
};
template <class F>
auto of_source(const F& call) {
  try {
    return call();
  } catch (const Error& e) {
    throw SourceFailure{e};
  }
}

// Stores what a walk over one folder meets.
class Walk {
 public:
  Walk(const Path& folder, const std::vector<std::string>& exclude, tree::TreeSink& sink, CaptureContext& context)
      : root_(folder), exclude_(exclude), sink_(sink), context_(context), findings_(context.finding, folder.string(), kNamedFindings) {
    for (const Path& path : context.leave_out)
      if (auto id = id_of(path)) leave_out_.insert(*id);
  }

  void run() {
    ReadAhead ahead(root_, exclude_, leave_out_, context_.world.clock);
    while (std::optional<Met> met = ahead.next()) {
      context_.cancel.check();
      if (met->what == Met::What::end) {
        sink_.close_directory();
        lengths_.pop_back();
        continue;
      }
      path_.resize(lengths_.empty() ? 0 : lengths_.back());
      path_ += path_.empty() ? met->entry.name : "/" + met->entry.name;
      visit(*met);
    }
    findings_.finish();
    add_facts(ahead.excluded());
  }

 private:
  static std::optional<FileId> id_of(const Path& path) {
    try {
      Entry self = platform::open_source_directory(path)->self();
      return FileId{self.device, self.inode};
    } catch (const Error&) {
      return std::nullopt;  // not there (a repository in an object store, or not made yet): nothing to leave
                            // out
    }
  }

  void visit(Met& met) {
    switch (met.what) {
      case Met::What::end:
        break;
      case Met::What::folder:
        return enter(met);
      case Met::What::left_out:
        return find("left_out", "it is where the backups are kept; a backup does not hold itself");
      case Met::What::too_deep:
        return find("too_deep", "folders are stored down to " + std::to_string(tree::kMaxDepth) + " inside one another",
                    "move the folder nearer to the top");
      case Met::What::failed:
        return unreadable(*met.failed);
      case Met::What::other:
        try {
          return add(met);
        } catch (const SourceFailure& failure) {
          return unreadable(failure.error);
        }
    }
  }

  void enter(const Met& met) {
    if (met.failed) unreadable(*met.failed);
    if (!lengths_.empty()) ++folders_;
    sink_.open_directory(met.entry);
    if (met.failed) return sink_.close_directory();  // the folder itself is kept, without what is inside
    lengths_.push_back(path_.size());
  }

  void add(Met& met) {
    if (met.entry.kind == Kind::socket)
      return find("socket_skipped", "a socket has no content and is made anew by its program");
    if (met.entry.kind == Kind::file && met.entry.links > 1 && add_as_hard_link(met.entry)) return;
    if (met.attributes_failed) find("attributes_unreadable", met.attributes_failed->what());
    if (met.entry.kind == Kind::file) return store(*met.parent, met.entry);
    sink_.add(met.entry);
    ++others_;
  }

  bool add_as_hard_link(const Entry& entry) {
    auto first = first_names_.find({entry.device, entry.inode});
    if (first == first_names_.end()) return false;
    Entry link = entry;
    link.kind = Kind::hard_link;
    link.target = first->second;
    link.size = 0;
    link.sparse = false;
    link.attributes.clear();  // they are the file's
    sink_.add(link);
    ++others_;
    return true;
  }

  void store(platform::SourceDirectory& parent, Entry& entry) {
    std::unique_ptr<platform::SourceFile> file;
    if (entry.sparse)
      file = of_source([&] { return parent.open(entry.name, entry); });  // finds out where the holes are
    if (!sink_.reuse_file(entry)) {
      if (!file) file = of_source([&] { return parent.open(entry.name, entry); });
      read_into_sink(*file, entry);
    } else {
      context_.progress.add(tree::content_bytes(entry), 0);
    }
    context_.progress.add(0, 1);
    ++files_;
    bytes_ += entry.size;
    if (entry.links > 1) first_names_.emplace(FileId{entry.device, entry.inode}, path_);
  }

  void read_into_sink(platform::SourceFile& file, Entry& entry) {
    tree::FileWriter& writer = sink_.begin_file(tree::Chunking::content_defined);
    ReadOutcome outcome = read_content(file, entry, writer, context_.cancel, context_.progress);
    if (outcome.failed) {
      sink_.abandon_file();
      throw SourceFailure{*outcome.failed};
    }
    sink_.end_file(entry);
    if (outcome.changed)
      find("changed_while_read", "it was written to while it was read; what is stored may mix old and new",
           "back up again when nobody writes to it");
  }

  void unreadable(const Error& error) {
    if (error.code() == Code::not_found)
      return find("vanished_while_read", "it was there when its folder was listed and is gone now");
    bool permission = error.code() == Code::permission;
    find("unreadable", error.what(), permission ? "give the account that runs the backup the right to read it" : "");
  }
  void find(const std::string& code, const std::string& message, const std::string& hint = "") {
    findings_.add({code, (root_ / path_).string(), message, hint});
  }

  void add_facts(std::uint64_t excluded) {
    context_.facts.emplace_back("files", human_count(files_));
    context_.facts.emplace_back("folders", human_count(folders_));
    if (others_ > 0) context_.facts.emplace_back("links and special files", human_count(others_));
    context_.facts.emplace_back("bytes", human_count(bytes_));
    if (excluded > 0)
      context_.facts.emplace_back("excluded", human_count(excluded) + " entries, as configured");
  }

  Path root_;
  Exclude exclude_;
  tree::TreeSink& sink_;
  CaptureContext& context_;
  SomeOfMany findings_;
  std::set<FileId> leave_out_;
  std::map<FileId, std::string> first_names_;  // of files with several names: the path that holds the content
  std::vector<std::size_t> lengths_;  // of path_, for the folders that are open
  std::string path_;                  // of the entry at hand, relative to root_
  std::uint64_t files_ = 0, folders_ = 0, others_ = 0, bytes_ = 0;
};

}  // namespace

void capture_directory(const Path& folder, const std::vector<std::string>& exclude, tree::TreeSink& sink,
                       CaptureContext& context) {
  Walk(folder, exclude, sink, context).run();
}

std::uint64_t estimate_directory(const Path& folder, const std::vector<std::string>& exclude) {
  const Exclude excluded(exclude);
  std::uint64_t bytes = 0;
  std::vector<std::pair<std::string, std::unique_ptr<platform::SourceDirectory>>>
      inside;  // path, folder still to be listed
  inside.emplace_back("", platform::open_source_directory(folder));
  while (!inside.empty()) {
    auto [path, directory] = std::move(inside.back());
    inside.pop_back();
    try {
      for (const std::string& name : directory->names()) {
        std::string child = path.empty() ? name : path + "/" + name;
        auto entry = excluded.matches(child) ? std::nullopt : directory->status(name);
        if (!entry) continue;
        bytes += entry->size;
        if (entry->kind == Kind::directory) inside.emplace_back(child, directory->enter(name));
      }
    } catch (const Error&) {
      // An estimate: what cannot be read counts nothing here and is a finding of the capture.
    }
  }
  return bytes;
}

}  // namespace holdfast::item
