// Chunks stored as their difference from a similar one: smaller, read back whole, safe when the base is gone.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "repository/data/data_testing.h"

namespace holdfast::repository::testing {
namespace {

class Difference : public ::testing::TestWithParam<tree::Chunking> {
 protected:
  Difference() : repository_(Parameters{}) {
    std::string pattern = "/tmp/holdfast-difference-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    folder_ = pattern;
    repository_.cache = folder_ / "cache";
    repository_.reopen();
  }
  ~Difference() override { std::filesystem::remove_all(folder_); }

  // Rows of text as a database dump or page has them: every one is different, few change.
  Bytes rows(std::size_t count) {
    Bytes bytes;
    for (std::size_t i = 0; i < count; ++i) {
      std::string row = std::to_string(random_()) + " name" + std::to_string(random_() % 1000) + " " + std::to_string(i) + '\n';
      bytes.insert(bytes.end(), row.begin(), row.end());
    }
    return bytes;
  }
  Bytes changed(Bytes bytes) {
    for (std::size_t at = 1000; at < bytes.size(); at += 30'000) bytes[at] = 'X';
    if (GetParam() == tree::Chunking::content_defined) bytes.insert(bytes.begin() + 100, 57, 'n');
    return bytes;
  }
  Model one_file(Bytes content) {
    Model model = directory();
    model.children["dump"] = file(std::move(content));
    model.children["dump"].chunking = GetParam();
    model.children["dump"].entry.name = "dump";
    return model;
  }
  std::uint64_t stored_bytes() {
    std::uint64_t total = 0;
    repository_.memory.list("pack/", [&](const store::ObjectInfo& info) { total += info.size; });
    return total;
  }

  Random random_{11};
  platform::Path folder_;
  TestRepository repository_;
};

TEST_P(Difference, AChangedFileCostsLittleAndComesBackWhole) {
  Model first = one_file(rows(200'000));
  StoredItem item = back_up(repository_, first, random_);
  const std::uint64_t whole = stored_bytes();
  Model second = one_file(changed(first.children["dump"].content));
  repository_.reopen();  // another process, the next day
  StoredItem later = back_up(repository_, second, random_);
  EXPECT_LT(stored_bytes() - whole, whole / 10);

  // Depth one: what builds on a base is never a base itself.
  Model third = one_file(changed(second.children["dump"].content));
  repository_.reopen();
  StoredItem last = back_up(repository_, third, random_);
  EXPECT_LT(stored_bytes() - whole, whole / 4);

  repository_.reopen();
  expect_equal(first, *repository_.open(item));
  expect_equal(second, *repository_.open(later));
  expect_equal(third, *repository_.open(last));
  // The point needs the packs of the bases as well: with nothing but those it can be checked and restored.
  const Published& point = repository_.published.back();
  EXPECT_TRUE(repository_.data->verify_content({*last.root}, point.needed, {}).empty());
}

TEST_P(Difference, WithoutItsBaseAChunkIsDamagedAndIsStoredAnew) {
  Model first = one_file(rows(100'000));
  back_up(repository_, first, random_);
  std::vector<std::string> bases = repository_.names("pack/");
  Model second = one_file(changed(first.children["dump"].content));
  repository_.reopen();
  StoredItem item = back_up(repository_, second, random_);
  for (const std::string& name : bases) repository_.memory.remove(name);

  repository_.reopen();
  EXPECT_EQ(code_of([&] { repository_.open(item)->child("dump")->read(0, 1000, [](std::uint64_t, ByteView) {}); }),
            Code::damaged);
  const Published point = repository_.published.back();
  EXPECT_FALSE(repository_.data->verify_content({*item.root}, point.needed, {}).empty());
  repository_.reopen();
  StoredItem again = back_up(repository_, second, random_);
  repository_.reopen();
  expect_equal(second, *repository_.open(again));
}

TEST_P(Difference, WithoutACacheEverythingIsStoredWhole) {
  repository_.cache.clear();
  repository_.reopen();
  Model first = one_file(rows(100'000));
  back_up(repository_, first, random_);
  const std::uint64_t whole = stored_bytes();
  Model second = one_file(changed(first.children["dump"].content));
  StoredItem item = back_up(repository_, second, random_);
  EXPECT_GT(stored_bytes() - whole, whole / 2);
  expect_equal(second, *repository_.open(item));
}

INSTANTIATE_TEST_SUITE_P(Chunking, Difference,
                         ::testing::Values(tree::Chunking::content_defined, tree::Chunking::fixed),
                         [](const auto& value) { return std::string(value.param == tree::Chunking::fixed ? "Fixed" : "ContentDefined"); });

}  // namespace
}  // namespace holdfast::repository::testing
