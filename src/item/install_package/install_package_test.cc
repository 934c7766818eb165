#include "item/install_package/install_package.h"

#include "item/testing/fixture.h"

namespace holdfast::item {
namespace {

constexpr std::string_view kPackage =
    "[package]\nmade = \"2026-01-05T08:00:00Z\"\nplatform_version = \"8.7\"\n"
    "[[product]]\nname = \"Platform\"\nid = \"{1}\"\nversion = \"8.7.1\"\n";

// Notes what it is given beside itself, and behaves as its file `mode` says.
constexpr std::string_view kSetup = R"(#!/bin/sh
printf '%s\n' "$@"
here=$(dirname "$0")
case $(cat "$here/mode") in
  fail) i=0; while [ $i -lt 20 ]; do echo "line $i" >&2; i=$((i+1)); done; exit 7 ;;
  installed) echo "already here" >&2; exit 11 ;;
esac
)";

class InstallPackageItem : public testing::ItemTest {
 protected:
  void SetUp() override {
    write("pkg/mode", "good");
    write("pkg/package.toml", kPackage);
    write("pkg/payload/program.bin", "program");
    write("pkg/setup", kSetup, 0755);
  }
  InstallPackageAdapter adapter;
  ItemSpec spec = testing::spec_of(
      "install-package", "install_package",
      {{"path", (folder.path() / "pkg").string()}, {"install_root", (folder.path() / "srv").string()}});
  InstallArguments arguments{"C:\\Program Files\\Altiris", "EXAMPLE\\svc $(touch x)", "Symantec_CMDB", false};
};

TEST_F(InstallPackageItem, ComesBackAsItWas) {
  const auto stored = expect_round_trip(adapter, spec,
                                        {folder.path() / "pkg/package.toml", folder.path() / "pkg/setup",
                                         folder.path() / "pkg/payload/program.bin"});
  EXPECT_EQ(codes(), "");
  EXPECT_EQ(fact("platform_version"), "8.7");
  EXPECT_EQ(fact("product Platform"), "8.7.1");
  EXPECT_EQ(stored_package(stored)->products.size(), 1U);
  EXPECT_EQ(adapter.covers(spec), std::vector<Path>{folder.path() / "pkg"});
}

TEST_F(InstallPackageItem, MissingPiecesAreFoundAndTheRestIsKept) {
  const Path package = folder.path() / "pkg";
  std::filesystem::permissions(package / "setup", std::filesystem::perms(0644));
  capture(adapter, spec);
  EXPECT_EQ(codes(), "package_incomplete ");
  std::filesystem::remove(package / "setup");
  std::filesystem::remove(package / "payload/program.bin");
  capture(adapter, spec);
  EXPECT_EQ(codes(), "package_incomplete package_incomplete ");
  std::filesystem::remove(package / "payload");
  std::filesystem::remove(package / "package.toml");
  const auto stored = capture(adapter, spec);
  EXPECT_EQ(codes(), "package_incomplete package_incomplete package_incomplete ");
  EXPECT_EQ(stored_package(stored), std::nullopt);
  EXPECT_NE(tree::find(stored, "mode"), nullptr);
  write("pkg/package.toml", "damaged");
  const auto damaged = capture(adapter, spec);
  EXPECT_TRUE(found("package_unreadable")) << codes();
  EXPECT_EQ(error_of([&] { stored_package(damaged); }).code(), Code::damaged);
  EXPECT_FALSE(adapter.diff(stored, damaged).empty());
}

TEST_F(InstallPackageItem, AMissingFolderFailsTheItem) {
  std::filesystem::remove_all(folder.path() / "pkg");
  EXPECT_EQ(error_of([&] { capture(adapter, spec); }).code(), Code::not_found);
}

TEST_F(InstallPackageItem, DifferenceIsByProductAndByFile) {
  const auto before = capture(adapter, spec);
  std::string newer(kPackage);
  newer.replace(newer.find("8.7.1"), 5, "8.7.2");
  write("pkg/package.toml", newer);
  const auto after = capture(adapter, spec);
  const std::string said = testing::text_of(adapter.diff(before, after));
  EXPECT_TRUE(said.starts_with("~ product Platform {1} | 8.7.1 | 8.7.2\n")) << said;
  EXPECT_NE(said.find("package.toml"), std::string::npos) << said;
}

TEST_F(InstallPackageItem, TheInstallerGetsItsArgumentsAsTheyAre) {
  arguments.repair = true;
  const auto result = install(spec, arguments, world, cancel);
  EXPECT_EQ(
      result.output,
      "--root\n" + (folder.path() / "srv").string() +
          "\n--install-path\nC:\\Program Files\\Altiris\n--application-identity\nEXAMPLE\\svc $(touch x)\n"
          "--database\nSymantec_CMDB\n--repair\n");
}

TEST_F(InstallPackageItem, AFailedInstallerSaysItsLastLines) {
  write("pkg/mode", "fail");
  Error e = error_of([&] { install(spec, arguments, world, cancel); });
  EXPECT_EQ(e.code(), Code::failed);
  EXPECT_NE(e.message().find("ended with 7; it said: line 12 | line 13"), std::string::npos) << e.message();
  EXPECT_TRUE(e.message().ends_with("line 19")) << e.message();
  write("pkg/mode", "installed");
  e = error_of([&] { install(spec, arguments, world, cancel); });
  EXPECT_EQ(e.code(), Code::already_exists);
  EXPECT_NE(e.message().find("already here"), std::string::npos);
  std::filesystem::remove(folder.path() / "pkg/setup");
  EXPECT_EQ(error_of([&] { install(spec, arguments, world, cancel); }).code(), Code::not_found);
  spec.options.erase("install_root");
  EXPECT_EQ(error_of([&] { install(spec, arguments, world, cancel); }).code(), Code::config);
}

}  // namespace
}  // namespace holdfast::item
