// The API without a socket: its table of routes, and the settings that it changes.
#include "service/api/api.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "app/adapters.h"
#include "http/event_stream.h"
#include "platform/testing.h"
#include "service/api/answer.h"
#include "service/api/job_events.h"
#include "service/api/settings_edit.h"
#include "system/configuration_edit.h"

namespace holdfast::service {
namespace {

const platform::Path kExample = platform::Path(HOLDFAST_SOURCE_DIR) / "docs/example.holdfast.toml";

std::string example() { return holdfast::to_text(platform::real_file_system().read_all(kExample)); }

constexpr std::string_view kPassword = "a password of twelve";

// Everything that the API stands on, nothing of it started.
struct Whole {
  platform::TemporaryFolder folder;
  platform::ManualClock clock;
  platform::SeededEntropy entropy{7};
  platform::FixedHost host;
  platform::ScriptedTerminal terminal;
  platform::World real = platform::real_world();
  platform::World world{real.files, clock, entropy, host, real.processes, terminal, {}};
  item::AdapterSet adapters = app::all_adapters();
  platform::Path state_folder = folder.path() / "state", file = write_configuration();
  StateFile state{world.files, entropy, state_folder, StateFile::Use::service};
  Audit audit{state, clock};
  Passwords passwords{entropy};
  Users users{state, audit, passwords, clock};
  Tokens tokens{state, audit, clock, entropy};
  Sessions sessions{state, audit, clock, entropy};
  SignIn sign_in{state, audit, passwords, sessions, clock};
  Guard guard{sessions, tokens, audit, clock};
  LiveConfiguration configuration{world.files, file, adapters};
  Jobs jobs{state, audit, clock};
  JobRunner runner{state,
                   audit,
                   jobs,
                   clock,
                   {"/bin/true", file, state_folder, {}, {}},
                   [](Transaction&, const JobReport&) {}};
  Scheduler scheduler{configuration,
                      jobs,
                      audit,
                      clock,
                      schedule::ZoneFiles{world.files},
                      [this](const NewJob& job, const Actor& by) { return runner.add(job, by); },
                      [](const Findings&) {}};
  Notifications notifications{state, audit, clock};
  Delivery delivery{world.files, Sender{"ns01", "ns01"}};
  Courier courier{notifications, delivery, [] { return std::vector<system::NotifySettings>{}; },
                  [](const std::string&) {}};
  Archive archive{{world, state_folder, "test", [this] { return (folder.path() / "repository").string(); },
                   [] { return repository::password_secret(as_bytes("none")); }}};
  Standing standing{world, adapters, state_folder, configuration, archive};
  Growth growth{state, clock};
  Topics topics;
  Services services{world,     adapters,      state_folder, "0",     clock.now(),   audit,  users,
                    tokens,    sessions,      sign_in,      guard,   configuration, jobs,   runner,
                    scheduler, notifications, courier,      archive, standing,      growth, topics};
  Api api{services};

  platform::Path write_configuration() {
    world.files.make_directories(state_folder);
    const platform::Path path = folder.path() / "holdfast.toml";
    world.files.replace(path, as_bytes(example()));
    return path;
  }
};

// As a client with a token of that role asks: the status, and the answer's body.
struct Asked {
  int status = 0;
  std::string body;
  Json json() const { return Json::parse(body); }
};

class Client {
 public:
  Client(Whole& whole, Role role)
      : whole_(whole),
        token_(whole.tokens.add("test", role, {4'000'000'000, 0}, {"test", "test"})) {}

  Asked ask(http::Method method, const std::string& target, const std::string& body = "") {
    http::Request request;
    request.method = method;
    request.target = target;
    http::Target parsed = http::parse_target(target);
    request.path = std::move(parsed.path);
    request.query = std::move(parsed.query);
    request.headers = {{"Authorization", "Bearer " + token_.text}, {"Content-Type", "application/json"}};
    request.body = body;
    try {
      const http::Response response = whole_.api(request);
      Asked asked{response.status, ""};
      if (const auto* text = std::get_if<std::string>(&response.body)) asked.body = *text;
      return asked;
    } catch (const Error& e) {
      return {http::status_of(e), problem_json(http::status_of(e), e).dump()};
    }
  }
  Asked get(const std::string& target) { return ask(http::Method::get, target); }
  std::int64_t token() const { return token_.token.id; }

 private:
  Whole& whole_;
  const Tokens::New token_;
};

TEST(ApiQueries, NoParameterIsTakenForAnotherOne) {
  Whole whole;
  Client client(whole, Role::administrator);
  EXPECT_EQ(client.get("/api/v1/jobs?limit=1").status, 200);
  for (const char* target : {"/api/v1/jobs?limits=1", "/api/v1/jobs?state=finished", "/api/v1/jobs?kind=forget",
                             "/api/v1/points?orign=manual", "/api/v1/points?origin=by-hand",
                             "/api/v1/points?status=good", "/api/v1/users?limit=1", "/api/v1/jobs?limit=1&limit=2"})
    EXPECT_EQ(client.get(target).status, 400) << target;
  const std::string before = example();
  const Asked settings = client.get("/api/v1/settings");
  ASSERT_EQ(settings.status, 200);
  EXPECT_EQ(client.ask(http::Method::put, "/api/v1/settings?dryrun=true", settings.json()["settings"].dump()).status,
            400)
      << "a dry run that is mistyped is no real one";
}

TEST(ApiPages, NeverHoldMoreThanAClientIsGiven) {
  Whole whole;
  Client client(whole, Role::viewer);
  const Actor by{"test", "test"};
  std::vector<std::int64_t> ids;
  for (int i = 0; i < 200; ++i)
    ids.push_back(whole.jobs.add({"recover", {"--only=" + std::string(5000, 'x')}, {}, {}}, by));
  whole.jobs.start(ids.front());
  const std::vector<std::string> lines(1000, std::string(Jobs::kLongestLine, 'y'));
  whole.jobs.log(ids.front(), lines);

  // Everything comes, by pages none of which is large.
  const auto all = [&](const std::string& target, const char* name, const char* number) {
    std::vector<std::int64_t> found;
    int pages = 0;
    for (Json next = ""; !next.is_null() && pages < 100; ++pages) {
      const Asked page =
          client.get(target + "?limit=1000" + (next == "" ? "" : "&after=" + next.get<std::string>()));
      EXPECT_EQ(page.status, 200);
      EXPECT_LT(page.body.size(), 2 * Page::kMostBytes);
      const Json json = page.json();
      for (const Json& row : json[name]) found.push_back(row[number].get<std::int64_t>());
      next = json[name].empty() ? Json(nullptr) : json["next"];
    }
    return found;
  };
  const auto jobs = all("/api/v1/jobs", "jobs", "id");
  EXPECT_EQ(jobs, std::vector<std::int64_t>(ids.rbegin(), ids.rend()));
  const auto numbers = all("/api/v1/jobs/" + std::to_string(ids.front()) + "/log", "lines", "number");
  ASSERT_EQ(numbers.size(), lines.size());
  EXPECT_EQ(numbers.back(), 1000);

  // A job as an event must fit into the queue of a stream, whatever its arguments.
  const auto job = whole.jobs.find(ids.back());
  EXPECT_LT(job_text(whole.services, *job).size(), 16 * 1024u);
}

TEST(ApiStreams, EndWithTheSignIn) {
  Whole whole;
  Client gone(whole, Role::viewer), stays(whole, Role::viewer);
  const auto open = [&](const Client& client) {
    auto stream = std::make_shared<http::EventStream>();
    whole.topics.watch(stream, Topics::Told::changes,
                       [&whole, id = client.token()] {
                         for (const Token& t : whole.tokens.list())
                           if (t.id == id) return true;
                         return false;
                       });
    return stream;
  };
  const auto a = open(gone), b = open(stays);
  whole.topics.end_those_of_others();
  EXPECT_TRUE(a->open() && b->open());
  whole.tokens.remove(gone.token(), {"test", "test"});
  whole.topics.end_those_of_others();
  EXPECT_FALSE(a->open());
  EXPECT_TRUE(b->open());
}

TEST(ApiStreams, AJobThatCannotBeReadEndsTheStream) {
  Whole whole;
  const std::int64_t id = whole.jobs.add({"check", {}, {}, {}}, {"test", "test"});
  auto stream = std::make_shared<http::EventStream>();
  const auto listener = job_listener(whole.services, stream, EventsOf::all_jobs);
  EXPECT_TRUE(listener->hear({JobEvent::Kind::state, id, 0, "queued"}));
  {
    Transaction change = whole.state.change();
    change.run("UPDATE jobs SET arguments = 'nonsense' WHERE id = ?", id);
    change.commit();
  }
  EXPECT_ANY_THROW(listener->hear({JobEvent::Kind::state, id, 0, "running"}));
  EXPECT_FALSE(stream->open()) << "the client comes back, and is not left waiting";
}

TEST(ApiSessions, LookingAtOneIsNoUse) {
  Whole whole;
  whole.users.add("anna", Role::viewer, as_bytes(kPassword), {"test", "test"});
  const SignInAnswer in = whole.sign_in.try_password("anna", as_bytes(kPassword), "127.0.0.1");
  ASSERT_EQ(in.outcome, SignInAnswer::Outcome::signed_in);
  for (int minutes = 0; minutes < 29; ++minutes) {
    whole.clock.advance(std::chrono::minutes(1));
    EXPECT_TRUE(whole.sessions.peek(in.session));
  }
  whole.clock.advance(std::chrono::minutes(2));
  EXPECT_FALSE(whole.sessions.peek(in.session)) << "a stream that is open keeps nobody signed in";
  EXPECT_FALSE(whole.sessions.find(in.session));
}

TEST(ApiUsers, RoleAndPasswordAreBothChangedOrNone) {
  Whole whole;
  Client client(whole, Role::administrator);
  whole.users.add("otto", Role::viewer, as_bytes(kPassword), {"test", "test"});
  whole.users.add("anna", Role::administrator, as_bytes(kPassword), {"test", "test"});
  // No memory for the hash of the new password.
  Passwords none(whole.entropy, kPasswordCost, [](ByteView, ByteView, crypto::Argon2Cost) -> crypto::Secret {
    throw Error(Code::unavailable, "no memory");
  });
  Users users(whole.state, whole.audit, none, whole.clock);
  EXPECT_THROW(users.set_password("otto", as_bytes("another of twelve"), {"test", "test"}, Role::operating), Error);
  EXPECT_EQ(whole.users.find("otto")->role, Role::viewer);
  // The last administrator keeps the password as well.
  EXPECT_EQ(client.ask(http::Method::put, "/api/v1/users/anna", R"({"role":"viewer","password":"another of twelve"})")
                .status,
            412);
  EXPECT_EQ(whole.sign_in.try_password("anna", as_bytes(kPassword), "127.0.0.1").outcome,
            SignInAnswer::Outcome::signed_in);
  EXPECT_EQ(client.ask(http::Method::put, "/api/v1/users/otto", R"({"role":"operator","password":"another of twelve"})")
                .json()["role"],
            "operator");
  EXPECT_EQ(whole.sign_in.try_password("otto", as_bytes("another of twelve"), "127.0.0.1").outcome,
            SignInAnswer::Outcome::signed_in);
}

TEST(ApiMetrics, CountEveryJobAndTellTheNewestOfASchedule) {
  Whole whole;
  Client client(whole, Role::viewer);
  const auto ended = [&](std::optional<std::string> schedule, int exit_code) {
    const std::int64_t id = whole.jobs.add({"check", {}, std::move(schedule), {}}, {"test", "test"});
    whole.jobs.start(id);
    whole.clock.advance(std::chrono::seconds(1));
    Transaction change = whole.state.change();
    const Job job = whole.jobs.end(change, id, exit_code, 0);
    change.commit();
    return job.ended->seconds;
  };
  const std::int64_t good = ended("configuration", 0);
  ended("configuration", 3);
  const std::int64_t last = ended("configuration", 20);
  {
    Transaction change = whole.state.change();
    for (int i = 0; i < 1200; ++i)
      change.run("INSERT INTO jobs (state, kind, arguments, who, queued, started, ended, exit_code) "
                 "VALUES ('ended', 'check', '[]', 'test', 0, 0, 0, 0)");
    change.commit();
  }
  const std::string text = client.get("/metrics").body;
  const std::string labels = "{schedule=\"configuration\",run=\"backup\"} ";
  EXPECT_NE(text.find("holdfast_jobs{state=\"ended\"} 1203\n"), std::string::npos) << text;
  EXPECT_NE(text.find("holdfast_schedule_last_run_exit_code" + labels + "20\n"), std::string::npos) << text;
  EXPECT_NE(text.find("holdfast_schedule_last_run_timestamp_seconds" + labels + std::to_string(last) + "\n"),
            std::string::npos);
  EXPECT_NE(text.find("holdfast_schedule_last_success_timestamp_seconds" + labels + std::to_string(good) + "\n"),
            std::string::npos)
      << "findings are no success";
}

TEST(ApiRoutes, AreThoseOfTheDescriptionWithTheirRights) {
  Whole whole;
  std::set<std::string> served, described;
  for (const http::Route& route : whole.api.router().routes())
    served.insert(std::string(http::to_text(route.method)) + " " + route.pattern + " " + route.right);
  const Json description = Json::parse(openapi_text());
  for (const auto& [path, item] : description["paths"].items())
    for (const auto& [method, operation] : item.items()) {
      if (method == "servers") continue;
      std::string upper;
      for (char c : method) upper += static_cast<char>(c - 'a' + 'A');
      described.insert(upper + " " + (item.contains("servers") ? "" : "/api/v1") + path + " " +
                       operation["x-right"].get<std::string>());
    }
  EXPECT_EQ(served, described);
  EXPECT_GT(served.size(), 50u);
}

TEST(ApiRoutes, WithoutASignInNothingIsReached) {
  Whole whole;
  for (const http::Route& route : whole.api.router().routes()) {
    if (route.right == kNoSignIn) continue;
    http::Request request;
    request.method = route.method;
    request.path = http::parse_target(route.pattern).path;
    for (std::string& part : request.path)
      if (part.starts_with("{")) part = "1";
    try {
      whole.api(request);
      ADD_FAILURE() << route.pattern << " was answered";
    } catch (const http::Refusal& e) {
      EXPECT_EQ(e.status(), 401) << route.pattern;
    }
  }
}

system::System parsed(const std::string& text, const item::AdapterSet& adapters) {
  return system::parse_system(text, "holdfast.toml", "/base", adapters);
}

// A state of the settings that the file may have, at random.
Json random_settings(std::mt19937_64& random, const Json& from) {
  Json s = from;
  const auto chance = [&](int of) { return random() % static_cast<unsigned>(of) == 0; };
  const auto pick = [&](std::initializer_list<const char*> words) {
    return std::string(*(words.begin() + static_cast<std::ptrdiff_t>(random() % words.size())));
  };
  for (const char* key : {"recovery_point", "recovery_time"})
    if (chance(2)) s["objectives"][key] = chance(3) ? Json(nullptr) : Json(pick({"48h", "7d", "2w"}));
  if (chance(3))
    s["retention"] = nullptr;
  else if (chance(2))
    s["retention"] = {{"last", random() % 9 + 1},
                      {"hourly", 0},
                      {"daily", random() % 30 + 7},
                      {"weekly", random() % 5},
                      {"monthly", 0},
                      {"yearly", 0},
                      {"within", chance(2) ? Json("3d") : Json(nullptr)}};
  for (const char* name : {"one", "two"}) {
    if (chance(2))
      s["copies"][name] = "/mnt/" + std::string(name) + std::to_string(random() % 3);
    else
      s["copies"].erase(name);
    if (chance(2))
      s["notify"][name] = {{"url", pick({"https://example.org/a", "https://example.org/b"})},
                           {"on", chance(2) ? Json{"failure"} : Json{"failure", "success"}}};
    else
      s["notify"].erase(name);
    if (chance(2))
      s["schedules"][name] = {{"run", "verify"},
                              {"calendar", pick({"daily", "Mon 03:00"})},
                              {"enabled", chance(2)},
                              {"level", pick({"bytes", "content"})},
                              {"share", 0.05}};
    else if (chance(2))
      s["schedules"][name] = {
          {"run", "backup"}, {"calendar", "hourly"}, {"enabled", chance(2)}, {"section", "configuration"}};
    else
      s["schedules"].erase(name);
  }
  if (chance(3))
    s["schedules"].erase("configuration");
  else
    s["schedules"]["configuration"] = {{"run", "backup"},
                                       {"calendar", pick({"Mon..Fri 02:30", "daily"})},
                                       {"enabled", chance(2)},
                                       {"section", "configuration"}};
  if (chance(2)) s["service"]["listen"] = pick({"127.0.0.1:8443", "0.0.0.0:443", "[::1]:9000"});
  return s;
}

TEST(ApiSettings, WhatIsWantedIsWhatTheFileSaysThen) {
  const item::AdapterSet adapters = app::all_adapters();
  const std::uint64_t seed = std::random_device{}();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  std::string text = example();
  int accepted = 0;
  for (int i = 0; i < 300; ++i) {
    const system::System now = parsed(text, adapters);
    EXPECT_TRUE(settings_changes(now, settings_json(now)).empty())
        << "nothing is changed by sending back what was got";
    const Json wanted = random_settings(random, settings_json(now));
    const std::string changed = system::changed(text, "holdfast.toml", settings_changes(now, wanted));
    std::optional<system::System> then;
    try {
      then = parsed(changed, adapters);
    } catch (const Error& e) {
      ASSERT_EQ(e.code(), Code::config) << e.what();  // a rule that breaks the objective
      continue;
    }
    // As maps: tables that are new come behind the others.
    ASSERT_EQ(nlohmann::json(settings_json(*then)), nlohmann::json(wanted)) << changed;
    text = changed;
    ++accepted;
  }
  EXPECT_GT(accepted, 100);
  // Comments stay where nothing goes; that of [retention] goes with the rule.
  EXPECT_NE(text.find("# where the identity card is read from"), std::string::npos) << text;
}

TEST(ApiSettings, WhatIsNoSettingIsRefused) {
  const item::AdapterSet adapters = app::all_adapters();
  const system::System now = parsed(example(), adapters);
  for (const char* patch :
       {R"({"nonsense":1})", R"({"retention":{"daily":1.5}})", R"({"retention":{"daily":-1}})",
        R"({"schedules":{"x":{}}})", R"({"schedules":[]})",
        R"({"schedules":{"x":{"run":"backup","calendar":"daily","share":2}}})",
        R"({"notify":{"x":{"url":7}}})", R"({"objectives":{"recovery":"1h"}})"}) {
    Json wanted = settings_json(now);
    wanted.update(Json::parse(patch));
    EXPECT_THROW(settings_changes(now, wanted), Error) << patch;
  }
}

}  // namespace
}  // namespace holdfast::service
