// "If this server burns now": everything that `status` can say, each said when it is so and only then.
#include "ground.h"
#include "store/local_store.h"

namespace holdfast {
namespace {

class StatusTest : public Ground {
 protected:
  // Without an objective; what is stated is looked at by a test of its own.
  void SetUp() override { system.recovery_point.reset(); kit = folder.path() / "kit"; std::filesystem::create_directory(kit); }

  backup::Status look() { return backup::status(system, adapters, world, *repository, kit.string()); }
  Findings attention() { return look().attention; }
  void prove(const repository::PointId& id, bool ok = true) { repository->record_verification(id, repository::Level::content, ok); }
  void pass_days(int n) { clock.advance(std::chrono::hours(24 * n)); }

  system::System system = load();
  Path kit;
};

using Codes = std::vector<std::string>;

TEST_F(StatusTest, NothingYet) {
  auto found = attention();
  EXPECT_EQ(count(found, "nothing_to_recover"), 1) << all_text(found);
  EXPECT_EQ(count(found, "item_missing"), static_cast<long>(system.items.size()));
}

TEST_F(StatusTest, GoodWhenThereIsNothingToSay) {
  auto report = back_up(system);
  EXPECT_EQ(codes(attention()), Codes{"not_proven"}) << all_text(attention());
  prove(report.point);
  auto s = look();
  EXPECT_EQ(codes(s.attention), Codes{}) << all_text(s.attention);
  ASSERT_TRUE(s.newest_good);
  EXPECT_EQ(s.newest_good->id, report.point);
  for (const auto& line : s.items) EXPECT_EQ(line.problem, "") << line.item->name;
  EXPECT_FALSE(s.outside.empty());
}

TEST_F(StatusTest, StaleAfterTwoDays) {
  prove(back_up(system).point);
  pass_days(1);
  EXPECT_EQ(codes(attention()), Codes{});
  pass_days(2);
  EXPECT_EQ(codes(attention()), Codes{"stale"});
}

TEST_F(StatusTest, AStatedObjectiveSaysWhenAPointIsStale) {
  system.recovery_point = Span{6, Span::Unit::hours};
  prove(back_up(system).point);
  clock.advance(std::chrono::hours(5));
  EXPECT_EQ(codes(attention()), Codes{});
  clock.advance(std::chrono::hours(1));
  auto found = attention();
  ASSERT_EQ(codes(found), Codes{"stale"});
  EXPECT_NE(found.front().message.find("no more than 6h"), std::string::npos) << found.front().message;
}

TEST_F(StatusTest, AKitGetsOldAndOneThatWasCarriedAwayIsGood) {
  pass_days(29);
  prove(back_up(system).point);
  EXPECT_EQ(codes(attention()), Codes{});
  pass_days(1);
  EXPECT_EQ(codes(attention()), Codes{"stale_kit"});
  std::filesystem::remove(kit);
  EXPECT_EQ(codes(attention()), Codes{});
  kit.clear();
  EXPECT_EQ(codes(attention()), Codes{"no_kit"});
}

TEST_F(StatusTest, APointFromTheFutureAndAnItemThatFailed) {
  prove(back_up(system).point);
  clock.set({clock.now().seconds - 86'400, 0});
  EXPECT_EQ(codes(attention()), Codes{"dated_in_future"});
  clock.set({clock.now().seconds + 86'400, 0});
  std::filesystem::remove_all(server / "ProgramData/Symantec/SMP/Licenses");
  prove(back_up(system).point);
  auto s = look();
  EXPECT_EQ(codes(s.attention), Codes{"item_missing"}) << all_text(s.attention);
  auto line = std::find_if(s.items.begin(), s.items.end(), [](const auto& l) { return l.item->name == "licences"; });
  EXPECT_EQ(line->problem, "failed in the newest point that tried it");
  EXPECT_TRUE(line->point);
}

TEST_F(StatusTest, ADamagedPointIsNotWhatComesBack) {
  auto first = back_up(system), second = back_up(system);
  prove(first.point);
  prove(second.point, false);
  auto s = look();
  EXPECT_EQ(codes(s.attention), Codes{"point_damaged"}) << all_text(s.attention);
  EXPECT_EQ(s.newest_good->id, first.point);
}

TEST_F(StatusTest, CertificatesRunOut) {
  prove(back_up(system).point);
  auto end_of = [&](const std::string& item) {
    auto point = repository->load(look().newest_good->id);
    auto found = std::find_if(point.items.begin(), point.items.end(), [&](const auto& i) { return i.name == item; });
    return parse_utc(repository::fact(found->facts, "not_after")).value().seconds;
  };
  std::int64_t web = end_of("web-config"), root = end_of("root-certificate");
  clock.set({web - 30 * 86'400, 0});
  auto soon = attention();
  EXPECT_EQ(count(soon, "certificate_expires"), 1) << all_text(soon);
  EXPECT_EQ(count(soon, "certificate_expired"), 0);
  clock.set({root + 86'400, 0});
  auto late = attention();
  EXPECT_EQ(count(late, "certificate_expired"), 3) << all_text(late);
  EXPECT_EQ(count(late, "certificate_expires"), 0);
}

TEST_F(StatusTest, ProductsNewerThanThePackageAndAForeignRootCertificate) {
  prove(back_up(system).point);
  edit_registry("s/8\\.7\\.1253\\.0/8.7.9999.0/");
  auto found = attention();
  EXPECT_EQ(codes(found), Codes{"package_stale"}) << all_text(found);
  EXPECT_NE(found.at(0).message.find("Symantec Management Platform: installed 8.7.9999.0, the package has 8.7.1253.0"), std::string::npos);
  edit_registry("s/8\\.7\\.9999\\.0/8.7.1253.0/;s/\"Thumbprint\"=\"...../\"Thumbprint\"=\"00000/");
  EXPECT_EQ(codes(attention()), Codes{});   // what is live is seen by the next backup
  prove(back_up(system).point);
  EXPECT_EQ(codes(attention()), Codes{"agent_ca_mismatch"});
}

TEST_F(StatusTest, WhereTheRepositoryLies) {
  Path place = folder.path() / "repository";
  auto local = store::open_local_store(files, place, true);
  auto there = repository::create({*local, clock, entropy, &state, "ns01", "test"}, repository::password_secret(as_bytes("x")), {8, 1}).repository;
  std::swap(there, repository);
  auto report = back_up(system);
  EXPECT_EQ(codes(report.findings), Codes{"same_disk"});
  EXPECT_EQ(report.status, repository::PointStatus::complete) << "it is the place, not the point";
  EXPECT_TRUE(report.has_findings());
  prove(report.point);
  EXPECT_EQ(codes(attention()), Codes{"same_disk"});
  std::filesystem::permissions(place, std::filesystem::perms(0755));
  EXPECT_EQ(codes(attention()), (Codes{"open_to_others", "same_disk"}));
  std::filesystem::permissions(place, std::filesystem::perms(0700));
  system.copies = {{"away", "s3:https://backup.example.test/bucket"}};
  EXPECT_EQ(codes(attention()), Codes{});
  system.copies = {{"near", (folder.path() / "copy").string()}};
  std::filesystem::create_directory(folder.path() / "copy");
  EXPECT_EQ(codes(attention()), Codes{"same_disk"});
  system.copies = {{"away", "/dev/shm"}};
  EXPECT_EQ(codes(attention()), Codes{});
  EXPECT_FALSE(back_up(system).has_findings());
}

TEST_F(StatusTest, ARolledBackRepositoryIsTold) {
  prove(back_up(system).point);
  auto before = memory.objects();
  back_up(system);
  memory.set_objects(before);
  repository = repository::open({store, clock, entropy, &state, "ns01", "test"}, repository::password_secret(as_bytes("correct horse")));
  auto found = attention();
  EXPECT_GE(count(found, "history"), 1) << all_text(found);
}

TEST_F(StatusTest, WhatIsNotCoveredAndWhatIsLeftOutOnPurpose) {
  prove(back_up(system).point);
  std::filesystem::create_directories(server / "Extra/inside");
  EXPECT_EQ(codes(attention()), Codes{"not_covered"});
  system = load("[[excluded]]\npath = \"server/Extra\"\nreason = \"not needed\"");
  auto s = look();
  EXPECT_EQ(codes(s.attention), Codes{});
  ASSERT_EQ(s.excluded.size(), 1U);
  EXPECT_EQ(s.excluded.front().reason, "not needed");
}

}  // namespace
}  // namespace holdfast
