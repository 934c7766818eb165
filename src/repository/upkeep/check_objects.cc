#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "base/error.h"
#include "base/parallel.h"
#include "platform/aligned_memory.h"
#include "base/text.h"
#include "platform/entropy.h"
#include "repository/data/engine.h"
#include "repository/data/large_list.h"
#include "repository/format/map_object.h"
#include "repository/format/point_object.h"
#include "repository/format/repository_object.h"
#include "repository/upkeep/object_check.h"

namespace holdfast::repository {
namespace {

constexpr std::uint64_t kStep = UINT64_C(4) << 20;   // read at a time, whatever the size of the object

bool is_small(ObjectType type) { return type != ObjectType::pack && type != ObjectType::index; }

// Which packs a check looks at when it looks at a share of them: by chance, so that many checks see all.
class Sample {
 public:
  explicit Sample(double share) : share_(share) {
    if (share_ < 1.0) platform::real_entropy().fill(salt_);
  }
  bool takes(const crypto::Sha256& hash) const {
    if (share_ >= 1.0) return true;
    Bytes salted(salt_.begin(), salt_.end());
    salted.insert(salted.end(), hash.bytes.begin(), hash.bytes.end());
    std::uint32_t chance = 0;
    std::memcpy(&chance, crypto::sha256(salted).bytes.data(), sizeof chance);
    return chance / 4294967296.0 < share_;
  }

 private:
  double share_;
  std::array<std::uint8_t, 16> salt_{};
};

class StoreCheck {
 public:
  StoreCheck(store::ObjectStore& store, const CheckOptions& options) : store_(store), options_(options) {}

  CheckReport run(const PackCheck& pack_check, const ListedPoints& listed) {
    list();
    find_repository();
    if (repository_) maps_ = Maps::read(store_, *repository_, nullptr);
    check_ways_in();
    check_record_numbers();
    begin_progress();
    for (const NeededObject& o : objects_) {
      if (is_small(o.type)) check_hash(object_name(o.type, o.hash), o);
    }
    for (const auto& [name, object] : records_) check_hash(name, object);
    for (const PointId& id : points_) check_point(id);
    check_content(pack_check);
    end_progress();
    drop_replaced();
    count_leftovers();
    if (!missing_.empty()) look_again();
    if (!damaged_.empty()) drop_given_up_points(listed);
    tell_what_is_affected();
    std::erase_if(damaged_, [&](const auto& d) { return missing_.contains(d.first) && !affected_.contains(d.first); });
    return finish();
  }

  CheckReport run_point(const PointId& id, const InventoryRoot& root, const RepositoryId& repository,
                        LargeList<NeededObject>& packs) {
    list();
    repository_ = repository;
    maps_ = Maps::read(store_, repository, nullptr);
    roots_[id] = root;
    check_listed({ObjectType::inventory, root.hash, root.size});
    read_point_inventory(root, &packs);
    add_stand_ins(packs);
    begin_progress();
    Sample sample(options_.level == Level::bytes ? options_.share : 1.0);
    for (std::size_t place = 0; place < objects_.size(); ++place) {   // what is not listed is damage
      const NeededObject& o = objects_[place];
      if (!needed_[place] || damaged_.contains(object_name(o.type, o.hash))) continue;
      report_.objects += 1;
      if (o.type == ObjectType::pack && options_.turns != nullptr && options_.level >= Level::bytes) {
        if (options_.level == Level::bytes) check_in_turn(o);   // deeper levels read it later
        continue;
      }
      bool hash = options_.level >= Level::bytes && (o.type != ObjectType::pack || options_.level == Level::bytes);
      if (hash && sample.takes(o.hash)) check_hash(object_name(o.type, o.hash), o);
      if (!hash) report_.bytes += o.size;
    }
    end_progress();
    std::sort(packs.begin(), packs.end());
    packs.shorten(static_cast<std::size_t>(std::unique(packs.begin(), packs.end()) - packs.begin()));
    drop_replaced();
    for (const auto& [name, what] : damaged_) affected_[name] = {id};
    return finish();
  }

 private:
  void damaged(const std::string& name, std::string what) { damaged_.try_emplace(name, std::move(what)); }
  // Damage if a point needs it in the end.
  void missing(const std::string& name, std::string what) {
    if (damaged_.try_emplace(name, std::move(what)).second) missing_.insert(name);
  }

  void list() {
    // Points first: what they need was put before them, so the list of everything, which begins later, has it.
    store_.list("point/", [&](const store::ObjectInfo& info) {
      if (auto name = parse_object_name(info.name)) points_.push_back(name->hash);
    });
    store_.list("", [&](const store::ObjectInfo& info) {
      auto name = parse_object_name(info.name);
      if (!name) {
        ++report_.leftovers;
        return;
      }
      NeededObject object{name->type, name->hash, info.size};
      if (name->type == ObjectType::record) {
        records_.emplace_back(info.name, object);
        numbers_[name->writer].insert(name->number);
        return;
      }
      objects_.push_back(object);
    });
    std::sort(objects_.begin(), objects_.end());
    needed_.resize(objects_.size());
    std::sort(records_.begin(), records_.end());
    std::sort(points_.begin(), points_.end());
  }

  void find_repository() {
    try {
      repository_ = read_repository_object(store_).id;
    } catch (const Error& error) {
      bool gone = error.code() == Code::not_found && !(objects_.empty() && records_.empty());
      if (error.code() != Code::damaged && !gone) throw;
      auto it = std::find_if(objects_.begin(), objects_.end(), [](const NeededObject& o) { return o.type == ObjectType::repository; });
      damaged(it == objects_.end() ? "repository" : object_name(it->type, it->hash), error.message());
    }
  }

  bool any(ObjectType type) const {
    return std::any_of(objects_.begin(), objects_.end(), [&](const NeededObject& o) { return o.type == type; });
  }

  void check_ways_in() {
    if (!any(ObjectType::slot)) damaged("slot", "there is no key slot: nothing opens the repository");
    if (!any(ObjectType::keyring)) damaged("keyring", "there is no keyring entry: nothing can be decrypted");
  }

  void check_record_numbers() {
    for (const auto& [writer, numbers] : numbers_) {
      std::uint64_t expected = 1;
      for (std::uint64_t number : numbers) {
        if (number != expected) {
          damaged("record/" + writer.hex(), "records " + std::to_string(expected) + " to " + std::to_string(number - 1) + " are missing");
        }
        expected = number + 1;
      }
    }
  }

  // In pieces, so that memory does not depend on the size of the object.
  void check_hash(const std::string& name, const NeededObject& object) {
    if (options_.run.cancel != nullptr) options_.run.cancel->check();
    judge(name, object, hash_fault(name, object));
  }

  struct Fault {
    std::string what;
    bool missing = false;
  };

  // Thread-safe.
  std::optional<Fault> hash_fault(const std::string& name, const NeededObject& object) {
    if (object.size > object_limit(object.type)) return Fault{"it is larger than an object of its type may be"};
    try {
      crypto::Sha256Stream hash;
      platform::AlignedMemory buffer(static_cast<std::size_t>(std::min(object.size, kStep)));
      for (std::uint64_t at = 0; at < object.size; at += kStep) {
        MutableBytes part = buffer.writable().first(static_cast<std::size_t>(std::min(kStep, object.size - at)));
        store_.get_range(name, at, part);
        hash.update(part);
      }
      if (hash.digest_so_far() != object.hash) return Fault{"its bytes do not match its name"};
    } catch (const Error& error) {
      if (error.code() != Code::damaged && error.code() != Code::not_found && error.code() != Code::io) throw;
      return Fault{error.message(), error.code() == Code::not_found};
    }
    return std::nullopt;
  }

  void judge(const std::string& name, const NeededObject& object, const std::optional<Fault>& fault) {
    // A prune that runs meanwhile deletes what nobody needs. Whether anybody does comes out later.
    if (fault && fault->missing && is_small(object.type) && !is_needed(object)) vanished_.insert(name);
    else if (fault && fault->missing) missing(name, fault->what);
    else if (fault) damaged(name, fault->what);
    count(object);
  }

  void check_in_turn(const NeededObject& pack) {
    const PackTurns::Turn turn = options_.turns->turn(pack.hash, pack.size);
    if (turn == PackTurns::Turn::later) ++report_.later;
    if (turn != PackTurns::Turn::now) return;
    std::string name = object_name(pack.type, pack.hash);
    check_hash(name, pack);
    if (!damaged_.contains(name)) options_.turns->whole(pack.hash, pack.size);
  }

  void count(const NeededObject& object) {
    report_.bytes += object.size;
    if (options_.run.progress != nullptr) options_.run.progress->add(object.size, 1);
  }

  void begin_progress() {
    if (options_.run.progress == nullptr) return;
    std::uint64_t total = 0;
    for (const NeededObject& o : objects_) total += is_small(o.type) || options_.level >= Level::bytes ? o.size : 0;
    options_.run.progress->begin("checking", total);
  }
  void end_progress() {
    if (options_.run.progress != nullptr) options_.run.progress->end();
  }

  void check_point(const PointId& id) {
    std::string name = object_name(ObjectType::point, id);
    if (damaged_.contains(name) || vanished_.contains(name) || !repository_) return;
    try {
      Bytes object = store_.get(name, object_limit(ObjectType::point));
      roots_[id] = read_point_envelope(object, *repository_, id).inventory;
    } catch (const Error& error) {
      if (error.code() == Code::not_found) return;   // deleted since it was listed
      if (error.code() != Code::damaged) throw;
      return damaged(name, error.message());
    }
    const InventoryRoot& root = roots_[id];
    check_listed({ObjectType::inventory, root.hash, root.size});
    read_point_inventory(root, nullptr);
  }

  // Its place in objects_; nullopt: not listed in that size.
  std::optional<std::size_t> place_of(const NeededObject& o) const {
    auto it = std::lower_bound(objects_.begin(), objects_.end(), o);
    if (it == objects_.end() || *it != o) return std::nullopt;
    return static_cast<std::size_t>(it - objects_.begin());
  }

  bool is_needed(const NeededObject& o) const {
    std::optional<std::size_t> place = place_of(o);
    return place ? needed_[*place] : needed_unlisted_.contains(o);
  }

  // Remembers that it is needed. Whether that is new.
  bool need(const NeededObject& o) {
    std::optional<std::size_t> place = place_of(o);
    if (!place) return needed_unlisted_.insert(o).second;
    bool known = needed_[*place];
    needed_[*place] = true;
    return !known;
  }

  // Whether an object that is needed is there in its size. Remembers that it is needed.
  bool check_listed(const NeededObject& needed) {
    if (!need(needed)) return !damaged_.contains(object_name(needed.type, needed.hash));
    std::string name = object_name(needed.type, needed.hash);
    auto it = std::lower_bound(objects_.begin(), objects_.end(), NeededObject{needed.type, needed.hash, 0});
    if (!is_listed(needed) || vanished_.contains(name)) {
      missing(name, "it is missing");
    } else if (it->size != needed.size) {
      damaged(name, "it has " + std::to_string(it->size) + " bytes instead of " + std::to_string(needed.size));
    }
    return !damaged_.contains(name);
  }

  bool is_there(const NeededObject& o) const {
    std::string name = object_name(o.type, o.hash);
    return place_of(o) && !damaged_.contains(name) && !replaced_.contains(name);
  }

  // A page that was lost: what a repair put in its place is a root that lists the same objects.
  std::vector<InventoryRoot> stand_in_of_page(const NeededObject& page) const {
    std::vector<InventoryRoot> roots;
    auto by = maps_.stand_in(page, [this](const NeededObject& o) { return is_there(o); });
    if (!by) return roots;
    for (const NeededObject& o : *by) roots.push_back({o.hash, o.size});
    return roots;
  }

  void read_stand_in(const NeededObject& page, LargeList<NeededObject>* packs) {
    for (const InventoryRoot& root : stand_in_of_page(page)) {
      if (need({ObjectType::inventory, root.hash, root.size})) read_point_inventory(root, packs);
    }
  }

  void read_point_inventory(const InventoryRoot& root, LargeList<NeededObject>* packs) {
    std::string name = object_name(ObjectType::inventory, root.hash);
    if (damaged_.contains(name)) return read_stand_in({ObjectType::inventory, root.hash, root.size}, packs);
    std::vector<NeededObject> lost_pages;
    try {
      read_inventory(
          store_, *repository_, root,
          [&](const NeededObject& page) {
            bool seen = is_needed(page);
            bool whole = check_listed(page);
            if (!whole && !seen) lost_pages.push_back(page);
            return whole && !seen;
          },
          [&](const NeededObject& object) { take_needed(object, packs); });
    } catch (const Error& error) {
      if (error.code() != Code::damaged && error.code() != Code::not_found) throw;
      error.code() == Code::not_found ? missing(name, error.message()) : damaged(name, error.message());
    }
    for (const NeededObject& page : lost_pages) read_stand_in(page, packs);
  }

  // An object that an inventory names, with what maps say stands in its place.
  void take_needed(const NeededObject& object, LargeList<NeededObject>* packs) {
    bool seen = is_needed(object);
    bool whole = check_listed(object);
    bool there = whole || is_listed(object);
    if (packs != nullptr && object.type == ObjectType::pack && (there || maps_.of(object) == nullptr)) packs->push_back(object);
    if (seen && packs == nullptr) return;
    auto by = maps_.stand_in({object.type, object.hash, 0}, [&](const NeededObject& o) { return o.size != 0 && is_there(o); });
    if (!by) return;
    for (const NeededObject& o : *by) {
      check_listed(o);
      if (packs != nullptr && o.type == ObjectType::pack) packs->push_back(o);
    }
  }

  bool is_listed(const NeededObject& o) const {
    auto it = std::lower_bound(objects_.begin(), objects_.end(), NeededObject{o.type, o.hash, 0});
    return it != objects_.end() && it->type == o.type && it->hash == o.hash;
  }

  // What maps put in the place of what the point needs is looked at like the rest.
  void add_stand_ins(LargeList<NeededObject>& packs) {
    std::vector<NeededObject> left;   // that maps name
    auto take = [&](const NeededObject& o) {
      if (maps_.of(o) != nullptr) left.push_back(o);
    };
    for (std::size_t place = 0; place < objects_.size(); ++place) {
      if (needed_[place]) take(objects_[place]);
    }
    std::for_each(needed_unlisted_.begin(), needed_unlisted_.end(), take);
    while (!left.empty()) {
      NeededObject object = left.back();
      left.pop_back();
      for (const Maps::Entry& entry : *maps_.of(object)) {
        for (const NeededObject& o : entry.by) {
          if (!is_there(o) || !need(o)) continue;
          if (o.type == ObjectType::pack) packs.push_back(o);
          take(o);
        }
      }
    }
  }

  // What others stand in for is neither missing nor harmful any more.
  void drop_replaced() {
    if (maps_.all().empty()) return;
    for (auto it = damaged_.begin(); it != damaged_.end();) {
      if (is_replaced(it->first)) {
        replaced_.insert(it->first);
        it = damaged_.erase(it);
      } else {
        ++it;
      }
    }
  }

  bool is_replaced(const std::string& name) const {
    auto parsed = parse_object_name(name);
    if (!parsed) return false;
    return maps_.stand_in({parsed->type, parsed->hash, 0}, [this](const NeededObject& o) { return is_there(o); }).has_value();
  }

  void check_content(const PackCheck& pack_check) {
    report_.objects += objects_.size() + records_.size();
    if (options_.level < Level::bytes) {
      for (const NeededObject& o : objects_) report_.bytes += is_small(o.type) ? 0 : o.size;
      return;
    }
    const Sample sample(options_.share);
    std::mutex mutex;
    in_parallel(objects_.size(), check_threads(options_.run), [&](std::size_t i) {
      const NeededObject& o = objects_[i];
      if (is_small(o.type) || (o.type == ObjectType::pack && !sample.takes(o.hash))) return;
      const std::string name = object_name(o.type, o.hash);
      if (options_.run.cancel != nullptr) options_.run.cancel->check();
      std::optional<Fault> fault;
      if (o.type != ObjectType::pack || !pack_check) fault = hash_fault(name, o);
      else if (auto what = pack_check(o)) fault = Fault{*what, !store_.info(name)};
      std::lock_guard lock(mutex);
      judge(name, o, fault);
    });
  }

  void count_leftovers() {
    if (!repository_) return;   // then no inventory was read
    for (const NeededObject& o : objects_) {
      bool counts = o.type == ObjectType::pack || o.type == ObjectType::index || o.type == ObjectType::inventory;
      if (counts && !is_needed(o) && !damaged_.contains(object_name(o.type, o.hash))) ++report_.leftovers;
    }
  }

  // Pages to go through instead of `page`, each once.
  std::vector<InventoryRoot> whole_or_stand_in(const NeededObject& page, std::set<crypto::Sha256>& seen) const {
    std::string name = object_name(page.type, page.hash);
    std::vector<InventoryRoot> roots;
    if (!damaged_.contains(name) && !replaced_.contains(name)) roots.push_back({page.hash, page.size});
    if (replaced_.contains(name)) roots = stand_in_of_page(page);
    std::erase_if(roots, [&](const InventoryRoot& root) { return !seen.insert(root.hash).second; });
    return roots;
  }

  // What a prune deleted or replaced meanwhile is not missing to somebody who begins after it.
  void look_again() {
    CheckOptions exists;
    exists.run.cancel = options_.run.cancel;
    StoreCheck now(store_, exists);
    now.list();
    now.find_repository();
    if (now.repository_) now.maps_ = Maps::read(store_, *now.repository_, nullptr);
    for (const PointId& id : now.points_) now.check_point(id);
    now.drop_replaced();
    std::erase_if(missing_, [&](const std::string& name) {
      auto parsed = parse_object_name(name);
      bool still = now.damaged_.contains(name) || now.is_listed({parsed->type, parsed->hash, 0});
      if (!still) damaged_.erase(name);
      return !still;
    });
  }

  // Points that were forgotten and deleted since they were listed, and those that nobody was ever told of: they need nothing.
  void drop_given_up_points(const ListedPoints& listed) {
    std::set<PointId> there;
    store_.list("point/", [&](const store::ObjectInfo& info) {
      if (auto name = parse_object_name(info.name)) there.insert(name->hash);
    });
    if (listed) {
      const std::set<PointId> counts = listed();
      std::erase_if(there, [&](const PointId& id) { return !counts.contains(id); });
    }
    std::erase_if(roots_, [&](const auto& root) { return !there.contains(root.first); });
    std::erase_if(points_, [&](const PointId& id) { return !there.contains(id); });
  }

  // Walks the inventories once more, only when something is damaged; each page is looked through once.
  void tell_what_is_affected() {
    if (damaged_.empty()) return;
    std::unordered_map<crypto::Sha256, std::set<std::string>, IdHash> found;   // damage below a page
    for (const auto& [id, root] : roots_) {
      try {
        for (const std::string& name : damage_of(id, root, found)) affected_[name].push_back(id);
      } catch (const Error& error) {
        if (error.code() != Code::not_found) throw;   // deleted just now
      }
    }
    for (const PointId& id : points_) {   // a point that cannot be read itself
      std::string name = object_name(ObjectType::point, id);
      if (!roots_.contains(id) && damaged_.contains(name)) affected_[name].push_back(id);
    }
  }

  std::set<std::string> damage_of(const PointId& id, const InventoryRoot& root,
                                  std::unordered_map<crypto::Sha256, std::set<std::string>, IdHash>& found) const {
    std::set<std::string> hit;
    auto look = [&](const NeededObject& o, std::set<std::string>& into) {
      std::string name = object_name(o.type, o.hash);
      if (damaged_.contains(name)) into.insert(name);
    };
    look({ObjectType::point, id, 0}, hit);
    std::set<crypto::Sha256> seen;
    std::vector<InventoryRoot> roots = whole_or_stand_in({ObjectType::inventory, root.hash, root.size}, seen);
    look({ObjectType::inventory, root.hash, root.size}, hit);
    while (!roots.empty()) {
      InventoryRoot next = roots.back();
      roots.pop_back();
      std::vector<crypto::Sha256> pages;
      read_inventory(
          store_, *repository_, next,
          [&](const NeededObject& page) {
            look(page, hit);
            std::string name = object_name(page.type, page.hash);
            if (replaced_.contains(name)) {
              for (const InventoryRoot& more : whole_or_stand_in(page, seen)) roots.push_back(more);
            }
            if (damaged_.contains(name) || replaced_.contains(name)) return false;
            pages.push_back(page.hash);
            return found.try_emplace(page.hash).second;
          },
          [&](const NeededObject& object) { look(object, found[pages.back()]); });
      for (const auto& page : pages) hit.insert(found[page].begin(), found[page].end());
    }
    return hit;
  }

  CheckReport finish() {
    for (auto& [name, what] : damaged_) report_.damaged.push_back({name, what, affected_[name]});
    return std::move(report_);
  }

  store::ObjectStore& store_;
  const CheckOptions& options_;
  CheckReport report_;
  std::optional<RepositoryId> repository_;
  Maps maps_;
  std::set<std::string> missing_;                                    // of damaged_
  std::set<std::string> vanished_;                                   // listed, and not there any more a moment later
  std::set<std::string> replaced_;                                   // damaged or missing, and others stand in for them
  LargeList<NeededObject> objects_;                                  // all but records; sorted
  std::vector<std::pair<std::string, NeededObject>> records_;
  std::map<WriterId, std::set<std::uint64_t>> numbers_;
  std::vector<PointId> points_;
  std::map<PointId, InventoryRoot> roots_;
  std::vector<bool> needed_;                                         // by place in objects_
  std::set<NeededObject> needed_unlisted_;                           // needed, and not in objects_
  std::map<std::string, std::string> damaged_;                       // name, what
  std::map<std::string, std::vector<PointId>> affected_;
};

}  // namespace

CheckReport check_store(store::ObjectStore& store, const CheckOptions& options, const PackCheck& pack_check, const ListedPoints& listed) {
  return StoreCheck(store, options).run(pack_check, listed);
}

CheckReport check_inventory(store::ObjectStore& store, const RepositoryId& repository, const PointId& point,
                            const InventoryRoot& root, const CheckOptions& options, LargeList<NeededObject>& packs) {
  return StoreCheck(store, options).run_point(point, root, repository, packs);
}

CheckReport check_objects(store::ObjectStore& store, const CheckOptions& options) {
  if (options.level > Level::bytes) {
    throw Error(Code::usage, "cannot check the content of the repository in " + store.location() + " without a key")
        .hint("open it with a password, or check level bytes");
  }
  return check_store(store, options, nullptr, nullptr);
}

}  // namespace holdfast::repository
