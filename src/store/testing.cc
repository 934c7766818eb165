#include "store/testing.h"

#include <algorithm>
#include <numeric>

namespace holdfast::store {
namespace {

std::uint64_t total_size(std::span<const ByteView> parts) {
  return std::accumulate(parts.begin(), parts.end(), std::uint64_t{0},
                         [](std::uint64_t sum, ByteView p) { return sum + p.size(); });
}

Error no_object(const std::string& name) {
  return Error(Code::not_found, "there is no object " + name + " in memory");
}

bool holds(ByteView bytes, std::span<const ByteView> parts) {
  for (ByteView p : parts) {
    if (!std::equal(p.begin(), p.end(), bytes.begin())) return false;
    bytes = bytes.subspan(p.size());
  }
  return true;
}

}  // namespace

void MemoryStore::put(const std::string& name, std::span<const ByteView> parts) {
  check_name(name);
  std::lock_guard lock(mutex_);
  std::uint64_t size = total_size(parts);
  auto old = kept_.find(name);
  if (old != kept_.end() && old->second.bytes.size() == size && holds(old->second.bytes, parts)) return;
  if (capacity_ && used() + size > *capacity_)
    throw Error(Code::no_space, "cannot store " + name + " in memory");
  Kept kept{{}, {++puts_, 0}};
  kept.bytes.reserve(static_cast<std::size_t>(size));
  for (ByteView p : parts) kept.bytes.insert(kept.bytes.end(), p.begin(), p.end());
  kept_[name] = std::move(kept);
}

const MemoryStore::Kept& MemoryStore::find(const std::string& name) const {
  check_name(name);
  auto it = kept_.find(name);
  if (it == kept_.end()) throw no_object(name);
  return it->second;
}

Bytes MemoryStore::get(const std::string& name, std::uint64_t limit) {
  std::lock_guard lock(mutex_);
  const Bytes& bytes = find(name).bytes;
  if (bytes.size() > limit) throw Error(Code::damaged, "object " + name + " in memory is too large");
  return bytes;
}

void MemoryStore::get_range(const std::string& name, std::uint64_t offset, MutableBytes out) {
  std::lock_guard lock(mutex_);
  const Bytes& bytes = find(name).bytes;
  if (offset > bytes.size() || out.size() > bytes.size() - offset)
    throw Error(Code::damaged, "object " + name + " in memory is too short");
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
}

std::optional<ObjectInfo> MemoryStore::info(const std::string& name) {
  check_name(name);
  std::lock_guard lock(mutex_);
  auto it = kept_.find(name);
  if (it == kept_.end()) return std::nullopt;
  return ObjectInfo{name, it->second.bytes.size(), it->second.modified};
}

void MemoryStore::list(std::string_view prefix, const std::function<void(const ObjectInfo&)>& visit) {
  std::vector<ObjectInfo> found;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [name, kept] : kept_)
      if (has_prefix(name, prefix)) found.push_back({name, kept.bytes.size(), kept.modified});
  }
  for (const ObjectInfo& object : found) visit(object);
}

void MemoryStore::remove(const std::string& name) {
  check_name(name);
  std::lock_guard lock(mutex_);
  kept_.erase(name);
}

std::uint64_t MemoryStore::used() const {
  return std::accumulate(kept_.begin(), kept_.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const auto& kept) { return sum + kept.second.bytes.size(); });
}

std::optional<std::uint64_t> MemoryStore::free_bytes() {
  std::lock_guard lock(mutex_);
  if (!capacity_) return std::nullopt;
  return *capacity_ - std::min(*capacity_, used());
}

MemoryStore::Objects MemoryStore::objects() const {
  std::lock_guard lock(mutex_);
  Objects all;
  for (const auto& [name, kept] : kept_) all[name] = kept.bytes;
  return all;
}

void MemoryStore::set_objects(Objects objects) {
  std::lock_guard lock(mutex_);
  kept_.clear();
  for (auto& [name, bytes] : objects) kept_[name] = {std::move(bytes), {++puts_, 0}};
}

void MemoryStore::set_capacity(std::optional<std::uint64_t> bytes) {
  std::lock_guard lock(mutex_);
  capacity_ = bytes;
}

void FaultyStore::fail(std::uint64_t nth, Repeat repeat, Code code, std::optional<StoreCall> kind) {
  std::lock_guard lock(mutex_);
  fault_ = Fault{nth, repeat, code, kind};
}

void FaultyStore::kill_after_put(std::uint64_t nth) {
  std::lock_guard lock(mutex_);
  puts_to_live_ = nth;
}

void FaultyStore::drop(const std::string& name) {
  std::lock_guard lock(mutex_);
  dropped_.insert(name);
}

void FaultyStore::flip_bit(const std::string& name, std::uint64_t bit) {
  std::lock_guard lock(mutex_);
  flipped_.emplace(name, bit);
}

void FaultyStore::reset() {
  std::lock_guard lock(mutex_);
  counts_ = {};
  fault_.reset();
  puts_to_live_.reset();
  dead_ = false;
  dropped_.clear();
  unsynced_.clear();
  flipped_.clear();
  bytes_put_ = bytes_read_ = 0;
}

std::uint64_t FaultyStore::calls() const {
  std::lock_guard lock(mutex_);
  return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

std::uint64_t FaultyStore::calls(StoreCall kind) const {
  std::lock_guard lock(mutex_);
  return counts_[static_cast<std::size_t>(kind)];
}

std::uint64_t FaultyStore::bytes_put() const {
  std::lock_guard lock(mutex_);
  return bytes_put_;
}

std::uint64_t FaultyStore::bytes_read() const {
  std::lock_guard lock(mutex_);
  return bytes_read_;
}

void FaultyStore::count(StoreCall kind, const std::string& name) {
  std::lock_guard lock(mutex_);
  if (dead_) throw platform::Killed{};
  ++counts_[static_cast<std::size_t>(kind)];
  if (!fault_ || (fault_->kind && *fault_->kind != kind)) return;
  if (fault_->in > 1) {
    --fault_->in;
    return;
  }
  Code code = fault_->code;
  if (fault_->repeat == Repeat::once) fault_.reset();
  throw Error(code, "cannot use object " + name + " (made to fail)");
}

bool FaultyStore::dropped(const std::string& name) const {
  std::lock_guard lock(mutex_);
  return dropped_.contains(name);
}

void FaultyStore::put(const std::string& name, std::span<const ByteView> parts) {
  count(StoreCall::put, name);
  inner_.put(name, parts);
  count_put(total_size(parts));
}

void FaultyStore::put_unsynced(const std::string& name, ByteView bytes) {
  count(StoreCall::put, name);
  const bool fresh = !inner_.info(name);
  inner_.put(name, bytes);
  if (fresh) {
    std::lock_guard lock(mutex_);
    unsynced_.insert(name);
  }
  count_put(bytes.size());
}

void FaultyStore::count_put(std::uint64_t size) {
  std::lock_guard lock(mutex_);
  bytes_put_ += size;
  if (!puts_to_live_ || --*puts_to_live_ > 0) return;
  dead_ = true;
  lose_unsynced();
  throw platform::Killed{};
}

void FaultyStore::sync() {
  try {
    count(StoreCall::sync, "everything unsynced");
  } catch (const Error&) {
    std::lock_guard lock(mutex_);
    lose_unsynced();
    throw;
  }
  inner_.sync();
  std::lock_guard lock(mutex_);
  unsynced_.clear();
}

// Called with the lock held.
void FaultyStore::lose_unsynced() {
  for (const std::string& name : unsynced_) inner_.remove(name);
  unsynced_.clear();
}

Bytes FaultyStore::get(const std::string& name, std::uint64_t limit) {
  count(StoreCall::get, name);
  if (dropped(name)) throw no_object(name);
  Bytes bytes = inner_.get(name, limit);
  falsify(name, 0, bytes);
  return bytes;
}

void FaultyStore::get_range(const std::string& name, std::uint64_t offset, MutableBytes out) {
  count(StoreCall::get_range, name);
  if (dropped(name)) throw no_object(name);
  inner_.get_range(name, offset, out);
  falsify(name, offset, out);
}

void FaultyStore::falsify(const std::string& name, std::uint64_t offset, MutableBytes bytes) {
  std::lock_guard lock(mutex_);
  bytes_read_ += bytes.size();
  auto [from, to] = flipped_.equal_range(name);
  for (auto it = from; it != to; ++it) {
    std::uint64_t byte = it->second / 8;
    if (byte >= offset && byte - offset < bytes.size())
      bytes[static_cast<std::size_t>(byte - offset)] ^= static_cast<std::uint8_t>(1U << (it->second % 8));
  }
}

std::optional<ObjectInfo> FaultyStore::info(const std::string& name) {
  count(StoreCall::info, name);
  if (dropped(name)) return std::nullopt;
  return inner_.info(name);
}

void FaultyStore::list(std::string_view prefix, const std::function<void(const ObjectInfo&)>& visit) {
  count(StoreCall::list, std::string(prefix));
  inner_.list(prefix, [&](const ObjectInfo& object) {
    if (!dropped(object.name)) visit(object);
  });
}

void FaultyStore::remove(const std::string& name) {
  count(StoreCall::remove, name);
  inner_.remove(name);
}

}  // namespace holdfast::store
