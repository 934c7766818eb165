#include "http/message.h"

#include <gtest/gtest.h>

#include <random>

#include "http/event_stream.h"
#include "http/head.h"
#include "http/response_head.h"

namespace holdfast::http {
namespace {

template <class Act>
int refused(const Act& act) {
  try {
    act();
    return 0;
  } catch (const Refusal& refusal) {
    return refusal.status();
  }
}

using Path = std::vector<std::string>;

TEST(Target, Reads) {
  EXPECT_EQ(parse_target("/").path, Path{});
  EXPECT_EQ(parse_target("/a/b").path, (Path{"a", "b"}));
  EXPECT_EQ(parse_target("/a/").path, (Path{"a", ""}));
  EXPECT_EQ(parse_target("//a").path, (Path{"", "a"}));
  EXPECT_EQ(parse_target("/a%20b/%C3%BC/x%2Fy/+").path, (Path{"a b", "ü", "x/y", "+"}));
  EXPECT_EQ(parse_target("/...").path, Path{"..."});
  Target target = parse_target("/a?x=1&y=a+b%26c&&flag&=v&x=2&path=%0a?/");
  EXPECT_EQ(target.path, Path{"a"});
  EXPECT_EQ(target.query,
            (Fields{{"x", "1"}, {"y", "a b&c"}, {"flag", ""}, {"", "v"}, {"x", "2"}, {"path", "\n?/"}}));
  EXPECT_EQ(parse_target("/?").query, Fields{});
}

TEST(Target, RefusesWhatHasTwoReadings) {
  for (const char* text : {"",        "*",         "a",     "http://host/a", "/a b",
                           "/a#b",    "/%",        "/%1",   "/%4g",          "/%00",
                           "/a%0a",   "/%7f",      "/%ff",  "/\xc3\xbc",     "/..",
                           "/a/../b", "/%2e%2E/b", "/.",    "/a?x=%00",      "/a?%ff",
                           "/a?%",    "/a?x=%f",   "/\x7f", "/a\tb",         "/%c0%ae%c0%ae"})
    EXPECT_EQ(refused([&] { parse_target(text); }), 400) << text;
  std::string most = "/?";
  for (std::size_t i = 0; i < kMostParameters; ++i) most += "a&";
  EXPECT_EQ(parse_target(most).query.size(), kMostParameters);
  EXPECT_EQ(refused([&] { parse_target(most + "a"); }), 400);
}

TEST(Target, ComesBackAsItWasEncoded) {
  unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  auto text = [&](bool control) {
    std::string s;
    for (std::size_t n = random() % 8; n > 0; --n)
      s += random() % 5 == 0
               ? "ü€"
               : std::string(1, static_cast<char>((control ? 1 : 32) + random() % (control ? 126 : 95)));
    return s;
  };
  auto encode = [&](const std::string& s, bool query) {
    std::string e;
    for (char c : s) {
      bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
      char hex[8];
      std::snprintf(hex, sizeof hex, random() % 2 ? "%%%02X" : "%%%02x", static_cast<unsigned char>(c));
      e += plain && random() % 4 ? std::string(1, c) : query && c == ' ' && random() % 2 ? "+" : hex;
    }
    return e;
  };
  for (int run = 0; run < 2000; ++run) {
    Target wanted;
    std::string line;
    for (std::size_t n = 1 + random() % 4; n > 0; --n) {
      std::string part = text(false) + "x";  // not "." or ".."
      wanted.path.push_back(part);
      line += "/" + encode(part, false);
    }
    for (std::size_t n = random() % 4, i = 0; i < n; ++i) {
      wanted.query.push_back({text(true) + "n", text(true)});
      line += (i == 0 ? "?" : "&") + encode(wanted.query.back().name, true) + "=" +
              encode(wanted.query.back().value, true);
    }
    Target got = parse_target(line);
    ASSERT_EQ(got.path, wanted.path) << line;
    ASSERT_EQ(got.query, wanted.query) << line;
  }
}

TEST(Request, LooksUp) {
  Request request;
  request.headers = {{"Cookie", "a=1; __Host-s=x=y; broken; =z;  b = 2 "},
                     {"X-One", "1"},
                     {"Cookie", "late=1"},
                     {"X-Two", "1"},
                     {"x-two", "2"}};
  request.query = {{"q", "1"}, {"w", "1"}, {"w", "1"}};
  request.named = {{"id", "7"}};
  EXPECT_EQ(request.header("x-one"), "1");
  EXPECT_EQ(request.header("x-on"), std::nullopt);
  EXPECT_EQ(refused([&] { request.header("X-TWO"); }), 400);
  EXPECT_EQ(request.parameter("q"), "1");
  EXPECT_EQ(request.parameter("Q"), std::nullopt);
  EXPECT_EQ(refused([&] { request.parameter("w"); }), 400);
  EXPECT_EQ(request.cookie("__Host-s"), "x=y");
  EXPECT_EQ(request.cookie("a"), "1");
  EXPECT_EQ(request.cookie("late"), "1");
  EXPECT_EQ(request.cookie("A"), std::nullopt);
  EXPECT_EQ(request.cookie(""), std::nullopt);
  EXPECT_EQ(request.part("id"), "7");
  EXPECT_THROW(request.part("other"), Error);
}

TEST(Head, PassesWhatHasOneReading) {
  for (const char* head :
       {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.0\r\n\r\n",
        "DELETE /x?y HTTP/1.1\r\nhost:a\r\nX-Empty:\r\nTab:\ta\tb \r\nX: \xc3\xbc\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 000000000000000012\r\nExpect: 100-Continue\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"})
    EXPECT_EQ(refused([&] { check_head(head, 100); }), 0) << head;
}

TEST(Head, RefusesTheRest) {
  const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n";
  struct Case {
    int status;
    std::string head;
  };
  const Case cases[] = {{400, ""},
                        {400, "\r\n"},
                        {400, "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"},
                        {400, "GET /\r\n\r\n"},
                        {400, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"},
                        {400, "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"},
                        {400, " GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
                        {400, "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"},
                        {400, "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n"},
                        {400, "GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n"},
                        {400, "G@T / HTTP/1.1\r\nHost: a\r\n\r\n"},
                        {400, "GET / http/1.1\r\nHost: a\r\n\r\n"},
                        {400, "GET /\tHTTP/1.1\r\nHost: a\r\n\r\n"},
                        {505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"},
                        {505, "GET / HTTP/1.10\r\nHost: a\r\n\r\n"},
                        {505, "PRI * HTTP/2.0\r\n\r\n"},
                        {501, "BREW / HTTP/1.1\r\nHost: a\r\n\r\n"},
                        {501, "get / HTTP/1.1\r\nHost: a\r\n\r\n"},
                        {501, "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"},
                        {400, "GET / HTTP/1.1\r\n\r\n"},
                        {400, get + "Host: a\r\n\r\n"},
                        {400, get + "HOST: b\r\n\r\n"},
                        {400, get + "X: a\nY: b\r\n\r\n"},
                        {400, get + "X: a\rY: b\r\n\r\n"},
                        {400, get + std::string("X: a\0b\r\n\r\n", 10)},
                        {400, get + "X: a\r\n folded\r\n\r\n"},
                        {400, get + "X: a\r\n\tfolded\r\n\r\n"},
                        {400, get + " X: a\r\n\r\n"},
                        {400, get + "X : a\r\n\r\n"},
                        {400, get + "X\r\n\r\n"},
                        {400, get + ": a\r\n\r\n"},
                        {400, get + "X(y): a\r\n\r\n"},
                        {400, get + "\xc3\xbc: a\r\n\r\n"},
                        {400, get + "Content-Length: 1\r\nContent-Length: 1\r\n\r\n"},
                        {400, get + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n"},
                        {400, get + "Content-Length: 1, 1\r\n\r\n"},
                        {400, get + "Content-Length: +1\r\n\r\n"},
                        {400, get + "Content-Length: -1\r\n\r\n"},
                        {400, get + "Content-Length: 0x1\r\n\r\n"},
                        {400, get + "Content-Length: 1 1\r\n\r\n"},
                        {400, get + "Content-Length:\r\n\r\n"},
                        {400, get + "Content-Length: 9999999999999999999\r\n\r\n"},
                        {400, get + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"},
                        {400, get + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n"},
                        {400, get + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"},
                        {501, get + "Transfer-Encoding: gzip, chunked\r\n\r\n"},
                        {501, get + "Transfer-Encoding: chunked, identity\r\n\r\n"},
                        {501, get + "Transfer-Encoding: identity\r\n\r\n"},
                        {501, get + "Transfer-Encoding: xchunked\r\n\r\n"},
                        {501, get + "Transfer-Encoding:\r\n\r\n"},
                        {400, get + "Transfer-Encoding: \x0b chunked\r\n\r\n"},
                        {400, get + "Transfer-Encoding : chunked\r\n\r\n"},
                        {501, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"},
                        {417, get + "Expect: miracles\r\n\r\n"},
                        {400, get + "\r\nGET / HTTP/1.1\r\n\r\n"},
                        {400, get}};
  for (const Case& c : cases) EXPECT_EQ(refused([&] { check_head(c.head, 100); }), c.status) << c.head;
}

TEST(Head, CountsFields) {
  std::string head = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 99; ++i) head += "a:\r\n";
  EXPECT_EQ(refused([&] { check_head(head + "\r\n", 100); }), 0);
  EXPECT_EQ(refused([&] { check_head(head + "a:\r\n\r\n", 100); }), 431);
}

TEST(ResponseHead, SaysWhatEveryAnswerSays) {
  std::string head =
      response_head(text_response(200, "text/plain", ""),
                    {.keep_alive = true, .length = 3, .strict_transport = true, .now = {1'795'312'800, 0}});
  EXPECT_EQ(head,
            "HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 02:00:00 GMT\r\nContent-Length: 3\r\n"
            "Content-Security-Policy: default-src 'self'; object-src 'none'; base-uri 'none'; form-action "
            "'self'; frame-ancestors 'none'\r\n"
            "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\nCache-Control: "
            "no-store\r\nStrict-Transport-Security: max-age=31536000\r\n"
            "Content-Type: text/plain\r\n\r\n");
  Response own{499, {{"cache-control", "max-age=60"}, {"Set-Cookie", "a=1"}, {"Set-Cookie", "b=2"}}, {}};
  head = response_head(own, {.chunked = true, .length = {}, .now = {}});
  EXPECT_TRUE(
      head.starts_with("HTTP/1.1 499 \r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nConnection: "
                       "close\r\nTransfer-Encoding: chunked\r\n"))
      << head;
  EXPECT_EQ(head.find("no-store"), std::string::npos);
  EXPECT_EQ(head.find("Strict"), std::string::npos);
  EXPECT_NE(head.find("Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n"), std::string::npos);
}

TEST(ResponseHead, CannotBeSplit) {
  for (const Field& field : Fields{{"X", "a\r\nSet-Cookie: b"},
                                   {"X", "a\n"},
                                   {"X", std::string("\0", 1)},
                                   {"X\r\n", "a"},
                                   {"X:", "a"},
                                   {"", "a"},
                                   {"X y", "a"},
                                   {"content-length", "3"},
                                   {"Transfer-Encoding", "chunked"},
                                   {"connection", "x"},
                                   {"Date", "x"}})
    EXPECT_THROW(response_head(Response{200, {field}, {}}, {}), Error) << field.name;
  EXPECT_THROW(response_head(Response{100, {}, {}}, {}), Error);
  EXPECT_THROW(response_head(Response{1000, {}, {}}, {}), Error);
}

TEST(Event, IsEncoded) {
  EXPECT_EQ(encode_event({"", "", "a"}), "data: a\n\n");
  EXPECT_EQ(encode_event({"7", "line", "a\nb\r\nc\rd\n"}),
            "id: 7\nevent: line\ndata: a\ndata: b\ndata: c\ndata: d\ndata: \n\n");
  EXPECT_EQ(encode_event({"7", "", ""}), "id: 7\ndata: \n\n");
  EXPECT_THROW(encode_event({"7\n", "", ""}), Error);
  EXPECT_THROW(encode_event({"", "a\rb", ""}), Error);
  EXPECT_THROW(encode_event({std::string("\0", 1), "", ""}), Error);
}

TEST(EventStream, IsBounded) {
  EventStream stream(40);
  int woken = 0;
  EXPECT_TRUE(stream.post({"", "", "12345"}));  // 13 bytes
  stream.attach([&] { ++woken; });
  EXPECT_TRUE(stream.post({"", "", "12345"}));
  EXPECT_TRUE(stream.fits({"", "", "123456"}));
  EXPECT_FALSE(stream.fits({"", "", "1234567"}));
  EXPECT_EQ(stream.take(20).size(), 20U);
  EXPECT_EQ(stream.take(20), "2345\n\n");
  EXPECT_TRUE(stream.open());
  EXPECT_FALSE(stream.finished());
  EXPECT_TRUE(stream.post({"", "", std::string(32, 'x')}));
  EXPECT_FALSE(stream.overrun());
  EXPECT_FALSE(stream.post({"", "", ""}));
  EXPECT_TRUE(stream.overrun());
  EXPECT_FALSE(stream.open());
  EXPECT_EQ(stream.take(100), "");
  EXPECT_FALSE(stream.post({"", "", "1"}));
  EXPECT_EQ(woken, 3);
}

TEST(EventStream, Ends) {
  EventStream stream;
  EXPECT_TRUE(stream.post({"", "", "1"}));
  stream.end();
  EXPECT_FALSE(stream.post({"", "", "2"}));
  EXPECT_FALSE(stream.finished());
  EXPECT_EQ(stream.take(100), "data: 1\n\n");
  EXPECT_TRUE(stream.finished());
  EventStream gone;
  int woken = 0;
  gone.attach([&] { ++woken; });
  gone.close();
  EXPECT_FALSE(gone.post({"", "", "1"}));
  gone.end();
  EXPECT_EQ(woken, 0);
}

}  // namespace
}  // namespace holdfast::http
