#include "repository/data/growing_tree.h"

#include <utility>

#include "base/wire.h"
#include "repository/data/tree_reader.h"

namespace holdfast::repository {

GrowingDirectoryPtr NodePlace::fill(FinishedNode node) const {
  if (directory) return directory->fill(slot, std::move(node)) ? directory : nullptr;
  root->node = std::move(node);
  root->done.store(true, std::memory_order_release);
  return nullptr;
}

// -- directories

GrowingDirectory::GrowingDirectory(const Chunker& chunker, NodePlace place, Bytes entry)
    : chunker_(chunker), place_(std::move(place)), entry_(std::move(entry)) {}

std::uint64_t GrowingDirectory::add_slot() {
  std::lock_guard lock(mutex_);
  waiting_.emplace_back();
  return first_ + waiting_.size() - 1;
}

bool GrowingDirectory::due_locked() const {
  if (finished_) return false;
  return (closed_ && waiting_.empty()) || listing_.pending() >= chunker_.parameters().chunk_maximum;
}

bool GrowingDirectory::fill(std::uint64_t slot, FinishedNode node) {
  Writer w;
  encode_node(w, node.entry, node.has_content, node.content);
  std::lock_guard lock(mutex_);
  waiting_[static_cast<std::size_t>(slot - first_)] = w.take();
  while (!waiting_.empty() && waiting_.front()) {
    listing_.append(*waiting_.front());
    waiting_.pop_front();
    ++first_;
  }
  return due_locked();
}

bool GrowingDirectory::close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
  return due_locked();
}

GrowingDirectoryPtr GrowingDirectory::work(const PutTreeChunk& put) {
  FinishedNode node;
  {
    std::lock_guard lock(mutex_);
    if (!due_locked()) return nullptr;
    if (!closed_ || !waiting_.empty()) {
      listing_.cut(chunker_, put);
      return nullptr;
    }
    finished_ = true;
    node = {std::move(entry_), true, listing_.finish(chunker_, put)};
  }
  return place_.fill(std::move(node));
}

void settle(GrowingDirectoryPtr directory, const PutTreeChunk& put) {
  while (directory) directory = directory->work(put);
}

// -- files

std::uint64_t GrowingFile::add_piece() {
  std::lock_guard lock(mutex_);
  waiting_.emplace_back();
  return first_ + waiting_.size() - 1;
}

void GrowingFile::stored(std::uint64_t number, const ContentRef::Piece& piece, const PutTreeChunk& put) {
  {
    std::lock_guard lock(mutex_);
    waiting_[static_cast<std::size_t>(number - first_)] = piece;
    while (!waiting_.empty() && waiting_.front()) {
      pieces_.add(*waiting_.front(), chunker_, put);
      waiting_.pop_front();
      ++first_;
    }
    if (!place_ || !waiting_.empty()) return;
  }
  complete(put);
}

bool GrowingFile::end(NodePlace place, Bytes entry) {
  std::lock_guard lock(mutex_);
  place_ = std::move(place);
  entry_ = std::move(entry);
  return waiting_.empty();
}

// Called once: by the worker that stored the last piece after end(), or because end() said so.
void GrowingFile::complete(const PutTreeChunk& put) {
  FinishedNode node{std::move(entry_), true, pieces_.finish(chunker_, put)};
  settle(place_->fill(std::move(node)), put);
}

}  // namespace holdfast::repository
