// Requests and answers as plain values. No socket, no parser of the wire (head.h) and no Boost type is here.
//
// What a client sent is hostile until looked at: `path`, `query` and header values are bounded in size by
// Limits, the path and the query are UTF-8 without control characters in the path and without NUL in the
// query. Print them through holdfast::printable().
#pragma once

#include <any>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"

namespace holdfast::http {

enum class Method : std::uint8_t { get, head, post, put, patch, del, options };
std::string_view to_text(Method method);                   // "DELETE"
std::optional<Method> find_method(std::string_view text);  // exact case, as HTTP wants it

struct Field {
  std::string name, value;
  bool operator==(const Field&) const = default;
};
using Fields = std::vector<Field>;

// An answer of HTTP's own that has no code of ours: 405, 413, 429, ... Thrown by this room and by handlers.
// `fields` go into the answer (Allow, Retry-After, WWW-Authenticate). Its code: unavailable for 503,
// unsupported for other 5xx, usage for the rest.
class Refusal : public Error {
 public:
  Refusal(int status, std::string message, Fields fields = {});
  int status() const { return status_; }
  const Fields& fields() const { return fields_; }

 private:
  int status_;
  Fields fields_;
};
// A Refusal's own status, else that of its code.
int status_of(const Error& error);

struct Request {
  Method method = Method::get;
  std::string target;             // as sent: visible ASCII
  std::vector<std::string> path;  // decoded; "/" is none, "/a/" is "a" and ""
  Fields query;                   // decoded, in order
  Fields named;                   // the router's {name} parts
  Fields headers;                 // in order; names as sent
  std::string body;
  std::string peer;        // address of the client, without port
  bool encrypted = false;  // came over TLS
  std::any caller;         // what a guard found out about the client (Router::Guard)

  // The value of a header; the name in any case. Refusal(400): it was sent twice.
  std::optional<std::string_view> header(std::string_view name) const;
  // The value of a query parameter. Refusal(400): it was sent twice.
  std::optional<std::string_view> parameter(std::string_view name) const;
  // The first cookie of that name; other programs on this host set cookies as well.
  std::optional<std::string> cookie(std::string_view name) const;
  // The part {name} of the route; Error(defect): the route has none of that name.
  const std::string& part(std::string_view name) const;
};

class EventStream;  // event_stream.h

// The next bytes of a body, "" at its end. Called on a worker thread, never twice at a time; may block.
// Returns pieces of a size that is no harm in memory (64 KiB is good): the next one is asked for when the
// client has taken the last. What it throws cuts the connection, so that the client sees a truncated answer
// and not a whole one.
using BodySource = std::function<std::string()>;
struct SourcedBody {
  BodySource next;
  std::optional<std::uint64_t> size;  // when known it must be exact: else the connection is cut
};

struct Response {
  int status = 200;
  Fields headers;  // beside those of every answer (response_head.h); one of the same name takes their place
  // Text made for this answer (at most Limits::held_bytes_of_one_address), text that lives as long as the
  // program, a body in pieces, or events.
  std::variant<std::string, std::string_view, SourcedBody, std::shared_ptr<EventStream>> body;
};
Response text_response(int status, std::string content_type, std::string body);

using Handler = std::function<Response(Request&)>;

struct Target {
  std::vector<std::string> path;
  Fields query;
};
// "/a%20b/c?x=1&y". Refusal(400): not a path with "/" first, "." or ".." in it, a bad %XX, control characters
// or bytes that are not UTF-8, more than kMostParameters parameters. In the query "+" is a blank; there,
// control characters other than NUL are allowed (names of files).
Target parse_target(std::string_view target);
inline constexpr std::size_t kMostParameters = 100;  // as many as header fields

// The value of a Cookie header: "a=1; b=2". What has no "=" is left out, because other programs on this host
// set cookies, too.
Fields parse_cookies(std::string_view text);

bool same_name(std::string_view a, std::string_view b);  // header names: ASCII without case

}  // namespace holdfast::http
