// C1 to C3: every type of object, damaged in every way, and after each damage a restore: the right bytes or a failing code.
#include <cctype>
#include <fstream>
#include <iostream>

#include "ground.h"
#include "repository/format/envelope.h"
#include "repository/format/map_object.h"
#include "repository/format/repository_object.h"
#include "repository/keys/keyring.h"
#include "repository/keys/slot_store.h"

namespace holdfast::proof {
namespace {

using repository::ObjectType;
using Objects = store::MemoryStore::Objects;

// The types of the format, from the document that specifies it: a type that is added there must be in the tests here.
std::vector<std::string> types_of_the_format() {
  std::ifstream file(std::string(HOLDFAST_SOURCE_DIR) + "/docs/repository-format.md");
  std::vector<std::string> types;
  for (std::string line; std::getline(file, line);) {   // "| pack | `pack/<hex>` | 3 |"
    std::size_t name = line.find("| `"), slash = line.find('/', name), end = line.find("` | ", name);
    if (!line.starts_with("| ") || name == std::string::npos || end == std::string::npos || slash > end) continue;
    bool numbered = line.ends_with(" |") && std::isdigit(static_cast<unsigned char>(line[end + 4]));
    if (numbered) types.push_back(line.substr(name + 3, slash - name - 3));
  }
  return types;
}

std::string folder_of(const std::string& name) { return name.substr(0, name.find('/')); }

// A repository in which every type of object occurs at least twice and matters, and what a machine remembers of it.
struct Sample {
  Objects objects;
  Image memory;                                    // of a machine that has seen the newest state
  std::map<PointId, repository::PointSummary> points;

  static const Sample& get() {
    static const Sample sample;
    return sample;
  }
  std::vector<std::string> names(const std::string& type) const {
    std::vector<std::string> all;
    for (const auto& [name, bytes] : objects)
      if (folder_of(name) == type) all.push_back(name);
    return all;
  }

 private:
  Sample() {
    store::MemoryStore store;
    Machine first(1), second(2);
    second.id = "machine-2";
    repository::LocalState first_state(first.disk, kState, first.id), second_state(second.disk, kState, second.id);
    auto context = [&](Machine& m, repository::LocalState& state) {
      return repository::Context{store, m.clock, m.entropy, &state, "ns", "0.1.0", {}};
    };
    make_repository(context(first, first_state), password());
    auto repository = repository::open(context(first, first_state), password());
    back_up(*repository, first.clock, 1);
    PointId pinned = back_up(*repository, first.clock, 2);
    repository->pin(pinned, true);
    repository->add_slot(repository::parse_machine_key(as_bytes(repository::machine_key_file(Bytes(32, 4)))), "machine");
    auto other = repository::open(context(second, second_state), password());
    back_up(*other, first.clock, 3);
    back_up(*repository, first.clock, 4);
    add_what_few_repositories_have(store, first);
    for (const auto& p : repository->points()) points[p.id] = p;
    objects = store.objects();
    memory = take_image(first);
  }

  static void add_what_few_repositories_have(store::MemoryStore& store, Machine& machine) {
    using namespace repository;
    RepositoryObject object = read_repository_object(store);
    put_replica(store, object.id, {machine.entropy.random<ReplicaId>(), ReplicaKind::copy, machine.clock.now()});
    OpenedSlot opened = open_root_key(store, object.id, password());
    add_slot(store, object.id, opened.root_key, password("another"), "another", kCheap, machine.clock.now(), machine.entropy);
    Keyring keyring(store, object.id, opened.root_key);
    LocalState state(machine.disk, kState, machine.id);
    auto identity = state.writer(object.id);
    crypto::SigningKey key = crypto::signing_key(identity->signing_seed);
    for (int i = 0; i < 2; ++i)
      put_map(store, object.id, {identity->id, key}, {{ObjectType::pack, machine.entropy.random<crypto::Sha256>(), {}}});
  }
};

// What came of a damaged repository.
struct Outcome {
  std::optional<Code> refused;      // opening said so
  bool restored_all = true;         // every point that there was came back
  bool alarm = false;               // a finding of the chain
};

// Reads everything that a person would restore. Wrong bytes, points that nobody made and points that vanish in silence fail the test.
Outcome read_everything(const Objects& objects, bool remembers) {
  const Sample& sample = Sample::get();
  store::MemoryStore store;
  store.set_objects(objects);
  Machine machine(3);
  if (remembers) put_image(machine, sample.memory);
  repository::LocalState state(machine.disk, kState, machine.id);
  repository::Context context{store, machine.clock, machine.entropy, remembers ? &state : nullptr, "", "", {}};
  Outcome outcome;
  std::unique_ptr<Repository> repository;
  try {
    repository = repository::open(context, password());
  } catch (const Error& error) {
    return {error.code(), false, false};
  }
  outcome.alarm = !repository->chain_findings().empty();
  auto listed = repository->points();
  std::set<PointId> seen;
  for (const auto& point : listed) {
    auto known = sample.points.find(point.id);
    if (known == sample.points.end()) {
      ADD_FAILURE() << "a point that nobody made: " << point.label;
      continue;
    }
    seen.insert(point.id);
    if (point.pinned != known->second.pinned) {
      EXPECT_TRUE(outcome.alarm || !remembers) << "a pin is lost in silence";
    }
    try {
      EXPECT_EQ(difference(*repository, point), "") << point.label;
    } catch (const Error& error) {
      outcome.restored_all = false;
      EXPECT_TRUE(error.code() == Code::damaged || error.code() == Code::unsupported || error.code() == Code::not_found) << error.what();
    }
  }
  if (seen.size() < sample.points.size()) {
    outcome.restored_all = false;
    EXPECT_TRUE(outcome.alarm || !remembers) << sample.points.size() - seen.size() << " points vanish in silence";
  }
  return outcome;
}

bool names(const repository::CheckReport& report, const std::string& object) {
  return std::any_of(report.damaged.begin(), report.damaged.end(), [&](const auto& d) { return d.name == object; });
}

// Both kinds of check. `object` "": only that they come to an end.
void expect_named(const Objects& objects, const std::string& object) {
  store::MemoryStore store;
  store.set_objects(objects);
  auto report = repository::check_objects(store, {repository::Level::bytes, 1.0, {nullptr, nullptr, 1}});
  EXPECT_TRUE(names(report, object)) << "a check without a key does not name " << object;
  Machine machine(4);
  std::unique_ptr<Repository> repository;
  try {
    repository = repository::open({store, machine.clock, machine.entropy, nullptr, "", "", {}}, password());
  } catch (const Error&) {
    return;
  }
  auto with_key = repository->check({repository::Level::content, 1.0, {nullptr, nullptr, 1}});
  EXPECT_TRUE(names(with_key, object)) << "a check with the key does not name " << object;
}

struct Damage {
  std::string what;
  std::function<void(Bytes&)> change;
};

// Every region of an object: its header byte by byte, its body, and its end with signature, tag and lengths.
std::vector<Damage> flips(std::size_t size, std::size_t in_body) {
  constexpr std::size_t kHeader = 160, kEnd = 84;
  std::vector<Damage> all;
  std::size_t step = std::max<std::size_t>(1, size / in_body);
  std::size_t header_step = in_body < 64 ? 8 : 1;
  for (std::size_t at = 0; at < size; at += at < kHeader || at + kEnd >= size ? header_step : step)
    all.push_back({"bit " + std::to_string(at % 8) + " of byte " + std::to_string(at), [at](Bytes& b) { b[at] ^= static_cast<std::uint8_t>(1U << at % 8); }});
  return all;
}

std::vector<Damage> cuts(std::size_t size) {
  std::vector<Damage> all;
  for (std::size_t n : {std::size_t{0}, std::size_t{1}, std::size_t{72}, size / 2, size - 64, size - 1})
    if (n < size) all.push_back({"cut to " + std::to_string(n), [n](Bytes& b) { b.resize(n); }});
  all.push_back({"zeroed", [](Bytes& b) { std::fill(b.begin(), b.end(), std::uint8_t{0}); }});
  all.push_back({"second half zeroed", [](Bytes& b) { std::fill(b.begin() + static_cast<std::ptrdiff_t>(b.size() / 2), b.end(), std::uint8_t{0}); }});
  all.push_back({"one byte appended", [](Bytes& b) { b.push_back(0); }});
  all.push_back({"a block appended", [](Bytes& b) { b.resize(b.size() + 4096, 7); }});
  return all;
}

// The name that `bytes` would have in the place of `name`.
std::string renamed(const std::string& name, const Bytes& bytes) {
  auto parsed = repository::parse_object_name(name);
  crypto::Sha256 hash = crypto::sha256(bytes);
  return parsed->type == ObjectType::record ? repository::record_name(parsed->writer, parsed->number, hash) : repository::object_name(parsed->type, hash);
}

// A slot whose secret parameters lie cannot be told from one of another password; a repository object that is gone is no repository.
void expect_honest_code(const Outcome& outcome, const std::string& type, bool gone_or_forged) {
  if (!outcome.refused) return;
  Code code = *outcome.refused;
  bool honest = code == Code::damaged || code == Code::unsupported || (type == "slot" && gone_or_forged && code == Code::wrong_key) ||
                (type == "repository" && gone_or_forged && code == Code::not_found);
  EXPECT_TRUE(honest) << "opening says " << info(code).name;
}

struct Type : ::testing::TestWithParam<std::string> {
  const Sample& sample = Sample::get();
  std::vector<std::string> all = sample.names(GetParam());
};

TEST(Types, EveryTypeOfTheFormatOccursTwiceInTheSample) {
  std::vector<std::string> types = types_of_the_format();
  EXPECT_GE(types.size(), 10u);
  for (const std::string& type : types) EXPECT_GE(Sample::get().names(type).size(), type == "repository" ? 1u : 2u) << type;
  for (const auto& [name, bytes] : Sample::get().objects)
    EXPECT_EQ(std::count(types.begin(), types.end(), folder_of(name)), 1) << name << " is of a type that the document does not know";
}

TEST_P(Type, UndamagedEverythingComesBack) {
  for (bool remembers : {true, false}) {
    Outcome outcome = read_everything(sample.objects, remembers);
    EXPECT_FALSE(outcome.refused);
    EXPECT_TRUE(outcome.restored_all);
    EXPECT_FALSE(outcome.alarm);
  }
}

TEST_P(Type, BytesThatDoNotMatchTheName) {
  std::uint64_t planned = 0, runs = 0;
  for (const std::string& name : all) {
    std::vector<Damage> damages = cuts(sample.objects.at(name).size());
    for (Damage& d : flips(sample.objects.at(name).size(), 4 * factor())) damages.push_back(std::move(d));
    planned += damages.size();
    for (const Damage& damage : damages) {
      SCOPED_TRACE(name + ": " + damage.what);
      Objects objects = sample.objects;
      damage.change(objects[name]);
      expect_honest_code(read_everything(objects, true), GetParam(), false);
      expect_named(objects, name);
      ++runs;
      if (HasFailure()) return;
    }
  }
  expect_all("C1, C2 bytes of " + GetParam(), planned, runs);
}

TEST_P(Type, BytesUnderTheNameThatTheyWouldHave) {
  std::uint64_t planned = 0, runs = 0;
  std::vector<std::string> chosen{all.front()};
  if (all.size() > 1) chosen.push_back(all.back());
  for (const std::string& name : chosen) {
    std::vector<Damage> damages = cuts(sample.objects.at(name).size());
    for (Damage& d : flips(sample.objects.at(name).size(), 64 * factor())) damages.push_back(std::move(d));
    planned += damages.size();
    for (const Damage& damage : damages) {
      SCOPED_TRACE(name + ": " + damage.what + ", renamed");
      Objects objects = sample.objects;
      Bytes bytes = std::move(objects[name]);
      objects.erase(name);
      damage.change(bytes);
      objects[renamed(name, bytes)] = bytes;
      expect_honest_code(read_everything(objects, true), GetParam(), true);
      expect_honest_code(read_everything(objects, false), GetParam(), true);
      ++runs;
      if (HasFailure()) return;
    }
  }
  expect_all("C1, C2 forged " + GetParam(), planned, runs);
}

TEST_P(Type, TwoExchanged) {
  std::uint64_t planned = 0, runs = 0;
  for (std::size_t i = 0; i + 1 < all.size(); ++i) {
    ++planned;
    SCOPED_TRACE(all[i] + " exchanged with " + all[i + 1]);
    Objects objects = sample.objects;
    std::swap(objects[all[i]], objects[all[i + 1]]);
    expect_honest_code(read_everything(objects, true), GetParam(), false);
    expect_named(objects, all[i]);
    ++runs;
  }
  if (all.size() > 1) expect_all("C2 exchanged " + GetParam(), planned, runs);
}

TEST_P(Type, AnotherTypeInItsPlace) {
  std::uint64_t planned = 0, runs = 0;
  for (const std::string& type : types_of_the_format()) {
    if (type == GetParam()) continue;
    planned += 2;
    const Bytes& foreign = sample.objects.at(sample.names(type).front());
    SCOPED_TRACE("a " + type + " object in the place of " + all.front());
    Objects objects = sample.objects;
    objects[all.front()] = foreign;
    expect_honest_code(read_everything(objects, true), GetParam(), false);
    expect_named(objects, all.front());
    ++runs;
    objects = sample.objects;
    objects[renamed(all.front(), foreign)] = foreign;   // beside what belongs there
    Outcome outcome = read_everything(objects, true);
    expect_honest_code(outcome, GetParam(), true);
    if (!outcome.refused) {
      EXPECT_TRUE(outcome.restored_all);
    }
    ++runs;
  }
  expect_all("C2 another type as " + GetParam(), planned, runs);
}

TEST_P(Type, EachDeleted) {
  std::uint64_t runs = 0;
  for (const std::string& name : all) {
    SCOPED_TRACE(name + " deleted");
    Objects objects = sample.objects;
    objects.erase(name);
    Outcome outcome = read_everything(objects, true);
    expect_honest_code(outcome, GetParam(), true);
    expect_honest_code(read_everything(objects, false), GetParam(), true);
    if (!outcome.refused && !outcome.restored_all && !outcome.alarm) {
      store::MemoryStore store;
      store.set_objects(objects);
      auto report = repository::check_objects(store, {repository::Level::exists, 1.0, {nullptr, nullptr, 1}});
      EXPECT_TRUE(names(report, name)) << "a check does not name what is missing";
    }
    ++runs;
  }
  expect_all("C3 deleted " + GetParam(), all.size(), runs);
}

TEST_P(Type, EachTwice) {
  std::uint64_t runs = 0;
  for (const std::string& name : all) {
    SCOPED_TRACE(name + " twice");
    auto parsed = repository::parse_object_name(name);
    Objects objects = sample.objects;
    std::vector<std::string> others;
    if (parsed->type == ObjectType::record) {
      others.push_back(repository::record_name(parsed->writer, parsed->number + 1, parsed->hash));
      others.push_back(repository::record_name(repository::WriterId{{7}}, parsed->number, parsed->hash));
    } else {
      crypto::Sha256 hash = parsed->hash;
      hash.bytes[5] ^= 1;
      others.push_back(repository::object_name(parsed->type, hash));
    }
    for (const std::string& other : others) objects[other] = objects[name];
    Outcome outcome = read_everything(objects, true);
    expect_honest_code(outcome, GetParam(), false);
    if (!outcome.refused) {
      EXPECT_TRUE(outcome.restored_all);
    }
    // A whole record under another number is told by whoever reads the log.
    EXPECT_TRUE(outcome.refused || outcome.alarm || parsed->type != ObjectType::record);
    for (const std::string& other : others) {
      if (parsed->type != ObjectType::record) expect_named(objects, other);
    }
    ++runs;
  }
  expect_all("C3 twice " + GetParam(), all.size(), runs);
}

// Whoever holds the keys, but not a writer's own signing key, seals changed records anew under right names.
TEST(KeyHolder, CannotWriteInTheNameOfAWriter) {
  using namespace repository;
  const Sample& sample = Sample::get();
  store::MemoryStore store;
  store.set_objects(sample.objects);
  RepositoryObject object = read_repository_object(store);
  Keyring keyring(store, object.id, open_root_key(store, object.id, password()).root_key);
  platform::SeededEntropy entropy(5);
  std::uint64_t runs = 0;
  for (const std::string& name : sample.names("record")) {
    SCOPED_TRACE(name);
    const Bytes& good = sample.objects.at(name);
    ParsedObject parsed = parse_object(good, ObjectType::record, &object.id, name);
    const Epoch& epoch = keyring.epoch(parsed.header.epoch, name);
    ByteView sealed = parsed.rest.first(parsed.rest.size() - kSignatureSize);
    Bytes plain = open_body(epoch.meta_key.view(), ObjectType::record, parsed.header_bytes, sealed, name);
    plain.back() ^= 1;
    Bytes forged(parsed.header_bytes.begin(), parsed.header_bytes.end());
    Bytes body = seal_body(epoch.meta_key.view(), ObjectType::record, parsed.header_bytes, plain, entropy);
    forged.insert(forged.end(), body.begin(), body.end());
    forged.insert(forged.end(), good.end() - kSignatureSize, good.end());
    Objects objects = sample.objects;
    objects.erase(name);
    objects[renamed(name, forged)] = forged;
    store::MemoryStore hostile;
    hostile.set_objects(objects);
    Machine machine(6);
    auto opened = open({hostile, machine.clock, machine.entropy, nullptr, "", "", {}}, password());
    auto findings = opened->chain_findings();
    EXPECT_TRUE(std::any_of(findings.begin(), findings.end(), [](const auto& f) { return f.kind == ChainFinding::Kind::unsigned_record; }));
    ++runs;
  }
  expect_all("C1 records forged by a key holder", sample.names("record").size(), runs);
}

INSTANTIATE_TEST_SUITE_P(Format, Type, ::testing::ValuesIn(types_of_the_format()), [](const auto& made) { return made.param; });

}  // namespace
}  // namespace holdfast::proof
