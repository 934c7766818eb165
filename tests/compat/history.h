// Which recovery points exist: the records of all writers, checked and put in order. Sections "Record" of
// docs/repository-format.md and "The protocol" of docs/concurrency.md (void points).
#pragma once

#include "keys.h"

namespace compat {

/// What a point needs, by name, and what is there: maps are followed.
struct Needs {
  std::set<std::string> pages;    // inventory pages
  std::set<std::string> objects;  // packs and index segments
};

struct Point {
  Object object;
  Bytes body;  // a field record
  Needs needs;
  Fields fields() const { return Fields(body, object.name); }
};

class History {
 public:
  /// Checks numbers, predecessors, signatures and what writers have seen of each other.
  History(const Store& store, const Keys& keys);

  /// Points that exist, in the order of their records. Every object that they need was found.
  std::vector<Point> points() const;

 private:
  struct Head {
    Bytes writer;
    std::uint64_t number;
    Bytes hash;
  };
  struct Record {
    Object object;
    Bytes body;
    std::uint64_t number = 0;
    Bytes predecessor;
    std::uint16_t type = 0;
    std::vector<Head> heads;
    Time time;
    Fields fields() const { return Fields(body, object.name); }
  };
  using Hash = Bytes;  // of a record's object

  Record read(const std::string& name) const;
  void put_in_order();
  void check_chains() const;
  bool settled(const std::vector<Hash>& involved) const;
  std::vector<Hash> follows(const Record& record) const;
  static std::map<Bytes, std::uint64_t> ground(const Record& record);
  bool is_void(const Record& record, const Hash& point) const;
  bool needs_any(const Hash& point, const std::set<std::string>& goes) const;

  struct Entry {
    std::uint64_t type;
    Hash hash;
    std::uint64_t size;
  };
  static std::pair<Hash, std::uint64_t> inventory_root(const Object& point);
  static std::vector<Entry> entries(const Object& page, std::uint8_t level);
  Object page(View hash, std::uint64_t size) const;
  Needs needs(const Object& point) const;
  void add_page(const Entry& wanted, std::uint8_t level, int maps_left, Needs& needs) const;
  std::optional<std::set<std::string>> stand_in(const Entry& entry, int maps_left) const;
  void read_map(const Object& map);

  const Store& store_;
  const Keys& keys_;
  std::map<Hash, Record> records_;
  std::vector<const Record*> order_;       // each after those that it follows
  std::map<Hash, std::set<Hash>> before_;  // all that a record follows or has seen, at any distance
  std::map<std::pair<std::uint64_t, Hash>, std::vector<std::vector<Entry>>>
      maps_;  // what any map puts instead
};

}  // namespace compat
