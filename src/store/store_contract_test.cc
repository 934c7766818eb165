#include "store/store_contract.h"

#include "store/open_store.h"
#include "store/testing.h"

namespace holdfast::store {
namespace {

struct MemoryPlace final : StorePlace {
  MemoryStore memory;
  ObjectStore& store() override { return memory; }
  ObjectStore& reopen() override { return memory; }
};

struct FaultlessPlace final : StorePlace {
  MemoryStore memory;
  FaultyStore faulty{memory};
  ObjectStore& store() override { return faulty; }
  ObjectStore& reopen() override { return faulty; }
};

struct LocalPlace final : StorePlace {
  platform::TemporaryFolder folder;
  std::unique_ptr<ObjectStore> first, again;
  std::string location() const { return (folder.path() / "repository").native(); }
  ObjectStore& store() override {
    first = open_store(platform::real_file_system(), location(), true);
    return *first;
  }
  ObjectStore& reopen() override {
    again = open_store(platform::real_file_system(), location(), false);
    return *again;
  }
};

struct LocalInMemoryPlace final : StorePlace {
  platform::MemoryFileSystem files;
  std::unique_ptr<ObjectStore> first, again;
  ObjectStore& store() override {
    first = open_store(files, "/backup/ns01/", true);
    return *first;
  }
  ObjectStore& reopen() override {
    again = open_store(files, "/backup/ns01", false);
    return *again;
  }
};

template <class Place>
std::unique_ptr<StorePlace> make() {
  return std::make_unique<Place>();
}

INSTANTIATE_TEST_SUITE_P(Every, StoreContract,
                         testing::Values(StoreKind{"memory", make<MemoryPlace>},
                                         StoreKind{"faultless", make<FaultlessPlace>},
                                         StoreKind{"local", make<LocalPlace>},
                                         StoreKind{"local_in_memory", make<LocalInMemoryPlace>}),
                         name_of_kind);

}  // namespace
}  // namespace holdfast::store
