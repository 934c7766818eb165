// The metadata half: envelope, slots, keyring, inventory, points, logs, local state, containers.
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/testing.h"
#include "base/wire.h"
#include "platform/faulty_file_system.h"
#include "platform/testing.h"
#include "repository/format/container.h"
#include "repository/format/inventory_testing.h"
#include "repository/format/point_codec.h"
#include "repository/format/point_object.h"
#include "repository/format/repository_object.h"
#include "repository/keys/keyring.h"
#include "repository/keys/slot_store.h"
#include "repository/log/log.h"
#include "repository/log/point_list.h"
#include "store/testing.h"

namespace holdfast::repository {
namespace {

constexpr crypto::Argon2Cost kCheap{64, 1};

// A store with a repository object, one epoch and one writer.
struct Fixture {
  store::MemoryStore store;
  platform::ManualClock clock;
  platform::SeededEntropy entropy{1};
  RepositoryObject object;
  crypto::Secret root{32};
  std::unique_ptr<Keyring> keyring;
  crypto::SigningKey key = crypto::signing_key(Bytes(32, 7));

  Fixture() {
    object.id = entropy.random<RepositoryId>();
    object.created = clock.now();
    Bytes bytes = encode_repository_object(object);
    store.put(object_name(ObjectType::repository, object.hash), bytes);
    entropy.fill(root.bytes());
    Keyring::put_first_epoch(store, object.id, root, object.hash, clock.now(), entropy);
    keyring = std::make_unique<Keyring>(store, object.id, root);
    keyring->add_writer(key.verify_key, "ns01", clock.now(), entropy);
  }
  LogWriter writer() { return {writer_id(key.verify_key), key}; }
  crypto::SigningKey another_writer(std::uint8_t seed) {
    crypto::SigningKey other = crypto::signing_key(Bytes(32, seed));
    keyring->add_writer(other.verify_key, "other", clock.now(), entropy);
    return other;
  }
  Log log() {
    Log l(store, object.id, *keyring);
    l.refresh();
    return l;
  }
  std::string only(std::string_view prefix) {
    std::string name;
    store.list(prefix, [&](const store::ObjectInfo& info) { name = info.name; });
    return name;
  }
};

PointDraft sample_draft() {
  PointDraft d;
  d.system_name = "ns01";
  d.started = {100, 5};
  d.finished = {200, 0};
  d.origin = Origin::scheduled;
  d.status = PointStatus::complete_with_findings;
  d.label = "before update";
  d.section = "configuration";
  d.tool_version = "0.1.0";
  d.configuration = to_bytes("[system]\n");
  d.profile = to_bytes("profile");
  d.identity = {{"server", "ns01"}, {"server", "again"}};
  StoredItem item;
  item.name = "cmdb";
  item.kind = "database";
  item.criticality = "critical";
  item.bytes = 1234;
  item.files = 1;
  item.facts = {{"rows", "7"}};
  item.findings = {{"not_covered", "\xff/x", "message", "hint"}};
  item.root = {to_bytes("entry"), ContentRef{3, 0, {{ChunkId{}, 3}}}};
  d.items = {item};
  item = {};
  item.name = "licences";
  item.status = ItemStatus::failed;
  d.items.push_back(item);
  d.findings = {{"a", "b", "c", "d"}};
  d.provenance = {{"origin_point", "00"}};
  return d;
}

RecordBody point_body(const PointId& id, std::int64_t finished) {
  RecordBody body;
  body.points = {id};
  PointSummary summary = summary_of(sample_draft());
  summary.finished = {finished, 0};
  body.point = summary;
  return body;
}

TEST(Envelope, NamesAreStrict) {
  crypto::Sha256 hash = crypto::sha256(as_bytes("x"));
  std::string name = object_name(ObjectType::pack, hash);
  EXPECT_EQ(parse_object_name(name)->hash, hash);
  WriterId writer = WriterId::from(hash.view().first(16));
  auto record = parse_object_name(record_name(writer, 42, hash));
  ASSERT_TRUE(record);
  EXPECT_EQ(record->number, 42u);
  EXPECT_EQ(record->writer, writer);
  for (const std::string& bad : {name + "0", "packs/" + hash.hex(), std::string("pack/../x"), "pack/" + std::string(64, 'A'),
                                 "record/" + hash.hex(), record_name(writer, 0, hash), std::string("pack"), std::string()}) {
    EXPECT_FALSE(parse_object_name(bad)) << bad;
  }
}

TEST(Envelope, ASignatureIsNoPartOfTheHeader) {
  crypto::SigningKey key = crypto::signing_key(Bytes(32, 7));
  RepositoryId id{{1}};
  Bytes whole = encode_header({.type = ObjectType::record, .repository = id, .writer = {}, .extra = Bytes(80)});
  Bytes torn(whole.begin(), whole.end() - kSignatureSize);  // its writer signs what is no whole object
  append_signature(torn, key);
  EXPECT_EQ(parse_object(torn, ObjectType::record, &id, "x").rest.size(), 0u);
  EXPECT_EQ(code_of([&] { check_signature(torn, key.verify_key, "x"); }), Code::damaged);
  Bytes tiny(10);
  append_signature(tiny, key);
  EXPECT_EQ(code_of([&] { check_signature(tiny, key.verify_key, "x"); }), Code::damaged);
  append_signature(whole, key);
  EXPECT_EQ(check_signature(whole, key.verify_key, "x").size(), kHeaderSize + 80);
}

TEST(Envelope, RefusesWhatItDoesNotKnow) {
  RepositoryId id{{1}};
  ObjectHeader header{.type = ObjectType::point, .epoch = 3, .required = 0, .optional = 5, .repository = id, .writer = {}, .extra = {1, 2}};
  Bytes good = encode_header(header);
  ParsedObject parsed = parse_object(good, ObjectType::point, &id, "o");
  EXPECT_EQ(parsed.header.epoch, 3u);
  EXPECT_EQ(parsed.header.optional, 5u);
  EXPECT_EQ(parsed.header.extra, (Bytes{1, 2}));
  auto with = [&](std::size_t at, std::uint8_t value) {
    Bytes b = good;
    b[at] = value;
    return code_of([&] { parse_object(b, ObjectType::point, &id, "o"); });
  };
  EXPECT_EQ(with(0, 'X'), Code::damaged);
  EXPECT_EQ(with(8, 4), Code::damaged);        // type
  EXPECT_EQ(with(10, 2), Code::unsupported);   // version
  EXPECT_EQ(with(12, 2), Code::unsupported);   // suite
  EXPECT_EQ(with(20, 71), Code::damaged);      // header length
  EXPECT_EQ(with(22, 1), Code::damaged);       // header longer than the object
  EXPECT_EQ(with(24, 1), Code::unsupported);   // required bit
  EXPECT_EQ(with(40, 9), Code::damaged);       // repository
  for (std::size_t n = 0; n < good.size(); ++n) {
    EXPECT_EQ(code_of([&] { parse_object(ByteView(good).first(n), ObjectType::point, &id, "o"); }), Code::damaged) << n;
  }
}

TEST(Envelope, SealedBodyIsBoundToHeaderTypeAndKey) {
  platform::SeededEntropy entropy(2);
  Bytes key(32, 1), header(80, 2), plain(100'000, 3);
  Bytes sealed = seal_body(key, ObjectType::point, header, plain, entropy);
  EXPECT_LT(sealed.size(), 1000u);
  EXPECT_EQ(open_body(key, ObjectType::point, header, sealed, "o"), plain);
  Bytes other_header = header, other_key = key;
  other_header[3] ^= 1;
  other_key[3] ^= 1;
  EXPECT_EQ(code_of([&] { open_body(key, ObjectType::point, other_header, sealed, "o"); }), Code::damaged);
  EXPECT_EQ(code_of([&] { open_body(other_key, ObjectType::point, header, sealed, "o"); }), Code::damaged);
  EXPECT_EQ(code_of([&] { open_body(key, ObjectType::record, header, sealed, "o"); }), Code::damaged);
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    Bytes bad = sealed;
    bad[i] ^= 0x40;
    EXPECT_EQ(code_of([&] { open_body(key, ObjectType::point, header, bad, "o"); }), Code::damaged) << i;
    EXPECT_EQ(code_of([&] { open_body(key, ObjectType::point, header, ByteView(sealed).first(i), "o"); }), Code::damaged) << i;
  }
  Bytes empty = seal_body(key, ObjectType::point, header, {}, entropy);
  EXPECT_TRUE(open_body(key, ObjectType::point, header, empty, "o").empty());
}

TEST(RepositoryObject, KeepsParametersAndUnknownFields) {
  RepositoryObject object;
  object.id = {{4}};
  object.created = {5, 6};
  object.parameters.chunk_average = 1U << 19;
  object.unknown_fields = Writer().field_text(99, "newer").take();
  Bytes bytes = encode_repository_object(object);
  RepositoryObject back = decode_repository_object(bytes, object.hash);
  EXPECT_EQ(back.id, object.id);
  EXPECT_EQ(back.created, object.created);
  EXPECT_EQ(back.parameters.chunk_average, 1U << 19);
  EXPECT_EQ(back.unknown_fields, object.unknown_fields);
  bytes.back() ^= 1;
  EXPECT_EQ(code_of([&] { decode_repository_object(bytes, object.hash); }), Code::damaged);
}

struct Slots : ::testing::Test {
  Fixture f;
  SlotSecret password = password_secret(as_bytes("correct"));
  RecoveryKey recovery{crypto::Secret(32)};
  std::string password_slot, recovery_slot;

  void SetUp() override {
    f.entropy.fill(recovery.bytes.bytes());
    password_slot = add_slot(f.store, f.object.id, f.root, password, "my password", kCheap, {5, 0}, f.entropy).object;
    recovery_slot = add_slot(f.store, f.object.id, f.root, recovery_secret(recovery), "printed", kCheap, {6, 0}, f.entropy).object;
  }
  OpenedSlot open(const SlotSecret& secret) { return open_root_key(f.store, f.object.id, secret); }
  void change(const std::string& name, const std::function<void(Bytes&)>& edit) {
    auto objects = f.store.objects();
    edit(objects[name]);
    f.store.set_objects(objects);
  }
};

TEST_F(Slots, EveryWayOpensAndNothingElse) {
  EXPECT_TRUE(crypto::equal(open(password).root_key.view(), f.root.view()));
  EXPECT_TRUE(crypto::equal(open(recovery_secret(recovery)).root_key.view(), f.root.view()));
  EXPECT_TRUE(crypto::equal(open(password_secret(as_bytes(recovery.text()))).root_key.view(), f.root.view()));
  SlotSecret machine = parse_machine_key(as_bytes(machine_key_file(Bytes(32, 4))));
  EXPECT_EQ(code_of([&] { open(machine); }), Code::wrong_key);
  EXPECT_EQ(code_of([&] { open(password_secret(as_bytes("wrong"))); }), Code::wrong_key);
  auto slots = list_slots(f.store, f.object.id, nullptr);
  ASSERT_EQ(slots.size(), 2u);
  EXPECT_EQ(slots[0].kind, SlotKind::password);
  EXPECT_FALSE(slots[0].label);
  EXPECT_EQ(list_slots(f.store, f.object.id, &f.root)[1].label, "printed");
}

TEST_F(Slots, DamageIsNeverAWrongPassword) {
  Bytes whole = f.store.objects()[password_slot];
  for (std::size_t i = 0; i < whole.size(); i += 3) {
    change(password_slot, [&](Bytes& b) { b[i] ^= 1; });
    EXPECT_EQ(code_of([&] { open(password); }), Code::damaged) << i;
    EXPECT_TRUE(list_slots(f.store, f.object.id, nullptr)[0].damage || list_slots(f.store, f.object.id, nullptr)[1].damage);
    EXPECT_NO_THROW(open(recovery_secret(recovery)));
    change(password_slot, [&](Bytes& b) { b = Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(i)); });
    EXPECT_EQ(code_of([&] { open(password); }), Code::damaged) << i;
    change(password_slot, [&](Bytes& b) { b = whole; });
  }
  f.store.remove(password_slot);
  EXPECT_EQ(code_of([&] { open(password); }), Code::wrong_key);
  f.store.remove(recovery_slot);
  EXPECT_EQ(code_of([&] { open(password); }), Code::damaged);
}

TEST_F(Slots, HostileCostIsRefusedBeforeAnythingIsAllocated) {
  for (auto [memory, passes] : {std::pair{(1U << 20) + 1, 1U}, {64U, 11U}, {7U, 1U}, {64U, 0U}, {UINT32_MAX, UINT32_MAX}}) {
    Bytes slot = f.store.objects()[password_slot];
    f.store.remove(password_slot);
    Writer cost;
    cost.u32(memory).u32(passes);
    std::copy(cost.bytes().begin(), cost.bytes().end(), slot.begin() + 72 + 16 + 4 + 8);
    password_slot = object_name(ObjectType::slot, crypto::sha256(slot));
    f.store.put(password_slot, slot);
    EXPECT_EQ(code_of([&] { open(password); }), Code::unsupported) << memory << " " << passes;
  }
}

TEST(KeyringTest, EntriesAreAUnionAndDamageIsTold) {
  Fixture f;
  crypto::SigningKey other = f.another_writer(9);
  f.keyring->add_epoch(f.entropy, f.clock.now());
  Keyring again(f.store, f.object.id, f.root);
  EXPECT_EQ(again.current().number, 2u);
  EXPECT_TRUE(crypto::equal(again.current().chunker_secret.view(), again.epoch(1, "o").chunker_secret.view()));
  EXPECT_FALSE(crypto::equal(again.current().meta_key.view(), again.epoch(1, "o").meta_key.view()));
  EXPECT_EQ(again.verify_key(writer_id(other.verify_key)), other.verify_key);
  EXPECT_EQ(again.writers().size(), 2u);
  EXPECT_FALSE(again.verify_key(WriterId{{1}}));
  EXPECT_EQ(code_of([&] { again.epoch(3, "o"); }), Code::damaged);
  EXPECT_EQ(code_of([&] { Keyring(f.store, f.object.id, crypto::Secret(32)); }), Code::damaged);

  auto objects = f.store.objects();
  for (auto& [name, bytes] : objects) {
    if (!name.starts_with("keyring/")) continue;
    auto changed = objects;
    changed[name].back() ^= 1;
    f.store.set_objects(changed);
    Keyring partly(f.store, f.object.id, f.root);
    EXPECT_EQ(partly.damage().size(), 1u);
    EXPECT_EQ(partly.damage().begin()->first, name);
  }
}

TEST(Inventory, SharesPagesAndRefusesTampering) {
  Fixture f;
  std::vector<NeededObject> needed;
  for (int i = 0; i < 5000; ++i) needed.push_back({ObjectType::pack, f.entropy.random<crypto::Sha256>(), 100});
  needed.push_back({ObjectType::index, f.entropy.random<crypto::Sha256>(), 7});
  auto puts = [&] { return f.store.objects().size(); };
  InventoryRoot root = put_inventory(f.store, f.object.id, testing::in_order(needed), f.entropy);
  KnownPages known;
  known.take(f.store, f.object.id, root, [](const NeededObject&) { return true; });
  std::size_t before = puts();
  needed.push_back({ObjectType::pack, f.entropy.random<crypto::Sha256>(), 100});
  InventoryRoot second = put_inventory(f.store, f.object.id, testing::in_order(needed), f.entropy, known);
  EXPECT_LE(puts() - before, 3u);   // one page changed (or cut), and the root
  auto read = [&](const InventoryRoot& r) {
    std::vector<NeededObject> all;
    read_inventory(f.store, f.object.id, r, [](const NeededObject&) { return true; }, [&](const NeededObject& o) { all.push_back(o); });
    return all;
  };
  std::sort(needed.begin(), needed.end());
  EXPECT_EQ(read(second), needed);
  EXPECT_EQ(read(root).size(), 5001u);
  EXPECT_TRUE(read(put_inventory(f.store, f.object.id, testing::in_order({}), f.entropy)).empty());
  auto objects = f.store.objects();
  for (auto& [name, bytes] : objects) {
    if (!name.starts_with("inventory/")) continue;
    auto changed = objects;
    changed[name][changed[name].size() / 2] ^= 1;
    f.store.set_objects(changed);
    try {
      EXPECT_TRUE(read(second) == needed);   // a page of the first inventory only
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::damaged);
    }
  }
}

TEST(PointCodec, RoundTripWithUnknownFields) {
  PointDraft draft = sample_draft();
  draft.unknown_fields = Writer().field_text(200, "newer").take();
  draft.items[0].unknown_fields = Writer().field_u64(201, 5).take();
  Bytes bytes = encode_point(draft);
  PointDraft back = decode_point(bytes, "p");
  EXPECT_EQ(encode_point(back), bytes);
  EXPECT_EQ(back.items[0].findings, draft.items[0].findings);
  EXPECT_EQ(back.items[0].root, draft.items[0].root);
  EXPECT_EQ(back.identity, draft.identity);
  EXPECT_EQ(back.unknown_fields, draft.unknown_fields);
  for (std::size_t n = 0; n < bytes.size(); ++n) {   // cut anywhere: an earlier end of a field, or damaged; nothing else
    try {
      decode_point(ByteView(bytes).first(n), "p");
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::damaged);
    }
  }
}

TEST(Inventory, RefusesWhatIsOutOfOrder) {
  Fixture f;
  NeededObject a{ObjectType::pack, {}, 1}, b{ObjectType::pack, {{1}}, 1}, segment{ObjectType::index, {}, 1};
  for (const std::vector<NeededObject>& wrong : std::vector<std::vector<NeededObject>>{{b, a}, {a, a}, {a, b, segment, b}, {segment, a}}) {
    NeededObjects source = [&](const auto& visit) { std::for_each(wrong.begin(), wrong.end(), visit); };
    EXPECT_EQ(code_of([&] { put_inventory(f.store, f.object.id, source, f.entropy); }), Code::defect);
  }
  put_inventory(f.store, f.object.id, testing::in_order({segment, b, a, b}), f.entropy);
}

TEST(PointObject, DamagedOrSwappedIsNeverReadWrong) {
  Fixture f;
  InventoryRoot root = put_inventory(f.store, f.object.id, testing::in_order({}), f.entropy);
  PointId id = put_point(f.store, f.object.id, f.keyring->current(), f.writer(), sample_draft(), root, f.entropy);
  ReadPoint read = read_point(f.store, f.object.id, *f.keyring, id);
  EXPECT_EQ(read.point.label, "before update");
  EXPECT_EQ(read.inventory.hash, root.hash);
  std::string name = object_name(ObjectType::point, id);
  auto objects = f.store.objects();
  for (std::size_t i = 0; i < objects[name].size(); i += 5) {
    auto changed = objects;
    changed[name][i] ^= 1;
    f.store.set_objects(changed);
    EXPECT_EQ(code_of([&] { read_point(f.store, f.object.id, *f.keyring, id); }), Code::damaged) << i;
    // The same bytes under their own hash: still not signed by the writer.
    PointId renamed = crypto::sha256(changed[name]);
    f.store.put(object_name(ObjectType::point, renamed), changed[name]);
    const std::optional<Code> code = code_of([&] { read_point(f.store, f.object.id, *f.keyring, renamed); });
    EXPECT_TRUE(code == Code::damaged || code == Code::unsupported) << i;
  }
  f.store.set_objects(objects);
  f.store.remove(name);
  EXPECT_EQ(code_of([&] { read_point(f.store, f.object.id, *f.keyring, id); }), Code::damaged);
}

struct Logs : ::testing::Test {
  Fixture f;
  PointId id(std::uint8_t n) { return PointId{{n}}; }
  // A point record with an object that stands for its point.
  Record add_point(Log& log, const LogWriter& writer, std::uint8_t n) {
    f.store.put(object_name(ObjectType::point, id(n)), as_bytes("x"));
    return log.append(writer, RecordType::point, point_body(id(n), 100 + n), f.clock, f.entropy);
  }
  static bool has(const std::vector<ChainFinding>& findings, ChainFinding::Kind kind) {
    return std::any_of(findings.begin(), findings.end(), [&](const ChainFinding& x) { return x.kind == kind; });
  }
};

TEST_F(Logs, RecordsAreChainedAndReadBack) {
  Log log = f.log();
  crypto::SigningKey other_key = f.another_writer(9);
  LogWriter other{writer_id(other_key.verify_key), other_key};
  add_point(log, f.writer(), 1);
  add_point(log, other, 2);
  RecordBody body;
  body.points = {id(1)};
  body.note = "too old";
  log.append(f.writer(), RecordType::forget, body, f.clock, f.entropy);
  Log again = f.log();
  EXPECT_TRUE(again.findings({}).empty());
  ASSERT_EQ(again.records().size(), 3u);
  EXPECT_EQ(again.records()[1]->seen.at(f.writer().id).number, 1u);
  EXPECT_EQ(again.records()[2]->body.note, "too old");
  EXPECT_EQ(again.records()[2]->number, 2u);
  auto points = list_points(again.records());
  ASSERT_EQ(points.size(), 1u);
  EXPECT_EQ(points[0].id, id(2));
  EXPECT_EQ(points[0].items.size(), 2u);
  EXPECT_EQ(points[0].bytes(), 1234u);
}

TEST_F(Logs, WhatWasReadBeforeAnErrorIsThereAfterIt) {
  Log log = f.log();
  add_point(log, f.writer(), 1);
  const Record second = add_point(log, f.writer(), 2);
  store::FaultyStore faulty(f.store);
  Log other(faulty, f.object.id, *f.keyring);
  faulty.fail(2, store::FaultyStore::Repeat::once, Code::unavailable, store::StoreCall::get);
  EXPECT_EQ(code_of([&] { other.refresh(); }), Code::unavailable);
  f.store.remove(record_name(second.writer, second.number, second.hash));   // as its writer withdraws it
  other.refresh();
  ASSERT_EQ(other.records().size(), 1u);
  EXPECT_EQ(other.records()[0]->number, 1u);
}

TEST_F(Logs, PinAndVerificationFollowCausalOrderNotClocks) {
  Log log = f.log();
  crypto::SigningKey other_key = f.another_writer(9);
  LogWriter other{writer_id(other_key.verify_key), other_key};
  add_point(log, f.writer(), 1);
  RecordBody body;
  body.points = {id(1)};
  f.clock.set({2'000'000'000, 0});
  log.append(f.writer(), RecordType::pin, body, f.clock, f.entropy);
  f.clock.set({1'000'000'000, 0});   // the other machine's clock is behind
  log.append(other, RecordType::unpin, body, f.clock, f.entropy);
  body.level = Level::bytes;
  body.ok = true;
  log.append(other, RecordType::verification, body, f.clock, f.entropy);
  body.level = Level::content;
  body.ok = false;
  log.append(f.writer(), RecordType::verification, body, f.clock, f.entropy);
  auto points = list_points(f.log().records());
  EXPECT_FALSE(points[0].pinned);
  EXPECT_EQ(points[0].verified, Level::bytes);
  EXPECT_TRUE(points[0].verification_failed);
}

TEST_F(Logs, RollbackForkOmissionAndGapAreNoticed) {
  Log log = f.log();
  add_point(log, f.writer(), 1);
  auto early = f.store.objects();
  add_point(log, f.writer(), 2);
  Record third = add_point(log, f.writer(), 3);
  Heads remembered = log.heads();
  auto full = f.store.objects();

  f.store.set_objects(early);
  EXPECT_TRUE(has(f.log().findings(remembered), ChainFinding::Kind::rollback));
  EXPECT_TRUE(f.log().findings({}).empty());   // a bare machine cannot know

  Log rolled = f.log();   // goes on writing from the older state: another record 2
  add_point(rolled, f.writer(), 4);
  add_point(rolled, f.writer(), 5);
  EXPECT_TRUE(has(f.log().findings(remembered), ChainFinding::Kind::fork));
  auto merged = f.store.objects();
  merged.insert(full.begin(), full.end());
  f.store.set_objects(merged);
  EXPECT_TRUE(has(f.log().findings({}), ChainFinding::Kind::fork));

  f.store.set_objects(full);
  f.store.remove(object_name(ObjectType::point, id(2)));
  EXPECT_TRUE(has(f.log().findings(remembered), ChainFinding::Kind::omission));
  f.store.set_objects(full);
  f.store.remove(record_name(f.writer().id, 2, third.previous));
  EXPECT_TRUE(has(f.log().findings(remembered), ChainFinding::Kind::gap));
}

TEST_F(Logs, WhatAnotherWriterHadSeenIsEnoughToNoticeARollback) {
  Log log = f.log();
  crypto::SigningKey other_key = f.another_writer(9);
  LogWriter other{writer_id(other_key.verify_key), other_key};
  add_point(log, f.writer(), 1);
  Record second = add_point(log, f.writer(), 2);
  add_point(log, other, 3);
  f.store.remove(record_name(f.writer().id, 2, second.hash));
  Log now = f.log();
  EXPECT_TRUE(has(now.findings({}), ChainFinding::Kind::rollback));
  crypto::SigningKey fresh_key = f.another_writer(10);
  now.append({writer_id(fresh_key.verify_key), fresh_key}, RecordType::accept_older, {}, f.clock, f.entropy);
  EXPECT_FALSE(has(f.log().findings({}), ChainFinding::Kind::rollback));   // settled
}

TEST_F(Logs, TamperedRecordsAreLeftOutAndTold) {
  Log log = f.log();
  Record record = add_point(log, f.writer(), 1);
  std::string name = record_name(record.writer, 1, record.hash);
  auto objects = f.store.objects();
  for (std::size_t i = 0; i < objects[name].size(); i += 7) {
    auto changed = objects;
    Bytes bytes = changed[name];
    changed[name][i] ^= 1;
    f.store.set_objects(changed);
    EXPECT_TRUE(f.log().records().empty());
    EXPECT_FALSE(f.log().findings({}).empty());
    bytes[i] ^= 1;   // under its own name: the signature tells
    changed.erase(name);
    changed[record_name(record.writer, 1, crypto::sha256(bytes))] = bytes;
    f.store.set_objects(changed);
    try {
      EXPECT_TRUE(f.log().records().empty()) << i;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::unsupported) << i;   // version, suite or feature bits
    }
  }
  f.store.set_objects(objects);
  f.store.put(record_name(WriterId{{5}}, 1, record.hash), objects[name]);   // in another writer's log
  EXPECT_EQ(f.log().records().size(), 1u);
  EXPECT_FALSE(f.log().findings({}).empty());
}

// Lets something happen right before the next put.
struct Interrupted final : store::ObjectStore {
  explicit Interrupted(store::ObjectStore& store) : inner(store) {}
  store::ObjectStore& inner;
  std::function<void()> before_put;

  void put(const std::string& name, std::span<const ByteView> parts) override {
    if (auto act = std::exchange(before_put, nullptr)) act();
    inner.put(name, parts);
  }
  Bytes get(const std::string& name, std::uint64_t limit) override { return inner.get(name, limit); }
  void get_range(const std::string& name, std::uint64_t offset, MutableBytes out) override { inner.get_range(name, offset, out); }
  std::optional<store::ObjectInfo> info(const std::string& name) override { return inner.info(name); }
  void list(std::string_view prefix, const std::function<void(const store::ObjectInfo&)>& visit) override { inner.list(prefix, visit); }
  void remove(const std::string& name) override { inner.remove(name); }
  std::string location() const override { return inner.location(); }
};

TEST_F(Logs, WhoTakesANumberThatIsTakenStepsBack) {
  Interrupted slow(f.store);
  Log log(slow, f.object.id, *f.keyring);
  slow.before_put = [&] { add_point(*std::make_unique<Log>(f.log()), f.writer(), 1); };
  RecordBody body;
  body.points = {id(1)};
  Record second = log.append(f.writer(), RecordType::pin, body, f.clock, f.entropy);
  EXPECT_EQ(second.number, 2u);
  EXPECT_EQ(f.log().records().size(), 2u);
  EXPECT_TRUE(f.log().findings({}).empty());
}

TEST_F(Logs, TwoProcessesOfOneWriterNeverForkTheLog) {
  constexpr int kEach = 20;
  platform::MemoryFileSystem files;
  auto run = [&](std::uint64_t seed) {
    platform::SeededEntropy entropy(seed);
    platform::ManualClock clock;
    LocalState state(files, "state", "");
    Log log(f.store, f.object.id, *f.keyring);
    const LogWriter writer{f.writer().id, f.key, &state};
    for (int i = 0; i < kEach; ++i) log.append(writer, RecordType::pin, {}, clock, entropy);
  };
  std::thread a(run, 11), b(run, 12);
  a.join();
  b.join();
  Log log = f.log();
  EXPECT_EQ(log.records().size(), 2u * kEach);
  EXPECT_TRUE(log.findings({}).empty());
}

TEST(LocalStateTest, IsBoundToTheMachineAndSurvivesDamage) {
  platform::MemoryFileSystem files;
  RepositoryId repository{{1}};
  LocalState state(files, "state", "machine-a");
  EXPECT_FALSE(state.writer(repository));
  EXPECT_TRUE(state.heads(repository).empty());
  state.set_writer(repository, {WriterId{{2}}, Bytes(32, 3)});
  Heads heads{{WriterId{{2}}, {7, crypto::Sha256{{9}}}}};
  state.set_heads(repository, heads);
  EXPECT_EQ(state.writer(repository)->id, WriterId{{2}});
  EXPECT_EQ(state.heads(repository), heads);
  EXPECT_FALSE(LocalState(files, "state", "machine-b").writer(repository));
  EXPECT_EQ(LocalState(files, "state", "machine-b").heads(repository), heads);
  EXPECT_FALSE(state.writer(RepositoryId{{2}}));
  for (const auto& file : files.list("state")) {
    EXPECT_EQ(file.info.mode, 0600u);
    files.edit(platform::Path("state") / file.name, [](Bytes& b) { b[b.size() / 2] ^= 1; });
  }
  EXPECT_FALSE(state.writer(repository));
  EXPECT_TRUE(state.heads(repository).empty());
}

TEST(Container, EveryPutAfterAFailedOneFailsForTheSameReason) {
  platform::MemoryFileSystem memory;
  platform::FaultyFileSystem files(memory);
  auto writer = create_container(files, "out.holdfast");
  files.fail(1, platform::FaultyFileSystem::Repeat::once, ENOSPC, platform::FileCall::write);
  const std::string first = "pack/" + std::string(64, '1'), second = "pack/" + std::string(64, '2');
  EXPECT_EQ(code_of([&] { writer->put(first, Bytes(100, 1)); }), Code::no_space);
  EXPECT_EQ(code_of([&] { writer->put(second, Bytes(100, 2)); }), Code::no_space);
}

TEST(Container, HoldsObjectsAndNoticesAnyCut) {
  platform::MemoryFileSystem files;
  Fixture f;
  auto objects = f.store.objects();
  {
    auto abandoned = create_container(files, "out.holdfast");
    abandoned->put(objects.begin()->first, objects.begin()->second);
  }
  EXPECT_TRUE(files.list(".").empty());
  auto writer = create_container(files, "out.holdfast");
  for (const auto& [name, bytes] : objects) {
    writer->put(name, bytes);
    EXPECT_EQ(writer->get(name, 1U << 20), bytes);
  }
  writer->finish();
  EXPECT_EQ(code_of([&] { create_container(files, "out.holdfast"); }), Code::already_exists);
  auto reader = open_container(files, "out.holdfast");
  std::size_t count = 0;
  reader->list("", [&](const store::ObjectInfo& info) {
    EXPECT_EQ(reader->get(info.name, 1U << 20), objects[info.name]);
    ++count;
  });
  EXPECT_EQ(count, objects.size());
  EXPECT_EQ(code_of([&] { reader->put("pack/x", ByteView{}); }), Code::unsupported);
  EXPECT_EQ(code_of([&] { reader->get("pack/x", 10); }), Code::not_found);
  EXPECT_EQ(code_of([&] { open_container(files, "none"); }), Code::not_found);
  Bytes whole = files.read_all("out.holdfast");
  for (std::size_t n = 0; n < whole.size(); ++n) {
    files.replace("cut", ByteView(whole).first(n));
    EXPECT_EQ(code_of([&] { open_container(files, "cut"); }), Code::damaged) << n;
  }
}

}  // namespace
}  // namespace holdfast::repository
