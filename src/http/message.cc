#include "http/message.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace holdfast::http {
namespace {

constexpr std::array<std::string_view, 7> kMethods{"GET",   "HEAD",   "POST",   "PUT",
                                                   "PATCH", "DELETE", "OPTIONS"};

Code code_of(int status) {
  if (status < 500) return Code::usage;
  return status == 503 ? Code::unavailable : Code::unsupported;
}

[[noreturn]] void bad_target(const char* why) {
  throw Refusal(400, std::string("cannot read the address of the request: ") + why);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  bad_target("a % is not followed by two hexadecimal digits");
}

std::string decode(std::string_view text, bool plus_is_blank) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (text.size() - i < 3) bad_target("a % is not followed by two hexadecimal digits");
      decoded += static_cast<char>(hex_digit(text[i + 1]) << 4 | hex_digit(text[i + 2]));
      i += 2;
    } else {
      decoded += plus_is_blank && text[i] == '+' ? ' ' : text[i];
    }
  }
  if (!is_utf8(decoded)) bad_target("it is not UTF-8");
  return decoded;
}

std::string decode_segment(std::string_view text) {
  std::string segment = decode(text, false);
  if (segment == "." || segment == "..") bad_target("it has . or .. in its path");
  for (char c : segment)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) bad_target("its path has control characters");
  return segment;
}

std::string decode_query(std::string_view text) {
  std::string value = decode(text, true);
  if (value.find('\0') != std::string::npos) bad_target("it has a NUL");
  return value;
}

// Calls `each` with every piece between separators; a text without any is one piece.
template <class Each>
void for_each_piece(std::string_view text, char separator, const Each& each) {
  while (true) {
    std::size_t end = text.find(separator);
    each(text.substr(0, end));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

const Field* only_one(const Fields& fields, std::string_view name, bool any_case, const char* what) {
  const Field* found = nullptr;
  for (const Field& field : fields) {
    if (any_case ? !same_name(field.name, name) : field.name != name) continue;
    if (found)
      throw Refusal(400, "cannot read the request: the " + std::string(what) + " " + std::string(name) +
                             " is there twice");
    found = &field;
  }
  return found;
}

}  // namespace

std::string_view to_text(Method method) { return kMethods.at(static_cast<std::size_t>(method)); }

std::optional<Method> find_method(std::string_view text) {
  for (std::size_t i = 0; i < kMethods.size(); ++i)
    if (kMethods[i] == text) return static_cast<Method>(i);
  return std::nullopt;
}

Refusal::Refusal(int status, std::string message, Fields fields)
    : Error(code_of(status), std::move(message)), status_(status), fields_(std::move(fields)) {}

int status_of(const Error& error) {
  const auto* refusal = dynamic_cast<const Refusal*>(&error);
  return refusal ? refusal->status() : info(error.code()).http_status;
}

bool same_name(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

std::optional<std::string_view> Request::header(std::string_view name) const {
  const Field* field = only_one(headers, name, true, "header");
  return field ? std::optional<std::string_view>(field->value) : std::nullopt;
}

std::optional<std::string_view> Request::parameter(std::string_view name) const {
  const Field* field = only_one(query, name, false, "parameter");
  return field ? std::optional<std::string_view>(field->value) : std::nullopt;
}

std::optional<std::string> Request::cookie(std::string_view name) const {
  for (const Field& header : headers) {
    if (!same_name(header.name, "Cookie")) continue;
    for (Field& cookie : parse_cookies(header.value))
      if (cookie.name == name) return std::move(cookie.value);
  }
  return std::nullopt;
}

const std::string& Request::part(std::string_view name) const {
  for (const Field& field : named)
    if (field.name == name) return field.value;
  throw Error(Code::defect,
              "cannot answer " + printable(target) + ": its route has no part {" + std::string(name) + "}");
}

Response text_response(int status, std::string content_type, std::string body) {
  return {status, {{"Content-Type", std::move(content_type)}}, std::move(body)};
}

Target parse_target(std::string_view text) {
  if (text.empty() || text.front() != '/') bad_target("it does not begin with /");
  for (char c : text)
    if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f || c == '#')
      bad_target("it has characters that must be written as %XX");
  std::size_t mark = text.find('?');
  Target target;
  std::string_view path = text.substr(1, mark == std::string_view::npos ? mark : mark - 1);
  if (!path.empty())
    for_each_piece(path, '/', [&](std::string_view piece) { target.path.push_back(decode_segment(piece)); });
  if (mark == std::string_view::npos) return target;
  for_each_piece(text.substr(mark + 1), '&', [&](std::string_view piece) {
    if (piece.empty()) return;
    if (target.query.size() == kMostParameters) bad_target("it has too many parameters");
    std::size_t equals = std::min(piece.find('='), piece.size());
    std::string_view value = piece.substr(std::min(equals + 1, piece.size()));
    target.query.push_back({decode_query(piece.substr(0, equals)), decode_query(value)});
  });
  return target;
}

Fields parse_cookies(std::string_view text) {
  Fields cookies;
  for_each_piece(text, ';', [&](std::string_view piece) {
    piece = trim(piece);
    std::size_t equals = piece.find('=');
    if (equals == std::string_view::npos || equals == 0) return;
    cookies.push_back({std::string(piece.substr(0, equals)), std::string(piece.substr(equals + 1))});
  });
  return cookies;
}

}  // namespace holdfast::http
