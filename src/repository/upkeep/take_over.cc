#include "repository/upkeep/take_over.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "repository/format/envelope.h"
#include "repository/format/repository_object.h"

namespace holdfast::repository {
namespace {

constexpr std::uint64_t kStep = UINT64_C(4) << 20;

// The order of docs/repository-format.md "Replica": what is put needs nothing that comes later.
int rank(ObjectType type) {
  switch (type) {
    case ObjectType::repository: return 0;
    case ObjectType::slot: return 1;
    case ObjectType::keyring: return 2;
    case ObjectType::record: return 9;
    case ObjectType::point: return 8;
    default: return static_cast<int>(type);   // packs, index, inventory
  }
}

// Read in pieces, so that memory does not depend on its size.
bool is_whole(store::ObjectStore& store, const std::string& name, std::uint64_t size) {
  std::optional<ObjectName> parsed = parse_object_name(name);
  if (!parsed || size > object_limit(parsed->type)) return false;
  try {
    crypto::Sha256Stream hash;
    Bytes buffer(static_cast<std::size_t>(std::min(size, kStep)));
    for (std::uint64_t at = 0; at < size; at += kStep) {
      MutableBytes part = MutableBytes(buffer).first(static_cast<std::size_t>(std::min(kStep, size - at)));
      store.get_range(name, at, part);
      hash.update(part);
    }
    return hash.digest_so_far() == parsed->hash;
  } catch (const Error& error) {
    if (error.code() == Code::damaged || error.code() == Code::not_found || error.code() == Code::io) return false;
    throw;
  }
}

std::map<std::string, std::uint64_t> names_in(store::ObjectStore& store, const std::string& prefix) {
  std::map<std::string, std::uint64_t> names;
  store.list(prefix, [&](const store::ObjectInfo& info) {
    if (parse_object_name(info.name)) names.emplace(info.name, info.size);
  });
  return names;
}

std::optional<RepositoryId> id_of(store::ObjectStore& store) {
  try {
    return read_repository_object(store).id;
  } catch (const Error& error) {
    if (error.code() != Code::damaged && error.code() != Code::not_found) throw;
    return std::nullopt;
  }
}

// Without a readable repository object: names hold random bytes, so one that is in both tells that they are copies of each other.
bool share_a_name(store::ObjectStore& a, store::ObjectStore& b) {
  for (const char* folder : {"keyring", "slot", "record", "point", "index"}) {
    auto here = names_in(a, folder), there = names_in(b, folder);
    if (std::any_of(there.begin(), there.end(), [&](const auto& object) { return here.contains(object.first); })) return true;
  }
  return false;
}

void refuse_another_repository(store::ObjectStore& store, store::ObjectStore& copy) {
  std::optional<RepositoryId> ours = id_of(store), theirs = id_of(copy);
  if (ours && theirs ? *ours == *theirs : share_a_name(store, copy)) return;
  throw Error(Code::precondition, "cannot repair from " + copy.location() + ": it is not a copy of this repository")
      .safe("nothing was changed")
      .hint("give a copy that 'holdfast copy' made of this repository");
}

class Search {
 public:
  Search(store::ObjectStore& store, store::ObjectStore& copy, const RunOptions& run) : store_(store), copy_(copy), run_(run) {}

  // The copy's objects that may take the place of what is damaged; not read yet.
  void look_for(const CheckReport& report, bool records_missing) {
    for (const DamagedObject& object : report.damaged) {
      if (parse_object_name(object.name)) {
        if (auto info = copy_.info(object.name)) wanted_.emplace(info->name, info->size);
      } else if (object.name == "repository" || object.name == "slot") {
        fill(object.name, [](const std::string&) { return true; });
      } else if (object.name.starts_with("record/")) {
        fill_gaps(object.name, false);
      }
    }
    if (report.damaged.empty() && !records_missing) return;
    fill("keyring", [](const std::string&) { return true; });   // entries are only ever added
    if (records_missing) fill_gaps("record", true);
  }

  void take(std::map<std::string, TakeOver>& found) {
    for (const auto& [name, size] : wanted_) {
      if (run_.cancel != nullptr) run_.cancel->check();
      if (!found.contains(name) && is_whole(copy_, name, size)) found.emplace(name, TakeOver{name, size, &copy_});
    }
  }

 private:
  template <class Test>
  void fill(const std::string& folder, Test test) {
    auto here = names_in(store_, folder);
    for (const auto& [name, size] : names_in(copy_, folder)) {
      if (!here.contains(name) && test(name)) wanted_.emplace(name, size);
    }
  }

  // Numbers that no record here has; without `further` only those below the last one.
  void fill_gaps(const std::string& folder, bool further) {
    std::map<WriterId, std::set<std::uint64_t>> numbers;
    for (const auto& [name, size] : names_in(store_, folder)) {
      ObjectName record = *parse_object_name(name);
      numbers[record.writer].insert(record.number);
    }
    fill(folder, [&](const std::string& name) {
      ObjectName record = *parse_object_name(name);
      const auto& known = numbers[record.writer];
      return !known.contains(record.number) && (further || (!known.empty() && record.number < *known.rbegin()));
    });
  }

  store::ObjectStore& store_;
  store::ObjectStore& copy_;
  const RunOptions& run_;
  std::map<std::string, std::uint64_t> wanted_;
};

}  // namespace

std::vector<TakeOver> find_in_copies(store::ObjectStore& store, const CheckReport& report, bool records_missing,
                                     const std::vector<store::ObjectStore*>& copies, const RunOptions& run) {
  std::map<std::string, TakeOver> found;
  for (store::ObjectStore* copy : copies) {
    refuse_another_repository(store, *copy);
    Search search(store, *copy, run);
    search.look_for(report, records_missing);
    search.take(found);
  }
  std::vector<TakeOver> objects;
  for (auto& [name, object] : found) objects.push_back(object);
  std::stable_sort(objects.begin(), objects.end(), [](const TakeOver& a, const TakeOver& b) {
    return rank(parse_object_name(a.name)->type) < rank(parse_object_name(b.name)->type);
  });
  return objects;
}

std::string take_over(store::ObjectStore& store, const TakeOver& object) {
  ObjectName name = *parse_object_name(object.name);
  Bytes bytes;
  try {
    bytes = object.from->get(object.name, object_limit(name.type));
    check_object_hash(bytes, name.hash, object.name);
  } catch (const Error& error) {
    if (error.code() != Code::damaged && error.code() != Code::not_found && error.code() != Code::io) throw;
    return "it cannot be read any more in " + object.from->location();
  }
  store.put(object.name, bytes);
  if (is_whole(store, object.name, bytes.size())) return "";
  return "what was read back is not what was written: check the disk of " + store.location();
}

}  // namespace holdfast::repository
