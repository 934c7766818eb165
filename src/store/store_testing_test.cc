// The twins for tests do what they are asked to.
#include <gtest/gtest.h>

#include "store/testing.h"

namespace holdfast::store {
namespace {

TEST(MemoryStore, RollsBackAndFillsUp) {
  MemoryStore store;
  store.put("slot/a", as_bytes("12345"));
  auto earlier = store.objects();
  store.put("slot/b", as_bytes("12345"));
  store.set_objects(earlier);
  EXPECT_FALSE(store.info("slot/b"));
  store.set_capacity(8);
  EXPECT_EQ(store.free_bytes(), 3U);
  EXPECT_THROW(store.put("slot/b", as_bytes("12345")), Error);
  store.put("slot/b", as_bytes("123"));
}

TEST(FaultyStore, FailsTheCallThatWasAskedFor) {
  MemoryStore memory;
  FaultyStore store(memory);
  store.put("slot/a", as_bytes("x"));
  store.fail(2, FaultyStore::Repeat::once, Code::io, StoreCall::put);
  store.info("slot/a");
  store.put("slot/b", as_bytes("x"));
  EXPECT_THROW(store.put("slot/c", as_bytes("x")), Error);
  EXPECT_FALSE(memory.info("slot/c"));
  store.put("slot/c", as_bytes("x"));
  store.fail(1, FaultyStore::Repeat::from_then_on);
  EXPECT_THROW(store.get("slot/a", 10), Error);
  EXPECT_THROW(store.list("", [](const ObjectInfo&) {}), Error);
  EXPECT_EQ(store.calls(StoreCall::put), 4U);
  EXPECT_EQ(store.bytes_put(), 3U);
  store.reset();
  EXPECT_EQ(store.calls(), 0U);
  EXPECT_EQ(store.get("slot/a", 10), to_bytes("x"));
}

TEST(FaultyStore, DiesAfterThePutWasDone) {
  MemoryStore memory;
  FaultyStore store(memory);
  store.kill_after_put(2);
  store.put("slot/a", as_bytes("x"));
  EXPECT_THROW(store.put("slot/b", as_bytes("x")), platform::Killed);
  EXPECT_TRUE(memory.info("slot/b"));
  EXPECT_THROW(store.remove("slot/a"), platform::Killed);
  EXPECT_TRUE(memory.info("slot/a"));
}

TEST(FaultyStore, LosesAndLies) {
  MemoryStore memory;
  FaultyStore store(memory);
  store.put("slot/a", as_bytes("aaaa"));
  store.put("slot/b", as_bytes("bbbb"));
  store.drop("slot/a");
  store.flip_bit("slot/b", 2 * 8 + 1);
  EXPECT_FALSE(store.info("slot/a"));
  EXPECT_THROW(store.get("slot/a", 10), Error);
  int count = 0;
  store.list("", [&](const ObjectInfo&) { ++count; });
  EXPECT_EQ(count, 1);
  EXPECT_EQ(store.get("slot/b", 10), to_bytes("bb`b"));
  Bytes part(2);
  store.get_range("slot/b", 2, part);
  EXPECT_EQ(to_text(part), "`b");
  store.get_range("slot/b", 0, part);
  EXPECT_EQ(to_text(part), "bb");
}

}  // namespace
}  // namespace holdfast::store
