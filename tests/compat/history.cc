#include "history.h"

#include <algorithm>

namespace compat {

namespace {

constexpr std::uint64_t MiB = 1024 * 1024, GiB = 1024 * MiB;
constexpr int kMostMaps = 64;
enum RecordType : std::uint16_t { kPointMade = 1, kForget = 2, kFence = 6, kAcceptOlder = 9 };

}  // namespace

History::History(const Store& store, const Keys& keys) : store_(store), keys_(keys) {
  for (const auto& name : store.list("record")) {
    Record record = read(name);
    const Hash hash = record.object.hash;
    records_.emplace(hash, std::move(record));
  }
  put_in_order();
  check_chains();
  for (const auto& name : store.list("map")) read_map(store.get(name));
}

History::Record History::read(const std::string& name) const {
  Record record;
  record.object = store_.get(name);
  record.body = keys_.open_body(record.object, 16 * MiB);
  Cursor in(record.object.of_type, name);
  record.number = in.u64();
  record.predecessor = Bytes(in.take(32));
  record.type = in.u16();
  for (std::uint16_t left = in.u16(); left > 0; --left) {
    const Bytes writer(in.take(16));
    const std::uint64_t number = in.u64();
    record.heads.push_back({writer, number, Bytes(in.take(32))});
  }
  record.time = record.fields().time(1);
  std::string digits = std::to_string(record.number);
  digits.insert(0, 10 - std::min<std::size_t>(10, digits.size()), '0');
  require(name == "record/" + hex(record.object.writer) + "/" + digits + "-" + hex(record.object.hash),
          name + " lies under a name that is not its own");
  return record;
}

/// The records that must come before this one, as far as they are there.
std::vector<History::Hash> History::follows(const Record& record) const {
  std::vector<Hash> hashes;
  if (records_.contains(record.predecessor)) hashes.push_back(record.predecessor);
  for (const Head& head : record.heads)
    if (records_.contains(head.hash)) hashes.push_back(head.hash);
  return hashes;
}

/// Each record after its predecessor and the heads that it has seen; by time where that leaves a choice.
void History::put_in_order() {
  std::map<Hash, std::size_t> waits_for;
  std::map<Hash, std::vector<Hash>> followers;
  std::set<std::pair<Time, Hash>> ready;
  for (const auto& [hash, record] : records_) {
    const auto earlier = follows(record);
    waits_for[hash] = earlier.size();
    for (const Hash& e : earlier) followers[e].push_back(hash);
    if (earlier.empty()) ready.insert({record.time, hash});
  }
  while (!ready.empty()) {
    const Hash hash = ready.begin()->second;
    ready.erase(ready.begin());
    const Record& record = records_.at(hash);
    order_.push_back(&record);
    std::set<Hash>& before = before_[hash];
    for (const Hash& e : follows(record)) {
      before.insert(e);
      before.insert(before_.at(e).begin(), before_.at(e).end());
    }
    for (const Hash& next : followers[hash])
      if (--waits_for[next] == 0) ready.insert({records_.at(next).time, next});
  }
  require(order_.size() == records_.size(), "the records follow each other in a circle");
}

/// Does some record of type 9 follow, or has it seen, all of these?
bool History::settled(const std::vector<Hash>& involved) const {
  return std::ranges::any_of(order_, [&](const Record* record) {
    const auto& before = before_.at(record->object.hash);
    return record->type == kAcceptOlder && std::ranges::all_of(involved, [&](const Hash& h) {
             return h == record->object.hash || before.contains(h);
           });
  });
}

void History::check_chains() const {
  std::map<std::pair<Bytes, std::uint64_t>, Hash> numbers;
  for (const Record* record : order_) {
    const Hash& hash = record->object.hash;
    const Bytes writer(record->object.writer);
    const auto [other, is_new] = numbers.try_emplace({writer, record->number}, hash);
    require(is_new || settled({other->second, hash}),
            record->object.name + ": a fork: this number is there twice");

    const auto predecessor = records_.find(record->predecessor);
    const bool fits = record->number == 1 ? record->predecessor == Bytes(32, '\0')
                                          : predecessor != records_.end() &&
                                                predecessor->second.number + 1 == record->number &&
                                                predecessor->second.object.writer == writer;
    require(record->number > 0 && (fits || settled({hash})),
            record->object.name + ": the record before it is not there");
    for (const Head& head : record->heads) {
      const auto seen = records_.find(head.hash);
      const bool there = seen != records_.end() && seen->second.number == head.number &&
                         seen->second.object.writer == head.writer;
      require(there || settled({hash}),
              record->object.name + " has seen a record that is not there: the log was rolled back");
    }
  }
}

std::vector<Point> History::points() const {
  std::set<Hash> forgotten;
  for (const Record* record : order_)
    if (record->type == kForget)
      for (const View id : record->fields().all(2)) forgotten.insert(Hash(id));
  std::vector<Point> points;
  for (const Record* record : order_) {
    if (record->type != kPointMade) continue;
    const Hash id(record->fields().one(2, 32));
    if (forgotten.contains(id) || is_void(*record, id)) continue;
    Point point;
    point.object = store_.get(name_of(kPoint, id));  // gone without a forget: an omission, refused here
    point.body = keys_.open_body(point.object, 1 * GiB);
    point.needs = needs(point.object);
    points.push_back(std::move(point));
  }
  return points;
}

/// The heads of all writers in the view that a point or a fence was decided on: field 10.
std::map<Bytes, std::uint64_t> History::ground(const Record& record) {
  std::map<Bytes, std::uint64_t> heads;
  for (const View field : record.fields().all(10))
    for (Cursor in(field, record.object.name); !in.at_end();) {
      const Bytes writer(in.take(16));
      heads[writer] = std::max(heads[writer], in.u64());
    }
  return heads;
}

/// A point is void when it needs anything that a fence names, unless the prune had seen the point and spared
/// what it needs, or the point's writer had seen the prune's intent and kept away from what it names.
bool History::is_void(const Record& record, const Hash& point) const {
  const auto holds = [](const Record& knowing, const Record& known) {
    const auto heads = ground(knowing);
    const auto head = heads.find(Bytes(known.object.writer));
    return head != heads.end() && head->second >= known.number;
  };
  for (const Record* fence : order_) {
    if (fence->type != kFence || holds(*fence, record)) continue;
    const auto intent = records_.find(Hash(fence->fields().one(11, 32)));
    if (intent != records_.end() && holds(record, intent->second)) continue;
    std::set<std::string> goes;
    for (const View name : fence->fields().all(9)) goes.insert(std::string(name));
    if (needs_any(point, goes)) return true;
  }
  return false;
}

/// Looks only as far as it must: what a fence names may be deleted already.
bool History::needs_any(const Hash& point, const std::set<std::string>& goes) const {
  if (goes.contains(name_of(kPoint, point))) return true;
  const Object object = store_.get(name_of(kPoint, point));
  const auto [root_hash, root_size] = inventory_root(object);
  if (goes.contains(name_of(kInventory, root_hash))) return true;
  const auto pages = entries(page(root_hash, root_size), 1);
  const auto named = [&](const Entry& e) { return goes.contains(name_of(e.type, e.hash)); };
  if (std::ranges::any_of(pages, named)) return true;
  return std::ranges::any_of(
      pages, [&](const Entry& p) { return std::ranges::any_of(entries(page(p.hash, p.size), 0), named); });
}

std::pair<History::Hash, std::uint64_t> History::inventory_root(const Object& point) {
  Cursor in(point.of_type, point.name);
  const Hash hash(in.take(32));
  return {hash, in.u64()};
}

Object History::page(View hash, std::uint64_t size) const {
  Object object = store_.get(name_of(kInventory, hash));
  keys_.check_repository(object);
  require(object.bytes->size() == size, object.name + " has another size than where it is named");
  return object;
}

std::vector<History::Entry> History::entries(const Object& page, std::uint8_t level) {
  Cursor in(page.body, page.name);
  require(in.u8() == level, page.name + " is of the wrong level");
  std::vector<Entry> entries;
  for (std::uint64_t left = in.varint(); left > 0; --left) {
    const std::uint64_t type = in.u16();
    const Hash hash(in.take(32));
    entries.push_back({type, hash, in.varint()});
    require(level == 1 ? type == kInventory : type == kPack || type == kIndex,
            page.name + " lists an object of a wrong type");
    if (level == 0 && entries.size() > 1) {
      const Entry& last = entries[entries.size() - 2];
      require(std::pair(last.type, last.hash) < std::pair(type, hash), page.name + " is not in order");
    }
  }
  in.expect_end();
  return entries;
}

Needs History::needs(const Object& point) const {
  Needs needs;
  const auto [root_hash, root_size] = inventory_root(point);
  add_page({kInventory, root_hash, root_size}, 1, kMostMaps, needs);
  return needs;
}

/// What a page lists. Of a page that is not there: what the roots list that some map puts in its place.
void History::add_page(const Entry& wanted, std::uint8_t level, int maps_left, Needs& needs) const {
  const std::string name = name_of(kInventory, wanted.hash);
  if (!store_.has(name)) {
    const auto maps = maps_.find({kInventory, wanted.hash});
    require(maps != maps_.end() && maps_left > 0, name + " is missing");
    for (const Entry& root : maps->second.front()) add_page(root, 1, maps_left - 1, needs);
    return;
  }
  needs.pages.insert(name);
  for (const Entry& e : entries(page(wanted.hash, wanted.size), level)) {
    if (level == 1) {
      add_page(e, 0, maps_left, needs);
      continue;
    }
    const auto found = stand_in(e, kMostMaps);
    require(found.has_value(), name_of(e.type, e.hash) + " is missing");
    needs.objects.insert(found->begin(), found->end());
  }
}

/// The object itself where it is, else what some map puts in its place. Nothing when parts of that are
/// missing too.
std::optional<std::set<std::string>> History::stand_in(const Entry& entry, int maps_left) const {
  const std::string name = name_of(entry.type, entry.hash);
  if (store_.has(name)) {
    require(store_.size(name) == entry.size, name + " has another size than where it is named");
    return std::set{name};
  }
  const auto maps = maps_.find({entry.type, entry.hash});
  if (maps == maps_.end() || maps_left == 0) return std::nullopt;
  for (const std::vector<Entry>& instead : maps->second) {
    std::set<std::string> names;
    const bool all_there = std::ranges::all_of(instead, [&](const Entry& e) {
      const auto found = stand_in(e, maps_left - 1);
      if (found) names.insert(found->begin(), found->end());
      return found.has_value();
    });
    if (all_there) return names;
  }
  return std::nullopt;
}

void History::read_map(const Object& map) {
  keys_.check_signature(map);
  Cursor in(map.body, map.name);
  for (std::uint64_t left = in.varint(); left > 0; --left) {
    const std::uint64_t type = in.u16();
    const Hash hash(in.take(32));
    std::vector<Entry> instead;
    for (std::uint64_t n = in.varint(); n > 0; --n) {
      const std::uint64_t t = in.u16();
      const Hash h(in.take(32));
      instead.push_back({t, h, in.varint()});
    }
    maps_[{type, hash}].push_back(std::move(instead));
  }
  in.expect_end();
}

}  // namespace compat
