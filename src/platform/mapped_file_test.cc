#include "platform/mapped_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "base/testing.h"
#include "platform/file_system.h"

namespace holdfast::platform {
namespace {

class MappedFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = "/tmp/holdfast-mapped-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  Path folder_;
};

TEST_F(MappedFiles, WhatIsWrittenIsInTheFile) {
  {
    MappedFile file = MappedFile::create(folder_ / "a", 10'000);
    EXPECT_TRUE(std::all_of(file.bytes().begin(), file.bytes().end(), [](auto b) { return b == 0; }));
    std::fill(file.writable().begin(), file.writable().end(), std::uint8_t{7});
  }
  EXPECT_EQ(real_file_system().read_all(folder_ / "a"), Bytes(10'000, 7));
  MappedFile again(folder_ / "a", MappedFile::Access::write);
  again.writable()[9'999] = 8;
  MappedFile reader(folder_ / "a", MappedFile::Access::read);
  EXPECT_EQ(reader.bytes()[9'999], 8);
  EXPECT_EQ(real_file_system().info(folder_ / "a")->mode, 0600U);
}

TEST_F(MappedFiles, ATemporaryOneLeavesNothingBehind) {
  MappedFile file = MappedFile::temporary(folder_, 5'000);
  file.writable()[4'999] = 1;
  EXPECT_EQ(file.bytes().size(), 5'000U);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(MappedFiles, RefusesWhatItCannotMap) {
  real_file_system().create(folder_ / "there");
  EXPECT_EQ(code_of([&] { MappedFile::create(folder_ / "there", 1); }), Code::already_exists);
  EXPECT_EQ(code_of([&] { MappedFile(folder_ / "none", MappedFile::Access::read); }), Code::not_found);
  EXPECT_NE(code_of([&] { MappedFile(folder_, MappedFile::Access::read); }), Code::failed);
  std::filesystem::create_symlink(folder_ / "there", folder_ / "link");
  EXPECT_NE(code_of([&] { MappedFile(folder_ / "link", MappedFile::Access::read); }), Code::failed);
  EXPECT_EQ(MappedFile(folder_ / "there", MappedFile::Access::read).bytes().size(), 0U);
}

}  // namespace
}  // namespace holdfast::platform
