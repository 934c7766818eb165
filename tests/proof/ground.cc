#include "ground.h"

#include <cstdlib>
#include <iostream>

#include "base/text.h"
#include "repository/format/container.h"
#include "repository/format/envelope.h"
#include "repository/format/repository_object.h"
#include "repository/keys/keyring.h"
#include "repository/keys/slot_store.h"

namespace holdfast::proof {
namespace {

std::uint64_t number_of(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace

SlotSecret password(std::string_view text) { return repository::password_secret(as_bytes(text)); }
std::uint64_t factor() { return std::max<std::uint64_t>(1, number_of("HOLDFAST_PROOF_FACTOR", 1)); }
std::uint64_t first_seed() { return number_of("HOLDFAST_PROOF_SEED", 1); }

void Machine::no_faults() {
  all.reset();
  for (platform::FaultyFileSystem* place : places()) place->reset();
}

// -- images

namespace {

void take_folder(platform::FileSystem& disk, const Path& folder, Image& image) {
  for (const auto& child : disk.list(folder)) {
    Path path = folder / child.name;
    if (child.info.kind == platform::FileInfo::Kind::directory) {
      image.folders.push_back(path);
      take_folder(disk, path, image);
    } else {
      image.files.emplace_back(path, disk.read_all(path));
    }
  }
}

}  // namespace

Image take_image(Machine& machine) {
  Image image;
  take_folder(machine.disk, "", image);
  image.time = machine.clock.now();
  return image;
}

void put_image(Machine& machine, const Image& image) {
  machine.clock.set(image.time);
  for (const Path& folder : image.folders) {
    machine.disk.make_directory(folder);
    machine.disk.sync_directory(folder.parent_path());
  }
  for (const auto& [path, bytes] : image.files) {
    auto file = machine.disk.create(path);
    file->write(bytes);
    file->sync();
    machine.disk.sync_directory(path.parent_path());
  }
}

// -- runs

store::ObjectStore& Program::store() {
  if (!store_) store_ = store::open_local_store(machine_.repository_files, kRepository, true);
  return *store_;
}

store::ObjectStore& Program::copy_store() {
  if (!copy_) copy_ = store::open_local_store(machine_.target_files, kCopy, true);
  return *copy_;
}

repository::Context Program::context() {
  return {store(), *machine_.now, machine_.entropy, &state_, "ns01", "0.1.0", machine_.cache};
}

Repository& Program::repository() { return repository_with(password()); }

Repository& Program::repository_with(const SlotSecret& secret) {
  if (!repository_) repository_ = repository::open(context(), secret);
  return *repository_;
}

void make_repository(const repository::Context& context, const SlotSecret& secret) {
  using namespace repository;
  Timestamp now = context.clock.now();
  RepositoryObject object;
  object.id = context.entropy.random<RepositoryId>();
  object.created = now;
  object.parameters = repository::testing::small_parameters();
  Bytes bytes = encode_repository_object(object);
  crypto::Secret root(32);
  context.entropy.fill(root.bytes());
  Keyring::put_first_epoch(context.store, object.id, root, object.hash, now, context.entropy);
  add_slot(context.store, object.id, root, secret, "password", kCheap, now, context.entropy);
  put_replica(context.store, object.id, {context.entropy.random<ReplicaId>(), ReplicaKind::original, now});
  context.store.put(object_name(ObjectType::repository, object.hash), bytes);
}

// -- the protected tree

namespace {

Model text_file(Random& random, std::size_t size, std::int64_t time) {
  Bytes content = repository::testing::random_bytes(random, size, true);
  std::string_view canary = kCanaries[0];
  for (std::size_t at = 0; at + canary.size() <= content.size(); at += 4000)
    std::copy(canary.begin(), canary.end(), content.begin() + static_cast<std::ptrdiff_t>(at));
  return repository::testing::file(std::move(content), time);
}

void put(Model& folder, const std::string& name, Model child) {
  child.entry.name = name;
  folder.children[name] = std::move(child);
}

Model first_version() {
  Random random(1);
  Model root = repository::testing::directory();
  put(root, "large.bin", text_file(random, 30'000, 1000));
  put(root, std::string(kCanaries[1]) + ".txt", text_file(random, 700, 1000));
  put(root, "database", text_file(random, 4096, 1000));
  root.children["database"].chunking = tree::Chunking::fixed;
  Model below = repository::testing::directory();
  for (int i = 0; i < 6; ++i) put(below, "small" + std::to_string(i), text_file(random, 50 + random() % 400, 1000));
  put(below, "line\nend \xff\xfe", text_file(random, 60, 1000));
  put(below, "empty", repository::testing::file({}));
  put(root, "folder", std::move(below));
  Model link;
  link.entry.kind = tree::Kind::symlink;
  link.entry.target = "large.bin";
  put(root, "link", std::move(link));
  Model sparse = text_file(random, 1500, 1000);
  sparse.entry.sparse = true;
  sparse.entry.size = 1 << 20;
  sparse.entry.extents = {{0, 500}, {8192, 1000}};
  put(root, "sparse", std::move(sparse));
  return root;
}

Model next_version(const Model& before, unsigned n) {
  Random random(n);
  Model root = before;
  std::int64_t time = 1000 + 1000 * n;
  Model& large = root.children["large.bin"];
  for (int i = 0; i < 3; ++i) large.content[random() % large.content.size()] ^= 1;
  large.entry.modified = large.entry.changed = {time, 5};
  large.entry.captured = {time + 100, 7};
  auto& small = root.children["folder"].children;
  small.erase("small" + std::to_string((n - 2) % 6));
  put(root.children["folder"], "small" + std::to_string((n + 3) % 6), text_file(random, 300, time));
  return root;
}

}  // namespace

const Model& version(unsigned n) {
  static std::map<unsigned, Model> made;
  auto it = made.find(n);
  if (it == made.end()) it = made.emplace(n, n <= 1 ? first_version() : next_version(version(n - 1), n)).first;
  return it->second;
}

std::string label_of(unsigned n) { return std::string(kCanaries[2]) + " v" + std::to_string(n); }

unsigned version_of_label(const std::string& label) {
  std::string start = std::string(kCanaries[2]) + " v";
  if (!label.starts_with(start)) return 0;
  return static_cast<unsigned>(std::strtoul(label.c_str() + start.size(), nullptr, 10));
}

namespace {

PointId attempt_backup(Repository& repository, platform::Clock& clock, unsigned n) {
  tree::NodePtr previous;
  for (const auto& point : repository.points()) {
    if (point.origin == repository::Origin::imported) continue;
    try {
      previous = repository.open_item(repository.load(point.id), kItem);
      break;
    } catch (const Error& error) {
      if (error.code() != Code::damaged) throw;   // an earlier one may be whole
    }
  }
  auto session = repository.begin_backup({nullptr, nullptr, 1});
  repository::PointDraft draft;
  draft.system_name = "ns01";
  draft.label = label_of(n);
  draft.configuration = to_bytes(kCanaries[3]);
  draft.started = clock.now();
  Random random(1);
  draft.items.push_back(repository::testing::capture_item(*session, version(n), random, previous));
  clock.sleep(std::chrono::milliseconds(1000));
  draft.finished = clock.now();
  return session->publish(draft);
}

}  // namespace

PointId back_up(Repository& repository, platform::Clock& clock, unsigned n) {
  return repository::begin_again_when_withdrawn([&] { return attempt_backup(repository, clock, n); });
}

// -- comparing

std::string difference(const Model& model, const tree::StoredNode& node) {
  std::string name = printable(model.entry.name);
  tree::Entry stored = node.entry();
  stored.captured = model.entry.captured;   // an unchanged file keeps the time when it was read
  if (!(stored == model.entry)) return name + ": another entry";
  if (model.entry.kind == tree::Kind::file) {
    Bytes all;
    node.read(0, tree::content_bytes(model.entry), [&](std::uint64_t, ByteView bytes) { all.insert(all.end(), bytes.begin(), bytes.end()); });
    return all == model.content ? "" : name + ": other bytes";
  }
  if (model.entry.kind != tree::Kind::directory) return "";
  std::string found;
  auto expected = model.children.begin();
  node.children([&](const tree::NodePtr& child) {
    if (expected == model.children.end()) found = name + ": more children than were captured";
    else if (found = difference(expected->second, *child); !found.empty()) found = name + "/" + found;
    if (found.empty()) ++expected;
    return found.empty();
  });
  if (found.empty() && expected != model.children.end()) found = name + ": children are missing";
  return found;
}

std::string difference(Repository& repository, const repository::PointSummary& point) {
  unsigned n = version_of_label(point.label);
  if (n == 0) return "a point with label '" + printable(point.label) + "', which nobody made";
  repository::Point loaded = repository.load(point.id);
  if (loaded.label != point.label || holdfast::to_text(loaded.configuration) != kCanaries[3]) return "the point says something else than its record";
  return difference(version(n), *repository.open_item(loaded, kItem));
}

// -- observing

namespace {

std::string short_label(const std::string& label) { return "v" + std::to_string(version_of_label(label)); }

void observe_repository(Repository& repository, const std::string& where, Facts& facts) {
  for (const auto& finding : repository.chain_findings()) ADD_FAILURE() << where << ": " << finding.message;
  for (const auto& point : repository.points()) {
    std::string label = short_label(point.label);
    EXPECT_EQ(difference(repository, point), "") << where << " " << label;
    facts.insert(where + " point " + label + (point.origin == repository::Origin::imported ? " imported" : ""));
    if (point.pinned) facts.insert(where + " pinned " + label);
    if (point.verified != repository::Level::none) facts.insert(where + " verified " + label);
    EXPECT_TRUE(where != "repository" || !point.verification_failed || point.verified == repository::Level::none) << label;
  }
  for (const auto& slot : repository.slots_with_labels()) {
    EXPECT_FALSE(slot.damage) << *slot.damage;
    facts.insert(where + " slot " + slot.label.value_or("?"));
  }
  auto report = repository.check({repository::Level::content, 1.0, {nullptr, nullptr, 1}});
  for (const auto& damaged : report.damaged) ADD_FAILURE() << where << ": " << damaged.name << ": " << damaged.what;
}

// nullptr: there is none, or a copy that never was whole.
std::unique_ptr<Repository> open_if_there(const repository::Context& context, const SlotSecret& secret, bool may_be_begun) {
  try {
    return repository::open(context, secret);
  } catch (const Error& error) {
    if (error.code() == Code::not_found || (may_be_begun && error.code() == Code::damaged)) return nullptr;
    throw;
  }
}

}  // namespace

Facts observe(Machine& machine) {
  Facts facts;
  machine.no_faults();
  if (machine.disk.exists(kRepository)) {
    Program run(machine);
    if (auto opened = open_if_there(run.context(), password(), false)) observe_repository(*opened, "repository", facts);
  }
  if (machine.disk.exists(kCopy)) {
    Program run(machine);
    // Nobody has been told of a first copy that did not end; one that can be opened must be whole.
    repository::Context context{run.copy_store(), machine.clock, machine.entropy, nullptr, "", "", {}};
    if (auto opened = open_if_there(context, password(), true)) observe_repository(*opened, "copy", facts);
  }
  if (machine.disk.exists(kFile)) {
    auto file = repository::open_container(machine.disk, kFile);
    auto opened = repository::open({*file, machine.clock, machine.entropy, nullptr, "", "", {}}, password(kFilePassword));
    observe_repository(*opened, "file", facts);
  }
  return facts;
}

const Undisturbed& undisturbed(const Operation& operation) {
  static std::map<std::string, Undisturbed> made;
  auto it = made.find(operation.name);
  if (it != made.end()) return it->second;
  Undisturbed ends;
  {
    Machine machine;
    machine.disk.make_directory(kOut);
    machine.disk.sync_directory("");
    operation.prepare(machine);
    ends.image = take_image(machine);
  }
  Machine machine(2);
  put_image(machine, ends.image);
  ends.before = observe(machine);
  machine.no_faults();
  {
    Program run(machine);
    operation.act(run);
  }
  ends.calls = machine.all.calls();
  ends.changes = machine.all.changes();
  ends.after = observe(machine);
  return made.emplace(operation.name, std::move(ends)).first->second;
}

::testing::AssertionResult between(const Facts& facts, const Undisturbed& ends) {
  for (const std::string& fact : ends.before) {
    if (ends.after.contains(fact) && !facts.contains(fact)) return ::testing::AssertionFailure() << "lost: " << fact;
  }
  for (const std::string& fact : facts) {
    if (!ends.before.contains(fact) && !ends.after.contains(fact)) return ::testing::AssertionFailure() << "neither before nor after: " << fact;
  }
  return ::testing::AssertionSuccess();
}

void expect_all(const std::string& what, std::uint64_t counted, std::uint64_t runs) {
  std::cout << "[ " << what << " ] calls counted " << counted << ", runs " << runs << std::endl;
  EXPECT_GT(counted, 0u) << what;
  EXPECT_GE(runs, counted) << what;
}

}  // namespace holdfast::proof
