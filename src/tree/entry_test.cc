#include "tree/entry.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "base/error.h"
#include "base/wire.h"
#include "tree/streams.h"

namespace holdfast::tree {
namespace {

using Random = std::mt19937_64;

// A number of any length, often at a limit.
std::uint64_t any_number(Random& random) {
  switch (random() % 4) {
    case 0:
      return 0;
    case 1:
      return UINT64_MAX;
    default:
      return random() >> (random() % 64);
  }
}

std::string any_text(Random& random, std::size_t longest) {
  std::string text(random() % (longest + 1), '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

Timestamp any_time(Random& random) {
  if (random() % 3 == 0) return {};
  return {static_cast<std::int64_t>(any_number(random)),
          static_cast<std::uint32_t>(random() % 1'000'000'000)};
}

Entry any_entry(Random& random) {
  Entry e;
  e.name = any_text(random, 255);
  e.name_kind = random() % 4 == 0 ? NameKind::windows_wtf8 : NameKind::posix_bytes;
  e.kind = static_cast<Kind>(1 + random() % 7);
  e.mode = static_cast<std::uint32_t>(random() % 010000);
  e.uid = static_cast<std::uint32_t>(any_number(random));
  e.gid = static_cast<std::uint32_t>(any_number(random));
  e.size = any_number(random);
  e.modified = any_time(random);
  e.changed = any_time(random);
  e.captured = any_time(random);
  e.device = any_number(random);
  e.inode = any_number(random);
  e.links = any_number(random);
  e.target = any_text(random, 100);
  e.device_major = static_cast<std::uint32_t>(any_number(random));
  e.device_minor = static_cast<std::uint32_t>(any_number(random));
  e.sparse = random() % 3 == 0;
  if (e.sparse) {
    std::uint64_t at = 0;
    for (std::uint64_t n = random() % 6; n > 0; --n) {
      Extent x{at + random() % 100'000, 1 + random() % 100'000};
      at = x.offset + x.length;
      e.extents.push_back(x);
    }
    e.size = at + random() % 1000;
  }
  for (std::uint64_t n = random() % 4; n > 0; --n) {
    Attribute a;
    a.type = static_cast<AttributeType>(random() % 12);  // also types of newer versions
    a.name = any_text(random, 30);
    a.value = to_bytes(any_text(random, 200));
    e.attributes.push_back(a);
  }
  if (random() % 3 == 0) {
    Writer unknown;
    unknown.field_text(100, any_text(random, 20)).field_u64(200, random());
    e.unknown_fields = unknown.take();
  }
  return e;
}

Code code_of_decoding(ByteView bytes) {
  try {
    decode_entry(bytes);
  } catch (const Error& e) {
    return e.code();
  }
  ADD_FAILURE() << "it was decoded: " << to_hex(bytes);
  return Code::defect;
}

TEST(Entry, RandomEntriesRoundTrip) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    Random random(seed);
    Entry e = any_entry(random);
    Bytes bytes = encode_entry(e);
    ASSERT_EQ(decode_entry(bytes), e) << "seed " << seed;
    ASSERT_EQ(encode_entry(decode_entry(bytes)), bytes) << "seed " << seed;
  }
}

TEST(Entry, DefaultsTakeNoRoom) {
  Entry e;
  e.name = "a";
  EXPECT_EQ(decode_entry(encode_entry(e)), e);
  EXPECT_EQ(to_hex(encode_entry(e)),
            "010161"
            "030102"
            "040100")
      << "name, kind, mode";
}

TEST(Entry, MutatedBytesAreDamagedOrAnotherEntry) {
  std::size_t damaged = 0;
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    Random random(seed);
    Bytes bytes = encode_entry(any_entry(random));
    for (std::uint64_t n = 1 + random() % 4; n > 0 && !bytes.empty(); --n) {
      auto at = static_cast<std::ptrdiff_t>(random() % bytes.size());
      switch (random() % 4) {
        case 0:
          bytes[static_cast<std::size_t>(at)] = static_cast<std::uint8_t>(random());
          break;
        case 1:
          bytes.erase(bytes.begin() + at);
          break;
        case 2:
          bytes.insert(bytes.begin() + at, static_cast<std::uint8_t>(random()));
          break;
        default:
          bytes.resize(static_cast<std::size_t>(at));
      }
    }
    try {
      Entry e = decode_entry(bytes);
      // Whatever it is now, it is an entry that can be kept and used.
      ASSERT_EQ(decode_entry(encode_entry(e)), e) << "seed " << seed;
      content_bytes(e);
    } catch (const Error& e) {
      ASSERT_EQ(e.code(), Code::damaged) << "seed " << seed;
      ++damaged;
    }
  }
  EXPECT_GT(damaged, 500U);
}

TEST(Entry, EveryTruncationIsDamagedOrAnotherEntry) {
  Random random(7);
  Bytes bytes = encode_entry(any_entry(random));
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    try {
      Entry e = decode_entry(ByteView(bytes).first(n));
      ASSERT_EQ(decode_entry(encode_entry(e)), e) << n;
    } catch (const Error& e) {
      ASSERT_EQ(e.code(), Code::damaged) << n;
    }
  }
}

Bytes with_kind(const Writer& rest) {
  Writer w;
  w.field_u64(3, 2);
  w.raw(rest.bytes());
  return w.take();
}

TEST(Entry, WhatCannotBeIsDamaged) {
  EXPECT_EQ(code_of_decoding({}), Code::damaged) << "no kind";
  EXPECT_EQ(code_of_decoding(Writer().field_text(1, "a").bytes()), Code::damaged) << "no kind";
  for (std::uint64_t kind : {UINT64_C(0), UINT64_C(8), UINT64_C(100), UINT64_MAX})
    EXPECT_EQ(code_of_decoding(Writer().field_u64(3, kind).bytes()), Code::damaged) << kind;
  EXPECT_EQ(code_of_decoding(with_kind(Writer().field_u64(2, 3))), Code::damaged) << "kind of name";
  EXPECT_EQ(code_of_decoding(with_kind(Writer().field_u64(4, 010000))), Code::damaged) << "mode";
  Writer owner;
  owner.varint(UINT64_C(1) << 32).varint(0);
  EXPECT_EQ(code_of_decoding(with_kind(Writer().field(5, owner.bytes()))), Code::damaged) << "owner";
  Writer late;
  late.i64(0).u32(1'000'000'000);
  EXPECT_EQ(code_of_decoding(with_kind(Writer().field(7, late.bytes()))), Code::damaged) << "nanoseconds";
  Writer longer;
  longer.i64(0).u32(0).u8(0);
  EXPECT_EQ(code_of_decoding(with_kind(Writer().field(7, longer.bytes()))), Code::damaged)
      << "bytes left over";
}

TEST(Entry, HostileExtentsAreDamaged) {
  auto extents = [](std::uint64_t size, std::vector<std::uint64_t> numbers) {
    Writer list, rest;
    for (std::uint64_t n : numbers) list.varint(n);
    rest.field_u64(6, size).field(13, list.bytes());
    return with_kind(rest);
  };
  EXPECT_EQ(decode_entry(extents(100, {0, 10, 10, 20, 50, 50})).extents.size(), 3U)
      << "touching ones are fine";
  EXPECT_TRUE(decode_entry(extents(100, {})).sparse) << "one hole";
  EXPECT_EQ(code_of_decoding(extents(100, {0, 10, 5, 10})), Code::damaged) << "overlapping";
  EXPECT_EQ(code_of_decoding(extents(100, {50, 10, 0, 10})), Code::damaged) << "descending";
  EXPECT_EQ(code_of_decoding(extents(100, {0, 0})), Code::damaged) << "empty";
  EXPECT_EQ(code_of_decoding(extents(100, {0, 101})), Code::damaged) << "beyond the end";
  EXPECT_EQ(code_of_decoding(extents(100, {0})), Code::damaged) << "half a pair";
  EXPECT_EQ(code_of_decoding(extents(100, {UINT64_MAX, 2})), Code::damaged) << "wraps around";
  EXPECT_EQ(code_of_decoding(extents(UINT64_MAX, {1, UINT64_MAX})), Code::damaged);
}

TEST(Entry, UnknownFieldsAreKept) {
  Writer w;
  w.field_u64(3, 2).field_text(1, "a").field_text(99, "from the future").field_u64(1000, 5);
  Entry e = decode_entry(w.bytes());
  EXPECT_EQ(e.name, "a");
  Entry again = decode_entry(encode_entry(e));
  EXPECT_EQ(again, e);
  EXPECT_NE(as_text(encode_entry(e)).find("from the future"), std::string_view::npos);
}

TEST(Entry, ContentBytes) {
  Entry e;
  e.size = 1000;
  EXPECT_EQ(content_bytes(e), 1000U);
  e.sparse = true;
  EXPECT_EQ(content_bytes(e), 0U);
  e.extents = {{0, 10}, {500, 90}};
  EXPECT_EQ(content_bytes(e), 100U);
}

TEST(SafeName, RefusesWhatLeadsElsewhere) {
  using namespace std::string_literals;
  for (std::string bad : {""s, "."s, ".."s, "/"s, "a/b"s, "/a"s, "a/"s, "../a"s, "a\0b"s, "\0"s})
    EXPECT_FALSE(is_safe_name(bad));
  for (std::string good : {"a"s, "..."s, ".hidden"s, "a b"s, "\xff\xfe"s, "a\\b"s, "-rf"s, "a\nb"s})
    EXPECT_TRUE(is_safe_name(good));
}

// A tree in memory.
class TestNode final : public StoredNode {
 public:
  explicit TestNode(std::string name, Kind kind = Kind::directory) {
    entry_.name = std::move(name);
    entry_.kind = kind;
  }
  TestNode& content(std::string_view text) {
    content_ = to_bytes(text);
    entry_.size = text.size();
    return *this;
  }
  TestNode& put(std::shared_ptr<TestNode> child) {
    children_[child->entry_.name] = std::move(child);
    return *this;
  }

  const Entry& entry() const override { return entry_; }
  void children(const std::function<bool(NodePtr)>& visit) const override {
    for (const auto& [name, node] : children_)
      if (!visit(node)) return;
  }
  NodePtr child(const std::string& name) const override {
    auto it = children_.find(name);
    return it == children_.end() ? nullptr : it->second;
  }
  void read(std::uint64_t offset, std::uint64_t length,
            const std::function<void(std::uint64_t, ByteView)>& consume) const override {
    for (std::uint64_t at = offset; at < offset + length; at += 3)
      consume(at, ByteView(content_).subspan(at, std::min<std::size_t>(3, offset + length - at)));
  }
  Bytes fingerprint() const override { return content_; }
  bool same_content(const std::function<std::size_t(MutableBytes)>&) const override { return false; }

 private:
  Entry entry_;
  Bytes content_;
  std::map<std::string, std::shared_ptr<TestNode>> children_;
};

TEST(Streams, FindWalksDown) {
  auto root = std::make_shared<TestNode>("");
  auto a = std::make_shared<TestNode>("a"), b = std::make_shared<TestNode>("b");
  auto file = std::make_shared<TestNode>("file", Kind::file);
  root->put(a);
  a->put(b);
  b->put(file);
  EXPECT_EQ(find(root, ""), root);
  EXPECT_EQ(find(root, "a/b/file"), file);
  EXPECT_EQ(find(root, "/a//b/"), b);
  EXPECT_EQ(find(root, "a/c"), nullptr);
  EXPECT_EQ(find(root, "a/b/file/below"), nullptr) << "a file has nothing below it";
  EXPECT_EQ(find(root, ".."), nullptr);
  EXPECT_EQ(find(nullptr, "a"), nullptr);
}

TEST(Streams, ReadAllJoinsAndHasALimit) {
  TestNode node("f", Kind::file);
  node.content("0123456789");
  EXPECT_EQ(node.read_all(), to_bytes("0123456789"));
  EXPECT_EQ(node.read_all(10), to_bytes("0123456789"));
  try {
    node.read_all(9);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::unsupported);
  }
}

// Gives little room at a time, less than is wanted.
class NarrowWriter final : public FileWriter {
 public:
  Bytes written;
  MutableBytes space() override { return room_; }
  void commit(std::size_t bytes) override {
    written.insert(written.end(), room_.begin(), room_.begin() + static_cast<std::ptrdiff_t>(bytes));
  }

 private:
  Bytes room_ = Bytes(64 * 1024);
};

TEST(Streams, WriteSplitsWhatIsLarge) {
  Random random(1);
  Bytes content(200'001);
  for (std::uint8_t& b : content) b = static_cast<std::uint8_t>(random());
  NarrowWriter writer;
  writer.write(content);
  writer.write({});
  EXPECT_EQ(writer.written, content);
}

}  // namespace
}  // namespace holdfast::tree
