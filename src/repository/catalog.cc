#include "repository/catalog.h"

#include <algorithm>

#include "base/error.h"
#include "base/wire.h"

namespace holdfast::repository {
namespace {

constexpr std::uint32_t kNoSegment = 0xffffffff;

// What is the object's own fault; everything else is the store's and may be over the next time.
bool is_damage(const Error& error) {
  return error.code() == Code::damaged || error.code() == Code::not_found ||
         error.code() == Code::unsupported;
}

}  // namespace

void Catalog::load() {
  std::lock_guard lock(mutex_);
  if (!loaded_) refresh_locked();
}

void Catalog::refresh() {
  std::lock_guard lock(mutex_);
  refresh_locked();
}

void Catalog::refresh_locked() {
  std::vector<std::pair<crypto::Sha256, std::uint64_t>> fresh;
  context_.store.list(folder_of(ObjectType::index), [&](const store::ObjectInfo& info) {
    auto name = parse_object_name(info.name);
    if (name && name->type == ObjectType::index && !seen_.contains(name->hash))
      fresh.emplace_back(name->hash, info.size);
  });
  for (const auto& [hash, size] : fresh) {
    try {
      read_segment(hash, size);
    } catch (const Error& error) {
      if (!is_damage(error)) throw;
      damage_[object_name(ObjectType::index, hash)] = error.message();
    }
    seen_.insert(hash);
  }
  for (Segment& segment : segments_) segment.superseded = superseded_.contains(segment.hash);
  loaded_ = true;
}

void Catalog::read_segment(const crypto::Sha256& hash, std::uint64_t size) {
  std::string name = object_name(ObjectType::index, hash);
  Bytes plain;
  {
    Bytes object = context_.store.get(name, object_limit(ObjectType::index));
    check_object_hash(object, hash, name);
    ParsedObject parsed = parse_object(object, ObjectType::index, &context_.repository, name);
    std::optional<crypto::VerifyKey> writer = context_.keyring.verify_key(parsed.header.writer);
    if (!writer)
      throw Error(Code::damaged, "object " + name + " is damaged: its writer is not in the keyring");
    ByteView body = check_signature(object, *writer, name).subspan(parsed.header_bytes.size());
    const Epoch& epoch = context_.keyring.epoch(parsed.header.epoch, name);
    plain = open_body(epoch.meta_key.view(), ObjectType::index, parsed.header_bytes, body, name);
  }
  SegmentView view = decode_segment(plain, name);
  superseded_.insert(view.superseded.begin(), view.superseded.end());
  auto number = static_cast<std::uint32_t>(segments_.size());
  segments_.push_back({hash, size});
  for (const SegmentView::Pack& pack : view.packs) {
    std::string pack_name = object_name(ObjectType::pack, pack.hash);
    PackDirectory directory;
    if (!index_.number_of(pack.hash))
      directory = decode_directory(pack.directory, pack.header_length, pack.size, pack_name);
    list_pack(index_.add(pack.hash, pack.size, pack.header_length, directory), number);
  }
}

// A pack keeps the first segment that lists it until that one is superseded.
void Catalog::list_pack(Index::PackNumber pack, std::uint32_t segment) {
  if (segment_of_.size() <= pack) segment_of_.resize(pack + 1, kNoSegment);
  std::uint32_t& current = segment_of_[pack];
  if (current == kNoSegment || superseded_.contains(segments_[current].hash)) current = segment;
}

void Catalog::adopt_pack(const crypto::Sha256& hash, std::uint64_t size) {
  std::string name = object_name(ObjectType::pack, hash);
  try {
    StoredDirectory stored =
        read_directory(context_.store, name, size, context_.repository, context_.keyring);
    PackDirectory directory = decode_directory(stored.encoded, stored.header_length, size, name);
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
  std::lock_guard lock(mutex_);
  for (Index::PackNumber pack = 0; pack < present.size(); ++pack)
    index_.set_usable(pack, present[pack] && !damaged_packs_.contains(pack));
}

void Catalog::mark_damaged(Index::PackNumber pack) {
  std::lock_guard lock(mutex_);
  damaged_packs_.insert(pack);
  index_.set_usable(pack, false);
}

Index::PackNumber Catalog::written(SegmentPack pack, const PackDirectory& directory) {
  std::lock_guard lock(mutex_);
  Index::PackNumber number = index_.add(pack.hash, pack.size, pack.header_length, directory);
  pending_size_.pack_bytes += pack.size;
  pending_size_.directory_bytes += pack.directory.size();
  pending_.push_back(std::move(pack));
  return number;
}

Catalog::Pending Catalog::pending() {
  std::lock_guard lock(mutex_);
  return pending_size_;
}

void Catalog::write_segment(const SessionSetup& setup) {
  std::lock_guard lock(mutex_);
  if (pending_.empty()) return;
  const Epoch& epoch = context_.keyring.current();
  ObjectHeader header;
  header.type = ObjectType::index;
  header.epoch = epoch.number;
  header.repository = context_.repository;
  header.writer = setup.writer;
  Bytes object = encode_header(header);
  Bytes body = seal_body(epoch.meta_key.view(), ObjectType::index, object, encode_segment({}, pending_),
                         context_.entropy);
  object.insert(object.end(), body.begin(), body.end());
  append_signature(object, setup.signing_key);
  crypto::Sha256 hash = crypto::sha256(object);
  context_.store.put(object_name(ObjectType::index, hash), object);

  auto number = static_cast<std::uint32_t>(segments_.size());
  segments_.push_back({hash, object.size()});
  seen_.insert(hash);
  for (const SegmentPack& pack : pending_) list_pack(index_.number_of(pack.hash).value(), number);
  pending_.clear();
  pending_size_ = {};
}

std::vector<NeededObject> Catalog::with_segments(const std::set<Index::PackNumber>& packs) {
  std::lock_guard lock(mutex_);
  std::vector<NeededObject> needed;
  std::set<std::uint32_t> segments;
  for (Index::PackNumber number : packs) {
    Index::Pack pack = index_.pack(number);
    needed.push_back({ObjectType::pack, pack.hash, pack.size});
    std::uint32_t segment = number < segment_of_.size() ? segment_of_[number] : kNoSegment;
    if (segment == kNoSegment)
      throw Error(Code::defect, "cannot publish: " + pack.name() + " is in no index segment");
    segments.insert(segment);
  }
  for (std::uint32_t segment : segments)
    needed.push_back({ObjectType::index, segments_[segment].hash, segments_[segment].size});
  std::sort(needed.begin(), needed.end());
  return needed;
}

}  // namespace holdfast::repository
