#include "repository/index/index.h"

#include <algorithm>
#include <mutex>

#include "base/error.h"
#include "base/text.h"
#include "base/wire.h"

namespace holdfast::repository {
namespace {

constexpr std::size_t kMergeFrom = 4;       // runs of about one size
constexpr std::uint64_t kAboutOneSize = 3;  // the first of them at most this many times the last
constexpr std::size_t kPacksAtOnce = 4096;  // between two looks at the runs

}  // namespace

Index::Index() : Index(Options()) {}

Index::Index(Options options) : options_(std::move(options)), spill_at_(options_.most_in_memory) {}

// -- lookups

// A damaged run is made again from the packs, and the lookup repeated.
template <class Look>
auto Index::reading(Look look) const {
  while (true) {
    const IndexRun* damaged;
    try {
      std::shared_lock lock(mutex_);
      return look();
    } catch (const RunDamaged& error) {
      damaged = error.run();
    }
    heal(damaged);
  }
}

template <class Visit>
void Index::each(const ChunkId& id, Visit visit) const {
  if (!table_.each(id, [&](const PackedLocation& at) { return visit(at.unpacked()); })) return;
  for (const auto& run : runs_) {
    std::uint64_t place = run->first_place(id);
    while (std::optional<PackedLocation> at = run->at(place++, id)) {
      if (!visit(at->unpacked())) return;
    }
  }
}

const IndexRun& Index::run_of(PackNumber pack) const {
  for (const auto& run : runs_)
    if (run->has(pack)) return *run;
  throw Error(Code::defect, "cannot look up pack " + std::to_string(pack) + ": the index has no such number");
}

Index::Frame Index::frame_locked(PackNumber pack, std::uint32_t number) const {
  return table_.has(pack) ? table_.frame(pack, number) : run_of(pack).frame(pack, number);
}

std::vector<Index::Location> Index::find(const ChunkId& id) const {
  return reading([&] {
    std::vector<Location> places;
    each(id, [&](const Location& at) {
      places.push_back(at);
      return true;
    });
    std::stable_partition(places.begin(), places.end(), [&](const Location& at) { return usable_[at.pack]; });
    return places;
  });
}

// Whether what the place's frame builds on is in a usable pack: this one.
bool Index::base_usable(const Location& at, PackNumber* base_pack) const {
  bool found = false;
  each(frame_locked(at.pack, at.frame).base, [&](const Location& base) {
    found = usable_[base.pack];
    if (found && base_pack) *base_pack = base.pack;
    return !found;
  });
  return found;
}

std::optional<Index::Location> Index::find_usable(const ChunkId& id) const {
  return reading([&] {
    std::optional<Location> place;
    each(id, [&](const Location& at) {
      if (usable_[at.pack] && (!at.on_base || base_usable(at, nullptr))) place = at;
      return !place;
    });
    return place;
  });
}

std::vector<Index::PackNumber> Index::packs_for(const Location& at) const {
  return reading([&] {
    std::vector<PackNumber> packs{at.pack};
    PackNumber base = 0;
    if (at.on_base && base_usable(at, &base)) packs.push_back(base);
    return packs;
  });
}

Index::Frame Index::frame(PackNumber pack, std::uint32_t number) const {
  return reading([&] { return frame_locked(pack, number); });
}

Index::Pack Index::pack(PackNumber number) const {
  return reading([&] { return pack_locked(number); });
}

Index::Pack Index::pack_locked(PackNumber number) const {
  const PackRecord record = table_.has(number) ? table_.pack(number) : run_of(number).pack(number);
  return record.unpacked(usable_[number]);
}

void Index::each_by_hash(const PackSet& packs, const std::function<void(const Pack&)>& visit) const {
  std::optional<crypto::Sha256> last;
  while (true) {
    std::vector<Pack> some = reading([&] { return some_by_hash(packs, last); });
    for (const Pack& pack : some) visit(pack);
    if (some.size() < kPacksAtOnce) return;
    last = some.back().hash;
  }
}

// Merges what runs and table have behind that hash.
std::vector<Index::Pack> Index::some_by_hash(const PackSet& packs,
                                             const std::optional<crypto::Sha256>& after) const {
  std::vector<std::function<std::optional<PackNumber>()>> sources;  // each tells its next one
  for (const auto& run : runs_)
    sources.push_back([run = run.get(), place = after ? run->place_behind(*after) : 0]() mutable {
      return place < run->counts().packs ? std::optional(run->in_order(place++)) : std::nullopt;
    });
  const auto& in_table = table_.numbers();
  sources.push_back([at = after ? in_table.upper_bound(*after) : in_table.begin(), &in_table]() mutable {
    return at != in_table.end() ? std::optional((at++)->second) : std::nullopt;
  });

  std::vector<std::optional<Pack>> heads(sources.size());
  auto advance = [&](std::size_t k) {
    std::optional<PackNumber> number = sources[k]();
    while (number && !packs.contains(*number)) number = sources[k]();
    heads[k] = number ? std::optional(pack_locked(*number)) : std::nullopt;
  };
  for (std::size_t k = 0; k < sources.size(); ++k) advance(k);
  std::vector<Pack> found;
  while (found.size() < kPacksAtOnce) {
    auto first = std::min_element(heads.begin(), heads.end(), [](const auto& a, const auto& b) {
      return a && (!b || a->hash < b->hash);
    });
    if (!*first) break;
    found.push_back(**first);
    advance(static_cast<std::size_t>(first - heads.begin()));
  }
  return found;
}

std::optional<Index::PackNumber> Index::number_of_locked(const crypto::Sha256& pack) const {
  if (auto number = table_.number_of(pack)) return number;
  for (const auto& run : runs_)
    if (auto number = run->number_of(pack)) return number;
  return std::nullopt;
}

std::optional<Index::PackNumber> Index::number_of(const crypto::Sha256& pack) const {
  return reading([&] { return number_of_locked(pack); });
}

std::size_t Index::pack_count() const {
  std::shared_lock lock(mutex_);
  return table_.next_pack();
}

std::uint64_t Index::chunk_count() const {
  std::shared_lock lock(mutex_);
  std::uint64_t count = table_.chunk_count();
  for (const auto& run : runs_) count += run->counts().chunks;
  return count;
}

std::size_t Index::run_count() const {
  std::shared_lock lock(mutex_);
  return runs_.size();
}

void Index::set_usable(PackNumber pack, bool usable) {
  std::unique_lock lock(mutex_);
  usable_.at(pack) = usable;
}

// -- growing

Index::PackNumber Index::add(const crypto::Sha256& pack, std::uint64_t size, std::uint32_t header_length,
                             const PackDirectory& directory) {
  std::unique_lock lock(mutex_);
  if (auto known = number_of_locked(pack)) return *known;
  PackNumber number = table_.add(pack, size, header_length, directory);
  usable_.push_back(true);
  if (table_.weight() >= spill_at_) {
    try {
      spill();
      spill_at_ = options_.most_in_memory;
    } catch (const Error&) {
      spill_at_ = table_.weight() * 2;  // no room for a file: memory will do for now
    }
  }
  return number;
}

// In the folder when that can be written, else in the system's temporary folder.
std::unique_ptr<IndexRun> Index::in_file(
    const std::function<std::unique_ptr<IndexRun>(const platform::Path&)>& make) const {
  if (!options_.folder.empty()) {
    try {
      return make(options_.folder);
    } catch (const RunDamaged&) {
      throw;
    } catch (const Error&) {
    }
  }
  return make({});
}

void Index::spill() {
  runs_.push_back(in_file([&](const platform::Path& folder) { return table_.write(folder); }));
  table_ = IndexTable(table_.next_pack());
  settle();
}

void Index::settle() {
  while (runs_.size() >= kMergeFrom) {
    auto first = runs_.end() - kMergeFrom;
    if ((*first)->counts().chunks > kAboutOneSize * runs_.back()->counts().chunks) return;
    std::vector<const IndexRun*> sources;
    for (auto run = first; run != runs_.end(); ++run) sources.push_back(run->get());
    std::unique_ptr<IndexRun> merged;
    try {
      merged = in_file([&](const platform::Path& folder) { return IndexRun::merged(sources, folder); });
    } catch (const Error&) {
      return;  // no room, or damaged: a lookup will heal that; the next spill tries again
    }
    runs_.erase(first, runs_.end());
    runs_.push_back(std::move(merged));
  }
}

void Index::heal(const IndexRun* damaged) const {
  std::unique_lock lock(mutex_);
  auto at = std::find_if(runs_.begin(), runs_.end(), [&](const auto& run) { return run.get() == damaged; });
  if (at == runs_.end()) return;  // another thread did it
  if (!options_.directory_of) throw RunDamaged(damaged);
  std::vector<std::unique_ptr<IndexRun>> made;
  IndexTable part(damaged->first_pack());
  auto write = [&] {
    made.push_back(in_file([&](const platform::Path& folder) { return part.write(folder); }));
    part = IndexTable(part.next_pack());
  };
  for (PackNumber number = damaged->first_pack(); damaged->has(number); ++number) {
    Pack pack = damaged->pack(number).unpacked(true);
    part.add(pack.hash, pack.size, pack.header_length, options_.directory_of(number, pack));
    if (part.weight() >= options_.most_in_memory) write();
  }
  if (!part.empty()) write();
  (*at)->discard();
  at = runs_.erase(at);
  runs_.insert(at, std::make_move_iterator(made.begin()), std::make_move_iterator(made.end()));
}

// -- runs that outlive the process

void Index::start_with(std::vector<std::unique_ptr<IndexRun>> runs) {
  std::unique_lock lock(mutex_);
  runs_ = std::move(runs);
  PackNumber next = 0;
  for (const auto& run : runs_) next += static_cast<PackNumber>(run->counts().packs);
  table_ = IndexTable(next);
  usable_.assign(next, true);
}

bool Index::save_runs(const std::function<bool(const std::vector<std::string>&)>& save) {
  std::unique_lock lock(mutex_);
  auto named = [](const auto& run) { return !run->name().empty(); };
  if (options_.folder.empty() || !std::all_of(runs_.begin(), runs_.end(), named)) return false;
  if (!table_.empty()) spill();
  if (!std::all_of(runs_.begin(), runs_.end(), named)) return false;
  std::vector<std::string> names;
  for (const auto& run : runs_) names.push_back(run->name());
  if (!save(names)) return false;
  for (const auto& run : runs_) run->keep();
  return true;
}

// -- segments

Bytes encode_segment(const std::vector<crypto::Sha256>& superseded, std::span<const SegmentPack> packs) {
  Writer w;
  w.varint(superseded.size());
  for (const crypto::Sha256& hash : superseded) w.raw(hash.view());
  w.varint(packs.size());
  for (const SegmentPack& pack : packs)
    w.raw(pack.hash.view()).varint(pack.size).varint(pack.header_length).blob(pack.directory);
  return w.take();
}

SegmentView decode_segment(ByteView plain, std::string_view name) {
  Reader r(plain, "index segment " + printable(name));
  SegmentView view;
  std::uint64_t superseded = r.varint();
  r.expect_count(superseded, crypto::Sha256::kSize);
  for (std::uint64_t i = 0; i < superseded; ++i) view.superseded.push_back(r.id<crypto::Sha256>());
  std::uint64_t packs = r.varint();
  r.expect_count(packs, crypto::Sha256::kSize + 3);
  view.packs.reserve(static_cast<std::size_t>(packs));
  for (std::uint64_t i = 0; i < packs; ++i) {
    SegmentView::Pack pack;
    pack.hash = r.id<crypto::Sha256>();
    pack.size = r.varint();
    std::uint64_t header = r.varint();
    if (header < kHeaderSize || header > kMaxHeaderSize) r.damaged("a pack's header has an impossible size");
    pack.header_length = static_cast<std::uint32_t>(header);
    pack.directory = r.blob();
    view.packs.push_back(pack);
  }
  r.expect_end();
  return view;
}

}  // namespace holdfast::repository
