// A1, B1, B2 of a restore: every system call that changes the target folder is the last one, or fails. A real folder.
//
// The linker puts the functions below in front of libc's (CMakeLists.txt, --wrap). A killed run is a child process.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <fstream>
#include <iostream>

#include "ground.h"
#include "item/directory/directory.h"

namespace {

enum class Act { nothing, count, fail_once, fail_from_then_on, die };
std::atomic<Act> act{Act::nothing};
std::atomic<std::uint64_t> counter{0}, wanted{0};
std::atomic<int> error_number{0};
constexpr int kDied = 77;

// Whether this call is to fail.
bool strikes() {
  Act now = act;
  if (now == Act::nothing) return false;
  std::uint64_t n = ++counter;
  if (now == Act::die && n >= wanted) _exit(kDied);
  bool hit = (now == Act::fail_once && n == wanted) || (now == Act::fail_from_then_on && n >= wanted);
  if (hit) errno = error_number;
  return hit;
}

}  // namespace

// One for each call by which platform/ changes what is below a folder.
#define HOLDFAST_WRAP(result, name, parameters, arguments) \
  extern "C" result __real_##name parameters;              \
  extern "C" result __wrap_##name parameters { return strikes() ? -1 : __real_##name arguments; }

HOLDFAST_WRAP(ssize_t, pwrite, (int fd, const void* bytes, size_t size, off_t at), (fd, bytes, size, at))
HOLDFAST_WRAP(int, ftruncate, (int fd, off_t size), (fd, size))
HOLDFAST_WRAP(int, fsync, (int fd), (fd))
HOLDFAST_WRAP(int, syncfs, (int fd), (fd))
HOLDFAST_WRAP(int, renameat, (int from, const char* a, int to, const char* b), (from, a, to, b))
HOLDFAST_WRAP(int, mkdirat, (int at, const char* path, mode_t mode), (at, path, mode))
HOLDFAST_WRAP(int, symlinkat, (const char* target, int at, const char* path), (target, at, path))
HOLDFAST_WRAP(int, linkat, (int from, const char* a, int to, const char* b, int flags), (from, a, to, b, flags))
HOLDFAST_WRAP(int, unlinkat, (int at, const char* path, int flags), (at, path, flags))
HOLDFAST_WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode))
HOLDFAST_WRAP(int, fchownat, (int at, const char* path, uid_t u, gid_t g, int flags), (at, path, u, g, flags))
HOLDFAST_WRAP(int, utimensat, (int at, const char* path, const timespec* times, int flags), (at, path, times, flags))
HOLDFAST_WRAP(int, futimens, (int fd, const timespec* times), (fd, times))

namespace holdfast::proof {
namespace {

// A point of version 1, and a target folder: empty, or with version 2 in it.
struct Restore : ::testing::TestWithParam<bool> {
  static Repository& repository() {
    static Machine machine(1);
    static store::MemoryStore store;
    static std::unique_ptr<Repository> made = [] {
      repository::Context context{store, machine.clock, machine.entropy, nullptr, "a", "0.1.0", {}};
      make_repository(context, password());
      auto r = repository::open(context, password());
      back_up(*r, machine.clock, 2);
      back_up(*r, machine.clock, 1);
      return r;
    }();
    return *made;
  }

  platform::TemporaryFolder folder;
  Path target = folder.path() / "target";
  platform::World world = platform::real_world();
  Cancel cancel;
  NoProgress progress;
  Findings findings;

  // nullopt: done.
  std::optional<Code> restore(unsigned n) {
    for (const auto& point : repository().points()) {
      if (point.label != label_of(n)) continue;
      item::ApplyContext context{world, cancel, progress, [this](Finding f) { findings.push_back(std::move(f)); }, {true, false}, target, true};
      item::ItemSpec spec;
      spec.name = kItem;
      spec.kind = "directory";
      spec.options["path"] = target.string();
      try {
        item::DirectoryAdapter().apply(spec, repository().open_item(repository().load(point.id), kItem), context);
        return std::nullopt;
      } catch (const Error& error) {
        return error.code();
      }
    }
    return Code::defect;
  }

  void prepare() {
    act = Act::nothing;
    std::filesystem::remove_all(target);
    std::filesystem::create_directory(target);
    std::ofstream(folder.path() / "neighbour") << "untouched";
    if (GetParam()) {
      ASSERT_FALSE(restore(2));
    }
  }

  std::uint64_t changes() {
    prepare();
    counter = 0;
    act = Act::count;
    EXPECT_FALSE(restore(1));
    act = Act::nothing;
    return counter;
  }

  // Each name of version 1: absent, whole, or still as it was. `done`: all are there, and nothing half made is.
  void expect_whole_or_as_before(const Model& now, const Model* before, const Path& path, bool done) {
    for (const auto& [name, child] : now.children) {
      Path at = path / name;
      const Model* old = nullptr;
      if (before != nullptr) {
        auto it = before->children.find(name);
        if (it != before->children.end()) old = &it->second;
      }
      std::error_code none;
      auto status = std::filesystem::symlink_status(at, none);
      if (!std::filesystem::exists(status)) {
        EXPECT_TRUE(!done && old == nullptr) << at << " is not there";
      } else if (child.entry.kind == tree::Kind::directory) {
        expect_whole_or_as_before(child, old, at, done);
      } else if (child.entry.kind == tree::Kind::symlink) {
        EXPECT_EQ(std::filesystem::read_symlink(at), child.entry.target);
      } else {
        Bytes content = platform::real_file_system().read_all(at);
        bool whole = content == flat(child), as_before = old != nullptr && content == flat(*old);
        EXPECT_TRUE(whole || (!done && as_before)) << at << " is neither what it was nor what it should be";
      }
    }
    if (!done) return;
    for (const auto& entry : std::filesystem::directory_iterator(path))
      EXPECT_FALSE(platform::is_temporary_name(entry.path().filename())) << entry.path();
  }

  // With the holes of a sparse file.
  static Bytes flat(const Model& file) {
    if (!file.entry.sparse) return file.content;
    Bytes all(static_cast<std::size_t>(file.entry.size));
    std::size_t from = 0;
    for (const auto& extent : file.entry.extents) {
      std::copy_n(file.content.begin() + static_cast<std::ptrdiff_t>(from), extent.length, all.begin() + static_cast<std::ptrdiff_t>(extent.offset));
      from += static_cast<std::size_t>(extent.length);
    }
    return all;
  }

  void expect_survived() {
    act = Act::nothing;
    const Model* before = GetParam() ? &version(2) : nullptr;
    expect_whole_or_as_before(version(1), before, target, false);
    EXPECT_FALSE(restore(1)) << "the same restore again";
    expect_whole_or_as_before(version(1), before, target, true);
    EXPECT_EQ(holdfast::to_text(platform::real_file_system().read_all(folder.path() / "neighbour")), "untouched");
  }

  void fail_everywhere(Act how, const std::string& what) {
    constexpr int kErrors[] = {EIO, ENOSPC, EACCES, EROFS, EDQUOT};
    std::uint64_t counted = changes(), runs = 0;
    for (std::uint64_t nth = 1; nth <= counted; ++nth) {
      int error = kErrors[nth % std::size(kErrors)];
      SCOPED_TRACE("change " + std::to_string(nth) + " fails with " + std::to_string(error) + " " + what);
      prepare();
      counter = 0;
      wanted = nth;
      findings.clear();
      error_number = error;
      act = how;
      auto said = restore(1);
      act = Act::nothing;
      if (!said) {
        expect_whole_or_as_before(version(1), nullptr, target, true);
        EXPECT_FALSE(findings.empty()) << "it said nothing of it";
      } else {
        EXPECT_TRUE(*said == code_of_errno(error) || *said == Code::failed) << info(*said).name << " instead of " << info(code_of_errno(error)).name;
      }
      expect_survived();
      ++runs;
      if (HasFailure()) return;
    }
    expect_all("B2 restore " + what, counted, runs);
  }
};

TEST_P(Restore, KilledAtEveryChange) {
  std::uint64_t counted = changes(), runs = 0;
  for (std::uint64_t nth = 1; nth <= counted; ++nth) {
    SCOPED_TRACE("killed at change " + std::to_string(nth));
    prepare();
    std::cout << std::flush;
    pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      counter = 0;
      wanted = nth;
      act = Act::die;
      restore(1);
      _exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == kDied) << "it did not die where it should";
    expect_survived();
    ++runs;
    if (HasFailure()) return;
  }
  expect_all("A1 kill restore", counted, runs);
}

TEST_P(Restore, EveryChangeFailsOnce) { fail_everywhere(Act::fail_once, "once"); }

TEST_P(Restore, EveryChangeFailsFromThenOn) { fail_everywhere(Act::fail_from_then_on, "from then on"); }

INSTANTIATE_TEST_SUITE_P(Into, Restore, ::testing::Bool(),
                         [](const auto& made) { return made.param ? "AFolderWithAnotherVersion" : "AnEmptyFolder"; });

}  // namespace
}  // namespace holdfast::proof
