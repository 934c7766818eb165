// What a large repository takes of anonymous memory: nothing to speak of grows with its packs. A pack is 25 MB, so 600,000 of
// them are 15 TB; their names are made up, and nobody reads them.
#include <gtest/gtest.h>
#include <malloc.h>

#include <filesystem>
#include <fstream>

#include "repository/data/data_testing.h"
#include "repository/data/large_list.h"
#include "repository/format/map_object.h"
#include "repository/format/point_object.h"
#include "repository/index/catalog.h"
#include "repository/keys/slot_store.h"
#include "repository/upkeep/prune_needs.h"

namespace holdfast::repository {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFewer = 300'000, kMore = 600'000;
constexpr std::int64_t kAboutTheSame = 4096;   // KiB; 300,000 names alone would be 10,000

std::int64_t anonymous_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("RssAnon:")) return std::stoll(line.substr(8));
  throw Error(Code::defect, "no RssAnon");
}

// Keeps its objects in files, so that they are no memory of the process, and lists packs beside them that are not there.
// Looks at the memory of the process whenever it is used.
class LargeStore final : public store::ObjectStore {
 public:
  explicit LargeStore(std::size_t packs) {
    std::string pattern = (fs::temp_directory_path() / "holdfast-large-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw Error(Code::io, "cannot make a folder");
    folder_ = pattern;
    testing::Random random(packs);
    for (std::size_t i = 0; i < packs; ++i) {
      std::array<std::uint64_t, 4> hash{random(), random(), random(), random()};
      packs_.push_back({ObjectType::pack, {}, 25'000'000});
      std::memcpy((packs_.end() - 1)->hash.bytes.data(), hash.data(), sizeof hash);
    }
    std::sort(packs_.begin(), packs_.end());
  }
  ~LargeStore() override { fs::remove_all(folder_); }

  NeededObjects packs() const {
    return [this](const auto& visit) { std::for_each(packs_.begin(), packs_.end(), visit); };
  }
  // KiB that `work` takes at most.
  template <class Work>
  std::int64_t taken_by(Work work) {
    ::malloc_trim(0);
    const std::int64_t before = most_ = anonymous_kib();
    work();
    look();
    return most_ - before;
  }

  using ObjectStore::put;
  void put(const std::string& name, std::span<const ByteView> parts) override {
    look();
    std::ofstream out(file_of(name), std::ios::binary);
    for (ByteView part : parts) out.write(reinterpret_cast<const char*>(part.data()), static_cast<std::streamsize>(part.size()));
  }
  Bytes get(const std::string& name, std::uint64_t) override {
    Bytes bytes(static_cast<std::size_t>(info(name).value().size));
    get_range(name, 0, bytes);
    return bytes;
  }
  void get_range(const std::string& name, std::uint64_t offset, MutableBytes out) override {
    look();
    std::ifstream in(file_of(name), std::ios::binary);
    in.seekg(static_cast<std::streamoff>(offset));
    in.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(out.size()));
  }
  std::optional<store::ObjectInfo> info(const std::string& name) override {
    if (!fs::exists(file_of(name))) return std::nullopt;
    return store::ObjectInfo{name, fs::file_size(file_of(name)), {1, 0}};
  }
  void list(std::string_view prefix, const std::function<void(const store::ObjectInfo&)>& visit) override {
    for (const auto& file : fs::directory_iterator(folder_)) {
      std::string name = file.path().filename().string();
      std::replace(name.begin(), name.end(), '_', '/');
      if (store::has_prefix(name, prefix)) visit({name, file.file_size(), {1, 0}});
    }
    if (!store::has_prefix("pack/x", prefix)) return;
    for (const NeededObject& pack : packs_) visit({object_name(pack.type, pack.hash), pack.size, {1, 0}});
  }
  void remove(const std::string& name) override { fs::remove(file_of(name)); }
  std::string location() const override { return "large"; }

 private:
  fs::path file_of(std::string name) const {
    std::replace(name.begin(), name.end(), '/', '_');
    return folder_ / name;
  }
  void look() { most_ = std::max(most_, anonymous_kib()); }

  fs::path folder_;
  LargeList<NeededObject> packs_;
  std::int64_t most_ = 0;
};

// A repository in which one point needs all packs.
struct LargeRepository {
  explicit LargeRepository(std::size_t packs) : store(packs) {
    object.id = entropy.random<RepositoryId>();
    Bytes bytes = encode_repository_object(object);
    store.put(object_name(ObjectType::repository, object.hash), bytes);
    crypto::Secret root_key(32), machine_key(32);
    Keyring::put_first_epoch(store, object.id, root_key, object.hash, {1, 0}, entropy);
    add_slot(store, object.id, root_key, {SlotKind::machine_key, std::move(machine_key)}, "test", {}, {1, 0}, entropy);
    Keyring keyring(store, object.id, root_key);
    keyring.add_writer(key.verify_key, "test", {1, 0}, entropy);
    PointDraft draft;
    draft.system_name = "ns01";
    draft.finished = {2, 0};
    InventoryRoot inventory = put_inventory(store, object.id, store.packs(), entropy);
    point = put_point(store, object.id, keyring.current(), {writer_id(key.verify_key), key}, draft, inventory, entropy);
  }

  LargeStore store;
  platform::Entropy& entropy = platform::real_entropy();
  crypto::SigningKey key = crypto::signing_key(Bytes(32, 7));
  RepositoryObject object;
  PointId point;
};

std::int64_t memory_of_publishing(std::size_t packs) {
  LargeStore store(packs);
  testing::TestRepository repository;
  const DataContext context{store, *repository.keyring, platform::real_clock(), platform::real_entropy(), repository.id,
                            repository.parameters};
  Catalog catalog(context);
  const SessionSetup setup{repository.writer, repository.signing_key, {}, {}};
  const Bytes directory = Writer().varint(1).varint(0).take();
  PackSet needed;
  std::size_t count = 0;
  store.packs()([&](const NeededObject& pack) {
    needed.add(catalog.written({pack.hash, pack.size, 172, directory}, {}));
    if (++count % 10'000 == 0) catalog.write_segment(setup);
  });
  std::size_t published = 0;
  std::int64_t taken = store.taken_by([&] {
    NeededObjects objects = catalog.with_segments(needed);
    put_inventory(store, repository.id, objects, platform::real_entropy());
    objects([&](const NeededObject& object) { published += object.type == ObjectType::pack; });
  });
  EXPECT_EQ(published, packs);
  return taken;
}

std::int64_t memory_of_check(std::size_t packs) {
  LargeRepository repository(packs);
  return repository.store.taken_by([&] {
    CheckReport report = check_objects(repository.store, {});
    EXPECT_TRUE(report.damaged.empty());
    EXPECT_EQ(report.leftovers, 0U);
    EXPECT_GT(report.objects, packs);
  });
}

std::int64_t memory_of_prune_needs(std::size_t packs) {
  LargeRepository repository(packs);
  return repository.store.taken_by([&] {
    PruneList listed;
    repository.store.list("", [&](const store::ObjectInfo& info) {
      auto name = parse_object_name(info.name);
      listed.add({{name->type, name->hash, info.size}, info.modified});
    });
    listed.sort();
    const Maps maps;
    PruneNeeds needs(repository.store, repository.object.id, maps, listed);
    needs.add_point(repository.point);
    std::size_t needed = 0;
    for (const PruneList::Listed& o : listed) needed += o.object.type == ObjectType::pack && needs.contains(o.object);
    EXPECT_EQ(needed, packs);
  });
}

void expect_flat(std::int64_t (*memory_of)(std::size_t packs)) {
  const std::int64_t fewer = memory_of(kFewer), more = memory_of(kMore);
  std::printf("KiB for %zu packs %lld, for %zu packs %lld\n", kFewer, static_cast<long long>(fewer), kMore, static_cast<long long>(more));
  EXPECT_LT(more, fewer + kAboutTheSame);
  EXPECT_LT(more, 4 * kAboutTheSame);
}

TEST(Memory, OfPublishingIsFlat) { expect_flat(memory_of_publishing); }
TEST(Memory, OfCheckIsFlat) { expect_flat(memory_of_check); }
TEST(Memory, OfPruneIsFlat) { expect_flat(memory_of_prune_needs); }

}  // namespace
}  // namespace holdfast::repository
