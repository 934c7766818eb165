// What a folder promises beyond the contract of every store: its layout, and that nothing is lost whatever
// fails.
#include "store/local_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <utime.h>

#include <cerrno>
#include <iostream>
#include <random>

#include "base/error.h"
#include "platform/process.h"
#include "platform/testing.h"
#include "store/open_store.h"
#include "store/testing.h"

namespace holdfast::store {
namespace {

using platform::FaultyFileSystem;
using platform::MemoryFileSystem;
using platform::Path;
using platform::real_file_system;
using platform::TemporaryFolder;
using Repeat = FaultyFileSystem::Repeat;

const std::string kPackName = "pack/" + std::string(62, 'a') + "07";
const std::string kSlotName = "slot/" + std::string(64, 'b');
const std::string kRecordName = "record/" + std::string(32, 'c') + "/0000000001-" + std::string(64, 'd');

Bytes content_of(const std::string& name, std::size_t size = 3000) {
  std::mt19937_64 random(std::hash<std::string>{}(name));
  Bytes bytes(size);
  for (std::uint8_t& b : bytes) b = static_cast<std::uint8_t>(random());
  return bytes;
}

std::vector<std::string> listed(ObjectStore& store) {
  std::vector<std::string> names;
  store.list("", [&](const ObjectInfo& o) { names.push_back(o.name); });
  std::sort(names.begin(), names.end());
  return names;
}

Error error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& e) {
    return e;
  }
  ADD_FAILURE() << "no error";
  return Error(Code::defect, "no error");
}

std::uint32_t mode_of(const Path& path) {
  struct stat s {};
  EXPECT_EQ(::stat(path.c_str(), &s), 0) << path;
  return s.st_mode & 07777U;
}

TEST(LocalStore, LayoutIsThatOfTheFormat) {
  TemporaryFolder folder;
  Path root = folder.path() / "new/ns01";
  auto store = open_local_store(real_file_system(), root, true);
  for (const std::string& name : {kPackName, kSlotName, kRecordName}) store->put(name, content_of(name));
  EXPECT_EQ(real_file_system().read_all(root / "pack/aa" / kPackName.substr(5)), content_of(kPackName));
  EXPECT_EQ(real_file_system().read_all(root / kSlotName), content_of(kSlotName));
  EXPECT_EQ(real_file_system().read_all(root / kRecordName), content_of(kRecordName));
  EXPECT_TRUE(real_file_system().list(root / "tmp").empty());
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path()))
    EXPECT_EQ(mode_of(entry.path()), entry.is_directory() ? 0700U : 0600U) << entry.path();
  EXPECT_EQ(store->location(), root.native());
  EXPECT_GT(store->free_bytes().value(), 0U);
}

TEST(LocalStore, TheCheckOfTheFormatPageWorksOnIt) {
  TemporaryFolder folder;
  auto store = open_local_store(real_file_system(), folder.path(), true);
  std::string hash = platform::real_process_runner()
                         .run({"sh", "-c", "printf good | sha256sum | cut -c1-64 | tr -d '\\n'"})
                         .output;
  store->put("pack/" + hash, as_bytes("good"));
  store->put("record/" + std::string(32, 'a') + "/0000000001-" + hash, as_bytes("good"));
  store->put(kSlotName, as_bytes("not its hash"));
  platform::ProcessOptions options;
  options.directory = folder.path().native();
  auto result = platform::real_process_runner().run(
      {"sh", "-c",
       "find . -type f ! -path './tmp/*' | while read -r f; do n=$(basename \"$f\"); "
       "[ \"$(sha256sum < \"$f\" | cut -c1-64)\" = \"${n##*-}\" ] || echo \"damaged: $f\"; done"},
      options);
  EXPECT_EQ(result.output, "damaged: ./" + kSlotName + "\n");
}

TEST(LocalStore, ForeignFilesAreNotObjects) {
  TemporaryFolder folder;
  auto store = open_local_store(real_file_system(), folder.path(), true);
  store->put(kPackName, as_bytes("x"));
  std::string hash = kPackName.substr(5);
  for (const char* d : {"lost+found", "pack/bb", "pack/zz", "notes", "tmp/deep"})
    std::filesystem::create_directories(folder.path() / d);
  for (Path path : {Path("README"), Path("single"), Path("lost+found/x"), Path("pack/bb") / hash,
                    Path("pack") / hash, Path("pack/zz/short"), Path("slot.bak"), Path("tmp/unfinished"),
                    Path("tmp/deep/slot"), Path(".hidden")})
    real_file_system().create(folder.path() / path);
  EXPECT_EQ(listed(*store), std::vector<std::string>{kPackName});
  EXPECT_ANY_THROW(store->put("tmp/x", as_bytes("x")));
  EXPECT_ANY_THROW(store->put("pack/short", as_bytes("x")));
}

TEST(LocalStore, PacksMayLieOnAnotherDiskBehindALink) {
  TemporaryFolder folder, elsewhere;
  std::filesystem::create_directory_symlink(elsewhere.path(), folder.path() / "pack");
  auto store = open_local_store(real_file_system(), folder.path(), false);
  // Renaming into it works only in the same file system, which two folders under /tmp share.
  store->put(kPackName, as_bytes("x"));
  EXPECT_EQ(listed(*store), std::vector<std::string>{kPackName});
  EXPECT_TRUE(std::filesystem::exists(elsewhere.path() / "aa"));
}

TEST(LocalStore, OldUnfinishedFilesAreRemovedByTheFirstPut) {
  TemporaryFolder folder;
  std::filesystem::create_directory(folder.path() / "tmp");
  auto make = [&](const char* name, long hours) {
    Path path = folder.path() / "tmp" / name;
    real_file_system().create(path);
    utimbuf times{::time(nullptr) - hours * 3600, ::time(nullptr) - hours * 3600};
    ASSERT_EQ(::utime(path.c_str(), &times), 0);
  };
  make("old", 73);
  make("young", 71);
  auto store = open_local_store(real_file_system(), folder.path(), false);
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "tmp/old")) << "reading changes nothing";
  store->put(kSlotName, as_bytes("x"));
  auto left = real_file_system().list(folder.path() / "tmp");
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].name, "young");
}

TEST(LocalStore, ReadingChangesNothing) {
  TemporaryFolder folder;
  open_local_store(real_file_system(), folder.path(), true)->put(kSlotName, as_bytes("x"));
  std::filesystem::remove(folder.path() / "tmp");
  auto store = open_local_store(real_file_system(), folder.path(), false);
  EXPECT_EQ(listed(*store).size(), 1U);
  store->get(kSlotName, 10);
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "tmp"));
}

TEST(LocalStore, WrongLocations) {
  TemporaryFolder folder;
  auto& files = real_file_system();
  files.replace(folder.path() / "file", as_bytes("x"));
  std::string file = (folder.path() / "file").native();
  EXPECT_EQ(error_of([&] { open_store(files, file, false); }).code(), Code::usage);
  EXPECT_EQ(error_of([&] { open_store(files, file, true); }).code(), Code::usage);
  EXPECT_NE(error_of([&] { open_store(files, file, false); }).message().find(file), std::string::npos);
  EXPECT_EQ(error_of([&] { open_store(files, folder.path() / "none", false); }).code(), Code::not_found);
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "none"));
  EXPECT_EQ(error_of([&] { open_store(files, "", true); }).code(), Code::usage);
  EXPECT_EQ(error_of([&] { open_store(files, "s3:https://host/bucket", true); }).code(), Code::unsupported);
  EXPECT_EQ(error_of([&] { open_store(files, "sftp://host/folder", true); }).code(), Code::unsupported);
  EXPECT_NO_THROW(open_store(files, folder.path() / "with:colon", true));
}

TEST(LocalStore, TellsWhetherOthersMayLook) {
  TemporaryFolder folder;
  Path root = folder.path() / "r";
  open_local_store(real_file_system(), root, true);
  EXPECT_FALSE(open_to_others(real_file_system(), root));
  ::chmod(root.c_str(), 0750);
  EXPECT_TRUE(open_to_others(real_file_system(), root));
  EXPECT_FALSE(open_to_others(real_file_system(), folder.path() / "none"));
}

TEST(LocalStore, NothingIsMadeWhereTheDiskWas) {
  TemporaryFolder folder;
  Path root = folder.path() / "mounted";
  auto store = open_local_store(real_file_system(), root, true);
  store->put(kSlotName, as_bytes("x"));
  std::filesystem::rename(root, folder.path() / "unmounted");
  Bytes out(1);
  EXPECT_EQ(error_of([&] { store->put(kPackName, as_bytes("x")); }).code(), Code::unavailable);
  EXPECT_EQ(error_of([&] { store->get(kSlotName, 10); }).code(), Code::unavailable);
  EXPECT_EQ(error_of([&] { store->info(kSlotName); }).code(), Code::unavailable);
  EXPECT_EQ(error_of([&] { listed(*store); }).code(), Code::unavailable)
      << "and is not taken for an empty store";
  std::filesystem::create_directory(root);
  EXPECT_EQ(error_of([&] { store->put(kPackName, as_bytes("x")); }).code(), Code::unavailable)
      << "an empty mount point";
  EXPECT_TRUE(std::filesystem::is_empty(root));
}

TEST(LocalStore, AnotherFileSystemUnderTheSameNameIsNotTheStore) {
  TemporaryFolder folder;
  Path root = folder.path() / "r";
  auto store = open_local_store(real_file_system(), root, true);
  store->put(kSlotName, as_bytes("x"));
  std::filesystem::remove_all(root);
  std::filesystem::create_directory_symlink("/dev", root);
  EXPECT_EQ(error_of([&] { listed(*store); }).code(), Code::unavailable);
}

TEST(LocalStore, FullDiskSaysWhatIsSafe) {
  MemoryFileSystem memory;
  FaultyFileSystem files(memory);
  auto store = open_local_store(files, "/r", true);
  store->put(kSlotName, content_of(kSlotName));
  files.set_budget(1000);
  Error e = error_of([&] { store->put(kPackName, content_of(kPackName)); });
  EXPECT_EQ(e.code(), Code::no_space);
  EXPECT_EQ(e.safe(), "earlier recovery points are whole");
  EXPECT_FALSE(e.hint().empty());
  EXPECT_NE(e.message().find("/r"), std::string::npos);
  EXPECT_EQ(listed(*store), std::vector<std::string>{kSlotName});
  EXPECT_TRUE(memory.list("/r/tmp").empty()) << "what was half written gives its room back";
  files.set_budget(10'000);
  store->put(kPackName, content_of(kPackName));
  EXPECT_EQ(store->get(kPackName, 10'000), content_of(kPackName));
}

TEST(LocalStore, ADamagedObjectIsReplacedByTheNextPut) {
  TemporaryFolder folder;
  auto store = open_local_store(real_file_system(), folder.path(), true);
  for (const auto& [name, file] : {std::pair{kSlotName, folder.path() / kSlotName},
                                   {kPackName, folder.path() / "pack/aa" / kPackName.substr(5)}}) {
    Bytes content = content_of(name, 700'000);
    store->put(name, content);
    Bytes damaged = content;
    damaged[600'000] ^= 4;
    real_file_system().create(file, {.mode = 0600, .truncate = true, .bypass_cache = false})->write(damaged);
    ASSERT_EQ(store->get(name, 1'000'000), damaged);
    store->put(name, content);
    EXPECT_EQ(store->get(name, 1'000'000), content);
    auto written = std::filesystem::last_write_time(file);
    store->put(name, content);
    EXPECT_EQ(std::filesystem::last_write_time(file), written) << "a whole one is left as it is";
  }
}

TEST(LocalStore, ManyHandlesAreNotKept) {
  TemporaryFolder folder;
  auto store = open_local_store(real_file_system(), folder.path(), true);
  auto open_files = [] { return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}); };
  auto before = open_files();
  Bytes out(1);
  for (int i = 0; i < 100; ++i) {
    std::string name = "slot/" + std::to_string(i);
    store->put(name, as_bytes("x"));
    store->get_range(name, 0, out);
  }
  EXPECT_LE(open_files() - before, 33);
}

TEST(LocalStore, WhatIsNotSyncedIsNobodysAndGoesWithTheStore) {
  TemporaryFolder folder;
  auto store = open_local_store(real_file_system(), folder.path(), true);
  store->put_unsynced(kPackName, as_bytes("x"));
  auto other = open_local_store(real_file_system(), folder.path(), false);
  EXPECT_TRUE(listed(*other).empty());
  EXPECT_FALSE(other->info(kPackName));
  EXPECT_EQ(real_file_system().list(folder.path() / "tmp").size(), 1U);
  store.reset();
  EXPECT_TRUE(real_file_system().list(folder.path() / "tmp").empty());
  EXPECT_TRUE(listed(*other).empty());
}

// An application may have 1,024 files open.
TEST(LocalStore, OnlySoMuchIsNotSynced) {
  TemporaryFolder folder;
  auto store = open_local_store(real_file_system(), folder.path(), true);
  for (int i = 0; i < 300; ++i) store->put_unsynced("slot/" + std::to_string(i), as_bytes("x"));
  EXPECT_LE(real_file_system().list(folder.path() / "tmp").size(), 128U);
  store->sync();
  EXPECT_EQ(listed(*open_local_store(real_file_system(), folder.path(), false)).size(), 300U);
}

// What every run of the fault tests does: an object that was there before, then three puts of the three
// layouts.
const std::vector<std::string> kPuts{kPackName, kSlotName, kRecordName};
const std::string kEarlier = "slot/earlier";

// Then two packs, which are made durable together.
const std::vector<std::string> kUnsynced{"pack/" + std::string(64, 'b'), "pack/" + std::string(64, 'c')};
const std::vector<std::string> kAll{kPuts[0], kPuts[1], kPuts[2], kUnsynced[0], kUnsynced[1]};

struct Attempt {
  std::vector<std::string> acknowledged;
};

Attempt put_all(platform::FileSystem& files) {
  Attempt attempt;
  try {
    auto store = open_local_store(files, "/backup/ns01", true);
    for (const std::string& name : kPuts) {
      try {
        store->put(name, content_of(name));
        attempt.acknowledged.push_back(name);
      } catch (const Error&) {
        // The next put must not be harmed by it.
      }
    }
    std::vector<std::string> unsynced;
    for (const std::string& name : kUnsynced) {
      try {
        store->put_unsynced(name, content_of(name));
        unsynced.push_back(name);
      } catch (const Error&) {
      }
    }
    try {
      store->sync();
      attempt.acknowledged.insert(attempt.acknowledged.end(), unsynced.begin(), unsynced.end());
    } catch (const Error&) {
    }
  } catch (const Error&) {
    // Not even opened.
  } catch (const platform::Killed&) {
    // As if the program had ended here.
  }
  return attempt;
}

void prepare(platform::FileSystem& files) {
  open_local_store(files, "/backup/ns01", true)->put(kEarlier, content_of(kEarlier));
}

// Acknowledged objects are there and whole, the others absent or whole, and a new run finishes the work.
void expect_whole(MemoryFileSystem& files, const Attempt& attempt, const std::string& what,
                  bool had_earlier) {
  SCOPED_TRACE(what);
  auto store = open_local_store(files, "/backup/ns01", true);
  std::set<std::string> expected;
  if (had_earlier) expected.insert(kEarlier);
  expected.insert(attempt.acknowledged.begin(), attempt.acknowledged.end());
  std::vector<std::string> names = listed(*store);
  for (const std::string& name : expected)
    EXPECT_TRUE(std::binary_search(names.begin(), names.end(), name)) << "lost: " << name;
  for (const std::string& name : names)
    EXPECT_EQ(store->get(name, 1 << 20), content_of(name)) << "torn: " << name;
  Attempt again = put_all(files);
  EXPECT_EQ(again.acknowledged, kAll) << "the next run goes on";
  // What it found already there counts as put by it: it must be durable, too.
  files.lose_unsynced();
  store = open_local_store(files, "/backup/ns01", false);
  for (const std::string& name : kAll) EXPECT_EQ(store->get(name, 1 << 20), content_of(name));
}

std::uint64_t calls_of_a_run(bool with_earlier) {
  MemoryFileSystem memory;
  if (with_earlier) prepare(memory);
  FaultyFileSystem files(memory);
  EXPECT_EQ(put_all(files).acknowledged, kAll);
  return files.calls();
}

void expect_all_run(const char* what, std::uint64_t counted, std::uint64_t runs) {
  std::cout << what << ": calls counted " << counted << ", runs " << runs << "\n";
  EXPECT_GE(counted, 20U) << "a run makes fewer calls than three puts can need";
  EXPECT_EQ(runs, counted);
}

TEST(LocalStoreFaults, EveryCallFailsOnce) {
  for (int number : {EIO, ENOSPC}) {
    std::uint64_t counted = calls_of_a_run(true), runs = 0;
    for (std::uint64_t n = 1; n <= counted; ++n, ++runs) {
      MemoryFileSystem memory;
      prepare(memory);
      FaultyFileSystem files(memory);
      files.fail(n, Repeat::once, number);
      Attempt attempt = put_all(files);
      memory.lose_unsynced();
      expect_whole(memory, attempt, "call " + std::to_string(n) + " fails once, later the power goes", true);
      EXPECT_LE(memory.list("/backup/ns01/tmp").size(), 1U) << "what failed is removed, unless its removal failed";
    }
    expect_all_run("fails once", counted, runs);
  }
}

TEST(LocalStoreFaults, EveryCallFailsFromThenOn) {
  std::uint64_t counted = calls_of_a_run(true), runs = 0;
  for (std::uint64_t n = 1; n <= counted; ++n, ++runs) {
    MemoryFileSystem memory;
    prepare(memory);
    FaultyFileSystem files(memory);
    files.fail(n, Repeat::from_then_on, EIO);
    Attempt attempt = put_all(files);
    EXPECT_LT(attempt.acknowledged.size(), kAll.size());
    expect_whole(memory, attempt, "from call " + std::to_string(n) + " on everything fails", true);
  }
  expect_all_run("fails from then on", counted, runs);
}

TEST(LocalStoreFaults, KilledAtEveryCall) {
  for (bool with_earlier : {true, false}) {
    std::uint64_t counted = calls_of_a_run(with_earlier), runs = 0;
    for (std::uint64_t n = 1; n <= counted; ++n, ++runs) {
      MemoryFileSystem memory;
      if (with_earlier) prepare(memory);
      FaultyFileSystem files(memory);
      files.kill(n);
      Attempt attempt = put_all(files);
      expect_whole(memory, attempt, "killed at call " + std::to_string(n), with_earlier);
    }
    expect_all_run("killed", counted, runs);
  }
}

TEST(LocalStoreFaults, PowerGoesAfterEveryCall) {
  // Without a seed nothing survives that was not synced; with one some of it does, torn.
  for (bool with_earlier : {true, false}) {
    std::uint64_t counted = calls_of_a_run(with_earlier), runs = 0;
    for (std::uint64_t n = 1; n <= counted; ++n, ++runs) {
      for (std::uint64_t seed = 0; seed < 8; ++seed) {
        MemoryFileSystem memory;
        if (with_earlier) prepare(memory);
        FaultyFileSystem files(memory);
        files.kill(n + 1);
        Attempt attempt = put_all(files);
        memory.lose_unsynced(seed == 0 ? std::nullopt : std::optional(seed));
        expect_whole(memory, attempt,
                     "power gone after call " + std::to_string(n) + ", seed " + std::to_string(seed),
                     with_earlier);
      }
    }
    expect_all_run("power gone", counted, runs);
  }
}

// Killed anywhere; the next run sees what is there and builds on it; then the power goes.
TEST(LocalStoreFaults, WhatAnotherRunSawIsNotTakenBack) {
  std::uint64_t counted = calls_of_a_run(false), runs = 0, seen = 0;
  for (std::uint64_t n = 1; n <= counted; ++n, ++runs) {
    MemoryFileSystem memory;
    FaultyFileSystem files(memory);
    files.kill(n);
    put_all(files);
    std::vector<std::string> there = listed(*open_local_store(memory, "/backup/ns01", true));
    auto store = open_local_store(memory, "/backup/ns01", true);
    for (const std::string& name : there)
      if (name.starts_with("pack/")) store->list(name, [](const ObjectInfo&) {});
    memory.lose_unsynced();
    store = open_local_store(memory, "/backup/ns01", true);
    EXPECT_EQ(listed(*store), there) << "killed at call " << n;
    seen += there.size();
  }
  EXPECT_GT(seen, counted);
  expect_all_run("killed, seen, power gone", counted, runs);
}

TEST(LocalStoreFaults, DiskOfEverySizeRefusesOrKeeps) {
  for (std::uint64_t budget = 0; budget <= 15200; budget += 100) {
    MemoryFileSystem memory;
    prepare(memory);
    FaultyFileSystem files(memory);
    files.set_budget(budget);
    Attempt attempt = put_all(files);
    EXPECT_EQ(attempt.acknowledged.size(), std::min<std::uint64_t>(kAll.size(), budget / 3000));
    expect_whole(memory, attempt, "disk of " + std::to_string(budget) + " bytes", true);
  }
}

TEST(LocalStoreFaults, RemovedSlotsStayRemoved) {
  MemoryFileSystem memory;
  prepare(memory);
  auto store = open_local_store(memory, "/backup/ns01", false);
  store->remove(kEarlier);
  memory.lose_unsynced();
  EXPECT_TRUE(listed(*open_local_store(memory, "/backup/ns01", false)).empty());
}

}  // namespace
}  // namespace holdfast::store
