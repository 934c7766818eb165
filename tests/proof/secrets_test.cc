// F1, F4, F6, F7: what does not open, what is not weakened, what is used once, and what is never readable.
#include <iostream>

#include "base/wire.h"
#include "ground.h"
#include "repository/format/envelope.h"

namespace holdfast::proof {
namespace {

using repository::ObjectType;
using Objects = store::MemoryStore::Objects;

struct Made {
  store::MemoryStore store;
  Machine machine;
  repository::RecoveryKey recovery;

  explicit Made(std::uint64_t seed) : machine(seed), recovery{crypto::Secret(32)} {
    auto created = repository::create(context(), password(), kCheap);
    recovery = std::move(created.recovery_key);
    back_up(*created.repository, machine.clock, 1);
    created.repository->add_slot(repository::parse_machine_key(as_bytes(repository::machine_key_file(Bytes(32, 4)))), "machine");
  }
  repository::Context context() { return {store, machine.clock, machine.entropy, nullptr, "a", "0.1.0", {}}; }
};

TEST(Wrong, EverySecretThatDoesNotOpenSaysTheSame) {
  Made made(1), another(2);
  std::string good = kPassword;
  std::vector<std::string> wrong{"x", good + " ", " " + good, good.substr(1), good + good, std::string("\xff\xfe\x80"), std::string(1'000'000, 'p'),
                                 std::string("Canary-password-9f31"), good + std::string(1, '\0')};
  std::set<std::string> messages;
  std::uint64_t runs = 0;
  auto try_secret = [&](const SlotSecret& secret) {
    try {
      repository::open(made.context(), secret);
      ADD_FAILURE() << "it opened";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::wrong_key);
      messages.insert(error.message() + error.hint());
      EXPECT_EQ((error.message() + error.hint()).find(good), std::string::npos);
    }
    ++runs;
  };
  for (const std::string& text : wrong) try_secret(password(text));
  EXPECT_EQ(messages.size(), 1u) << "one sentence for all";
  try_secret(repository::recovery_secret(another.recovery));
  try_secret(password(another.recovery.text()));
  messages.clear();
  try_secret(repository::parse_machine_key(as_bytes(repository::machine_key_file(Bytes(32, 5)))));
  EXPECT_THROW(password(""), Error);
  EXPECT_NO_THROW(repository::open(made.context(), password(good + "\r\nsecond line")));
  expect_all("F1 wrong secrets", wrong.size() + 3, runs);
}

// A header that asks for less or for more than this version knows is refused, whatever the hash in the name says.
TEST(Downgrade, EveryTypeWithEveryForgedHeaderIsRefused) {
  Made made(1);
  Objects good = made.store.objects();
  struct Forgery { std::string what; std::function<void(Bytes&)> change; };
  auto set = [](std::size_t at, std::initializer_list<int> bytes) {
    return [at, list = std::vector<int>(bytes)](Bytes& b) { for (std::size_t i = 0; i < list.size(); ++i) b[at + i] = static_cast<std::uint8_t>(list[i]); };
  };
  const std::vector<Forgery> forgeries{
      {"version 0", set(10, {0, 0})}, {"version 2", set(10, {2, 0})}, {"version 65535", set(10, {255, 255})},
      {"suite 0", set(12, {0, 0})}, {"suite 2", set(12, {2, 0})}, {"required bit 0", set(24, {1})}, {"required bit 63", set(31, {128})},
      {"reserved field", set(14, {1, 0})}, {"epoch 7", set(16, {7, 0, 0, 0})}, {"no repository", set(40, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})},
      {"no writer", set(56, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})}};
  std::set<std::string> types;
  std::uint64_t planned = 0, runs = 0;
  for (const auto& [name, bytes] : good) {
    if (!types.insert(name.substr(0, name.find('/'))).second) continue;
    for (const Forgery& forgery : forgeries) {
      ++planned;
      SCOPED_TRACE(name + ", " + forgery.what);
      Objects objects = good;
      Bytes forged = bytes;
      forgery.change(forged);
      ++runs;
      if (forged == bytes) continue;   // it was so
      auto parsed = repository::parse_object_name(name);
      // All of the type, so that there is no other way than the forged one.
      std::erase_if(objects, [&](const auto& entry) { return repository::parse_object_name(entry.first)->type == parsed->type; });
      crypto::Sha256 hash = crypto::sha256(forged);
      objects[parsed->type == ObjectType::record ? repository::record_name(parsed->writer, parsed->number, hash) : repository::object_name(parsed->type, hash)] = forged;
      store::MemoryStore store;
      store.set_objects(objects);
      try {
        auto repository = repository::open({store, made.machine.clock, made.machine.entropy, nullptr, "", "", {}}, password());
        auto points = repository->points();
        bool all = points.size() == 1 && difference(*repository, points[0]).empty();
        bool needed = parsed->type != ObjectType::replica && parsed->type != ObjectType::inventory && parsed->type != ObjectType::index;
        EXPECT_FALSE(all && needed) << "it was used as if nothing were wrong";
        if (!all) {
          EXPECT_FALSE(repository->chain_findings().empty()) << "it vanished in silence";
        }
      } catch (const Error& error) {
        Code code = error.code();
        EXPECT_TRUE(code == Code::unsupported || code == Code::damaged || (code == Code::wrong_key && parsed->type == ObjectType::slot)) << error.what();
        bool newer = forgery.what == "version 2" || forgery.what == "suite 2" || forgery.what.starts_with("required");
        bool first_read = parsed->type == ObjectType::repository || parsed->type == ObjectType::slot || parsed->type == ObjectType::keyring;
        if (newer && first_read) {
          EXPECT_EQ(code, Code::unsupported) << error.what();
        }
      }
    }
  }
  EXPECT_GE(types.size(), 9u);
  expect_all("F4 forged headers", planned, runs);
}

TEST(Downgrade, KdfCostsAreCheckedBeforeTheyArePaid) {
  Made made(1);
  Objects good = made.store.objects();
  std::uint64_t runs = 0;
  const std::vector<std::pair<std::uint32_t, std::uint32_t>> costs{{0, 1}, {7, 1}, {0xffffffff, 1}, {(1U << 20) + 1, 1}, {64, 0}, {64, 11}, {64, 0xffffffff}};
  for (auto [memory, passes] : costs) {
    Objects objects = good;
    for (const auto& [name, bytes] : good) {
      if (!name.starts_with("slot/") || bytes[72 + 16] != 1) continue;   // kind: password
      Bytes forged = bytes;
      for (std::size_t i = 0; i < 4; ++i) {
        forged[72 + 28 + i] = static_cast<std::uint8_t>(memory >> (8 * i));
        forged[72 + 32 + i] = static_cast<std::uint8_t>(passes >> (8 * i));
      }
      objects.erase(name);
      objects[repository::object_name(ObjectType::slot, crypto::sha256(forged))] = forged;
    }
    store::MemoryStore store;
    store.set_objects(objects);
    try {
      repository::open({store, made.machine.clock, made.machine.entropy, nullptr, "", "", {}}, password());
      ADD_FAILURE() << memory << " KiB, " << passes << " passes";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::unsupported) << error.what();
    }
    ++runs;
  }
  expect_all("F4 KDF costs", costs.size(), runs);
}

// Every random part of every object: a salt makes the key, so a salt that comes twice is a key and a nonce used twice.
std::vector<std::string> salts_of(const Objects& objects) {
  std::vector<std::string> salts;
  for (const auto& [name, bytes] : objects) {
    auto parsed = repository::parse_object_name(name);
    std::uint32_t header = 0;
    for (std::size_t i = 0; i < 4; ++i) header |= static_cast<std::uint32_t>(bytes[20 + i]) << (8 * i);
    auto add = [&](std::size_t at, std::size_t size) { salts.push_back(to_hex(ByteView(bytes).subspan(at, size))); };
    switch (parsed->type) {
      case ObjectType::keyring: case ObjectType::index: case ObjectType::point: case ObjectType::record: add(header, 16); break;
      case ObjectType::pack: add(72, 16); add(72 + 20, 32); break;   // salt, public key that the pack's key is sealed with
      case ObjectType::slot: add(72 + 28 + 8, 16); break;
      default: break;
    }
  }
  return salts;
}

TEST(UsedOnce, TwoClonesOfAMachineNeverUseOneKeyTwice) {
  Machine original(1);
  repository::LocalState state(original.disk, kState, "machine-1");
  store::MemoryStore store;
  make_repository({store, original.clock, original.entropy, &state, "a", "0.1.0", {}}, password());
  back_up(*repository::open({store, original.clock, original.entropy, &state, "a", "0.1.0", {}}, password()), original.clock, 1);
  Objects before = store.objects();
  Image image = take_image(original);
  Objects all = before;
  std::size_t made = 0;
  for (std::uint64_t clone = 0; clone < 4; ++clone) {   // same state, same content, same second
    Machine machine(100 + clone);
    put_image(machine, image);
    repository::LocalState cloned(machine.disk, kState, "machine-1");
    store::MemoryStore own;
    own.set_objects(before);
    auto repository = repository::open({own, machine.clock, machine.entropy, &cloned, "a", "0.1.0", {}}, password());
    back_up(*repository, machine.clock, 2);
    repository->pin(repository->points().at(0).id, true);
    for (const auto& [name, bytes] : own.objects()) {
      if (all.emplace(name, bytes).second) ++made;
    }
  }
  std::vector<std::string> salts = salts_of(all);
  EXPECT_EQ(std::set<std::string>(salts.begin(), salts.end()).size(), salts.size()) << "a salt came twice";
  EXPECT_GE(made, 4u * 5);
  std::cout << "[ F6 ] " << salts.size() << " salts, all different" << std::endl;
}

// No canary is readable anywhere on the disk, whatever was done and wherever it was killed, and no error tells a secret.
struct Readable : ::testing::TestWithParam<Operation> {};

void expect_nothing_readable(Machine& machine, const std::string& when) {
  for (const auto& [path, bytes] : take_image(machine).files) {
    std::string_view text = as_text(bytes);
    for (const char* canary : kCanaries)
      EXPECT_EQ(text.find(canary), std::string_view::npos) << when << ": '" << canary << "' is readable in " << path;
  }
}

TEST_P(Readable, NothingAfterEveryKill) {
  const Operation& operation = GetParam();
  const Undisturbed& ends = undisturbed(operation);
  std::uint64_t runs = 0;
  for (std::uint64_t nth = 1; nth <= ends.changes + 1; ++nth) {   // the last one is not killed
    Machine machine(7000 + nth);
    put_image(machine, ends.image);
    machine.all.kill_at_change(nth);
    try {
      Program run(machine);
      operation.act(run);
    } catch (const platform::Killed&) {
    }
    expect_nothing_readable(machine, operation.name + " killed at change " + std::to_string(nth));
    ++runs;
    if (HasFailure()) return;
  }
  expect_all("F7 " + operation.name, ends.changes, runs - 1);
}

TEST_P(Readable, NothingInTheErrors) {
  const Operation& operation = GetParam();
  const Undisturbed& ends = undisturbed(operation);
  for (std::uint64_t nth = 1; nth <= ends.calls; nth += 3) {
    Machine machine(7000 + nth);
    put_image(machine, ends.image);
    machine.all.fail(nth, platform::FaultyFileSystem::Repeat::once, EIO);
    try {
      Program run(machine);
      operation.act(run);
    } catch (const Error& error) {
      std::string text = std::string(error.what()) + error.safe() + error.hint();
      for (const char* secret : {kPassword, kFilePassword, kCanaries[0], kCanaries[3]}) EXPECT_EQ(text.find(secret), std::string::npos) << text;
    }
  }
}

// The derived files of the cache are plain files of this machine: they hold no content and no name either.
TEST(ReadableCache, Nothing) {
  platform::TemporaryFolder folder;
  Machine machine(1);
  machine.cache = folder.path() / "cache";
  Program run(machine);
  repository::create(run.context(), password(), kCheap);   // small chunks would leave no sketches
  for (unsigned n = 1; n <= 3; ++n) back_up(run.repository(), machine.clock, n);
  // Large enough to be compared with what is stored, which leaves a sketch of it.
  std::string rows;
  for (unsigned n = 0; rows.size() < 100'000; ++n) rows += std::to_string(n * 7919) + " " + kCanaries[n % 2] + "\n";
  repository::testing::Random random(1);
  auto session = run.repository().begin_backup({nullptr, nullptr, 1});
  repository::testing::capture_item(*session, repository::testing::file(to_bytes(rows)), random);
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path())) {
    if (!entry.is_regular_file()) continue;
    ++files;
    Bytes bytes = platform::real_file_system().read_all(entry.path());
    for (const char* canary : kCanaries) EXPECT_EQ(as_text(bytes).find(canary), std::string_view::npos) << entry.path();
  }
  EXPECT_GT(files, 0u);
}

INSTANTIATE_TEST_SUITE_P(Operations, Readable, ::testing::ValuesIn(operations()), [](const auto& made) { return made.param.name; });

}  // namespace
}  // namespace holdfast::proof
