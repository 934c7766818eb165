#include <gtest/gtest.h>

#include "base/error.h"
#include "item/install_package/install_package.h"

namespace holdfast::item {
namespace {

constexpr const char* kGood = R"([package]
made = 2026-01-05T08:00:00Z
platform_version = "8.7.1253.0"

[[product]]
name = "Symantec Management Platform"
id = "{D0E33520-C160-11D2-8612-00104B74A9DF}"
version = "8.7.1253.0"
[[product]]
name = "Patch"
id = "{1}"
version = "8.7.1200.0"
)";

std::string damage(const std::string& text) {
  try {
    parse_package(as_bytes(text), "package.toml");
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::damaged);
    return e.message();
  }
  return "no error";
}

TEST(Package, ReadsProductsAndPlatform) {
  const InstallPackage p = parse_package(as_bytes(kGood), "package.toml");
  EXPECT_EQ(p.made, "2026-01-05T08:00:00Z");
  EXPECT_EQ(p.platform_version, "8.7.1253.0");
  ASSERT_EQ(p.products.size(), 2U);
  EXPECT_EQ(p.products[1], (PackageProduct{"Patch", "{1}", "8.7.1200.0"}));
}

TEST(Package, DamageNamesFileAndLine) {
  EXPECT_EQ(damage(""), "cannot read package.toml: there is no [package]");
  EXPECT_EQ(damage("[package]\nplatform_version = \"1\"\n"),
            "cannot read package.toml: there is no [[product]]");
  EXPECT_EQ(damage("[package]\nplatform_version = 1\n"),
            "cannot read package.toml: line 1: 'platform_version' is missing or not a text");
  EXPECT_TRUE(
      damage("[package]\nplatform_version = \"1\nx").starts_with("cannot read package.toml: line 2: "));
  EXPECT_EQ(damage("product = [1]\n[package]\nplatform_version = \"1\"\n"),
            "cannot read package.toml: line 1: a product that is not a table");
  EXPECT_EQ(damage("[package]\nplatform_version = \"1\"\n[[product]]\nname = \"a\"\nid = \"b\"\n"),
            "cannot read package.toml: line 3: 'version' is missing or not a text");
  EXPECT_TRUE(
      damage("a = " + std::string(5000, '[')).starts_with("cannot read package.toml: line 1: "));  // depth
  EXPECT_EQ(damage(std::string(5 << 20, '#')), "cannot read package.toml: it is larger than 4.2 MB");
}

}  // namespace
}  // namespace holdfast::item
