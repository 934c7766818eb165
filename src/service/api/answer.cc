#include "service/api/answer.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "report/json.h"

namespace holdfast::service {
namespace {

constexpr std::string_view kJson = "application/json", kProblem = "application/problem+json";

std::string dumped(const Json& body) { return body.dump(-1, ' ', false, Json::error_handler_t::replace); }

[[noreturn]] void refuse(const std::string& what) {
  throw Error(Code::usage, what)
      .safe("nothing was changed")
      .hint("GET /api/v1/openapi.json describes every request");
}

// How deep the values of a text are nested, and how many there are, before anything is made of them: each takes
// memory, and each member of an object is compared with those before it.
struct Shape {
  int depth = 0;
  std::size_t values = 1;
};

Shape shape_of(std::string_view text) {
  Shape shape;
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      shape.depth = std::max(shape.depth, ++depth);
      ++shape.values;
    } else if (c == '}' || c == ']') {
      --depth;
    } else if (c == ',') {
      ++shape.values;
    }
  }
  return shape;
}

Json parsed(const http::Request& request) {
  const std::string type = to_lower_ascii(request.header("Content-Type").value_or(""));
  if (trim(std::string_view(type).substr(0, type.find(';'))) != kJson)
    throw http::Refusal(415, "cannot read the body: its Content-Type is not " + std::string(kJson));
  const Shape shape = shape_of(request.body);
  if (shape.depth > Body::kDeepest) refuse("cannot read the body: it is nested too deeply");
  if (shape.values > Body::kMostValues)
    refuse("cannot read the body: it holds more than " + std::to_string(Body::kMostValues) + " values");
  Json body = Json::parse(request.body, nullptr, false);
  if (!body.is_object()) refuse("cannot read the body: it is no JSON object");
  return body;
}

std::string listed(std::span<const std::string_view> words) {
  return join(std::vector<std::string>(words.begin(), words.end()), ", ");
}

std::int64_t whole(std::string_view name, std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    refuse("'" + std::string(name) + "' takes a whole number, not '" + printable(text) + "'");
  return value;
}

// What a code means to a client of the API, where the table speaks to a person at the command line.
std::string_view meaning(const CodeInfo& code) {
  if (code.code == Code::usage) return "The request is wrong.";
  if (code.code == Code::unknown_name) return "There is nothing of this name.";
  if (code.code == Code::permission) return "It is not allowed.";
  return code.meaning;
}

std::string_view advice(int status, bool refusal, const CodeInfo& code) {
  if (status == 429) return "Try again after that time.";
  if (refusal && status == 401) return "Sign in, with the right name and password.";
  if (refusal && status == 403) return "An administrator gives rights.";
  return code.code == Code::usage ? "GET /api/v1/openapi.json describes every request." : code.advice;
}

}  // namespace

http::Response json_answer(const Json& body, int status) {
  return http::text_response(status, std::string(kJson), dumped(body));
}

http::Response no_content() {
  http::Response response;
  response.status = 204;
  return response;
}

Json problem_json(int status, const Error& error) {
  // 401 and 403 are HTTP's own words for what our table calls permission; a wrong key of a repository is not
  // the end of a session.
  const auto* refusal = dynamic_cast<const http::Refusal*>(&error);
  const bool refused = refusal != nullptr && (status == 401 || status == 403);
  const CodeInfo& code = info(refused ? Code::permission : error.code());
  Json out{
      {"type", "urn:holdfast:error:" + std::string(code.name)}, {"title", meaning(code)}, {"status", status}};
  out["detail"] = report::printable_lines(error.what(), "\n");
  out["safe"] = error.safe().empty() ? "earlier recovery points were not touched"
                                     : report::printable_lines(error.safe(), " ");
  out["hint"] = error.hint().empty() ? std::string(advice(status, refusal != nullptr, code))
                                     : report::printable_lines(error.hint(), " ");
  out["code"] = code.name;
  out["exit"] = code.exit_code;
  out["retry"] = code.retry || status == 429;
  if (refusal != nullptr)
    for (const http::Field& field : refusal->fields())
      if (http::same_name(field.name, "Retry-After")) out["retry_after"] = whole("Retry-After", field.value);
  return out;
}

bool Page::add(const Json& row) {
  const std::string text = dumped(row);
  if (count_ == limit_ || (count_ != 0 && rows_.size() + text.size() > kMostBytes)) return false;
  rows_ += (count_ == 0 ? "" : ",") + text;
  ++count_;
  return true;
}

http::Response Page::answer(std::string_view name, const Json& rest) const {
  return http::text_response(200, std::string(kJson),
                             "{" + dumped(name) + ":[" + rows_ + "]," + dumped(rest).substr(1));
}

struct LongAnswer::List {
  std::string name;
  std::size_t rows;
  Row row;
};

// The lists as they are sent: a row is made into text when the client has taken those before it.
struct LongAnswer::Source {
  std::vector<List> lists;
  std::string ending;
  std::size_t list = 0, row = 0;

  std::string next() {
    constexpr std::size_t kPiece = 32 * 1024;
    std::string text;
    for (; list < lists.size(); ++list, row = 0) {
      const List& now = lists[list];
      if (row == 0) text += (list == 0 ? "{" : "],") + dumped(now.name) + ":[";
      while (row < now.rows) {
        text += (row == 0 ? "" : ",") + dumped(now.row(row));
        ++row;
        if (text.size() >= kPiece) return text;
      }
    }
    return text + std::exchange(ending, "");
  }
};

LongAnswer::LongAnswer() : source_(std::make_shared<Source>()) {}

LongAnswer& LongAnswer::list(std::string name, std::size_t rows, Row row) {
  source_->lists.push_back({std::move(name), rows, std::move(row)});
  return *this;
}

http::Response LongAnswer::answer(const Json& rest) {
  source_->ending = "]," + dumped(rest).substr(1);
  http::Response response;
  response.headers = {{"Content-Type", std::string(kJson)}};
  response.body = http::SourcedBody{[source = source_] { return source->next(); }, std::nullopt};
  return response;
}

http::Response problem_answer(int status, const Error& error) {
  return http::text_response(status, std::string(kProblem), dumped(problem_json(status, error)));
}

Body::Body(const http::Request& request) : object_(std::make_unique<Json>(parsed(request))) {}
Body::Body(Body&&) noexcept = default;
Body::~Body() = default;

Body::Body(Json object, std::string where)
    : object_(std::make_unique<Json>(std::move(object))), where_(std::move(where)) {
  if (!object_->is_object()) refuse("'" + printable(where_) + "' must be an object");
}

std::string Body::place(std::string_view name) const {
  return "'" + printable(where_.empty() ? std::string(name) : where_ + "." + std::string(name)) + "'";
}

bool Body::has(std::string_view name) const {
  const auto it = object_->find(name);
  return it != object_->end() && !it->is_null();
}

Json Body::take(std::string_view name) {
  const auto it = object_->find(name);
  if (it == object_->end()) return nullptr;
  Json value = std::move(*it);
  object_->erase(it);
  return value;
}

std::string Body::text(std::string_view name, std::size_t longest) {
  const Json value = take(name);
  if (value.is_null()) refuse(place(name) + " is missing");
  if (!value.is_string()) refuse(place(name) + " must be a text");
  const auto& text = value.get_ref<const std::string&>();
  if (text.size() > longest) refuse(place(name) + " is longer than " + std::to_string(longest) + " bytes");
  if (text.find('\0') != std::string::npos) refuse(place(name) + " holds a NUL");
  return text;
}

std::string Body::text_or(std::string_view name, std::string_view otherwise, std::size_t longest) {
  if (has(name)) return text(name, longest);
  take(name);
  return std::string(otherwise);
}

bool Body::flag_or(std::string_view name, bool otherwise) {
  const Json value = take(name);
  if (value.is_null()) return otherwise;
  if (!value.is_boolean()) refuse(place(name) + " must be true or false");
  return value.get<bool>();
}

std::optional<double> Body::number(std::string_view name, double lowest, double highest) {
  const Json value = take(name);
  if (value.is_null()) return std::nullopt;
  if (!value.is_number()) refuse(place(name) + " must be a number");
  const double number = value.get<double>();
  if (!(number >= lowest && number <= highest)) refuse(place(name) + " is out of its range");
  return number;
}

std::vector<std::string> Body::texts(std::string_view name, std::size_t most, std::size_t longest) {
  const Json value = take(name);
  std::vector<std::string> out;
  if (value.is_null()) return out;
  if (!value.is_array() || value.size() > most)
    refuse(place(name) + " must be a list of at most " + std::to_string(most) + " texts");
  for (std::size_t i = 0; i < value.size(); ++i)
    out.push_back(
        Body(Json{{"text", value[i]}}, where_.empty() ? std::string(name) : where_ + "." + std::string(name))
            .text("text", longest));
  return out;
}

std::string Body::one_of(std::string_view name, std::span<const std::string_view> words) {
  std::string text = this->text(name, 64);
  if (std::find(words.begin(), words.end(), text) != words.end()) return text;
  throw Error(Code::usage, place(name) + " is '" + printable(text) + "', which is none of: " + listed(words))
      .safe("nothing was changed");
}

Body Body::object(std::string_view name) {
  Json value = take(name);
  return Body(value.is_null() ? Json::object() : std::move(value),
              where_.empty() ? std::string(name) : where_ + "." + std::string(name));
}

std::vector<std::string> Body::names() const {
  std::vector<std::string> out;
  for (const auto& [name, value] : object_->items()) out.push_back(name);
  return out;
}

void Body::finish() const {
  if (!object_->empty()) refuse("there is no " + place(object_->begin().key()));
}

std::size_t limit_of(const http::Request& request, std::size_t most, std::size_t otherwise) {
  const std::int64_t limit = number_of(request, "limit", static_cast<std::int64_t>(otherwise));
  if (limit < 1 || limit > static_cast<std::int64_t>(most))
    refuse("'limit' goes from 1 to " + std::to_string(most));
  return static_cast<std::size_t>(limit);
}

std::int64_t number_of(const http::Request& request, std::string_view name, std::int64_t otherwise) {
  const auto text = request.parameter(name);
  return text ? whole(name, *text) : otherwise;
}

bool flag_of(const http::Request& request, std::string_view name, bool otherwise) {
  const auto text = request.parameter(name);
  if (!text) return otherwise;
  if (*text != "true" && *text != "false") refuse("'" + std::string(name) + "' is true or false");
  return *text == "true";
}

std::optional<Timestamp> time_of(const http::Request& request, std::string_view name) {
  const auto text = request.parameter(name);
  if (!text) return std::nullopt;
  const auto time = parse_utc(*text);
  if (!time) refuse("'" + std::string(name) + "' takes a time like 2026-11-22T02:00:05Z");
  return time;
}

std::optional<std::string_view> word_of(const http::Request& request, std::string_view name,
                                        std::span<const std::string_view> words) {
  const auto text = request.parameter(name);
  if (!text || std::find(words.begin(), words.end(), *text) != words.end()) return text;
  refuse("'" + std::string(name) + "' takes one of: " + listed(words));
}

std::string text_of(const http::Request& request, std::string_view name) {
  return std::string(request.parameter(name).value_or(""));
}

std::int64_t part_number(const http::Request& request, std::string_view name) {
  const std::string& text = request.part(name);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 1)
    throw Error(Code::not_found, "there is no " + std::string(name) + " '" + printable(text) + "'")
        .safe("nothing was changed");
  return value;
}

Json time_or_null(const std::optional<Timestamp>& time) {
  return time ? Json(format_utc(*time)) : Json(nullptr);
}

}  // namespace holdfast::service
