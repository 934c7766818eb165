// Jobs and schedules with the program itself: what a schedule means is understood by the command line, and does what it says.
#include <atomic>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "cli/run.h"
#include "ground.h"
#include "service/jobs/job_runner.h"
#include "service/jobs/scheduler.h"
#include "store/local_store.h"

namespace holdfast {
namespace {

using Json = nlohmann::json;
using service::Job;

const char* const kSchedules = R"(
[schedule.parts]
run = "backup"
section = "configuration"
export = "plain"
calendar = "*:*:* UTC"

[schedule.all]
run = "backup"
calendar = "daily"

[schedule.every]
run = "verify"
calendar = "daily"

[schedule.some]
run = "verify"
level = "restore"
share = "2.5%"
calendar = "daily"

[schedule.objects]
run = "check"
calendar = "daily"

[schedule.sampled]
run = "check"
share = "5%"
calendar = "daily"

[schedule.second]
run = "copy"
copy = "nas"
calendar = "daily"

[schedule.forget]
run = "retention"
calendar = "daily"

[schedule.free]
run = "prune"
calendar = "daily"

[copy.nas]
repository = "../copy"
)";

class WholeJobs : public Ground {
 protected:
  WholeJobs() {
    load(kSchedules);
    std::ofstream(folder.path() / "password") << "correct horse\n";
    disk = store::open_local_store(files, dir / "repository", true);
    kept = repository::create({*disk, clock, entropy, &state, "ns01", "test"}, repository::password_secret(as_bytes("correct horse")), {8, 1}).repository;
    open({{"HOLDFAST_PASSWORD_FILE", (folder.path() / "password").string()}, {"TMPDIR", folder.path().string()}});
    live.emplace(platform::real_file_system(), dir / "holdfast.toml", adapters);
    scheduler.emplace(
        *live, record, audit, platform::real_clock(), schedule::ZoneFiles{platform::real_file_system()},
        [this](const service::NewJob& job, const service::Actor& by) { return runner->add(job, by); }, nullptr);
  }
  ~WholeJobs() override { runner.reset(); }

  void open(const platform::Environment& environment) {
    runner.reset();
    const service::JobProgram program{HOLDFAST_PROGRAM, dir / "holdfast.toml", folder.path() / "service", {}, environment};
    runner = std::make_unique<service::JobRunner>(file, audit, record, platform::real_clock(), program, nullptr);
    runner->start();
  }
  Job end_of(std::int64_t id) {
    for (int i = 0; i < 6'000; ++i) {
      const Job job = record.find(id).value();
      if (job.state == Job::State::ended) return job;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ADD_FAILURE() << "job " << id << " does not end";
    return {};
  }
  std::string log(std::int64_t id) {
    std::string text;
    for (const auto& line : record.lines(id, 0, 100'000)) text += line.text + "\n";
    return text;
  }
  Json result(std::int64_t id) { return Json::parse(record.result(id)); }
  Job run_now(const std::string& schedule) { return end_of(scheduler->run_now(schedule, kAnna)); }
  std::size_t files_in(const Path& place) {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(place), std::filesystem::directory_iterator()));
  }

  const service::Actor kAnna{"anna", "192.0.2.1"};
  service::StateFile file{platform::real_file_system(), platform::real_entropy(), folder.path() / "service", service::StateFile::Use::service};
  service::Audit audit{file, platform::real_clock()};
  service::Jobs record{file, audit, platform::real_clock()};
  std::unique_ptr<store::ObjectStore> disk;
  std::unique_ptr<repository::Repository> kept;
  std::unique_ptr<service::JobRunner> runner;
  std::optional<service::LiveConfiguration> live;
  std::optional<service::Scheduler> scheduler;
};

struct Ears : service::JobListener {
  bool hear(const service::JobEvent& event) override {
    progress += event.kind == service::JobEvent::Kind::progress ? 1 : 0;
    return true;
  }
  bool listening() const override { return true; }
  std::atomic<int> progress{0};
};

TEST_F(WholeJobs, EveryScheduleIsACommandLineThatTheProgramUnderstands) {
  auto ears = std::make_shared<Ears>();
  runner->watch_all(ears);
  const std::map<std::string, std::vector<int>> ends{{"all", {0, 3}}, {"every", {0}}, {"some", {0}}, {"objects", {0}}, {"sampled", {0}}, {"second", {18}}, {"forget", {0, 18}}, {"free", {0}}};
  for (const char* name : {"all", "every", "some", "objects", "sampled", "second", "forget", "free"}) {
    const Job job = run_now(name);
    const auto& expected = ends.at(name);
    EXPECT_TRUE(std::find(expected.begin(), expected.end(), job.exit_code.value()) != expected.end()) << name << " " << *job.exit_code << "\n" << log(job.id);
    EXPECT_EQ(result(job.id)["type"], *job.exit_code == 18 ? "error" : "result") << name;
  }
  EXPECT_GT(ears->progress, 0);
  const auto points = kept->points();
  ASSERT_EQ(points.size(), 1U);
  EXPECT_EQ(points[0].origin, repository::Origin::scheduled);
  EXPECT_EQ(points[0].label.find("schedule all, audit "), 0U) << points[0].label;
  EXPECT_GE(points[0].verified, repository::Level::content);
  EXPECT_NE(result(record.newest_of("second")->id)["message"].get<std::string>().find("same file system"), std::string::npos);
}

TEST_F(WholeJobs, PlainFilesOfTheNewestPointAndNothingElse) {
  const Path place = dir / "plain" / "ns01-configuration";
  const Job first = run_now("parts");
  EXPECT_TRUE(first.exit_code == 0 || first.exit_code == 3) << log(first.id);
  EXPECT_TRUE(std::filesystem::exists(place / "ORDER.txt")) << log(first.id);
  const std::size_t many = files_in(place);
  EXPECT_GT(many, 4U);
  std::filesystem::create_directory(dir / "plain" / "ns01-configuration.unfinished");   // a run that was killed
  std::filesystem::rename(place, dir / "plain" / "ns01-configuration.before");          // in the worst moment
  run_now("parts");
  EXPECT_EQ(files_in(place), many);
  EXPECT_EQ(files_in(dir / "plain"), 1U);
  EXPECT_EQ(kept->points().size(), 2U);

  // What a person put there stays, and the point is made all the same.
  std::filesystem::remove_all(place);
  std::filesystem::create_directory(place);
  std::ofstream(place / "letter.txt") << "mine";
  const Job third = run_now("parts");
  EXPECT_EQ(third.exit_code, 3);
  EXPECT_NE(log(third.id).find("\"export_failed\""), std::string::npos);
  EXPECT_EQ(files_in(place), 1U);
  EXPECT_EQ(kept->points().size(), 3U);
}

TEST_F(WholeJobs, APersonsPasswordsOpenWhatTheServiceCannot) {
  run_now("all");
  open({});   // the service has no way in of its own
  const auto secret = [](std::string_view text) { return crypto::Secret::copy_of(as_bytes(text)); };
  const Path target = folder.path() / "back", container = folder.path() / "ns01.hfbackup", other = folder.path() / "other";
  const auto without = end_of(runner->add({"restore", {"latest", "--to=" + target.string()}, {}, {}}, kAnna));
  EXPECT_EQ(without.exit_code, 2) << "nobody can be asked";
  const auto wrong = end_of(runner->add({"restore", {"latest", "--to=" + target.string()}, {}, {}}, kAnna, {secret("wrong"), {}}));
  EXPECT_EQ(wrong.exit_code, 12);
  const auto right = end_of(runner->add({"restore", {"latest", "--item=core-settings", "--to=" + target.string()}, {}, {}}, kAnna, {secret("correct horse"), {}}));
  EXPECT_EQ(right.exit_code, 0) << log(right.id);
  EXPECT_TRUE(std::filesystem::exists(target / "core-settings"));

  const auto exported = end_of(runner->add({"export", {"latest", "--item=core-settings", "--file=" + container.string()}, {}, {}}, kAnna, {secret("correct horse"), secret("battery staple")}));
  EXPECT_EQ(exported.exit_code, 0) << log(exported.id);
  EXPECT_EQ(result(exported.id)["recovery_key"], nullptr);
  EXPECT_EQ(record.lines(exported.id, 0, 100).size(), 1U) << log(exported.id) << "its remarks would hold the recovery key";
  const auto from = end_of(runner->add({"restore", {"latest", "--from=" + container.string(), "--to=" + other.string()}, {}, {}}, kAnna, {{}, secret("battery staple")}));
  EXPECT_EQ(from.exit_code, 0) << log(from.id);
  EXPECT_TRUE(std::filesystem::exists(other / "core-settings"));
}

TEST_F(WholeJobs, StatusSeesSchedulesThatNobodyRuns) {
  platform::World here = world;
  here.environment = {{"HOLDFAST_CONFIG", (dir / "holdfast.toml").string()}, {"HOLDFAST_PASSWORD_FILE", (folder.path() / "password").string()},
                      {"HOLDFAST_STATE", (folder.path() / "service").string()}};
  terminal.input_terminal = false;
  const auto attention = [&] {
    terminal.printed.clear();
    cli::run({"status", "--json"}, "holdfast", here, adapters, cancel);
    const auto lines = split(terminal.printed, '\n');
    std::string found;
    const Json status = Json::parse(lines.at(lines.size() - 2));
    for (const auto& f : status["attention"])
      if (f["code"].get<std::string>().starts_with("schedule")) found += f["code"].get<std::string>() + " " + f["object"].get<std::string>() + "\n";
    return found;
  };
  EXPECT_EQ(attention(), "");
  load("[schedule.night]\nrun = \"check\"\ncalendar = \"02:30 UTC\"\nenabled = true\n");
  EXPECT_EQ(attention(), "schedule_unknown [schedule.night]\n");
  clock.set(platform::real_clock().now());
  scheduler->look();
  EXPECT_EQ(attention(), "");
  clock.advance(std::chrono::hours(48));
  EXPECT_EQ(attention(), "schedule_overdue [schedule.night]\n");
  here.environment["HOLDFAST_STATE"] = (folder.path() / "nowhere").string();
  EXPECT_EQ(attention(), "schedule_unknown [schedule.night]\n");
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "nowhere" / "service.sqlite")) << "looking makes no state file";
}

}  // namespace
}  // namespace holdfast
