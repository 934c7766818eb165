// The head of an answer as it goes over the wire, with what every answer says. docs/service.md "HTTP".
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"
#include "http/message.h"

namespace holdfast::http {

struct Framing {
  bool keep_alive = false;
  bool chunked = false;
  std::optional<std::uint64_t>
      length;  // without it and not chunked: the end of the connection is the end of the body
  bool strict_transport = false;  // adds HSTS
  Timestamp now;                  // Date
};

// Status line, Date, framing, security headers (unless the answer has its own of that name), the answer's own
// headers, empty line. Error(defect): a name or value that cannot be sent (control characters: an answer must
// not be split in two), or a header that is the server's own (Content-Length, Transfer-Encoding, Connection,
// Date).
std::string response_head(const Response& response, const Framing& framing);
bool has_body(int status);  // 204 and 304 have none

}  // namespace holdfast::http
