#include "repository/data/large_list.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "repository/data/data_testing.h"

namespace holdfast::repository {
namespace {

namespace fs = std::filesystem;

struct Item {
  std::uint64_t number = 0;
  std::uint8_t more[41] = {};
  auto operator<=>(const Item&) const = default;
};

// The system's temporary folder is `folder` for as long as it exists.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const fs::path& folder) { ::setenv("TMPDIR", folder.c_str(), 1); }
  ~TemporaryFolder() { ::setenv("TMPDIR", before_.c_str(), 1); }

 private:
  const fs::path before_ = fs::temp_directory_path();
};

void compare_with_vector(testing::Random& random) {
  for (std::size_t size : {std::size_t{0}, std::size_t{1}, random() % 1000, 21'845 + random() % 3, random() % 200'000}) {
    LargeList<Item> list;
    std::vector<Item> model;
    auto add = [&](const Item& item) {
      model.push_back(item);
      list.push_back(item);
    };
    for (std::size_t i = 0; i < size; ++i) {
      Item item{random() % 100'000, {}};
      item.more[40] = static_cast<std::uint8_t>(random());
      add(item);
      if (random() % 50 == 0) list.push_back(list[random() % list.size()]), model.push_back(*(list.end() - 1));
    }
    ASSERT_TRUE(std::equal(list.begin(), list.end(), model.begin(), model.end()));
    std::sort(list.begin(), list.end());
    std::sort(model.begin(), model.end());
    auto kept = static_cast<std::size_t>(std::unique(list.begin(), list.end()) - list.begin());
    list.shorten(kept);
    model.erase(std::unique(model.begin(), model.end()), model.end());
    for (std::size_t i = 0; i < size / 2; ++i) add({random(), {}});
    ASSERT_EQ(list.size(), model.size());
    ASSERT_EQ(list.empty(), model.empty());
    for (std::size_t i = 0; i < model.size(); ++i) ASSERT_EQ(list[i], model[i]);
  }
}

TEST(LargeList, IsTheVector) {
  const std::uint64_t seed = std::random_device{}();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  testing::Random random(seed);
  for (int round = 0; round < 5; ++round) compare_with_vector(random);
}

TEST(LargeList, NeedsNoRoomForFiles) {
  std::string pattern = (fs::temp_directory_path() / "holdfast-list-XXXXXX").string();
  ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
  const fs::path folder = pattern;
  std::ofstream(folder / "file") << "x";
  testing::Random random(5);
  for (const char* name : {"file", "none"}) {
    TemporaryFolder temporary(folder / name);
    compare_with_vector(random);
  }
  {
    TemporaryFolder temporary(folder);
    compare_with_vector(random);
    EXPECT_EQ(std::distance(fs::directory_iterator(folder), fs::directory_iterator()), 1) << "leaves nothing behind";
  }
  fs::remove_all(folder);
}

}  // namespace
}  // namespace holdfast::repository
