// The recovery plan of a whole sample: its order, what is checked before anything is touched, and that it survives dying anywhere.
#include "ground.h"

#include <thread>

#include "recovery/journal.h"

namespace holdfast {
namespace {

using namespace std::string_literals;
using recovery::Person;
using recovery::PlannedStep;
using recovery::RecoverOptions;
using recovery::RecoverReport;
using recovery::StepState;
using Names = std::vector<std::string>;

// A person whose answers are written down beforehand, and who sees everything that happens.
class Script final : public Person {
 public:
  bool approves = true;
  std::map<std::string, Answer> answers;   // else: done
  Names asked, ran;
  std::function<void(const std::string&)> at;

  bool approve(const recovery::Plan&, const recovery::Preflight&) override {
    tell("approve");
    return approves;
  }
  Answer perform(const PlannedStep& p) override {
    tell("perform " + p.step.name);
    asked.push_back(p.step.name);
    auto a = answers.find(p.step.name);
    return a == answers.end() ? Answer::done : a->second;
  }
  void started(const PlannedStep& p) override {
    tell("started " + p.step.name);
    ran.push_back(p.step.name);
  }
  void finished(const PlannedStep& p) override { tell("finished " + p.step.name); }

 private:
  void tell(const std::string& what) {
    if (at) at(what);
  }
};

class RecoverTest : public Ground {
 protected:
  // A backup, and then the worst day.
  void lose(const system::System& system) {
    point = back_up(system).point;
    remove_server();
  }
  void remove_server() {
    std::filesystem::remove_all(server);
    std::filesystem::remove(dir / "holdfast.toml");
  }
  RecoverReport recover(RecoverOptions options = {}) {
    options.journal_folder = journals;
    RecoverReport report;
    recovery::recover(source(sink), point, options, person, report);
    return report;
  }
  std::optional<Error> refused(RecoverOptions options = {}) {
    return error_of([&] { recover(options); });
  }
  std::optional<recovery::Journal> unfinished() {
    return recovery::Journal::find_unfinished(files, clock, journals, repository->load(point).system_id.hex());
  }
  recovery::Plan plan() { return recovery::make_plan(source(), repository->load(point)); }

  // Everything that a recovery brings back, comparable. Of the database what is in it: its file and folder have times of now.
  std::map<std::string, std::string> everything() {
    auto all = sample::describe_tree(server);
    std::map<std::string, std::string> found;
    for (const auto& [path, description] : all) found[path] = path.starts_with("Database") ? "" : description;
    found["dump"] = sample::output({"sqlite3", database.string(), ".dump"});
    found["configuration"] = sample::read_file(dir / "holdfast.toml");
    return found;
  }
  std::string differences(const std::map<std::string, std::string>& a, const std::map<std::string, std::string>& b) {
    std::string text;
    for (const auto& [path, d] : a)
      if (!b.contains(path)) text += "missing: " + path + "\n";
      else if (b.at(path) != d) text += path + ": " + d.substr(0, 200) + " -> " + b.at(path).substr(0, 200) + "\n";
    for (const auto& [path, d] : b)
      if (!a.contains(path)) text += "extra: " + path + "\n";
    return text;
  }

  Path journals = folder.path() / "state/recoveries";
  repository::PointId point;
  Script person;
  ProgressSink* sink = nullptr;
};

StepState state_of(const RecoverReport& r, const std::string& step) {
  for (const auto& p : r.steps)
    if (p.step.name == step) return p.state;
  ADD_FAILURE() << "no step " << step;
  return StepState::failed;
}

std::ptrdiff_t place(const recovery::Plan& plan, const std::string& step) {
  auto at = std::find_if(plan.steps.begin(), plan.steps.end(), [&](const auto& p) { return p.step.name == step; });
  EXPECT_NE(at, plan.steps.end()) << step;
  return at - plan.steps.begin();
}

bool has_line(const recovery::Plan& plan, const std::string& step, const std::string& part) {
  const auto& lines = plan.steps.at(static_cast<std::size_t>(place(plan, step))).lines;
  return std::any_of(lines.begin(), lines.end(), [&](const std::string& l) { return l.find(part) != std::string::npos; });
}

// ---- the plan -----------------------------------------------------------------------------------------------------

TEST_F(RecoverTest, InstallationComesFirstWhereNothingIsInstalled) {
  point = back_up(load()).point;
  auto installed = plan();
  remove_server();
  auto bare = plan();
  EXPECT_LT(place(installed, "restore-database"), place(installed, "install"));
  EXPECT_LT(place(bare, "install"), place(bare, "set-aside-database"));
  for (const auto& p : {installed, bare}) {
    EXPECT_LT(place(p, "restore-registry"), place(p, "configuration-file"));
    EXPECT_LT(place(p, "configuration-file"), place(p, "start-services"));
    for (const auto& step : p.steps)
      for (const std::string& before : step.step.after) EXPECT_LT(place(p, before), place(p, step.step.name));
  }
}

TEST_F(RecoverTest, AnImpossibleOrderIsAMistakeOfTheConfiguration) {
  system::System system = load();
  std::string& text = system.profile.source;
  text.insert(text.find("kind = \"confirm\""), "after = [\"check-server\"]\n");
  lose(system);
  auto error = refused();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), Code::config);
  EXPECT_FALSE(std::filesystem::exists(server));
}

TEST_F(RecoverTest, ThePlanShowsEveryPlaceAndEveryCommand) {
  point = back_up(load("[services]\nns = \"/opt/control --now\"")).point;
  auto p = plan();
  EXPECT_TRUE(has_line(p, "stop-services", "run: /opt/control --now stop ns"));
  EXPECT_TRUE(has_line(p, "start-services", "run: /opt/control --now start ns"));
  EXPECT_TRUE(has_line(p, "install", "run: " + (server / "InstallationPackage/setup").string()));
  EXPECT_TRUE(has_line(p, "cancel-tasks", "InstanceStatus=3"));
  for (const char* file : {"ns-root.crt.pem", "ns-root.key.pem", "ns-root.p12", "pkcs12.password"})
    EXPECT_TRUE(has_line(p, "restore-certificates", (server / "ProgramData/Symantec/SMP/Certificates" / file).string())) << file;
  EXPECT_TRUE(has_line(p, "configuration-file", (dir / "holdfast.toml").string()));
  std::string paper = recovery::printable_plan(p);
  for (const auto& line : split(paper, '\n')) EXPECT_TRUE(line.size() <= 80 || line.find('/') != std::string::npos) << line;
}

// ---- before anything is touched -----------------------------------------------------------------------------------

TEST_F(RecoverTest, EveryDifferenceOfIdentityEndsItBeforeAnythingIsTouched) {
  struct Case { const char* what; std::function<void()> change; };
  platform::FixedHost before = host;
  point = back_up(load()).point;
  const Case cases[] = {
      {"server name", [&] { host.name = "ns02"; }},
      {"domain", [&] { host.domain_name = "other.test"; }},
      {"installation path", [&] { edit_registry("s/Program Files/Programs/"); }},
      {"application identity", [&] { edit_registry("s/^\"user\"=\"/&x/"); }},
      {"database name", [&] { edit_registry("s/Symantec_CMDB/Another_CMDB/"); }},
      {"product Symantec Management Platform", [&] { edit_registry("s/8\\.7\\.1253\\.0/8.7.1.0/"); }},
  };
  std::string original = sample::read_file(registry);
  for (const auto& c : cases) {
    c.change();
    auto tree = everything();
    auto error = refused();
    ASSERT_TRUE(error) << c.what;
    EXPECT_EQ(error->code(), Code::precondition) << c.what;
    EXPECT_NE(error->message().find(c.what), std::string::npos) << error->message();
    EXPECT_EQ(error->safe(), "nothing was changed");
    EXPECT_NE(error->hint().find("export POINT --folder"), std::string::npos);
    EXPECT_EQ(differences(tree, everything()), "") << c.what;
    EXPECT_FALSE(std::filesystem::exists(journals));
    host = before;
    sample::write_file(registry, original);
  }
}

TEST_F(RecoverTest, AnotherOperatingSystemRunsNothing) {
  lose(load());
  host.system = "windows";
  auto error = refused();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), Code::precondition);
  EXPECT_NE(error->message().find("cannot run here: restore-database"), std::string::npos) << error->message();
  RecoverOptions look;
  look.dry_run = true;
  auto report = recover(look);
  EXPECT_FALSE(report.preflight.passed());
  EXPECT_GT(report.preflight.cannot_run.size(), 10U);
  EXPECT_FALSE(std::filesystem::exists(server));
}

TEST_F(RecoverTest, AVersionThatTheFixUpDoesNotKnowIsUnsupportedUnlessThatStepIsSkipped) {
  system::System system = load();
  std::string& text = system.profile.source;
  std::string versions = "versions = [\"8.5.\", \"8.6.\", \"8.7.\"]";
  text.replace(text.find(versions, text.find("[[fixup]]")), versions.size(), "versions = [\"9.\"]");
  lose(system);
  auto error = refused();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), Code::unsupported) << error->message();
  EXPECT_FALSE(std::filesystem::exists(server));
  RecoverOptions by_hand;
  by_hand.skip["cancel-tasks"] = "done by hand";
  auto report = recover(by_hand);
  EXPECT_EQ(state_of(report, "cancel-tasks"), StepState::skipped);
  EXPECT_EQ(count(report.findings, "step_skipped"), 1);
}

TEST_F(RecoverTest, NoRoomAndNoWayToWrite) {
  lose(load());
  files.full = true;
  auto error = refused();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), Code::no_space);
  files.full = false;
  files.unwritable = dir;
  error = refused();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), Code::precondition);
  EXPECT_NE(error->message().find(dir.string()), std::string::npos) << error->message();
  EXPECT_FALSE(std::filesystem::exists(server));
}

TEST_F(RecoverTest, APointWithoutACriticalItemOrWithFailedKeysIsRefused) {
  point = back_up(load(), {{"cmdb", "identity"}, ""}).point;
  auto error = refused();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), Code::precondition);
  EXPECT_NE(error->message().find("critical item kms-keys"), std::string::npos) << error->message();
  sql("UPDATE RunAsAccount SET EncryptedPassword = zeroblob(length(EncryptedPassword))");
  point = back_up(load()).point;
  error = refused();
  ASSERT_TRUE(error);
  EXPECT_NE(error->message().find("critical item kms-keys"), std::string::npos) << error->message();
}

TEST_F(RecoverTest, HeadCode) {
  point = back_up(load()).point;
  RecoverOptions look;
  look.dry_run = true;
  EXPECT_EQ(count(recover(look).findings, "head_not_checked"), 1);
  look.expect_head = repository->head_code();
  auto right = recover(look);
  EXPECT_EQ(count(right.findings, "head_not_checked"), 0);
  EXPECT_TRUE(right.preflight.passed());
  auto kept = memory.objects();
  back_up(load());
  std::string newer = repository->head_code();
  memory.set_objects(kept);
  repository = repository::open({store, clock, entropy, nullptr, "new", "test"}, repository::password_secret(as_bytes("correct horse")));
  look.expect_head = newer;
  EXPECT_FALSE(recover(look).preflight.passed());
  look.dry_run = false;
  auto error = refused(look);
  ASSERT_TRUE(error);
  EXPECT_NE(error->message().find("rolled back"), std::string::npos) << error->message();
}

// ---- the recovery -------------------------------------------------------------------------------------------------

TEST_F(RecoverTest, BringsTheWholeServerBack) {
  auto before = everything();
  auto counts = sql("SELECT count(*) FROM Item");
  lose(load());
  auto report = recover();
  EXPECT_TRUE(report.complete());
  for (const auto& c : report.checks) EXPECT_TRUE(c.passed) << c.name << ": " << c.detail;
  EXPECT_GT(report.checks.size(), 10U);
  EXPECT_EQ(codes(report.findings), Names{"head_not_checked"}) << all_text(report.findings);
  EXPECT_EQ(person.asked, (Names{"confirm-old-server-off", "reconfigure-cem"}));
  EXPECT_FALSE(unfinished());
  auto after = everything();
  int set_aside = 0;
  for (auto it = after.begin(); it != after.end();) {
    bool aside = it->first.starts_with("Database/") && !before.contains(it->first);
    set_aside += aside ? 1 : 0;
    it = aside ? after.erase(it) : std::next(it);
  }
  EXPECT_GE(set_aside, 1);
  before.erase("dump");
  after.erase("dump");
  for (auto* all : {&before, &after}) std::erase_if(*all, [](const auto& e) { return e.first.ends_with("-wal") || e.first.ends_with("-shm"); });
  EXPECT_EQ(differences(before, after), "");
  EXPECT_EQ(sql("SELECT count(*) FROM Item"), counts);
  for (const char* table : {"ServerTaskInstanceRequests", "ServerTaskInstanceStates", "ClientTaskInstanceRequests"})
    EXPECT_EQ(sql("SELECT count(*) FROM "s + table), Names{"0"});
  EXPECT_EQ(sql("SELECT count(*) FROM TaskInstanceStatus WHERE InstanceStatus <= 1"), Names{"0"});
}

TEST_F(RecoverTest, APersonWhoRefusesChangesNothing) {
  lose(load());
  person.approves = false;
  auto error = refused();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), Code::interrupted);
  EXPECT_EQ(error->safe(), "nothing was changed");
  EXPECT_FALSE(std::filesystem::exists(server));
  EXPECT_FALSE(std::filesystem::exists(journals));
}

TEST_F(RecoverTest, StepsForAPersonAreDoneDeferredOrStopped) {
  lose(load());
  person.answers["confirm-old-server-off"] = Person::Answer::stop;
  auto error = refused();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), Code::interrupted);
  EXPECT_FALSE(std::filesystem::exists(server));
  error = refused();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), Code::busy) << "begun and not finished";

  person.answers = {{"confirm-old-server-off", Person::Answer::defer}, {"reconfigure-cem", Person::Answer::defer}};
  RecoverOptions resume;
  resume.resume = true;
  auto report = recover(resume);
  EXPECT_EQ(state_of(report, "confirm-old-server-off"), StepState::left_to_person);
  EXPECT_EQ(state_of(report, "reconfigure-cem"), StepState::deferred);
  EXPECT_EQ(report.left_for_you.size(), 2U);
  EXPECT_EQ(count(report.findings, "left_to_person"), 2);
  EXPECT_FALSE(report.complete());
  ASSERT_TRUE(unfinished());

  person.asked.clear();
  person.ran.clear();
  resume.acknowledged = {"confirm-old-server-off", "reconfigure-cem"};
  report = recover(resume);
  EXPECT_TRUE(report.complete());
  EXPECT_EQ(person.asked, Names{});
  EXPECT_EQ(person.ran, Names{"check-server"});   // nothing is done twice; checks are made anew
  error = refused(resume);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), Code::not_found);
}

TEST_F(RecoverTest, NamesAndReasonsAreCheckedBeforeAnything) {
  lose(load());
  auto with = [&](const std::function<void(RecoverOptions&)>& set) {
    RecoverOptions o;
    set(o);
    auto error = refused(o);
    EXPECT_TRUE(error);
    EXPECT_FALSE(std::filesystem::exists(journals));
    return error ? *error : Error(Code::defect, "");
  };
  auto only = with([](auto& o) { o.only = "restore-databas"; });
  EXPECT_EQ(only.code(), Code::unknown_name);
  EXPECT_NE(only.hint().find("restore-database"), std::string::npos);
  EXPECT_EQ(with([](auto& o) { o.skip["no-such-step"] = "why"; }).code(), Code::unknown_name);
  EXPECT_EQ(with([](auto& o) { o.skip["restore-database"] = "  "; }).code(), Code::usage);
  EXPECT_EQ(with([](auto& o) { o.acknowledged = {"reconfigure-cme"}; }).code(), Code::unknown_name);
  // What Holdfast does cannot be taken for done because somebody says so.
  EXPECT_EQ(with([](auto& o) { o.acknowledged = {"restore-database"}; }).code(), Code::usage);
}

TEST_F(RecoverTest, OneStepAlone) {
  point = back_up(load()).point;
  Path settings = server / "ProgramData/Symantec/SMP/Settings/CoreSettings.config";
  std::string before = sample::read_file(settings);
  sample::write_file(settings, "<configuration/>");
  RecoverOptions only;
  only.only = "restore-core-settings";
  person.at = [](const std::string& what) {
    if (what == "started restore-core-settings") throw platform::Killed{};
  };
  EXPECT_THROW(recover(only), platform::Killed);
  person.at = nullptr;
  person.ran.clear();
  RecoverOptions resume;
  resume.resume = true;
  auto report = recover(resume);   // goes on with what was begun: that one step
  EXPECT_EQ(person.ran, Names{"restore-core-settings"});
  EXPECT_TRUE(report.complete());
  EXPECT_EQ(sample::read_file(settings), before);
  EXPECT_FALSE(unfinished());
}

TEST_F(RecoverTest, OneStepOfAnUnfinishedRecoveryLeavesTheRestOpen) {
  lose(load());
  person.answers["confirm-old-server-off"] = Person::Answer::stop;
  ASSERT_TRUE(refused());
  person.answers.clear();
  RecoverOptions one;
  one.resume = true;
  one.only = "restore-install-package";
  EXPECT_TRUE(recover(one).complete());
  ASSERT_TRUE(unfinished());
  one.only.clear();
  EXPECT_TRUE(recover(one).complete());
  EXPECT_EQ(std::count(person.ran.begin(), person.ran.end(), "restore-install-package"), 1);
}

TEST_F(RecoverTest, WithoutAPackageAPersonInstalls) {
  lose([&] {
    sample::output({"sed", "-i", "/^\\[item.install-package\\]/,/^$/d", (dir / "holdfast.toml").string()});
    std::ofstream(dir / "holdfast.toml", std::ios::app) << "\n[item.install-package]\nexcluded = \"kept elsewhere\"\n";
    sample::output({"cp", "-a", (server / "InstallationPackage").string(), (folder.path() / "package").string()});
    return load();
  }());
  auto error = refused();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), Code::precondition) << error->message();
  EXPECT_NE(error->message().find("Symantec Management Platform"), std::string::npos) << error->message();
  ASSERT_TRUE(unfinished());
  auto card = system::IdentityCard::from_facts(repository->load(point).identity);
  sample::output({(folder.path() / "package/setup").string(), "--root", server.string(), "--install-path", card.install_path, "--application-identity",
                  card.application_identity, "--database", card.database_name});
  RecoverOptions resume;
  resume.resume = true;
  auto report = recover(resume);
  EXPECT_EQ(state_of(report, "install"), StepState::done);
  EXPECT_TRUE(report.complete());
}

TEST_F(RecoverTest, ServicesStopBeforeAndStartAfterAndAFailingOneStopsIt) {
  Path log = folder.path() / "log", control = folder.path() / "control";
  sample::write_file(control, "#!/bin/sh\n[ ! -e \"$0.fail\" ] || { echo no power >&2; exit 3; }\necho \"$@\" >> \"" + log.string() + "\"\n");
  std::filesystem::permissions(control, std::filesystem::perms(0755));
  lose(load("[services]\nweb = \"" + control.string() + " -x\"\nagent = \"" + control.string() + "\""));
  sample::write_file(control.string() + ".fail", "");
  auto error = refused();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), Code::failed);
  EXPECT_NE(error->message().find("no power"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(server));
  std::filesystem::remove(control.string() + ".fail");
  RecoverOptions resume;
  resume.resume = true;
  EXPECT_TRUE(recover(resume).complete());
  EXPECT_EQ(sample::read_file(log), "stop agent\n-x stop web\nstart agent\n-x start web\n");
}

// ---- dying --------------------------------------------------------------------------------------------------------

// Dies once at every place that it is told of.
class Fate {
 public:
  // `moment`: the journal is written between two of them.
  void at(const std::string& place, bool moment = true) {
    if (moment) now_ = place;
    if (!armed || !died_.insert(place).second) return;
    last = place;
    throw platform::Killed{};
  }
  std::size_t deaths() const { return died_.size(); }
  long deaths_at(const std::string& prefix) const {
    return std::count_if(died_.begin(), died_.end(), [&](const std::string& d) { return d.starts_with(prefix); });
  }
  const std::string& now() const { return now_; }
  bool armed = true;
  std::string last;

 private:
  std::string now_;
  std::set<std::string> died_;
};

class DeadlyProgress final : public ProgressSink {
 public:
  explicit DeadlyProgress(Fate& fate) : fate_(fate) {}
  void begin(const std::string& phase, std::uint64_t) override {
    phase_ = phase;
    fate_.at("begin " + phase);
  }
  void add(std::uint64_t, std::uint64_t) override {
    if (std::this_thread::get_id() == thread_) fate_.at("amid " + phase_);   // a thread that throws ends the test program
  }
  void end() override { fate_.at("end " + phase_); }

 private:
  Fate& fate_;
  std::string phase_;
  std::thread::id thread_ = std::this_thread::get_id();
};

TEST_F(RecoverTest, DiesEverywhereAndEndsAsIfItHadNeverDied) {
  lose(load());
  recover();
  auto undisturbed = everything();
  std::size_t steps = plan().steps.size();
  remove_server();
  std::filesystem::remove_all(journals);

  Fate fate;
  DeadlyProgress deadly(fate);
  sink = &deadly;
  person.at = [&](const std::string& what) { fate.at(what); };
  files.before_append = [&](const Path& journal) {
    if (journal.parent_path() != journals) return;
    try {
      fate.at("within a line after " + fate.now(), false);
    } catch (const platform::Killed&) {
      std::ofstream(journal, std::ios::app) << "\n{\"type\":\"step\",\"st";
      throw;
    }
  };
  std::optional<RecoverReport> report;
  std::size_t runs = 0;
  while (!report) {
    ASSERT_LT(++runs, 1000U);
    RecoverOptions options;
    options.resume = unfinished().has_value();
    try {
      report = recover(options);
    } catch (const platform::Killed&) {
    } catch (const Error& e) {
      FAIL() << "after dying at '" << fate.last << "': " << e.what();
    }
  }
  EXPECT_TRUE(report->complete());
  EXPECT_EQ(runs, fate.deaths() + 1);
  // Two of the steps are a person's, who is asked instead of told that the step starts.
  EXPECT_EQ(fate.deaths_at("started "), static_cast<long>(steps) - 2);
  EXPECT_EQ(fate.deaths_at("perform "), 2);
  EXPECT_EQ(fate.deaths_at("finished "), static_cast<long>(steps));
  EXPECT_EQ(fate.deaths_at("begin "), static_cast<long>(steps) - 2);
  EXPECT_GE(fate.deaths_at("amid "), 8);
  EXPECT_EQ(fate.deaths_at("within a line "), 2 * static_cast<long>(steps));   // the first and the last line are of no step
  EXPECT_EQ(differences(undisturbed, everything()), "");
}

TEST_F(RecoverTest, AnInstallerThatWasKilledRunsAgain) {
  lose(load());
  int appends_after_install = 0;
  files.before_append = [&](const Path&) {
    if (std::filesystem::exists(registry) && appends_after_install++ == 0) throw platform::Killed{};   // its end is not written
  };
  EXPECT_THROW(recover(), platform::Killed);
  ASSERT_TRUE(std::filesystem::exists(registry));
  files.before_append = nullptr;
  // The registry says that all is there, and it is not.
  Path installed = server / "Program Files/Altiris/Notification Server";
  std::filesystem::remove_all(installed / "Bin");
  std::filesystem::permissions(installed / "installation.state", std::filesystem::perms(0600));
  sample::write_file(installed / "installation.state", "unfinished\n");
  RecoverOptions resume;
  resume.resume = true;
  EXPECT_TRUE(recover(resume).complete());
  EXPECT_TRUE(std::filesystem::exists(installed / "Bin"));
}

// ---- the journal --------------------------------------------------------------------------------------------------

TEST_F(RecoverTest, JournalsOfOtherSystemsFinishedOnesAndTornLinesAreIgnored) {
  point = back_up(load()).point;
  auto p = plan();
  auto journal = recovery::Journal::begin(files, clock, journals, p, "");
  journal.step_started(p.steps[0].step.name);
  p.steps[1].state = StepState::done;
  p.steps[1].detail = "as \"it\" was\n";
  journal.step_ended(p.steps[1]);
  std::ofstream(journal.file(), std::ios::app) << "\n{\"type\":\"finished\",\"ti";
  auto other = p;
  other.point.system_id.bytes[0] ^= 1;
  auto second = recovery::Journal::begin(files, clock, journals, other, "");
  EXPECT_NE(second.file(), journal.file());
  sample::write_file(journals / "recovery-20990101T000000Z-garbage.jsonl", "\x00\xff[[[\n{}\n[]\n\"x\"\n{\"type\":7}\n");

  auto found = unfinished();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->file(), journal.file());
  EXPECT_EQ(found->begun().point, point.hex());
  EXPECT_EQ(found->state(p.steps[0].step.name), StepState::pending);
  EXPECT_TRUE(found->tried(p.steps[0].step.name));
  EXPECT_EQ(found->state(p.steps[1].step.name), StepState::done);
  EXPECT_FALSE(found->tried(p.steps[2].step.name));
  found->finished(true);
  EXPECT_FALSE(unfinished());
  EXPECT_TRUE(recovery::Journal::find_unfinished(files, clock, journals, other.point.system_id.hex()));
}

}  // namespace
}  // namespace holdfast
