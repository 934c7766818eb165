// Answers and bodies of the API: JSON out, JSON in, problems (RFC 9457), pages of lists. Values and functions
// of their arguments.
#pragma once

#include <cstdint>
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

// An Error as application/problem+json with our own members: safe, hint, code, exit, retry. For
// http::Options::problem, too.
http::Response problem_answer(int status, const Error& error);
Json problem_json(int status, const Error& error);

// The object in a request's body. Each member is taken once; finish() refuses those that nobody took, so that
// a mistyped name is told. Every refusal is Error(usage) and names the member. Holds references to nothing.
class Body {
 public:
  // Refusal(415): not application/json, which also keeps out forms of other sites. Error(usage): no JSON
  // object, or deeper than kDeepest.
  explicit Body(const http::Request& request);
  // An object inside a body; `where` names it in errors: "parameters".
  Body(Json object, std::string where);
  Body(Body&&) noexcept;
  ~Body();

  static constexpr int kDeepest = 16;

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
std::string text_of(const http::Request& request, std::string_view name);  // "" when it is not there
// A part of the path that is a number from 1. Error(not_found): it is none.
std::int64_t part_number(const http::Request& request, std::string_view name);

Json time_or_null(const std::optional<Timestamp>& time);

}  // namespace holdfast::service
