// Hostile backups through the whole of a restore: everything in the repository is sealed, signed and named as it must be, and lies.
// As root, into a target whose surroundings are looked at before and after. docs/reliability.md "Hostile backups".
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <thread>

#include "app/adapters.h"
#include "base/text.h"
#include "known_repository.h"
#include "platform/source_tree.h"
#include "recovery/restore.h"
#include "repository/data/tree_reader.h"

namespace holdfast {
namespace {

using fuzz::KnownRepository;
using platform::Path;
using repository::ChunkType;
using repository::ContentRef;
using tree::Entry;
using tree::Kind;

// A node as a hostile writer makes it: any name, any order, any claim.
struct Node {
  Entry entry;
  std::string content;
  std::vector<Node> children;
  std::optional<ContentRef> reference;   // instead of what follows from content and children
};

Node file(const std::string& name, const std::string& content, std::uint32_t mode = 0644) {
  Node n;
  n.entry.name = name;
  n.entry.mode = mode;
  n.entry.size = content.size();
  n.content = content;
  return n;
}
Node special(const std::string& name, Kind kind, const std::string& target = "") {
  Node n;
  n.entry.name = name;
  n.entry.kind = kind;
  n.entry.mode = 0666;
  n.entry.target = target;
  return n;
}
Node directory(const std::string& name, std::vector<Node> children) {
  Node n;
  n.entry.name = name;
  n.entry.kind = Kind::directory;
  n.entry.mode = 0755;
  n.children = std::move(children);
  return n;
}

class Hostile : public ::testing::Test {
 protected:
  Hostile() {
    std::filesystem::create_directories(outside);
    std::filesystem::create_directory(to);
    write(outside / "secret", "secret");
    write(base / "neighbour", "neighbour");
    before = surroundings();
  }

  static void write(const Path& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }
  static std::string read(const Path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  // Everything below the scratch folder but the target: kind, mode, owner, links, times and contents.
  std::map<std::string, std::string> surroundings() {
    std::map<std::string, std::string> all;
    for (auto it = std::filesystem::recursive_directory_iterator(base); it != std::filesystem::end(it); ++it) {
      if (it->path() == to) {
        it.disable_recursion_pending();
        continue;
      }
      struct stat s {};
      ::lstat(it->path().c_str(), &s);
      all[it->path().string()] = std::to_string(s.st_mode) + " " + std::to_string(s.st_uid) + " " + std::to_string(s.st_nlink) + " " +
                                 std::to_string(s.st_mtim.tv_sec) + "." + std::to_string(s.st_mtim.tv_nsec) + " " +
                                 (S_ISREG(s.st_mode) ? read(it->path()) : "");
    }
    return all;
  }

  ContentRef store(const Node& node) {
    if (node.reference) return *node.reference;
    if (node.entry.kind == Kind::file) return known.put_content(ChunkType::data, as_bytes(node.content));
    if (node.entry.kind != Kind::directory) return {};
    Writer listing;
    for (const Node& child : node.children) {
      ContentRef content = store(child);
      bool has_content = child.entry.kind == Kind::file || child.entry.kind == Kind::directory;
      repository::encode_node(listing, tree::encode_entry(child.entry), has_content, content);
    }
    return known.put_content(ChunkType::tree, listing.bytes());
  }
  void add_item(const Node& root, const std::string& name = "item") {
    repository::StoredItem item;
    item.name = name;
    item.kind = "directory";
    item.criticality = "optional";
    item.root = {tree::encode_entry(root.entry), store(root)};
    draft.items.push_back(item);
  }

  struct Outcome {
    std::optional<Code> code;
    std::string error;
    Findings findings;
    bool found(const std::string& what) const {
      for (const Finding& f : findings)
        if (f.code == what) return true;
      return false;
    }
  };
  // A new point of what was added, through the functions that the command line calls.
  Outcome restore(bool privileged = false) {
    draft.finished = clock.now();
    clock.advance(std::chrono::minutes(1));
    known.put_point(draft);
    draft.items.clear();
    auto repository = known.open();
    recovery::Source source{*repository, adapters, world, progress, cancel};
    Outcome outcome;
    try {
      auto report = recovery::restore(source, repository->load(repository->resolve("latest")), {{}, to, privileged}, outcome.code);
      for (const auto& line : report.lines) outcome.error += line.error;
      outcome.findings = report.findings;
    } catch (const Error& e) {
      outcome.code = e.code();
      outcome.error = e.what();
    }
    EXPECT_EQ(surroundings(), before) << "something outside of the target changed";
    return outcome;
  }
  Outcome restore_only(const Node& root) {
    std::filesystem::remove_all(to);
    std::filesystem::create_directory(to);
    known.reset();
    add_item(root);
    return restore();
  }
  void expect_refused(const Outcome& outcome, std::initializer_list<Code> codes) {
    ASSERT_TRUE(outcome.code.has_value()) << "nothing was refused";
    EXPECT_NE(std::find(codes.begin(), codes.end(), *outcome.code), codes.end()) << outcome.error;
    EXPECT_FALSE(outcome.error.empty());
    EXPECT_EQ(outcome.error, printable(outcome.error)) << "a name reached the message as it is";
  }

  platform::TemporaryFolder folder;
  Path base = folder.path(), outside = base / "outside", to = base / "to";
  std::map<std::string, std::string> before;
  KnownRepository known;
  platform::ManualClock clock;
  platform::ScriptedTerminal terminal;
  platform::World world{platform::real_file_system(), clock, platform::real_entropy(), platform::real_host(),
                        platform::real_process_runner(), terminal, {}};
  item::AdapterSet adapters = app::all_adapters();
  NoProgress progress;
  Cancel cancel;
  repository::PointDraft draft;
};

// -- G1: names and links that lead out

TEST_F(Hostile, NamesThatAreNoNamesAreRefused) {
  for (const std::string& name :
       {std::string(".."), std::string("."), std::string(""), std::string("../outside/secret"), std::string("tmp/../../outside/secret"),
        (outside / "secret").string(), std::string("a\0b", 3), std::string("/"), std::string("a/"), std::string("./a")}) {
    SCOPED_TRACE(printable(name));
    expect_refused(restore_only(directory("", {file(name, "bad")})), {Code::damaged, Code::outside});
    expect_refused(restore_only(directory("", {directory(name, {file("secret", "bad")})})), {Code::damaged, Code::outside});
    expect_refused(restore_only(directory("", {special(name, Kind::symlink, "x")})), {Code::damaged, Code::outside});
    expect_refused(restore_only(directory("", {directory("deep", {special(name, Kind::hard_link, "x")})})), {Code::damaged, Code::outside});
  }
}

TEST_F(Hostile, NamesThatOnlyLookLikeAWayOutStayInside) {
  const std::set<std::string> names = {"%2e%2e",      "...",          "..\\outside", "C:\\Windows", "\xe2\x80\xa5",   "\xef\xbc\x8e\xef\xbc\x8e",
                                       "..\xe2\x81\x84outside", "trailing.", "trailing ",    "new\nline",   "\x1b]0;title\x07", "\xff\xfe",
                                       "NUL",         "-rf",          "~",           "$(touch x)"};
  std::vector<Node> children;
  for (const std::string& name : names) children.push_back(file(name, "inside"));
  Outcome outcome = restore_only(directory("", std::move(children)));
  EXPECT_FALSE(outcome.code.has_value()) << outcome.error;
  std::set<std::string> made;
  for (const auto& entry : std::filesystem::directory_iterator(to / "item")) made.insert(entry.path().filename().string());
  EXPECT_EQ(made, names);
}

TEST_F(Hostile, ANameThatIsTooLongIsToldAndTheRestComesBack) {
  Outcome outcome = restore_only(directory("", {file(std::string(300, 'a'), "bad"), file("zz", "good")}));
  expect_refused(outcome, {Code::io, Code::failed, Code::outside});
  EXPECT_EQ(read(to / "item/zz"), "good");
}

TEST_F(Hostile, ALinkInOnePointAndAFileThroughItInTheNext) {
  add_item(directory("", {special("d", Kind::symlink, outside.string()), special("e", Kind::symlink, "../../outside"),
                          special("f", Kind::symlink, (outside / "secret").string())}));
  ASSERT_FALSE(restore().code.has_value());
  ASSERT_TRUE(std::filesystem::is_symlink(to / "item/d"));
  add_item(directory("", {directory("d", {file("secret", "bad"), directory("more", {})}), directory("e", {file("secret", "bad")}),
                          file("f", "replaces the link, not what it leads to"), special("g", Kind::hard_link, "d/secret")}));
  Outcome outcome = restore();
  expect_refused(outcome, {Code::outside});
  EXPECT_TRUE(std::filesystem::is_symlink(to / "item/d"));
  EXPECT_FALSE(std::filesystem::is_symlink(to / "item/f"));
  EXPECT_FALSE(std::filesystem::exists(to / "item/g"));
}

TEST_F(Hostile, HardLinksToWhatIsNotOfTheBackup) {
  for (const std::string& target : {std::string("../../outside/secret"), (outside / "secret").string(), std::string("../outside/secret"),
                                    std::string("live"), std::string("link/secret"), std::string(".."), std::string("")}) {
    SCOPED_TRACE(target);
    std::filesystem::remove_all(to);
    std::filesystem::create_directories(to / "item");
    write(to / "item/live", "not of the backup");
    known.reset();
    add_item(directory("", {special("hard", Kind::hard_link, target), special("link", Kind::symlink, outside.string()), file("zz", "good")}));
    expect_refused(restore(), {Code::outside, Code::damaged});
    EXPECT_FALSE(std::filesystem::exists(to / "item/hard"));
  }
}

// -- G2: a target that was prepared, or changes meanwhile

TEST_F(Hostile, LinksThatWereInTheTargetBefore) {
  std::filesystem::create_directory(to / "item");
  std::filesystem::create_directory_symlink(outside, to / "item/d");
  std::filesystem::create_symlink(outside / "secret", to / "item/f");
  std::filesystem::create_symlink(outside / "new", to / "item/g");
  add_item(directory("", {directory("d", {file("secret", "bad")}), file("f", "good"), file("g", "good")}));
  expect_refused(restore(), {Code::outside});
  EXPECT_EQ(read(to / "item/f"), "good");
  EXPECT_FALSE(std::filesystem::is_symlink(to / "item/f") || std::filesystem::is_symlink(to / "item/g"));
}

TEST_F(Hostile, ALinkInPlaceOfAnItemsOwnFolder) {
  std::filesystem::create_directory_symlink(outside, to / "item");
  add_item(directory("", {file("new", "bad"), file("secret", "bad")}));
  expect_refused(restore(), {Code::outside, Code::already_exists, Code::precondition});
}

TEST_F(Hostile, FoldersThatAreSwappedForLinksMeanwhile) {
  std::vector<Node> folders;
  for (int i = 10; i < 40; ++i)
    folders.push_back(directory("d" + std::to_string(i), {file("f", "content"), directory("sub", {file("secret", "bad"), file("x", "bad")})}));
  Node root = directory("", std::move(folders));
  ASSERT_FALSE(restore_only(root).code.has_value());
  std::atomic<bool> done = false;
  std::atomic<int> swapped = 0;
  std::jthread attacker([&] {
    std::error_code ignored;
    for (int i = 10; !done; i = i == 39 ? 10 : i + 1) {
      Path victim = to / "item" / ("d" + std::to_string(i)) / "sub", moved = victim.string() + ".moved";
      std::filesystem::rename(victim, moved, ignored);
      if (!ignored) ++swapped;
      std::filesystem::create_directory_symlink(outside, victim, ignored);
      std::filesystem::rename(to / "item", to / "item.moved", ignored);
      std::filesystem::rename(to / "item.moved", to / "item", ignored);
      std::filesystem::remove(victim, ignored);
    }
  });
  int runs = 0;
  for (auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5); runs < 8 && std::chrono::steady_clock::now() < end; ++runs) {
    known.reset();
    add_item(root);
    restore();
  }
  done = true;
  attacker.join();
  EXPECT_GT(swapped, 0) << "the attacker came too late every time";
  EXPECT_GT(runs, 1);
}

// -- G3: bombs

TEST_F(Hostile, CountsAreNotBelieved) {
  constexpr std::uint64_t kMany = 1'000'000'000;
  const std::uint64_t most = [] {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return static_cast<std::uint64_t>(usage.ru_maxrss);
  }();
  for (int which = 0; which < 4; ++which) {
    SCOPED_TRACE(which);
    known.reset();
    Writer listing;
    Node f = file("f", "content");
    if (which == 0) {          // pieces of a content
      listing.blob(tree::encode_entry(f.entry)).u8(1).varint(kMany).u8(0).varint(kMany).raw(Bytes(33, 1));
    } else if (which == 1) {   // an entry of a length that nobody can have
      listing.varint(kMany).raw(Bytes(100, 1));
    } else if (which == 2) {   // extents
      Writer extents;
      for (int i = 0; i < 1000; ++i) extents.varint(UINT64_MAX - 5).varint(1);
      Bytes entry = tree::encode_entry(f.entry);
      Bytes more = Writer().field(13, extents.bytes()).take();
      entry.insert(entry.end(), more.begin(), more.end());
      listing.blob(entry).u8(0);
    } else {                   // levels
      listing.blob(tree::encode_entry(f.entry)).u8(1).varint(7).u8(200).varint(1).raw(Bytes(32, 1)).varint(7);
    }
    Node root = directory("", {});
    root.reference = known.put_content(ChunkType::tree, listing.bytes());
    add_item(root);
    expect_refused(restore(), {Code::damaged});
  }
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  EXPECT_LT(static_cast<std::uint64_t>(usage.ru_maxrss), most + (256 << 10)) << "KiB of memory";
}

TEST_F(Hostile, ACompressionBombIsRefusedBeforeItIsExpanded) {
  // A frame that says 64 bytes and decompresses to 8 MiB; one that says more than a frame may hold.
  static const unsigned char kZeros8M[] = {0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0x00, 0x00, 0x80, 0x00};
  Bytes encoded(std::begin(kZeros8M), std::end(kZeros8M));
  for (int i = 0; i < 64; ++i) {   // RLE blocks of 128 KiB
    std::uint32_t header = (i == 63 ? 1U : 0U) | 1U << 1 | (128U << 10) << 3;
    encoded.insert(encoded.end(), {static_cast<std::uint8_t>(header), static_cast<std::uint8_t>(header >> 8),
                                   static_cast<std::uint8_t>(header >> 16), 0});
  }
  for (std::uint32_t claimed : {64U, repository::kMaxFrame + 1, 0xffffffffU}) {
    SCOPED_TRACE(claimed);
    known.reset();
    repository::ChunkId id = known.chunk_id(ChunkType::data, as_bytes("x"));
    KnownRepository::Frame frame{repository::Codec::zstd, claimed, encoded, {}, {{id, ChunkType::data, 0, claimed}}};
    known.put_frames({frame});
    Node f = file("f", "");
    f.entry.size = claimed;
    f.reference = ContentRef{claimed, 0, {{id, std::min(claimed, repository::kMaxChunk)}}};
    if (claimed > repository::kMaxChunk) f.reference->size = f.entry.size = repository::kMaxChunk;
    add_item(directory("", {f, file("zz", "good")}));
    expect_refused(restore(), {Code::damaged});
    EXPECT_FALSE(std::filesystem::exists(to / "item/f"));
    EXPECT_EQ(read(to / "item/zz"), "good");
  }
}

TEST_F(Hostile, AFileThatGrowsWithoutEndEndsWithTheDisk) {
  // One chunk, listed again and again: 5 KiB in the repository, 30 MiB on the disk. The item says that it has 10 bytes.
  ASSERT_EQ(::mount("tmpfs", to.c_str(), "tmpfs", 0, "size=4m"), 0);
  std::string chunk(64 << 10, 'x');
  ContentRef one = known.put_content(ChunkType::data, as_bytes(chunk));
  Writer list;
  for (int i = 0; i < 500; ++i) list.raw(one.pieces.front().id.view()).varint(chunk.size());
  Node f = file("bomb", "");
  f.reference = known.put_content(ChunkType::tree, list.bytes());
  f.reference->level = 1;
  f.reference->size = f.entry.size = 500 * chunk.size();
  add_item(directory("", {f}));
  draft.items.back().bytes = 10;
  Outcome outcome = restore();
  EXPECT_EQ(outcome.code, Code::no_space) << outcome.error;
  int left = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::recursive_directory_iterator(to / "item")) ++left;
  EXPECT_EQ(left, 0) << "half a file was left";
  ::umount(to.c_str());
}

TEST_F(Hostile, AnEnormousHoleTakesNoRoom) {
  Node f = file("holes", "data");
  f.entry.sparse = true;
  f.entry.size = UINT64_C(1) << 60;
  f.entry.extents = {{UINT64_C(1) << 59, 4}};
  Outcome outcome = restore_only(directory("", {f, file("zz", "good")}));
  struct stat s {};
  if (::lstat((to / "item/holes").c_str(), &s) == 0) {
    EXPECT_LT(s.st_blocks, 1000);
  } else {
    expect_refused(outcome, {Code::io, Code::no_space, Code::failed, Code::damaged});
  }
  EXPECT_EQ(read(to / "item/zz"), "good");
}

TEST_F(Hostile, ATreeOfAHundredThousandLevelsIsRefusedAtItsLimit) {
  constexpr int kLevels = 100'000;
  std::vector<KnownRepository::Frame> frames;
  frames.reserve(kLevels);
  ContentRef below;
  for (int i = 0; i < kLevels; ++i) {
    Writer listing;
    repository::encode_node(listing, tree::encode_entry(directory("d", {}).entry), true, below);
    auto size = static_cast<std::uint32_t>(listing.size());
    repository::ChunkId id = known.chunk_id(ChunkType::tree, listing.bytes());
    frames.push_back(KnownRepository::plain_frame(id, ChunkType::tree, listing.bytes()));
    below = {size, 0, {{id, size}}};
  }
  known.put_frames(frames);
  Node root = directory("", {});
  root.reference = below;
  add_item(root);
  repository::PointId id = known.put_point(draft);
  auto repository = known.open();
  // As a restore walks it, without making 4,096 folders (directory_test.cc makes deep ones).
  tree::NodePtr node = repository->open_item(repository->load(id), "item");
  int levels = 0;
  try {
    for (; levels <= kLevels && node; ++levels) node = node->child("d");
    ADD_FAILURE() << "nothing was refused";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::damaged) << e.what();
    EXPECT_NE(std::string(e.what()).find("4,096"), std::string::npos) << e.what();
  }
  EXPECT_LE(levels, 4096);
  EXPECT_FALSE(repository->verify(id, {repository::Level::content, 1.0, {}}).damaged.empty());
}

TEST_F(Hostile, NamesThatComeTwiceOrOutOfOrderAreDamage) {
  for (auto names : {std::pair{"a", "a"}, std::pair{"b", "a"}})
    expect_refused(restore_only(directory("", {special(names.first, Kind::symlink, outside.string()), file(names.second, "bad")})), {Code::damaged});
}

TEST_F(Hostile, GiantAttributesAreToldAndTheFileComesBack) {
  Node f = file("f", "content");
  f.entry.attributes = {{tree::AttributeType::xattr, "user.giant", Bytes(2 << 20, 1)},
                        {tree::AttributeType::xattr, std::string(1000, 'n'), {1}},
                        {tree::AttributeType::posix_acl_access, "", Bytes(100'000, 0xff)},
                        {tree::AttributeType::windows_security, "", Bytes(1000, 1)}};
  std::sort(f.entry.attributes.begin(), f.entry.attributes.end(),
            [](const auto& a, const auto& b) { return std::pair(a.type, a.name) < std::pair(b.type, b.name); });
  Outcome outcome = restore_only(directory("", {f}));
  EXPECT_FALSE(outcome.code.has_value()) << outcome.error;
  EXPECT_TRUE(outcome.found("attribute_not_restored"));
  EXPECT_EQ(read(to / "item/f"), "content");
}

// -- G4: more rights than asked for

TEST_F(Hostile, PrivilegesComeBackOnlyWhenTheyAreAskedFor) {
  Node shell = file("shell", "x", 06755), device = special("device", Kind::block_device), pipe = special("pipe", Kind::fifo);
  shell.entry.attributes = {{tree::AttributeType::xattr, "security.capability", {1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}}};
  device.entry.device_major = 7, device.entry.device_minor = 200;
  Node sticky = directory("sticky", {});
  sticky.entry.mode = 01777;
  Node root = directory("", {device, pipe, shell, sticky});
  Outcome outcome = restore_only(root);
  EXPECT_FALSE(outcome.code.has_value()) << outcome.error;
  EXPECT_TRUE(outcome.found("attribute_not_restored"));
  struct stat s {};
  EXPECT_NE(::lstat((to / "item/device").c_str(), &s), 0);
  ASSERT_EQ(::lstat((to / "item/shell").c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 07777U, 0755U);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(to)) {
    ASSERT_EQ(::lstat(entry.path().c_str(), &s), 0);
    EXPECT_FALSE(S_ISBLK(s.st_mode) || S_ISCHR(s.st_mode)) << entry.path();
    EXPECT_EQ(s.st_mode & (S_ISDIR(s.st_mode) ? 0U : 07000U), 0U) << entry.path();
  }

  known.reset();
  add_item(root);
  outcome = restore(true);
  ASSERT_EQ(::lstat((to / "item/shell").c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 07777U, 06755U);
  ASSERT_EQ(::lstat((to / "item/device").c_str(), &s), 0);
  EXPECT_TRUE(S_ISBLK(s.st_mode));
}

TEST_F(Hostile, KindsThatAreNeverStored) {
  expect_refused(restore_only(directory("", {special("socket", Kind::socket), file("zz", "good")})), {Code::damaged});
}

}  // namespace
}  // namespace holdfast
