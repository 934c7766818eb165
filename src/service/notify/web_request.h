// One request to one web address, for its status alone: HTTP/1.1, over TLS or (to this machine) plain. No redirect is followed, no body is read. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/secret.h"
#include "platform/tcp_connection.h"

namespace holdfast::service {

struct WebRequest {
  std::string host;                       // without brackets
  std::uint16_t port = 0;
  bool tls = true;
  std::string target = "/";               // path and query, visible ASCII
  std::optional<std::string> json;        // POST with this body; without one GET
  const crypto::Secret* token = nullptr;  // Authorization: Bearer; never in an error
};

// Returns when the server has answered 2xx, to the end of its header. Errors: those of SecureStream; failed: another status (of a redirect with where it leads),
// or no answer of HTTP; defect: the target holds what would end a line.
void send_request(const WebRequest& request, platform::Patience patience);

}  // namespace holdfast::service
