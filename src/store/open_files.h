// Parts of LocalStore: files that it keeps open. Thread-safe; no file is touched under their locks.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "platform/file_system.h"
#include "store/object_store.h"

namespace holdfast::store {

// Files kept open between reads of parts of them, the most recently used ones.
class OpenHandles {
 public:
  std::shared_ptr<platform::ReadFile> find(const std::string& name) {
    std::lock_guard lock(mutex_);
    auto it = by_name_.find(name);
    if (it == by_name_.end()) return nullptr;
    recent_.splice(recent_.begin(), recent_, it->second);
    return it->second->second;
  }
  void keep(const std::string& name, std::shared_ptr<platform::ReadFile> file) {
    std::lock_guard lock(mutex_);
    if (by_name_.contains(name)) return;
    recent_.emplace_front(name, std::move(file));
    by_name_[name] = recent_.begin();
    if (recent_.size() <= kOpenHandles) return;
    by_name_.erase(recent_.back().first);
    recent_.pop_back();
  }
  void forget(const std::string& name) {
    std::lock_guard lock(mutex_);
    auto it = by_name_.find(name);
    if (it == by_name_.end()) return;
    recent_.erase(it->second);
    by_name_.erase(it);
  }

 private:
  static constexpr std::size_t kOpenHandles = 32;
  using Item = std::pair<std::string, std::shared_ptr<platform::ReadFile>>;
  std::mutex mutex_;
  std::list<Item> recent_;
  std::unordered_map<std::string, std::list<Item>::iterator> by_name_;
};

// Objects that are written but not durable: files in tmp/ that have no name yet.
class UnsyncedFiles {
 public:
  static constexpr std::size_t kMost = 128;  // open files, of 1,024 that a process may have
  struct File {
    platform::Path temporary;
    std::shared_ptr<platform::WriteFile> handle;  // a fault of a later write to the disk is told to who has it open
  };
  using Files = std::map<std::string, File>;

  // False: there is one of that name.
  bool add(const std::string& name, File file) {
    std::lock_guard lock(mutex_);
    return files_.try_emplace(name, std::move(file)).second;
  }
  std::optional<File> take(const std::string& name) {
    std::lock_guard lock(mutex_);
    auto node = files_.extract(name);
    if (node.empty()) return std::nullopt;
    return std::move(node.mapped());
  }
  std::optional<platform::Path> temporary_of(const std::string& name) const {
    std::lock_guard lock(mutex_);
    auto it = files_.find(name);
    if (it == files_.end()) return std::nullopt;
    return it->second.temporary;
  }
  Files all() const {
    std::lock_guard lock(mutex_);
    return files_;
  }
  bool full() const {
    std::lock_guard lock(mutex_);
    return files_.size() >= kMost;
  }

 private:
  mutable std::mutex mutex_;
  Files files_;
};

}  // namespace holdfast::store
