// The whole repository through its public interface, over a store in memory.
#include "repository/repository.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "base/testing.h"
#include "platform/testing.h"
#include "repository/format/container.h"
#include "repository/format/envelope.h"
#include "repository/format/repository_object.h"
#include "repository/keys/keyring.h"
#include "repository/keys/slot_store.h"
#include "repository/log/log.h"
#include "store/testing.h"

namespace holdfast::repository {
namespace {

constexpr crypto::Argon2Cost kCheap{64, 1};

// One machine: its clock, state folder and identity.
struct Machine {
  platform::ManualClock clock;
  platform::SeededEntropy entropy;
  platform::MemoryFileSystem files{clock};
  LocalState state;

  explicit Machine(std::uint64_t seed) : entropy(seed), state(files, "state", "machine-" + std::to_string(seed)) {}
  Context context(store::ObjectStore& store) { return {store, clock, entropy, &state, "ns" , "0.1.0"}; }
};

SlotSecret password(std::string_view text = "correct") { return password_secret(as_bytes(text)); }

tree::Entry entry(const std::string& name, tree::Kind kind, std::uint64_t size = 0) {
  tree::Entry e;
  e.name = name;
  e.kind = kind;
  e.size = size;
  e.mode = 0644;
  return e;
}

// A point with one item "files" that holds one file of this content, and one item that failed.
PointId back_up(Repository& repository, platform::Clock& clock, const std::string& content, const std::string& label = "") {
  auto session = repository.begin_backup({});
  PointDraft draft;
  draft.system_name = "ns01";
  draft.label = label;
  draft.started = clock.now();
  clock.sleep(std::chrono::milliseconds(1000));
  draft.finished = clock.now();
  StoredItem item;
  item.name = "files";
  item.kind = "directory";
  tree::TreeSink& sink = session->begin_item("files", nullptr);
  sink.open_directory(entry("", tree::Kind::directory));
  sink.begin_file(tree::Chunking::content_defined).write(as_bytes(content));
  sink.end_file(entry("a.txt", tree::Kind::file, content.size()));
  tree::Entry link = entry("link", tree::Kind::symlink);
  link.target = "a.txt";
  sink.add(link);
  sink.close_directory();
  session->end_item(item);
  draft.items.push_back(std::move(item));
  StoredItem failed;
  failed.name = "licences";
  failed.status = ItemStatus::failed;
  draft.items.push_back(failed);
  return session->publish(draft);
}

std::string content_of(Repository& repository, const PointId& id) {
  Point point = repository.load(id);
  tree::NodePtr file = tree::find(repository.open_item(point, "files"), "a.txt");
  return holdfast::to_text(file->read_all());
}

struct Whole : ::testing::Test {
  store::MemoryStore store;
  Machine machine{1};
  std::unique_ptr<Repository> repository;
  std::string recovery_text;

  void SetUp() override {
    Created created = create(machine.context(store), password(), kCheap);
    repository = std::move(created.repository);
    recovery_text = created.recovery_key.text();
  }
  std::unique_ptr<Repository> open_on(Machine& m, store::ObjectStore& s) { return open(m.context(s), password()); }
  void reopen() { repository = open_on(machine, store); }
  PointId point(const std::string& content, const std::string& label = "") { return back_up(*repository, machine.clock, content, label); }
  std::vector<std::string> names(std::string_view prefix) {
    std::vector<std::string> all;
    store.list(prefix, [&](const store::ObjectInfo& info) { all.push_back(info.name); });
    std::sort(all.begin(), all.end());
    return all;
  }
  // Copies, and dies right after the `nth` put; false: the copy needs fewer.
  bool copy_is_killed(store::MemoryStore& target, std::uint64_t nth) {
    store::FaultyStore faulty(target);
    faulty.kill_after_put(nth);
    try {
      copy(store, faulty, machine.clock, machine.entropy, {});
      return false;
    } catch (const platform::Killed&) {
      return true;
    }
  }
  void flip(const std::string& name, std::size_t at) {
    auto objects = store.objects();
    objects[name][at] ^= 1;
    store.set_objects(objects);
  }
};

TEST_F(Whole, PointsAreMadeListedReadAndForgotten) {
  EXPECT_EQ(repository->head_code(), "");
  EXPECT_TRUE(repository->points().empty());
  PointId first = point("one", "before update");
  PointId second = point("two");
  reopen();
  auto points = repository->points();
  ASSERT_EQ(points.size(), 2u);
  EXPECT_EQ(points[0].id, second);
  EXPECT_EQ(points[1].label, "before update");
  EXPECT_EQ(points[1].items[1].status, ItemStatus::failed);
  EXPECT_EQ(points[0].bytes(), 3u);
  EXPECT_EQ(content_of(*repository, first), "one");
  EXPECT_EQ(content_of(*repository, second), "two");
  EXPECT_EQ(repository->load(first).tool_version, "0.1.0");   // of the program that made it
  EXPECT_EQ(repository->resolve("latest"), second);
  EXPECT_EQ(repository->resolve(first.hex().substr(0, 12)), first);
  EXPECT_EQ(code_of([&] { repository->resolve("abc"); }), Code::not_found);
  EXPECT_EQ(code_of([&] { repository->resolve("nonsense"); }), Code::not_found);
  Point loaded = repository->load(first);
  EXPECT_EQ(code_of([&] { repository->open_item(loaded, "licences"); }), Code::not_found);
  EXPECT_EQ(code_of([&] { repository->open_item(loaded, "none"); }), Code::not_found);

  repository->pin(second, true);
  EXPECT_TRUE(repository->points()[0].pinned);
  EXPECT_EQ(code_of([&] { repository->forget({second}, "x"); }), Code::precondition);
  repository->pin(second, false);
  repository->forget({second}, "x");
  EXPECT_EQ(repository->resolve("latest"), first);
  EXPECT_EQ(code_of([&] { repository->load(second); }), Code::not_found);
  EXPECT_EQ(code_of([&] { repository->forget({second}, "x"); }), Code::not_found);
  EXPECT_TRUE(repository->chain_findings().empty());
  std::string code = repository->head_code();
  EXPECT_TRUE(repository->contains_head(code));
  code.back() = code.back() == '0' ? '1' : '0';
  EXPECT_FALSE(repository->contains_head(code));
  EXPECT_EQ(code_of([&] { repository->contains_head("what"); }), Code::usage);
}

TEST_F(Whole, WaysIn) {
  EXPECT_EQ(code_of([&] { create(machine.context(store), password(), kCheap); }), Code::already_exists);
  EXPECT_EQ(code_of([&] { open(machine.context(store), password("wrong")); }), Code::wrong_key);
  EXPECT_NO_THROW(open(machine.context(store), password(recovery_text)));
  store::MemoryStore empty;
  EXPECT_EQ(code_of([&] { open(machine.context(empty), password()); }), Code::not_found);
  EXPECT_EQ(code_of([&] { inspect(empty); }), Code::not_found);
  Overview overview = inspect(store);
  EXPECT_EQ(overview.id, repository->id());
  EXPECT_EQ(overview.slots.size(), 2u);

  SlotSecret key = parse_machine_key(as_bytes(machine_key_file(Bytes(32, 4))));
  SlotInfo added = repository->add_slot(key, "unattended");
  auto by_key = open(machine.context(store), key);
  auto slots = by_key->slots_with_labels();
  EXPECT_EQ(std::count_if(slots.begin(), slots.end(), [](const SlotInfo& s) { return s.opened_with; }), 1);
  for (const SlotInfo& slot : slots) {
    EXPECT_TRUE(slot.label);
    if (slot.id != added.id) by_key->remove_slot(slot.id);
  }
  EXPECT_EQ(code_of([&] { by_key->remove_slot(added.id); }), Code::precondition);
  EXPECT_EQ(code_of([&] { by_key->remove_slot(SlotId{{9}}); }), Code::not_found);
  EXPECT_EQ(code_of([&] { open(machine.context(store), password()); }), Code::wrong_key);
}

TEST_F(Whole, ExchangedParametersAreRefused) {
  point("one");
  RepositoryObject object = read_repository_object(store);
  store.remove(object_name(ObjectType::repository, object.hash));
  object.parameters.group_limit = 1;
  Bytes bytes = encode_repository_object(object);
  store.put(object_name(ObjectType::repository, object.hash), bytes);
  EXPECT_EQ(code_of([&] { open_on(machine, store); }), Code::damaged);
}

TEST_F(Whole, RollbackStopsBackupsUntilItIsAccepted) {
  PointId first = point("one");
  auto early = store.objects();
  point("two");
  store.set_objects(early);
  reopen();
  EXPECT_FALSE(repository->chain_findings().empty());
  EXPECT_EQ(content_of(*repository, first), "one");   // reading goes on
  EXPECT_EQ(code_of([&] { repository->begin_backup({}); }), Code::damaged);
  EXPECT_EQ(code_of([&] { repository->pin(first, true); }), Code::damaged);
  EXPECT_EQ(code_of([&] { repository->add_slot(password("x"), ""); }), Code::damaged);
  EXPECT_TRUE(repository->verify(first, {}).damaged.empty());
  reopen();
  EXPECT_EQ(code_of([&] { repository->begin_backup({}); }), Code::damaged);   // opening does not accept anything
  repository->accept_older("restored from tape");
  EXPECT_TRUE(repository->chain_findings().empty());
  PointId third = point("three");
  reopen();
  EXPECT_EQ(repository->points().size(), 2u);
  EXPECT_EQ(content_of(*repository, third), "three");
}

TEST_F(Whole, AnotherMachineHasItsOwnWriterAndBothWrite) {
  Machine other(2);
  auto theirs = open_on(other, store);
  PointId a = point("mine"), b = back_up(*theirs, other.clock, "theirs");
  PointId c = point("mine again");
  EXPECT_NE(theirs->load(b).writer, repository->load(a).writer);
  EXPECT_EQ(repository->load(c).writer, repository->load(a).writer);
  EXPECT_EQ(repository->points().size(), 3u);
  EXPECT_EQ(theirs->points().size(), 3u);
  EXPECT_TRUE(theirs->chain_findings().empty());
  EXPECT_EQ(content_of(*repository, b), "theirs");
  Machine bare(3);
  auto reader = open({store, bare.clock, bare.entropy, nullptr, "", ""}, password());
  EXPECT_EQ(content_of(*reader, c), "mine again");
}

TEST_F(Whole, VerifyAndCheckFindDamageInEveryObject) {
  PointId id = point(std::string(200'000, 'x') + "tail");
  for (Level level : {Level::exists, Level::bytes, Level::content}) {
    CheckReport report = repository->verify(id, {.level = level, .share = 1.0, .run = {}});
    EXPECT_TRUE(report.damaged.empty());
    EXPECT_GT(report.objects, 0u);
    EXPECT_EQ(repository->points()[0].verified, level);
    EXPECT_TRUE(repository->check({.level = level, .share = 1.0, .run = {}}).damaged.empty());
  }
  EXPECT_TRUE(check_objects(store, {.level = Level::bytes, .share = 1.0, .run = {}}).damaged.empty());
  EXPECT_EQ(code_of([&] { check_objects(store, {.level = Level::content, .share = 1.0, .run = {}}); }), Code::usage);
  auto whole = store.objects();
  for (const auto& [name, bytes] : whole) {
    SCOPED_TRACE(name);
    flip(name, bytes.size() - 1);
    CheckReport report = check_objects(store, {.level = Level::bytes, .share = 1.0, .run = {}});
    ASSERT_EQ(report.damaged.size(), 1u);
    bool needed = name.starts_with("pack/") || name.starts_with("index/") || name.starts_with("inventory/") || name.starts_with("point/");
    EXPECT_EQ(report.damaged[0].affects.size(), needed ? 1u : 0u);
    if (needed) {
      EXPECT_EQ(report.damaged[0].name, name);
      auto keyed = open({store, machine.clock, machine.entropy, nullptr, "", ""}, password());
      EXPECT_FALSE(keyed->verify(id, {.level = Level::content, .share = 1.0, .run = {}}).damaged.empty());
      EXPECT_TRUE(keyed->points()[0].verification_failed);
    }
    store.set_objects(whole);
    store.remove(name);
    if (needed && !name.starts_with("point/")) {
      EXPECT_EQ(check_objects(store, {}).damaged.at(0).affects.size(), 1u);
    }
    store.set_objects(whole);
  }
}

TEST_F(Whole, LeftoversAreCountedAndAreNoDamage) {
  point("one");
  {
    auto session = repository->begin_backup({});   // never published
    StoredItem item;
    tree::TreeSink& sink = session->begin_item("files", nullptr);
    sink.begin_file(tree::Chunking::content_defined).write(as_bytes("unpublished"));
    sink.end_file(entry("", tree::Kind::file, 11));
    session->end_item(item);
  }
  store.put(object_name(ObjectType::pack, crypto::Sha256{{1}}), ByteView{});
  CheckReport report = check_objects(store, {});
  EXPECT_TRUE(report.damaged.empty());
  EXPECT_GE(report.leftovers, 1u);
}

TEST_F(Whole, WhatAKilledBackupLeftNeedsNothing) {
  point("one");
  const auto packs = names("pack/"), records = names("record/");
  PointId second = point("two");
  for (const std::string& record : names("record/"))   // it was killed before its record, and a prune took its pack
    if (!std::count(records.begin(), records.end(), record)) store.remove(record);
  for (const std::string& pack : names("pack/"))
    if (!std::count(packs.begin(), packs.end(), pack)) store.remove(pack);
  Machine other(2);
  auto opened = open_on(other, store);
  ASSERT_EQ(opened->points().size(), 1U);
  for (Level level : {Level::exists, Level::bytes, Level::content})
    EXPECT_TRUE(opened->check({.level = level, .share = 1.0, .run = {}}).damaged.empty()) << to_text(level);
  CheckReport without_key = check_objects(store, {});   // nobody can tell it from a point
  ASSERT_EQ(without_key.damaged.size(), 1U);
  EXPECT_EQ(without_key.damaged[0].affects, std::vector<PointId>{second});
  store.remove(packs.front());
  EXPECT_FALSE(opened->check({.level = Level::exists, .share = 1.0, .run = {}}).damaged.empty());
}

TEST_F(Whole, AFirstCopyThatIsKilledIsNoRepositoryYet) {
  PointId id = point("one");
  int before = 0;
  for (std::uint64_t n = 1;; ++n) {
    SCOPED_TRACE("killed after put " + std::to_string(n));
    store::MemoryStore target;
    const bool killed = copy_is_killed(target, n);
    Machine reader(3);
    bool whole = !target.objects().empty() && target.objects().contains(names("repository/").front());
    if (whole) EXPECT_TRUE(open_on(reader, target)->chain_findings().empty());
    else EXPECT_EQ(code_of([&] { open_on(reader, target); }), Code::not_found);
    before += whole ? 0 : 1;
    copy(store, target, machine.clock, machine.entropy, {});
    EXPECT_EQ(content_of(*open_on(reader, target), id), "one");
    if (!killed) break;
  }
  EXPECT_EQ(before, 4);   // keyring entries and slots
  store::MemoryStore another, target;
  create(machine.context(another), password(), kCheap);
  another.list("slot/", [&](const store::ObjectInfo& info) { target.store::ObjectStore::put(info.name, another.get(info.name, 1 << 20)); });
  EXPECT_EQ(code_of([&] { copy(store, target, machine.clock, machine.entropy, {}); }), Code::precondition);
}

TEST_F(Whole, ACopyThatIsKilledAnywhereCanBeFinished) {
  PointId first = point("one");
  store::MemoryStore base;
  copy(store, base, machine.clock, machine.entropy, {});
  auto older = base.objects();
  PointId second = point("two");
  Machine other(2);
  back_up(*open_on(other, store), other.clock, "theirs");
  for (std::uint64_t n = 1;; ++n) {
    SCOPED_TRACE("killed after put " + std::to_string(n));
    store::MemoryStore target;
    target.set_objects(older);
    const bool killed = copy_is_killed(target, n);
    Machine reader(3);
    auto opened = open_on(reader, target);
    EXPECT_TRUE(opened->chain_findings().empty());
    EXPECT_EQ(content_of(*opened, first), "one");
    EXPECT_TRUE(opened->check({.level = Level::content, .share = 1.0, .run = {}}).damaged.empty());
    CopyReport rest = copy(store, target, machine.clock, machine.entropy, {});
    EXPECT_EQ(content_of(*open_on(reader, target), second), "two");
    EXPECT_EQ(open_on(reader, target)->points().size(), 3u);
    if (!killed) {
      EXPECT_EQ(rest.objects, 0u);
      break;
    }
  }
}

TEST_F(Whole, ACopyRefusesAnotherRepositoryAndTellsDamage) {
  point("one");
  store::MemoryStore another, target;
  create(machine.context(another), password(), kCheap);
  EXPECT_EQ(code_of([&] { copy(store, another, machine.clock, machine.entropy, {}); }), Code::precondition);
  std::string pack = names("pack/").front();
  auto whole = store.objects();
  flip(pack, 100);
  EXPECT_EQ(code_of([&] { copy(store, target, machine.clock, machine.entropy, {}); }), Code::damaged);
  EXPECT_FALSE(target.info(pack));
  store.set_objects(whole);
  copy(store, target, machine.clock, machine.entropy, {});
  store::MemoryStore lying_target;
  store::FaultyStore lying(lying_target);
  lying.flip_bit(pack, 800);
  EXPECT_EQ(code_of([&] { copy(store, lying, machine.clock, machine.entropy, {}); }), Code::damaged);
}

TEST_F(Whole, ForgettingIsNotCarriedOverAsADeletion) {
  PointId id = point("one");
  store::MemoryStore target;
  copy(store, target, machine.clock, machine.entropy, {});
  repository->forget({id}, "x");
  store.remove(object_name(ObjectType::point, id));
  copy(store, target, machine.clock, machine.entropy, {});
  EXPECT_TRUE(target.info(object_name(ObjectType::point, id)));
  EXPECT_TRUE(open_on(machine, target)->chain_findings().empty());
}

TEST_F(Whole, ExportAndImportKeepWhereAPointCameFrom) {
  PointId id = point("precious");
  platform::MemoryFileSystem files;
  auto container = create_container(files, "out.holdfast");
  Context to_file{*container, machine.clock, machine.entropy, nullptr, "export", "0.1.0"};
  PointId exported = transfer(*repository, id, {}, *create(to_file, password("file"), kCheap).repository, {});
  container->finish();

  auto file = open_container(files, "out.holdfast");
  Context from_file{*file, machine.clock, machine.entropy, nullptr, "", ""};
  auto source = open(from_file, password("file"));
  EXPECT_EQ(content_of(*source, exported), "precious");
  EXPECT_TRUE(source->check({.level = Level::content, .share = 1.0, .run = {}}).damaged.empty());
  EXPECT_EQ(code_of([&] { transfer(*source, exported, {}, *repository, {}); }), Code::already_exists);

  store::MemoryStore elsewhere;
  Machine other(2);
  auto target = create(other.context(elsewhere), password(), kCheap).repository;
  PointId imported = transfer(*source, exported, {"files"}, *target, {});
  Point point = target->load(imported);
  EXPECT_EQ(point.origin, Origin::imported);
  EXPECT_EQ(point.scope, Scope::partial);
  EXPECT_EQ(fact(point.provenance, "origin_point"), id.hex());
  EXPECT_EQ(fact(point.provenance, "origin_repository"), repository->id().hex());
  EXPECT_EQ(fact(point.provenance, "origin_signature").size(), 128u);
  EXPECT_EQ(content_of(*target, imported), "precious");
  EXPECT_EQ(code_of([&] { transfer(*source, exported, {"files"}, *target, {}); }), Code::already_exists);
  EXPECT_EQ(code_of([&] { transfer(*source, exported, {"none"}, *target, {}); }), Code::not_found);
}

TEST_F(Whole, AThousandPointsAreListed) {
  RepositoryObject object = read_repository_object(store);
  OpenedSlot opened = open_root_key(store, object.id, password());
  Keyring keyring(store, object.id, opened.root_key);
  crypto::SigningKey key = crypto::signing_key(Bytes(32, 7));
  keyring.add_writer(key.verify_key, "many", machine.clock.now(), machine.entropy);
  Log log(store, object.id, keyring);
  for (std::uint32_t i = 0; i < 1000; ++i) {
    PointId id{{static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)}};
    store.put(object_name(ObjectType::point, id), as_bytes("stands for a point"));
    RecordBody body;
    body.points = {id};
    body.point = PointSummary{};
    body.point->origin = Origin::manual;
    body.point->status = PointStatus::complete;
    body.point->scope = Scope::full;
    body.point->finished = {i, 0};
    log.append({writer_id(key.verify_key), key}, RecordType::point, body, machine.clock, machine.entropy);
  }
  reopen();
  auto points = repository->points();
  ASSERT_EQ(points.size(), 1000u);
  EXPECT_EQ(points.front().finished.seconds, 999);
  EXPECT_EQ(code_of([&] { repository->resolve("000"); }), Code::not_found);   // too short to mean anything
  EXPECT_EQ(repository->resolve("0001" + std::string(8, '0')).bytes[1], 1);
}

}  // namespace
}  // namespace holdfast::repository
