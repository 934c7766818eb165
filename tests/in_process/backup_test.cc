// One backup run: what it keeps, what it says, and what it leaves when it fails.
#include "ground.h"

namespace holdfast {
namespace {

using repository::ItemStatus;
using repository::PointStatus;

const repository::StoredItem& item(const backup::Report& report, const std::string& name) {
  for (const auto& i : report.items)
    if (i.name == name) return i;
  throw Error(Code::not_found, "the report has no item " + name);
}

// Does something once, when the run reads its first bytes.
class Meanwhile final : public ProgressSink {
 public:
  explicit Meanwhile(std::function<void()> act) : act_(std::move(act)) {}
  void begin(const std::string&, std::uint64_t) override {}
  void end() override {}
  void add(std::uint64_t, std::uint64_t) override {
    if (auto act = std::exchange(act_, nullptr)) act();
  }

 private:
  std::function<void()> act_;
};

class BackupRun : public Ground {};

TEST_F(BackupRun, AWholeSampleIsCompleteAndAnUnchangedSecondRunReadsNearlyNothing) {
  system::System system = load();
  auto first = back_up(system);
  EXPECT_EQ(first.scope, repository::Scope::full);
  EXPECT_EQ(first.items.size(), system.items.size());
  auto second = back_up(system);
  for (const auto& report : {first, second}) {
    EXPECT_EQ(all_text(report.findings), "");
    EXPECT_EQ(report.status, PointStatus::complete);
    for (const auto& i : report.items) EXPECT_EQ(i.status, ItemStatus::complete) << i.name << ": " << all_text(i.findings);
  }
  EXPECT_LT(second.bytes_read, first.bytes_read / 2);
  EXPECT_LT(second.bytes_stored, first.bytes_stored / 10);
  EXPECT_EQ(repository->points().size(), 2U);
}

TEST_F(BackupRun, AFailedItemThatIsNotCriticalIsAFinding) {
  std::filesystem::remove_all(server / "ProgramData/Symantec/SMP/Licenses");
  auto report = back_up(load());
  EXPECT_EQ(report.status, PointStatus::complete_with_findings);
  EXPECT_EQ(item(report, "licences").status, ItemStatus::failed);
  EXPECT_FALSE(item(report, "licences").findings.at(0).hint.empty());
  EXPECT_EQ(item(report, "cmdb").status, ItemStatus::complete);
}

TEST_F(BackupRun, AFailedCriticalItemMakesThePointIncompleteAndKeepsTheRest) {
  std::filesystem::remove(server / "ProgramData/Symantec/SMP/Settings/CoreSettings.config");
  auto report = back_up(load());
  EXPECT_EQ(report.status, PointStatus::incomplete);
  EXPECT_EQ(item(report, "core-settings").status, ItemStatus::failed);
  auto point = repository->load(report.point);
  EXPECT_NE(repository->open_item(point, "cmdb"), nullptr);
}

TEST_F(BackupRun, AnUnreadableDatabaseSaysNothingAboutTheKeys) {
  std::ofstream(database, std::ios::trunc) << "this is no database, and it is long enough to be looked at as one, is it not?";
  std::filesystem::remove(Path(database) += "-wal");
  auto report = back_up(load());
  EXPECT_EQ(report.status, PointStatus::incomplete);
  EXPECT_EQ(item(report, "cmdb").status, ItemStatus::failed);
  EXPECT_EQ(item(report, "kms-keys").status, ItemStatus::complete);
  EXPECT_EQ(count(report.findings, "keys_not_checked"), 1) << all_text(report.findings);
}

TEST_F(BackupRun, AFullRepositoryIsAnErrorAtEveryPutAndNeverAFailedItem) {
  system::System system = load();
  auto small = back_up(system, {{"identity"}, ""});
  store.reset();
  // How many puts a run needs is counted by running; every one of them fails once.
  for (std::uint64_t nth = 1, failed = 0;; ++nth) {
    store.fail(nth, store::FaultyStore::Repeat::from_then_on, Code::no_space, store::StoreCall::put);
    std::optional<backup::Report> report;
    auto error = error_of([&] { report = back_up(system, {{"kms-keys", "licences", "core-settings"}, ""}); });
    store.reset();
    ASSERT_EQ(repository->points().size(), error ? 1U : 2U);
    if (!error) {
      EXPECT_EQ(report->status, PointStatus::complete);
      EXPECT_GE(failed, 2U) << "too few puts were tried";
      break;
    }
    EXPECT_EQ(error->code(), Code::no_space);
    ++failed;
    EXPECT_NE(repository->open_item(repository->load(small.point), "identity"), nullptr);
    ASSERT_LT(nth, 100U);
  }
  EXPECT_TRUE(repository->check({repository::Level::content, 1.0, {}}).damaged.empty());
}

TEST_F(BackupRun, KeysThatChangeMeanwhileAreKeptTwice) {
  Path key = std::filesystem::directory_iterator(keys)->path();
  Meanwhile change([&] { std::filesystem::copy_file(key, keys / "another.kms"); });
  auto report = back_up(load(), {}, &change);
  EXPECT_EQ(count(report.findings, "changed_during_backup"), 1) << all_text(report.findings);
  EXPECT_EQ(item(report, "kms-keys.after").kind, "encryption_keys");
  auto point = repository->load(report.point);
  EXPECT_NE(tree::find(repository->open_item(point, "kms-keys.after"), "another.kms"), nullptr);
}

TEST_F(BackupRun, KeysThatAreGoneMeanwhileStayAsTheyWereCaptured) {
  Path away = folder.path() / "away";
  system::System system = load();
  bool moved = false;
  // Moved when the database is read: the keys come before it.
  struct AtDatabase final : ProgressSink {
    std::function<void()> act;
    std::uint64_t bytes = 0, limit = 0;
    void begin(const std::string&, std::uint64_t) override {}
    void end() override {}
    void add(std::uint64_t b, std::uint64_t) override {
      bytes += b;
      if (bytes > limit && act) std::exchange(act, nullptr)();
    }
  } sink;
  sink.limit = 20'000;   // identity, products and keys are smaller, the database is larger
  sink.act = [&] { std::filesystem::rename(keys, away); moved = true; };
  auto report = back_up(system, {}, &sink);
  ASSERT_TRUE(moved);
  EXPECT_EQ(count(report.findings, "changed_during_backup"), 1) << all_text(report.findings);
  EXPECT_NE(repository->open_item(repository->load(report.point), "kms-keys"), nullptr);
}

TEST_F(BackupRun, KeysThatDoNotOpenTheDatabaseMakeThePointIncomplete) {
  sql("UPDATE RunAsAccount SET EncryptedPassword = zeroblob(length(EncryptedPassword))");
  auto report = back_up(load());
  EXPECT_EQ(report.status, PointStatus::incomplete);
  const auto& stored = item(report, "kms-keys");
  EXPECT_EQ(stored.status, ItemStatus::failed);
  EXPECT_EQ(count(stored.findings, "keys_do_not_fit"), 1) << all_text(stored.findings);
  // What was read is kept: it may be all that there is.
  EXPECT_NE(repository->open_item(repository->load(report.point), "kms-keys"), nullptr);
  // The database alone: said as well, but nothing of it fails.
  auto alone = back_up(load(), {{"cmdb"}, ""});
  EXPECT_EQ(alone.status, PointStatus::complete_with_findings);
  EXPECT_EQ(count(alone.findings, "keys_do_not_fit"), 1);
  // Neither of them: nothing to say.
  EXPECT_EQ(back_up(load(), {{"licences"}, ""}).status, PointStatus::complete);
}

TEST_F(BackupRun, ProductsThatChangeMeanwhileAreToldAndSoIsADatabaseOfAnotherVersion) {
  Meanwhile upgrade([&] { edit_registry("s/8\\.7\\.1253\\.0/8.7.9999.0/"); });
  auto report = back_up(load(), {}, &upgrade);
  EXPECT_EQ(count(report.findings, "versions_changed"), 1) << all_text(report.findings);
  EXPECT_EQ(count(report.findings, "items_do_not_fit"), 0);
  auto next = back_up(load());
  EXPECT_EQ(count(next.findings, "versions_changed"), 0);
  EXPECT_EQ(count(next.findings, "items_do_not_fit"), 1) << all_text(next.findings);
  EXPECT_EQ(count(next.findings, "package_stale"), 1) << all_text(next.findings);
  EXPECT_EQ(next.status, PointStatus::complete_with_findings);
}

TEST_F(BackupRun, ARegistryThatNamesAnotherRootCertificateIsAFinding) {
  edit_registry("s/\"Thumbprint\"=\"...../\"Thumbprint\"=\"00000/");
  auto report = back_up(load());
  EXPECT_EQ(count(report.findings, "agent_ca_mismatch"), 1) << all_text(report.findings);
  EXPECT_EQ(count(back_up(load(), {{"registry"}, ""}).findings, "agent_ca_mismatch"), 0);
}

TEST_F(BackupRun, CancelEndsItWithoutAPointAndTheNextRunGoesOn) {
  Meanwhile stop([&] { cancel.raise(); });
  auto error = error_of([&] { back_up(load(), {}, &stop); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), Code::interrupted);
  EXPECT_TRUE(repository->points().empty());
}

TEST_F(BackupRun, CoverageTellsWhatNobodyTakes) {
  auto write = [&](const Path& p) {
    std::filesystem::create_directories(p.parent_path());
    std::ofstream(p) << "x";
  };
  write(server / "Extra/one.txt");
  write(server / "Extra/two.txt");
  write(server / "Database/notes.txt");
  write(server / "Temporary/x");
  write(server / "Program Files/Altiris/Notification Server/made-here.config");
  write(server / "backups/holdfast/pack/x");
  std::ofstream(Path(database) += ".20260101-set-aside") << "x";
  system::System system = load("[[excluded]]\npath = \"server/Temporary\"\nreason = \"nothing in it is needed\"\n[copy.second]\nrepository = \"server/backups\"");
  auto found = backup::uncovered(system, adapters, world, backup::own_places(system, "memory"));
  std::vector<std::string> where;
  for (const Finding& f : found) {
    EXPECT_EQ(f.code, "not_covered");
    where.push_back(Path(f.object).lexically_relative(server).string());
  }
  for (const char* wanted : {"Extra", "Database/notes.txt", "Program Files/Altiris/Notification Server/made-here.config"})
    EXPECT_EQ(std::count(where.begin(), where.end(), wanted), 1) << wanted << "\n" << all_text(found);
  for (const std::string& w : where) {
    EXPECT_FALSE(w.starts_with("Temporary") || w.starts_with("backups") || w.starts_with("Extra/")) << w;
    EXPECT_FALSE(w.starts_with("Program Files") && !w.ends_with("made-here.config")) << w;
  }
  auto review = backup::review(system, {{"cmdb"}, ""}, adapters, world);
  EXPECT_EQ(review.chosen.size(), 1U);
  EXPECT_EQ(review.left_out.size(), system.items.size() - 1);
  EXPECT_EQ(review.excluded.size(), 1U);
  EXPECT_EQ(review.not_covered.size(), found.size());
}

TEST_F(BackupRun, AFolderThatCannotBeListedIsNotTakenForCovered) {
  files.unlistable = server / "Shares";
  auto report = back_up(load());
  EXPECT_EQ(report.status, PointStatus::complete_with_findings);
  EXPECT_EQ(count(report.findings, "not_covered"), 1) << all_text(report.findings);
}

TEST_F(BackupRun, AProfilesItemWithoutAPlaceIsNotCovered) {
  sample::output({"sed", "-i", "/^\\[item.hierarchy-sheet\\]/,/^$/d", (dir / "holdfast.toml").string()});
  auto report = back_up(load());
  auto found = std::find_if(report.findings.begin(), report.findings.end(), [](const Finding& f) { return f.object == "hierarchy-sheet"; });
  ASSERT_NE(found, report.findings.end()) << all_text(report.findings);
  EXPECT_EQ(found->code, "not_covered");
}

TEST_F(BackupRun, ItemsAndSectionsAreChosenByNameAndUnknownOnesHaveANearest) {
  sample::output({"sed", "-i", "s|^path = \"server/Packages\"|excluded = \"on another server\"|", (dir / "holdfast.toml").string()});
  system::System system = load();
  auto names = [&](const backup::Selection& s) {
    std::vector<std::string> all;
    for (const auto* i : backup::select(system, s)) all.push_back(i->name);
    return all;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(names({{"cmdb", "kms-keys"}, ""}), (Names{"kms-keys", "cmdb"}));   // capture order, not the order of asking
  EXPECT_EQ(names({{}, "packages"}), (Names{"install-package", "patch-packages"}));
  EXPECT_EQ(names({{"cmdb"}, "packages"}), (Names{"cmdb", "install-package", "patch-packages"}));
  EXPECT_EQ(names({}).size(), system.items.size() - 1);
  auto unknown = error_of([&] { names({{"kms-kees"}, ""}); });
  ASSERT_TRUE(unknown);
  EXPECT_EQ(unknown->code(), Code::unknown_name);
  EXPECT_NE(unknown->hint().find("kms-keys"), std::string::npos);
  auto section = error_of([&] { names({{}, "packags"}); });
  ASSERT_TRUE(section);
  EXPECT_EQ(section->code(), Code::unknown_name);
  EXPECT_NE(section->hint().find("packages"), std::string::npos);
  auto excluded = error_of([&] { names({{"software-packages"}, ""}); });
  ASSERT_TRUE(excluded);
  EXPECT_EQ(excluded->code(), Code::precondition);
  EXPECT_EQ(back_up(system).scope, repository::Scope::full);
  EXPECT_EQ(back_up(system, {{}, "packages"}).scope, repository::Scope::partial);
}

}  // namespace
}  // namespace holdfast
