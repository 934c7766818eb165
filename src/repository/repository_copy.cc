#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <set>

#include "base/error.h"
#include "base/parallel.h"
#include "base/text.h"
#include "platform/aligned_memory.h"
#include "repository/data/engine.h"
#include "repository/format/repository_object.h"
#include "repository/log/log.h"
#include "repository/repository.h"

namespace holdfast::repository {
namespace {

// An object is copied after everything that it needs, so that a copy that is killed is a whole, older repository, or none yet.
constexpr std::array kOrder{ObjectType::keyring, ObjectType::slot, ObjectType::repository, ObjectType::pack, ObjectType::index,
                            ObjectType::map, ObjectType::inventory, ObjectType::point, ObjectType::record};
constexpr std::size_t kSyncEvery = 64;   // packs, about a GiB: what a run that is killed has to copy again
constexpr int kMostRounds = 10;   // each begins because a prune deleted something meanwhile

std::vector<store::ObjectInfo> list_objects(store::ObjectStore& store, ObjectType type) {
  std::vector<store::ObjectInfo> objects;
  store.list(std::string(folder_of(type)) + "/", [&](const store::ObjectInfo& info) {
    if (parse_object_name(info.name)) objects.push_back(info);
  });
  std::sort(objects.begin(), objects.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return objects;
}

class Copy {
 public:
  Copy(store::ObjectStore& from, store::ObjectStore& to, const RunOptions& options) : from_(from), to_(to), options_(options) {}

  CopyReport run(const RepositoryId& repository) {
    int rounds = 0;
    while (!copy_what_is_there(repository)) {
      if (++rounds < kMostRounds) continue;
      throw Error(Code::busy, "cannot copy " + from_.location() + ": prunes keep deleting what is being copied")
          .safe("the copy is whole, and as new as it was before")
          .hint("copy again after the prune");
    }
    if (!damaged_.empty()) {
      throw Error(Code::damaged, "cannot copy " + human_count(damaged_.size()) + " objects of " + from_.location() + ": " + damaged_.front())
          .safe("everything else was copied")
          .hint("'holdfast check --read-data' tells what is damaged and which points it affects");
    }
    return report_;
  }

 private:
  using Lists = std::array<std::vector<store::ObjectInfo>, kOrder.size()>;

  // false: objects were deleted meanwhile, so that what was listed is not the whole of anything. No record was copied then.
  bool copy_what_is_there(const RepositoryId& repository) {
    // Listed in the opposite order: whatever a listed record needs was there before it, so it is listed too, unless a prune came
    // between; then there is a new record.
    Lists lists;
    for (std::size_t i = kOrder.size(); i > 0; --i) lists[i - 1] = list_objects(from_, kOrder[i - 1]);
    if (was_pruned_since(lists.back(), repository)) return false;
    put_records_in_order(lists.back(), repository);
    report_.already_there = 0;
    damaged_.clear();
    if (options_.progress != nullptr) options_.progress->begin("copying", total(lists));
    whole_ = true;
    for (std::size_t i = 0; whole_ && i < kOrder.size(); ++i) copy_all(lists[i], kOrder[i]);
    if (options_.progress != nullptr) options_.progress->end();
    return whole_;
  }

  // Whether a forget or a fence is there that is not among `records`.
  bool was_pruned_since(const std::vector<store::ObjectInfo>& records, const RepositoryId& repository) {
    std::set<std::string> known;
    for (const store::ObjectInfo& record : records) known.insert(record.name);
    for (const store::ObjectInfo& record : list_objects(from_, ObjectType::record)) {
      if (known.contains(record.name)) continue;
      try {
        Bytes object = from_.get(record.name, object_limit(ObjectType::record));
        auto type = static_cast<RecordType>(read_record_links(object, repository, record.name).type);
        if (type == RecordType::forget || type == RecordType::fence) return true;
      } catch (const Error& error) {
        if (error.code() != Code::not_found && error.code() != Code::damaged) throw;
      }
    }
    return false;
  }

  static std::uint64_t total(const Lists& lists) {
    std::uint64_t bytes = 0;
    for (const auto& list : lists) {
      for (const auto& object : list) bytes += object.size;
    }
    return bytes;
  }

  // A record comes after the records that its writer had seen: the copy never looks rolled back. A damaged one comes last:
  // copying it says what is wrong.
  void put_records_in_order(std::vector<store::ObjectInfo>& objects, const RepositoryId& repository) {
    std::vector<RecordLinks> links;
    std::vector<store::ObjectInfo> readable, rest, ordered;
    for (const store::ObjectInfo& object : objects) {
      try {
        links.push_back(read_record_links(from_.get(object.name, object_limit(ObjectType::record)), repository, object.name));
        readable.push_back(object);
      } catch (const Error& error) {
        if (error.code() == Code::not_found) continue;   // withdrawn by its writer just now
        if (error.code() != Code::damaged) throw;
        rest.push_back(object);
      }
    }
    for (std::size_t i : causal_order(links, std::vector<Timestamp>(links.size()))) ordered.push_back(readable[i]);
    ordered.insert(ordered.end(), rest.begin(), rest.end());
    objects = std::move(ordered);
  }

  // Packs are nearly all of it and need nothing: several at a time, durable together before what comes after them.
  void copy_all(const std::vector<store::ObjectInfo>& objects, ObjectType type) {
    const bool packs = type == ObjectType::pack;
    in_parallel(objects.size(), packs ? check_threads(options_) : 1, [&](std::size_t i) {
      if (!whole_) return;
      if (options_.cancel != nullptr) options_.cancel->check();
      copy_unless_damaged(objects[i], type);
      if (packs && (i + 1) % kSyncEvery == 0) to_.sync();
      if (options_.progress != nullptr) options_.progress->add(objects[i].size, 1);
    });
    if (packs) to_.sync();
  }

  // One damaged object of the original must not keep the others from being copied.
  void copy_unless_damaged(const store::ObjectInfo& object, ObjectType type) {
    if (object.size > object_limit(type)) {
      std::lock_guard lock(mutex_);
      damaged_.push_back("object " + object.name + " is damaged: it is larger than an object of its type may be");
      return;
    }
    auto there = to_.info(object.name);
    if (there && there->size == object.size) {
      std::lock_guard lock(mutex_);
      ++report_.already_there;
      return;
    }
    platform::AlignedMemory memory = take_memory(object.size);
    const MutableBytes bytes = memory.writable().first(static_cast<std::size_t>(object.size));
    const Found found = read_whole(object, type, bytes);
    if (found == Found::gone) whole_ = false;
    if (found == Found::whole) {
      if (type == ObjectType::pack)
        to_.put_unsynced(object.name, bytes);
      else
        to_.put(object.name, bytes);
      read_back(object.name, bytes);
    }
    std::lock_guard lock(mutex_);
    spare_.push_back(std::move(memory));
    report_.objects += found == Found::whole;
    report_.bytes += found == Found::whole ? bytes.size() : 0;
  }

  // What one object after another is read into: fresh memory for each would cost as much as hashing it.
  platform::AlignedMemory take_memory(std::uint64_t size) {
    std::lock_guard lock(mutex_);
    auto fits = std::find_if(spare_.begin(), spare_.end(), [&](const auto& memory) { return memory.size() >= size; });
    if (fits == spare_.end()) {
      spare_.clear();
      return platform::AlignedMemory(static_cast<std::size_t>(size));
    }
    platform::AlignedMemory memory = std::move(*fits);
    spare_.erase(fits);
    return memory;
  }

  enum class Found { whole, damaged, gone };   // damaged: or a record that its writer withdrew

  Found read_whole(const store::ObjectInfo& object, ObjectType type, MutableBytes bytes) {
    try {
      from_.get_range(object.name, 0, bytes);
      check_object_hash(bytes, parse_object_name(object.name)->hash, object.name);
      return Found::whole;
    } catch (const Error& error) {
      if (error.code() == Code::not_found) return type == ObjectType::record ? Found::damaged : Found::gone;
      if (error.code() != Code::damaged) throw;
      std::lock_guard lock(mutex_);
      damaged_.push_back(error.message());
      return Found::damaged;
    }
  }

  // `bytes`: what was stored; read again into the same place.
  void read_back(const std::string& name, MutableBytes bytes) {
    to_.get_range(name, 0, bytes);
    if (crypto::sha256(bytes) == parse_object_name(name)->hash) return;
    to_.remove(name);   // or the next copy would take it for a good one
    throw Error(Code::damaged, "cannot copy object " + name + " to " + to_.location() + ": what was read back is not what was written")
        .safe("the original is as it was")
        .hint("check the disk of the copy, then copy again");
  }

  store::ObjectStore& from_;
  store::ObjectStore& to_;
  const RunOptions& options_;
  std::atomic<bool> whole_{true};   // else objects were deleted meanwhile
  std::mutex mutex_;
  CopyReport report_;
  std::vector<std::string> damaged_;
  std::vector<platform::AlignedMemory> spare_;
};

// What a first copy that was killed left is what comes before the repository object.
bool holds_another(store::ObjectStore& to, const RepositoryObject& source) {
  if (!list_objects(to, ObjectType::repository).empty()) return read_repository_object(to).hash != source.hash;
  bool another = false;
  to.list("", [&](const store::ObjectInfo& info) {
    auto name = parse_object_name(info.name);
    if (!name) return;   // of a put that was killed
    bool early = name->type == ObjectType::keyring || name->type == ObjectType::slot;
    another = another || !early;
    if (another) return;
    try {
      parse_object(to.get(info.name, object_limit(name->type)), name->type, &source.id, info.name);
    } catch (const Error& error) {
      if (!is_damage(error)) throw;
      another = true;
    }
  });
  return another;
}

void check_target(const RepositoryObject& source, store::ObjectStore& to) {
  if (!holds_another(to, source)) return;
  throw Error(Code::precondition, "cannot copy to " + to.location() + ": it holds another repository")
      .safe("both are as they were")
      .hint("give an empty folder or an earlier copy of this repository");
}

}  // namespace

CopyReport copy(store::ObjectStore& from, store::ObjectStore& to, platform::Clock& clock, platform::Entropy& entropy,
                const RunOptions& options) {
  RepositoryObject source = read_repository_object(from);
  check_target(source, to);
  CopyReport report = Copy(from, to, options).run(source.id);
  if (list_objects(to, ObjectType::replica).empty()) {
    put_replica(to, source.id, {entropy.random<ReplicaId>(), ReplicaKind::copy, clock.now()});
  }
  return report;
}

}  // namespace holdfast::repository
