#include "repository/index/catalog.h"

#include <algorithm>
#include <span>

#include "base/error.h"
#include "repository/index/segment_object.h"

namespace holdfast::repository {
namespace {

// From so many new chunks or segments on the index is kept for the next process: less is read faster than
// kept. Reading takes about 0.3 us a chunk, and a round trip to the store a segment.
constexpr std::uint64_t kKeepChunks = 20'000;
constexpr std::size_t kKeepSegments = 32;
constexpr std::uint64_t kMostInMemory = 500'000;
// An interrupted run goes on where it was when its packs are in a segment.
constexpr std::uint64_t kSegmentEvery = std::uint64_t{1} << 30, kSegmentDirectories = std::uint64_t{16} << 20;

}  // namespace

Catalog::Catalog(const DataContext& context)
    : context_(context),
      cache_(context.cache, context.repository),
      index_({context.cache, kMostInMemory, [this](Index::PackNumber number, const Index::Pack& pack) {
                return directory_again(number, pack);
              }}) {}

void Catalog::load() {
  std::lock_guard lock(mutex_);
  if (!loaded_) refresh_locked();
}

void Catalog::refresh() {
  std::lock_guard lock(mutex_);
  refresh_locked();
}

void Catalog::refresh_locked() {
  std::vector<SegmentMap::Segment> listed;
  context_.store.list(folder_of(ObjectType::index), [&](const store::ObjectInfo& info) {
    auto name = parse_object_name(info.name);
    if (name && name->type == ObjectType::index && !unreadable_segments_.contains(name->hash) &&
        (!loaded_ || !segments_.knows(name->hash)))
      listed.push_back({name->hash, info.size});
  });
  if (!loaded_ && index_.pack_count() == 0) open_cache(listed);
  for (const SegmentMap::Segment& segment : listed) {
    if (segments_.knows(segment.hash)) continue;
    try {
      read_segment(segment.hash, segment.size);
    } catch (const Error& error) {
      if (!is_damage(error)) throw;
      damage_[object_name(ObjectType::index, segment.hash)] = error.message();
      unreadable_segments_.insert(segment.hash);
      if (segments_.knows(segment.hash)) cache_trusted_ = false;  // part of it was read
    }
  }
  loaded_ = true;
  keep_cache();
}

Catalog::OpenSegment Catalog::open(const crypto::Sha256& hash) {
  OpenSegment segment{hash, open_segment(context_, hash), {}};
  segment.view = decode_segment(segment.plain, object_name(ObjectType::index, hash));
  return segment;
}

void Catalog::read_segment(const crypto::Sha256& hash, std::uint64_t size) {
  OpenSegment segment = open(hash);
  segments_.supersede(segment.view.superseded);
  SegmentMap::Number number = segments_.add({hash, size});
  ++segments_since_kept_;
  for (const SegmentView::Pack& pack : segment.view.packs) {
    std::string pack_name = object_name(ObjectType::pack, pack.hash);
    PackDirectory directory;
    if (!index_.number_of(pack.hash))
      directory = decode_directory(pack.directory, pack.header_length, pack.size, pack_name);
    segments_.list(index_.add(pack.hash, pack.size, pack.header_length, directory), number);
  }
}

// -- what this machine keeps

// Each of its segments must still be in the store: otherwise packs may have gone with it.
void Catalog::open_cache(const std::vector<SegmentMap::Segment>& listed) {
  std::optional<IndexCache::Content> kept = cache_.load();
  if (!kept) return;
  std::vector<crypto::Sha256> there;
  for (const SegmentMap::Segment& segment : listed) there.push_back(segment.hash);
  std::sort(there.begin(), there.end());
  for (const SegmentMap::Segment& segment : kept->segments.segments)
    if (!std::binary_search(there.begin(), there.end(), segment.hash)) return;
  index_.start_with(std::move(kept->runs));
  segments_.restore(std::move(kept->segments));
  kept_chunks_ = index_.chunk_count();
}

void Catalog::keep_cache() {
  if (!cache_trusted_ || !pending_.empty() || context_.cache.empty()) return;
  const std::uint64_t chunks = index_.chunk_count();
  const std::uint64_t fresh = cache_.exists() ? chunks - kept_chunks_ : chunks;
  if (fresh < kKeepChunks && segments_since_kept_ < kKeepSegments) return;
  segments_since_kept_ = 0;
  try {
    if (index_.save_runs(
            [&](const std::vector<std::string>& runs) { return cache_.save(runs, segments_.content()); }))
      kept_chunks_ = chunks;
  } catch (const Error&) {
    cache_trusted_ = false;  // it cannot be written: everything works without it
  }
}

// For a damaged run of the index. Called while the Index is locked.
PackDirectory Catalog::directory_again(Index::PackNumber number, const Index::Pack& pack) {
  cache_.forget();
  try {
    if (auto segment = segments_.segment_of(number)) {
      if (!healing_from_ || healing_from_->hash != segment->hash) healing_from_ = open(segment->hash);
      for (const SegmentView::Pack& listed : healing_from_->view.packs)
        if (listed.hash == pack.hash)
          return decode_directory(listed.directory, listed.header_length, listed.size, pack.name());
    }
  } catch (const Error& error) {
    if (!is_damage(error)) throw;
  }
  try {
    return decode_directory(
        read_directory(context_.store, pack.name(), pack.size, context_.repository, context_.keyring).encoded,
        pack.header_length, pack.size, pack.name());
  } catch (const Error& error) {
    if (!is_damage(error)) throw;
    return {};  // the pack is gone or damaged: nothing can be read from it anyway
  }
}

void Catalog::adopt_pack(const crypto::Sha256& hash, std::uint64_t size) {
  std::string name = object_name(ObjectType::pack, hash);
  try {
    StoredDirectory stored =
        read_directory(context_.store, name, size, context_.repository, context_.keyring);
    PackDirectory directory = decode_directory(stored.encoded, stored.header_length, size, name);
    context_.store.list(name, [](const store::ObjectInfo&) {});  // makes it durable
    index_.add(hash, size, stored.header_length, directory);
    pending_size_.pack_bytes += size;
    pending_size_.directory_bytes += stored.encoded.size();
    pending_.push_back({hash, size, stored.header_length, std::move(stored.encoded)});
  } catch (const Error& error) {
    if (!is_damage(error)) throw;
    damage_[name] = error.message();
    unreadable_packs_.insert(hash);
  }
}

void Catalog::adopt_unlisted() {
  std::lock_guard lock(mutex_);
  refresh_locked();
  std::vector<std::pair<crypto::Sha256, std::uint64_t>> unlisted;
  context_.store.list(folder_of(ObjectType::pack), [&](const store::ObjectInfo& info) {
    auto name = parse_object_name(info.name);
    if (name && name->type == ObjectType::pack && !index_.number_of(name->hash) &&
        !unreadable_packs_.contains(name->hash)) {
      unlisted.emplace_back(name->hash, info.size);
    }
  });
  for (const auto& [hash, size] : unlisted) adopt_pack(hash, size);
}

void Catalog::match_with_store() {
  bool segments_damaged;
  {
    std::lock_guard lock(mutex_);
    segments_damaged = !damage_.empty();
  }
  if (segments_damaged) adopt_unlisted();  // so that the next segment lists again what was lost

  std::vector<bool> present(index_.pack_count(), false);
  context_.store.list(folder_of(ObjectType::pack), [&](const store::ObjectInfo& info) {
    auto name = parse_object_name(info.name);
    if (!name || name->type != ObjectType::pack) return;
    std::optional<Index::PackNumber> number = index_.number_of(name->hash);
    if (number && *number < present.size()) present[*number] = index_.pack(*number).size == info.size;
  });
  std::scoped_lock lock(writing_, mutex_);
  for (Index::PackNumber pack = 0; pack < present.size(); ++pack)
    index_.set_usable(pack, present[pack] && !damaged_packs_.contains(pack) && !is_condemned(pack));
  std::erase_if(pending_, [&](const SegmentPack& pack) {
    Index::PackNumber number = index_.number_of(pack.hash).value();
    return number < present.size() && !present[number];
  });
  measure_pending();
}

void Catalog::avoid(std::function<bool(const std::string&)> condemned) {
  std::lock_guard lock(mutex_);
  condemned_ = std::move(condemned);
}

bool Catalog::is_condemned(Index::PackNumber pack) const {
  if (!condemned_) return false;
  if (condemned_(index_.pack(pack).name())) return true;
  std::optional<SegmentMap::Segment> segment = segments_.segment_of(pack);
  return segment && condemned_(object_name(ObjectType::index, segment->hash));
}

void Catalog::mark_damaged(Index::PackNumber pack) {
  std::lock_guard lock(mutex_);
  damaged_packs_.insert(pack);
  index_.set_usable(pack, false);
  cache_.forget();  // should it be to blame, the next process does not believe it
  cache_trusted_ = false;
}

Index::PackNumber Catalog::written(SegmentPack pack, const PackDirectory& directory) {
  std::lock_guard lock(mutex_);
  Index::PackNumber number = index_.add(pack.hash, pack.size, pack.header_length, directory);
  pending_size_.pack_bytes += pack.size;
  pending_size_.directory_bytes += pack.directory.size();
  pending_.push_back(std::move(pack));
  return number;
}

bool Catalog::has_pending() {
  std::lock_guard lock(mutex_);
  return !pending_.empty();
}

void Catalog::write_segment(const SessionSetup& setup) {
  std::lock_guard one_at_a_time(writing_);
  write_pending(setup);
}

void Catalog::write_segment_when_due(const SessionSetup& setup) {
  std::unique_lock one_at_a_time(writing_, std::try_to_lock);
  if (!one_at_a_time) return;
  {
    std::lock_guard lock(mutex_);
    if (pending_size_.pack_bytes < kSegmentEvery && pending_size_.directory_bytes < kSegmentDirectories) return;
  }
  write_pending(setup);
}

// What a segment lists is durable before. The others go on writing packs while the disk flushes.
void Catalog::write_pending(const SessionSetup& setup) {
  std::size_t count;
  {
    std::lock_guard lock(mutex_);
    count = pending_.size();
  }
  if (count == 0) return;
  try {
    context_.store.sync();
  } catch (const Error&) {
    give_up_pending();
    throw;
  }
  std::lock_guard lock(mutex_);
  const std::span<const SegmentPack> listed = std::span(pending_).first(count);
  NeededObject segment = put_segment(context_, setup.writer, setup.signing_key, {}, listed);
  SegmentMap::Number number = segments_.add({segment.hash, segment.size});
  ++segments_since_kept_;
  for (const SegmentPack& pack : listed) segments_.list(index_.number_of(pack.hash).value(), number);
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(count));
  measure_pending();
  keep_cache();
}

// They may be lost, and so may one that another thread is about to add: match_with_store() drops that.
void Catalog::give_up_pending() {
  std::lock_guard lock(mutex_);
  for (const SegmentPack& pack : pending_) {
    Index::PackNumber number = index_.number_of(pack.hash).value();
    damaged_packs_.insert(number);
    index_.set_usable(number, false);
  }
  pending_.clear();
  measure_pending();
}

void Catalog::measure_pending() {
  pending_size_ = {};
  for (const SegmentPack& pack : pending_) {
    pending_size_.pack_bytes += pack.size;
    pending_size_.directory_bytes += pack.directory.size();
  }
}

NeededObjects Catalog::with_segments(PackSet packs) {
  std::map<crypto::Sha256, std::uint64_t> segments;
  packs.each([&](Index::PackNumber number) {
    std::optional<SegmentMap::Segment> segment = segments_.segment_of(number);
    if (!segment)
      throw Error(Code::defect, "cannot publish: " + index_.pack(number).name() + " is in no index segment");
    segments[segment->hash] = segment->size;
  });
  return [this, packs = std::move(packs), segments = std::move(segments)](const auto& visit) {
    index_.each_by_hash(packs, [&](const Index::Pack& pack) { visit({ObjectType::pack, pack.hash, pack.size}); });
    for (const auto& [hash, size] : segments) visit({ObjectType::index, hash, size});
  };
}

}  // namespace holdfast::repository
