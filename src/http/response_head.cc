#include "http/response_head.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

namespace holdfast::http {
namespace {

constexpr std::pair<int, std::string_view> kReasons[] = {{200, "OK"},
                                                         {201, "Created"},
                                                         {202, "Accepted"},
                                                         {204, "No Content"},
                                                         {206, "Partial Content"},
                                                         {301, "Moved Permanently"},
                                                         {302, "Found"},
                                                         {303, "See Other"},
                                                         {304, "Not Modified"},
                                                         {307, "Temporary Redirect"},
                                                         {308, "Permanent Redirect"},
                                                         {400, "Bad Request"},
                                                         {401, "Unauthorized"},
                                                         {403, "Forbidden"},
                                                         {404, "Not Found"},
                                                         {405, "Method Not Allowed"},
                                                         {406, "Not Acceptable"},
                                                         {408, "Request Timeout"},
                                                         {409, "Conflict"},
                                                         {412, "Precondition Failed"},
                                                         {413, "Content Too Large"},
                                                         {415, "Unsupported Media Type"},
                                                         {416, "Range Not Satisfiable"},
                                                         {417, "Expectation Failed"},
                                                         {422, "Unprocessable Content"},
                                                         {428, "Precondition Required"},
                                                         {429, "Too Many Requests"},
                                                         {431, "Request Header Fields Too Large"},
                                                         {500, "Internal Server Error"},
                                                         {501, "Not Implemented"},
                                                         {503, "Service Unavailable"},
                                                         {505, "HTTP Version Not Supported"},
                                                         {507, "Insufficient Storage"}};

std::string_view reason(int status) {
  for (const auto& [number, text] : kReasons)
    if (number == status) return text;
  return "";
}

// IMF-fixdate of RFC 9110; the names are HTTP's, whatever the locale.
std::string http_date(Timestamp now) {
  static constexpr std::array<const char*, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::time_t seconds = now.seconds;
  std::tm t{};
  ::gmtime_r(&seconds, &t);
  char text[64];
  std::snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT",
                kDays.at(static_cast<std::size_t>(t.tm_wday)), t.tm_mday,
                kMonths.at(static_cast<std::size_t>(t.tm_mon)), t.tm_year + 1900, t.tm_hour, t.tm_min,
                t.tm_sec);
  return text;
}

constexpr std::pair<std::string_view, std::string_view> kOnEveryAnswer[] = {
    {"Content-Security-Policy",
     "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cache-Control", "no-store"},  // answers name systems and people; files of the page set their own
};
constexpr std::string_view kStrictTransport = "max-age=31536000";  // a year, as browsers' lists ask for

void add(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ").append(value).append("\r\n");
}

void check(const Field& field) {
  auto cannot = [&](const char* why) {
    return Error(Code::defect, "cannot send the header " + field.name + ": " + why);
  };
  bool name_ok = !field.name.empty() && std::all_of(field.name.begin(), field.name.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
  });
  if (!name_ok) throw cannot("its name has other characters than letters, digits, - and _");
  for (char c : field.value)
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f)
      throw cannot("its value has control characters");
  for (std::string_view own : {"Content-Length", "Transfer-Encoding", "Connection", "Date"})
    if (same_name(field.name, own)) throw cannot("it is the server's own");
}

}  // namespace

bool has_body(int status) { return status >= 200 && status != 204 && status != 304; }

std::string response_head(const Response& response, const Framing& framing) {
  if (response.status < 200 || response.status > 599)
    throw Error(Code::defect, "cannot send an answer with the status " + std::to_string(response.status));
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " ";
  head.append(reason(response.status)).append("\r\n");
  add(head, "Date", http_date(framing.now));
  if (!framing.keep_alive) add(head, "Connection", "close");
  if (framing.length) add(head, "Content-Length", std::to_string(*framing.length));
  if (framing.chunked) add(head, "Transfer-Encoding", "chunked");
  auto unless_given = [&](std::string_view name, std::string_view value) {
    if (std::none_of(response.headers.begin(), response.headers.end(),
                     [&](const Field& own) { return same_name(own.name, name); }))
      add(head, name, value);
  };
  for (const auto& [name, value] : kOnEveryAnswer) unless_given(name, value);
  if (framing.strict_transport) unless_given("Strict-Transport-Security", kStrictTransport);
  for (const Field& field : response.headers) {
    check(field);
    add(head, field.name, field.value);
  }
  return head += "\r\n";
}

}  // namespace holdfast::http
