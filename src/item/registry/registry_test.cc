#include "item/registry/registry.h"

#include "item/registry/reg_file.h"
#include "item/testing/fixture.h"

namespace holdfast::item {
namespace {

const std::string kRoot = "HKEY_LOCAL_MACHINE\\SOFTWARE\\Altiris\\eXpress\\Notification Server";
const std::string kThumbprint = "0123456789ABCDEF0123456789ABCDEF01234567";

RegFile server(const std::string& thumbprint = kThumbprint) {
  return {{{kRoot,
            false,
            {{"InstallPath", false, RegType::sz, reg_sz("C:\\Program Files")},
             {"Port", false, RegType::dword, reg_dword(80)}}},
           {kRoot + "\\AppIdentity",
            false,
            {{"user", false, RegType::sz, reg_sz("EXAMPLE\\svc")},
             {"pwd", false, RegType::binary, to_bytes("GEHEIM")}}},
           {kRoot + "\\CA\\Agent", false, {{"Thumbprint", false, RegType::sz, reg_sz(thumbprint)}}}}};
}

class Registry : public testing::ItemTest {
 protected:
  tree::NodePtr stored(const RegFile& file) {
    write("server/ns.reg", write_reg_file(file), 0600);
    return capture(adapter, spec);
  }
  RegistryAdapter adapter;
  ItemSpec spec =
      testing::spec_of("registry", "registry", {{"path", (folder.path() / "server/ns.reg").string()}});
};

TEST_F(Registry, ComesBackAsItWas) {
  const Path path = write("server/ns.reg", write_reg_file(server()), 0600);
  expect_round_trip(adapter, spec, {path});
  EXPECT_EQ(codes(), "");
  EXPECT_EQ(fact("keys"), "3");
  EXPECT_EQ(fact("values"), "5");
  EXPECT_EQ(fact("agent_ca_thumbprint"), kThumbprint);
}

TEST_F(Registry, DamageFailsTheItemAndNamesTheLine) {
  Bytes bytes = write_reg_file(server());
  bytes.resize(bytes.size() * 3 / 4);
  write("server/ns.reg", bytes);
  const Error e = error_of([&] { capture(adapter, spec); });
  EXPECT_EQ(e.code(), Code::damaged);
  EXPECT_NE(e.message().find("ns.reg: line "), std::string::npos) << e.message();
  write("server/ns.reg", write_reg_file({}));
  EXPECT_EQ(error_of([&] { capture(adapter, spec); }).code(), Code::damaged);
  std::filesystem::remove(folder.path() / "server/ns.reg");
  EXPECT_EQ(error_of([&] { capture(adapter, spec); }).code(), Code::not_found);
}

TEST_F(Registry, AThumbprintThatNoAgentCanUseIsFound) {
  stored(server("\xE2\x80\x8E" +
                kThumbprint));  // an invisible left-to-right mark, as copied from a certificate's dialog
  EXPECT_TRUE(found("thumbprint_malformed")) << codes();
}

TEST_F(Registry, DifferenceIsByValueAndShowsNoSecret) {
  const auto before = stored(server());
  RegFile changed = server();
  changed.keys[0].path =
      "HKEY_LOCAL_MACHINE\\Software\\ALTIRIS\\eXpress\\Notification Server";  // no change: only spelling
  changed.keys[0].values[0].data = reg_sz("D:\\Program Files");
  changed.keys[0].values[1] = {"Port", true, RegType::none, {}};
  changed.keys[1].values[1].data = to_bytes("ANDERS");
  changed.keys[2].values.push_back({"", false, RegType::none, {}});
  const auto after = stored(changed);
  const std::string said = testing::text_of(adapter.diff(before, after));
  const std::string root = changed.keys[0].path;
  EXPECT_EQ(said, "~ " + kRoot + "\\AppIdentity\\pwd | (changed) | (changed)\n"
                  "+ " + kRoot + "\\CA\\Agent\\@ |  | none 0 bytes\n"
                  "~ " + root + "\\InstallPath | sz \"C:\\Program Files\" | sz \"D:\\Program Files\"\n"
                  "~ " + root + "\\Port | dword 80 (0x00000050) | (deleted)\n");
  EXPECT_EQ(everything_said().find("GEHEIM"), std::string::npos);
  EXPECT_TRUE(adapter.diff(before, before).empty());
}

TEST_F(Registry, DifferenceOfWhatIsMissingOrDamagedIsByFile) {
  const auto good = stored(server());
  tree::Entry root, file;
  root.kind = tree::Kind::directory;
  file.name = "ns.reg";
  file.size = 3;
  const auto bad = testing::make_directory(root, {testing::make_file(file, to_bytes("bad"))});
  EXPECT_FALSE(adapter.diff(good, bad).empty());
  EXPECT_FALSE(adapter.diff(nullptr, good).empty());
  EXPECT_FALSE(adapter.diff(good, nullptr).empty());
}

}  // namespace
}  // namespace holdfast::item
