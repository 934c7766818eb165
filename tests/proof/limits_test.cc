// B4: odd names, deep paths, very many files, very large sparse files, and few file descriptors. Real folders.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iostream>

#include "base/text.h"
#include "ground.h"
#include "item/directory/directory.h"

namespace holdfast::proof {
namespace {

struct Limits : ::testing::Test {
  platform::TemporaryFolder folder;
  Path source = folder.path() / "source", target = folder.path() / "target";
  platform::World world = platform::real_world();
  platform::ManualClock clock;
  platform::SeededEntropy entropy{1};
  Cancel cancel;
  NoProgress progress;
  Findings findings;
  item::Facts facts;
  std::unique_ptr<store::ObjectStore> store;

  void SetUp() override {
    std::filesystem::create_directory(source);
    std::filesystem::create_directory(target);
    store = store::open_local_store(platform::real_file_system(), folder.path() / "repository", true);
    make_repository(context(), password());
  }
  repository::Context context() { return {*store, clock, entropy, nullptr, "a", "0.1.0", {}}; }
  item::ItemSpec spec() {
    item::ItemSpec s;
    s.name = kItem;
    s.kind = "directory";
    s.options["path"] = source.string();
    return s;
  }
  FindingSink sink() { return [this](Finding f) { findings.push_back(std::move(f)); }; }

  PointId capture() {
    auto repository = repository::open(context(), password());
    auto session = repository->begin_backup({nullptr, nullptr, 1});
    repository::PointDraft draft;
    draft.label = label_of(1);
    repository::StoredItem item;
    item.name = kItem;
    item::CaptureContext c{world, cancel, progress, sink(), facts, {}, {}, {}};
    item::DirectoryAdapter().capture(spec(), session->begin_item(kItem, nullptr), c);
    session->end_item(item);
    draft.items.push_back(std::move(item));
    return session->publish(draft);
  }
  void restore(const PointId& id) {
    auto repository = repository::open(context(), password());
    item::ApplyContext c{world, cancel, progress, sink(), {true, false}, target, true};
    item::DirectoryAdapter().apply(spec(), repository->open_item(repository->load(id), kItem), c);
  }
  // What the adapter itself finds when it reads the target again.
  void expect_same(const PointId& id) {
    auto repository = repository::open(context(), password());
    item::ItemSpec at_target = spec();
    at_target.options["path"] = target.string();
    item::CaptureContext c{world, cancel, progress, sink(), facts, {}, {}, {}};
    for (const auto& result : item::DirectoryAdapter().check(at_target, repository->open_item(repository->load(id), kItem), c))
      EXPECT_TRUE(result.passed) << result.name << ": " << result.detail;
    for (const auto& finding : findings) ADD_FAILURE() << finding.code << " " << printable(finding.object) << ": " << finding.message;
  }
  void there_and_back() {
    PointId id = capture();
    restore(id);
    expect_same(id);
  }
};

TEST_F(Limits, EveryNameThatAFileMayHave) {
  std::vector<std::string> names{"line\nend", "\xff\xfe", "CON", "aux.txt", "dot.", "space ", " space", "C:", "a\\b", "...", "-rf", "*?",
                                 "\xc3\xa9", "e\xcc\x81", std::string(255, 'n'), std::string(255, '\xff'), "\xe2\x80\xae.txt"};
  for (int byte = 1; byte < 256; ++byte)
    if (byte != '/' && byte != '.') names.push_back(std::string(1, static_cast<char>(byte)));
  for (const std::string& name : names) std::ofstream(source / name) << "content of " << name;
  std::size_t made = static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(source), {}));
  ASSERT_EQ(made, std::set<std::string>(names.begin(), names.end()).size());
  there_and_back();
  EXPECT_EQ(static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(target), {})), made);
}

TEST_F(Limits, APathLongerThanTheSystemTakesAtOnce) {
  int at = ::open(source.c_str(), O_RDONLY | O_DIRECTORY);
  const std::string name(200, 'd');
  constexpr int kDepth = 60;   // 12,060 bytes
  for (int i = 0; i < kDepth; ++i) {
    ASSERT_EQ(::mkdirat(at, name.c_str(), 0755), 0);
    int below = ::openat(at, name.c_str(), O_RDONLY | O_DIRECTORY);
    ::close(at);
    at = below;
  }
  int file = ::openat(at, "deep", O_WRONLY | O_CREAT, 0644);
  ASSERT_EQ(::write(file, "deep", 4), 4);
  ::close(file);
  ::close(at);
  there_and_back();
}

TEST_F(Limits, VeryManyFilesInAFolder) {
  const std::uint64_t files = 2'000 * factor();
  for (std::uint64_t i = 0; i < files; ++i) std::ofstream(source / ("file" + std::to_string(i))) << i;
  there_and_back();
  EXPECT_EQ(static_cast<std::uint64_t>(std::distance(std::filesystem::directory_iterator(target), {})), files);
}

TEST_F(Limits, ASparseFileOfATebibyte) {
  int file = ::open((source / "sparse").c_str(), O_RDWR | O_CREAT, 0644);
  constexpr off_t kEnd = off_t{1} << 40;
  ASSERT_EQ(::ftruncate(file, kEnd), 0);
  for (off_t position : {off_t{0}, (off_t{2} << 30) + 5, kEnd - 4}) ASSERT_EQ(::pwrite(file, "data", 4, position), 4);
  ::close(file);
  there_and_back();
  struct stat status {};
  ASSERT_EQ(::stat((target / "sparse").c_str(), &status), 0);
  EXPECT_EQ(status.st_size, kEnd);
  EXPECT_LT(status.st_blocks * 512, 1 << 20) << "its holes were filled";
}

TEST_F(Limits, ManyFoldersAndFewFileDescriptors) {
  for (int i = 0; i < 400; ++i) {
    const Path sub = source / ("folder" + std::to_string(i)) / "inside";
    std::filesystem::create_directories(sub);
    std::ofstream(sub / "file") << i;
  }
  rlimit usual{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &usual), 0);
  rlimit few = usual;
  few.rlim_cur = 48;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  PointId id = capture();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &usual), 0);
  restore(id);
  expect_same(id);
}

TEST_F(Limits, FewFileDescriptors) {
  for (int i = 0; i < 60; ++i) std::ofstream(source / ("file" + std::to_string(i))) << i;
  rlimit usual{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &usual), 0);
  // It works, or it says why and leaves nothing that counts; nothing is ever silently missing.
  std::uint64_t worked = 0, refused = 0;
  for (rlim_t limit = 3; limit < 27; limit += 2) {   // 3: standard input and output alone
    rlimit few = usual;
    few.rlim_cur = limit;
    findings.clear();
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
    std::optional<PointId> id;
    std::string said;
    try {
      id = capture();
    } catch (const Error& error) {
      said = error.what();
    }
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &usual), 0);
    if (!id) {
      ++refused;
      EXPECT_NE(said, "");
      continue;
    }
    ++worked;
    if (!findings.empty()) continue;   // files that could not be read are named: the point is known to be partial
    restore(*id);
    expect_same(*id);
  }
  std::cout << "[ B4 file descriptors ] worked " << worked << ", refused " << refused << std::endl;
  EXPECT_GT(worked, 0u);
  EXPECT_GT(refused, 0u);
}

}  // namespace
}  // namespace holdfast::proof
