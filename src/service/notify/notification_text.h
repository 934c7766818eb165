// A notification as a mail and as JSON. Values in, text out; what is in the texts cannot become a header. Forms: docs/service.md, "Notifications".
#pragma once

#include <span>
#include <string>

#include "service/notify/notifications.h"

namespace holdfast::service {

// Who tells.
struct Sender {
  std::string system;   // [system] name
  std::string host;     // name of this machine
};

std::string subject_of(const Notification& n, const Sender& sender);   // "Holdfast ns01: backup failed (exit 17)", UTF-8, one line

// RFC 5322 with lines that end with CR LF; ASCII: the subject in RFC 2047's form, the text as quoted-printable UTF-8. The same notification has
// the same Message-ID each time. `from` and `to` are addresses as system/settings.h has them.
std::string mail_of(const Notification& n, const Sender& sender, const std::string& from, std::span<const std::string> to);

std::string json_of(const Notification& n, const Sender& sender);

}  // namespace holdfast::service
