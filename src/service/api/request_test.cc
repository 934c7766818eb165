// What clients send: bodies, queries, and the parameters that become arguments of a job.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <future>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <thread>

#include "base/error.h"
#include "base/testing.h"
#include "base/text.h"
#include "platform/testing.h"
#include "report/json.h"
#include "service/api/job_request.h"
#include "service/api/services.h"
#include "service/api/static_files.h"

namespace holdfast::service {
namespace {

http::Request request_with(const std::string& body, const std::string& type = "application/json") {
  http::Request request;
  request.headers = {{"Content-Type", type}};
  request.body = body;
  return request;
}

TEST(Bodies, EveryMemberIsTakenOnceOrRefused) {
  Body body(request_with(
      R"({"name":"a","flag":true,"share":0.5,"list":["x","y"],"inner":{"z":null},"none":null})"));
  EXPECT_EQ(body.text("name"), "a");
  EXPECT_TRUE(body.flag_or("flag", false));
  EXPECT_EQ(body.number("share", 0, 1), 0.5);
  EXPECT_EQ(body.texts("list"), (std::vector<std::string>{"x", "y"}));
  Body inner = body.object("inner");
  EXPECT_FALSE(inner.has("z"));
  EXPECT_EQ(inner.text_or("z", "otherwise"), "otherwise");
  inner.finish();
  EXPECT_EQ(code_of([&] { body.finish(); }), Code::usage) << "nobody took 'none'";
  EXPECT_TRUE(body.take("none").is_null());
  body.finish();
}

TEST(Bodies, WhatIsNoObjectOfTheRightShapeIsRefused) {
  for (const char* text : {"", "[]", "7", "null", "{", R"({"a":1}x)", R"({"a":})"})
    EXPECT_EQ(code_of([&] { Body(request_with(text)); }), Code::usage) << text;
  EXPECT_EQ(code_of([&] {
              Body(request_with("{\"a\":" + std::string(10'000, '[') + std::string(10'000, ']') + "}"));
            }),
            Code::usage);
  EXPECT_EQ(code_of([&] { Body(request_with("{\"a\":\"" + std::string(10'000, '[') + "\"}")); }),
            std::nullopt)
      << "brackets in a text are none";
  for (const char* type : {"text/plain", "application/x-www-form-urlencoded", "", "application/jsonx"}) {
    try {
      Body body(request_with("{}", type));
      ADD_FAILURE() << type;
    } catch (const http::Refusal& e) {
      EXPECT_EQ(e.status(), 415);
    }
  }
  Body(request_with("{}", "Application/JSON; charset=utf-8")).finish();
  for (const char* text :
       {R"({"a":7})", R"({"a":["x"]})", R"({"a":"12345"})", R"({"a":"\u0000"})", R"({"b":"x"})"})
    EXPECT_EQ(code_of([&] { Body(request_with(text)).text("a", 4); }), Code::usage) << text;
}

// Each member of an object is compared with those before it: a megabyte of them would take a core for half a minute.
TEST(Bodies, ManyValuesAreRefusedBeforeAnythingIsMadeOfThem) {
  const auto members = [](std::size_t count) {
    std::string text = "{";
    for (std::size_t i = 0; i < count; ++i) text += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":0";
    return text + "}";
  };
  const auto elements = [](std::size_t count) {
    std::string text = "{\"a\":[0";
    for (std::size_t i = 1; i < count; ++i) text += ",[]";
    return text + "]}";
  };
  EXPECT_EQ(code_of([&] { Body(request_with(members(Body::kMostValues - 1))); }), std::nullopt);
  EXPECT_EQ(code_of([&] { Body(request_with(members(Body::kMostValues + 1))); }), Code::usage);
  EXPECT_EQ(code_of([&] { Body(request_with(members(100'000))); }), Code::usage);
  EXPECT_EQ(code_of([&] { Body(request_with(elements(Body::kMostValues))); }), Code::usage);
  EXPECT_EQ(code_of([&] { Body(request_with("{\"a\":\"" + std::string(10'000, ',') + "\"}")); }), std::nullopt)
      << "commas in a text are none";
}

std::string whole_body(const http::Response& response, std::size_t* largest = nullptr) {
  if (const auto* text = std::get_if<std::string>(&response.body)) return *text;
  std::string all;
  for (std::string piece; !(piece = std::get<http::SourcedBody>(response.body).next()).empty(); all += piece)
    if (largest) *largest = std::max(*largest, piece.size());
  return all;
}

TEST(Pages, EndWithTheirLimitOrWithTheirBytes) {
  Page few(2);
  EXPECT_TRUE(few.add({{"n", 1}}));
  EXPECT_TRUE(few.add({{"n", 2}}));
  EXPECT_FALSE(few.add({{"n", 3}}));
  EXPECT_EQ(whole_body(few.answer("rows", {{"next", "2"}})), R"({"rows":[{"n":1},{"n":2}],"next":"2"})");
  EXPECT_EQ(whole_body(Page(1).answer("rows", {{"next", nullptr}})), R"({"rows":[],"next":null})");
  Page large(1000);
  EXPECT_TRUE(large.add(std::string(2 * Page::kMostBytes, 'x'))) << "a first row always fits";
  EXPECT_FALSE(large.add("y"));
  Page many(1'000'000);
  while (many.add(std::string(4096, 'x'))) {
  }
  EXPECT_EQ(many.size(), Page::kMostBytes / 4099);
}

TEST(LongAnswers, AreWholeJsonInPieces) {
  for (std::size_t rows : {0, 1, 2, 1000}) {
    for (std::size_t more : {0, 3}) {
      std::size_t largest = 0;
      const auto row = [](std::size_t i) { return Json{{"number", i}, {"text", std::string(100, 'x')}}; };
      const http::Response response =
          LongAnswer().list("a", rows, row).list("b", more, row).answer({{"c", 7}, {"d", nullptr}});
      const Json out = Json::parse(whole_body(response, &largest));
      ASSERT_EQ(out["a"].size(), rows);
      ASSERT_EQ(out["b"].size(), more);
      for (std::size_t i = 0; i < rows; ++i) EXPECT_EQ(out["a"][i], row(i));
      EXPECT_EQ(out["c"], 7);
      EXPECT_TRUE(out["d"].is_null());
      EXPECT_LT(largest, 64 * 1024u);
    }
  }
}

TEST(LongLooks, LeaveThreadsForOthers) {
  LongLooks looks;
  int refused = 0;
  // Each look takes another one while it runs.
  std::function<void(int)> go = [&](int depth) {
    http::Request request;
    const http::Handler handler = looks([&](http::Request&) {
      if (depth > 1) go(depth - 1);
      return http::Response{};
    });
    try {
      handler(request);
    } catch (const http::Refusal& e) {
      EXPECT_EQ(e.status(), 503);
      ++refused;
    }
  };
  go(LongLooks::kAtATime);
  EXPECT_EQ(refused, 0);
  go(LongLooks::kAtATime + 1);
  EXPECT_EQ(refused, 1);
  go(LongLooks::kAtATime);
  EXPECT_EQ(refused, 1) << "each gives its turn back";
}

TEST(OneAtATimes, WaitForTheOtherButNotForEver) {
  OneAtATime work(std::chrono::milliseconds(200));
  auto first = work.take();
  ASSERT_TRUE(first);
  std::thread([&] { EXPECT_FALSE(work.take()); }).join();
  const auto began = std::chrono::steady_clock::now();
  std::thread([&] { EXPECT_FALSE(work.take()); }).join();
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::milliseconds(150)) << "it has had its patience already";
  first.reset();
  int inside = 0, most = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        const auto turn = work.take();
        ASSERT_TRUE(turn);
        most = std::max(most, ++inside);
        --inside;
      }
    });
  for (auto& t : threads) t.join();
  EXPECT_EQ(most, 1);
}

// What hangs is where its location is asked for, as a repository hangs whose file system does not answer.
TEST(Archives, ALookThatDoesNotEndIsNotWaitedForForEver) {
  platform::TemporaryFolder folder;
  platform::World world = platform::real_world();
  std::promise<void> hangs, goes_on;
  std::atomic<int> asked = 0;
  Archive archive({world, folder.path(), "holdfast test",
                   [&]() -> std::string {
                     if (asked++ == 0) {
                       hangs.set_value();
                       goes_on.get_future().wait();
                     }
                     throw Error(Code::config, "no repository is named");
                   },
                   {}, std::chrono::milliseconds(50)});
  std::thread first([&] { EXPECT_EQ(code_of([&] { archive.look(); }), Code::config); });
  hangs.get_future().wait();
  EXPECT_EQ(code_of([&] { archive.look(); }), Code::unavailable);
  goes_on.set_value();
  first.join();
  EXPECT_EQ(code_of([&] { archive.look(); }), Code::config) << "the next look tries again";
}

// Whatever stands in the parameters, an argument is a word of ours, a value behind an option of ours, a
// checked point or an absolute path.
TEST(JobRequests, NothingThatAClientSendsBecomesAnOption) {
  const std::uint64_t seed = std::random_device{}();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  const std::array<std::string, 14> nasty{"--config=/etc/x", "--key-file", "-",   "--",   "latest", "abcd",
                                          "/tmp/x",          "--yes",      "a b", "x\ny", "'; rm",  "",
                                          "/--config",       "30d"};
  const std::array<const char*, 10> kinds{"backup", "verify", "check",   "copy",    "retention",
                                          "prune",  "export", "restore", "recover", "kit"};
  const std::array<const char*, 22> names{"items",       "section",       "label",  "point",     "all",
                                          "level",       "older_than",    "share",  "read_data", "copy",
                                          "file",        "file_password", "folder", "from",      "to",
                                          "in_place",    "privileged",    "resume", "only",      "skip",
                                          "acknowledge", "expect_head"};
  const std::set<std::string, std::less<>> flags{"", "all", "read-data", "in-place", "privileged", "resume"},
      options{"item", "section", "label", "level", "older-than", "share", "read-data",   "folder",
              "file", "from",    "to",    "only",  "skip",       "reason", "acknowledge", "expect-head"};
  const auto is_ours = [&](std::string_view argument) {
    if (argument.starts_with("--")) {
      const std::string_view name = argument.substr(2, argument.find('=') - 2);
      return argument.find('=') == std::string_view::npos ? flags.contains(name) : options.contains(name);
    }
    const bool point = argument.size() >= 4 && argument.size() <= 64 &&
                       argument.find_first_not_of("0123456789abcdef") == std::string_view::npos;
    return point || argument == "latest" || argument.starts_with("/");
  };
  int accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    Json parameters = Json::object();
    for (std::size_t n = random() % 5; n > 0; --n) {
      const std::string name = names[random() % names.size()];
      const std::string& value = nasty[random() % nasty.size()];
      if (name == "items" || name == "acknowledge")
        parameters[name] = Json::array({value});
      else if (name == "skip")
        parameters[name][value] = value;
      else if (name == "all" || name == "in_place" || name == "read_data" || name == "resume" ||
               name == "privileged")
        parameters[name] = true;
      else if (name == "share")
        parameters[name] = 0.25;
      else
        parameters[name] = value;
    }
    const std::string kind = kinds[random() % kinds.size()];
    try {
      Body body(request_with(Json{{"kind", kind}, {"parameters", parameters}}.dump()));
      const JobRequest asked = job_request(body);
      ++accepted;
      const auto& a = asked.job.arguments;
      for (std::size_t at = 0; at < a.size(); ++at) {
        const bool name_of_copy = kind == "copy" && !a[0].starts_with("-");
        EXPECT_TRUE(name_of_copy || is_ours(a[at]))
            << kind << " " << parameters.dump() << ": " << a[at];
        EXPECT_EQ(a[at], printable(a[at]));
      }
      command_line({"/usr/bin/holdfast", "/etc/holdfast.toml", "/state", {}, {}}, asked.job, asked.secrets);
    } catch (const Error& e) {
      EXPECT_TRUE(e.code() == Code::usage || e.code() == Code::unknown_name) << e.what();
    }
  }
  EXPECT_GT(accepted, 1000);
}

TEST(JobRequests, ASecretIsNoArgument) {
  Body body(request_with(
      R"({"kind":"export","parameters":{"point":"latest","file":"/mnt/x","file_password":"of the file"}})"));
  const JobRequest asked = job_request(body);
  EXPECT_EQ(asked.job.arguments, (std::vector<std::string>{"latest", "--file=/mnt/x"}));
  EXPECT_EQ(holdfast::to_text(asked.secrets.file_password.view()), "of the file");
}

TEST(PathSegments, NameEveryName) {
  EXPECT_EQ(report::path_segment("plain-1.txt"), "plain-1.txt");
  EXPECT_EQ(report::path_segment("a b/%\xff\n"), "a%20b%2F%25%FF%0A");
}

TEST(StaticFile, PagesFilesAndWhatIsNot) {
  const std::array<EmbeddedFile, 2> files{{{"index.html", "<p>"}, {"assets/x-1.js", "1"}}};
  const StaticFiles serve{std::span<const EmbeddedFile>(files)};
  const auto at = [&](std::vector<std::string> path, http::Method method = http::Method::get) {
    http::Request request;
    request.method = method;
    request.path = std::move(path);
    return serve(request);
  };
  const auto field = [](const http::Response& r, std::string_view name) {
    for (const http::Field& f : r.headers)
      if (f.name == name) return f.value;
    return std::string();
  };
  EXPECT_EQ(std::get<std::string_view>(at({}).body), "<p>");
  EXPECT_EQ(std::get<std::string_view>(at({"points", "3f2a"}).body), "<p>") << "an address of the page's own";
  EXPECT_EQ(field(at({}), "Cache-Control"), "no-cache");
  EXPECT_EQ(std::get<std::string_view>(at({"assets", "x-1.js"}).body), "1");
  EXPECT_NE(field(at({"assets", "x-1.js"}), "Cache-Control").find("immutable"), std::string::npos);
  EXPECT_EQ(code_of([&] { at({"assets", "x-2.js"}); }), Code::not_found);
  EXPECT_EQ(code_of([&] { at({}, http::Method::post); }), Code::usage);
}

}  // namespace
}  // namespace holdfast::service
