// For tests of the data half: a repository in memory, and trees as a model to compare with.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

#include "base/testing.h"
#include "repository/data/data.h"
#include "repository/format/inventory_testing.h"
#include "store/testing.h"

namespace holdfast::repository::testing {

// zstd at its default level with a prefix; in data_parts_test.cc.
Bytes compress_with_prefix(ByteView plain, ByteView prefix);

// Files of some KiB have many chunks with these.
inline Parameters small_parameters() { return {256, 1024, 4096, 512, 300}; }

struct Published {
  std::vector<StoredItem> items;
  std::vector<NeededObject> needed;
};

struct TestRepository {
  explicit TestRepository(Parameters sizes = small_parameters()) : parameters(sizes) {
    platform::Entropy& entropy = platform::real_entropy();
    id = entropy.random<RepositoryId>();
    entropy.fill(root_key.bytes());
    Bytes seed(32);
    entropy.fill(seed);
    signing_key = crypto::signing_key(seed);
    writer = writer_id(signing_key.verify_key);
    Keyring::put_first_epoch(memory, id, root_key, {}, {1, 0}, entropy);
    Keyring(memory, id, root_key).add_writer(signing_key.verify_key, "test", {1, 0}, entropy);
    reopen();
  }

  void reopen() {
    data.reset();
    keyring = std::make_unique<Keyring>(memory, id, root_key);
    data = open_data(context());
  }
  DataContext context() {
    return {store, *keyring, platform::real_clock(), platform::real_entropy(), id, parameters, cache};
  }

  std::unique_ptr<BackupSession> begin(RunOptions run = {nullptr, nullptr, 2}) {
    return data->begin_session(
        {writer, signing_key, run, [this](const PointDraft& draft, const NeededObjects& needed) {
           published.push_back({draft.items, all_of(needed)});
           return crypto::sha256(as_bytes("point " + std::to_string(published.size())));
         }});
  }
  tree::NodePtr open(const StoredItem& item) { return data->open_node(item.root->first, item.root->second); }
  std::vector<std::string> names(const std::string& folder) {
    std::vector<std::string> found;
    memory.list(folder, [&](const store::ObjectInfo& info) { found.push_back(info.name); });
    return found;
  }

  Parameters parameters;
  platform::Path cache;
  store::MemoryStore memory;
  store::FaultyStore store{memory};
  RepositoryId id;
  crypto::Secret root_key{32};
  crypto::SigningKey signing_key;
  WriterId writer;
  std::unique_ptr<Keyring> keyring;
  std::shared_ptr<DataStore> data;
  std::vector<Published> published;
};

// A tree in memory.
struct Model {
  tree::Entry entry;
  Bytes content;
  tree::Chunking chunking = tree::Chunking::content_defined;
  std::map<std::string, Model> children;
};

using Random = std::mt19937_64;

inline Bytes random_bytes(Random& random, std::size_t size, bool compressible = false) {
  Bytes bytes(size);
  for (std::uint8_t& b : bytes) b = static_cast<std::uint8_t>(compressible ? 'a' + random() % 4 : random());
  return bytes;
}

inline Model file(Bytes content, std::int64_t time = 1000) {
  Model m;
  m.entry.kind = tree::Kind::file;
  m.entry.mode = 0644;
  m.entry.size = content.size();
  m.entry.modified = m.entry.changed = {time, 5};
  m.entry.captured = {time + 100, 7};
  m.entry.inode = content.size() + 1;
  m.content = std::move(content);
  return m;
}

inline Model directory() {
  Model m;
  m.entry.kind = tree::Kind::directory;
  m.entry.mode = 0755;
  return m;
}

inline Model random_tree(Random& random, int depth) {
  Model m = directory();
  std::size_t count = random() % 12;
  for (std::size_t i = 0; i < count; ++i) {
    std::string name = "n" + std::to_string(random() % 1000) + (random() % 5 ? "" : "\xff\x01");
    Model child;
    switch (depth > 0 ? random() % 6 : 1 + random() % 5) {
      case 0:
        child = random_tree(random, depth - 1);
        break;
      case 1:
        child.entry.kind = tree::Kind::symlink;
        child.entry.target = "somewhere";
        break;
      case 2:
        child = file(random_bytes(random, random() % 40000, random() % 2));
        break;
      case 3:
        child = file(random_bytes(random, 1500));
        child.entry.sparse = true;
        child.entry.size = 1 << 20;
        child.entry.extents = {{0, 500}, {8192, 1000}};
        break;
      default:
        child = file(random_bytes(random, random() % 700));
        break;
    }
    if (random() % 3 == 0) child.chunking = tree::Chunking::fixed;
    if (random() % 4 == 0)
      child.entry.attributes.push_back({tree::AttributeType::xattr, "user.x", random_bytes(random, 20)});
    child.entry.name = name;
    m.children[name] = std::move(child);
  }
  return m;
}

// Gives the tree to the sink, in pieces of random size; files that can be are taken over when `reuse`. The
// files read.
inline int capture(const Model& m, tree::TreeSink& sink, Random& random, bool reuse = false) {
  if (m.entry.kind == tree::Kind::directory) {
    int read = 0;
    sink.open_directory(m.entry);
    for (const auto& [name, child] : m.children) read += capture(child, sink, random, reuse);
    sink.close_directory();
    return read;
  }
  if (m.entry.kind != tree::Kind::file) {
    sink.add(m.entry);
    return 0;
  }
  if (reuse && sink.reuse_file(m.entry)) return 0;
  if (random() % 8 == 0) {  // one that cannot be read to its end leaves no trace
    sink.begin_file(m.chunking).write(random_bytes(random, random() % 9000));
    sink.abandon_file();
  }
  tree::FileWriter& writer = sink.begin_file(m.chunking);
  for (ByteView rest = m.content; !rest.empty();) {
    std::size_t n = std::min<std::size_t>(rest.size(), 1 + random() % 20000);
    writer.write(rest.first(n));
    rest = rest.subspan(n);
  }
  sink.end_file(m.entry);
  return 1;
}

inline void expect_equal(const Model& m, const tree::StoredNode& node) {
  EXPECT_EQ(m.entry, node.entry());
  if (m.entry.kind == tree::Kind::file) {
    Bytes all;
    node.read(0, m.content.size(), [&](std::uint64_t offset, ByteView bytes) {
      ASSERT_EQ(offset, all.size());
      all.insert(all.end(), bytes.begin(), bytes.end());
    });
    EXPECT_TRUE(all == m.content) << m.entry.name;
    return;
  }
  if (m.entry.kind != tree::Kind::directory) return;
  auto expected = m.children.begin();
  node.children([&](tree::NodePtr child) {
    if (expected == m.children.end()) {
      ADD_FAILURE() << "more children than were captured";
      return false;
    }
    expect_equal(expected->second, *child);
    ++expected;
    return true;
  });
  EXPECT_TRUE(expected == m.children.end()) << "children are missing";
}

inline StoredItem capture_item(BackupSession& session, const Model& m, Random& random,
                               tree::NodePtr previous = nullptr) {
  bool reuse = previous != nullptr;
  StoredItem item;
  item.name = "item";
  capture(m, session.begin_item("item", std::move(previous)), random, reuse);
  session.end_item(item);
  return item;
}

inline StoredItem back_up(TestRepository& repository, const Model& m, Random& random,
                          tree::NodePtr previous = nullptr) {
  auto session = repository.begin();
  StoredItem item = capture_item(*session, m, random, std::move(previous));
  PointDraft draft;
  draft.items.push_back(item);
  session->publish(draft);
  return item;
}

}  // namespace holdfast::repository::testing
