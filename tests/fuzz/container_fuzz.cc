// A backup file: the table over good objects, hashed anew, and whole files as they are.
#include "fuzz.h"
#include "known_repository.h"
#include "platform/memory_file_system.h"
#include "repository/format/container.h"

using namespace holdfast;
using namespace holdfast::fuzz;
using namespace holdfast::repository;

namespace {

constexpr std::size_t kTail = 32 + 8 + 9;

void write_file(platform::FileSystem& files, ByteView bytes) { files.create("f.holdfast")->write(bytes); }

Bytes with_table(ByteView objects, ByteView table) {
  return Writer().raw(objects).raw(table).raw(crypto::sha256(table).view()).u64(objects.size()).raw(as_bytes("HFFILEEND")).take();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in(data, size);
  platform::MemoryFileSystem files;
  if (in.u8() % 2 == 0) {
    write_file(files, in.rest());
  } else {
    ByteView objects = in.part();
    write_file(files, with_table(objects, in.rest()));
  }
  accepted([&] {
    auto store = open_container(files, "f.holdfast");
    std::vector<store::ObjectInfo> listed;
    store->list("", [&](const store::ObjectInfo& info) { listed.push_back(info); });
    for (const store::ObjectInfo& info : listed) {
      require(store::is_object_name(info.name), "a container holds objects only");
      require(store->info(info.name).has_value(), "what is listed is there");
      accepted([&] { require(store->get(info.name, 1 << 20).size() == info.size, "an object has the size that is told"); });
      Bytes some(16);
      accepted([&] { store->get_range(info.name, info.size / 2, some); });
    }
  });
  return 0;
}

std::vector<Bytes> fuzz_seeds() {
  KnownRepository& known = known_repository();
  platform::MemoryFileSystem files;
  auto writer = create_container(files, "f.holdfast");
  for (const auto& [name, bytes] : known.memory.objects()) writer->ObjectStore::put(name, bytes);
  writer->finish();
  Bytes file = files.read_all("f.holdfast");
  ByteView view(file);
  std::uint64_t table_at = Reader(view.last(17).first(8), "tail").u64();
  std::vector<Bytes> seeds;
  seeds.push_back(Parts().u8(0).rest(file));
  seeds.push_back(Parts().u8(1).part(view.first(table_at)).rest(view.subspan(table_at, view.size() - kTail - table_at)));
  return seeds;
}
