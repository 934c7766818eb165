#include "http/router.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/text.h"

namespace holdfast::http {
namespace {

Request request_for(Method method, const std::string& target) {
  Request request;
  request.method = method;
  request.target = target;
  request.path = parse_target(target).path;
  return request;
}

// What is called and with which parts: "GET /a/{x} x=1".
Handler tell(const std::string& what) {
  return [what](Request& request) {
    std::string text = what;
    for (const Field& part : request.named) text += " " + part.name + "=" + part.value;
    return text_response(200, "text/plain", text);
  };
}

std::string ask(const Router& router, Method method, const std::string& target) {
  Request request = request_for(method, target);
  try {
    Response response = router(request);
    if (response.status == 204) return "204 " + response.headers.at(0).value;
    return std::get<std::string>(response.body);
  } catch (const Refusal& refusal) {
    return std::to_string(refusal.status()) + " " + refusal.fields().at(0).name + " " +
           refusal.fields().at(0).value;
  } catch (const Error& error) {
    return std::to_string(status_of(error));
  }
}

void no_guard(Request&, const Route&) {}

TEST(Router, FindsTheRoute) {
  Router router(no_guard);
  auto add = [&](Method method, const std::string& pattern) {
    router.add(method, pattern, "see", tell(std::string(to_text(method)) + " " + pattern));
  };
  add(Method::get, "/");
  add(Method::get, "/points");
  add(Method::get, "/points/{id}");
  add(Method::put, "/points/{id}/pin");
  add(Method::del, "/points/{id}/pin");
  add(Method::get, "/points/{id}/items/{item}/files");
  add(Method::get, "/points/latest");
  EXPECT_EQ(ask(router, Method::get, "/"), "GET /");
  EXPECT_EQ(ask(router, Method::get, "/points?x=1"), "GET /points");
  EXPECT_EQ(ask(router, Method::head, "/points"), "GET /points");
  EXPECT_EQ(ask(router, Method::get, "/points/7%2f8"), "GET /points/{id} id=7/8");
  EXPECT_EQ(ask(router, Method::get, "/points/latest"), "GET /points/latest");
  EXPECT_EQ(ask(router, Method::get, "/points/7/items/db/files"),
            "GET /points/{id}/items/{item}/files id=7 item=db");
  EXPECT_EQ(ask(router, Method::post, "/points/7/pin"), "405 Allow OPTIONS, PUT, DELETE");
  EXPECT_EQ(ask(router, Method::options, "/points/7"), "204 OPTIONS, GET, HEAD");
  for (const char* target : {"/points/", "/point", "/points/7/pin/", "//points", "/points//pin", "/Points"})
    EXPECT_EQ(ask(router, Method::get, target), "404") << target;
  EXPECT_EQ(router.routes().size(), 7U);
  EXPECT_EQ(router.routes()[3].pattern, "/points/{id}/pin");
  EXPECT_EQ(router.routes()[3].right, "see");
}

TEST(Router, AsksTheGuardFirst) {
  std::vector<std::string> asked;
  bool handled = false;
  Router router([&](Request& request, const Route& route) {
    asked.push_back(route.right + " " + request.part("id"));
    if (route.right == "nobody") throw Refusal(401, "sign in", {{"WWW-Authenticate", "Bearer"}});
    request.caller = std::string("ann");
  });
  router.add(Method::get, "/a/{id}", "anybody", [](Request& request) {
    return text_response(200, "text/plain", std::any_cast<std::string>(request.caller));
  });
  router.add(Method::post, "/a/{id}", "nobody", [&](Request&) -> Response {
    handled = true;
    return {};
  });
  EXPECT_EQ(ask(router, Method::head, "/a/1"), "ann");
  EXPECT_EQ(ask(router, Method::post, "/a/2"), "401 WWW-Authenticate Bearer");
  EXPECT_FALSE(handled);
  EXPECT_EQ(asked, (std::vector<std::string>{"anybody 1", "nobody 2"}));
}

TEST(Router, RefusesADoubtfulTable) {
  Router router(no_guard);
  router.add(Method::get, "/a/{x}", "", tell(""));
  for (const char* pattern :
       {"", "a", "/a/", "//", "/{}", "/a{x}", "/{x", "/{x}y", "/{x}/{x}", "/a/{x}", "/a/{y}"})
    EXPECT_THROW(router.add(Method::get, pattern, "", tell("")), Error) << pattern;
  EXPECT_THROW(router.add(Method::post, "/a/{y}", "", tell("")), Error);
  EXPECT_THROW(router.add(Method::head, "/b", "", tell("")), Error);
  EXPECT_THROW(router.add(Method::options, "/b", "", tell("")), Error);
  router.add(Method::post, "/a/{x}", "", tell(""));
}

// The model writes every pattern as the set of its words and compares strings of "0" (word) and "1" (name).
TEST(Router, IsLikeItsModel) {
  unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::vector<std::string> words{"a", "b", "c"};
  for (int run = 0; run < 300; ++run) {
    struct Known {
      std::vector<std::string> parts;
      std::string rank;
      std::vector<Method> methods;
    };
    std::vector<Known> model;
    Router router(no_guard);
    for (int n = 0; n < 12; ++n) {
      Known known;
      std::string pattern;
      for (std::size_t depth = 1 + random() % 3; depth > 0; --depth) {
        bool name = random() % 3 == 0;
        known.parts.push_back(name ? "{p" + std::to_string(known.parts.size()) + "}" : words[random() % 3]);
        known.rank += name ? '1' : '0';
        pattern += "/" + known.parts.back();
      }
      Method method = random() % 2 ? Method::get : Method::post;
      auto same =
          std::find_if(model.begin(), model.end(), [&](const Known& k) { return k.parts == known.parts; });
      if (same == model.end()) same = model.insert(model.end(), known);
      if (std::count(same->methods.begin(), same->methods.end(), method)) continue;
      same->methods.push_back(method);
      router.add(method, pattern, "", tell(std::string(to_text(method)) + pattern));
    }
    for (int n = 0; n < 60; ++n) {
      std::vector<std::string> path;
      std::string target;
      for (std::size_t depth = 1 + random() % 3; depth > 0; --depth)
        path.push_back(words[random() % 3]), target += "/" + path.back();
      Method method = random() % 2 ? Method::get : Method::post;
      const Known* best = nullptr;
      for (const Known& known : model) {
        bool fits = known.parts.size() == path.size();
        for (std::size_t i = 0; fits && i < path.size(); ++i)
          fits = known.rank[i] == '1' || known.parts[i] == path[i];
        if (fits && (!best || known.rank < best->rank)) best = &known;
      }
      std::string wanted = "404";
      if (best && !std::count(best->methods.begin(), best->methods.end(), method)) {
        wanted = "405";
      } else if (best) {
        wanted = std::string(to_text(method));
        for (const std::string& part : best->parts) wanted += "/" + part;
        for (std::size_t i = 0; i < path.size(); ++i)
          if (best->rank[i] == '1') wanted += " p" + std::to_string(i) + "=" + path[i];
      }
      ASSERT_EQ(ask(router, method, target).substr(0, wanted.size()), wanted) << target;
    }
  }
}

}  // namespace
}  // namespace holdfast::http
