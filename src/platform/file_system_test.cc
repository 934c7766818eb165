// The contract of FileSystem over every implementation; then what the twins for tests promise beyond it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <random>
#include <thread>

#include "base/error.h"
#include "base/testing.h"
#include "platform/aligned_memory.h"
#include "platform/testing.h"

namespace holdfast::platform {
namespace {

Bytes pattern(std::size_t size, std::uint64_t seed = 1) {
  std::mt19937_64 random(seed);
  Bytes bytes(size);
  for (std::uint8_t& b : bytes) b = static_cast<std::uint8_t>(random());
  return bytes;
}

// A file system and a folder in it that a test may fill.
struct Place {
  virtual ~Place() = default;
  virtual FileSystem& files() = 0;
  virtual Path root() = 0;
};

struct RealPlace final : Place {
  TemporaryFolder folder;
  FileSystem& files() override { return real_file_system(); }
  Path root() override { return folder.path(); }
};

struct MemoryPlace final : Place {
  MemoryFileSystem memory;
  FileSystem& files() override { return memory; }
  Path root() override { return "/"; }
};

struct FaultlessPlace final : Place {
  TemporaryFolder folder;
  FaultyFileSystem faulty{real_file_system()};
  FileSystem& files() override { return faulty; }
  Path root() override { return folder.path(); }
};

struct PlaceKind {
  const char* name;
  std::unique_ptr<Place> (*make)();
};

class FileSystemContract : public testing::TestWithParam<PlaceKind> {
 protected:
  std::unique_ptr<Place> place_ = GetParam().make();
  FileSystem& files_ = place_->files();
  Path root_ = place_->root();

  void write(const Path& path, ByteView content, CreateOptions options = {}) {
    auto file = files_.create(path, options);
    file->write(content);
    file->sync();
  }
};

INSTANTIATE_TEST_SUITE_P(
    Every, FileSystemContract,
    testing::Values(PlaceKind{"real", [] { return std::unique_ptr<Place>(new RealPlace); }},
                    PlaceKind{"memory", [] { return std::unique_ptr<Place>(new MemoryPlace); }},
                    PlaceKind{"faultless", [] { return std::unique_ptr<Place>(new FaultlessPlace); }}),
    [](const auto& kind) { return kind.param.name; });

TEST_P(FileSystemContract, WrittenBytesAreRead) {
  Bytes content = pattern(100'000);
  write(root_ / "a", content);
  EXPECT_EQ(files_.read_all(root_ / "a"), content);
  auto file = files_.open(root_ / "a");
  EXPECT_EQ(file->size(), content.size());
  Bytes middle(1000);
  EXPECT_EQ(file->read_at(5000, middle), 1000U);
  EXPECT_TRUE(std::equal(middle.begin(), middle.end(), content.begin() + 5000));
  EXPECT_EQ(file->read_at(99'500, middle), 500U) << "fewer bytes at the end";
  EXPECT_EQ(file->read_at(100'000, middle), 0U);
  EXPECT_EQ(file->read_at(UINT64_C(1) << 40, middle), 0U);
}

TEST_P(FileSystemContract, PastTheCacheIsTheSameFile) {
  // Sizes around what is written at once and around a disk's block; in pieces of odd sizes.
  for (std::size_t size :
       {0UL, 1UL, 4095UL, 4096UL, 4097UL, (1UL << 20) - 1, 1UL << 20, (1UL << 20) + 1, 3'000'001UL}) {
    Bytes content = pattern(size, size);
    CreateOptions options;
    options.bypass_cache = true;
    Path path = root_ / ("f" + std::to_string(size));
    {
      auto file = files_.create(path, options);
      ByteView rest = content;
      for (std::size_t piece = 1; !rest.empty(); piece = piece * 3 + 1) {
        std::size_t n = std::min(piece, rest.size());
        file->write(rest.first(n));
        rest = rest.subspan(n);
      }
      file->sync();
    }
    EXPECT_EQ(files_.read_all(path), content) << size;
  }
}

TEST_P(FileSystemContract, ReadingPastTheCacheReadsTheSameBytes) {
  for (std::size_t size : {0UL, 1UL, kBlock - 1, kBlock, kBlock + 1, 300'000UL}) {
    Bytes content = pattern(size, size);
    Path path = root_ / ("f" + std::to_string(size));
    write(path, content);
    auto file = files_.open(path, {.bypass_cache = true});
    AlignedMemory memory(16 * kBlock);
    // Places, lengths and memory that are whole blocks and that are not, also past the end.
    for (std::size_t offset : {0UL, 1UL, kBlock, 2 * kBlock + 5, 70 * kBlock, 73 * kBlock, 80 * kBlock}) {
      for (std::size_t length : {1UL, kBlock - 1, kBlock, kBlock + 1, 8 * kBlock, 15 * kBlock}) {
        for (std::size_t shift : {0UL, 3UL}) {
          MutableBytes out = memory.writable().subspan(shift, length);
          std::size_t expected = offset < size ? std::min(length, size - offset) : 0;
          ASSERT_EQ(file->read_at(offset, out), expected) << size << " " << offset << " " << length << " " << shift;
          ASSERT_TRUE(std::equal(out.begin(), out.begin() + std::ptrdiff_t(expected),
                                 content.begin() + std::ptrdiff_t(std::min(offset, size))));
        }
      }
    }
  }
}

TEST_P(FileSystemContract, PastTheCacheInWhateverMemory) {
  // Whole blocks in aligned memory, not aligned memory, and odd sizes, in any order; a sync in between now and then.
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    std::mt19937_64 random(seed);
    AlignedMemory memory(3'000'000);
    Bytes written;
    Path path = root_ / ("f" + std::to_string(seed));
    auto file = files_.create(path, {.bypass_cache = true});
    for (int piece = 0; piece < 8; ++piece) {
      std::size_t shift = random() % 3 == 0 ? random() % 5000 : 0;
      std::size_t size = random() % (memory.size() - shift);
      if (random() % 2) size = block_floor(size);
      MutableBytes part = memory.writable().subspan(shift, size);
      Bytes content = pattern(size, random());
      std::copy(content.begin(), content.end(), part.begin());
      file->write(part);
      written.insert(written.end(), content.begin(), content.end());
      if (random() % 6 == 0) file->sync();
    }
    file->sync();
    EXPECT_EQ(files_.read_all(path), written) << "seed " << seed;
  }
}

TEST_P(FileSystemContract, WritingGoesOnAfterSync) {
  for (bool bypass : {false, true}) {
    CreateOptions options;
    options.bypass_cache = bypass;
    Path path = root_ / (bypass ? "past" : "through");
    Bytes a = pattern(1'500'000, 1), b = pattern(2'000'003, 2);
    auto file = files_.create(path, options);
    file->write(a);
    file->sync();
    file->write(b);
    file->sync();
    a.insert(a.end(), b.begin(), b.end());
    EXPECT_EQ(files_.read_all(path), a);
  }
}

TEST_P(FileSystemContract, CreateRefusesWhatExistsUnlessItTruncates) {
  write(root_ / "a", as_bytes("first"));
  EXPECT_EQ(code_of([&] { files_.create(root_ / "a"); }), Code::already_exists);
  EXPECT_EQ(files_.read_all(root_ / "a"), to_bytes("first"));
  CreateOptions options;
  options.truncate = true;
  write(root_ / "a", as_bytes("2nd"), options);
  EXPECT_EQ(files_.read_all(root_ / "a"), to_bytes("2nd"));
}

TEST_P(FileSystemContract, ModesAreKept) {
  ::umask(022);
  CreateOptions options;
  options.mode = 0400;
  write(root_ / "secret", as_bytes("x"), options);
  files_.make_directory(root_ / "folder");
  files_.make_directory(root_ / "open", 0755);
  files_.append(root_ / "journal");
  EXPECT_EQ(files_.info(root_ / "secret")->mode, 0400U);
  EXPECT_EQ(files_.info(root_ / "folder")->mode, 0700U);
  EXPECT_EQ(files_.info(root_ / "open")->mode, 0755U);
  EXPECT_EQ(files_.info(root_ / "journal")->mode, 0600U);
}

TEST_P(FileSystemContract, RewritingKeepsTheModeWhateverTheMask) {
  ::umask(022);
  for (std::uint32_t mode : {0644U, 0600U, 0440U}) {
    CreateOptions options;
    options.mode = mode;
    const Path file = root_ / ("mode-" + std::to_string(mode));
    write(file, as_bytes("before"), options);
    ::umask(077);
    files_.rewrite(file, as_bytes("after"));
    ::umask(022);
    EXPECT_EQ(files_.info(file)->mode, mode);
    EXPECT_EQ(files_.read_all(file), to_bytes("after"));
  }
  EXPECT_EQ(code_of([&] { files_.rewrite(root_ / "none", as_bytes("x")); }), Code::not_found);
  EXPECT_EQ(files_.list(root_).size(), 3U) << "nothing temporary is left";
}

TEST_P(FileSystemContract, AppendGoesOnAtTheEnd) {
  files_.append(root_ / "j")->write(as_bytes("one "));
  files_.append(root_ / "j")->write(as_bytes("two"));
  EXPECT_EQ(files_.read_all(root_ / "j"), to_bytes("one two"));
}

TEST_P(FileSystemContract, RenameReplaces) {
  write(root_ / "old", as_bytes("old"));
  write(root_ / "new", as_bytes("new"));
  files_.rename(root_ / "new", root_ / "old");
  EXPECT_EQ(files_.read_all(root_ / "old"), to_bytes("new"));
  EXPECT_FALSE(files_.exists(root_ / "new"));
  EXPECT_EQ(code_of([&] { files_.rename(root_ / "new", root_ / "x"); }), Code::not_found);
  files_.make_directory(root_ / "d");
  write(root_ / "d/inside", as_bytes("i"));
  files_.rename(root_ / "d", root_ / "e");
  EXPECT_EQ(files_.read_all(root_ / "e/inside"), to_bytes("i"));
  EXPECT_EQ(code_of([&] { files_.rename(root_ / "e", root_ / "e/below"); }), Code::io);
  EXPECT_EQ(code_of([&] { files_.rename(root_ / "old", root_ / "e"); }), Code::io)
      << "a file does not replace a folder";
}

TEST_P(FileSystemContract, RemoveTakesFilesAndEmptyFolders) {
  files_.make_directory(root_ / "d");
  write(root_ / "d/a", as_bytes("a"));
  EXPECT_EQ(code_of([&] { files_.remove(root_ / "d"); }), Code::already_exists);
  files_.remove(root_ / "d/a");
  files_.remove(root_ / "d");
  EXPECT_FALSE(files_.exists(root_ / "d"));
  EXPECT_EQ(code_of([&] { files_.remove(root_ / "d"); }), Code::not_found);
}

TEST_P(FileSystemContract, WhatIsOpenStaysReadable) {
  Bytes content = pattern(1000);
  write(root_ / "a", content);
  auto file = files_.open(root_ / "a");
  write(root_ / "b", as_bytes("other"));
  files_.rename(root_ / "b", root_ / "a");
  files_.remove(root_ / "a");
  Bytes got(1000);
  EXPECT_EQ(file->read_at(0, got), 1000U);
  EXPECT_EQ(got, content);
}

TEST_P(FileSystemContract, ListIsSortedAndTellsKinds) {
  write(root_ / "b", as_bytes("12345"));
  write(root_ / "a", as_bytes(""));
  write(root_ / "C\xff", as_bytes("1"));
  files_.make_directory(root_ / "d");
  auto children = files_.list(root_);
  ASSERT_EQ(children.size(), 4U);
  EXPECT_EQ(children[0].name, "C\xff") << "names are bytes, in the order of bytes";
  EXPECT_EQ(children[1].name, "a");
  EXPECT_EQ(children[2].info.size, 5U);
  EXPECT_EQ(children[3].info.kind, FileInfo::Kind::directory);
  EXPECT_TRUE(files_.list(root_ / "d").empty());
}

TEST_P(FileSystemContract, MissingThingsAreNotFound) {
  Path missing = root_ / "no/such";
  EXPECT_FALSE(files_.info(missing));
  EXPECT_EQ(code_of([&] { files_.open(missing); }), Code::not_found);
  EXPECT_EQ(code_of([&] { files_.create(missing); }), Code::not_found);
  EXPECT_EQ(code_of([&] { files_.append(missing); }), Code::not_found);
  EXPECT_EQ(code_of([&] { files_.list(missing); }), Code::not_found);
  EXPECT_EQ(code_of([&] { files_.make_directory(missing); }), Code::not_found);
  EXPECT_EQ(code_of([&] { files_.sync_directory(missing); }), Code::not_found);
  EXPECT_EQ(code_of([&] { files_.free_bytes(missing); }), Code::not_found);
  write(root_ / "file", as_bytes("x"));
  EXPECT_FALSE(files_.info(root_ / "file/below"));
  EXPECT_EQ(code_of([&] { files_.list(root_ / "file"); }), Code::not_found);
}

TEST_P(FileSystemContract, FoldersAreNotFiles) {
  files_.make_directory(root_ / "d");
  EXPECT_EQ(code_of([&] { files_.open(root_ / "d"); }), Code::io);
  EXPECT_EQ(code_of([&] { files_.append(root_ / "d"); }), Code::io);
  EXPECT_EQ(code_of([&] { files_.create(root_ / "d"); }), Code::already_exists);
  EXPECT_EQ(code_of([&] { files_.make_directory(root_ / "d"); }), Code::already_exists);
}

TEST_P(FileSystemContract, MakeDirectoriesMakesWhatIsMissing) {
  files_.make_directories(root_ / "a/b/c");
  files_.make_directories(root_ / "a/b/c/");
  EXPECT_EQ(files_.info(root_ / "a/b/c")->kind, FileInfo::Kind::directory);
  write(root_ / "file", as_bytes("x"));
  EXPECT_EQ(code_of([&] { files_.make_directories(root_ / "file"); }), Code::already_exists);
  EXPECT_ANY_THROW(files_.make_directories(root_ / "file/below"));
}

TEST_P(FileSystemContract, ReplaceLeavesOneFile) {
  files_.replace(root_ / "a", as_bytes("first"));
  files_.replace(root_ / "a", as_bytes("second"), 0640);
  EXPECT_EQ(files_.read_all(root_ / "a"), to_bytes("second"));
  EXPECT_EQ(files_.info(root_ / "a")->mode, 0640U);
  EXPECT_EQ(files_.list(root_).size(), 1U) << "no temporary file is left";
  files_.make_directory(root_ / "d");
  EXPECT_ANY_THROW(files_.replace(root_ / "d", as_bytes("x")));
  EXPECT_EQ(files_.list(root_).size(), 2U) << "nor after a failure";
}

TEST_P(FileSystemContract, ReadAllHasALimit) {
  write(root_ / "a", pattern(1000));
  EXPECT_EQ(files_.read_all(root_ / "a", 1000).size(), 1000U);
  EXPECT_EQ(code_of([&] { files_.read_all(root_ / "a", 999); }), Code::unsupported);
}

TEST_P(FileSystemContract, StreamsAreReadToTheirEndWithinALimit) {
  Bytes content = pattern(10'000);
  write(root_ / "a", content);
  EXPECT_EQ(files_.read_stream(root_ / "a", 10'000), content);
  EXPECT_EQ(code_of([&] { files_.read_stream(root_ / "a", 9'999); }), Code::unsupported);
  EXPECT_EQ(code_of([&] { files_.read_stream(root_ / "none", 10); }), Code::not_found);
}

TEST_P(FileSystemContract, TellsWhereNamesCanBeMade) {
  EXPECT_TRUE(files_.can_write(root_));
  EXPECT_FALSE(files_.can_write(root_ / "none"));
}

TEST_P(FileSystemContract, OneHolderOfALockAtATime) {
  using std::chrono::milliseconds;
  int inside = 0, most = 0, total = 0;
  std::mutex mutex;
  auto work = [&] {
    for (int i = 0; i < 20; ++i) {
      auto held = files_.lock(root_ / "lock", milliseconds(60'000));
      std::unique_lock guard(mutex);
      most = std::max(most, ++inside);
      ++total;
      guard.unlock();
      std::this_thread::yield();
      guard.lock();
      --inside;
    }
  };
  std::thread a(work), b(work), c(work);
  a.join(), b.join(), c.join();
  EXPECT_EQ(most, 1);
  EXPECT_EQ(total, 60);
  auto held = files_.lock(root_ / "lock", milliseconds(0));
  EXPECT_EQ(code_of([&] { files_.lock(root_ / "lock", milliseconds(20)); }), Code::busy);
  held.reset();
  EXPECT_TRUE(files_.lock(root_ / "lock", milliseconds(0)));
}

TEST_P(FileSystemContract, ThreadsDoNotDisturbEachOther) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i) {
        Path path = root_ / (std::to_string(t) + "-" + std::to_string(i));
        files_.replace(path, pattern(2000, static_cast<std::uint64_t>(t * 100 + i)));
        EXPECT_EQ(files_.read_all(path), pattern(2000, static_cast<std::uint64_t>(t * 100 + i)));
      }
    });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(files_.list(root_).size(), 40U);
}

TEST(RealFileSystem, LinksAreNotFollowedWhenOpened) {
  TemporaryFolder folder;
  FileSystem& files = real_file_system();
  files.replace(folder.path() / "file", as_bytes("secret"));
  std::filesystem::create_symlink("file", folder.path() / "link");
  std::filesystem::create_symlink("nowhere", folder.path() / "dangling");
  EXPECT_ANY_THROW(files.open(folder.path() / "link"));
  EXPECT_ANY_THROW(files.append(folder.path() / "link"));
  CreateOptions truncate;
  truncate.truncate = true;
  EXPECT_ANY_THROW(files.create(folder.path() / "link", truncate));
  EXPECT_ANY_THROW(files.create(folder.path() / "dangling"));
  EXPECT_EQ(files.info(folder.path() / "link")->size, 6U);
  EXPECT_FALSE(files.info(folder.path() / "dangling"));
  EXPECT_EQ(files.list(folder.path())[2].info.kind, FileInfo::Kind::other);
  EXPECT_EQ(files.read_all(folder.path() / "file"), to_bytes("secret"));
}

TEST(RealFileSystem, FifoDoesNotHoldUsUp) {
  TemporaryFolder folder;
  ASSERT_EQ(::mkfifo((folder.path() / "fifo").c_str(), 0600), 0);
  EXPECT_EQ(code_of([&] { real_file_system().open(folder.path() / "fifo"); }), Code::io);
}

TEST(RealFileSystem, StreamsMayBeLinksAndPipes) {
  TemporaryFolder folder;
  FileSystem& files = real_file_system();
  files.replace(folder.path() / "file", as_bytes("secret"));
  std::filesystem::create_symlink("file", folder.path() / "link");
  EXPECT_EQ(files.read_stream(folder.path() / "link", 100), to_bytes("secret"));
  Path fifo = folder.path() / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  std::thread writer([&] {
    int fd = ::open(fifo.c_str(), O_WRONLY | O_CLOEXEC);
    EXPECT_EQ(::write(fd, "from a ", 7), 7);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_EQ(::write(fd, "pipe", 4), 4);
    ::close(fd);
  });
  EXPECT_EQ(files.read_stream(fifo, 100), to_bytes("from a pipe"));
  writer.join();
}

TEST(RealFileSystem, FilesWithoutASizeAreReadWhole) {
  EXPECT_GT(real_file_system().read_all("/proc/self/status").size(), 100U);
}

TEST(RealFileSystem, FullDiskIsNoSpaceAndStaysFailed) {
  // /dev/full behaves as a full disk for every write; it is opened for appending as any other file is.
  auto file = real_file_system().append("/dev/full");
  EXPECT_EQ(code_of([&] { file->write(as_bytes("x")); }), Code::no_space);
  EXPECT_EQ(code_of([&] { file->sync(); }), Code::io) << "after a failed write nothing is durable";
}

TEST(MemoryFileSystem, LosesWhatWasNotSynced) {
  MemoryFileSystem files;
  auto durable = files.create("/durable");
  durable->write(as_bytes("kept"));
  durable->sync();
  durable->write(as_bytes(" lost"));
  files.create("/empty")->write(as_bytes("name synced, content not"));
  files.sync_directory("/");
  files.create("/nameless")->sync();
  files.rename("/durable", "/renamed");
  EXPECT_EQ(files.read_all("/renamed"), to_bytes("kept lost"));
  auto reader = files.open("/renamed");

  files.lose_unsynced();
  EXPECT_EQ(files.read_all("/durable"), to_bytes("kept"));
  EXPECT_EQ(files.read_all("/empty"), Bytes{});
  EXPECT_EQ(files.list("/").size(), 2U);
  EXPECT_EQ(code_of([&] { durable->write(as_bytes("x")); }), Code::io);
  EXPECT_EQ(code_of([&] { durable->sync(); }), Code::io);
  Bytes out(1);
  EXPECT_EQ(code_of([&] { reader->read_at(0, out); }), Code::io);
}

TEST(MemoryFileSystem, TruncationIsNotDurableBeforeSync) {
  MemoryFileSystem files;
  files.replace("/a", as_bytes("before"));
  CreateOptions truncate;
  truncate.truncate = true;
  files.create("/a", truncate)->write(as_bytes("after"));
  files.lose_unsynced();
  EXPECT_EQ(files.read_all("/a"), to_bytes("before"));
  auto file = files.create("/a", truncate);
  file->write(as_bytes("after"));
  file->sync();
  files.lose_unsynced();
  EXPECT_EQ(files.read_all("/a"), to_bytes("after"));
}

TEST(MemoryFileSystem, RenameIntoASyncedFolderIsWhole) {
  MemoryFileSystem files;
  files.make_directories("/tmp");
  files.make_directories("/final");
  auto file = files.create("/tmp/x");
  file->write(as_bytes("content"));
  file->sync();
  files.rename("/tmp/x", "/final/x");
  files.sync_directory("/final");
  files.sync_directory("/tmp");
  files.lose_unsynced();
  EXPECT_EQ(files.read_all("/final/x"), to_bytes("content"));
  EXPECT_TRUE(files.list("/tmp").empty());
}

TEST(MemoryFileSystem, ReplaceSurvivesAnyLossOldOrNew) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    MemoryFileSystem memory;
    FaultyFileSystem files(memory);
    files.replace("/a", as_bytes("old content"));
    files.reset();
    files.fail(1 + seed % 8, FaultyFileSystem::Repeat::from_then_on, EIO);
    bool acknowledged = true;
    try {
      files.replace("/a", as_bytes("new"));
    } catch (const Error&) {
      acknowledged = false;
    }
    memory.lose_unsynced(seed);
    std::string got = to_text(memory.read_all("/a"));
    EXPECT_TRUE(got == "new" || (!acknowledged && got == "old content")) << "seed " << seed << ": " << got;
  }
}

TEST(MemoryFileSystem, SeededLossKeepsSomeAndTearsSome) {
  int kept = 0, torn = 0, lost = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    MemoryFileSystem files;
    Bytes content = pattern(5000);
    auto file = files.create("/a");
    file->write(ByteView(content).first(1000));
    file->sync();
    file->write(ByteView(content).subspan(1000));
    files.lose_unsynced(seed);
    if (!files.exists("/a")) {
      ++lost;
      continue;
    }
    Bytes got = files.read_all("/a");
    ASSERT_GE(got.size(), 1000U) << "what was synced is there, seed " << seed;
    ASSERT_TRUE(std::equal(content.begin(), content.begin() + 1000, got.begin())) << "seed " << seed;
    ++(got.size() == content.size() ? kept : torn);
  }
  EXPECT_GT(lost, 20);
  EXPECT_GT(torn, 20);
}

TEST(FaultyFileSystem, FailsTheCallThatWasAskedFor) {
  MemoryFileSystem memory;
  FaultyFileSystem files(memory);
  files.replace("/a", as_bytes("x"));
  EXPECT_EQ(files.calls(), 5U) << "create, write, sync, rename, sync of the folder";
  files.reset();
  files.fail(2, FaultyFileSystem::Repeat::once, ENOSPC, FileCall::info);
  files.info("/a");
  files.list("/");
  EXPECT_EQ(code_of([&] { files.info("/a"); }), Code::no_space);
  EXPECT_TRUE(files.info("/a"));
  files.kill(1);
  EXPECT_THROW(files.info("/a"), Killed);
  EXPECT_THROW(files.list("/"), Killed);
  files.reset();
  EXPECT_EQ(files.calls(), 0U);
  EXPECT_TRUE(files.info("/a"));
}

TEST(FaultyFileSystem, DiskOfAGivenSize) {
  MemoryFileSystem memory;
  FaultyFileSystem files(memory);
  files.set_budget(100);
  EXPECT_EQ(files.free_bytes("/"), 100U);
  files.create("/a")->write(pattern(80));
  EXPECT_EQ(code_of([&] { files.create("/b")->write(pattern(80)); }), Code::no_space);
  EXPECT_EQ(files.info("/b")->size, 20U) << "what fitted was written";
  files.remove("/b");
  files.remove("/a");
  EXPECT_NO_THROW(files.create("/c")->write(pattern(100)));
}

}  // namespace
}  // namespace holdfast::platform
