// Stores for tests: one in memory, and one that fails, loses and lies on demand. Library holdfast_store_testing, never
// linked into the program. store_contract.h has the tests that every store must pass.
#pragma once

#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "base/error.h"
#include "platform/testing.h"
#include "store/object_store.h"

namespace holdfast::store {

// Objects in memory. Times count up by one second with every put.
class MemoryStore final : public ObjectStore {
 public:
  using Objects = std::map<std::string, Bytes>;

  using ObjectStore::put;
  void put(const std::string& name, std::span<const ByteView> parts) override;
  Bytes get(const std::string& name, std::uint64_t limit) override;
  void get_range(const std::string& name, std::uint64_t offset, MutableBytes out) override;
  std::optional<ObjectInfo> info(const std::string& name) override;
  void list(std::string_view prefix, const std::function<void(const ObjectInfo&)>& visit) override;
  void remove(const std::string& name) override;
  std::string location() const override { return "memory"; }
  std::optional<std::uint64_t> free_bytes() override;

  // What is in it, and putting an earlier or tampered state in its place: how a hostile store rolls back.
  Objects objects() const;
  void set_objects(Objects objects);
  // At most this many bytes in all: a put that goes over it is Error(no_space). nullopt: no limit.
  void set_capacity(std::optional<std::uint64_t> bytes);

 private:
  struct Kept {
    Bytes bytes;
    Timestamp modified;
  };
  std::uint64_t used() const;
  const Kept& find(const std::string& name) const;

  mutable std::mutex mutex_;
  std::map<std::string, Kept> kept_;
  std::int64_t puts_ = 0;
  std::optional<std::uint64_t> capacity_;
};

enum class StoreCall : std::uint8_t { put, sync, get, get_range, info, list, remove };
inline constexpr std::size_t kStoreCalls = 7;

// Around another store; counts its calls. What was put unsynced is gone when a sync fails, and when the program dies.
// Thread-safe.
class FaultyStore final : public ObjectStore {
 public:
  explicit FaultyStore(ObjectStore& inner) : inner_(inner) {}

  enum class Repeat : std::uint8_t { once, from_then_on };
  // The `nth` call from now (1 = the next; of `kind` only, when given) fails with `code` before it does anything.
  void fail(std::uint64_t nth, Repeat repeat, Code code = Code::unavailable, std::optional<StoreCall> kind = std::nullopt);
  // The program dies right after the `nth` put from now, unsynced or not, was done: that call and every later one throws platform::Killed.
  void kill_after_put(std::uint64_t nth);
  // From now on the object is not there, whatever is put.
  void drop(const std::string& name);
  // From now on this bit (0 = lowest of the first byte) of the object is wrong when it is read.
  void flip_bit(const std::string& name, std::uint64_t bit);
  // No fault any more; counters at zero.
  void reset();

  std::uint64_t calls() const;
  std::uint64_t calls(StoreCall kind) const;
  std::uint64_t bytes_put() const;    // of puts that succeeded
  std::uint64_t bytes_read() const;

  using ObjectStore::put;
  void put(const std::string& name, std::span<const ByteView> parts) override;
  void put_unsynced(const std::string& name, ByteView bytes) override;
  void sync() override;
  Bytes get(const std::string& name, std::uint64_t limit) override;
  void get_range(const std::string& name, std::uint64_t offset, MutableBytes out) override;
  std::optional<ObjectInfo> info(const std::string& name) override;
  void list(std::string_view prefix, const std::function<void(const ObjectInfo&)>& visit) override;
  void remove(const std::string& name) override;
  std::string location() const override { return inner_.location(); }
  std::optional<std::uint64_t> free_bytes() override { return inner_.free_bytes(); }

 private:
  struct Fault {
    std::uint64_t in = 0;
    Repeat repeat = Repeat::once;
    Code code = Code::unavailable;
    std::optional<StoreCall> kind;
  };
  void count(StoreCall kind, const std::string& name);
  void count_put(std::uint64_t size);
  void lose_unsynced();
  bool dropped(const std::string& name) const;
  void falsify(const std::string& name, std::uint64_t offset, MutableBytes bytes);

  ObjectStore& inner_;
  mutable std::mutex mutex_;
  std::array<std::uint64_t, kStoreCalls> counts_{};
  std::optional<Fault> fault_;
  std::optional<std::uint64_t> puts_to_live_;
  bool dead_ = false;
  std::set<std::string> dropped_, unsynced_;
  std::multimap<std::string, std::uint64_t> flipped_;
  std::uint64_t bytes_put_ = 0, bytes_read_ = 0;
};

}  // namespace holdfast::store
