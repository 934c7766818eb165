// Backing up into packs and reading back: whole sessions over a store in memory.
#include <chrono>
#include <thread>

#include "repository/data/data_testing.h"
#include "repository/data/engine.h"
#include "repository/format/inventory.h"
#include "repository/index/catalog.h"
#include "repository/index/index.h"

namespace holdfast::repository {
namespace {

using namespace testing;

TEST(Data, RandomTreesComeBackAsTheyWere) {
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    TestRepository repository;
    Model model = random_tree(random, 3);
    StoredItem item = back_up(repository, model, random);
    expect_equal(model, *repository.open(item));
    repository.reopen();  // now from the index in the store
    expect_equal(model, *repository.open(item));
  }
}

TEST(Data, DefaultSizesTakeLargeFilesAndRanges) {
  Random random(3);
  TestRepository repository{Parameters{}};
  Model model = directory();
  model.children["big"] = file(random_bytes(random, 30'000'000));
  model.children["text"] = file(random_bytes(random, 9'000'000, true));
  for (auto& [name, child] : model.children) child.entry.name = name;
  StoredItem item = back_up(repository, model, random);
  EXPECT_EQ(item.bytes, 39'000'000U);
  EXPECT_EQ(item.files, 2U);
  repository.reopen();
  tree::NodePtr root = repository.open(item);
  expect_equal(model, *root);
  const Bytes& big = model.children["big"].content;
  for (int i = 0; i < 40; ++i) {
    std::uint64_t offset = random() % big.size(), length = random() % (big.size() - offset), at = offset;
    root->child("big")->read(offset, length, [&](std::uint64_t where, ByteView bytes) {
      ASSERT_EQ(where, at);
      ASSERT_TRUE(std::equal(bytes.begin(), bytes.end(), big.begin() + static_cast<std::ptrdiff_t>(at)));
      at += bytes.size();
    });
    EXPECT_EQ(at, offset + length);
  }
  EXPECT_EQ(code_of([&] { root->child("big")->read(big.size(), 1, [](std::uint64_t, ByteView) {}); }),
            Code::defect);
}

// Workers fill packs side by side, so a file goes on in another pack every other chunk: what is read beyond the frame that is
// wanted is read for nothing.
TEST(Data, ARestoreAsksForEachByteOnce) {
  Random random(31);
  TestRepository repository{Parameters{}};
  Model model = directory();
  for (int i = 0; i < 6; ++i) model.children["f" + std::to_string(i)] = file(random_bytes(random, 9'000'000));
  for (auto& [name, child] : model.children) child.entry.name = name;
  StoredItem item = back_up(repository, model, random);
  repository.reopen();
  tree::NodePtr root = repository.open(item);
  const std::uint64_t before = repository.store.bytes_read();
  std::vector<std::jthread> readers;
  for (const auto& [name, child] : model.children)
    readers.emplace_back([&root, &name = name, &child = child] { expect_equal(child, *root->child(name)); });
  readers.clear();
  EXPECT_LT(repository.store.bytes_read() - before, 56'700'000U);
}

TEST(Data, WhatIsCutOffBehindAFrameIsNoFaultOfIt) {
  Random random(32);
  TestRepository repository;
  Model model = file(random_bytes(random, 900));
  StoredItem item = back_up(repository, model, random);
  repository.reopen();
  EnginePtr engine = repository.data->engine();
  engine->catalog.load();
  auto objects = repository.memory.objects();
  std::size_t cut = 0;
  for (Index::PackNumber n = 0; n < engine->catalog.index().pack_count(); ++n, ++cut) {
    const Index::Pack pack = engine->catalog.index().pack(n);
    const Index::Frame last = engine->catalog.index().frame(n, pack.frames - 1);
    objects[pack.name()].resize(last.offset + last.stored);
  }
  ASSERT_GT(cut, 0U);
  repository.memory.set_objects(objects);
  expect_equal(model, *repository.open(item));
}

TEST(Data, ASingleFileIsARoot) {
  Random random(4);
  TestRepository repository;
  Model model = file(random_bytes(random, 5000));
  StoredItem item = back_up(repository, model, random);
  expect_equal(model, *repository.open(item));
  auto session = repository.begin();
  StoredItem again;
  tree::TreeSink& sink = session->begin_item("x", repository.open(item));
  EXPECT_TRUE(sink.reuse_file(model.entry));
  session->end_item(again);
  EXPECT_EQ(again.root, item.root);
}

TEST(Data, FilesOfMoreThanAThousandChunksHaveLists) {
  Random random(5);
  TestRepository repository;
  Model model = directory();
  model.children["level1"] = file(random_bytes(random, 2'000'000));
  model.children["level2"] = file(random_bytes(random, 60'000'000));
  model.children["fixed"] = file(random_bytes(random, 800'000));
  model.children["fixed"].chunking = tree::Chunking::fixed;
  for (auto& [name, child] : model.children) child.entry.name = name;
  StoredItem item = back_up(repository, model, random);
  repository.reopen();
  expect_equal(model, *repository.open(item));
  // Taken over with its lists; the point needs everything that it needed before.
  back_up(repository, model, random, repository.open(item));
  EXPECT_TRUE(repository.published[1].needed.size() >= repository.published[0].needed.size());
  EXPECT_TRUE(repository.data->verify_content({*item.root}, repository.published[1].needed, {}).empty());
}

TEST(Data, OneContentIsStoredOnce) {
  Random random(6);
  TestRepository repository{Parameters{}};
  Bytes same = random_bytes(random, 3'000'000);
  Model model = directory();
  for (int i = 0; i < 5; ++i) {
    std::string name = "f" + std::to_string(i);
    model.children[name] = file(same);
    model.children[name].entry.name = name;
  }
  auto session = repository.begin();
  StoredItem item = capture_item(*session, model, random);
  session->publish({});
  EXPECT_LT(session->bytes_stored(), 3'300'000U);
  EXPECT_EQ(session->bytes_read() >= 15'000'000U, true);

  session = repository.begin();  // everything read again, and still nothing new
  capture_item(*session, model, random);
  session->publish({});
  EXPECT_LT(session->bytes_stored(), 20'000U);
  expect_equal(model, *repository.open(item));
}

TEST(Data, WhatIsUnchangedIsNotRead) {
  Random random(7);
  TestRepository repository;
  Model model = random_tree(random, 4);
  model.children["zz"] = file(random_bytes(random, 3000));
  model.children["zz"].entry.name = "zz";
  StoredItem first = back_up(repository, model, random);

  Model later = model;
  later.entry.captured = {99999, 0};
  later.children["zz"].entry.captured = {99999, 0};
  repository.reopen();
  auto session = repository.begin();
  StoredItem second;
  EXPECT_EQ(capture(later, session->begin_item("item", repository.open(first)), random, true), 0);
  session->end_item(second);
  PointDraft draft;
  session->publish(draft);
  EXPECT_EQ(session->bytes_read(), 0U);
  EXPECT_EQ(session->bytes_stored(), 0U);
  EXPECT_EQ(second.root, first.root);
  EXPECT_EQ(second.bytes, first.bytes);
  EXPECT_EQ(repository.published[0].needed, repository.published[1].needed);
}

TEST(Data, AnyDoubtMakesAFileBeReadAgain) {
  Random random(8);
  TestRepository repository;
  Model model = directory();
  Model& f = model.children["f"] = file(random_bytes(random, 3000));
  f.entry.name = "f";
  StoredItem first = back_up(repository, model, random);
  auto reused = [&](auto change, const StoredItem& before) {
    tree::Entry now = f.entry;
    change(now);
    auto session = repository.begin();
    tree::TreeSink& sink = session->begin_item("item", repository.open(before));
    sink.open_directory(model.entry);
    return sink.reuse_file(now);
  };
  EXPECT_TRUE(reused([](tree::Entry&) {}, first));
  EXPECT_FALSE(reused([](tree::Entry& e) { e.name = "g"; }, first));
  EXPECT_FALSE(reused([](tree::Entry& e) { ++e.size; }, first));
  EXPECT_FALSE(reused([](tree::Entry& e) { ++e.modified.nanoseconds; }, first));
  EXPECT_FALSE(reused([](tree::Entry& e) { ++e.changed.nanoseconds; }, first));
  EXPECT_FALSE(reused([](tree::Entry& e) { ++e.inode; }, first));
  EXPECT_FALSE(reused([](tree::Entry& e) { ++e.device; }, first));
  for (auto [seconds, nanoseconds, expected] : {std::tuple{2, 0U, false}, {2, 1U, true}, {1, 999U, false}}) {
    f.entry.captured = {f.entry.changed.seconds + seconds, f.entry.changed.nanoseconds + nanoseconds};
    StoredItem item = back_up(repository, model, random);
    EXPECT_EQ(reused([](tree::Entry&) {}, item), expected) << seconds << " s " << nanoseconds << " ns";
  }
  for (const std::string& name : repository.names("pack")) repository.memory.remove(name);
  EXPECT_FALSE(reused([](tree::Entry&) {}, first));
}

TEST(Data, WhatNoReaderWouldTakeIsNotStored) {
  Random random(21);
  TestRepository repository;
  auto code_with = [&](auto change) {
    Model model = directory();
    Model& f = model.children["f"] = file(random_bytes(random, 500));
    f.entry.name = "f";
    change(f);
    return code_of([&] { back_up(repository, model, random); });
  };
  EXPECT_EQ(code_with([](Model&) {}), std::nullopt);
  EXPECT_EQ(code_with([](Model& f) { f.entry.modified.nanoseconds = 1'000'000'000; }), Code::unsupported);
  EXPECT_EQ(code_with([](Model& f) { f.entry.mode = 0100644; }), Code::unsupported);
  EXPECT_EQ(code_with([](Model& f) {
              f.entry.sparse = true;
              f.entry.extents = {{0, 300}, {300, 0}, {300, 200}};
            }),
            Code::unsupported);
  EXPECT_EQ(code_with([](Model& f) {
              f.entry.attributes.push_back({tree::AttributeType::xattr, "user.x", Bytes(std::size_t{64} << 20)});
            }),
            Code::unsupported);
}

TEST(Data, APackThatTheDiskCannotReadIsAProblemAndNotTheEnd) {
  Random random(22);
  TestRepository repository;
  StoredItem item = back_up(repository, file(random_bytes(random, 5000)), random);
  const auto packs = repository.published.back().needed;
  repository.data->verify_content({}, packs, {});  // the index is known
  repository.store.fail(1, store::FaultyStore::Repeat::once, Code::io, store::StoreCall::get_range);
  EXPECT_FALSE(repository.data->verify_content({*item.root}, packs, {}).empty());
  repository.store.fail(1, store::FaultyStore::Repeat::once, Code::unavailable, store::StoreCall::get_range);
  EXPECT_EQ(code_of([&] { repository.data->verify_content({*item.root}, packs, {}); }), Code::unavailable);
}

TEST(Data, APointNeedsNothingButWhatItNames) {
  Random random(9);
  TestRepository repository;
  Model model = random_tree(random, 3);
  StoredItem first = back_up(repository, model, random);
  for (auto& [name, child] : model.children) {
    if (child.entry.kind == tree::Kind::file && random() % 2) child.entry.inode += 1;
  }
  model.children["new"] = file(random_bytes(random, 10000));
  model.children["new"].entry.name = "new";
  StoredItem second = back_up(repository, model, random, repository.open(first));
  Random other(1);
  back_up(repository, random_tree(other, 3), other);

  std::set<std::string> needed;
  for (const NeededObject& object : repository.published[1].needed) {
    EXPECT_EQ(repository.memory.info(object_name(object.type, object.hash)).value().size, object.size);
    needed.insert(object_name(object.type, object.hash));
  }
  for (const char* folder : {"pack", "index"}) {
    for (const std::string& name : repository.names(folder)) {
      if (!needed.contains(name)) repository.memory.remove(name);
    }
  }
  repository.reopen();
  expect_equal(model, *repository.open(second));
  EXPECT_TRUE(repository.data->verify_content({*second.root}, repository.published[1].needed, {}).empty());
}

TEST(Data, AKilledRunLeavesPacksThatCanBeUsed) {
  Random random(10);
  TestRepository repository;
  Model model = random_tree(random, 3);
  StoredItem first = back_up(repository, model, random);
  Model huge = directory();
  huge.children["h"] = file(random_bytes(random, 60'000'000));
  huge.children["h"].entry.name = "h";
  {
    auto session = repository.begin();
    capture_item(*session, huge, random);
    EXPECT_GT(session->bytes_stored(), 0U);
  }
  for (const std::string& name : repository.names("pack")) {
    auto hash = parse_object_name(name)->hash;
    EXPECT_FALSE(repository.data->check_pack(hash, repository.memory.info(name)->size)) << name;
  }
  repository.reopen();
  expect_equal(model, *repository.open(first));
  StoredItem second = back_up(repository, huge, random);
  expect_equal(huge, *repository.open(second));
}

void expect_listed_packs_are_there(TestRepository& repository) {
  const DataContext context = repository.context();
  Catalog catalog(context);
  catalog.load();
  EXPECT_GT(catalog.index().pack_count(), 0U);
  for (Index::PackNumber pack = 0; pack < catalog.index().pack_count(); ++pack)
    EXPECT_TRUE(repository.memory.info(catalog.index().pack(pack).name()));
}

TEST(Data, AFaultAtAnyPutOrSyncIsToldAndLeavesNothingHalf) {
  Random random(11);
  Model model = random_tree(random, 3);
  model.children["big"] = file(random_bytes(random, 30'000'000));
  model.children["big"].entry.name = "big";
  for (store::StoreCall call : {store::StoreCall::put, store::StoreCall::sync}) {
    bool whole = false;
    for (std::uint64_t nth = 1; !whole; ++nth) {
      SCOPED_TRACE(nth);
      TestRepository repository;
      repository.store.fail(nth, store::FaultyStore::Repeat::from_then_on, Code::no_space, call);
      Random choices(12);
      auto code = code_of([&] { back_up(repository, model, choices); });
      whole = !code;
      if (whole) break;
      ASSERT_LT(nth, 20U);
      EXPECT_EQ(code, Code::no_space);
      EXPECT_TRUE(repository.published.empty());
      repository.store.reset();
      StoredItem item = back_up(repository, model, choices);
      repository.reopen();
      expect_equal(model, *repository.open(item));
      expect_listed_packs_are_there(repository);
    }
  }
}

TEST(Data, AnErrorOfAWorkerReachesTheCallerAsItIs) {
  Random random(13);
  TestRepository repository;
  auto session = repository.begin();
  repository.store.fail(1, store::FaultyStore::Repeat::from_then_on, Code::permission, store::StoreCall::put);
  tree::TreeSink& sink = session->begin_item("item", nullptr);
  sink.open_directory(directory().entry);
  EXPECT_EQ(code_of([&] {
              for (int i = 0; i < 1000; ++i) {
                Model m = file(random_bytes(random, 1'000'000));
                m.entry.name = "f" + std::to_string(1000 + i);
                capture(m, sink, random);
              }
            }),
            Code::permission);
  EXPECT_EQ(code_of([&] { session->abandon_item(); }), Code::permission);
  EXPECT_EQ(code_of([&] { session->publish({}); }), Code::permission);
}

TEST(Data, ARunCanBeInterrupted) {
  Random random(14);
  TestRepository repository;
  Cancel cancel;
  auto session = repository.begin({nullptr, &cancel, 2});
  tree::TreeSink& sink = session->begin_item("item", nullptr);
  sink.open_directory(directory().entry);
  cancel.raise();
  EXPECT_EQ(code_of([&] {
              for (int i = 0; i < 100; ++i) {
                Model m = file(random_bytes(random, 1'000'000));
                m.entry.name = "f" + std::to_string(1000 + i);
                capture(m, sink, random);
              }
            }),
            Code::interrupted);
}

TEST(Data, AnAbandonedItemLeavesThePointAsItIs) {
  Random random(15);
  TestRepository repository;
  Model model = random_tree(random, 2);
  auto session = repository.begin();
  StoredItem one = capture_item(*session, model, random);
  tree::TreeSink& sink = session->begin_item("bad", nullptr);
  sink.open_directory(directory().entry);
  sink.begin_file(tree::Chunking::content_defined).write(random_bytes(random, 500'000));
  session->abandon_item();
  StoredItem two = capture_item(*session, model, random);
  session->publish({});
  EXPECT_EQ(one.root, two.root);
  repository.reopen();
  expect_equal(model, *repository.open(two));
}

TEST(Data, MisuseIsADefect) {
  TestRepository repository;
  auto session = repository.begin();
  tree::TreeSink& sink = session->begin_item("item", nullptr);
  tree::Entry link;
  link.kind = tree::Kind::symlink;
  sink.open_directory(directory().entry);
  auto add = [&](const std::string& name) {
    link.name = name;
    return code_of([&] { sink.add(link); });
  };
  EXPECT_EQ(add("b"), std::nullopt);
  EXPECT_EQ(add("b"), Code::defect);
  EXPECT_EQ(add("a"), Code::defect);
  EXPECT_EQ(add(".."), Code::defect);
  EXPECT_EQ(add("x/y"), Code::defect);
  sink.begin_file(tree::Chunking::fixed).write(Bytes(10));
  Model m = file(Bytes(11));
  m.entry.name = "c";
  EXPECT_EQ(code_of([&] { sink.end_file(m.entry); }), Code::defect);
  EXPECT_EQ(code_of([&] { session->publish({}); }), Code::defect);
}

TEST(Data, WrongBytesAreNeverGivenOut) {
  Random random(16);
  TestRepository repository;
  Model model = directory();
  for (int i = 0; i < 40; ++i) {
    std::string name = "f" + std::to_string(i);
    model.children[name] = file(random_bytes(random, random() % 6000, i % 2));
    model.children[name].entry.name = name;
  }
  StoredItem item = back_up(repository, model, random);
  std::string pack = repository.names("pack").at(0);
  auto hash = parse_object_name(pack)->hash;
  std::uint64_t size = repository.memory.info(pack)->size;
  int told = 0;
  for (std::uint64_t byte = 0; byte < size; byte += 1 + random() % 900) {
    SCOPED_TRACE("byte " + std::to_string(byte) + " of " + std::to_string(size));
    repository.store.reset();
    repository.store.flip_bit(pack, byte * 8 + random() % 8);
    repository.reopen();
    auto problem = repository.data->check_pack(hash, size);
    ASSERT_TRUE(problem);
    EXPECT_EQ(problem->object, pack);
    try {
      repository.reopen();
      expect_equal(model, *repository.open(item));
    } catch (const Error& error) {
      EXPECT_TRUE(error.code() == Code::damaged || error.code() == Code::unsupported) << error.message();
      EXPECT_NE(error.message().find(pack), std::string::npos) << error.message();
      ++told;
    }
  }
  EXPECT_GT(told, 20);

  // A second copy of the chunks makes it good: written because the damaged pack is not deduplicated against.
  repository.store.reset();
  Bytes bytes = repository.memory.get(pack, size);
  repository.memory.remove(pack);
  repository.reopen();
  StoredItem again = back_up(repository, model, random);
  bytes[kPackHeaderSize + 20] ^= 1;
  repository.memory.put(pack, bytes);
  repository.reopen();
  EXPECT_EQ(again.root, item.root);
  expect_equal(model, *repository.open(item));
  auto problems = repository.data->verify_content({*item.root}, repository.published[0].needed, {});
  ASSERT_FALSE(problems.empty());
  EXPECT_EQ(problems[0].object, pack);
  EXPECT_TRUE(repository.data->verify_content({*item.root}, repository.published[1].needed, {}).empty());
}

TEST(Data, PacksAloneAreEnough) {
  Random random(17);
  TestRepository repository;
  Model model = random_tree(random, 3);
  StoredItem item = back_up(repository, model, random);
  std::string segment = repository.names("index").at(0);
  repository.store.flip_bit(segment, 3000);
  repository.reopen();
  expect_equal(model, *repository.open(item));
  // The next run lists again what the damaged segment listed, and stores nothing twice.
  repository.reopen();
  auto session = repository.begin();
  capture_item(*session, model, random);
  session->publish({});
  EXPECT_LT(session->bytes_stored(), 200'000U);
  repository.store.reset();
  repository.memory.remove(segment);
  repository.reopen();
  expect_equal(model, *repository.open(item));
}

TEST(Data, ContentIsComparedWithoutBeingRead) {
  Random random(18);
  TestRepository repository;
  Model model = file(random_bytes(random, 100'000));
  StoredItem item = back_up(repository, model, random);
  tree::NodePtr node = repository.open(item);
  auto same = [&](Bytes other) {
    ByteView rest = other;
    return node->same_content([&](MutableBytes out) {
      std::size_t n = std::min({rest.size(), out.size(), std::size_t{777}});
      std::copy_n(rest.begin(), n, out.begin());
      rest = rest.subspan(n);
      return n;
    });
  };
  std::uint64_t before = repository.store.calls(store::StoreCall::get_range);
  EXPECT_TRUE(same(model.content));
  Bytes other = model.content;
  other[50'000] ^= 1;
  EXPECT_FALSE(same(other));
  other = model.content;
  other.push_back(0);
  EXPECT_FALSE(same(other));
  other.resize(99'999);
  EXPECT_FALSE(same(other));
  EXPECT_EQ(repository.store.calls(store::StoreCall::get_range), before);
  repository.keyring->add_epoch(platform::real_entropy(), {2, 0});
  EXPECT_TRUE(same(model.content));
}

TEST(Data, AHundredThousandFilesInOneDirectory) {
  Random random(19);
  TestRepository repository{Parameters{}};
  Model model = directory();
  for (int i = 0; i < 100'000; ++i) {
    std::string name = "file-" + std::to_string(1'000'000 + i);
    Model& m = model.children[name] = file(to_bytes("content " + std::to_string(i * 7)));
    m.entry.name = name;
  }
  StoredItem item = back_up(repository, model, random);
  EXPECT_EQ(item.files, 100'000U);
  repository.reopen();
  expect_equal(model, *repository.open(item));
  StoredItem again = back_up(repository, model, random, repository.open(item));
  EXPECT_EQ(again.root, item.root);
}

// A pack with one chunk compressed against `base`: this version reads such packs and writes none.
std::string put_delta_pack(TestRepository& repository, const ChunkId& id, ByteView delta,
                           std::size_t plain_size, const ChunkId& base) {
  platform::Entropy& entropy = platform::real_entropy();
  const Epoch& epoch = repository.keyring->current();
  Bytes key(32), salt(16);
  entropy.fill(key);
  entropy.fill(salt);
  Bytes sealed = crypto::seal(epoch.seal.public_key, key);
  ObjectHeader header;
  header.type = ObjectType::pack;
  header.epoch = epoch.number;
  header.repository = repository.id;
  header.writer = repository.writer;
  header.extra =
      Writer().raw(salt).u8(0).u8(0).u16(static_cast<std::uint16_t>(sealed.size())).raw(sealed).take();
  Bytes head = encode_header(header);
  Bytes frame(delta.size() + crypto::kAeadTagSize);
  FrameCipher(key, repository.id, salt).seal(0, delta, frame);
  Bytes directory = Writer()
                        .varint(epoch.number)
                        .varint(1)
                        .varint(frame.size())
                        .u8(2)
                        .varint(plain_size)
                        .raw(base.view())
                        .varint(1)
                        .raw(id.view())
                        .u8(1)
                        .varint(plain_size)
                        .take();
  Bytes body = seal_body(epoch.meta_key.view(), ObjectType::pack, head, directory, entropy);
  Bytes object = Writer().raw(head).raw(frame).raw(body).u32(static_cast<std::uint32_t>(body.size())).take();
  append_signature(object, repository.signing_key);
  std::string name = object_name(ObjectType::pack, crypto::sha256(object));
  repository.memory.put(name, object);
  return name;
}

TEST(Data, AChunkBuiltOnAnotherIsRead) {
  Random random(20);
  TestRepository repository{Parameters{}};
  Model model = file(random_bytes(random, 60'000));
  StoredItem base = back_up(repository, model, random);
  Bytes changed = model.content;
  changed[30'000] ^= 1;
  ChunkId id = chunk_id(repository.keyring->current(), ChunkType::data, changed);
  Bytes delta = testing::compress_with_prefix(changed, model.content);
  EXPECT_LT(delta.size(), 1000U);
  std::string pack = put_delta_pack(repository, id, delta, changed.size(), base.root->second.pieces.at(0).id);

  tree::Entry entry = model.entry;
  ContentRef content{changed.size(), 0, {{id, static_cast<std::uint32_t>(changed.size())}}};
  std::pair<Bytes, ContentRef> root{tree::encode_entry(entry), content};
  EXPECT_TRUE(repository.data->open_node(root.first, root.second)->read_all() == changed);
  EXPECT_FALSE(
      repository.data->check_pack(parse_object_name(pack)->hash, repository.memory.info(pack)->size));

  // Deduplicating against it makes the point need the pack of the base too.
  Model same = file(changed);
  StoredItem item = back_up(repository, same, random);
  EXPECT_EQ(item.root->second, content);
  EXPECT_GE(repository.published[1].needed.size(), 3U);
  EXPECT_TRUE(repository.data->verify_content({*item.root}, repository.published[1].needed, {}).empty());

  for (const std::string& name : repository.names("pack")) {
    if (name != pack) repository.memory.remove(name);
  }
  repository.reopen();
  EXPECT_EQ(code_of([&] { repository.data->open_node(root.first, root.second)->read_all(); }), Code::damaged);
  back_up(repository, same, random);  // not deduplicated against: its base is gone
  EXPECT_TRUE(repository.data->open_node(root.first, root.second)->read_all() == changed);
}

// Anyone who can seal to the public key can make a pack that decrypts: only the id tells.
TEST(Data, AChunkThatIsNotItsIdIsRefused) {
  Random random(21);
  TestRepository repository{Parameters{}};
  Model model = file(random_bytes(random, 2000));
  StoredItem base = back_up(repository, model, random);
  const ContentRef::Piece& piece = base.root->second.pieces.at(0);
  Bytes changed = model.content;
  changed[1000] ^= 1;
  for (const std::string& name : repository.names("index")) repository.memory.remove(name);
  ChunkId other = piece.id;
  other.bytes[0] ^= 1;
  std::string forged = put_delta_pack(repository, other, compress_with_prefix(changed, model.content),
                                      changed.size(), piece.id);
  repository.reopen();
  ContentRef content{changed.size(), 0, {{other, piece.length}}};
  auto code = code_of([&] { repository.data->open_node(base.root->first, content)->read_all(); });
  EXPECT_EQ(code, Code::damaged);
  EXPECT_TRUE(
      repository.data->check_pack(parse_object_name(forged)->hash, repository.memory.info(forged)->size));
  expect_equal(model, *repository.open(base));
}

}  // namespace
}  // namespace holdfast::repository
