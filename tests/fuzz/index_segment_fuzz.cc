// The plaintext of an index segment, sealed and signed.
#include "fuzz.h"
#include "known_repository.h"
#include "repository/index/catalog.h"

using namespace holdfast;
using namespace holdfast::fuzz;
using namespace holdfast::repository;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  KnownRepository& known = known_repository();
  ByteView chunk = as_bytes("a chunk that every segment leaves in its place");
  ContentRef content = known.put_content(ChunkType::data, chunk);
  ByteView plain(data, size);
  bool lies = false;   // about a pack that is there: its first listing counts, so whoever has the key can hide what is in it
  accepted([&] {
    SegmentView view = decode_segment(plain, "index/x");
    std::vector<SegmentPack> packs;
    for (const auto& p : view.packs) packs.push_back({p.hash, p.size, p.header_length, {p.directory.begin(), p.directory.end()}});
    for (const auto& p : view.packs) lies = lies || known.context().store.info(object_name(ObjectType::pack, p.hash)).has_value();
    SegmentView again = decode_segment(encode_segment(view.superseded, packs), "index/x");
    require(again.superseded == view.superseded && again.packs.size() == view.packs.size(), "a segment comes back as it was");
  });

  known.put(ObjectType::index, known.sealed(ObjectType::index, {}, plain));
  DataContext context = known.context();
  Catalog catalog(context);
  catalog.refresh();   // a damaged segment is noted and worked around
  catalog.match_with_store();
  catalog.adopt_unlisted();
  std::shared_ptr<DataStore> store = open_data(context);
  tree::Entry entry;
  entry.size = chunk.size();
  bool read = accepted([&] {
    require(as_text(store->open_node(encode_entry(entry), content)->read_all()) == as_text(chunk), "what is read is what was stored");
  });
  require(read || lies, "a hostile segment does not hide a chunk that is there");
  return 0;
}

std::vector<Bytes> fuzz_seeds() {
  KnownRepository& known = known_repository();
  std::vector<Bytes> seeds = {encode_segment({}, {}), encode_segment({crypto::sha256(as_bytes("x"))}, {})};
  std::vector<SegmentPack> packs;
  for (std::string_view text : {"a chunk", "another chunk", "a chunk that every segment leaves in its place"}) {
    std::vector<KnownRepository::Frame> frames = {
        KnownRepository::plain_frame(known.chunk_id(ChunkType::data, as_bytes(text)), ChunkType::data, as_bytes(text))};
    Bytes directory = KnownRepository::directory(frames), pack = known.pack(frames, directory);
    packs.push_back({crypto::sha256(pack), pack.size(), kPackHeaderSize, directory});
    seeds.push_back(encode_segment({}, packs));
  }
  return seeds;
}
