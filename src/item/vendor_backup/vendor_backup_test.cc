#include "item/vendor_backup/vendor_backup.h"

#include "crypto/hash.h"
#include "item/testing/fixture.h"

namespace holdfast::item {
namespace {

constexpr std::int64_t kNow = 1'795'312'800, kDay = 24 * 60 * 60;   // of ManualClock

class VendorBackup : public testing::ItemTest {
 protected:
  void SetUp() override {
    backup = write("b/NS.backup", as_text(content), 0600, kNow - kDay);
    password = write("p/backup.password", "GEHEIM\n", 0600);
    clock.set({kNow, 0});
    spec.options["path"] = backup.string();
    spec.options["password_file"] = password.string();
  }
  Bytes content = Bytes(300000, 0xA5);
  Path backup, password;
  VendorBackupAdapter adapter;
  ItemSpec spec = testing::spec_of("vendor-backup", "vendor_backup", {});
};

TEST_F(VendorBackup, ComesBackWithItsPassword) {
  const auto stored = expect_round_trip(adapter, spec, {backup, password});
  EXPECT_EQ(codes(), "");
  EXPECT_EQ(fact("sha256"), crypto::sha256(content).hex());
  EXPECT_EQ(fact("date"), "2026-11-21T02:00:00Z");
  EXPECT_EQ(everything_said().find("GEHEIM"), std::string::npos);
  EXPECT_EQ(stored_content(stored, "backup.password"), to_bytes("GEHEIM\n"));
}

TEST_F(VendorBackup, APasswordThatIsNotKeptIsFound) {
  write("p/backup.password", "");
  capture(adapter, spec);
  EXPECT_EQ(codes(), "password_not_kept ");
  std::filesystem::remove(password);
  capture(adapter, spec);
  EXPECT_EQ(codes(), "missing_file password_not_kept ");
  spec.options.erase("password_file");
  capture(adapter, spec);
  EXPECT_EQ(codes(), "password_not_kept ");
}

TEST_F(VendorBackup, AnOldOneIsStale) {
  clock.set({kNow + 29 * kDay, 0});
  capture(adapter, spec);
  EXPECT_EQ(codes(), "");
  clock.set({kNow + 29 * kDay + 1, 0});
  capture(adapter, spec);
  EXPECT_EQ(codes(), "vendor_backup_stale ");
}

TEST_F(VendorBackup, NoneOrAnEmptyOneFailsTheItem) {
  write("b/NS.backup", "");
  EXPECT_EQ(error_of([&] { capture(adapter, spec); }).code(), Code::damaged);
  std::filesystem::remove(backup);
  EXPECT_EQ(error_of([&] { capture(adapter, spec); }).code(), Code::not_found);
}

TEST_F(VendorBackup, OneLargerThanMemoryAllowsIsHashedToo) {
  std::filesystem::resize_file(backup, kKeptInMemory + 12345);
  capture(adapter, spec);
  content.resize(kKeptInMemory + 12345);
  EXPECT_EQ(fact("sha256"), crypto::sha256(content).hex());
}

TEST_F(VendorBackup, ADifferenceDoesNotShowThePassword) {
  const auto before = capture(adapter, spec);
  write("p/backup.password", "ANDERS\n", 0600);
  const std::string said = testing::text_of(adapter.diff(before, capture(adapter, spec)));
  EXPECT_NE(said.find("backup.password"), std::string::npos) << said;
  EXPECT_EQ(said.find("GEHEIM"), std::string::npos);
  EXPECT_EQ(said.find("ANDERS"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::item
