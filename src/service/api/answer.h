// Answers and bodies of the API: JSON out, JSON in, problems (RFC 9457), pages of lists. Values and functions
// of their arguments.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "http/message.h"

namespace holdfast::service {

using Json = nlohmann::ordered_json;

http::Response json_answer(const Json& body, int status = 200);
http::Response no_content();

// Rows of a list, as many as a client is given at a time: larger answers wait for room (http/limits.h), and would
// wait for ever. Whoever takes pages goes by `next`, not by the number of rows.
class Page {
 public:
  static constexpr std::size_t kMostBytes = 256 * 1024;
  explicit Page(std::size_t limit) : limit_(limit) {}
  // False: the page is full, and the row is one of the next page. A first row always fits.
  bool add(const Json& row);
  std::size_t size() const { return count_; }
  // {"name": [rows], and the members of `rest`}
  http::Response answer(std::string_view name, const Json& rest) const;

 private:
  std::size_t limit_, count_ = 0;
  std::string rows_;
};

// An object of whole lists: a row is made when the client has taken those before it, so that a long list takes no
// more memory than what it is made of.
class LongAnswer {
 public:
  using Row = std::function<Json(std::size_t)>;  // keeps what it needs; called once for each, in order
  LongAnswer();
  LongAnswer& list(std::string name, std::size_t rows, Row row);
  // {"name": [rows], … and the members of `rest`}; at least one list and one member.
  http::Response answer(const Json& rest);

 private:
  struct List;
  struct Source;
  std::shared_ptr<Source> source_;
};

// An Error as application/problem+json with our own members: safe, hint, code, exit, retry. For
// http::Options::problem, too.
http::Response problem_answer(int status, const Error& error);
Json problem_json(int status, const Error& error);

// The object in a request's body. Each member is taken once; finish() refuses those that nobody took, so that
// a mistyped name is told. Every refusal is Error(usage) and names the member. Holds references to nothing.
class Body {
 public:
  // Refusal(415): not application/json, which also keeps out forms of other sites. Error(usage): no JSON
  // object, deeper than kDeepest or of more than kMostValues.
  explicit Body(const http::Request& request);
  // An object inside a body; `where` names it in errors: "parameters".
  Body(Json object, std::string where);
  Body(Body&&) noexcept;
  ~Body();

  static constexpr int kDeepest = 16;
  static constexpr std::size_t kMostValues = 4000;  // settings with 300 schedules; anybody may send a sign-in

  bool has(std::string_view name) const;  // there and not null
  std::string text(std::string_view name, std::size_t longest = 4096);
  std::string text_or(std::string_view name, std::string_view otherwise, std::size_t longest = 4096);
  bool flag_or(std::string_view name, bool otherwise);
  std::optional<double> number(std::string_view name, double lowest, double highest);
  std::vector<std::string> texts(std::string_view name, std::size_t most = 100,
                                 std::size_t longest = 4096);  // none: empty
  std::string one_of(std::string_view name, std::span<const std::string_view> words);
  Body object(std::string_view name);      // none: an empty one
  std::vector<std::string> names() const;  // of the members that nobody took yet
  Json take(std::string_view name);        // null when it is not there
  void finish() const;

 private:
  std::string place(std::string_view name) const;
  std::unique_ptr<Json> object_;
  std::string where_;
};

// Query parameters. Error(usage) when they are something else.
std::size_t limit_of(const http::Request& request, std::size_t most, std::size_t otherwise = 100);
std::int64_t number_of(const http::Request& request, std::string_view name, std::int64_t otherwise);
bool flag_of(const http::Request& request, std::string_view name, bool otherwise);
std::optional<Timestamp> time_of(const http::Request& request, std::string_view name);
std::optional<std::string_view> word_of(const http::Request& request, std::string_view name,
                                        std::span<const std::string_view> words);
std::string text_of(const http::Request& request, std::string_view name);  // "" when it is not there
// A part of the path that is a number from 1. Error(not_found): it is none.
std::int64_t part_number(const http::Request& request, std::string_view name);

Json time_or_null(const std::optional<Timestamp>& time);

}  // namespace holdfast::service
