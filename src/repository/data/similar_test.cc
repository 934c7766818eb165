#include "repository/data/similar.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>

namespace holdfast::repository {
namespace {

class Similar : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = "/tmp/holdfast-similar-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Bytes random_bytes(std::size_t size) {
    Bytes bytes(size);
    for (std::uint8_t& b : bytes) b = static_cast<std::uint8_t>(random_());
    return bytes;
  }
  ChunkId id(std::uint8_t value) {
    ChunkId made;
    made.bytes.fill(value);
    return made;
  }
  Sketch sketch(ByteView bytes) { return SimilarChunks::sketch(chunker_, bytes); }

  std::mt19937_64 random_{7};
  platform::Path folder_;
  Chunker chunker_{Parameters{}, Bytes(32, 5)};
};

TEST_F(Similar, AChunkIsFoundAgainAfterManySmallChangesAndInsertions) {
  SimilarChunks similar(folder_ / "cache");
  std::vector<Bytes> chunks;
  for (std::uint8_t i = 0; i < 50; ++i) {
    chunks.push_back(random_bytes(i % 2 ? 1U << 20 : 64U << 10));
    similar.add(sketch(chunks.back()), id(i));
  }
  EXPECT_FALSE(similar.find(sketch(random_bytes(1U << 20))));
  EXPECT_FALSE(similar.find(sketch(Bytes(1U << 20, 'a'))));
  int found = 0;
  for (std::uint8_t i = 0; i < 50; ++i) {
    Bytes changed = chunks[i];
    for (std::size_t at = 5'000; at < changed.size(); at += 20'000) changed[at] ^= 1;  // one window in ten
    changed.insert(changed.begin() + 777, 33, 'x');
    found += similar.find(sketch(changed)) == id(i);
  }
  EXPECT_GE(found, 48);
}

TEST_F(Similar, OutlivesTheProcessAndGrowsWithoutForgetting) {
  std::vector<Sketch> sketches;
  ChunkId name;
  {
    SimilarChunks similar(folder_);
    for (std::uint32_t i = 0; i < 10'000; ++i) {
      Sketch made;
      made.count = Sketch::kFeatures;
      for (std::uint32_t& f : made.features) f = static_cast<std::uint32_t>(random_());
      sketches.push_back(made);
      name.bytes = {};
      std::copy_n(reinterpret_cast<const std::uint8_t*>(&i), 4, name.bytes.begin());
      similar.add(made, name);
    }
  }
  SimilarChunks similar(folder_);
  int found = 0;
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    name.bytes = {};
    std::copy_n(reinterpret_cast<const std::uint8_t*>(&i), 4, name.bytes.begin());
    found += similar.find(sketches[i]) == name;
  }
  EXPECT_GT(found, 9'500);  // a slot may be taken by a later chunk
  EXPECT_LT(std::filesystem::file_size(folder_ / "similar"), 3U << 20);
}

TEST_F(Similar, AForeignOrCutFileIsReplacedAndAnUnusableFolderFindsNothing) {
  Bytes chunk = random_bytes(1U << 20);
  for (const char* content : {"", "something else that is rather longer than the header of such a file is, by far"}) {
    std::ofstream(folder_ / "similar", std::ios::binary | std::ios::trunc) << content;
    SimilarChunks similar(folder_);
    EXPECT_FALSE(similar.find(sketch(chunk)));
    similar.add(sketch(chunk), id(9));
    EXPECT_EQ(similar.find(sketch(chunk)), id(9));
    EXPECT_EQ(SimilarChunks(folder_).find(sketch(chunk)), id(9));
  }
  std::filesystem::resize_file(folder_ / "similar", 5'000);
  EXPECT_FALSE(SimilarChunks(folder_).find(sketch(chunk)));
  for (const platform::Path& nowhere : {platform::Path(), platform::Path(folder_ / "similar" / "below")}) {
    SimilarChunks none(nowhere);
    none.add(sketch(chunk), id(1));
    EXPECT_FALSE(none.find(sketch(chunk)));
  }
}

}  // namespace
}  // namespace holdfast::repository
