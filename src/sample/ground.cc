#include "sample/ground.h"

#include "base/text.h"
#include "sample/catalogue.h"

namespace holdfast::sample {

Ground::Ground(const platform::Path& root, ProgressSink& progress, const Cancel& cancel)
    : tree_(platform::open_contained_tree(root)), progress_(progress), cancel_(cancel) {}

void Ground::apply(const std::string& path, tree::Entry entry) {
  const auto refused = tree_->apply(path, entry, {});
  refused_.insert(refused_.end(), refused.begin(), refused.end());
}

void Ground::folder(const std::string& path, std::uint32_t mode) {
  cancel_.check();
  tree_->make_directory(path);
  folders_[path] = mode;
}

void Ground::folders(const std::string& base, const std::string& below) {
  std::string path = base;
  for (const auto& name : split(below, '/')) {
    path += "/" + name;
    folder(path);
  }
}

void Ground::file(const std::string& path, ByteView content, const Look& look) {
  sparse_file(path, content.size(), {{0, content}}, look);
}

void Ground::sparse_file(const std::string& path, std::uint64_t size, const std::vector<Piece>& pieces,
                         const Look& look) {
  cancel_.check();
  std::uint64_t written = 0;
  {
    const auto file = tree_->create(path);
    file->reserve(size);
    for (const auto& piece : pieces) {
      file->write_at(piece.offset, piece.data);
      written += piece.data.size();
    }
  }
  settle(path, size, written, look);
  tree_->publish(path);
}

void Ground::adopt_file(const std::string& path, const Look& look) {
  const auto found = tree_->status(path);
  if (!found) throw Error(Code::defect, "cannot adopt " + path + ": it is not there");
  settle(path, found->size, found->size, look);
}

void Ground::settle(const std::string& path, std::uint64_t size, std::uint64_t written, const Look& look) {
  tree::Entry entry;
  entry.kind = tree::Kind::file;
  entry.mode = look.mode;
  entry.size = size;
  entry.modified = look.modified;
  entry.attributes = look.attributes;
  apply(path, std::move(entry));
  progress_.add(written, 1);
}

void Ground::symlink(const std::string& path, const std::string& target, Timestamp modified) {
  tree_->make_symlink(path, target);
  tree::Entry entry;
  entry.kind = tree::Kind::symlink;
  entry.mode = 0777;
  entry.target = target;
  entry.modified = modified;
  apply(path, std::move(entry));
}

void Ground::hard_link(const std::string& path, const std::string& existing) {
  tree_->make_hard_link(path, existing);
}

void Ground::finish_folders() {
  for (auto folder = folders_.rbegin(); folder != folders_.rend(); ++folder) {
    tree::Entry entry;
    entry.kind = tree::Kind::directory;
    entry.mode = folder->second;
    entry.modified = kFolderTime;
    apply(folder->first, std::move(entry));
  }
}

}  // namespace holdfast::sample
