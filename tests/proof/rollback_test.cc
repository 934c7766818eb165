// H1: a store that goes back in time, leaves things out, reorders them, or mixes in what belongs elsewhere.
#include <iostream>

#include "ground.h"
#include "repository/format/envelope.h"
#include "repository/format/repository_object.h"

namespace holdfast::proof {
namespace {

using repository::ChainFinding;
using repository::ObjectType;
using Objects = store::MemoryStore::Objects;

struct Rollback : ::testing::Test {
  store::MemoryStore store;
  Machine machine{1}, other{2};
  repository::LocalState state{machine.disk, kState, "machine-1"}, other_state{other.disk, kState, "machine-2"};
  std::unique_ptr<Repository> repository;
  std::vector<PointId> points;
  Objects yesterday, today;
  Image memory_of_yesterday;

  repository::Context context(bool first = true) {
    Machine& m = first ? machine : other;
    return {store, m.clock, m.entropy, first ? &state : &other_state, first ? "a" : "b", "0.1.0", {}};
  }
  void reopen() { repository = repository::open(context(), password()); }

  // This machine makes points 1 and 2, another one point 3, this machine point 4 and a pin of point 1.
  void SetUp() override {
    make_repository(context(), password());
    reopen();
    points.push_back(back_up(*repository, machine.clock, 1));
    points.push_back(back_up(*repository, machine.clock, 2));
    yesterday = store.objects();
    memory_of_yesterday = take_image(machine);
    points.push_back(back_up(*repository::open(context(false), password()), other.clock, 3));
    points.push_back(back_up(*repository, machine.clock, 4));
    repository->pin(points[0], true);
    today = store.objects();
    reopen();
    ASSERT_TRUE(repository->chain_findings().empty());
  }

  void becomes(Objects objects) {
    store.set_objects(std::move(objects));
    reopen();
  }
  bool tells(ChainFinding::Kind kind) {
    for (const auto& finding : repository->chain_findings())
      if (finding.kind == kind) return true;
    return false;
  }
  // The record that made a point of today.
  std::string record_of(const PointId& id) {
    for (const auto& p : repository->points()) {
      if (p.id != id) continue;
      for (const auto& [name, bytes] : today) {
        auto parsed = repository::parse_object_name(name);
        if (parsed->type == ObjectType::record && parsed->writer == p.writer && parsed->number == p.number) return name;
      }
    }
    ADD_FAILURE() << "no such record";
    return "";
  }

  // What is listed comes back; nothing is written until somebody accepts it, and then everything works.
  void expect_refused_until_accepted() {
    for (const auto& point : repository->points()) EXPECT_EQ(difference(*repository, point), "");
    EXPECT_THROW(repository->begin_backup({nullptr, nullptr, 1}), Error);
    EXPECT_THROW(repository->forget({repository->points().at(0).id}, "x"), Error);
    reopen();
    EXPECT_THROW(repository->begin_backup({nullptr, nullptr, 1}), Error) << "opening accepts nothing";
    repository->accept_older("restored from tape");
    reopen();
    EXPECT_FALSE(tells(ChainFinding::Kind::rollback));
    EXPECT_FALSE(tells(ChainFinding::Kind::fork));
    back_up(*repository, machine.clock, 5);
    reopen();
    for (const auto& point : repository->points()) EXPECT_EQ(difference(*repository, point), "");
    EXPECT_EQ(repository->points().at(0).label, label_of(5));
  }
};

TEST_F(Rollback, TheWholeRepositoryIsYesterdays) {
  std::string head = repository->head_code();
  becomes(yesterday);
  EXPECT_TRUE(tells(ChainFinding::Kind::rollback));
  EXPECT_EQ(repository->points().size(), 2u);
  EXPECT_FALSE(repository->contains_head(head)) << "a head that a person kept tells it without any memory";
  expect_refused_until_accepted();
}

TEST_F(Rollback, OnlyTheRecordsAreYesterdays) {
  Objects objects = today;
  std::erase_if(objects, [&](const auto& entry) { return entry.first.starts_with("record/") && !yesterday.contains(entry.first); });
  becomes(objects);
  EXPECT_TRUE(tells(ChainFinding::Kind::rollback));
  expect_refused_until_accepted();
}

TEST_F(Rollback, OnlyTheOtherSystemsRecordsAreGone) {
  Objects objects = today;
  objects.erase(record_of(points[2]));
  becomes(objects);
  EXPECT_TRUE(tells(ChainFinding::Kind::rollback)) << "this machine had seen the other's head";
  expect_refused_until_accepted();
}

TEST_F(Rollback, TheNewestPointIsDropped) {
  Objects objects = today;
  objects.erase(repository::object_name(ObjectType::point, points[3]));
  becomes(objects);
  EXPECT_TRUE(tells(ChainFinding::Kind::omission));
  auto listed = repository->points();
  ASSERT_EQ(listed.size(), 4u);
  EXPECT_THROW(difference(*repository, listed[0]), Error);
  for (std::size_t i = 1; i < listed.size(); ++i) EXPECT_EQ(difference(*repository, listed[i]), "");
}

TEST_F(Rollback, APointInTheMiddleIsDropped) {
  Objects objects = today;
  objects.erase(record_of(points[1]));
  objects.erase(repository::object_name(ObjectType::point, points[1]));
  becomes(objects);
  EXPECT_TRUE(tells(ChainFinding::Kind::gap)) << "its record is missing between others";
  objects = today;
  objects.erase(repository::object_name(ObjectType::point, points[1]));
  becomes(objects);
  EXPECT_TRUE(tells(ChainFinding::Kind::omission));
}

TEST_F(Rollback, RecordsChangePlaces) {
  std::vector<std::string> names;
  for (const auto& [name, bytes] : today)
    if (name.starts_with("record/")) names.push_back(name);
  std::uint64_t runs = 0, planned = 0;
  for (const std::string& a : names) {
    for (const std::string& b : names) {
      auto to = repository::parse_object_name(a), from = repository::parse_object_name(b);
      if (a == b) continue;
      ++planned;
      Objects objects = today;
      objects[repository::record_name(to->writer, to->number, from->hash)] = today.at(b);
      objects.erase(b);
      becomes(objects);
      EXPECT_FALSE(repository->chain_findings().empty()) << b << " in the place of " << a;
      ++runs;
    }
  }
  expect_all("H1 records that change places", planned, runs);
}

// A repository of the same owner with the same password: none of its objects counts here.
TEST_F(Rollback, ObjectsOfASiblingAreMixedIn) {
  Objects sibling;
  {
    store::MemoryStore store_of_sibling;
    Machine m(9);
    repository::LocalState s(m.disk, kState, "machine-1");
    repository::Context c{store_of_sibling, m.clock, m.entropy, &s, "a", "0.1.0", {}};
    make_repository(c, password());
    auto r = repository::open(c, password());
    back_up(*r, m.clock, 1);
    sibling = store_of_sibling.objects();
  }
  std::uint64_t runs = 0;
  for (const auto& [name, bytes] : sibling) {
    Objects objects = today;
    objects[name] = bytes;
    store.set_objects(objects);
    ++runs;
    try {
      reopen();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::damaged) << name;
      continue;
    }
    EXPECT_EQ(repository->points().size(), 4u) << name;
    for (const auto& point : repository->points()) EXPECT_EQ(difference(*repository, point), "") << name;
    if (name.starts_with("record/")) {
      EXPECT_FALSE(repository->chain_findings().empty()) << name;
    }
  }
  expect_all("H1 objects of a sibling", sibling.size(), runs);
}

// Two machines that believe to be the same one: a clone, or a state folder that was restored. Their logs fork when they meet.
TEST_F(Rollback, AClonedMachineForksVisibly) {
  store::MemoryStore elsewhere;
  elsewhere.set_objects(yesterday);
  Machine clone(3);
  put_image(clone, memory_of_yesterday);
  repository::LocalState clone_state(clone.disk, kState, "machine-1");
  back_up(*repository::open({elsewhere, clone.clock, clone.entropy, &clone_state, "a", "0.1.0", {}}, password()), clone.clock, 6);
  repository::copy(elsewhere, store, machine.clock, machine.entropy, {nullptr, nullptr, 1});
  reopen();
  EXPECT_TRUE(tells(ChainFinding::Kind::fork));
  expect_refused_until_accepted();
}

// The same, of every record by itself: each one that goes is missed by this machine.
TEST_F(Rollback, EachRecordIsMissed) {
  std::uint64_t runs = 0, planned = 0;
  for (const auto& [name, bytes] : today) {
    if (!name.starts_with("record/")) continue;
    ++planned;
    Objects objects = today;
    objects.erase(name);
    becomes(objects);
    EXPECT_FALSE(repository->chain_findings().empty()) << name;
    ++runs;
  }
  expect_all("H1 each record missing", planned, runs);
}

}  // namespace
}  // namespace holdfast::proof
