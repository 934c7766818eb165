// One mail to one server: RFC 5321, over TLS always (RFC 8314, or STARTTLS of RFC 3207), with AUTH PLAIN or LOGIN (RFC 4954) when there is a user.
// A conversation, not a queue. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "crypto/secret.h"
#include "platform/tcp_connection.h"

namespace holdfast::service {

struct MailServer {
  std::string host;
  std::uint16_t port = 0;
  bool tls_at_once = true;           // else STARTTLS, without which nothing is sent
  std::string user;                  // "": nobody signs in
  const crypto::Secret* password = nullptr;   // of the user; never in an error
  std::string own_name;              // what this machine is called, as text: what is no host name in it is not said
};

struct Mail {
  std::string from;                  // addresses, bare ASCII
  std::vector<std::string> to;
  std::string text;                  // header and body, lines that end with CR LF, ASCII
};

struct RefusedRecipient {
  std::string address;
  Error why;
};

// The server has taken responsibility for the mail to everybody but those it returns; never for nobody. Errors: those of SecureStream; failed: the server
// refused something (with its answer, cut and escaped), offers no TLS or no way to sign in; defect: an address holds what would end a line.
std::vector<RefusedRecipient> send_mail(const MailServer& server, const Mail& mail, platform::Patience patience);

}  // namespace holdfast::service
