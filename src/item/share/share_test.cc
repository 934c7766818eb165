#include "item/share/share.h"

#include <gtest/gtest.h>

#include "item/testing/fixture.h"

namespace holdfast::item {
namespace {

const std::string kShare =
    "[share]\nname = \"SoftwareLibrary\"\nunc = '\\\\ns01\\SoftwareLibrary'\npath = 'D:\\Library'\ncomment = "
    "\"packages\"\n"
    "[[permission]]\naccount = 'EXAMPLE\\agents'\naccess = \"read\"\ntype = \"allow\"\n"
    "[[permission]]\naccount = 'EXAMPLE\\admins'\naccess = \"full\"\ntype = \"allow\"\n";

class ShareTest : public testing::ItemTest {
 protected:
  ItemSpec spec_of(const Path& path) {
    ItemSpec spec;
    spec.name = "software-library-share";
    spec.kind = "share";
    spec.options["path"] = path.string();
    return spec;
  }
  ShareAdapter adapter;
};

TEST_F(ShareTest, RoundTripWithFacts) {
  Path path = write("Shares/SoftwareLibrary.share", kShare);
  ItemSpec spec = spec_of(path);
  expect_round_trip(adapter, spec, {path});
  write("Shares/SoftwareLibrary.share", kShare);
  capture(adapter, spec);
  EXPECT_EQ(fact("unc"), "\\\\ns01\\SoftwareLibrary");
  EXPECT_EQ(fact("permissions"), "2");
}

TEST_F(ShareTest, DiffAndCheckSpeakOfKeys) {
  Path path = write("s.share", kShare);
  ItemSpec spec = spec_of(path);
  tree::NodePtr before = capture(adapter, spec);
  std::string changed = kShare;
  changed.replace(changed.find("\"full\""), 6, "\"read\"");
  write("s.share", changed);
  std::vector<Change> changes = adapter.diff(before, capture(adapter, spec));
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].where, "permission EXAMPLE\\admins (allow)");
  EXPECT_EQ(changes[0].before, "full");
  EXPECT_EQ(changes[0].after, "read");
  std::vector<CheckResult> results = check(adapter, spec, before);
  EXPECT_FALSE(results.back().passed);
  EXPECT_EQ(results.back().detail, "permission EXAMPLE\\admins (allow)");
  EXPECT_EQ(adapter.diff(nullptr, before).size(), 6U);
}

TEST_F(ShareTest, ADescriptionThatCannotBeReadFailsTheItem) {
  for (const std::string& text :
       {std::string("no toml"), std::string("[share]\nname = 3\n"), std::string("x = 1\n"),
        kShare + "[[permission]]\naccount = 'x'\naccess = 'write'\ntype = 'allow'\n",
        "permission = 1\n" + kShare.substr(0, kShare.find("[[")), std::string("\xff\xfe")}) {
    Path path = write("s.share", text);
    Error error = error_of([&] { capture(adapter, spec_of(path)); });
    EXPECT_EQ(error.code(), Code::damaged) << text;
    EXPECT_NE(error.message().find("s.share"), std::string::npos);
  }
}

}  // namespace
}  // namespace holdfast::item
