#include "item/files/files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <thread>

#include "item/files/content.h"
#include "item/testing/fixture.h"

namespace holdfast::item {
namespace {

class FilesTest : public testing::ItemTest {
 protected:
  tree::NodePtr capture_set(const FileSet& set) {
    findings.clear();
    facts.clear();
    testing::MemoryTree tree;
    CaptureContext c = context();
    capture_files(set, tree, c);
    return tree.root();
  }
  void apply_set(const FileSet& set, const tree::NodePtr& stored, std::optional<Path> to = std::nullopt,
                 bool replace = true) {
    findings.clear();
    ApplyContext c{
        world,        cancel,        progress, [this](Finding f) { findings.push_back(std::move(f)); },
        {true, true}, std::move(to), replace};
    apply_files(set, stored, c);
  }
  static tree::Entry folder_of(const Path& path) {
    tree::Entry e = platform::open_source_directory(path)->self();
    e.changed = {};
    e.inode = e.links = 0;
    return e;
  }
};

TEST_F(FilesTest, FilesOfSeveralFoldersComeBackWithTheirFolders) {
  FileSet set{{write("inetsrv/config/app.config", "main", 0644), write("Certificates/web.pem", "pem", 0600),
               write("Certificates/web.key", "key", 0600), write("other/Certificates/x.pem", "x", 0600)},
              std::nullopt};
  std::vector<tree::Entry> folders;
  for (const Path& path : set.files) {
    ASSERT_EQ(::chmod(path.parent_path().c_str(), 02750), 0);
    folders.push_back(folder_of(path.parent_path()));
  }
  tree::NodePtr stored = capture_set(set);
  EXPECT_EQ(codes(), "");
  std::vector<std::string> paths;
  for (const StoredFile& file : stored_files(stored)) paths.push_back(file.path);
  EXPECT_EQ(paths, (std::vector<std::string>{"app.config", "Certificates/web.key", "Certificates/web.pem",
                                             "Certificates.2/x.pem"}));

  for (const Path& path : set.files) std::filesystem::remove_all(path.parent_path());
  apply_set(set, stored);
  EXPECT_EQ(codes(), "");
  for (std::size_t i = 0; i < set.files.size(); ++i)
    EXPECT_EQ(folder_of(set.files[i].parent_path()), folders[i]) << set.files[i];
  EXPECT_TRUE(all_passed(check_files(set, stored, [](const Finding&) {})));
  EXPECT_TRUE(diff_files(stored, capture_set(set)).empty());

  apply_set(set, stored, folder.path() / "to");
  EXPECT_EQ(as_text(read(folder.path() / "to/app.config")), "main");
  EXPECT_EQ(as_text(read(folder.path() / "to/Certificates.2/x.pem")), "x");
  EXPECT_EQ(folder_of(folder.path() / "to").modified, folders[0].modified);
  EXPECT_EQ(error_of([&] { apply_set(set, stored, folder.path() / "to", false); }).code(),
            Code::already_exists);
}

TEST_F(FilesTest, AWholeFolderOfFiles) {
  write("KMS/a.kms", "a");
  Path one = write("KMS/b.kms", "b");
  std::filesystem::create_directory(folder.path() / "KMS/sub");
  FileSet set{{}, folder.path() / "KMS"};
  tree::NodePtr stored = capture_set(set);
  EXPECT_EQ(codes(), "not_a_file ");
  std::filesystem::remove(one);
  apply_set(set, stored);
  EXPECT_EQ(as_text(read(one)), "b");
  auto digest = digest_files(set);
  write("KMS/a.kms", "A");
  EXPECT_NE(digest, digest_files(set));
  EXPECT_EQ(estimate_files(set), 2U);
  auto results = check_files(set, stored, [](const Finding&) {});
  EXPECT_TRUE(results[0].passed);
  EXPECT_FALSE(results[1].passed);
}

TEST_F(FilesTest, MissingFilesAreFindingsAndNoneIsAnError) {
  Path there = write("x/there", "1");
  FileSet set{{there, folder.path() / "x/missing"}, std::nullopt};
  EXPECT_NE(capture_set(set), nullptr);
  EXPECT_EQ(codes(), "missing_file ");
  std::filesystem::remove(there);
  EXPECT_EQ(error_of([&] { capture_set(set); }).code(), Code::not_found);
  EXPECT_EQ(digest_files(set), std::nullopt);
  write("x/same", "1");
  write("y/same", "1");
  EXPECT_EQ(error_of([&] {
              capture_set({{folder.path() / "x/same", folder.path() / "y/same"}, std::nullopt});
            }).code(),
            Code::config);
}

TEST_F(FilesTest, LinksAreFollowedAndFifosAreNotOpened) {
  Path real = write("real/settings", "content");
  std::filesystem::create_symlink(real, folder.path() / "settings");
  ASSERT_EQ(::mkfifo((folder.path() / "fifo").c_str(), 0600), 0);
  FileSet set{{folder.path() / "settings", folder.path() / "fifo"}, std::nullopt};
  tree::NodePtr stored = capture_set(set);
  EXPECT_EQ(codes(), "link_followed unreadable ");
  EXPECT_EQ(as_text(*stored_content(stored, "settings")), "content");
}

TEST_F(FilesTest, AFileThatTheConfigurationNoLongerNamesGoesBesideTheOthers) {
  Path a = write("p/a", "a"), b = write("p/b", "b");
  tree::NodePtr stored = capture_set({{a, b}, std::nullopt});
  std::filesystem::remove_all(folder.path() / "p");
  apply_set({{folder.path() / "q/a"}, std::nullopt}, stored);
  EXPECT_EQ(codes(), "not_in_configuration ");
  EXPECT_EQ(as_text(read(folder.path() / "q/b")), "b");
}

TEST_F(FilesTest, SparseFilesAndOtherLayoutsOfHolesAreEqual) {
  Path path = write("disk", "start");
  std::filesystem::resize_file(path, 3 << 20);
  FileSet set{{path}, std::nullopt};
  tree::NodePtr stored = capture_set(set);
  EXPECT_TRUE(stored->child("disk")->entry().sparse);
  EXPECT_EQ(stored_content(stored, "disk")->size(), 3U << 20);
  std::string full = "start" + std::string((3 << 20) - 5, '\0');
  write("disk", full);
  auto results = check_files(set, stored, [](const Finding&) {});
  EXPECT_TRUE(results[1].passed) << "the same bytes without holes";
  full.back() = 'x';
  write("disk", full);
  EXPECT_FALSE(check_files(set, stored, [](const Finding&) {})[1].passed)
      << "a byte where the stored file has a hole";
  apply_set(set, stored);
  EXPECT_TRUE(check_files(set, stored, [](const Finding&) {})[1].passed);
}

TEST_F(FilesTest, TextsWithoutAFile) {
  testing::MemoryTree tree;
  CaptureContext c = context();
  capture_texts({{"identity.txt", "name: ns01\n"}}, tree, c);
  EXPECT_EQ(as_text(*stored_content(tree.root(), "identity.txt")), "name: ns01\n");
  EXPECT_EQ(stored_content(tree.root(), "other"), std::nullopt);
}

}  // namespace
}  // namespace holdfast::item
