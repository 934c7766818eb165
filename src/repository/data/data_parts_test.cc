// Chunker, frames, packs, the index: each by itself.
#include <zstd.h>

#include <set>

#include "repository/data/chunker.h"
#include "repository/data/data_testing.h"
#include "repository/index/index.h"

namespace holdfast::repository {

// Level 3 with a prefix, as docs/repository-format.md says of codec 2.
Bytes testing::compress_with_prefix(ByteView plain, ByteView prefix) {
  Bytes out(ZSTD_compressBound(plain.size()));
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_refPrefix(context, prefix.data(), prefix.size());
  out.resize(ZSTD_compress2(context, out.data(), out.size(), plain.data(), plain.size()));
  ZSTD_freeCCtx(context);
  return out;
}

namespace {

using namespace testing;

std::vector<std::size_t> cuts(const Chunker& chunker, ByteView bytes) {
  std::vector<std::size_t> lengths;
  while (!bytes.empty()) {
    lengths.push_back(chunker.first_chunk(bytes));
    bytes = bytes.subspan(lengths.back());
  }
  return lengths;
}

// The words of docs/repository-format.md, slowly.
std::size_t first_chunk_by_the_book(const Parameters& p, ByteView secret, ByteView bytes) {
  int bits = 0;
  while ((2U << bits) <= p.chunk_average) ++bits;
  std::uint64_t h = 0;
  for (std::size_t i = p.chunk_minimum - 64; i < bytes.size(); ++i) {
    Bytes digest(32);
    crypto::keyed_hash(secret, bytes.subspan(i, 1), digest);
    std::uint64_t gear = 0;
    for (int b = 7; b >= 0; --b) gear = gear << 8 | digest[static_cast<std::size_t>(b)];
    h = (h << 1) + gear;
    std::size_t length = i + 1;
    if (length > p.chunk_minimum && (h >> (64 - (length < p.chunk_average ? bits + 2 : bits - 2))) == 0)
      return length;
    if (length == p.chunk_maximum) return length;
  }
  return bytes.size();
}

TEST(Chunker, CutsAsTheDocumentSays) {
  Bytes secret(32, 7);
  Chunker chunker(small_parameters(), secret);
  Random random(1);
  Bytes bytes = random_bytes(random, 60'000);
  ByteView rest = bytes;
  while (!rest.empty()) {
    std::size_t length = chunker.first_chunk(rest);
    ASSERT_EQ(length, first_chunk_by_the_book(small_parameters(), secret, rest));
    rest = rest.subspan(length);
  }
}

// These never change: every repository depends on them.
TEST(Chunker, GoldenCuts) {
  Bytes secret(32), bytes(12'000);
  for (std::size_t i = 0; i < secret.size(); ++i) secret[i] = static_cast<std::uint8_t>(i);
  std::uint32_t state = 12345;
  for (std::uint8_t& b : bytes) b = static_cast<std::uint8_t>((state = state * 1664525 + 1013904223) >> 24);
  std::vector<std::size_t> found = cuts(Chunker(small_parameters(), secret), bytes);
  std::vector<std::size_t> golden = {1336, 1188, 1064, 1631, 288, 1574, 416, 1447, 1624, 1250, 182};
  EXPECT_EQ(found, golden) << ::testing::PrintToString(found);
}

TEST(Chunker, CutsDoNotDependOnHowBytesArrive) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    Chunker chunker(small_parameters(), Bytes(32, 9));
    Bytes bytes = random_bytes(random, random() % 30'000, seed % 2);
    std::vector<std::size_t> found;
    std::size_t start = 0;
    Chunker::Scan scan;
    for (std::size_t known = 0; known < bytes.size();) {
      known = std::min<std::size_t>(bytes.size(), known + 1 + random() % 3000);
      while (auto end = chunker.end_of_chunk(scan, ByteView(bytes).subspan(start, known - start))) {
        found.push_back(*end);
        start += *end;
        scan = {};
      }
    }
    if (start < bytes.size()) found.push_back(bytes.size() - start);
    EXPECT_EQ(found, cuts(chunker, bytes));
    for (std::size_t i = 0; i + 1 < found.size(); ++i)
      EXPECT_TRUE(found[i] > 256 && found[i] <= 4096) << found[i];
  }
}

TEST(Chunker, FindsItsWayBackAfterAnInsertion) {
  Random random(2);
  Chunker chunker(small_parameters(), Bytes(32, 9));
  Bytes before = random_bytes(random, 400'000), after = before;
  after.insert(after.begin() + 100'000, {1, 2, 3, 4, 5});
  auto ends = [&](const Bytes& bytes, std::size_t shift) {
    std::set<std::size_t> found;
    std::size_t at = 0;
    for (std::size_t length : cuts(chunker, bytes)) {
      at += length;
      found.insert(at > 100'000 ? at - shift : at);
    }
    return found;
  };
  std::set<std::size_t> a = ends(before, 0), b = ends(after, 5);
  std::size_t common = 0;
  for (std::size_t end : a) common += b.contains(end);
  EXPECT_GT(common + 20, a.size());
}

TEST(Frame, ComesBackAndStaysInBounds) {
  Compressor compressor;
  Decompressor decompressor;
  Random random(3);
  for (std::size_t size : {1U, 100U, 5000U, 131'072U, 300'000U}) {
    for (bool compressible : {false, true}) {
      Bytes plain = random_bytes(random, size, compressible), out(size);
      Compressor::Encoded encoded = compressor.encode(plain);
      EXPECT_EQ(encoded.codec, compressible && size > 1 ? Codec::zstd : Codec::plain);
      ASSERT_TRUE(decompressor.decode(encoded.codec, encoded.bytes, {}, out));
      EXPECT_TRUE(out == plain);
      Bytes shorter(size - 1), longer(size + 1);
      EXPECT_FALSE(decompressor.decode(encoded.codec, encoded.bytes, {}, shorter));
      EXPECT_FALSE(decompressor.decode(encoded.codec, encoded.bytes, {}, longer));
    }
  }
}

TEST(Pack, TellsEveryChangedByte) {
  TestRepository repository;
  const Epoch& epoch = repository.keyring->current();
  PackWriter writer(
      {repository.id, repository.writer, repository.signing_key, epoch, platform::real_entropy()}, 16U << 20);
  Random random(4);
  PackChecker checker;
  auto no_base = [](const ChunkId&, ChunkType) -> ByteView { return {}; };
  for (int round = 0; round < 2; ++round) {  // the buffer is used again
    for (int i = 0; i < 5; ++i) {
      Bytes plain = random_bytes(random, 200, i % 2);
      PackWriter::Chunk chunks[] = {
          {chunk_id(epoch, ChunkType::data, ByteView(plain).first(50)), ChunkType::data, ByteView(plain).first(50)},
          {chunk_id(epoch, ChunkType::tree, ByteView(plain).subspan(50)), ChunkType::tree, ByteView(plain).subspan(50)}};
      ASSERT_TRUE(writer.fits(plain.size(), 2));
      writer.add({Codec::plain, plain}, 200, chunks);
    }
    PackWriter::Finished finished = writer.finish();
    Bytes object(finished.object.begin(), finished.object.end());
    EXPECT_EQ(crypto::sha256(object), finished.hash);
    PackDirectory directory = checker.check(object, repository.id, *repository.keyring, no_base, "pack/x");
    ASSERT_EQ(directory.chunks.size(), 10U);
    PackDirectory same = decode_directory(finished.directory, kPackHeaderSize, object.size(), "pack/x");
    EXPECT_EQ(same.chunks[9].id, directory.chunks[9].id);
    for (std::size_t i = 0; i < object.size(); i += round ? 101 : 3) {
      object[i] ^= 0x10;
      auto code =
          code_of([&] { checker.check(object, repository.id, *repository.keyring, no_base, "pack/x"); });
      EXPECT_TRUE(code == Code::damaged || code == Code::unsupported) << i;
      object[i] ^= 0x10;
    }
    for (std::size_t length = 0; length < object.size(); length += 7) {
      EXPECT_TRUE(code_of([&] {
        checker.check(ByteView(object).first(length), repository.id, *repository.keyring, no_base, "pack/x");
      }));
    }
    writer.reset();
  }
}

TEST(Pack, HostileDirectoriesAreRefused) {
  auto refused = [](Bytes encoded) {
    return code_of([&] { decode_directory(encoded, 172, 100'000, "pack/x"); }) == Code::damaged;
  };
  Bytes id(32, 1);
  EXPECT_FALSE(
      refused(Writer().varint(1).varint(1).varint(116).u8(0).varint(100).varint(1).raw(id).u8(1).varint(100).take()));
  EXPECT_TRUE(
      refused(Writer().varint(0).varint(1).varint(116).u8(0).varint(100).varint(1).raw(id).u8(1).varint(100).take()));
  EXPECT_TRUE(refused(Writer().varint(1).varint(UINT64_C(1) << 60).take()));
  EXPECT_TRUE(
      refused(Writer().varint(1).varint(1).varint(116).u8(3).varint(100).varint(1).raw(id).u8(1).varint(100).take()));
  EXPECT_TRUE(
      refused(Writer().varint(1).varint(1).varint(116).u8(0).varint(100).varint(1).raw(id).u8(9).varint(100).take()));
  EXPECT_TRUE(
      refused(Writer().varint(1).varint(1).varint(116).u8(0).varint(100).varint(1).raw(id).u8(1).varint(99).take()));
  EXPECT_TRUE(refused(
      Writer().varint(1).varint(1).varint(116).u8(0).varint(9U << 20).varint(1).raw(id).u8(1).varint(9U << 20).take()));
  EXPECT_TRUE(refused(
      Writer().varint(1).varint(1).varint(200'000).u8(0).varint(100).varint(1).raw(id).u8(1).varint(100).take()));
  EXPECT_TRUE(refused(Writer()
                          .varint(1)
                          .varint(1)
                          .varint(116)
                          .u8(0)
                          .varint(100)
                          .varint(UINT64_C(1) << 40)
                          .raw(id)
                          .u8(1)
                          .varint(100)
                          .take()));
}

TEST(Index, FindsWhatWasAdded) {
  Random random(5);
  Index index;
  std::map<ChunkId, int> model;
  auto random_id = [&] { return ChunkId::from(random_bytes(random, 32)); };
  std::vector<ChunkId> ids;
  for (std::uint32_t pack = 0; pack < 60; ++pack) {
    PackDirectory directory;
    for (std::uint32_t f = 0; f < 5; ++f) {
      directory.frames.push_back({172 + f * 1000, 1000, 20'000, Codec::zstd, f * 200, 200, {}});
      for (std::uint32_t c = 0; c < 200; ++c) {
        if (ids.empty() || random() % 10) ids.push_back(random_id());
        const ChunkId& id = ids[ids.size() - 1 - random() % std::min<std::size_t>(ids.size(), 3)];
        directory.chunks.push_back({id, ChunkType::data, c * 100, 100});
        ++model[id];
      }
    }
    crypto::Sha256 hash = crypto::sha256(random_id().view());
    EXPECT_EQ(index.add(hash, 9000, 172, directory), pack);
    EXPECT_EQ(index.add(hash, 9000, 172, directory), pack);  // once
  }
  EXPECT_EQ(index.chunk_count(), 60'000U);
  for (const auto& [id, count] : model) ASSERT_EQ(index.find(id).size(), static_cast<std::size_t>(count));
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(index.find(random_id()).empty());
  const ChunkId& id = model.begin()->first;
  for (const Index::Location& at : index.find(id)) index.set_usable(at.pack, false);
  EXPECT_FALSE(index.find_usable(id));
  EXPECT_FALSE(index.find(id).empty());
  Index::Frame frame = index.frame(59, 4);
  EXPECT_TRUE(frame.offset == 4172 && frame.size == 20'000 && frame.codec == Codec::zstd);
}

TEST(Index, SegmentsComeBack) {
  Random random(6);
  std::vector<SegmentPack> packs;
  for (std::size_t i = 0; i < 5; ++i)
    packs.push_back({crypto::sha256(random_bytes(random, 5)), 1000 + i, 172, random_bytes(random, i * 30)});
  Bytes encoded = encode_segment({packs[0].hash}, packs);
  SegmentView view = decode_segment(encoded, "index/x");
  ASSERT_TRUE(view.superseded.size() == 1 && view.packs.size() == 5);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_TRUE(view.packs[i].hash == packs[i].hash && view.packs[i].size == packs[i].size);
    EXPECT_TRUE(std::equal(view.packs[i].directory.begin(), view.packs[i].directory.end(),
                           packs[i].directory.begin(), packs[i].directory.end()));
  }
  for (std::size_t length = 0; length < encoded.size(); ++length) {
    EXPECT_EQ(code_of([&] { decode_segment(ByteView(encoded).first(length), "index/x"); }), Code::damaged);
  }
}

}  // namespace
}  // namespace holdfast::repository
