#include "http/head.h"

#include <algorithm>

#include "base/text.h"
#include "http/message.h"

namespace holdfast::http {
namespace {

[[noreturn]] void refuse(int status, const char* why) {
  throw Refusal(status, std::string("cannot read the request: ") + why);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; });
}

std::string_view take_line(std::string_view& rest) {
  std::size_t end = rest.find("\r\n");
  if (end == std::string_view::npos) refuse(400, "a line does not end in CR LF");
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 2);
  if (has_control(line)) refuse(400, "its head has control characters");
  return line;
}

// True for HTTP/1.1.
bool check_request_line(std::string_view line) {
  std::size_t first = line.find(' '), last = line.rfind(' ');
  if (first == std::string_view::npos || first == last)
    refuse(400, "its first line is not METHOD target VERSION");
  std::string_view method = line.substr(0, first), target = line.substr(first + 1, last - first - 1),
                   version = line.substr(last + 1);
  if (!is_token(method)) refuse(400, "its method is not a word");
  bool visible = std::all_of(target.begin(), target.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (target.empty() || !visible) refuse(400, "its first line is not METHOD target VERSION");
  if (!version.starts_with("HTTP/")) refuse(400, "its first line is not METHOD target VERSION");
  if (version != "HTTP/1.1" && version != "HTTP/1.0")
    refuse(505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
  if (!find_method(method)) refuse(501, "its method is not known here");
  return version == "HTTP/1.1";
}

struct Seen {
  int hosts = 0, lengths = 0, codings = 0;
};

void check_field(std::string_view line, Seen& seen) {
  if (line.front() == ' ' || line.front() == '\t') refuse(400, "a header is folded over several lines");
  std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon)))
    refuse(400, "a header has no name before its colon");
  std::string_view name = line.substr(0, colon), value = trim(line.substr(colon + 1));
  if (same_name(name, "Host")) ++seen.hosts;
  if (same_name(name, "Content-Length")) {
    ++seen.lengths;
    if (value.empty() || value.size() > 18 || !std::all_of(value.begin(), value.end(), is_digit))
      refuse(400, "its Content-Length is not a number");
  }
  if (same_name(name, "Transfer-Encoding")) {
    ++seen.codings;
    if (!same_name(value, "chunked")) refuse(501, "its Transfer-Encoding is another than chunked");
  }
  if (same_name(name, "Expect") && !same_name(value, "100-continue"))
    refuse(417, "it expects something other than 100-continue");
}

}  // namespace

void check_head(std::string_view head, std::size_t most_fields) {
  bool newer = check_request_line(take_line(head));
  Seen seen;
  std::size_t fields = 0;
  for (std::string_view line = take_line(head); !line.empty(); line = take_line(head)) {
    if (++fields > most_fields)
      throw Refusal(431,
                    "cannot read the request: it has more than " + std::to_string(most_fields) + " headers");
    check_field(line, seen);
  }
  if (!head.empty()) refuse(400, "its head ends twice");
  if (seen.hosts > 1 || (newer && seen.hosts == 0)) refuse(400, "it must have one Host header");
  if (seen.lengths + seen.codings > 1) refuse(400, "the length of its body is said twice");
  if (seen.codings != 0 && !newer) refuse(501, "HTTP/1.0 has no Transfer-Encoding");
}

}  // namespace holdfast::http
