// The API without a socket: its table of routes, and the settings that it changes.
#include "service/api/api.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "app/adapters.h"
#include "platform/testing.h"
#include "service/api/settings_edit.h"
#include "system/configuration_edit.h"

namespace holdfast::service {
namespace {

const platform::Path kExample = platform::Path(HOLDFAST_SOURCE_DIR) / "docs/example.holdfast.toml";

std::string example() { return holdfast::to_text(platform::real_file_system().read_all(kExample)); }

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
  EXPECT_NE(text.find("# points made by hand and pinned points are never touched"), std::string::npos)
      << "comments stay";
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
