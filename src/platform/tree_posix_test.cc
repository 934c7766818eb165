// Reading and writing trees with real files. Whole trees there and back again:
// src/item/directory/directory_test.cc.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <fstream>

#include "base/error.h"
#include "base/testing.h"
#include "platform/posix_tree.h"

namespace holdfast::platform {
namespace {

using tree::Entry;
using tree::Kind;

class TreeTest : public ::testing::TestWithParam<bool> {
 protected:
  TreeTest() {
    char name[] = "/tmp/holdfast-tree-XXXXXX";
    scratch = ::mkdtemp(name);
    root = scratch / "root";
    std::filesystem::create_directories(root / "a/b");
    std::filesystem::create_directory(scratch / "outside");
    write(scratch / "outside/secret", "secret");
  }
  ~TreeTest() override { std::filesystem::remove_all(scratch); }

  void write(const Path& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }
  std::string read(const Path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static void put(ContainedTree& tree, const std::string& path, const std::string& text) {
    auto file = tree.create(path);
    file->write_at(0, as_bytes(text));
    tree.publish(path);
  }
  static Entry entry(Kind kind, std::uint32_t mode = 0640) {
    Entry e;
    e.kind = kind;
    e.mode = mode;
    e.uid = 12, e.gid = 34;
    e.modified = {1'000'000'000, 123'456'789};
    return e;
  }

  Path scratch, root;
};

// Both ways of resolving: with openat2, and name by name as on older kernels.
class ContainedTreeTest : public TreeTest {
 protected:
  std::unique_ptr<ContainedTree> tree = open_contained_tree(root, GetParam());
};
INSTANTIATE_TEST_SUITE_P(Resolving, ContainedTreeTest, ::testing::Values(true, false),
                         [](const auto& p) { return p.param ? "openat2" : "walking"; });

TEST_P(ContainedTreeTest, NamesThatLeadOutAreRefused) {
  for (const std::string& path : {std::string("../outside/new"), std::string("a/../../outside/new"),
                                  std::string("/tmp/new"), std::string("a//b"), std::string("."),
                                  std::string("a/."), std::string("a/"), std::string("x\0y", 3)}) {
    EXPECT_EQ(code_of([&] { tree->create(path); }), Code::outside) << path;
    EXPECT_EQ(code_of([&] { tree->make_directory(path); }), Code::outside) << path;
    EXPECT_EQ(code_of([&] { tree->make_symlink(path, "t"); }), Code::outside) << path;
    EXPECT_EQ(code_of([&] { tree->make_hard_link("new", path); }), Code::outside) << path;
    EXPECT_EQ(code_of([&] { tree->apply(path, entry(Kind::file), {}); }), Code::outside) << path;
    EXPECT_EQ(code_of([&] { tree->status(path); }), Code::outside) << path;
    EXPECT_EQ(code_of([&] { tree->remove(path); }), Code::outside) << path;
    EXPECT_EQ(code_of([&] { tree->rename("a", path); }), Code::outside) << path;
  }
  EXPECT_EQ(code_of([&] { tree->create(""); }), Code::outside);
}

TEST_P(ContainedTreeTest, LinksAreNotFollowed) {
  std::filesystem::create_directory_symlink(scratch / "outside", root / "link");
  std::filesystem::create_directory_symlink("a", root / "inside");  // also not one that stays inside
  for (const char* path : {"link/new", "link/deeper/new", "inside/new"})
    EXPECT_EQ(code_of([&] { tree->create(path); }), Code::outside) << path;
  EXPECT_EQ(code_of([&] { tree->make_directory("link"); }), Code::outside);
  EXPECT_EQ(code_of([&] { tree->names("link"); }), Code::outside);
  EXPECT_EQ(code_of([&] { tree->apply("link", entry(Kind::directory), {true, true}); }), Code::outside);
  Entry e;
  EXPECT_EQ(code_of([&] { tree->open("link/secret", e); }), Code::outside);
  EXPECT_EQ(tree->status("link")->kind, Kind::symlink);
  std::filesystem::create_symlink(scratch / "outside/secret", root / "file");
  EXPECT_EQ(code_of([&] { tree->open("file", e); }), Code::busy);
  put(*tree, "file", "mine");
  EXPECT_EQ(read(root / "file"), "mine");
  EXPECT_EQ(read(scratch / "outside/secret"), "secret");
}

TEST_P(ContainedTreeTest, AFileAppearsAtOnceWithItsAttributes) {
  write(root / "a/b/f", "old");
  Entry e = entry(Kind::file, 04755);
  e.attributes.push_back({tree::AttributeType::xattr, "user.x", {1, 2}});
  auto file = tree->create("a/b/f");
  file->reserve(1 << 20);
  file->write_at(4096, as_bytes("new"));
  EXPECT_EQ(tree->apply("a/b/f", e, {true, true}), std::vector<std::string>());
  EXPECT_EQ(read(root / "a/b/f"), "old");
  for (const std::string& name : tree->names("a/b"))
    EXPECT_TRUE(name == "f" || is_temporary_name(name)) << name;
  tree->publish("a/b/f");
  Entry now = *tree->status("a/b/f");
  EXPECT_EQ(now.mode, 04755U);
  EXPECT_EQ(now.uid, 12U);
  EXPECT_EQ(now.modified, e.modified);
  EXPECT_EQ(now.attributes, e.attributes);
  EXPECT_EQ(now.size, 1U << 20);
  EXPECT_TRUE(now.sparse);
  EXPECT_EQ(tree->names("a/b"), std::vector<std::string>{"f"});

  tree->create("a/b/g")->write_at(0, as_bytes("x"));
  tree->abandon("a/b/g");
  EXPECT_EQ(code_of([&] { tree->publish("a/b/g"); }), Code::defect);
  auto never_published = tree->create("a/b/h");
  tree.reset();
  EXPECT_EQ(open_contained_tree(root)->names("a/b"), std::vector<std::string>{"f"});
}

TEST_P(ContainedTreeTest, LargeFilesArriveWholeHoweverTheyAreWritten) {
  std::string text((5 << 20) + 123, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 2654435761U >> 13);
  const Entry e = entry(Kind::file);
  for (std::size_t step : {std::size_t{1} << 20, std::size_t{70'001}, text.size()}) {
    auto file = tree->create("a/b/large", text.size());
    for (std::size_t at = 0; at < text.size(); at += step) file->write_at(at, as_bytes(std::string_view(text).substr(at, step)));
    EXPECT_EQ(tree->apply("a/b/large", e, {true, false}), std::vector<std::string>());
    if (step == text.size()) file->sync();
    tree->publish("a/b/large");
    EXPECT_TRUE(read(root / "a/b/large") == text) << step;
    EXPECT_EQ(tree->status("a/b/large")->modified, e.modified) << step;
  }
  auto file = tree->create("a/b/late", text.size());   // not in the order that was promised, and not applied
  file->write_at(0, as_bytes(std::string_view(text).substr(0, 2'000'000)));
  file->write_at(3'000'000, as_bytes(std::string_view(text).substr(3'000'000)));
  file->write_at(2'000'000, as_bytes(std::string_view(text).substr(2'000'000, 1'000'000)));
  tree->publish("a/b/late");
  EXPECT_TRUE(read(root / "a/b/late") == text);
  file = tree->create("a/b/less", text.size());
  file->write_at(0, as_bytes("less than was said"));
  tree->publish("a/b/less");
  EXPECT_EQ(read(root / "a/b/less"), "less than was said");
}

TEST_P(ContainedTreeTest, ThingsInTheWay) {
  write(root / "file", "f");
  std::filesystem::create_directory(root / "dir");
  EXPECT_EQ(code_of([&] { tree->make_directory("file"); }), Code::already_exists);
  EXPECT_EQ(code_of([&] { tree->make_directory("file/x"); }), Code::already_exists);
  tree->make_directory("dir");
  EXPECT_EQ(code_of([&] { put(*tree, "dir", "x"); }), Code::already_exists);
  EXPECT_EQ(code_of([&] { tree->make_symlink("dir", "x"); }), Code::already_exists);
  EXPECT_EQ(code_of([&] { tree->rename("file", "dir"); }), Code::already_exists);
  tree->make_symlink("file", "anything");
  EXPECT_EQ(tree->status("file")->target, "anything");
  put(*tree, "one", "1");
  put(*tree, "two", "2");
  tree->make_hard_link("two", "one");
  tree->make_hard_link("two", "one");
  EXPECT_EQ(tree->status("two")->links, 2U);
  EXPECT_EQ(tree->names(""), (std::vector<std::string>{"a", "dir", "file", "one", "two"}));
  tree->remove("dir");
  EXPECT_EQ(tree->status("dir"), std::nullopt);
}

TEST_P(ContainedTreeTest, ARenamedFolderIsNotMistakenForItsSuccessor) {
  put(*tree, "a/b/f", "first");
  tree->rename("a/b", "a/c");
  tree->make_directory("a/b");
  put(*tree, "a/b/f", "second");
  EXPECT_EQ(read(root / "a/c/f"), "first");
  EXPECT_EQ(read(root / "a/b/f"), "second");
}

TEST_P(ContainedTreeTest, SpecialFilesAndLinksTakeTheirAttributes) {
  Entry fifo = entry(Kind::fifo, 0620), device = entry(Kind::block_device, 0600), link = entry(Kind::symlink);
  device.device_major = 7, device.device_minor = 1234;
  link.target = "/nowhere";
  link.attributes.push_back({tree::AttributeType::xattr, "trusted.x", {7}});
  EXPECT_EQ(tree->make_special("a/fifo", fifo, {}).size(), 0U);
  EXPECT_EQ(tree->make_special("a/device", device, {true, false}).size(), 1U);
  EXPECT_EQ(tree->status("a/device"), std::nullopt);
  EXPECT_EQ(tree->make_special("a/device", device, {true, true}).size(), 0U);
  tree->make_symlink("a/link", link.target);
  for (auto& [path, e] :
       {std::pair{"a/fifo", fifo}, std::pair{"a/device", device}, std::pair{"a/link", link}}) {
    EXPECT_EQ(tree->apply(path, e, {true, true}), std::vector<std::string>()) << path;
    Entry now = *tree->status(path);
    EXPECT_EQ(now.uid, 12U) << path;
    EXPECT_EQ(now.modified, e.modified) << path;
    EXPECT_EQ(now.attributes, e.attributes) << path;
    EXPECT_EQ(now.device_minor, e.device_minor) << path;
    if (e.kind != Kind::symlink) {
      EXPECT_EQ(now.mode, e.mode) << path;
    }
  }
  EXPECT_EQ(code_of([&] { tree->apply("a/fifo", device, {true, true}); }), Code::outside);
}

TEST_P(ContainedTreeTest, StrangeAttributesAreTakenAway) {
  ASSERT_EQ(::setxattr((root / "a").c_str(), "user.old", "1", 1, 0), 0);
  EXPECT_EQ(tree->apply("a", entry(Kind::directory, 0750), {true, false}), std::vector<std::string>());
  EXPECT_TRUE(tree->status("a")->attributes.empty());
}

TEST_P(ContainedTreeTest, WithoutTheRightToGiveOwnersThatIsSaid) {
  put(*tree, "f", "x");
  auto sentences = tree->apply("f", entry(Kind::file, 06755), {false, false});
  ASSERT_EQ(sentences.size(), 2U);
  EXPECT_NE(sentences[0].find("owner 12:34"), std::string::npos);
  EXPECT_EQ(tree->status("f")->mode, 0755U);
}

using SourceTreeTest = TreeTest;

TEST_F(SourceTreeTest, NamesAreBytesInOrder) {
  for (const char* name : {"b", "B", "\xff", "\xc3\xa9", " ", "a b"}) write(root / "a/b" / name, "");
  EXPECT_EQ(open_source_directory(root / "a/b")->names(),
            (std::vector<std::string>{" ", "B", "a b", "b", "\xc3\xa9", "\xff"}));
}

TEST_F(SourceTreeTest, AFolderThatBecomesALinkIsNotEntered) {
  auto directory = open_source_directory(root);
  ASSERT_EQ(directory->status("a")->kind, Kind::directory);
  std::filesystem::remove_all(root / "a");
  std::filesystem::create_directory_symlink(scratch / "outside", root / "a");
  EXPECT_EQ(code_of([&] { directory->enter("a"); }), Code::busy);
  std::filesystem::remove(root / "a");
  EXPECT_EQ(code_of([&] { directory->enter("a"); }), Code::not_found);
}

TEST_F(SourceTreeTest, AFileThatBecomesAFifoIsNotOpened) {
  write(root / "f", "x");
  auto directory = open_source_directory(root);
  Entry e = *directory->status("f");
  std::filesystem::remove(root / "f");
  EXPECT_EQ(code_of([&] { directory->open("f", e); }), Code::not_found);
  ASSERT_EQ(::mkfifo((root / "f").c_str(), 0600), 0);
  EXPECT_EQ(code_of([&] { directory->open("f", e); }), Code::busy);
  EXPECT_EQ(code_of([&] { open_source_file(root / "f", e); }), Code::precondition);
  EXPECT_EQ(code_of([&] { open_source_directory(root / "f"); }), Code::precondition);
}

TEST_F(SourceTreeTest, AFileThatIsReplacedBringsItsOwnMetadata) {
  write(root / "f", "old");
  auto directory = open_source_directory(root);
  Entry e = *directory->status("f");
  directory->read_attributes("f", e);
  write(root / "g", "new and longer");
  ASSERT_EQ(::setxattr((root / "g").c_str(), "user.g", "1", 1, 0), 0);
  std::filesystem::rename(root / "g", root / "f");
  auto file = directory->open("f", e);
  EXPECT_EQ(e.size, 14U);
  ASSERT_EQ(e.attributes.size(), 1U);
  EXPECT_EQ(e.attributes[0].name, "user.g");
}

TEST_F(SourceTreeTest, HolesAreSeenAndSkipped) {
  int fd = ::open((root / "f").c_str(), O_CREAT | O_WRONLY, 0600);
  ASSERT_EQ(::pwrite(fd, "data", 4, 1 << 20), 4);
  ASSERT_EQ(::ftruncate(fd, 4 << 20), 0);
  ::close(fd);
  Entry e;
  auto file = open_source_file(root / "f", e);
  ASSERT_TRUE(e.sparse);
  ASSERT_EQ(e.extents.size(), 1U);
  EXPECT_EQ(e.extents[0].offset, 1U << 20);
  Bytes buffer(1 << 20);
  std::size_t n = file->read(buffer);
  EXPECT_EQ(n, e.extents[0].length);
  EXPECT_EQ(to_text(ByteView(buffer).first(4)), "data");
  EXPECT_EQ(file->read(buffer), 0U);
}

TEST_F(SourceTreeTest, TheSmallerHolesAreFilledWhenThereAreTooMany) {
  std::vector<tree::Extent> extents;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    std::uint64_t at = extents.empty() ? 7 : extents.back().offset + extents.back().length;
    extents.push_back({at + (i % 2 ? 100 : 5000), 10 + i % 3});
  }
  const auto before = extents;
  fill_small_holes(extents);
  EXPECT_LE(extents.size(), before.size() / 2 + 1);
  EXPECT_EQ(extents.front().offset, before.front().offset);
  EXPECT_EQ(extents.back().offset + extents.back().length, before.back().offset + before.back().length);
  std::size_t in = 0;
  for (const tree::Extent& old : before) {  // what was data still is
    while (extents[in].offset + extents[in].length < old.offset + old.length) ++in;
    EXPECT_LE(extents[in].offset, old.offset);
  }
  for (std::size_t i = 1; i < extents.size(); ++i)
    EXPECT_EQ(extents[i].offset - extents[i - 1].offset - extents[i - 1].length, 5000U);
  std::vector<tree::Extent> one{{5, 5}};
  fill_small_holes(one);
  EXPECT_EQ(one, (std::vector<tree::Extent>{{5, 5}}));
}

TEST_F(SourceTreeTest, AccessTimesStay) {
  write(root / "f", "x");
  timespec times[2] = {{1000, 5}, {1000, 5}};
  ASSERT_EQ(::utimensat(AT_FDCWD, (root / "f").c_str(), times, 0), 0);
  Entry e;
  Bytes buffer(10);
  EXPECT_EQ(open_source_file(root / "f", e)->read(buffer), 1U);
  struct stat s;
  ASSERT_EQ(::stat((root / "f").c_str(), &s), 0);
  EXPECT_EQ(s.st_atim.tv_sec, 1000);
}

}  // namespace
}  // namespace holdfast::platform
