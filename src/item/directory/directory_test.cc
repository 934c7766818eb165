// Real trees on a real file system: captured, lost, restored, and compared by calls that the adapter does not
// use.
#include "item/directory/directory.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <map>
#include <random>
#include <thread>

#include "base/error.h"
#include "base/text.h"
#include "item/directory/exclude.h"
#include "item/testing/memory_tree.h"
#include "platform/source_tree.h"

namespace holdfast::item {
namespace {

using testing::MemoryTree;
using tree::Entry;
using tree::Kind;
using tree::NodePtr;

class DirectoryTest : public ::testing::Test {
 protected:
  // A restore makes everything durable at its end, which takes long on a busy disk and no time in memory.
  static bool memory_takes_attributes() {
    char name[] = "/dev/shm/holdfast-probe-XXXXXX";
    int fd = ::mkstemp(name);
    if (fd < 0) return false;
    bool takes = ::fsetxattr(fd, "user.x", "x", 1, 0) == 0 && ::fsetxattr(fd, "trusted.x", "x", 1, 0) == 0;
    ::close(fd);
    ::unlink(name);
    return takes;
  }
  explicit DirectoryTest(bool on_disk = false) {
    std::string name = std::string(on_disk || !memory_takes_attributes() ? "/tmp" : "/dev/shm") +
                       "/holdfast-directory-XXXXXX";
    scratch = ::mkdtemp(name.data());
    source = scratch / "source";
    target = scratch / "target";
    std::filesystem::create_directory(source);
  }
  ~DirectoryTest() override {
    // Trees deeper than a path may be long: rm walks by handles.
    std::string command = "rm -rf '" + scratch.string() + "'";
    EXPECT_EQ(std::system(command.c_str()), 0);
  }

  CaptureContext capture_context() {
    facts.clear();
    findings.clear();
    return {world, cancel,    progress, [this](Finding f) { findings.push_back(std::move(f)); },
            facts, leave_out, {},       {}};
  }
  ApplyContext apply_context(std::optional<Path> to, bool privileged = true) {
    findings.clear();
    return {world,
            cancel,
            progress,
            [this](Finding f) { findings.push_back(std::move(f)); },
            {true, privileged},
            std::move(to),
            true};
  }
  NodePtr capture(NodePtr previous = nullptr) {
    MemoryTree tree(std::move(previous));
    CaptureContext context = capture_context();
    capture_directory(source, exclude, tree, context);
    reused = tree.files_reused();
    return tree.root();
  }
  void apply(const NodePtr& stored, bool privileged = true) {
    ApplyContext context = apply_context(target, privileged);
    apply_directory(source, exclude, stored, context);
  }
  std::vector<CheckResult> check(const Path& folder, const NodePtr& stored) {
    CaptureContext context = capture_context();
    return check_directory(folder, exclude, stored, context);
  }
  std::size_t count(const std::string& code) const {
    return static_cast<std::size_t>(
        std::count_if(findings.begin(), findings.end(), [&](const Finding& f) { return f.code == code; }));
  }
  std::string text_of_findings() const {
    std::string text;
    for (const Finding& f : findings) text += f.code + " " + printable(f.object) + ": " + f.message + "\n";
    return text;
  }
  void write(const Path& path, const std::string& content) {
    std::ofstream(path, std::ios::binary) << content;
  }
  std::string read(const Path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  Path scratch, source, target;
  platform::World world = platform::real_world();
  Cancel cancel;
  NoProgress progress;
  Facts facts;
  Findings findings;
  std::vector<Path> leave_out;
  std::vector<std::string> exclude;
  std::uint64_t reused = 0;
};

// -- an independent description of a tree: path -> everything that must come back

std::string xattrs(const Path& path) {
  char names[4096], value[4096];
  std::map<std::string, std::string> all;
  ssize_t n = ::llistxattr(path.c_str(), names, sizeof names);
  for (char* name = names; n > 0 && name < names + n; name += std::strlen(name) + 1) {
    ssize_t size = ::lgetxattr(path.c_str(), name, value, sizeof value);
    all[name] = size < 0 ? "?" : std::string(value, static_cast<std::size_t>(size));
  }
  std::string text;
  for (const auto& [name, v] : all) text += " " + name + "=" + to_hex(as_bytes(v));
  return text;
}

std::string holes(int fd, off_t size) {
  std::string text;
  for (off_t at = 0; at < size;) {
    off_t data = ::lseek(fd, at, SEEK_DATA);
    if (data < 0) break;
    at = ::lseek(fd, data, SEEK_HOLE);
    text += " [" + std::to_string(data) + "," + std::to_string(at) + ")";
  }
  return text;
}

std::map<std::string, std::string> snapshot(const Path& root) {
  std::map<std::string, std::string> all;
  std::map<std::pair<dev_t, ino_t>, std::string> first_names;
  std::vector<Path> paths{root};
  for (const auto& e : std::filesystem::recursive_directory_iterator(root)) paths.push_back(e.path());
  std::sort(paths.begin(), paths.end());
  for (const Path& path : paths) {
    struct stat s;
    EXPECT_EQ(::lstat(path.c_str(), &s), 0) << path;
    std::string relative = path.string().substr(root.string().size());
    std::string text = std::to_string(s.st_mode) + " " + std::to_string(s.st_uid) + ":" +
                       std::to_string(s.st_gid) + " " + std::to_string(s.st_mtim.tv_sec) + "." +
                       std::to_string(s.st_mtim.tv_nsec) + xattrs(path);
    if (S_ISCHR(s.st_mode) || S_ISBLK(s.st_mode)) text += " device " + std::to_string(s.st_rdev);
    if (S_ISLNK(s.st_mode)) text += " -> " + std::filesystem::read_symlink(path).string();
    if (S_ISREG(s.st_mode)) {
      auto [it, added] = first_names.emplace(std::pair{s.st_dev, s.st_ino}, relative);
      int fd = ::open(path.c_str(), O_RDONLY);
      std::string content(static_cast<std::size_t>(s.st_size), '\0');
      EXPECT_EQ(::pread(fd, content.data(), content.size(), 0), s.st_size);
      text += " size " + std::to_string(s.st_size) + holes(fd, s.st_size) + " group " + it->second + " " +
              std::to_string(std::hash<std::string>{}(content));
      ::close(fd);
    }
    all[relative] = text;
  }
  return all;
}

// A POSIX ACL as the kernel takes it: user::rwx, user:<id>:r--, group::r-x, mask::r-x, other::---.
std::string acl(std::uint32_t id) {
  struct {
    std::uint16_t tag, permissions;
    std::uint32_t id;
  } entries[] = {
      {1, 7, 0xffffffff}, {2, 4, id}, {4, 5, 0xffffffff}, {16, 5, 0xffffffff}, {32, 0, 0xffffffff}};
  std::uint32_t version = 2;
  std::string value(reinterpret_cast<char*>(&version), 4);
  return value + std::string(reinterpret_cast<char*>(entries), sizeof entries);
}

class RandomTree {
 public:
  RandomTree(std::uint64_t seed, Path root) : random_(seed), root_(std::move(root)) {}

  void make() {
    fill(root_, 0);
    for (auto path = made_.rbegin(); path != made_.rend(); ++path)
      decorate(*path);  // insides before their folders
    decorate(root_);
  }

 private:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }

  std::string name() {
    static const std::string kBytes = "ab-._ \\\"'\t\n\x01\x7f\x80\xff\xc3\xa9*?{}";
    std::string text;
    for (std::uint64_t n = 1 + below(12); n > 0; --n) text += kBytes[below(kBytes.size())];
    if (below(20) == 0) text = std::string(255, 'n');
    return text == "." || text == ".." ? "x" : text;
  }
  void fill(const Path& folder, int depth) {
    for (std::uint64_t n = below(8) + (depth == 0 ? 4 : 0); n > 0; --n) {
      Path path = folder / name();
      struct stat s;
      if (::lstat(path.c_str(), &s) == 0) continue;
      switch (below(10)) {
        case 0:
        case 1:
          if (depth > 4) continue;
          std::filesystem::create_directory(path);
          fill(path, depth + 1);
          break;
        case 2:
          EXPECT_EQ(::symlink(below(2) ? "/etc/passwd" : name().c_str(), path.c_str()), 0);
          break;
        case 3:
          EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
          break;
        case 4:
          EXPECT_EQ(::mknod(path.c_str(), below(2) ? S_IFCHR : S_IFBLK,
                            makedev(static_cast<unsigned>(below(300)), static_cast<unsigned>(below(300)))),
                    0);
          break;
        case 5:
          if (files_.empty() || ::link(files_[below(files_.size())].c_str(), path.c_str()) != 0) continue;
          break;
        case 6:
          sparse_file(path);
          break;
        default:
          plain_file(path);
      }
      made_.push_back(path);
    }
  }
  void plain_file(const Path& path) {
    std::string content(below(4) == 0 ? 0 : below(200'000), '\0');
    for (char& c : content) c = static_cast<char>(random_());
    std::ofstream(path, std::ios::binary) << content;
    files_.push_back(path);
  }
  void sparse_file(const Path& path) {
    int fd = ::open(path.c_str(), O_CREAT | O_WRONLY | O_EXCL, 0600);
    for (std::uint64_t n = below(4); n > 0; --n) {
      std::string piece(1 + below(9000), static_cast<char>('a' + below(20)));
      EXPECT_GT(::pwrite(fd, piece.data(), piece.size(), static_cast<off_t>(below(40) * 16384)), 0);
    }
    EXPECT_EQ(::ftruncate(fd, static_cast<off_t>(below(1 << 20) + 40 * 16384 + 9000)), 0);
    ::fsync(fd);
    ::close(fd);
    files_.push_back(path);
  }
  void decorate(const Path& path) {
    struct stat s;
    ASSERT_EQ(::lstat(path.c_str(), &s), 0);
    EXPECT_EQ(
        ::lchown(path.c_str(), static_cast<uid_t>(below(3) * 1000), static_cast<gid_t>(below(3) * 1000)), 0);
    if (!S_ISLNK(s.st_mode)) {
      EXPECT_EQ(::chmod(path.c_str(), static_cast<mode_t>(below(010000))), 0);
    }
    if (below(3) == 0) {
      EXPECT_EQ(::lsetxattr(path.c_str(), "trusted.holdfast", "\0v\xff", 3, 0), 0);
    }
    if (S_ISREG(s.st_mode) && below(4) == 0) {
      EXPECT_EQ(::lsetxattr(path.c_str(), "user.note", "", 0, 0), 0);
    }
    if (S_ISREG(s.st_mode) && below(4) == 0) {
      std::string capability(
          "\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 20);
      EXPECT_EQ(::lsetxattr(path.c_str(), "security.capability", capability.data(), capability.size(), 0), 0);
    }
    std::string list = acl(static_cast<std::uint32_t>(below(5000)));
    if (!S_ISLNK(s.st_mode) && below(4) == 0) {
      EXPECT_EQ(::lsetxattr(path.c_str(), "system.posix_acl_access", list.data(), list.size(), 0), 0);
    }
    if (S_ISDIR(s.st_mode) && below(3) == 0) {
      EXPECT_EQ(::lsetxattr(path.c_str(), "system.posix_acl_default", list.data(), list.size(), 0), 0);
    }
    timespec times[2] = {
        {0, UTIME_NOW},
        {static_cast<time_t>(below(4'000'000'000)) - 1'000'000'000, static_cast<long>(below(1'000'000'000))}};
    EXPECT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
  }

  std::mt19937_64 random_;
  Path root_;
  std::vector<Path> made_, files_;
};

class RandomTreeTest : public DirectoryTest {
 protected:
  using DirectoryTest::DirectoryTest;
  void there_and_back(std::uint64_t seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Path original = source;
    source = scratch / ("source-" + std::to_string(seed));
    target = scratch / ("target-" + std::to_string(seed));
    std::filesystem::create_directory(source);
    RandomTree(seed, source).make();
    auto before = snapshot(source);
    NodePtr stored = capture();
    EXPECT_EQ(text_of_findings(), "");
    EXPECT_EQ(before, snapshot(source)) << "reading changed the source";
    apply(stored);
    EXPECT_EQ(text_of_findings(), "");
    ASSERT_EQ(before, snapshot(target));
    for (const CheckResult& result : check(target, stored))
      EXPECT_TRUE(result.passed) << result.name << ": " << result.detail;

    apply(stored);  // again over what is there
    EXPECT_EQ(text_of_findings(), "");
    ASSERT_EQ(before, snapshot(target));
    EXPECT_TRUE(diff_directory(stored, capture()).empty());
    source = original;
  }
};
class RandomTreeOnDiskTest : public RandomTreeTest {
 protected:
  RandomTreeOnDiskTest() : RandomTreeTest(true) {}
};

TEST_F(RandomTreeTest, ComesBackIdentical) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) there_and_back(seed);
}
TEST_F(RandomTreeOnDiskTest, ComesBackIdentical) {
  for (std::uint64_t seed = 101; seed <= 103; ++seed) there_and_back(seed);
}

TEST_F(DirectoryTest, UnchangedFilesAreNotReadAgain) {
  for (int i = 0; i < 50; ++i) write(source / ("f" + std::to_string(i)), "content " + std::to_string(i));
  std::this_thread::sleep_for(
      std::chrono::milliseconds(2100));  // changed-times closer than 2 s are not trusted
  NodePtr first = capture();
  EXPECT_EQ(reused, 0U);
  write(source / "f7", "different");
  NodePtr second = capture(first);
  EXPECT_EQ(reused, 49U);
  auto changes = diff_directory(first, second);
  EXPECT_TRUE(std::any_of(changes.begin(), changes.end(),
                          [](const Change& c) { return c.where == "f7" && c.after == "content"; }));
  EXPECT_EQ(holdfast::to_text(second->child("f7")->read_all()), "different");
  EXPECT_EQ(holdfast::to_text(second->child("f8")->read_all()), "content 8");
}

TEST_F(DirectoryTest, SpecialFilesAreNotOpened) {
  ASSERT_EQ(::mkfifo((source / "fifo").c_str(), 0600), 0);  // opening it would wait for ever
  ASSERT_EQ(::mknod((source / "tape").c_str(), S_IFCHR | 0600, makedev(9, 200)),
            0);  // no such driver: opening it fails
  int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "%s", (source / "socket").c_str());
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  NodePtr stored = capture();
  ::close(fd);
  EXPECT_EQ(count("socket_skipped"), 1U);
  EXPECT_EQ(findings.size(), 1U) << text_of_findings();
  EXPECT_EQ(stored->child("fifo")->entry().kind, Kind::fifo);
  EXPECT_EQ(stored->child("tape")->entry().device_minor, 200U);
  EXPECT_EQ(stored->child("socket"), nullptr);
}

// A file that somebody writes to, cuts short or removes in the very moment: one after another through the
// progress sink.
class During final : public ProgressSink {
 public:
  explicit During(std::function<void()> act) : act_(std::move(act)) {}
  void begin(const std::string&, std::uint64_t) override {}
  void add(std::uint64_t bytes, std::uint64_t) override {
    if (bytes > 0 && act_) std::exchange(act_, nullptr)();
  }
  void end() override {}

 private:
  std::function<void()> act_;
};

TEST_F(DirectoryTest, FilesThatChangeWhileTheyAreReadAreFindings) {
  const std::string large(300'000, 'x');
  struct Case {
    const char* what;
    std::function<void()> act;
    std::size_t size;
  };
  for (const Case& c :
       {Case{"grows", [&] { std::ofstream(source / "log", std::ios::app) << "more"; }, 300'000},
        Case{"is cut short", [&] { std::filesystem::resize_file(source / "log", 70'000); }, 70'000},
        Case{"is written over", [&] { std::fstream(source / "log") << "new"; }, 300'000}}) {
    SCOPED_TRACE(c.what);
    write(source / "log", large);
    During during(c.act);
    facts.clear(), findings.clear();
    MemoryTree tree;
    CaptureContext context{world, cancel, during, [this](Finding f) { findings.push_back(std::move(f)); },
                           facts, {},     {},     {}};
    capture_directory(source, {}, tree, context);
    EXPECT_EQ(count("changed_while_read"), 1U) << text_of_findings();
    EXPECT_EQ(tree.root()->child("log")->entry().size, c.size);
    EXPECT_EQ(tree.root()->child("log")->read_all().size(), c.size);
  }
}

TEST_F(DirectoryTest, ASparseFileThatIsCutShortIsStoredAsFarAsItWasRead) {
  int fd = ::open((source / "disk").c_str(), O_CREAT | O_RDWR, 0600);
  std::string data(200'000, 'd');
  ASSERT_EQ(::pwrite(fd, data.data(), data.size(), 1 << 20), 200'000);
  ASSERT_EQ(::ftruncate(fd, 8 << 20), 0);
  During during([&] { EXPECT_EQ(::ftruncate(fd, (1 << 20) + 100'000), 0); });
  MemoryTree tree;
  CaptureContext context{world, cancel, during, [this](Finding f) { findings.push_back(std::move(f)); },
                         facts, {},     {},     {}};
  capture_directory(source, {}, tree, context);
  ::close(fd);
  EXPECT_EQ(count("changed_while_read"), 1U);
  const Entry& entry = tree.root()->child("disk")->entry();
  EXPECT_EQ(tree::decode_entry(tree::encode_entry(entry)), entry);
  EXPECT_EQ(tree::content_bytes(entry), tree.root()->child("disk")->read_all().size());
  apply(tree.root());
  EXPECT_EQ(std::filesystem::file_size(target / "disk"), entry.size);
}

TEST_F(DirectoryTest, WhatVanishesIsAFindingAndTheRestGoesOn) {
  write(source / "a", std::string(1000, 'a'));
  write(source / "b", "gone");
  write(source / "c", "gone, too");
  write(source / "d", "stays");
  During during([&] { std::filesystem::remove(source / "b"), std::filesystem::remove(source / "c"); });
  MemoryTree tree;
  CaptureContext context{world, cancel, during, [this](Finding f) { findings.push_back(std::move(f)); },
                         facts, {},     {},     {}};
  capture_directory(source, {}, tree, context);
  EXPECT_EQ(count("vanished_while_read"), 2U) << text_of_findings();
  EXPECT_NE(tree.root()->child("d"), nullptr);
}

TEST_F(DirectoryTest, ExcludedAndLeftOutEntriesAreNotStored) {
  for (const char* folder : {"logs", "keep", "keep/cache", "cache", "repository"})
    std::filesystem::create_directory(source / folder);
  for (const char* file :
       {"logs/a.log", "logs/a.txt", "x.tmp", "keep/y.tmp", "keep/cache/z", "cache/z", "repository/pack"})
    write(source / file, "x");
  std::filesystem::create_symlink(source / "repository", scratch / "through-a-link");
  exclude = {"*.tmp", "logs/*.log", "/cache/"};
  leave_out = {scratch / "through-a-link"};
  NodePtr stored = capture();
  EXPECT_EQ(count("left_out"), 1U);
  for (const char* path : {"logs/a.txt", "keep/cache/z"})
    EXPECT_NE(tree::find(stored, path), nullptr) << path;
  for (const char* path : {"logs/a.log", "x.tmp", "keep/y.tmp", "cache", "repository"})
    EXPECT_EQ(tree::find(stored, path), nullptr) << path;
  leave_out.clear();
  for (const CheckResult& r : check(source, stored)) EXPECT_TRUE(r.passed) << r.name;
}

TEST(ExcludeTest, Patterns) {
  const Exclude e({"a*b", "d/?.x", "./top", "*/deep"});
  for (const char* yes : {"ab", "q/aXXb", "d/1.x", "top", "x/deep"}) EXPECT_TRUE(e.matches(yes)) << yes;
  for (const char* no : {"a/b", "d/12.x", "e/d/1.x", "x/top", "x/y/deep", ""})
    EXPECT_FALSE(e.matches(no)) << no;
}

TEST_F(DirectoryTest, ExtraFilesStayAndLeftoversOfAKilledRunGo) {
  std::filesystem::create_directory(source / "sub");
  write(source / "sub/kept", "old");
  NodePtr stored = capture();
  write(source / "sub/kept", "new and longer");
  for (int i = 0; i < 30; ++i) write(source / "sub" / ("mine" + std::to_string(i)), "m");
  write(source / "sub/.holdfast-0123456789abcdef.part", "half");
  ApplyContext context = apply_context(std::nullopt);
  apply_directory(source, {}, stored, context);
  EXPECT_EQ(read(source / "sub/kept"), "old");
  EXPECT_EQ(read(source / "sub/mine3"), "m");
  EXPECT_FALSE(std::filesystem::exists(source / "sub/.holdfast-0123456789abcdef.part"));
  EXPECT_EQ(count("extra_file"), 21U) << "20 by name, the rest as a number";
}

TEST_F(DirectoryTest, ReplacesFilesLinksAndFilesWhereFoldersBelong) {
  std::filesystem::create_directory(source / "folder");
  write(source / "file", "content");
  std::filesystem::create_symlink("file", source / "link");
  std::filesystem::create_hard_link(source / "file", source / "second");
  NodePtr stored = capture();
  auto before = snapshot(source);
  std::filesystem::create_directory(target);
  write(target / "folder", "a file");
  write(scratch / "outside", "outside");
  std::filesystem::create_symlink(scratch / "outside", target / "file");
  write(target / "link", "a file");
  write(target / "second", "a file");
  apply(stored);
  EXPECT_EQ(snapshot(target), before);
  EXPECT_EQ(read(scratch / "outside"), "outside");
}

TEST_F(DirectoryTest, NothingIsReplacedWhenThatIsNotWanted) {
  write(source / "a", "a");
  write(source / "b", "b");
  NodePtr stored = capture();
  std::filesystem::create_directory(target);
  write(target / "b", "mine");
  ApplyContext context = apply_context(target);
  context.replace_existing = false;
  try {
    apply_directory(source, {}, stored, context);
    FAIL() << "nothing was thrown";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::already_exists);
  }
  EXPECT_FALSE(std::filesystem::exists(target / "a"));
  EXPECT_EQ(read(target / "b"), "mine");
}

// -- hostile trees

Entry entry(const std::string& name, Kind kind, std::uint32_t mode = 0644) {
  Entry e;
  e.name = name;
  e.kind = kind;
  e.mode = mode;
  return e;
}
NodePtr file(const std::string& name, const std::string& content, std::uint32_t mode = 0644) {
  Entry e = entry(name, Kind::file, mode);
  e.size = content.size();
  return testing::make_file(e, as_bytes(content));
}
NodePtr link(const std::string& name, Kind kind, const std::string& to) {
  Entry e = entry(name, kind);
  e.target = to;
  return testing::make_node(e);
}
NodePtr folder(const std::string& name, std::vector<NodePtr> children) {
  return testing::make_directory(entry(name, Kind::directory, 0755), std::move(children));
}

class HostileTest : public DirectoryTest {
 protected:
  HostileTest() {
    std::filesystem::create_directory(scratch / "outside");
    write(scratch / "outside/secret", "secret");
    outside_before = snapshot(scratch / "outside");
  }
  void expect_refused(const NodePtr& stored, const std::string& names) {
    ApplyContext context = apply_context(target);
    try {
      apply_directory(source, {}, stored, context);
      ADD_FAILURE() << "nothing was thrown";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::outside) << e.what();
      EXPECT_NE(std::string(e.what()).find(printable(names)), std::string::npos) << e.what();
    }
    EXPECT_EQ(snapshot(scratch / "outside"), outside_before);
    EXPECT_EQ(read(target / "zz"), "good") << "the rest was not restored";
  }
  std::map<std::string, std::string> outside_before;
};

TEST_F(HostileTest, NamesThatLeadOut) {
  for (const std::string& name :
       {std::string(".."), std::string("."), std::string(""), std::string("../outside/secret"),
        (scratch / "outside/secret").string(), std::string("a\0b", 3)}) {
    SCOPED_TRACE(printable(name));
    expect_refused(folder("", {file(name, "bad"), file("zz", "good")}), name);
    expect_refused(folder("", {folder(name, {file("secret", "bad")}), file("zz", "good")}), name);
    expect_refused(folder("", {link(name, Kind::symlink, "x"), file("zz", "good")}), name);
  }
}

TEST_F(HostileTest, HardLinksThatLeadOut) {
  std::filesystem::create_directory(target);
  write(target / "live", "not of the backup");
  for (const std::string& to :
       {std::string("../outside/secret"), (scratch / "outside/secret").string(), std::string("live"),
        std::string("zdir"), std::string("missing"), std::string("")})
    expect_refused(folder("", {link("a", Kind::hard_link, to), folder("zdir", {}), file("zz", "good")}), "a");
}

TEST_F(HostileTest, ALinkAndThenAWriteThroughIt) {
  expect_refused(folder("", {link("d", Kind::symlink, (scratch / "outside").string()),
                             folder("d", {file("secret", "bad")}), file("zz", "good")}),
                 "d");
  expect_refused(folder("", {link("d", Kind::symlink, (scratch / "outside/secret").string()),
                             file("d", "bad"), file("zz", "good")}),
                 "d");
}

TEST_F(HostileTest, LinksThatWereThereBefore) {
  std::filesystem::create_directories(target);
  std::filesystem::create_directory_symlink(scratch / "outside", target / "d");
  expect_refused(folder("", {folder("d", {file("secret", "bad"), folder("e", {})}), file("zz", "good")}),
                 "d");
  EXPECT_TRUE(std::filesystem::is_symlink(target / "d"));
}

TEST_F(HostileTest, LinksThatArePlantedMeanwhile) {
  std::vector<NodePtr> folders;  // more than there are handles held open, so that paths are resolved again
  for (int i = 100; i < 500; ++i) {
    std::vector<NodePtr> files;
    for (int j = 100; j < 104; ++j) files.push_back(file("f" + std::to_string(j), "content", 0777));
    files.push_back(folder("sub", {file("secret", "bad")}));
    folders.push_back(folder("d" + std::to_string(i), std::move(files)));
  }
  NodePtr stored = folder("", folders);
  std::filesystem::create_directories(target);
  std::atomic<bool> done = false;
  std::jthread attacker([&] {  // swaps folders for links to the outside, and back
    for (int i = 100; !done; i = i == 499 ? 100 : i + 1) {
      Path victim = target / ("d" + std::to_string(i));
      std::error_code ignored;
      std::filesystem::rename(victim, victim.string() + ".moved", ignored);
      std::filesystem::create_directory_symlink(scratch / "outside", victim, ignored);
      std::filesystem::remove(victim / "sub", ignored);
      std::filesystem::create_directory_symlink(scratch / "outside", victim.string() + ".moved/sub", ignored);
    }
  });
  for (auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(800);
       std::chrono::steady_clock::now() < end;) {
    ApplyContext context = apply_context(target);
    try {
      apply_directory(source, {}, stored, context);
    } catch (const Error& e) {
      EXPECT_TRUE(e.code() == Code::outside || e.code() == Code::not_found ||
                  e.code() == Code::already_exists)
          << e.what();
    }
  }
  done = true;
  attacker.join();
  std::map<std::string, std::string> now = snapshot(scratch / "outside");
  now.erase("");  // the attacker's own links inside change the folder's time
  outside_before.erase("");
  std::erase_if(now, [](const auto& e) { return e.first == "/sub"; });
  EXPECT_EQ(now, outside_before);
}

TEST_F(HostileTest, PrivilegesNeedTheOption) {
  Entry device = entry("device", Kind::char_device, 0666);
  device.device_major = 1, device.device_minor = 3;
  Entry root_shell = entry("shell", Kind::file, 06755);
  root_shell.attributes.push_back({tree::AttributeType::xattr,
                                   "security.capability",
                                   {1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}});
  root_shell.attributes.push_back({tree::AttributeType::xattr, "user.note", {1}});
  NodePtr stored = folder("", {testing::make_node(device), testing::make_file(root_shell, {})});
  apply(stored, false);
  EXPECT_FALSE(std::filesystem::exists(target / "device"));
  struct stat s;
  ASSERT_EQ(::stat((target / "shell").c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 07777U, 0755U);
  EXPECT_EQ(xattrs(target / "shell"), " user.note=01");
  EXPECT_EQ(count("attribute_not_restored"), 3U) << text_of_findings();

  apply(stored, true);
  EXPECT_EQ(text_of_findings(), "");
  ASSERT_EQ(::stat((target / "shell").c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 07777U, 06755U);
  EXPECT_NE(xattrs(target / "shell").find("security.capability"), std::string::npos);
  ASSERT_EQ(::stat((target / "device").c_str(), &s), 0);
  EXPECT_EQ(s.st_rdev, makedev(1, 3));
}

TEST_F(HostileTest, ADamagedFileLeavesNothingInItsPlace) {
  Entry longer = entry("a", Kind::file);
  longer.size = 100;
  NodePtr stored = folder("", {testing::make_file(longer, as_bytes("short")), file("zz", "good")});
  try {
    apply(stored);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::damaged) << e.what();
  }
  EXPECT_EQ(snapshot(target).size(), 2U);
  EXPECT_EQ(read(target / "zz"), "good");
}

// -- deep trees: longer than any path may be

void make_deep(const Path& root, int levels) {
  int at = ::open(root.c_str(), O_RDONLY | O_DIRECTORY);
  for (int i = 0; i < levels; ++i) {
    ASSERT_EQ(::mkdirat(at, "deep-folder", 0750), 0);
    int next = ::openat(at, "deep-folder", O_RDONLY | O_DIRECTORY);
    ::close(at);
    at = next;
  }
  int bottom = ::openat(at, "bottom", O_CREAT | O_WRONLY, 0600);
  ASSERT_EQ(::write(bottom, "x", 1), 1);
  ::close(bottom);
  ::close(at);
}

TEST_F(DirectoryTest, DeepTreesComeBack) {
  constexpr int kLevels = 3000;
  make_deep(source, kLevels);
  NodePtr stored = capture();
  EXPECT_EQ(text_of_findings(), "");
  apply(stored);
  EXPECT_EQ(text_of_findings(), "");
  for (const CheckResult& result : check(target, stored))
    EXPECT_TRUE(result.passed) << result.name << ": " << result.detail;
  EXPECT_EQ(estimate_directory(target, {}), 1U);
  NodePtr again = stored;
  for (int i = 0; i < kLevels; ++i) again = again->child("deep-folder");
  EXPECT_EQ(holdfast::to_text(again->child("bottom")->read_all()), "x");
}

TEST_F(DirectoryTest, DeeperThanAReaderAcceptsIsAFinding) {
  make_deep(source, 5000);
  NodePtr node = capture();
  EXPECT_EQ(count("too_deep"), 5000 > tree::kMaxDepth ? 1U : 0U);
  int depth = 0;
  while ((node = node->child("deep-folder"))) ++depth;
  EXPECT_EQ(depth, std::min(5000, tree::kMaxDepth));
}

TEST_F(DirectoryTest, AMissingFolderAndAFileAreErrors) {
  CaptureContext context = capture_context();
  MemoryTree tree;
  try {
    capture_directory(scratch / "missing", {}, tree, context);
    FAIL() << "nothing was thrown";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::not_found);
  }
  write(source / "file", "x");
  try {
    capture_directory(source / "file", {}, tree, context);
    FAIL() << "nothing was thrown";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::precondition);
  }
}

TEST_F(DirectoryTest, ACheckNamesWhatDiffers) {
  write(source / "content", "aaaa");
  write(source / "mode", "m");
  write(source / "gone", "g");
  write(source / "one", "1");
  std::filesystem::create_hard_link(source / "one", source / "two");
  NodePtr stored = capture();
  apply(stored);
  std::fstream(target / "content") << "bbbb";
  std::filesystem::permissions(target / "mode", std::filesystem::perms(0711));
  std::filesystem::remove(target / "gone");
  std::filesystem::remove(target / "two");
  write(target / "two", "1");
  std::map<std::string, CheckResult> results;
  for (const CheckResult& result : check(target, stored)) results[result.name] = result;
  for (const auto& [name, what] : std::map<std::string, std::string>{{"files present", "gone"},
                                                                     {"contents equal", "content"},
                                                                     {"attributes equal", "mode"},
                                                                     {"hard links equal", "two"}}) {
    EXPECT_FALSE(results[name].passed) << name;
    EXPECT_NE(results[name].detail.find(what), std::string::npos) << name << ": " << results[name].detail;
  }
}

TEST_F(DirectoryTest, ADiffNamesWhatChanged) {
  NodePtr before = folder("", {file("changed", "aaa"), file("gone", "g"), file("mode", "m", 0600),
                               folder("sub", {file("x", "x")})});
  NodePtr after = folder("", {file("changed", "bbbb"), file("mode", "m", 0644), file("new", "n")});
  std::vector<std::string> lines;
  for (const Change& c : diff_directory(before, after))
    lines.push_back(std::string(c.kind == Change::Kind::added     ? "+"
                                : c.kind == Change::Kind::removed ? "-"
                                                                  : "*") +
                    c.where + ":" + c.after);
  EXPECT_EQ(lines, (std::vector<std::string>{"*changed:content", "*changed:size 3 -> 4",
                                             "-gone:", "*mode:mode 0600 -> 0644", "+new:file of 1 bytes",
                                             "-sub:", "-sub/x:"}));
}

}  // namespace
}  // namespace holdfast::item
