// The tests that every store must pass. A test program includes this once and instantiates it with its
// stores:
//
//     INSTANTIATE_TEST_SUITE_P(Every, StoreContract, testing::Values(StoreKind{"memory", ...}),
//     name_of_kind);
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/testing.h"
#include "store/object_store.h"

namespace holdfast::store {

// A store together with what it stands on.
class StorePlace {
 public:
  virtual ~StorePlace() = default;
  virtual ObjectStore& store() = 0;
  // The same objects through a new instance, as another run of the program sees them.
  virtual ObjectStore& reopen() = 0;
};

struct StoreKind {
  const char* name;
  std::unique_ptr<StorePlace> (*make)();
};

inline std::string name_of_kind(const testing::TestParamInfo<StoreKind>& kind) { return kind.param.name; }

inline Bytes test_content(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Bytes bytes(size);
  for (std::uint8_t& b : bytes) b = static_cast<std::uint8_t>(random());
  return bytes;
}

// "pack/<64 hex>", different for each number and spread over the folders.
inline std::string test_pack(std::uint64_t number) {
  std::mt19937_64 random(number);
  Bytes hash(32);
  for (std::uint8_t& b : hash) b = static_cast<std::uint8_t>(random());
  return "pack/" + to_hex(hash);
}

inline std::map<std::string, std::uint64_t> listed(ObjectStore& store, std::string_view prefix = "") {
  std::map<std::string, std::uint64_t> found;
  store.list(prefix, [&](const ObjectInfo& o) {
    EXPECT_TRUE(found.emplace(o.name, o.size).second) << o.name << " is listed twice";
  });
  return found;
}

class StoreContract : public testing::TestWithParam<StoreKind> {
 protected:
  std::unique_ptr<StorePlace> place_ = GetParam().make();
  ObjectStore& store_ = place_->store();
};

constexpr std::uint64_t kAnySize = UINT64_C(1) << 30;

TEST_P(StoreContract, WhatWasPutIsGot) {
  for (std::size_t size : {0UL, 1UL, 4096UL, (1UL << 20) - 1, 1UL << 20, 3'000'001UL}) {
    std::string name = test_pack(size);
    Bytes content = test_content(size, size);
    store_.put(name, content);
    EXPECT_EQ(store_.get(name, size), content) << size;
    auto info = store_.info(name);
    ASSERT_TRUE(info);
    EXPECT_EQ(info->name, name);
    EXPECT_EQ(info->size, size);
    EXPECT_EQ(place_->reopen().get(name, kAnySize), content);
  }
}

TEST_P(StoreContract, PartsAreJoined) {
  Bytes a = test_content(1'000'000, 1), b, c = test_content(300'007, 2);
  std::vector<ByteView> parts{a, b, c};
  store_.put(test_pack(1), parts);
  store_.put("index/none", std::span<const ByteView>{});
  a.insert(a.end(), c.begin(), c.end());
  EXPECT_EQ(store_.get(test_pack(1), kAnySize), a);
  EXPECT_TRUE(store_.get("index/none", kAnySize).empty());
}

TEST_P(StoreContract, PuttingTwiceIsHarmless) {
  Bytes content = test_content(5000, 1);
  store_.put(test_pack(1), content);
  store_.put(test_pack(1), content);
  place_->reopen().put(test_pack(1), content);
  EXPECT_EQ(store_.get(test_pack(1), kAnySize), content);
  EXPECT_EQ(listed(store_).size(), 1U);
}

TEST_P(StoreContract, WhatIsPutUnsyncedIsSeenAtOnceAndByOthersAfterSync) {
  std::map<std::string, std::uint64_t> expected;
  for (std::size_t size : {0UL, 4096UL, 1'500'007UL}) {
    std::string name = test_pack(size);
    Bytes content = test_content(size, size), tail(std::min<std::size_t>(size, 7));
    store_.put_unsynced(name, content);
    expected[name] = size;
    EXPECT_EQ(store_.get(name, kAnySize), content);
    store_.get_range(name, size - tail.size(), tail);
    EXPECT_TRUE(std::equal(tail.rbegin(), tail.rend(), content.rbegin()));
    auto info = store_.info(name);
    ASSERT_TRUE(info);
    EXPECT_EQ(info->size, size);
    EXPECT_EQ(listed(store_), expected);
    EXPECT_EQ(listed(store_, "pack"), expected);
    EXPECT_TRUE(listed(store_, "slot").empty());
  }
  store_.sync();
  EXPECT_EQ(listed(store_), expected);
  ObjectStore& other = place_->reopen();
  EXPECT_EQ(listed(other), expected);
  for (const auto& [name, size] : expected) EXPECT_EQ(other.get(name, kAnySize), test_content(size, size));
  other.sync();   // nothing to do
}

TEST_P(StoreContract, PuttingTwiceUnsyncedIsHarmless) {
  Bytes content = test_content(5000, 1);
  for (bool synced_before : {true, false}) {
    const std::string name = test_pack(synced_before ? 1 : 2);
    if (synced_before) store_.put(name, content);
    store_.put_unsynced(name, content);
    store_.put_unsynced(name, content);
    if (!synced_before) store_.put(name, content);
    store_.sync();
    EXPECT_EQ(store_.get(name, kAnySize), content);
  }
  EXPECT_EQ(listed(place_->reopen()).size(), 2U);
}

TEST_P(StoreContract, WhatIsRemovedBeforeSyncStaysAway) {
  store_.put_unsynced(test_pack(1), test_content(5000, 1));
  store_.put_unsynced(test_pack(2), test_content(5000, 2));
  store_.remove(test_pack(1));
  EXPECT_FALSE(store_.info(test_pack(1)));
  store_.sync();
  EXPECT_EQ(listed(place_->reopen()), (std::map<std::string, std::uint64_t>{{test_pack(2), 5000}}));
}

TEST_P(StoreContract, NothingIsMissingWhileItIsSynced) {
  constexpr std::size_t kObjects = 300;
  std::atomic<std::size_t> there = 0;
  std::thread writer([&] {
    for (std::size_t i = 0; i < kObjects; ++i) {
      store_.put_unsynced(test_pack(i), test_content(100, i));
      there = i + 1;
      if (i % 7 == 0) store_.sync();
    }
    store_.sync();
  });
  bool whole = true;
  for (std::size_t seen = 0; seen < kObjects && whole;) {
    seen = there;
    if (seen == 0) continue;
    std::map<std::string, std::uint64_t> names = listed(store_);
    for (std::size_t i = 0; i < seen; ++i) whole = whole && names.contains(test_pack(i));
    whole = whole && store_.get(test_pack(seen - 1), kAnySize) == test_content(100, seen - 1) &&
            store_.info(test_pack(seen - 1));
  }
  writer.join();
  EXPECT_TRUE(whole);
  EXPECT_EQ(listed(place_->reopen()).size(), kObjects);
}

TEST_P(StoreContract, AnObjectOfAnotherSizeIsReplaced) {
  Bytes content = test_content(5000, 1), part(1);
  store_.put(test_pack(1), ByteView(content).first(4000));
  store_.get_range(test_pack(1), 0, part);
  store_.put(test_pack(1), content);
  EXPECT_EQ(store_.get(test_pack(1), kAnySize), content);
  store_.get_range(test_pack(1), 4999, part);
  EXPECT_EQ(part[0], content[4999]);
}

TEST_P(StoreContract, RangesAreExact) {
  Bytes content = test_content(100'000, 1);
  store_.put(test_pack(1), content);
  for (auto [offset, size] :
       {std::pair{0UL, 100'000UL}, {0UL, 1UL}, {99'999UL, 1UL}, {12'345UL, 54'321UL}, {100'000UL, 0UL}}) {
    Bytes out(size);
    store_.get_range(test_pack(1), offset, out);
    EXPECT_TRUE(std::equal(out.begin(), out.end(), content.begin() + static_cast<std::ptrdiff_t>(offset)));
  }
  Bytes two(2);
  EXPECT_EQ(code_of([&] { store_.get_range(test_pack(1), 99'999, two); }), Code::damaged);
  EXPECT_EQ(code_of([&] { store_.get_range(test_pack(1), 1'000'000, two); }), Code::damaged);
  EXPECT_EQ(code_of([&] { store_.get_range(test_pack(1), UINT64_MAX / 2, two); }), Code::damaged);
  store_.get_range(test_pack(1), 99'998, two);
  EXPECT_EQ(two[1], content.back()) << "a failed read does not spoil the next";
}

TEST_P(StoreContract, MoreThanTheLimitIsDamaged) {
  store_.put(test_pack(1), test_content(1000, 1));
  EXPECT_EQ(code_of([&] { store_.get(test_pack(1), 999); }), Code::damaged);
  EXPECT_EQ(store_.get(test_pack(1), 1000).size(), 1000U);
}

TEST_P(StoreContract, MissingObjects) {
  Bytes out(1);
  EXPECT_EQ(code_of([&] { store_.get(test_pack(1), kAnySize); }), Code::not_found);
  EXPECT_EQ(code_of([&] { store_.get_range(test_pack(1), 0, out); }), Code::not_found);
  EXPECT_FALSE(store_.info(test_pack(1)));
  EXPECT_NO_THROW(store_.remove(test_pack(1)));
  EXPECT_NO_THROW(store_.remove("slot/none"));
  EXPECT_TRUE(listed(store_).empty());
  EXPECT_TRUE(listed(store_, "pack").empty());
  store_.put("record/aa/1", test_content(1, 1));
  EXPECT_FALSE(store_.info("record/aa")) << "the beginning of a name is not an object";
  EXPECT_EQ(code_of([&] { store_.get("record/aa", kAnySize); }), Code::not_found);
}

TEST_P(StoreContract, RemovedIsGone) {
  Bytes content = test_content(1000, 1), out(10);
  for (std::string name : {test_pack(1), std::string("slot/a"), std::string("record/aa/0000000001-b")}) {
    store_.put(name, content);
    store_.get_range(name, 0, out);
    store_.remove(name);
    EXPECT_EQ(code_of([&] { store_.get_range(name, 0, out); }), Code::not_found);
    EXPECT_EQ(code_of([&] { store_.get(name, kAnySize); }), Code::not_found);
    EXPECT_FALSE(store_.info(name));
    EXPECT_TRUE(listed(store_).empty());
    store_.remove(name);
    store_.put(name, content);
    EXPECT_EQ(store_.get(name, kAnySize), content);
    store_.remove(name);
  }
}

TEST_P(StoreContract, ListKnowsPrefixes) {
  std::set<std::string> names{"repository/a",
                              "slot/b",
                              "slot/c",
                              "record/aa/0000000001-x",
                              "record/aa/0000000002-y",
                              "record/ab/0000000001-z",
                              "recording/q",
                              test_pack(1),
                              test_pack(2)};
  for (const std::string& name : names) store_.put(name, as_bytes(name));
  auto expect = [&](std::string_view prefix, std::size_t count) {
    auto found = listed(store_, prefix);
    EXPECT_EQ(found.size(), count) << prefix;
    for (const auto& [name, size] : found) {
      EXPECT_TRUE(names.contains(name)) << name;
      EXPECT_EQ(size, name.size());
      EXPECT_TRUE(has_prefix(name, prefix)) << name << " for " << prefix;
    }
  };
  expect("", names.size());
  expect("slot", 2);
  expect("slot/", 2);
  expect("record", 3);
  expect("record/aa", 2);
  expect("record/aa/", 2);
  expect("pack", 2);
  expect(test_pack(1), 1);
  expect("slot/b", 1);
  expect("rec", 0);
  expect("none", 0);
}

TEST_P(StoreContract, ListPassesOnWhatItsVisitorThrows) {
  store_.put("slot/a", as_bytes("x"));
  EXPECT_THROW(store_.list("", [](const ObjectInfo&) { throw Error(Code::interrupted, "stop"); }), Error);
}

TEST_P(StoreContract, TheVisitorMayUseTheStore) {
  for (std::uint64_t i = 0; i < 5; ++i) store_.put(test_pack(i), test_content(10, i));
  store_.list("pack", [&](const ObjectInfo& o) {
    EXPECT_EQ(store_.get(o.name, kAnySize).size(), 10U);
    store_.remove(o.name);
  });
  EXPECT_TRUE(listed(store_).empty());
}

TEST_P(StoreContract, TimesDoNotGoBack) {
  store_.put("slot/a", as_bytes("x"));
  store_.put("slot/b", as_bytes("x"));
  EXPECT_LE(store_.info("slot/a")->modified, store_.info("slot/b")->modified);
}

TEST_P(StoreContract, WrongNamesAreADefect) {
  for (std::string name :
       {std::string(), std::string("single"), std::string("/slot/a"), std::string("slot//a"),
        std::string("slot/a/"), std::string("slot/A"), std::string("slot/../a"), std::string("slot/a.b"),
        std::string("slot/\0a", 7), "slot/" + std::string(196, 'a'), std::string("slot/a\\b")}) {
    EXPECT_EQ(code_of([&] { store_.put(name, as_bytes("x")); }), Code::defect) << name;
    EXPECT_EQ(code_of([&] { store_.get(name, 1); }), Code::defect) << name;
    EXPECT_EQ(code_of([&] { store_.remove(name); }), Code::defect) << name;
    EXPECT_EQ(code_of([&] { store_.info(name); }), Code::defect) << name;
  }
  std::string longest = "slot/" + std::string(195, 'a');
  store_.put(longest, as_bytes("x"));
  EXPECT_EQ(listed(store_).size(), 1U);
}

TEST_P(StoreContract, ManyThreads) {
  constexpr std::uint64_t kObjects = 24;
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      // All threads put all objects, each from another start: every name is put by several at once.
      for (std::uint64_t i = 0; i < kObjects; ++i) {
        std::uint64_t n = (i + t * 6) % kObjects;
        Bytes content = test_content(2000 + n, n), part(100);
        store_.put(test_pack(n), content);
        EXPECT_EQ(store_.get(test_pack(n), kAnySize), content);
        store_.get_range(test_pack(n), 1900, part);
        EXPECT_TRUE(std::equal(part.begin(), part.end(), content.begin() + 1900));
      }
    });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(listed(store_, "pack").size(), kObjects);
}

TEST_P(StoreContract, AsASimpleMap) {
  constexpr std::uint64_t kSeed = 20261122;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  std::mt19937_64 random(kSeed);
  std::map<std::string, Bytes> model;
  for (int step = 0; step < 400; ++step) {
    std::uint64_t n = random() % 40;
    std::string name = n % 3 == 0 ? "slot/s" + std::to_string(n) : test_pack(n);
    Bytes content = test_content(1 + n * 37, n);  // a name always stands for the same bytes
    switch (random() % 5) {
      case 0:
      case 1:
        store_.put(name, content);
        model[name] = content;
        break;
      case 2:
        store_.remove(name);
        model.erase(name);
        break;
      case 3:
        if (model.contains(name)) {
          std::size_t from = random() % content.size();
          Bytes out(random() % (content.size() - from + 1));
          store_.get_range(name, from, out);
          ASSERT_TRUE(
              std::equal(out.begin(), out.end(), content.begin() + static_cast<std::ptrdiff_t>(from)));
        } else {
          ASSERT_FALSE(store_.info(name));
        }
        break;
      default:
        ASSERT_EQ(code_of([&] {
                    if (store_.get(name, kAnySize) == content)
                      throw Error(Code::busy, "it is there and right");
                  }),
                  model.contains(name) ? Code::busy : Code::not_found);
    }
  }
  std::map<std::string, std::uint64_t> sizes;
  for (const auto& [name, bytes] : model) sizes[name] = bytes.size();
  EXPECT_EQ(listed(place_->reopen()), sizes);
}

}  // namespace holdfast::store
