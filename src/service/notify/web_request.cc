#include "service/notify/web_request.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "service/notify/secure_stream.h"

namespace holdfast::service {
namespace {

constexpr std::size_t kLongestLine = 8192;   // of a header, as servers have it; 100 lines of them
constexpr int kMostLines = 100;
constexpr int kMostInterim = 10;             // answers 1xx before the real one

struct Answer {
  int status = 0;
  std::string location;
};

Answer answer(SecureStream& stream, const std::string& place) {
  const std::string first = stream.line(kLongestLine);
  const auto digit = [&](std::size_t at) { return first.size() > at && first[at] >= '0' && first[at] <= '9'; };
  // "HTTP/1.1 200 OK", the words after the status may be missing: RFC 9112 4.
  if (!first.starts_with("HTTP/1.") || !digit(7) || first.size() < 12 || first[8] != ' ' || !digit(9) || !digit(10) || !digit(11) || (first.size() > 12 && first[12] != ' '))
    throw Error(Code::failed, "cannot understand " + place + ": it does not answer as a web server does");
  Answer a;
  a.status = (first[9] - '0') * 100 + (first[10] - '0') * 10 + (first[11] - '0');
  for (int i = 0; i < kMostLines; ++i) {
    const std::string line = stream.line(kLongestLine);
    if (line.empty()) return a;
    if (to_lower_ascii(line.substr(0, 9)) == "location:") a.location = trim(std::string_view(line).substr(9));
  }
  throw Error(Code::failed, "cannot understand " + place + ": its answer has more than " + std::to_string(kMostLines) + " header lines");
}

bool holds(std::string_view text, ByteView secret) { return text.find(as_text(secret)) != std::string_view::npos; }

}  // namespace

void send_request(const WebRequest& request, platform::Patience patience) {
  const std::string host = request.host.find(':') == std::string::npos ? request.host : "[" + request.host + "]";
  const std::string place = printable(host) + ":" + std::to_string(request.port);
  if (std::any_of(request.target.begin(), request.target.end(), [](unsigned char c) { return c <= 0x20 || c >= 0x7F; }) || !request.target.starts_with('/'))
    throw Error(Code::defect, "cannot ask " + place + ": the address is no path of visible ASCII");
  const bool own_port = request.port == (request.tls ? 443 : 80);
  std::string head = (request.json ? "POST " : "GET ") + request.target + " HTTP/1.1\r\nHost: " + (own_port ? host : host + ":" + std::to_string(request.port)) +
                     "\r\nUser-Agent: Holdfast\r\nAccept: */*\r\nConnection: close\r\n";
  if (request.json) head += "Content-Type: application/json\r\nContent-Length: " + std::to_string(request.json->size()) + "\r\n";

  SecureStream stream(request.host, request.port, patience);
  if (request.tls) stream.start_tls();
  stream.write(head);
  if (request.token != nullptr) {
    stream.write("Authorization: Bearer ");
    stream.write(request.token->view());
    stream.write("\r\n");
  }
  stream.write("\r\n" + request.json.value_or(""));

  Answer a = answer(stream, place);
  for (int i = 0; a.status / 100 == 1 && i < kMostInterim; ++i) a = answer(stream, place);
  if (a.status / 100 == 2) return;
  Error error(Code::failed, "cannot tell " + place + ": it answers " + std::to_string(a.status));
  if (a.status / 100 == 3 && !a.location.empty() && !(request.token != nullptr && holds(a.location, request.token->view())))
    error.hint("it points to " + printable(a.location.substr(0, 300)) + ": redirects are not followed, write that address when it is right");
  throw error;
}

}  // namespace holdfast::service
