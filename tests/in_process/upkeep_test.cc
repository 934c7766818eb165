// The command line on a repository with scheduled points, some of them years old: retention and verification as a person or a script uses them.
#include <nlohmann/json.hpp>

#include "backup/verification.h"
#include "cli/run.h"
#include "ground.h"
#include "store/local_store.h"

namespace holdfast {
namespace {

using Json = nlohmann::json;
using repository::Level;

class Upkeep : public Ground {
 protected:
  Upkeep() {
    system = load();
    std::ofstream(folder.path() / "password") << "correct horse\n";
    std::filesystem::create_directory(folder.path() / "scratch");
    here.environment = {{"HOLDFAST_CONFIG", (dir / "holdfast.toml").string()},
                        {"HOLDFAST_PASSWORD_FILE", (folder.path() / "password").string()},
                        {"HOLDFAST_STATE", (folder.path() / "cli-state").string()},
                        {"TMPDIR", (folder.path() / "scratch").string()}};
    terminal.input_terminal = false;
    disk = store::open_local_store(files, dir / "repository", true);
    kept = repository::create({*disk, clock, entropy, &state, "ns01", "test"}, repository::password_secret(as_bytes("correct horse")), {8, 1}).repository;
  }

  int holdfast(std::vector<std::string> words) {
    terminal.printed.clear();
    terminal.printed_error.clear();
    return cli::run(words, "holdfast", here, adapters, cancel);
  }
  // The last line of what it says to a script.
  Json answer(std::vector<std::string> words, int expected = 0) {
    words.emplace_back("--json");
    EXPECT_EQ(holdfast(words), expected) << terminal.printed << terminal.printed_error;
    auto lines = split(terminal.printed, '\n');
    return Json::parse(lines.at(lines.size() - 2));
  }

  repository::PointId scheduled(std::int64_t age_in_hours) {
    repository::PointDraft draft;
    EXPECT_TRUE(from_hex(system.id, draft.system_id.bytes));
    draft.system_name = system.name;
    draft.origin = repository::Origin::scheduled;
    draft.started = draft.finished = {clock.now().seconds - age_in_hours * 3600, 0};
    return kept->begin_backup({nullptr, nullptr, 1})->publish(draft);
  }
  repository::PointId real_point() {
    backup::Environment environment{system, adapters, here, *kept, progress, cancel, 2};
    return backup::run({{}, "", repository::Origin::scheduled}, environment).point;
  }

  platform::World here = world;
  system::System system;
  std::unique_ptr<store::ObjectStore> disk;
  std::unique_ptr<repository::Repository> kept;
};

TEST_F(Upkeep, RetentionShowsAsksAndForgets) {
  // Daily for 60 days; the example keeps 3 newest, 7 days, 4 weeks, 12 months.
  for (int day = 60; day-- > 0;) scheduled(24 * day + 1);
  auto shown = answer({"retention", "show"});
  EXPECT_EQ(shown["rule"]["daily"], 7);
  EXPECT_EQ(shown["objective"], "24h");
  EXPECT_EQ(shown["refused"], nullptr);
  std::size_t kept_points = 0;
  for (const auto& p : shown["points"]) {
    EXPECT_EQ(p["keep"].get<bool>(), !p["reasons"].empty());
    kept_points += p["keep"].get<bool>() ? 1 : 0;
  }
  EXPECT_EQ(shown["points"].size(), 60U);
  EXPECT_LE(kept_points, 13U);
  EXPECT_EQ(holdfast({"retention", "apply"}), 2) << "nobody can be asked";
  EXPECT_EQ(kept->points().size(), 60U);
  auto dry = answer({"retention", "apply", "--dry-run"});
  EXPECT_TRUE(dry["dry_run"].get<bool>());
  EXPECT_EQ(dry["points"], shown["points"]);
  EXPECT_EQ(kept->points().size(), 60U);
  auto applied = answer({"retention", "apply", "--yes"});
  EXPECT_TRUE(applied["applied"].get<bool>());
  EXPECT_EQ(applied["forgotten"].size(), 60U - kept_points);
  EXPECT_EQ(kept->points().size(), kept_points);
  EXPECT_FALSE(answer({"retention", "apply", "--yes"})["applied"].get<bool>());
  EXPECT_EQ(holdfast({"retention", "show"}), 0);
  EXPECT_NE(terminal.printed.find("Rule: last 3, daily 7, weekly 4, monthly 12\nObjective: lose no more than 24h"), std::string::npos) << terminal.printed;
  EXPECT_NE(terminal.printed.find("daily 7 of 7"), std::string::npos) << terminal.printed;
}

TEST_F(Upkeep, RetentionAsksAPersonAndTakesNo) {
  for (int day = 40; day-- > 0;) scheduled(24 * day + 1);
  terminal.input_terminal = true;
  terminal.answers = {"no"};
  EXPECT_EQ(holdfast({"retention", "apply"}), 0);
  EXPECT_NE(terminal.printed.find("(would be forgotten)"), std::string::npos) << terminal.printed;
  EXPECT_EQ(kept->points().size(), 40U);
  terminal.answers = {"yes"};
  EXPECT_EQ(holdfast({"retention", "apply"}), 0);
  EXPECT_LT(kept->points().size(), 14U);
}

TEST_F(Upkeep, RetentionIsRefusedWhileBackupsAreLateOrTheClockHasJumped) {
  for (int day = 40; day-- > 0;) scheduled(24 * day + 1);
  const Timestamp now = clock.now();
  for (std::int64_t days : {2, 3'653}) {
    clock.set({now.seconds + days * 86'400, 0});
    EXPECT_NE(answer({"retention", "show"})["refused"], nullptr);
    EXPECT_EQ(answer({"retention", "apply", "--yes"}, 18)["code"], "precondition");
    EXPECT_EQ(answer({"retention", "apply", "--dry-run"}, 18)["code"], "precondition");
  }
  clock.set({now.seconds - 3'653 * 86'400, 0});   // everything is to come: nothing would go
  EXPECT_TRUE(answer({"retention", "apply", "--yes"})["forgotten"].empty());
  EXPECT_EQ(kept->points().size(), 40U);
}

TEST_F(Upkeep, WithoutARuleNothingIsForgotten) {
  std::string text = system.source;
  auto from = text.find("[retention]"), to = text.find("[item.cmdb]");
  std::ofstream(dir / "holdfast.toml", std::ios::trunc) << text.erase(from, to - from);
  for (int day = 3; day-- > 0;) scheduled(24 * day + 1);
  EXPECT_EQ(answer({"retention", "show"})["points"].size(), 3U);
  EXPECT_EQ(answer({"retention", "apply", "--yes"}, 2)["code"], "config");
}

TEST_F(Upkeep, SmallRunsVerifyEverythingAndSayWhatIsLeft) {
  real_point();
  clock.advance(std::chrono::hours(1));
  real_point();
  EXPECT_EQ(answer({"verify", "--level", "exists", "--share", "5%"}, 2)["code"], "usage");
  for (const char* wrong : {"0", "0%", "101%", "x", "5%%"}) EXPECT_EQ(answer({"verify", "--share", wrong}, 2)["code"], "usage") << wrong;
  for (const char* wrong : {"0", "GiB", "10 GiB", "10XB", "99999999999TiB", "-1"}) EXPECT_EQ(answer({"verify", "--size", wrong}, 2)["code"], "usage") << wrong;
  for (const char* wrong : {"0m", "30", "1d", "99999999h"}) EXPECT_EQ(answer({"verify", "--time", wrong}, 2)["code"], "usage") << wrong;
  for (const char* wrong : {"30", "x", "0d"}) EXPECT_EQ(answer({"verify", "--older-than", wrong}, 2)["code"], "usage") << wrong;
  EXPECT_EQ(answer({"verify", "--dry-run", "--size", "1"})["points"].size(), 2U);

  int runs = 0;
  Json last;
  do {
    last = answer({"verify", "--size", "1"});
    ++runs;
  } while (last["left"] != 0 && runs < 100);
  EXPECT_GT(runs, 1);
  EXPECT_LT(runs, 100);
  for (const auto& p : kept->points()) EXPECT_EQ(p.verified, Level::content);
  EXPECT_EQ(answer({"verify", "--older-than", "30d"})["points"].size(), 0U);
  clock.advance(std::chrono::hours(24 * 31));
  EXPECT_EQ(answer({"verify", "--older-than", "30d"})["points"].size(), 2U);
  EXPECT_EQ(answer({"verify", "--older-than", "30d"})["points"].size(), 0U);
  EXPECT_EQ(answer({"verify", "latest"})["points"].size(), 1U);
}

TEST_F(Upkeep, LevelRestoreGivesBackComparesAndRemoves) {
  auto id = real_point();
  auto result = answer({"verify", "--level", "restore"});
  EXPECT_TRUE(result["points"][0]["whole"].get<bool>());
  EXPECT_GT(result["objects"].get<int>(), 10);
  EXPECT_EQ(kept->points().front().verified, Level::restore);
  EXPECT_TRUE(files.list(folder.path() / "scratch").empty());
  EXPECT_EQ(answer({"verify", "--level", "restore", "--to", (folder.path() / "nowhere").string()}, 10)["code"], "not_found");
  EXPECT_EQ(answer({"verify", "--level", "content", "--to", folder.path().string()}, 2)["code"], "usage");
  files.full = true;
  EXPECT_EQ(answer({"verify", "--level", "restore"}, 17)["code"], "no_space");
  files.full = false;
  const auto left = folder.path() / "scratch" / "holdfast-verify-000000000000-00000000";
  std::filesystem::create_directory(left);
  answer({"verify", "--level", "restore"}, 3);
  EXPECT_NE(terminal.printed.find("scratch_left"), std::string::npos) << terminal.printed;
  std::ofstream(left / ".holdfast-running").put('\n');
  {
    const auto of_a_run_that_goes_on = files.lock(left / ".holdfast-running", {});
    answer({"verify", "--level", "restore"});
  }
  answer({"verify", "--level", "restore"}, 3);

  // One byte of one pack: the point is recorded as damaged, named, and the scratch folder is gone all the same.
  std::string pack;
  disk->list("pack", [&](const store::ObjectInfo& o) { pack = o.name; });
  for (const auto& file : std::filesystem::recursive_directory_iterator(dir / "repository"))
    if (pack.find(file.path().filename().string()) != std::string::npos && file.is_regular_file()) {
      std::filesystem::permissions(file.path(), std::filesystem::perms::owner_all);
      std::fstream f(file.path(), std::ios::in | std::ios::out | std::ios::binary);
      f.seekp(static_cast<std::streamoff>(file.file_size() / 2));
      f.put('\x7f').put('\x01').put('\x33');
    }
  std::filesystem::remove_all(left);
  EXPECT_EQ(answer({"verify", "--level", "restore"}, 20)["code"], "damaged");
  EXPECT_TRUE(kept->points().front().verification_failed);
  EXPECT_TRUE(files.list(folder.path() / "scratch").empty());
  EXPECT_EQ(kept->points().front().id, id);
}

// What no part of the program expects ends with 70, in four parts, and is said to be a defect.
TEST_F(Upkeep, WhatNobodyExpectedIsADefect) {
  class Broken final : public WatchedFiles {
   public:
    std::optional<platform::FileInfo> info(const Path&) override { throw std::logic_error("no such thing"); }
  } broken;
  platform::World world_of_it{broken, clock, entropy, host, platform::real_process_runner(), terminal, here.environment};
  EXPECT_EQ(cli::run({"points", "--json"}, "holdfast", world_of_it, adapters, cancel), 70);
  EXPECT_NE(terminal.printed.find("\"code\":\"defect\""), std::string::npos) << terminal.printed;
  EXPECT_NE(terminal.printed.find("no such thing"), std::string::npos) << terminal.printed;
}

}  // namespace
}  // namespace holdfast
