// Objects by name: all that a repository needs from the place where it lives. docs/repository-format.md "The store".
//
// A store must promise: put is all or nothing and durable when it returns; an object is readable and listed as soon
// as put has returned (put_unsynced: for others from sync() on). It needs no rename, no conditional write and no common clock. Object names are made of the
// hash of the content, so putting one name twice with the same bytes is normal and harmless.
//
// Names: two or more segments of [a-z0-9-] separated by '/', at most 200 bytes: "pack/<64 hex>",
// "record/<32 hex>/0000000001-<64 hex>".
// Errors: not_found (get of a missing name), permission, no_space, unavailable (retry), io, damaged (short object).
// Every function may be called from several threads at once. One contract test (store_contract.h) runs over every store.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"

namespace holdfast::store {

struct ObjectInfo {
  std::string name;
  std::uint64_t size = 0;
  Timestamp modified;   // by the store's clock; only ever compared with other times of the same store
};

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  // Durable when it returns. The parts are concatenated. An existing object of that name and size is left alone.
  virtual void put(const std::string& name, std::span<const ByteView> parts) = 0;
  // Like put(), but until sync() it is not durable and only this ObjectStore sees it: for what nothing refers to yet. One
  // flush of a disk for many objects costs little; one for each made a full backup 15 % slower.
  virtual void put_unsynced(const std::string& name, ByteView bytes) { put(name, bytes); }
  // Everything put before is durable. When it throws, what was put unsynced may be gone.
  virtual void sync() {}
  // Whole object. `limit`: a larger object is Error(damaged), so that a hostile store cannot exhaust memory.
  virtual Bytes get(const std::string& name, std::uint64_t limit) = 0;
  // Exactly out.size() bytes at `offset`; an object that is too short is Error(damaged).
  virtual void get_range(const std::string& name, std::uint64_t offset, MutableBytes out) = 0;
  virtual std::optional<ObjectInfo> info(const std::string& name) = 0;
  // Every object whose name starts with `prefix` (a whole number of segments, "" for all; has_prefix), in any order.
  // What is not an object (unfinished files, names outside the grammar) is left out. What was visited is durable when it
  // returns, also when its writer was killed before it was; of packs, which are many, only one asked for by its whole name.
  virtual void list(std::string_view prefix, const std::function<void(const ObjectInfo&)>& visit) = 0;
  // Removing what is not there is not an error: a retried remove must succeed.
  virtual void remove(const std::string& name) = 0;
  // For messages: "/backup/ns01".
  virtual std::string location() const = 0;
  // Bytes that can still be stored; nullopt when the store cannot tell.
  virtual std::optional<std::uint64_t> free_bytes() { return std::nullopt; }

  void put(const std::string& name, ByteView bytes) { put(name, std::span<const ByteView>(&bytes, 1)); }
};

// The grammar above.
bool is_object_name(std::string_view name);
// Throws Error(defect) for a name outside the grammar.
void check_name(std::string_view name);
// Whether the first segments of `name` are those of `prefix`, which may end with '/': "pack" is no prefix of "packs/1".
bool has_prefix(std::string_view name, std::string_view prefix);

}  // namespace holdfast::store
