#include <algorithm>
#include <array>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "repository/format/repository_object.h"
#include "repository/log/log.h"
#include "repository/repository.h"

namespace holdfast::repository {
namespace {

constexpr std::uint64_t kStep = UINT64_C(4) << 20;

// An object is copied after everything that it needs, so that a copy that is killed is a whole, older repository, or none yet.
constexpr std::array kOrder{ObjectType::keyring, ObjectType::slot, ObjectType::repository, ObjectType::pack, ObjectType::index,
                            ObjectType::map, ObjectType::inventory, ObjectType::point, ObjectType::record};
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
    bool whole = true;
    for (std::size_t i = 0; whole && i < kOrder.size(); ++i) {
      for (std::size_t j = 0; whole && j < lists[i].size(); ++j) whole = copy_unless_damaged(lists[i][j], kOrder[i]);
    }
    if (options_.progress != nullptr) options_.progress->end();
    return whole;
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

  // One damaged object of the original must not keep the others from being copied. false: it is not there any more.
  bool copy_unless_damaged(const store::ObjectInfo& object, ObjectType type) {
    if (options_.cancel != nullptr) options_.cancel->check();
    auto there = to_.info(object.name);
    if (there && there->size == object.size) {
      ++report_.already_there;
    } else if (auto bytes = read_whole(object, type); bytes && bytes->empty()) {
      return false;
    } else if (bytes) {
      to_.put(object.name, *bytes);
      check_copied(object.name, bytes->size());
      ++report_.objects;
      report_.bytes += bytes->size();
    }
    if (options_.progress != nullptr) options_.progress->add(object.size, 1);
    return true;
  }

  // nullopt: damaged, or a record that its writer withdrew. Empty: gone.
  std::optional<Bytes> read_whole(const store::ObjectInfo& object, ObjectType type) {
    try {
      Bytes bytes = from_.get(object.name, object_limit(type));
      check_object_hash(bytes, parse_object_name(object.name)->hash, object.name);
      return bytes;
    } catch (const Error& error) {
      if (error.code() == Code::not_found && type == ObjectType::record) return std::nullopt;   // withdrawn by its writer
      if (error.code() == Code::not_found) return Bytes();
      if (error.code() != Code::damaged) throw;
      damaged_.push_back(error.message());
      return std::nullopt;
    }
  }

  // Reads back what was stored, in pieces.
  void check_copied(const std::string& name, std::uint64_t size) {
    crypto::Sha256Stream hash;
    buffer_.resize(static_cast<std::size_t>(std::min(size, kStep)));
    for (std::uint64_t at = 0; at < size; at += kStep) {
      MutableBytes part = MutableBytes(buffer_).first(static_cast<std::size_t>(std::min(kStep, size - at)));
      to_.get_range(name, at, part);
      hash.update(part);
    }
    if (hash.digest_so_far() == parse_object_name(name)->hash) return;
    to_.remove(name);   // or the next copy would take it for a good one
    throw Error(Code::damaged, "cannot copy object " + name + " to " + to_.location() + ": what was read back is not what was written")
        .safe("the original is as it was")
        .hint("check the disk of the copy, then copy again");
  }

  store::ObjectStore& from_;
  store::ObjectStore& to_;
  const RunOptions& options_;
  CopyReport report_;
  std::vector<std::string> damaged_;
  Bytes buffer_;
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
