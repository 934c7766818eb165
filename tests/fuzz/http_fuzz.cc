// What a client of the service sends: the head of a request, its address, its cookies; and text that is sent as an event.
#include <algorithm>

#include "base/text.h"
#include "fuzz.h"
#include "http/event_stream.h"
#include "http/head.h"
#include "http/message.h"

using namespace holdfast;
using namespace holdfast::fuzz;
using namespace holdfast::http;

namespace {

// Only these refusals; anything else is a fault.
template <class Act>
bool taken(const Act& act) {
  try {
    act();
    return true;
  } catch (const Refusal& refusal) {
    for (int status : {400, 417, 431, 501, 505})
      if (refusal.status() == status) return false;
    broken("a refusal that a request must not cause: " + std::to_string(refusal.status()));
  }
}

std::size_t count(std::string_view text, std::string_view what) {
  std::size_t n = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + what.size())) ++n;
  return n;
}

void check_target(const std::string& text) {
  taken([&] {
    Target target = parse_target(text);
    require(target.query.size() <= kMostParameters, "the number of parameters is bounded");
    for (const std::string& part : target.path) {
      require(is_utf8(part) && part != "." && part != "..", "a part of a path is a name");
      require(std::none_of(part.begin(), part.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }), "and has no control characters");
    }
    for (const Field& field : target.query) require(is_utf8(field.value) && field.value.find('\0') == std::string::npos, "a parameter is text");
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  bool passed = taken([&] { check_head(text, 100); });
  if (passed) {
    require(count(text, "\r\n\r\n") == 1 && text.ends_with("\r\n\r\n"), "a head ends once");
    require(count(text, "\n") == count(text, "\r\n") && count(text, "\r") == count(text, "\r\n"), "a line ends in CR LF alone");
    require(count(text, "\r\n ") == 0 && count(text, "\r\n\t") == 0, "no line is folded");
    require(count(text, "\r\n") <= 102, "the number of fields is bounded");
    std::string lower = to_lower_ascii(text);
    require(count(lower, "\r\ncontent-length:") + count(lower, "\r\ntransfer-encoding:") <= 1, "a body has one length");
    require(count(lower, "\r\nhost:") <= 1, "there is one host");
    std::size_t begin = text.find(' ') + 1;
    check_target(text.substr(begin, text.find(' ', begin) - begin));
  }
  check_target(text);
  for (const Field& cookie : parse_cookies(text)) require(!cookie.name.empty() && cookie.name.find(';') == std::string::npos, "a cookie has a name");
  std::string event = encode_event({"1", "line", text});
  require(count(event, "\n\n") == 1 && event.ends_with("\n\n"), "text cannot end an event");
  require(event.find('\r') == std::string::npos, "nor break a line in another way");
  return 0;
}

std::vector<Bytes> fuzz_seeds() {
  std::vector<Bytes> seeds;
  for (std::string_view text :
       {"GET /api/v1/points/7%2F8?limit=10&after=a+b HTTP/1.1\r\nHost: localhost:8443\r\nCookie: __Host-session=abc; theme=dark\r\nAccept: */*\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n", "PUT /x HTTP/1.0\r\nContent-Length: 12\r\n\r\n",
        "/api/v1/points/%C3%BC/items?path=%0A%2Fetc&x", "a=1; __Host-s=x=y; broken; =z", "line\r\nline\n\rdata: x\n\n"})
    seeds.push_back(to_bytes(text));
  return seeds;
}
