#include "item/record/record.h"

#include "item/testing/fixture.h"

namespace holdfast::item {
namespace {

class Record : public testing::ItemTest {
 protected:
  tree::NodePtr capture_generated(const ItemSpec& spec, std::optional<std::string> text) {
    testing::MemoryTree tree;
    CaptureContext c = context();
    c.generated = [&](const std::string& what) { return what == "identity" ? text : std::nullopt; };
    adapter.capture(spec, tree, c);
    return tree.root();
  }
  RecordAdapter adapter;
  ItemSpec identity = testing::spec_of("identity", "record", {{"generated", std::string("identity")}});
};

TEST_F(Record, AFileComesBackAsItWas) {
  const Path path = write("docs/cem-sheet.txt", "Gateway: gw01\n");
  const ItemSpec spec = testing::spec_of("cem-sheet", "record", {{"path", path.string()}});
  expect_round_trip(adapter, spec, {path});
  EXPECT_EQ(adapter.covers(spec), std::vector<Path>{path});
}

TEST_F(Record, AMadeTextIsStoredAndOnlyWrittenElsewhere) {
  const auto stored = capture_generated(identity, "host: ns01\n");
  EXPECT_EQ(stored_content(stored, "identity.txt"), to_bytes("host: ns01\n"));
  EXPECT_EQ(tree::find(stored, "identity.txt")->entry().mode, 0600U);
  EXPECT_TRUE(adapter.covers(identity).empty());
  const Path to = folder.path() / "out";
  std::filesystem::create_directory(to);
  apply(adapter, identity, stored);
  EXPECT_TRUE(std::filesystem::is_empty(to));
  EXPECT_TRUE(check(adapter, identity, stored).empty());
  apply(adapter, identity, stored, to);
  EXPECT_EQ(read(to / "identity.txt"), to_bytes("host: ns01\n"));
  EXPECT_EQ(world.files.info(to / "identity.txt")->mode, 0600U);
  EXPECT_EQ(adapter.diff(stored, capture_generated(identity, "host: ns02\n")).size(), 1U);
}

TEST_F(Record, WhatCannotBeMadeFailsTheItem) {
  EXPECT_EQ(error_of([&] { capture_generated(identity, std::nullopt); }).code(), Code::precondition);
  EXPECT_EQ(error_of([&] { capture(adapter, identity); }).code(), Code::precondition);
  EXPECT_EQ(error_of([&] { capture(adapter, testing::spec_of("x", "record", {})); }).code(), Code::config);
  identity.options["path"] = std::string("/etc/hostname");
  EXPECT_EQ(error_of([&] { capture_generated(identity, "x"); }).code(), Code::config);
}

}  // namespace
}  // namespace holdfast::item
