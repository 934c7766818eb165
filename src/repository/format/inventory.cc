#include "repository/format/inventory.h"

#include "base/error.h"
#include "base/wire.h"

namespace holdfast::repository {
namespace {

// A page ends after an object whose hash has its last 10 bits zero: 1,024 objects on average, 36 KB.
constexpr unsigned kCutMask = 0x3ff;
constexpr std::size_t kMaxEntries = 8192;
constexpr std::size_t kSmallestEntry = 2 + 32 + 1;
constexpr std::size_t kSaltSize = 16;

bool ends_page(const NeededObject& object) {
  const auto& h = object.hash.bytes;
  return ((static_cast<unsigned>(h[30]) << 8 | h[31]) & kCutMask) == 0;
}

Bytes encode_entries(std::uint8_t level, std::span<const NeededObject> entries) {
  Writer w;
  w.u8(level).varint(entries.size());
  for (const NeededObject& e : entries) w.u16(static_cast<std::uint16_t>(e.type)).raw(e.hash.view()).varint(e.size);
  return w.take();
}

NeededObject put_page(store::ObjectStore& store, const RepositoryId& repository, ByteView body, platform::Entropy& entropy) {
  Bytes salt(kSaltSize);
  entropy.fill(salt);
  Writer w;
  w.raw(encode_header({.type = ObjectType::inventory, .repository = repository, .writer = {}, .extra = salt})).raw(body);
  if (w.size() > object_limit(ObjectType::inventory)) {
    throw Error(Code::unsupported, "cannot store an inventory of so many objects: a page would be larger than the format allows");
  }
  NeededObject page{ObjectType::inventory, crypto::sha256(w.bytes()), w.size()};
  store.put(object_name(page.type, page.hash), w.bytes());
  return page;
}

std::vector<NeededObject> read_page(store::ObjectStore& store, const RepositoryId& repository, const crypto::Sha256& hash,
                                    std::uint64_t size, std::uint8_t level) {
  std::string name = object_name(ObjectType::inventory, hash);
  Bytes object = store.get(name, object_limit(ObjectType::inventory));
  check_object_hash(object, hash, name);
  ParsedObject parsed = parse_object(object, ObjectType::inventory, &repository, name);
  Reader r(parsed.rest, "object " + name);
  if (object.size() != size) r.damaged("it has another size than the inventory says");
  if (r.u8() != level) r.damaged("it is a page of another level");
  std::uint64_t count = r.varint();
  r.expect_count(count, kSmallestEntry);
  std::vector<NeededObject> entries;
  entries.reserve(static_cast<std::size_t>(count));
  for (std::uint64_t i = 0; i < count; ++i) {
    NeededObject e{static_cast<ObjectType>(r.u16()), r.id<crypto::Sha256>(), r.varint()};
    bool page = e.type == ObjectType::inventory;
    bool content = e.type == ObjectType::pack || e.type == ObjectType::index;
    if (level == 1 ? !page : !content) r.damaged("it lists an object of a type that it must not list");
    if (level == 0 && !entries.empty() && !(entries.back() < e)) r.damaged("its entries are not in order");
    entries.push_back(e);
  }
  r.expect_end();
  return entries;
}

}  // namespace

void KnownPages::take(store::ObjectStore& store, const RepositoryId& repository, const InventoryRoot& root,
                      const std::function<bool(const NeededObject&)>& usable) {
  auto take_page = [&](const NeededObject& page, std::uint8_t level) -> std::vector<NeededObject> {
    if (!usable(page)) return {};
    try {
      std::vector<NeededObject> entries = read_page(store, repository, page.hash, page.size, level);
      pages_.emplace(crypto::sha256(encode_entries(level, entries)), page);
      return entries;
    } catch (const Error& error) {
      if (error.code() != Code::damaged && error.code() != Code::not_found) throw;
      return {};
    }
  };
  for (const NeededObject& page : take_page({ObjectType::inventory, root.hash, root.size}, 1)) take_page(page, 0);
}

std::optional<NeededObject> KnownPages::find(std::uint8_t level, std::span<const NeededObject> entries) const {
  auto it = pages_.find(crypto::sha256(encode_entries(level, entries)));
  return it == pages_.end() ? std::nullopt : std::optional(it->second);
}

InventoryRoot put_inventory(store::ObjectStore& store, const RepositoryId& repository, const NeededObjects& objects,
                            platform::Entropy& entropy, const KnownPages& known, std::vector<NeededObject>* pages) {
  auto place = [&](std::uint8_t level, std::span<const NeededObject> entries) {
    std::optional<NeededObject> there = known.find(level, entries);
    NeededObject page = there ? *there : put_page(store, repository, encode_entries(level, entries), entropy);
    if (pages != nullptr) pages->push_back(page);
    return page;
  };
  std::vector<NeededObject> parts, entries;   // entries: of the page that is being filled
  NeededObject last;
  objects([&](const NeededObject& object) {
    if (!(last < object)) throw Error(Code::defect, "cannot store an inventory: its objects are out of order");
    last = object;
    entries.push_back(object);
    if (!ends_page(object) && entries.size() < kMaxEntries) return;
    parts.push_back(place(0, entries));
    entries.clear();
  });
  if (!entries.empty()) parts.push_back(place(0, entries));
  NeededObject root = place(1, parts);
  return {root.hash, root.size};
}

void read_inventory(store::ObjectStore& store, const RepositoryId& repository, const InventoryRoot& root,
                    const std::function<bool(const NeededObject&)>& page,
                    const std::function<void(const NeededObject&)>& object) {
  for (const NeededObject& p : read_page(store, repository, root.hash, root.size, 1)) {
    if (!page(p)) continue;
    for (const NeededObject& o : read_page(store, repository, p.hash, p.size, 0)) object(o);
  }
}

}  // namespace holdfast::repository
